"""Where evaluations fail: whether one succeeds is learned like a property, and a search keeps away from where not.

A simulation that does not converge, or a synthesis that gives no product, tells nothing of the properties, so that a
model of these alone would send the search to the same place for ever. So would a candidate of which one property fails,
such as a bond that breaks on reduction: its other values teach their models, but it meets no target on that property.

With 1 for a success and 0 for a failure as one more property, and one more target on it, every acquisition function
weighs its candidates by the probability of success, as constrained Bayesian optimization does with a constraint that is
only seen as kept or broken (Gelbart, Snoek and Adams 2014, arXiv:1403.5607).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import scipy

from invdesign.optimizers.deduplication import STEPS, Deduplication, with_rows
from invdesign.space.variation import mutated
from invdesign.targets import AtLeast, Target, Targets

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.optimizers.base import History
    from invdesign.space import SearchSpace

SUCCESS = "an evaluation succeeds"
"""Name of the property; no objective gives one of this name."""
WORTHWHILE = 0.5
"""Success asked of a candidate, as a share of the usual one: failures at random are then no reason to move."""
AVOIDED = 1e3
"""Logarithm taken from an acquisition for each unit by which the expected success is less than asked. The probability
alone would not do: what an improvement is worth near a known optimum falls without end, and is left behind by any
improvement that a model promises where nothing can be measured."""
NEIGHBORS = 5
"""Nearest evaluated candidates by which a population judges whether one will succeed: a model of thousands of values
would take longer than all else that a population does."""


def successes(properties: pd.DataFrame, failures: NDArray[np.bool_] | None = None) -> NDArray[np.float64]:
    """Whether evaluations succeeded: 1 or 0, NaN if unknown; shape ``n``.

    Candidates with all values succeeded, those without any failed. With some values they failed if there is a reason;
    else the others were not evaluated, as by a laboratory that measures one property first, or are not in a table.

    Args:
        properties: of evaluated candidates, a column for each property with a target.
        failures: which of them have a reason; see ``History``.
    """
    known = np.isfinite(properties.to_numpy(dtype=np.float64))
    partly = np.nan if failures is None else np.where(failures, 0.0, np.nan)
    return np.where(known.all(axis=1), 1.0, np.where(known.any(axis=1), partly, 0.0))


def usual_success(found: NDArray[np.float64], given: NDArray[np.bool_] | None) -> float:
    """The share of successes, among candidates that were given where some were: a search chose none of these.

    Args:
        found: see ``successes``.
        given: which candidates were given; see ``History``.
    """
    clear = ~np.isnan(found)
    blind = clear if given is None else clear & given[: len(found)]
    chosen = found[blind if blind.any() else clear]
    return float((chosen.sum() + 1.0) / (len(chosen) + 1.0))


def with_success(targets: Targets, properties: pd.DataFrame, history: History) -> tuple[Targets, pd.DataFrame]:
    """Targets and values with success as one more property, where evaluations have failed; else as they are.

    Args:
        targets: in the units of the properties.
        properties: of the history's candidates, a column for each property with a target.
        history: which of these failed, and which no optimizer chose.
    """
    found = successes(properties, history.failures)
    if not (found == 0.0).any():
        return targets, properties
    asked = WORTHWHILE * usual_success(found, history.given)
    return Targets(*targets, AtLeast(SUCCESS, asked)), properties.assign(**{SUCCESS: found})


def log_success(target: Target, mean: NDArray[np.float64], std: NDArray[np.float64]) -> NDArray[np.float64]:
    """Logarithm of the weight of a candidate by its success, shape ``n``.

    Args:
        target: on success.
        mean: expected success, shape ``n``.
        std: its standard deviation, shape ``n``.
    """
    missing = np.maximum(target.interval[0] - mean, 0.0)
    return np.asarray(target.log_probability(mean, std) - AVOIDED * missing)


def without_success(targets: Targets) -> Targets:
    """The user's targets, without the one on success."""
    return Targets(*(target for target in targets if target.property != SUCCESS))


def likely_to_succeed(
    candidates: pd.DataFrame,
    *,
    space: SearchSpace,
    history: History,
    properties: pd.DataFrame,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Candidates of a population, those among failures mutated until they are not, as far as a few attempts go.

    Args:
        candidates: that are to be proposed.
        space: what is searched.
        history: what was evaluated and is pending.
        properties: of the evaluated candidates, a column for each property with a target.
        rng: source of randomness.
    """
    found = successes(properties, history.failures)
    clear = np.flatnonzero(~np.isnan(found))
    if candidates.empty or not (found == 0.0).any():
        return candidates
    rate = usual_success(found, history.given)
    tree = scipy.spatial.KDTree(space.encode(history.candidates.iloc[clear]))
    count = min(NEIGHBORS, len(clear))

    def doubtful(frame: pd.DataFrame) -> NDArray[np.bool_]:
        near = tree.query(space.encode(frame), k=[*range(1, count + 1)])[1]
        chance = (found[clear][near].sum(axis=1) + rate) / (count + 1.0)
        return np.asarray(chance < WORTHWHILE * rate)

    frame, deduplication = candidates[list(space.names)].reset_index(drop=True), Deduplication(space, history.proposed)
    for step in STEPS:
        wrong = doubtful(frame)
        if not wrong.any():
            break
        tried = mutated(space, frame[wrong], rng, step=step).reset_index(drop=True)
        better = ~doubtful(tried) & deduplication.is_new(tried)
        rows = np.flatnonzero(wrong)[better]
        changed = with_rows(frame, rows, tried[better])
        frame = frame if changed.duplicated().any() else changed  # a mutation may meet another of the same batch
    return frame
