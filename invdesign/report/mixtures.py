"""Mixtures in the report: drawings of the components of the best candidates, and maps of three components."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.report.drawings import drawn_molecules
from invdesign.report.figures import INK, Figure, Json, hover_texts
from invdesign.report.words import counted, number, plot_text, spoken, with_unit
from invdesign.surrogates.features.mixture_text import mixture_amounts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.core.columns import Column, Component
    from invdesign.report.findings import Findings

CORNERS = np.array([[0.0, 0.0], [1.0, 0.0], [0.5, np.sqrt(3) / 2]])
"""Corners of the triangle of three shares."""
MOST_DRAWN = 24
FEWEST_POINTS = 3
GRID = (0.2, 0.4, 0.6, 0.8)
"""Shares at which the triangle has lines."""


def component_drawings(found: Findings, rows: pd.DataFrame) -> str:
    """Drawings of the components of candidates with their amounts, the most frequent first; empty without any.

    Args:
        found: the campaign.
        rows: the candidates, the best first.
    """
    drawn: list[tuple[int, str, str]] = []
    for column in _mixtures(found):
        amounts = _amounts(column, rows)
        for component, own in zip(column.components, amounts.T, strict=True):
            count = int((own > 0).sum())
            if count and component.smiles:
                drawn.append((count, component.smiles, _caption(component, own)))
    drawn.sort(key=lambda one: -one[0])
    return drawn_molecules((smiles, caption) for _, smiles, caption in drawn[:MOST_DRAWN]) if drawn else ""


@dataclass(frozen=True)
class _Triangle:
    """Candidates whose components of a role are three.

    Attributes:
        rows: the candidates.
        shares: of the three in the role, shape ``n x 3``.
        corners: their names.
        title: of the map.
    """

    rows: pd.DataFrame
    shares: NDArray[np.float64]
    corners: list[str]
    title: str


def ternary_maps(found: Findings) -> list[Figure]:
    """For each role of a mixture of which three components remain, a map of the first property of the targets.

    Three remain if all candidates with values contain no others of the role, or if the best candidate contains three:
    then the candidates of these three are shown.
    """
    name = found.targets.properties[0]
    valued = found.over[found.over[name].notna().to_numpy() & found.at_target_fidelity(found.over)]
    return [_map(found, one, name, place) for place, one in enumerate(_triangles(found, valued))]


def _triangles(found: Findings, valued: pd.DataFrame) -> Iterator[_Triangle]:
    best = valued.index.isin(found.ranked.index[:1])
    for column in _mixtures(found):
        amounts = _amounts(column, valued)
        for role, places in _roles(column):
            own = amounts[:, places]
            three = _three(own > 0, best)
            inside = (own > 0).any(axis=1) & ~(np.delete(own, three, axis=1) > 0).any(axis=1)
            if len(three) == 3 and inside.sum() >= FEWEST_POINTS:
                shares = own[inside][:, three] / own[inside].sum(axis=1, keepdims=True)
                corners = [column.components[places[place]].name for place in three]
                title = f"{spoken(column.name)}: shares of {', '.join(corners)} in the {spoken(role)}"
                yield _Triangle(valued.iloc[np.flatnonzero(inside)], shares, corners, title)


def _three(present: NDArray[np.bool_], best: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The components that occur if they are three, else those of the best candidate.

    Args:
        present: whether a candidate contains a component, shape ``n x components``.
        best: whether a candidate is the best one, shape ``n``.
    """
    occurring = np.flatnonzero(present.any(axis=0))
    return occurring if len(occurring) == 3 else np.flatnonzero(present[best].any(axis=0))


def _map(found: Findings, triangle: _Triangle, name: str, place: int) -> Figure:
    """A map of a property, the best candidate ringed if it is among them."""
    points = triangle.shares @ CORNERS
    label = with_unit(name, found.units.get(name, ""))
    color = {
        "color": triangle.rows[name].tolist(),
        "colorscale": "Viridis",
        "colorbar": {"title": {"text": plot_text(label), "side": "right"}, "thickness": 14},
    }
    shown = {"hovertext": hover_texts(found, triangle.rows), "hoverinfo": "text"}
    data = [_points(points, {"size": 9, "line": {"width": 0.5, "color": INK}, **color}, **shown)]
    caption = f"{triangle.title}. Color: {label}, of {counted(len(triangle.rows), 'candidate')}."
    best = triangle.rows.index.isin(found.ranked.index[:1])
    if best.any():
        caption += f" Ringed: the best candidate, {found.ranked.index[0]}."
        ring = {"size": 17, "symbol": "circle-open", "color": INK, "line": {"width": 2}}
        data.append(_points(points[best], ring, hoverinfo="skip"))
    bare = {"visible": False, "fixedrange": True}
    layout = {
        "xaxis": {**bare, "range": [-0.12, 1.12]},
        "yaxis": {**bare, "range": [-0.12, 0.98], "scaleanchor": "x"},
        "margin": {"l": 10, "r": 10, "t": 30, "b": 10},
        "shapes": list(_lines()),
        "annotations": [
            {"text": plot_text(text), "x": x, "y": y, "yanchor": anchor, "showarrow": False}
            for text, (x, y), anchor in zip(triangle.corners, CORNERS.tolist(), ("top", "top", "bottom"), strict=True)
        ],
    }
    return Figure(f"ternary-{place}", caption, data, layout, narrow=True)


def _points(points: NDArray[np.float64], marker: dict[str, Json], **more: Json) -> dict[str, Json]:
    place = {"x": points[:, 0], "y": points[:, 1]}
    return {"type": "scatter", "mode": "markers", **place, "marker": marker, "showlegend": False, **more}


def _lines() -> Iterator[dict[str, Json]]:
    """The sides of the triangle, and lines of equal shares."""
    for one, two, three in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
        ends = [(share * CORNERS[one] + (1 - share) * CORNERS[other]) for share in GRID for other in (two, three)]
        yield from (_line(start, end, "#e6e6e6") for start, end in zip(ends[::2], ends[1::2], strict=True))
        yield _line(CORNERS[one], CORNERS[two], "#777777")


def _line(start: NDArray[np.float64], end: NDArray[np.float64], color: str) -> dict[str, Json]:
    place = {"x0": start[0], "y0": start[1], "x1": end[0], "y1": end[1]}
    return {"type": "line", "layer": "below", "line": {"color": color, "width": 1}, **place}


def _caption(component: Component, amounts: NDArray[np.float64]) -> str:
    """The name of a component, its amount in the best candidate, and its range in how many of them."""
    present = amounts[amounts > 0]
    low, high = number(float(present.min()), 3), number(float(present.max()), 3)
    between = low if low == high else f"{low} to {high}"
    best = f"{number(float(amounts[0]), 3)} in the first, " if amounts[0] > 0 and len(present) > 1 else ""
    return f"{component.name} ({spoken(component.role)}): {best}{between} {component.unit}".rstrip() + (
        f" in {len(present)} of {len(amounts)}"
    )


def _mixtures(found: Findings) -> list[Column]:
    return [column for column in found.columns if column.kind == "mixture"]


def _roles(column: Column) -> Iterator[tuple[str, list[int]]]:
    """Each role with the places of its components."""
    for role in dict.fromkeys(component.role for component in column.components):
        yield role, [place for place, component in enumerate(column.components) if component.role == role]


def _amounts(column: Column, rows: pd.DataFrame) -> NDArray[np.float64]:
    """Amounts of the components, shape ``n x components``."""
    return mixture_amounts(rows[column.name].tolist(), {one.name: one.unit for one in column.components})
