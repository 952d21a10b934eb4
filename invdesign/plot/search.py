"""Figures of campaigns: convergence, targets in the plane of two properties, fronts, parallel axes."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError, nearest
from invdesign.optimizers.bayesian.acquisition import property_scales, summed_shortfall
from invdesign.plot.style import MET, MISSED, QUIET, SERIES, WINDOW, figure, label
from invdesign.report.findings import Findings, gather
from invdesign.targets import hypervolume

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

    from invdesign.campaign import Campaign

Runs = Mapping[str, "Sequence[Campaign]"]
"""Campaigns of the same targets with different seeds, under the names of their optimizers."""
MOST_LINES = 200
"""Candidates that parallel axes draw; hits are drawn first."""


def convergence(campaigns: Campaign | Runs) -> Figure:
    """Progress by evaluation: hits, or the smallest shortfall, or what is maximized or minimized.

    Args:
        campaigns: one campaign, or several with different seeds under a name each: their median and quartiles are
            drawn. Random search is a fair one of them.

    Raises:
        InputError: if nothing was evaluated.
    """
    runs = campaigns if isinstance(campaigns, Mapping) else {"": [campaigns]}
    found = {name: [gather(one) for one in several] for name, several in runs.items()}
    first = next((one for several in found.values() for one in several), None)
    if first is None or any(one.over.empty for several in found.values() for one in several):
        raise InputError("A campaign has no evaluated candidates yet. Run it first.")
    title = _progress(first)[0]
    with figure() as (made, (axes,)):
        for place, (name, several) in enumerate(found.items()):
            curves = [_progress(one)[1] for one in several]
            length = min(map(len, curves))
            table = np.array([curve[:length] for curve in curves])
            known = ~np.isnan(table).all(axis=0)  # nothing is lowest before the first candidate meets the bounds
            numbers, table = np.arange(1, length + 1)[known], table[:, known]
            color = SERIES[place % len(SERIES)]
            low, middle, high = np.nanpercentile(table, [25, 50, 75], axis=0)
            axes.plot(numbers, middle, color=color, label=name or None, drawstyle="steps-post", ls=_dash(place))
            if len(curves) > 1:
                axes.fill_between(numbers, low, high, color=color, alpha=0.2, step="post", lw=0)
        if first.initial and len(found) == 1:
            axes.axvspan(0.5, first.initial + 0.5, color="0.92", zorder=0)
        axes.set_xlabel("evaluations")
        axes.set_ylabel(title)
        if len(found) > 1:
            axes.legend()
        return made


def targets(campaign: Campaign, x: str | None = None, y: str | None = None) -> Figure:
    """Candidates in the plane of two properties, with the targets as a box.

    Args:
        campaign: with at least two properties.
        x: property of the horizontal axis; the first target's if None.
        y: property of the vertical axis; the second target's if None.

    Raises:
        InputError: if a property is unknown, or there is only one.
    """
    found = gather(campaign)
    across, up = _two(found, x, y)
    with figure(height=3.0) as (made, (axes,)):
        _scatter(axes, found, across, up)
        for name, span in ((across, axes.axvspan), (up, axes.axhspan)):
            window = found.targets.window(name)
            if window is not None and np.isfinite(window.interval).any():
                ends = axes.get_xlim() if name == across else axes.get_ylim()
                low, high = (
                    end if math.isfinite(end) else edge for end, edge in zip(window.interval, ends, strict=True)
                )
                span(low, high, color=WINDOW, alpha=0.12, lw=0)
        axes.set_xlabel(label(across, found.units))
        axes.set_ylabel(label(up, found.units))
        axes.legend(loc="best")
        return made


def front(campaign: Campaign) -> Figure:
    """The Pareto front of two or three properties that are maximized or minimized.

    Raises:
        InputError: if fewer than two or more than three are optimized.
    """
    found = gather(campaign)
    names = list(dict.fromkeys(target.property for target in found.targets.optimized))
    if not 2 <= len(names) <= 3:
        raise InputError(f"A front is drawn of two or three properties to optimize; this campaign has {len(names)}.")
    ranked = found.ranked.dropna(subset=names)
    best = ranked[found.targets.on_front(ranked)].sort_values(names[0])
    pairs = [(names[0], names[1])] if len(names) == 2 else [(names[0], names[1]), (names[0], names[2])]
    with figure(1, len(pairs), height=3.0) as (made, several):
        for axes, (across, up) in zip(several, pairs, strict=True):
            axes.scatter(ranked[across], ranked[up], s=9, color=QUIET, marker="x", lw=0.8, label="evaluated")
            line = "-" if len(names) == 2 else "none"
            axes.plot(best[across], best[up], ls=line, lw=0.8, color=MET, marker="o", ms=4, label="Pareto front")
            axes.set_xlabel(label(across, found.units))
            axes.set_ylabel(label(up, found.units))
        several[0].legend(loc="best")
        return made


def parallel(campaign: Campaign, *, parameters: Sequence[str] | None = None) -> Figure:
    """Candidates on parallel axes, one for each parameter and property; words and formulas have their places too.

    Args:
        campaign: with evaluated candidates.
        parameters: to draw; all if None. Molecules and formulas of which there are many are left out.

    Raises:
        InputError: if a parameter is unknown, or nothing was evaluated.
    """
    found = gather(campaign)
    rows = found.judged.dropna(subset=found.properties)
    if rows.empty:
        raise InputError("The campaign has no evaluated candidates yet. Run it first.")
    chosen = [name for name in found.parameters if _drawable(rows[name])] if parameters is None else list(parameters)
    for name in chosen:
        if name not in found.parameters:
            raise InputError(f"Unknown parameter '{name}'.{nearest(name, found.parameters)}")
    names = [*chosen, *found.properties]
    units = {**{column.name: column.unit for column in found.columns}, **found.units}
    met = found.all_met(rows)
    order = np.argsort(~met, kind="stable")[:MOST_LINES]
    with figure(width=max(3.5, 1.1 * len(names)), height=3.0) as (made, (axes,)):
        heights = np.stack([_heights(axes, place, rows[name]) for place, name in enumerate(names)], axis=1)
        for row in order[::-1]:
            color, width = (MET, 1.0) if met[row] else (MISSED, 0.5)
            axes.plot(np.arange(len(names)), heights[row], color=color, lw=width, alpha=0.8 if met[row] else 0.35)
        axes.set_xticks(np.arange(len(names)), [label(name, units) for name in names], rotation=20, ha="right")
        axes.set_yticks([])
        for side in ("left", "bottom"):
            axes.spines[side].set_visible(False)
        for place in range(len(names)):
            axes.axvline(place, color="0.6", lw=0.7, zorder=0)
        return made


def _progress(found: Findings) -> tuple[str, NDArray[np.float64]]:
    """What progress is, and its value after each evaluation."""
    judged = found.judged
    if found.targets.optimized:
        names = [target.property for target in found.targets.optimized]
        gains = found.targets.gains(judged)
        gains = np.where(found.met[:, None] & np.isfinite(gains), gains, -np.inf)
        if len(names) == 1:
            best = np.maximum.accumulate(gains[:, 0])
            sign = found.targets.optimized[0].direction
            word = "highest" if sign > 0 else "lowest"
            return f"{word} {label(names[0], found.units)}", np.where(np.isfinite(best), sign * best, np.nan)
        reached = np.asarray(np.isfinite(gains).all(axis=1))
        lowest = gains[reached].min(axis=0) if reached.any() else np.zeros(len(names))
        given = found.targets.reference
        lowest = np.where(np.isnan(given), lowest, given)
        scale = gains[reached].max(axis=0) - lowest if reached.any() else np.ones(len(names))
        scaled = (gains - lowest) / np.where(scale > 0, scale, 1.0)
        steps = [hypervolume(scaled[: end + 1][reached[: end + 1]], np.zeros(len(names))) for end in range(len(scaled))]
        return "hypervolume of the front, scaled", np.array(steps, dtype=np.float64)
    if found.met.any():
        return "candidates that meet all targets", np.cumsum(found.met).astype(np.float64)
    missing = np.asarray(summed_shortfall(found.targets, judged, property_scales(found.targets, judged)))
    return "smallest shortfall, in spreads", np.minimum.accumulate(np.nan_to_num(missing, nan=np.inf))


def _two(found: Findings, x: str | None, y: str | None) -> tuple[str, str]:
    names = found.properties
    for name in (x, y):
        if name is not None and name not in names:
            raise InputError(f"Unknown property '{name}'.{nearest(name, names)}")
    across = x or next((name for name in names if name != y), None)
    up = y or next((name for name in names if name != across), None)
    if across is None or up is None:
        raise InputError("The plane of two properties needs two; this campaign has one. Use convergence instead.")
    return across, up


def _scatter(axes: Axes, found: Findings, across: str, up: str) -> None:
    rows = found.judged.dropna(subset=[across, up])
    met = found.all_met(rows)
    looks = [(~met, "misses a target", MISSED, "x"), (met, "meets all targets", MET, "o")]
    for chosen, name, color, mark in looks:
        if chosen.any():
            axes.scatter(rows[across][chosen], rows[up][chosen], s=16, color=color, marker=mark, lw=0.9, label=name)


def _drawable(values: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(values) or values.nunique() <= 12


def _heights(axes: Axes, place: int, values: pd.Series) -> NDArray[np.float64]:
    """Places between 0 and 1 on a vertical axis, which gets its labels."""
    if not pd.api.types.is_numeric_dtype(values):
        words = sorted(map(str, values.unique()))
        ticks = {word: (at + 0.5) / len(words) for at, word in enumerate(words)}
        heights = np.array([ticks[str(value)] for value in values], dtype=np.float64)
    else:
        low, high = float(values.min()), float(values.max())
        ticks = {f"{low:.4g}": 0.0, f"{high:.4g}": 1.0}
        heights = np.asarray((values.to_numpy(dtype=np.float64) - low) / ((high - low) or 1.0), dtype=np.float64)
    for text, height in ticks.items():
        axes.annotate(
            text, (place, height), xytext=(3, 0), textcoords="offset points", va="center", fontsize=7, color="0.25"
        )
    return heights


def _dash(place: int) -> str:
    return ("-", "--", "-.", ":")[place % 4]
