"""Candidates and their properties at a glance: parallel coordinates, Pareto views, or properties by evaluation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.report.figures import (
    INITIAL,
    MET,
    Figure,
    Json,
    axis,
    met_and_missed,
    property_axis,
    reaching,
    window_shapes,
)
from invdesign.report.mixtures import ternary_maps
from invdesign.report.words import number, plot_text, spoken

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.report.findings import Findings

MOST_LINES = 600
"""Largest number of lines of candidates that miss a target in parallel coordinates."""
MOST_VIEWS = 3
MOST_WORDS = 12
"""Different words that find place on one axis."""
MOST_ELEMENTS = 6
"""Axes of one formula: the elements whose amounts vary most."""


def landscape(found: Findings) -> list[Figure]:
    """The figures that fit the campaign's space and targets."""
    valued = found.over[found.over[found.properties].notna().any(axis=1)]
    if valued.empty:
        return []
    axes = parameter_axes(found, valued)
    overview = [parallel_coordinates(found, valued, axes)] if axes else by_evaluation(found)
    return [*overview, *pareto_views(found, valued), *ternary_maps(found)]


@dataclass(frozen=True)
class Coordinate:
    """One vertical axis of the parallel coordinates.

    Attributes:
        name: of the parameter or property.
        unit: of its values.
        low: value at the bottom.
        high: value at the top.
        log: whether the axis is logarithmic.
        wanted: the part of the axis that meets the targets, from 0 to 1; None if it has none.
        words: the values of an axis of words, from the bottom to the top; empty for numbers.
        element: whose amount in a formula stands on the axis; empty for whole values.
    """

    name: str
    unit: str
    low: float
    high: float
    log: bool = False
    wanted: tuple[float, float] | None = None
    words: tuple[str, ...] = ()
    element: str = ""

    @property
    def title(self) -> str:
        """The name for readers."""
        return f"{self.element} in {spoken(self.name)}" if self.element else spoken(self.name)

    def placed(self, values: pd.Series) -> NDArray[np.float64]:
        """Values along the axis, from 0 to 1."""
        if self.words:
            return np.array([(self.words.index(str(value)) + 0.5) / len(self.words) for value in values])
        if self.element:
            values = pd.Series([amounts(value).get(self.element, 0.0) for value in values])
        array, low, high = values.to_numpy(np.float64), self.low, self.high
        if self.log:
            array, low, high = np.log(array), math.log(low), math.log(high)
        return (array - low) / (high - low)


def parameter_axes(found: Findings, valued: pd.DataFrame) -> list[Coordinate]:
    """The axes of the parameters: numbers, few words, and the elements of formulas whose amounts vary."""
    axes: list[Coordinate] = []
    for column in found.columns:
        values = valued[column.name]
        words = tuple(sorted(set(map(str, values))))
        if column.kind == "number":
            axes.append(_parameter_axis(column.name, column.unit, column.bounds, column.log, valued))
        elif len(words) <= MOST_WORDS and column.kind != "fidelity":
            axes.append(Coordinate(column.name, "", 0.0, 1.0, words=words))
        elif column.kind == "formula":
            axes += _element_axes(column.name, values)
    return axes


@lru_cache(maxsize=4096)
def amounts(formula: str) -> Mapping[str, float]:
    """The amount of each element in a formula."""
    from pymatgen.core.composition import Composition

    return dict(Composition(formula).get_el_amt_dict())


def _element_axes(name: str, formulas: pd.Series) -> list[Coordinate]:
    table = pd.DataFrame([amounts(formula) for formula in formulas]).fillna(0.0)
    spread = table.std(ddof=0).sort_values(ascending=False, kind="stable")
    return [
        Coordinate(name, "", float(table[element].min()), float(table[element].max()), element=str(element))
        for element in spread.index[spread > 0.0][:MOST_ELEMENTS]
    ]


