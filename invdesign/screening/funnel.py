"""The steps of a screen: each computes properties, keeps the rows that satisfy a rule, or both."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.campaign.execution.executor import evaluate_all
from invdesign.campaign.failures import kind_of
from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.objectives.base import REASON, STD_SUFFIX, Objective
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.formula.objective import FormulaObjective
from invdesign.objectives.surrogate import SurrogateObjective
from invdesign.objectives.table import TableObjective
from invdesign.screening.pools import Pool, names_of
from invdesign.space import Constraint
from invdesign.surrogates.classifiers import Classifier
from invdesign.targets import Target, Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_REASONS = 20
"""Kinds of reasons that are counted apart for each step; further ones are counted together."""
OTHER_REASONS = "other reasons"
LIKELY = 0.5
"""Probability of meeting all targets from which a candidate counts as a hit."""
COSTS: Sequence[tuple[type, int]] = ((TableObjective, 1), (FormulaObjective, 2), (SurrogateObjective, 3))
COSTLY = 4
"""The cost class of objectives that may simulate; a rule alone has 0."""


@dataclass(frozen=True)
class Step:
    """One step of the funnel.

    Attributes:
        name: of the step, for the funnel.
        objective: gives properties of the rows; those without a value leave. None for a rule alone.
        keep: rows that do not satisfy it leave; None to keep all that have a value.
        probability: rows less likely to meet the targets on the objective's properties leave; None to keep them.

    Raises:
        InputError: if the step does nothing.
    """

    name: str
    objective: Objective | None = None
    keep: Constraint | None = None
    probability: float | None = None

    def __post_init__(self) -> None:
        if self.objective is None and self.keep is None:
            raise InputError(f"The step '{self.name}' needs a rule ('keep'), an 'objective' or both.")
        if self.probability is not None and self.objective is None:
            raise InputError(f"The step '{self.name}' needs an objective that gives the probability.")

    @property
    def cost(self) -> int:
        """Its cost class: cheap steps come first."""
        return 0 if self.objective is None else _cost(self.objective)

    @property
    def gives(self) -> frozenset[str]:
        """The properties that it computes."""
        return frozenset(self.objective.properties if self.objective is not None else ())

    @property
    def needs(self) -> frozenset[str]:
        """The names that its objective and its rule refer to and that it does not compute."""
        return (self.keep.names if self.keep is not None else frozenset()) - self.gives | inputs_of(self.objective)


def inputs_of(objective: Objective | None) -> frozenset[str]:
    """The columns that an objective names in its key, among them perhaps properties of earlier steps."""
    if isinstance(objective, CombinedObjective):
        return frozenset[str]().union(*map(inputs_of, objective.parts))
    return frozenset(objective.key) if isinstance(objective, TableObjective | SurrogateObjective) else frozenset()


def columns_of(objective: Objective, columns: Sequence[Column], earlier: Mapping[str, str]) -> tuple[Column, ...]:
    """What an objective reads: the pool's columns, and properties of earlier steps that it names.

    Args:
        objective: of a step.
        columns: of the pool.
        earlier: the properties of earlier steps and their units.
    """
    wanted = inputs_of(objective) - set(names_of(columns))
    return (*columns, *(Column(name, "number", unit=unit) for name, unit in earlier.items() if name in wanted))


def _cost(objective: Objective) -> int:
    if isinstance(objective, CombinedObjective):
        return max(map(_cost, objective.parts))
    return next((cost for kind, cost in COSTS if isinstance(objective, kind)), COSTLY)


@dataclass
class StepCount:
    """How many candidates entered a step and why some left it.

    Attributes:
        name: of the step.
        entered: number of candidates.
        left: number of candidates that left, by reason.
    """

    name: str
    entered: int = 0
    left: Counter[str] = field(default_factory=Counter)

    @property
    def passed(self) -> int:
        """Number of candidates that go on."""
        return self.entered - self.left.total()

    def add(self, other: StepCount) -> None:
        """Adds the count of another block."""
        self.entered += other.entered
        for reason, count in other.left.items():
            known = reason in self.left or len(self.left) < MOST_REASONS
            self.left[reason if known else OTHER_REASONS] += count

    def as_json(self) -> dict[str, Any]:
        """The count for a file; reasons in falling order."""
        ordered = sorted(self.left.items(), key=lambda item: (-item[1], item[0]))
        return {"step": self.name, "entered": self.entered, "passed": self.passed, "left": dict(ordered)}

    @classmethod
    def from_json(cls, given: Mapping[str, Any]) -> StepCount:
        """The count of a file."""
        return cls(given["step"], given["entered"], Counter(given["left"]))


def ordered(
    steps: Sequence[Step], pool: Pool, *, cost: Callable[[Step], float] = lambda step: step.cost
) -> tuple[Step, ...]:
    """Steps in the order in which they run: the cheapest of those whose rule can be evaluated, as written if equal.

    Args:
        steps: of the funnel, as written.
        pool: of the candidates.
        cost: of a step; its cost class by default.

    Raises:
        InputError: if a rule refers to a name that neither the pool nor a step gives.
    """
    known = set(names_of(pool.columns))
    everything = known.union(*(step.gives for step in steps))
    for step in steps:
        for name in sorted(step.needs - everything):
            raise InputError(f"The step '{step.name}' refers to unknown '{name}'.{nearest(name, everything)}")
    left, chosen = list(steps), []
    while left:
        ready = [step for step in left if step.needs <= known]
        if not ready:
            waiting = ", ".join(f"'{step.name}'" for step in left)
            raise InputError(f"The steps {waiting} wait for each other's properties. Split one of them.")
        step = min(ready, key=cost)
        chosen.append(step)
        left.remove(step)
        known |= step.gives
    return tuple(chosen)


def applied(step: Step, rows: pd.DataFrame, pool: Pool, targets: Targets) -> tuple[pd.DataFrame, StepCount]:
    """Runs a step on the rows of a block.

    Args:
        step: of the funnel.
        rows: candidates, with the properties of earlier steps as columns.
        pool: of the candidates.
        targets: in the units of the step's properties.

    Returns:
        The rows that go on, with the step's properties, and the count.
    """
    count = StepCount(step.name, len(rows))
    if step.objective is not None:
        rows, reasons = _evaluated(step.objective, rows, pool)
        count.left.update(reasons)
    if step.keep is not None and len(rows):
        good = step.keep.violation(columns_for(step.keep, rows, pool)) == 0.0
        count.left.update({f"not {step.keep}": int((~good).sum())} if not good.all() else {})
        rows = rows[good]
    if step.probability is not None and len(rows):
        good = np.exp(log_probability(targets, rows, binary_properties([step]))) >= step.probability
        text = f"less than {step.probability:g} likely to meet the targets"
        count.left.update({text: int((~good).sum())} if not good.all() else {})
        rows = rows[good]
    return rows, count


def columns_for(rule: Constraint, rows: pd.DataFrame, pool: Pool) -> dict[str, Any]:
    """The arrays that a rule refers to: columns, and quantities derived from them.

    Raises:
        InputError: if a quantity is unknown.
    """
    columns = {str(name): rows[name].to_numpy() for name in rows}
    for quantity in sorted(rule.derived):
        name, _, part = quantity.partition(".")
        found = pool.quantity(name, part, columns[name])
        if found is None:
            raise InputError(f"The rule '{rule}' refers to '{quantity}', which is not a quantity of '{name}'.")
        columns[quantity] = found
    return columns


def moments(rows: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means and standard deviations of properties; zero for one that is known."""
    stds = {
        name: rows[f"{name}{STD_SUFFIX}"] if f"{name}{STD_SUFFIX}" in rows else np.zeros(len(rows)) for name in names
    }
    return rows[list(names)], pd.DataFrame(stds, index=rows.index)


