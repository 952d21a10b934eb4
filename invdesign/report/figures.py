"""A figure for plotly.js: data and layout in the report's style."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.report.words import number, plot_text, spoken, with_unit

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.report.findings import Findings
    from invdesign.targets import Targets

MET, MISSED, WINDOW, INITIAL, INK = "#1b5e9e", "#b0602b", "rgba(46,125,80,0.14)", "rgba(0,0,0,0.06)", "#222222"
"""Blue and brown also differ in lightness, and marks of met targets have another shape: color is never the only cue."""
CHEAPER = "#8a8a8a"
MOST_POINTS = 2_000
"""Largest number of points of one kind in a figure; candidates that meet all targets are all drawn."""
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

Json = Any
"""JSON-compatible values; see plotly's reference for its figures."""


@dataclass(frozen=True)
class Figure:
    """One figure of the report.

    Attributes:
        identity: its ``id`` in the page.
        caption: what it shows and how to read it.
        data: plotly's traces.
        layout: plotly's layout, without the common part.
        height: in pixels.
        narrow: whether two fit side by side.
    """

    identity: str
    caption: str
    data: Sequence[Mapping[str, Json]]
    layout: Mapping[str, Json]
    height: int = 420
    narrow: bool = False

    def html(self) -> str:
        """Its place in the page, which the page's script fills."""
        kind = "narrow" if self.narrow else "wide"
        return (
            f'<figure class="{kind}"><div class="plot" id="{escape(self.identity)}" style="height:{self.height}px">'
            f"</div><figcaption>{escape(self.caption)}</figcaption></figure>"
        )

    def described(self) -> dict[str, Json]:
        """The data for the page's script, as JSON."""
        shared = {
            "font": {"family": FONT, "size": 13, "color": INK},
            "paper_bgcolor": "#ffffff",
            "plot_bgcolor": "#ffffff",
            "margin": {"l": 70, "r": 20, "t": 40, "b": 55},
            "hovermode": "closest",
            "hoverlabel": {"align": "left", "bgcolor": "#ffffff", "font": {"color": INK}},
            "legend": {"orientation": "h", "x": 0, "y": 1.0, "yanchor": "bottom"},
            "height": self.height,
        }
        return {"id": self.identity, "data": plain(self.data), "layout": plain({**shared, **self.layout})}


def plain(value: Json) -> Json:
    """Converts a value to JSON: no arrays, no numpy numbers, null for NaN and infinity."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        return plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value


def axis(title: str, **more: Json) -> dict[str, Json]:
    """An axis in the report's style; the title is escaped."""
    look = {"gridcolor": "#e6e6e6", "linecolor": "#777777", "showline": True, "ticks": "outside", "zeroline": False}
    return {"title": {"text": plot_text(title), "standoff": 8}, **look, **more}


def hover_texts(found: Findings, rows: pd.DataFrame) -> list[str]:
    """Hover texts of candidates: number, properties, parameters."""
    units = {**{column.name: column.unit for column in found.columns}, **found.units}
    texts = []
    for index, row in zip(rows.index, rows.to_dict("records"), strict=True):
        lines = [f"<b>candidate {index}</b>"]
        for name in dict.fromkeys([*found.properties, *found.parameters]):
            value = row[name]
            shown = f"{number(value)} {units[name]}" if isinstance(value, int | float) else _folded(str(value))
            lines.append(f"{plot_text(spoken(name))}: {plot_text(shown).replace(chr(10), '<br>')}")
        texts.append("<br>".join(lines))
    return texts


def met_and_missed(found: Findings, rows: pd.DataFrame, x: Json, y: Json) -> list[dict[str, Json]]:
    """Traces of points: candidates that meet all targets, the others, and those at lower fidelities."""
    met, at_target = found.all_met(rows), found.at_target_fidelity(rows)
    across, up = np.asarray(x), np.asarray(y)
    cross = {"color": MISSED, "size": 7, "symbol": "x-thin", "line": {"color": MISSED, "width": 1.6}}
    disc = {"color": MET, "size": 8, "symbol": "circle"}
    ring = {"color": CHEAPER, "size": 7, "symbol": "circle-open"}
    looks = [(~met & at_target, "misses a target", cross), (met, "meets all targets", disc)]
    if not found.targets.bounded:
        looks = [(met, "candidate", disc)]
    looks = [(~at_target, "at a lower fidelity", ring), *looks]
    traces = []
    for chosen, name, marker in looks:
        every = np.flatnonzero(chosen)
        drawn = every if marker is disc and found.targets.bounded else evenly(every, MOST_POINTS)
        if len(drawn):
            label = name if len(drawn) == len(every) else f"{name} ({len(drawn)} of {len(every)} drawn)"
            traces.append(
                {
                    "type": "scatter",
                    "mode": "markers",
                    "name": label,
                    "x": across[drawn],
                    "y": up[drawn],
                    "hovertext": hover_texts(found, rows.iloc[drawn]),
                    "hoverinfo": "text",
                    "marker": marker,
                }
            )
    return traces


def evenly(places: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """At most a number of places, evenly spaced, with the first and the last."""
    return places if len(places) <= most else places[np.linspace(0, len(places) - 1, most).astype(int)]


def window_shapes(targets: Targets, name: str, way: str, *, reference: str = "") -> list[dict[str, Json]]:
    """The values of a property that meet its targets, shaded across the whole figure.

    Args:
        targets: in the units of the values.
        name: of the property.
        way: ``x`` or ``y``, the axis on which the property stands.
        reference: number of that axis if the figure has several.
    """
    window = targets.window(name)
    bounded = any(target.property == name for target in targets.bounded)
    if window is None or not bounded:
        return []
    other = "y" if way == "x" else "x"
    low, high = window.interval
    # An open end is drawn far outside; the axes' ranges are set by the values, not by shapes.
    reach = 1e3 * max(1.0, abs(low) if math.isfinite(low) else abs(high))
    ends = (low if math.isfinite(low) else -reach, high if math.isfinite(high) else reach)
    band = {"type": "rect", "layer": "below", "fillcolor": WINDOW, "line": {"width": 0}}
    place = {f"{way}ref": f"{way}{reference}", f"{other}ref": "paper", f"{way}0": ends[0], f"{way}1": ends[1]}
    line = {"type": "line", "layer": "below", "line": {"color": "#2e7d50", "width": 1, "dash": "dot"}}
    edges = [
        {**line, **place, f"{way}0": end, f"{way}1": end, f"{other}0": 0, f"{other}1": 1}
        for end in (low, high)
        if math.isfinite(end)
    ]
    return [{**band, **place, f"{other}0": 0, f"{other}1": 1}, *edges]


def reaching(targets: Targets, name: str, values: Sequence[float]) -> list[float]:
    """The range of an axis that holds all values and the finite ends of the property's targets, with a margin."""
    window = targets.window(name)
    ends = [end for end in (window.interval if window is not None else ()) if math.isfinite(end)]
    known = [value for value in [*values, *ends] if math.isfinite(value)]
    low, high = min(known, default=0.0), max(known, default=1.0)
    air = 0.06 * (high - low) or 0.06 * max(1.0, abs(high))
    return [low - air, high + air]


def property_axis(found: Findings, name: str, values: Sequence[float], **more: Json) -> dict[str, Json]:
    """An axis for a property, wide enough for its values and its targets."""
    return axis(with_unit(name, found.units.get(name, "")), range=reaching(found.targets, name, values), **more)


def _folded(text: str, width: int = 60) -> str:
    return "\n".join(text[start : start + width] for start in range(0, len(text), width))
