"""Variation over a whole space: feasible children of candidates, each column varied by its parameter.

Each parameter defines how a value is mutated or crossed (``Parameter.mutated`` and
``Parameter.crossed``). This module combines the columns and satisfies the constraints between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.space.cube_moves import SPREAD, differential_move, simulated_binary_crossover
from invdesign.space.parameters import Pinned

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.search_space import SearchSpace

ROUNDS = 3
"""Number of attempts to vary a child that equals its parent."""


def mutated(
    space: SearchSpace, candidates: pd.DataFrame, rng: np.random.Generator, *, step: float = 0.1
) -> pd.DataFrame:
    """One child of each candidate, changed a little in about one column.

    Args:
        space: of the candidates.
        candidates: the parents, one row each.
        rng: source of randomness.
        step: mean size of a change, as a share of a number's range or of the amount on a composition's site.

    Returns:
        Feasible candidates, one row per parent, in order. A child equals its parent if nothing else was found.
    """
    children = _values(space, candidates)
    waiting = np.arange(len(candidates))
    varied = {name: parameter for name, parameter in space.parameters.items() if parameter.dimension}
    if space.fidelity is not None:  # a change of fidelity is not a change of the candidate
        named, fidelity = space.fidelity
        children[named] = fidelity.mutated(children[named], rng)
    for _ in range(ROUNDS):
        if not len(waiting):
            break
        tried = {name: column[waiting] for name, column in children.items()}
        chosen = _chosen_columns(len(waiting), len(varied), rng)
        for (name, parameter), rows in zip(varied.items(), chosen.T, strict=True):
            if rows.any():
                tried[name][rows] = parameter.mutated(tried[name][rows], rng, step=step)
        tried = _kept(space, tried)
        same = np.ones(len(waiting), dtype=bool)
        for name, column in tried.items():
            same &= np.asarray(column == children[name][waiting], dtype=bool)
            children[name][waiting] = column
        waiting = waiting[same]
    return pd.DataFrame(children)


def crossed(
    space: SearchSpace,
    first: pd.DataFrame,
    second: pd.DataFrame,
    rng: np.random.Generator,
    *,
    spread: float | NDArray[np.float64] = SPREAD,
) -> pd.DataFrame:
    """One child of each pair of candidates.

    Args:
        space: of the candidates.
        first: parents, one row each.
        second: the other parents, same number.
        rng: source of randomness.
        spread: distribution index of the crossover of numbers, one or shape ``n x 1``; the larger, the closer they are
            to their parents'.

    Returns:
        Feasible candidates, one row per pair, in order; a child may equal a parent.
    """
    if first.empty:
        return first[list(space.names)].copy()
    one, other = _values(space, first), _values(space, second)
    numbers = _numbers(space)
    children = {}
    for name, parameter in space.parameters.items():
        if name in numbers:
            pair = parameter.encode(one[name]), parameter.encode(other[name])
            children[name] = parameter.decode(simulated_binary_crossover(*pair, rng, spread))
        else:
            children[name] = parameter.crossed(one[name], other[name], rng)
    return pd.DataFrame(_kept(space, children))


def shifted(
    space: SearchSpace,
    candidates: pd.DataFrame,
    toward: pd.DataFrame,
    differences: tuple[pd.DataFrame, pd.DataFrame],
    rng: np.random.Generator,
) -> pd.DataFrame:
    """One child of each candidate, with numbers moved together: toward another one, and along a difference.

    Columns that are not numbers are crossed with that candidate's.

    Args:
        space: of the candidates.
        candidates: the candidates to move, one row each.
        toward: the candidates to move to, same number.
        differences: other candidates, same number: ends and starts of the differences.
        rng: source of randomness.

    Returns:
        Feasible candidates, one row each, in order; a child may equal a parent.
    """
    if candidates.empty:
        return candidates[list(space.names)].copy()
    own, other = _values(space, candidates), _values(space, toward)
    ends = [_values(space, frame) for frame in differences]
    numbers = _numbers(space)
    children = {
        name: parameter.crossed(own[name], other[name], rng)
        for name, parameter in space.parameters.items()
        if name not in numbers
    }
    if numbers:
        cubes = [_points(space, numbers, values) for values in (own, other, *ends)]
        moved = differential_move(cubes[0], cubes[1], cubes[2], cubes[3], rng)
        for name, column in zip(numbers, moved.T, strict=True):
            children[name] = space.parameters[name].decode(column[:, None])
    return pd.DataFrame(_kept(space, {name: children[name] for name in space.names}))


def number_share(space: SearchSpace) -> float:
    """The share of numeric columns, which can be moved along a difference."""
    return len(_numbers(space)) / len(space.parameters)


def _numbers(space: SearchSpace) -> list[str]:
    return [name for name, parameter in space.parameters.items() if parameter.column(name).kind == "number"]


def _points(space: SearchSpace, names: list[str], values: dict[str, NDArray[Any]]) -> NDArray[np.float64]:
    """The coordinates of numeric columns, one each, shape ``n x len(names)``."""
    return np.concatenate([space.parameters[name].encode(values[name]) for name in names], axis=1)


def _values(space: SearchSpace, candidates: pd.DataFrame) -> dict[str, NDArray[Any]]:
    return {
        name: parameter.at(np.zeros(len(candidates), dtype=np.int64))
        if isinstance(parameter, Pinned)
        else candidates[name].to_numpy(copy=True)
        for name, parameter in space.parameters.items()
    }


def _chosen_columns(n: int, columns: int, rng: np.random.Generator) -> NDArray[np.bool_]:
    """The columns of each child that change, shape ``n x columns``: one on average, and at least one."""
    chosen = rng.random((n, columns)) < 1.0 / columns
    forced = rng.integers(0, columns, n)
    none = ~chosen.any(axis=1)
    chosen[none, forced[none]] = True
    return chosen


def _kept(space: SearchSpace, children: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
    """The children; those that violate a constraint between columns are moved to feasible ones nearby."""
    if not space.constraints:
        return children
    frame = pd.DataFrame(children)
    broken = ~space.feasible(frame)
    if broken.any():
        repaired = space.decode(space.repair(space.encode(frame[broken])))
        for name, column in children.items():
            column[broken] = repaired[name].to_numpy()
    return children