def binary_properties(steps: Sequence[Step]) -> frozenset[str]:
    """The properties that classifiers predict: their mean is the probability of 1, and they are 0 otherwise."""
    found: set[str] = set()
    for step in steps:
        parts = step.objective.parts if isinstance(step.objective, CombinedObjective) else (step.objective,)
        for one in parts:
            if isinstance(one, SurrogateObjective) and isinstance(one.surrogate, Classifier):
                found |= set(one.properties)
    return frozenset(found)


def log_probability(targets: Targets, rows: pd.DataFrame, binary: frozenset[str] = frozenset()) -> NDArray[np.float64]:
    """Logarithm of the probability that rows meet all targets, shape ``n``.

    Args:
        targets: in the units of the properties.
        rows: with the properties as columns.
        binary: those that are 0 or 1, of which the column is the probability of 1.
    """
    total = np.zeros(len(rows))
    mean, std = moments(rows, targets.properties)
    for name in targets.properties:
        window = targets.window(name)
        if window is None:
            return np.full(len(rows), -np.inf)
        total += target_log_probability(window, mean[name], std[name], binary=name in binary)
    return total


def target_log_probability(target: Target, mean: pd.Series, std: pd.Series, *, binary: bool) -> NDArray[np.float64]:
    """Logarithm of the probability of meeting one target, shape ``n``; arguments as of ``log_probability``."""
    if not binary:
        return target.log_probability(mean, std)
    no, yes = target.met([0.0, 1.0])
    chance = mean.to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.log(yes * chance + no * (1.0 - chance))


def _evaluated(objective: Objective, rows: pd.DataFrame, pool: Pool) -> tuple[pd.DataFrame, Counter[str]]:
    """The rows that have a value, with their properties, and how many have none, by kind of reason."""
    names = list(objective.properties)
    if rows.empty:
        return rows.assign(**{name: pd.Series(dtype=float) for name in names}), Counter()
    known = rows[list(dict.fromkeys([*names_of(pool.columns), *sorted(inputs_of(objective))]))]
    values = pd.concat([result.values for result in evaluate_all(objective, known, None)]).loc[rows.index]
    missing = values[names].isna().all(axis=1)
    reasons = Counter(kind_of(reason or "no value") for reason in values.loc[missing, REASON])
    found = values.drop(columns=REASON)
    for name in names:
        if f"{name}{STD_SUFFIX}" in found:
            found[f"{name}{STD_SUFFIX}"] = found[f"{name}{STD_SUFFIX}"].fillna(0.0)
    return pd.concat([rows, found], axis=1)[~missing], reasons
