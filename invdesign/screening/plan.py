"""What is done with each block of a pool: a function of the block alone, so that blocks may run anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.fingerprint import parts_of
from invdesign.core.errors import InputError, nearest
from invdesign.objectives.base import DISTANCE, STD_SUFFIX, Objective
from invdesign.screening.distances import with_distance, without_distance
from invdesign.screening.funnel import (
    LIKELY,
    Step,
    StepCount,
    applied,
    binary_properties,
    columns_for,
    columns_of,
    log_probability,
    moments,
    ordered,
    target_log_probability,
)
from invdesign.screening.pools import BadRow, Pool, RawBlock, names_of
from invdesign.targets import Targets

READ = "read"
"""Name of the funnel's first line: entries of the pool that can be read."""
MEASURED = "evaluated"
"""Name of the funnel's last line if some candidates were evaluated: those that failed leave."""
PLACE = "place"
PROBABILITY = "probability"
LOG_PROBABILITY = "log_probability"
RESERVED = (PLACE, PROBABILITY, LOG_PROBABILITY, "reason")


@dataclass(frozen=True)
class BlockResult:
    """What remains of a block.

    Attributes:
        number: of the block.
        entries: of the pool that it covers.
        rows: the candidates that passed all steps, indexed by their places, with properties and probabilities.
        counts: of each step.
        bad: entries that cannot be read.
    """

    number: int
    entries: int
    rows: pd.DataFrame
    counts: tuple[StepCount, ...]
    bad: tuple[BadRow, ...] = ()

    @property
    def hits(self) -> int:
        """Number of candidates that are likely to meet all targets."""
        return int((self.rows[PROBABILITY] >= LIKELY).sum())


