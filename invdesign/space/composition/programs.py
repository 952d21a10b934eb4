"""Feasible compositions by mixed-integer linear programming (HiGHS, through SciPy).

Sampling cannot find rare compositions; a program can, or it proves that there are none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from invdesign.space.composition.product import Product
    from invdesign.space.composition.rules import Rules

SECONDS = 10.0
"""Time limit of one program."""
INFEASIBLE = 2


class NoFillingError(Exception):
    """The program proves that no composition satisfies the rules."""


def corners(product: Product, rules: Rules, count: int) -> Iterator[NDArray[np.int64]]:
    """Compositions at the boundary of the feasible region, in random directions (always the same ones).

    Args:
        product: the sites.
        rules: across them.
        count: number of directions; fewer compositions result if rounding violates a rule.

    Raises:
        NoFillingError: if there is no composition.
    """
    rng = np.random.default_rng(0)
    for _ in range(count):
        solved = _solved(product, rules, rng.standard_normal(product.columns))
        if solved is not None:
            found = product.nearest(product.coordinates(solved[None, :]))
            if product.contains(found).all() and rules.kept(product.totals(found)).all():
                yield found[0]


def filling(product: Product, totals: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """A filling of the sites with given totals, shape ``columns``; None if there is none."""
    rows = product.merge.T.astype(np.float64)
    try:
        solved = _solved(product, None, np.arange(product.columns, dtype=np.float64), (rows, totals.astype(np.float64)))
    except NoFillingError:
        return None
    if solved is None:
        return None
    found = np.rint(solved).astype(np.int64)[None, :]
    exact = product.contains(found).all() and (product.totals(found) == totals).all()
    return found[0] if exact else None


def _solved(
    product: Product,
    rules: Rules | None,
    objective: NDArray[np.float64],
    equal: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None,
) -> NDArray[np.float64] | None:
    """Minimizes over the columns' amounts, in steps, and their presence; None if the solver fails."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    columns = product.columns
    low = np.array([least for site in product.lattices for least in site.simplex.low], dtype=np.float64)
    high = np.array([greatest for site in product.lattices for greatest in site.simplex.high], dtype=np.float64)
    nothing, one = np.zeros(columns), np.eye(columns)
    constraints: list[Any] = [
        LinearConstraint(np.hstack([one, -np.diag(high)]), -np.inf, 0.0),  # an amount only if present
        LinearConstraint(np.hstack([one, -one]), 0.0, np.inf),  # at least one step if present
    ]
    for site, part in product.parts():
        sums = np.zeros((2, 2 * columns))
        sums[0, part] = 1.0
        sums[1, columns + part.start : columns + part.stop] = 1.0
        limits = ([site.simplex.total, site.simplex.fewest], [site.simplex.total, site.simplex.most])
        constraints.append(LinearConstraint(sums, *limits))
    if rules is not None and rules.linear:
        matrix = np.array([rule.coefficients for rule in rules.linear]) @ product.merge.T
        scale = np.maximum(np.abs(matrix).max(axis=1), 1e-300)
        right = -np.array([rule.constant + rule.slack / 2 for rule in rules.linear]) / scale
        wide = np.hstack([matrix / scale[:, None], np.zeros_like(matrix)])
        constraints.append(LinearConstraint(wide, right, np.inf))
    for pair in () if rules is None else rules.excluded:
        where = [np.flatnonzero(product.merge[:, option]) for option in pair]
        for first in where[0]:
            for second in where[1]:
                row = np.zeros(2 * columns)
                row[[columns + first, columns + second]] = 1.0
                constraints.append(LinearConstraint(row, -np.inf, 1.0))
    if equal is not None:
        constraints.append(LinearConstraint(np.hstack([equal[0], np.zeros_like(equal[0])]), equal[1], equal[1]))
    whole = [float(not site.continuous) for site in product.lattices for _ in site.options]
    weights = objective / np.maximum(high, 1.0)
    answer = milp(
        np.concatenate([weights, nothing]),
        integrality=np.array([*whole, *([1.0] * columns)]),
        bounds=Bounds(np.concatenate([low, nothing]), np.concatenate([high, np.ones(columns)])),
        constraints=constraints,
        options={"time_limit": SECONDS},
    )
    if answer.status == INFEASIBLE:
        raise NoFillingError
    return None if answer.x is None else np.asarray(answer.x[:columns], dtype=np.float64)
