"""A summary of a campaign in sentences, for the console and the top of the report."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.objectives.base import DISTANCE
from invdesign.report.stage_words import stage_sentences
from invdesign.report.words import counted, listed, number, spoken
from invdesign.targets import hypervolume

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
    lines += [*_about_targets(found), *_about_directions(found), *_about_predictions(found)]
    return [*lines, *stage_sentences(found)]


def nearest(found: Findings) -> str:
    """The nearest candidate and its shortfalls, such as ``candidate 17, short by 0.12 V in voltage``."""
    best = found.ranked.iloc[[0]]
    lacking = []
    for target, missing in zip(found.targets.bounded, found.targets.shortfall(best).iloc[0], strict=True):
        short = float(missing)
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
    verb = "meets" if hits == 1 else "meet"
    if any(name in found.predictions for name in found.targets.properties):
        verb = f"{'is' if hits == 1 else 'are'} predicted to meet"
    return [f"{counted(hits, 'candidate')} {verb} {every}; {since}."]


def _about_predictions(found: Findings) -> list[str]:
    """What values of a model are worth: its errors on rows that it had not seen, and how many hits to expect."""
    lines = []
    for name, score in found.predictions.items():
        text = f"Values of {spoken(name)} are predictions of a model"
        if score is None:
            lines.append(f"{text}, whose table has too few rows to test it.")
            continue
        unit = f" {found.units[name]}" if found.units.get(name) else ""
        share = "" if np.isnan(score.r2) else f", R2 {number(score.r2, 2)}"
        lines.append(
            f"{text}: on {score.rows} rows of its table that were held out its mean absolute error is "
            f"{number(score.mae, 2)}{unit}{share}, and its 90 % intervals hold {score.coverage:.0%} of the values."
        )
    if found.expected_hits is not None:
        lines.append(
            f"By the uncertainty of the predictions, {number(found.expected_hits, 2)} of the "
            f"{counted(found.status.hits, 'hit')} {'is' if found.expected_hits == 1.0 else 'are'} expected to meet "
            f"{'all targets' if len(found.targets.bounded) > 1 else 'the target'}."
        )
    return [*lines, *_about_distance(found)]


def _about_distance(found: Findings) -> list[str]:
    """How many of the hits are farther from the model's data than these are from each other."""
    hits = found.hits
    if DISTANCE not in hits or hits[DISTANCE].isna().all():
        return []
    outside = int((hits[DISTANCE] > 1.0).sum())
    what = "candidate" if not found.targets.bounded else "hit"
    if not outside:
        return [f"No {what} is farther from the model's data than these are from each other (distance at most 1)."]
    share = f"{outside} of {counted(len(hits), what)} {'is' if outside == 1 else 'are'}"
    cure = f"The target {{property: {DISTANCE}, at_most: 1}} keeps a search inside."
    return [f"{share} outside of the model's data (distance above 1): there it extrapolates. {cure}"]


def _about_reference(found: Findings) -> list[str]:
    """What lies beyond the reference point, and the hypervolume, if the user gave the whole point."""
    reference, hits = found.targets.reference, found.hits
    beyond = int((~found.targets.within(hits)).sum())
    lines = [f"{counted(beyond, 'candidate')} beyond the reference point, not counted."] if beyond else []
    if not np.isnan(reference).any():
        lines.append(f"The hypervolume of the front is {number(hypervolume(found.targets.gains(hits), reference), 4)}.")
    return lines


def _about_directions(found: Findings) -> list[str]:
    optimized, hits = found.targets.optimized, found.hits
    if not optimized or hits.empty:
        return []
    among = " of those that meet all other targets" if found.targets.bounded else ""
    if len(optimized) > 1:
        front = int(found.targets.on_front(hits).sum())
        who = f"{front} of them" if found.targets.bounded else counted(front, "candidate")
        return [f"{who} {'is' if front == 1 else 'are'} on the Pareto front.", *_about_reference(found)]
    target = optimized[0]
    wish, unit = ("largest" if target.direction > 0 else "smallest"), found.units.get(target.property, "")
    value = number(float(hits[target.property].iloc[0]))
    return [
        f"The {wish} {spoken(target.property)}{among} is {value} {unit}".rstrip() + f" (candidate {hits.index[0]})."
    ]