def parallel_coordinates(found: Findings, valued: pd.DataFrame, parameters: list[Coordinate]) -> Figure:
    """One line per candidate, one axis per parameter or property; plain lines, without WebGL, for printing."""
    axes = [*parameters]
    axes += [_property_axis(found, name, valued) for name in found.properties]
    valued = valued[found.at_target_fidelity(valued)]
    met = found.all_met(valued)
    missed, hits = valued[~met], valued[met]
    caption = (
        "Each line is a candidate, each vertical axis a parameter (over its range) or a property (over its "
        "values). Green: the target values. Click a name in the legend to hide or show its lines."
    )
    if len(missed) > MOST_LINES:
        caption += (
            f" Of {len(missed)} candidates that miss a target, {MOST_LINES} are drawn, evenly spaced "
            f"in the order of evaluation."
        )
        missed = missed.iloc[np.linspace(0, len(missed) - 1, MOST_LINES).astype(int)]
    best = "meets all targets" if found.targets.bounded else "candidate"
    data = [
        _lines(found, axes, missed, "misses a target", {"color": "rgba(176,96,43,0.5)", "width": 1}),
        _lines(found, axes, hits, best, {"color": MET, "width": 1.5}),
    ]
    shapes = [
        {"type": "line", "x0": x, "x1": x, "y0": 0, "y1": 1, "layer": "below", "line": {"color": "#777777", "width": 1}}
        for x in range(len(axes))
    ]
    shapes += [_wanted(x, item.wanted) for x, item in enumerate(axes) if item.wanted is not None]
    hidden = {"showgrid": False, "zeroline": False, "showticklabels": False, "fixedrange": True}
    layout = {
        "xaxis": {**hidden, "range": [-0.4, len(axes) - 0.6]},
        "yaxis": {**hidden, "range": [-0.1, 1.3]},
        "shapes": shapes,
        "annotations": [label for x, item in enumerate(axes) for label in _labels(x, item)],
        "margin": {"l": 20, "r": 20, "t": 40, "b": 10},
    }
    return Figure("parallel-coordinates", caption, [trace for trace in data if trace["x"]], layout, height=470)


def pareto_views(found: Findings, valued: pd.DataFrame) -> list[Figure]:
    """The optimized properties against each other with the Pareto front; a single one against a bounded property."""
    optimized = [target.property for target in found.targets.optimized]
    bounded = [target.property for target in found.targets.bounded if target.property not in optimized]
    pairs = list(combinations(optimized, 2)) or [
        (other, name) for name in optimized for other in dict.fromkeys(bounded)
    ]
    return [_pareto_view(found, valued, pair, place) for place, pair in enumerate(pairs[:MOST_VIEWS])]


def by_evaluation(found: Findings) -> list[Figure]:
    """Each property with a target over the evaluations, with its target values shaded."""
    figures = []
    for place, name in enumerate(found.targets.properties):
        shapes = window_shapes(found.targets, name, "y")
        if found.initial:
            ends = {"x0": 0.5, "x1": found.initial + 0.5, "yref": "paper", "y0": 0, "y1": 1}
            shapes.append({"type": "rect", "layer": "below", "fillcolor": INITIAL, "line": {"width": 0}, **ends})
        layout = {
            "xaxis": axis("evaluation", range=[0.5, len(found.over) + 0.5]),
            "yaxis": property_axis(found, name, found.over[name].tolist()),
            "shapes": shapes,
        }
        caption = f"{spoken(name)} of each candidate in the order of evaluation. Green: the target values."
        caption += " Gray: the initial design." if found.initial else ""
        points = met_and_missed(found, found.over, found.numbers, found.over[name])
        figures.append(Figure(f"by-evaluation-{place}", caption, points, layout, height=400))
    return figures


def _parameter_axis(
    name: str, unit: str, bounds: tuple[float, float] | None, log: bool, valued: pd.DataFrame
) -> Coordinate:
    low, high = bounds if bounds is not None else (float(valued[name].min()), float(valued[name].max()))
    return Coordinate(name, unit, low, high if high > low else low + 1.0, log)


def _property_axis(found: Findings, name: str, valued: pd.DataFrame) -> Coordinate:
    low, high = reaching(found.targets, name, valued[name].tolist())
    window = found.targets.window(name)
    wanted = None
    if window is not None and any(target.property == name for target in found.targets.bounded):
        ends = [min(1.0, max(0.0, (end - low) / (high - low))) for end in window.interval]
        wanted = (ends[0], ends[1])
    return Coordinate(name, found.units.get(name, ""), low, high, wanted=wanted)


