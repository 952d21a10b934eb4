"""The order of a funnel's steps by measured cost and pass rate, recorded so that a resumed screen keeps it.

Of steps whose results do not depend on their order, the total cost is least in ascending order of cost per candidate
over the share of candidates that leave (Hellerstein and Stonebraker 1993, doi:10.1145/170036.170078).
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from invdesign.screening.funnel import COSTLY, applied, ordered
from invdesign.screening.plan import Plan

ORDER = "order.json"
SAMPLE, FEW = 512, 8
"""Entries of the pool that steps are measured on; those that may simulate see fewer."""


@dataclass(frozen=True)
class Measured:
    """What a step costs and keeps.

    Attributes:
        seconds: per candidate.
        passed: share of the candidates that go on.
    """

    seconds: float
    passed: float

    @property
    def rank(self) -> float:
        """Cost per candidate that leaves; infinite if none leaves."""
        return self.seconds / (1.0 - self.passed) if self.passed < 1.0 else math.inf


def in_measured_order(plan: Plan, folder: Path) -> Plan:
    """The plan with its steps in the order that the folder records, which is measured and recorded if there is none.

    Args:
        plan: with its steps in the order of their cost classes.
        folder: of the screen.
    """
    place = folder / ORDER
    if not place.exists():
        found = measured(plan)
        worst = Measured(math.inf, 1.0)  # no candidate has reached it
        chosen = ordered(plan.steps, plan.pool, cost=lambda step: found.get(step.name, worst).rank)
        note = {"order": [step.name for step in chosen], "measured": {name: asdict(one) for name, one in found.items()}}
        hidden = place.with_name(f".{ORDER}")
        hidden.write_text(json.dumps(note, indent=1), encoding="utf-8")
        hidden.replace(place)
    by_name = {step.name: step for step in plan.steps}
    names = json.loads(place.read_text(encoding="utf-8"))["order"]
    return replace(plan, steps=tuple(by_name[name] for name in names))


def measured(plan: Plan) -> Mapping[str, Measured]:
    """The cost and the pass rate of each step on the first entries of the pool, those before it applied."""
    block = next(iter(plan.pool.blocks(SAMPLE)), None)
    if block is None:
        return {}
    rows, found = plan.pool.read(block).rows, {}
    for step in plan.steps:
        given = rows.iloc[:FEW] if step.cost == COSTLY else rows
        if given.empty:
            break
        applied(step, given.iloc[:1], plan.pool, plan.targets_of(step))  # loads libraries and fits models
        start = time.perf_counter()
        rows, count = applied(step, given, plan.pool, plan.targets_of(step))
        found[step.name] = Measured((time.perf_counter() - start) / count.entered, count.passed / count.entered)
    return found
