"""The passes of an active screen: what was evaluated after each, its funnel, and how the hits grew."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.objectives.base import REASON
from invdesign.report.candidates import yes_or_no
from invdesign.report.figures import INITIAL, MET, Figure, Json, axis
from invdesign.report.page import Section
from invdesign.report.tables import TableColumn, plain_table, sortable_table
from invdesign.report.words import NOTHING, counted, number, spoken, with_unit

if TYPE_CHECKING:
    from invdesign.screening.funnel import StepCount
    from invdesign.screening.passes import Pass
    from invdesign.screening.running import Screening
    from invdesign.targets import Target

MOST_REASONS = 5
GAP = 0.06
"""Between two curves, as a share of the figure's height."""
STEP_HEADS = ("step", "entered", "left", "passed", "why candidates left")


def step_cells(count: StepCount) -> list[str]:
    """The cells of a step of a funnel; see ``STEP_HEADS``."""
    reasons = [f"{many:,}: {reason}" for reason, many in count.left.most_common(MOST_REASONS)]
    left = count.entered - count.passed
    return [count.name, f"{count.entered:,}", f"{left:,}", f"{count.passed:,}", "; ".join(reasons) or NOTHING]


def passes_sections(done: Screening) -> list[Section]:
    """What the passes led to, and all evaluated candidates.

    Args:
        done: an active screen.
    """
    funnels = [[_name(place), *step_cells(count)] for place, one in enumerate(done.passes) for count in one.funnel]
    table = plain_table("Evaluated candidates by pass", *_progress(done), numbers=range(1, 6 + len(_optimized(done))))
    if funnels:
        caption = "Candidates that entered and left each step, by pass"
        table += plain_table(caption, ("pass", *STEP_HEADS), funnels, numbers=(2, 3, 4))
    return [
        Section("passes", "Passes", table, [_growth(done)]),
        Section("evaluated-section", "Evaluated candidates", _evaluated(done)),
    ]


def _name(place: int) -> str:
    return "first, at random" if place == 0 else f"pass {place}"


def _optimized(done: Screening) -> list[Target]:
    """The targets to optimize that the objective gives values of."""
    known = done.passes[0].evaluated
    return [target for target in done.plan.targets.optimized if target.property in known]


def _progress(done: Screening) -> tuple[list[str], list[list[str]]]:
    """Heads and cells of the table of passes."""
    optimized = _optimized(done)
    units = done.plan.units
    heads = ["pass", "likely to meet all targets before", "evaluated", "failed", "meet the targets", "so far"]
    heads += [f"best {with_unit(target.property, units.get(target.property, ''))} so far" for target in optimized]
    rows, total, best = [], 0, [np.nan] * len(optimized)
    for place, one in enumerate(done.passes):
        total += int(one.met.sum())
        best = [_best(one, target, before) for target, before in zip(optimized, best, strict=True)]
        likely = NOTHING if one.likely is None else f"{one.likely:,}"
        failed = int(one.evaluated[REASON].notna().sum())
        counts = [likely, *(f"{count:,}" for count in (len(one.evaluated), failed, int(one.met.sum()), total))]
        rows.append([_name(place), *counts, *(number(value) for value in best)])
    return heads, rows


def _best(one: Pass, target: Target, before: float) -> float:
    """The best value of a property so far, among candidates that meet the targets."""
    values = target.direction * one.evaluated[target.property].to_numpy(dtype=np.float64)[one.met]
    return float(target.direction * np.fmax.reduce([target.direction * before, *values]))


def _growth(done: Screening) -> Figure:
    """Hits, and the best values of what is optimized, over the evaluations; passes are shaded alternately."""
    met = np.concatenate([one.met for one in done.passes])
    curves = [("hits so far", np.cumsum(met).astype(np.float64))]
    for target in _optimized(done):
        values = np.concatenate([one.evaluated[target.property].to_numpy(dtype=np.float64) for one in done.passes])
        gains = np.fmax.accumulate(np.where(met, target.direction * values, np.nan))
        label = with_unit(target.property, done.plan.units.get(target.property, ""))
        curves.append((f"best {label}", target.direction * gains))
    if len(curves) > 1 and not any(target.property in done.passes[0].evaluated for target in done.plan.targets.bounded):
        del curves[0]  # every value meets what is only optimized
    ends = np.cumsum([len(one.evaluated) for one in done.passes])
    share = 1.0 / len(curves)
    layout: dict[str, Json] = {
        "showlegend": False,
        "xaxis": axis("evaluation", anchor=f"y{len(curves)}" if len(curves) > 1 else "y", range=[0.5, len(met) + 0.5]),
        "shapes": [_band(start, end) for start, end in zip([0, *ends[:-1]], ends, strict=True)][::2],
    }
    data = []
    for place, (label, values) in enumerate(curves):
        suffix = "" if place == 0 else str(place + 1)
        layout[f"yaxis{suffix}"] = axis(
            label, domain=[0.0 if place == len(curves) - 1 else 1.0 - share * (place + 1) + GAP, 1.0 - share * place]
        )
        data.append(
            {
                "type": "scatter",
                "mode": "lines",
                "x": np.arange(1, len(met) + 1),
                "y": values,
                "yaxis": f"y{suffix}",
                "line": {"shape": "hv", "color": MET, "width": 2},
            }
        )
    shown = " and ".join(spoken(label) for label, _ in curves)
    caption = (
        f"{shown[0].upper()}{shown[1:]} over the evaluations. Every other pass is shaded, the first candidates too."
    )
    return Figure("growth", caption, data, layout, height=110 + 190 * len(curves))


def _band(start: int, end: int) -> dict[str, Json]:
    place = {"xref": "x", "x0": start + 0.5, "x1": end + 0.5, "yref": "paper", "y0": 0, "y1": 1}
    return {"type": "rect", "layer": "below", "fillcolor": INITIAL, "line": {"width": 0}, **place}


def _evaluated(done: Screening) -> str:
    """The table of all evaluated candidates in their order."""
    word, first = done.plan.pool.place_word, done.passes[0].evaluated
    names = [name for name in first if name != REASON]
    columns = [TableColumn(word, word, [str(place) for one in done.passes for place in one.evaluated.index])]
    columns.append(TableColumn("pass", "pass", [place for place, one in enumerate(done.passes) for _ in one.met]))
    for name in names:
        values = [value for one in done.passes for value in one.evaluated[name]]
        columns.append(TableColumn(str(name), with_unit(str(name), done.plan.units.get(str(name), "")), values))
    columns.append(TableColumn("met", "meets the targets", yes_or_no(met for one in done.passes for met in one.met)))
    reasons = [str(reason or NOTHING) for one in done.passes for reason in one.evaluated[REASON]]
    columns.append(TableColumn("reason", "reason", reasons))
    caption = f"{counted(len(columns[0].values), 'candidate')} in the order of evaluation; pass 0: at random"
    return sortable_table("evaluated-candidates", caption, columns)
