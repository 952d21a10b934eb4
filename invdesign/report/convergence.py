"""Convergence of the search: hits, the smallest shortfall and the best front so far, by evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.optimizers.bayesian.acquisition import property_scales, summed_shortfall
from invdesign.report.figures import INITIAL, MET, MOST_POINTS, Figure, Json, axis, evenly
from invdesign.report.words import spoken, with_unit
from invdesign.targets import hypervolume, pareto_rank

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.report.findings import Findings


@dataclass(frozen=True)
class Panel:
    """One curve over the evaluations.

    Attributes:
        title: title of its axis.
        text: description for the caption.
        values: one per evaluation; NaN before the first.
    """

    title: str
    text: str
    values: NDArray[np.float64]


def convergence(found: Findings) -> Figure | None:
    """The curves one above the other over a common axis; None if nothing was evaluated."""
    panels = [panel for panel in (_hits(found), _shortfall(found), _direction(found)) if panel is not None]
    if found.over.empty or not panels:
        return None
    count, gap = len(panels), 0.08
    share = (1.0 - gap * (count - 1)) / count
    layout: dict[str, Json] = {"showlegend": False, "margin": {"l": 80, "r": 20, "t": 30, "b": 55}}
    data = []
    for place, panel in enumerate(panels):
        suffix = "" if place == 0 else str(place + 1)
        top = 1.0 - place * (share + gap)
        layout[f"yaxis{suffix}"] = axis(panel.title, domain=[max(0.0, top - share), top], rangemode="tozero")
        drawn = _steps(panel.values)
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": found.numbers[drawn],
                "y": panel.values[drawn],
                "yaxis": f"y{suffix}",
                "line": {"shape": "hv", "color": MET, "width": 2},
                "hovertemplate": "evaluation %{x}: %{y:.4g}<extra></extra>",
            }
        )
    last = "y" if count == 1 else f"y{count}"
    layout["xaxis"] = axis("evaluation", anchor=last, range=[0.5, len(found.over) + 0.5], rangemode="nonnegative")
    if found.initial:
        layout["shapes"] = [_initial_band(found.initial)]
        layout["annotations"] = [_initial_label(found.initial)]
    caption = " ".join([f"{panel.text}" for panel in panels])
    if found.initial:
        caption += f" Shaded: the initial design of {found.initial}, spread over the space before the search began."
    return Figure("convergence", caption, data, layout, height=90 + 210 * count)


def _steps(values: NDArray[np.float64]) -> NDArray[np.int64]:
    """The places that draw a curve of steps: all, or if these are many its ends and where it changes."""
    if len(values) <= MOST_POINTS:
        return np.arange(len(values))
    changes = np.flatnonzero(~np.isclose(values[1:], values[:-1], rtol=0.0, atol=0.0, equal_nan=True)) + 1
    return evenly(np.unique([0, *changes, len(values) - 1]), MOST_POINTS)


def _hits(found: Findings) -> Panel | None:
    if not found.targets.bounded:
        return None
    return Panel("hits so far", "Hits so far: candidates that meet all targets.", np.cumsum(found.met).astype(float))


def _shortfall(found: Findings) -> Panel | None:
    bounded = found.targets.bounded
    if not bounded or not len(found.over):
        return None
    if len(bounded) == 1:
        target = bounded[0]
        title = with_unit("smallest shortfall", target.unit or "")
        text = f"Smallest shortfall: distance of the nearest candidate from the target on {spoken(target.property)}."
        values = found.targets.shortfall(found.judged).iloc[:, 0].to_numpy()
    else:
        title = "smallest summed shortfall"
        text = (
            "Smallest summed shortfall: distance of the nearest candidate from the targets, each shortfall in units of "
            "its property's standard deviation over the evaluated candidates, summed."
        )
        values = summed_shortfall(found.targets, found.judged, property_scales(found.targets, found.judged))
    return Panel(title, text, np.fmin.accumulate(values))


def _direction(found: Findings) -> Panel | None:
    optimized = found.targets.optimized
    if not optimized or not found.met.any():
        return None
    gains = np.where(found.met[:, None], found.targets.gains(found.over), np.nan)
    if len(optimized) > 1:
        return _front(found, gains)
    name, best = optimized[0].property, np.fmax.accumulate(gains[:, 0]) * optimized[0].direction
    among = " among candidates that meet the other targets" if found.targets.bounded else ""
    return Panel(f"best {with_unit(name, found.units.get(name, ''))}", f"Best {spoken(name)} so far{among}.", best)


def _front(found: Findings, gains: NDArray[np.float64]) -> Panel:
    """The hypervolume of the front so far, each objective from its reference or the worst value (0) to the best (1)."""
    given = found.targets.reference
    low, high = np.where(np.isnan(given), np.nanmin(gains, axis=0), given), np.nanmax(gains, axis=0)
    start = "the worst" if np.isnan(given).all() else "the reference point"
    scaled = (gains - low) / np.where(high > low, high - low, 1.0)
    among = " by candidates that meet all other targets" if found.targets.bounded else ""
    text = (
        f"Hypervolume: the share of the box between {start} and the best values found{among} that the Pareto front "
        "so far dominates."
    )
    return Panel("hypervolume", text, _hypervolumes(scaled))


def _hypervolumes(gains: NDArray[np.float64]) -> NDArray[np.float64]:
    """The hypervolume over zero after each row; a row with NaN adds nothing."""
    worst = np.zeros(gains.shape[1])
    front = np.empty((0, gains.shape[1]))
    volumes, volume = [], 0.0
    for row in gains:
        beaten = (front >= row).all(axis=1).any() or np.isnan(row).any()
        if not beaten:
            grown = np.vstack([front, row])
            front = grown[pareto_rank(grown) == 0]
            volume = hypervolume(front, worst)
        volumes.append(volume)
    return np.array(volumes)


def _initial_band(initial: int) -> dict[str, Json]:
    place = {"xref": "x", "x0": 0.5, "x1": initial + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    return {"type": "rect", "layer": "below", "fillcolor": INITIAL, "line": {"width": 0}, **place}


def _initial_label(initial: int) -> dict[str, Json]:
    place = {"xref": "x", "x": 0.5, "xanchor": "left", "yref": "paper", "y": 1.0, "yanchor": "bottom"}
    return {
        "text": f"initial design ({initial})",
        "showarrow": False,
        "font": {"size": 12, "color": "#555555"},
        **place,
    }