def _lines(
    found: Findings, axes: list[Coordinate], rows: pd.DataFrame, name: str, line: dict[str, Json]
) -> dict[str, Json]:
    """All lines of one color as one trace, a gap between each two."""
    places = np.stack([item.placed(rows[item.name]) for item in axes], axis=1)
    gap = np.full((len(rows), 1), np.nan)
    texts: list[str] = []
    for index, row in zip(rows.index, rows.to_dict("records"), strict=True):
        heads = (f"<b>candidate {index}</b><br>{plot_text(spoken(item.name))}: " for item in axes)
        values = (_shown(row[item.name], item.unit) for item in axes)
        texts += [*(head + value for head, value in zip(heads, values, strict=True)), ""]
    return {
        "type": "scatter",
        "mode": "lines",
        "name": name,
        "x": [*range(len(axes)), None] * len(rows),
        "y": np.concatenate([places, gap], axis=1).ravel(),
        "hovertext": texts,
        "hoverinfo": "text",
        "line": line,
    }


def _shown(value: object, unit: str) -> str:
    text = number(value) if isinstance(value, int | float) else str(value)
    return plot_text(f"{text} {unit}".rstrip())


def _wanted(x: int, wanted: tuple[float, float]) -> dict[str, Json]:
    place = {"x0": x - 0.06, "x1": x + 0.06, "y0": wanted[0], "y1": wanted[1]}
    return {"type": "rect", "layer": "below", "fillcolor": "rgba(46,125,80,0.35)", "line": {"width": 0}, **place}


def _labels(x: int, item: Coordinate) -> list[dict[str, Json]]:
    """Name and unit above an axis, its highest value at the top, its lowest at the bottom."""
    name = "<br>".join(plot_text(word) for word in item.title.split())
    unit = f"<br>({plot_text(item.unit)})" if item.unit else ""
    shared = {"x": x, "showarrow": False, "xanchor": "center"}
    ends = {"font": {"size": 11, "color": "#444444"}, **shared}
    title = {"text": f"{name}{unit}", "y": 1.08, "yanchor": "bottom", "font": {"size": 12}, **shared}
    if item.words:
        heights = [(place + 0.5) / len(item.words) for place in range(len(item.words))]
        beside = {**ends, "xanchor": "left", "xshift": 3}
        return [
            title,
            *(
                {"text": plot_text(word), "y": height, **beside}
                for word, height in zip(item.words, heights, strict=True)
            ),
        ]
    return [
        title,
        {"text": number(item.high, 3), "y": 1.0, "yanchor": "bottom", **ends},
        {"text": number(item.low, 3), "y": 0.0, "yanchor": "top", **ends},
    ]


def _pareto_view(found: Findings, valued: pd.DataFrame, pair: tuple[str, str], place: int) -> Figure:
    across, up = pair
    met = valued[found.all_met(valued)]
    data = met_and_missed(found, valued, valued[across], valued[up])
    caption = f"{spoken(up)} against {spoken(across)}."
    if len(found.targets.optimized) > 1 and len(met):
        front = met[found.targets.on_front(met)].sort_values(across)
        joined = len(found.targets.optimized) == 2
        data.append(
            {
                "type": "scatter",
                "mode": "lines+markers" if joined else "markers",
                "name": "Pareto front",
                "x": front[across].tolist(),
                "y": front[up].tolist(),
                "hoverinfo": "skip",
                "line": {"color": "#2e7d50", "width": 1.5},
                "marker": {"size": 13, "symbol": "circle-open", "color": "#2e7d50", "line": {"width": 2}},
            }
        )
        caption += " Ringed: the Pareto front, candidates that no other dominates."
    layout = {
        "xaxis": property_axis(found, across, valued[across].tolist()),
        "yaxis": property_axis(found, up, valued[up].tolist()),
        "shapes": [*window_shapes(found.targets, across, "x"), *window_shapes(found.targets, up, "y")],
    }
    return Figure(f"pareto-{place}", caption, data, layout, height=440)