@dataclass(frozen=True)
class Plan:
    """A pool, the steps in their order, and the targets in the units of the properties.

    Attributes:
        pool: of the candidates.
        steps: of the funnel, in the order in which they run.
        targets: in the properties' units.
        measured: values of some candidates, indexed by their places, which replace what the steps give; a row without
            a value is a candidate that failed, and leaves. None if there are none.
        distance_of_best: whether the chosen candidates get their distance to the data of the models afterwards.
    """

    pool: Pool
    steps: tuple[Step, ...]
    targets: Targets
    measured: pd.DataFrame | None = None
    distance_of_best: bool = False

    def screened(self, block: RawBlock) -> BlockResult:
        """Runs the funnel on a block, and gives what passes the probability of meeting each target and all."""
        read = self.pool.read(block)
        first = StepCount(READ, block.entries, Counter({**block.left_out, **read.left_out}))
        first.left.update({"cannot be read": len(read.bad)} if read.bad else {})
        rows, counts = read.rows, [first]
        for step in self.steps:
            rows, count = applied(step, rows, self.pool, self.targets_of(step))
            counts.append(count)
        if self.measured is not None:
            rows, count = self._with_measured(rows, self.measured)
            counts.append(count)
        return BlockResult(block.number, block.entries, self._judged(rows), tuple(counts), read.bad)

    @property
    def properties(self) -> tuple[str, ...]:
        """The properties that the steps give, in their order."""
        steps = (step.objective.properties for step in self.steps if step.objective is not None)
        return tuple(dict.fromkeys(name for properties in steps for name in properties))

    def with_distance(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Chosen candidates with their distance to the data of the models, unless all candidates have it."""
        if not self.distance_of_best or DISTANCE in rows:
            return rows
        return with_distance(rows, [step.objective for step in self.steps if step.objective is not None])

    @property
    def units(self) -> Mapping[str, str]:
        """The unit of each property."""
        steps = [step.objective.properties for step in self.steps if step.objective is not None]
        return {name: unit for properties in steps for name, unit in properties.items()}

    @cached_property
    def schema(self) -> dict[str, bool]:
        """The columns of the results, and whether each holds numbers; known before anything is screened."""
        pool = {column.name: column.kind == "number" for column in self.pool.columns}
        stds = [f"{name}{STD_SUFFIX}" for name in self.targets.properties]
        met = [f"{PROBABILITY}: {target}" for target in self.targets.bounded]
        numbers = dict.fromkeys([*self.properties, *stds, *met, PROBABILITY, LOG_PROBABILITY], True)
        return {**pool, **numbers}

    def described(self) -> dict[str, str]:
        """What the results depend on, by name: equal plans give equal results."""
        steps = {
            f"step '{step.name}'{f': {part}' if part else ''}": digest
            for step in self.steps
            for part, digest in {"": f"{step.keep} {step.probability}", **_parts(step.objective)}.items()
        }
        measured = {} if self.measured is None else {"evaluated candidates": self.measured.to_json(double_precision=15)}
        return {**self.pool.described(), **steps, **measured, "targets": repr(self.targets)}

    def _with_measured(self, rows: pd.DataFrame, measured: pd.DataFrame) -> tuple[pd.DataFrame, StepCount]:
        """Rows with measured values instead of predictions, without those that failed."""
        count = StepCount(MEASURED, len(rows))
        known = rows.index.intersection(measured.index)
        if len(known):
            rows = rows.copy()
            rows.loc[known, list(measured.columns)] = measured.loc[known]
            rows.loc[known, [f"{name}{STD_SUFFIX}" for name in measured]] = 0.0
        failed = rows.index.isin(measured.index[measured.isna().any(axis=1)])
        count.left.update({"evaluation failed": int(failed.sum())} if failed.any() else {})
        return rows[~failed], count

    def targets_of(self, step: Step) -> Targets:
        """The targets on a step's properties; all of them for a step without a bound on the probability."""
        if step.probability is None:
            return self.targets
        return Targets(*(target for target in self.targets if target.property in step.gives))

    def _judged(self, rows: pd.DataFrame) -> pd.DataFrame:
        mean, std = moments(rows, self.targets.properties)
        binary = binary_properties(self.steps)
        logs = log_probability(self.targets, rows, binary)
        judged: dict[str, Any] = {
            **{f"{name}{STD_SUFFIX}": std[name] for name in self.targets.properties},
            **{
                f"{PROBABILITY}: {target}": np.exp(
                    target_log_probability(
                        target, mean[target.property], std[target.property], binary=target.property in binary
                    )
                )
                for target in self.targets.bounded
            },
            PROBABILITY: np.exp(logs),
            LOG_PROBABILITY: logs,
        }
        return rows.assign(**judged)[list(self.schema)]


def planned(pool: Pool, steps: Sequence[Step], objective: Objective | None, targets: Targets) -> Plan:
    """Binds the objectives to the pool's columns, orders the steps and checks everything before any work.

    Args:
        pool: of the candidates.
        steps: of the funnel, as written.
        objective: of the targets' properties that no step gives; it comes last. None if steps give all.
        targets: in any compatible units.

    Raises:
        InputError: naming every problem, one per line.
    """
    needed = {*targets.properties, *(name for step in steps if step.keep for name in step.keep.names)}
    lean = DISTANCE not in needed
    if lean:
        steps = [replace(step, objective=step.objective and without_distance(step.objective)) for step in steps]
        objective = objective and without_distance(objective)
    whole, problems = bound(pool, steps, objective)
    columns = pool.columns
    names = [step.name for step in whole]
    problems += [f"Two steps have the name '{name}'. Rename one of them." for name in _repeated([READ, *names])]
    properties = [name for step in whole for name in step.gives]
    clashing = [*names_of(columns), *RESERVED, *properties]
    problems += [
        f"'{name}' is the name of two columns. Rename one of them."
        for name in _repeated(clashing)
        if name in properties
    ]
    if problems:
        raise InputError("\n".join(problems))
    count = len(steps)
    plan = Plan(pool, (*ordered(whole[:count], pool), *whole[count:]), targets, distance_of_best=lean)
    missing = [name for name in targets.properties if name not in plan.units]
    if missing:
        raise InputError(
            f"Neither a step nor the objective gives the property '{missing[0]}'.{nearest(missing[0], plan.units)}"
        )
    plan = replace(plan, targets=targets.in_units(plan.units))
    pool.check()
    _try_rules(plan)
    return plan


def bound(pool: Pool, steps: Sequence[Step], objective: Objective | None) -> tuple[list[Step], list[str]]:
    """Steps whose objectives know the columns that they read, and what does not fit; the objective comes last.

    Args:
        pool: of the candidates.
        steps: as written; an objective may read properties of the steps before it.
        objective: of the targets; None if there is none.
    """
    last = [] if objective is None else [Step(_last_name(steps), objective)]
    whole: list[Step] = []
    problems: list[str] = []
    earlier: dict[str, str] = {}
    for step in [*steps, *last]:
        if step.objective is None:
            whole.append(step)
            continue
        columns = columns_of(step.objective, pool.columns, earlier)
        knowing = step.objective.for_columns(columns)
        problems += knowing.check(columns)
        earlier |= knowing.properties
        whole.append(replace(step, objective=knowing))
    return whole, problems


def _last_name(steps: Sequence[Step]) -> str:
    taken = {step.name for step in steps}
    return next(name for name in ("objective", "objective of the targets") if name not in taken)


def _repeated(names: Sequence[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def _parts(objective: Objective | None) -> Mapping[str, str]:
    return parts_of(objective) if objective is not None else {}


def _try_rules(plan: Plan) -> None:
    """Evaluates each rule on a few candidates, which detects unknown quantities and words used as numbers."""
    rows: Any = plan.pool.sample().assign(**dict.fromkeys(plan.properties, 0.0))
    for step in plan.steps:
        if step.keep is None or rows.empty:
            continue
        try:
            step.keep.violation(columns_for(step.keep, rows, plan.pool))
        except (TypeError, ValueError) as error:
            raise InputError(f"The rule of the step '{step.name}' cannot be evaluated: {error}") from None
