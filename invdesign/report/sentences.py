"""A summary of a campaign in sentences, for the console and the top of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.report.stage_words import stage_sentences
from invdesign.report.words import counted, listed, number, spoken

if TYPE_CHECKING:
    from invdesign.report.findings import Findings


def sentences(found: Findings) -> list[str]:
    """The summary of the campaign."""
    status = found.status
    done = status.evaluated + status.failed
    lines = [f"{counted(done, 'candidate')} evaluated: {status.evaluated} completed, {status.failed} failed."]
    lines += _about_fidelities(found)
    if status.pending:
        lines.append(f"{counted(status.pending, 'candidate')} pending.")
    if found.ranked.empty:
        return [*lines, "No candidate has a value yet."]
    lines += [*_about_targets(found), *_about_directions(found)]
    return [*lines, *stage_sentences(found)]


def nearest(found: Findings) -> str:
    """The nearest candidate and its shortfalls, such as ``candidate 17, short by 0.12 V in voltage``."""
    best = found.ranked.iloc[[0]]
    lacking = []
    for target in found.targets.bounded:
        short = float(target.shortfall(best[target.property])[0])
        if np.isnan(short):
            lacking.append(f"without a value of {spoken(target.property)}")
        elif short > 0.0:
            unit = f" {target.unit}" if target.unit else ""
            lacking.append(f"short by {number(short, 3)}{unit} in {spoken(target.property)}")
    return f"candidate {best.index[0]}, {listed(lacking)}" if lacking else f"candidate {best.index[0]}"


def _about_fidelities(found: Findings) -> list[str]:
    """Evaluations and cost at each fidelity; only the target fidelity's values count."""
    if found.by_fidelity.empty:
        return []
    spent = [f"{number(cost)} at {name}" for name, cost in found.by_fidelity["cost"].items()]
    done = [f"{row['evaluated'] + row['failed']:.0f} at {name}" for name, row in found.by_fidelity.iterrows()]
    cost_text = f"Of these {listed(done)}. The evaluations, pending ones included, cost {listed(spent)}"
    return [f"{cost_text}. Only values at {found.by_fidelity.index[-1]} count as hits."]


def _about_targets(found: Findings) -> list[str]:
    bounded = len(found.targets.bounded)
    if not bounded:
        return []
    hits = found.status.hits
    every = "all targets" if bounded > 1 else "the target"
    if not hits:
        return [f"No candidate meets {every}; the nearest is {nearest(found)}."]
    first = int(np.flatnonzero(found.met)[0])
    since = f"the first was candidate {found.over.index[first]}, evaluation number {first + 1}"
    return [f"{counted(hits, 'candidate')} {'meets' if hits == 1 else 'meet'} {every}; {since}."]


def _about_directions(found: Findings) -> list[str]:
    optimized, hits = found.targets.optimized, found.hits
    if not optimized or hits.empty:
        return []
    among = " of those that meet all other targets" if found.targets.bounded else ""
    if len(optimized) > 1:
        front = int((found.targets.pareto_rank(hits) == 0).sum())
        who = f"{front} of them" if found.targets.bounded else counted(front, "candidate")
        return [f"{who} {'is' if front == 1 else 'are'} on the Pareto front."]
    target = optimized[0]
    wish, unit = ("largest" if target.direction > 0 else "smallest"), found.units.get(target.property, "")
    value = number(float(hits[target.property].iloc[0]))
    return [
        f"The {wish} {spoken(target.property)}{among} is {value} {unit}".rstrip() + f" (candidate {hits.index[0]})."
    ]
