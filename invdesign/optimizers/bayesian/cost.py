"""What evaluating a candidate costs, and acquisition for what it costs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError, nearest
from invdesign.space import expressions

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.optimizers.bayesian.acquisition import Acquisition
    from invdesign.space import SearchSpace

Cost = str | dict[str, dict[str, float]]
"""An expression over parameters (``"2 + 0.1 * temperature"``), or what values of columns cost, added up
(``{"solvent": {"water": 1, "acetonitrile": 3}}``)."""
TRIED = 256


def check_cost(cost: Cost) -> None:
    """Refuses a cost that cannot be read, whatever the space.

    Raises:
        InputError: saying what is wrong.
    """
    if isinstance(cost, str):
        expressions.parse_amount(cost, "cost")
        return
    if not isinstance(cost, Mapping) or not cost:
        raise InputError("cost is an expression, or a mapping of columns to what their values cost.")
    for column, prices in cost.items():
        wrong = [value for value, price in prices.items() if not (np.isfinite(price) and price > 0.0)]
        if wrong:
            raise InputError(
                f"The cost of {wrong[0]!r} in column '{column}' must be above zero, not {prices[wrong[0]]}."
            )


def cost_problems(cost: Cost, space: SearchSpace) -> list[str]:
    """Says what of a cost does not fit a space."""
    rng = np.random.default_rng(0)
    if isinstance(cost, str):
        tree = expressions.parse_amount(cost, "cost")
        tried = space.sample(TRIED, rng)
        known = space.quantities(tried, expressions.quantities(tree))
        missing = sorted(expressions.quantities(tree) - set(known))
        if missing:
            return [f"The cost reads '{missing[0]}', which the space does not have.{nearest(missing[0], known)}"]
        try:
            costs(cost, space, tried)
        except InputError as error:
            return [str(error)]
        except (TypeError, ValueError) as error:
            return [f"The cost '{cost}' cannot be computed: {error}."]
        return []
    problems = []
    columns = {column.name: column for column in space.columns}
    for name, prices in cost.items():
        if name not in columns:
            problems.append(f"The cost names '{name}', which is not a parameter.{nearest(name, columns)}")
            continue
        without = [value for value in columns[name].values if value not in prices]
        if columns[name].kind not in ("category", "molecule") or not columns[name].values:
            problems.append(f"'{name}' has no list of values to give costs for. Write its cost as an expression.")
        elif without:
            problems.append(f"The cost of {without[0]!r} in column '{name}' is missing. Give every value a cost.")
    return problems


def costs(cost: Cost, space: SearchSpace, candidates: pd.DataFrame) -> NDArray[np.float64]:
    """What evaluating each candidate costs, shape ``n``, above zero.

    Raises:
        InputError: naming a candidate whose cost is not above zero.
    """
    if isinstance(cost, str):
        tree = expressions.parse_amount(cost, "cost")
        with np.errstate(all="ignore"):
            found = expressions.value(tree, space.quantities(candidates, expressions.quantities(tree)))
        total = np.broadcast_to(np.asarray(found, dtype=np.float64), (len(candidates),))
    else:
        total = np.zeros(len(candidates))
        for name, prices in cost.items():
            total = total + candidates[name].map(prices).to_numpy(dtype=np.float64)
    wrong = ~(np.isfinite(total) & (total > 0.0))
    if wrong.any():
        first = int(np.argmax(wrong))
        raise InputError(
            f"A cost must be above zero for every candidate, and is {total[first]:g} for "
            f"{candidates.iloc[first].to_dict()}."
        )
    return total


@dataclass(frozen=True)
class PerCost:
    """An acquisition for each unit of cost.

    Attributes:
        acquisition: what is divided.
        cost: of a candidate.
        space: of the candidates.
        logarithmic: whether the acquisition is a logarithm.
    """

    acquisition: Acquisition
    cost: Cost
    space: SearchSpace
    logarithmic: bool = True

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        """Scores of shape ``n``, finite, larger is better."""
        scores = self.acquisition(candidates)
        if not len(candidates):
            return scores
        price = costs(self.cost, self.space, candidates)
        if self.logarithmic:
            return np.asarray(scores - np.log(price))
        # Below zero stands what gains nothing, by how much it lacks: there a costly candidate misses more.
        return np.where(scores > 0.0, scores / price, scores * price)
