"""Chains of objectives: a property that one gives is an input of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Protocol, runtime_checkable

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.objectives.base import DISTANCE, REASON, Objective, failed, valued


@runtime_checkable
class NamesInputs(Protocol):
    """Interface of objectives that read columns by name, so that these may be properties of other objectives."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names of the columns that are read; candidates may have others."""


def input_names(objective: object) -> tuple[str, ...]:
    """Returns the names of the columns that an objective reads; empty if it does not name them."""
    return objective.input_names if isinstance(objective, NamesInputs) else ()


def links_of(parts: Sequence[Objective]) -> tuple[tuple[str, ...], ...]:
    """Returns for each objective the properties of the others that it reads."""
    return tuple(
        tuple(
            name for name in input_names(part) if any(name in other.properties for other in parts if other is not part)
        )
        for part in parts
    )


def evaluation_order(parts: Sequence[Objective], links: Sequence[Sequence[str]]) -> tuple[int, ...]:
    """Returns the places of the objectives, each after those whose properties it reads.

    Raises:
        InputError: if they need each other's properties in a circle.
    """
    giver = {name: place for place, part in enumerate(parts) for name in part.properties}
    sorter = TopologicalSorter({place: [giver[name] for name in names] for place, names in enumerate(links)})
    try:
        return tuple(sorter.static_order())
    except CycleError as error:
        around: list[int] = error.args[1]
        steps = zip(around[1:], around[:-1], strict=True)
        words = [
            f"{_listed(parts[needing].properties)} from {_listed(parts[given].properties)}" for needing, given in steps
        ]
        raise InputError(
            f"The objectives need each other's properties in a circle: {', and '.join(words)}. Remove one of these "
            "inputs."
        ) from None


def beside(objective: Objective, parts: Sequence[Objective]) -> tuple[Objective, ...]:
    """Returns those of several objectives that give none of the properties of another one, which replaces the rest.

    Those whose properties it reads, directly or through others, remain in any case.
    """
    needed = set(input_names(objective))
    own = set(objective.properties) - {DISTANCE}  # which models of different properties may both give
    chosen = {place for place, part in enumerate(parts) if own.isdisjoint(part.properties)}
    needed |= {name for place in chosen for name in input_names(parts[place])}
    while found := {place for place, part in enumerate(parts) if needed & set(part.properties)} - chosen:
        chosen |= found
        needed |= {name for place in found for name in input_names(parts[place])}
    return tuple(parts[place] for place in sorted(chosen))


def columns_with(columns: Sequence[Column], names: Sequence[str], properties: Mapping[str, str]) -> tuple[Column, ...]:
    """Returns the columns of the candidates, followed by properties of other objectives as numbers with their unit."""
    known = {column.name for column in columns}
    more = (Column(name, "number", unit=properties[name]) for name in names if name not in known)
    return (*columns, *more)


def with_hints(
    problems: Sequence[str], part: Objective, columns: Sequence[Column], properties: Mapping[str, str]
) -> list[str]:
    """Returns the problems of an objective, with the nearest property of the others where an input is unknown.

    Args:
        problems: as ``check`` gives them.
        part: the objective.
        columns: that it was given.
        properties: of all objectives, with their units.
    """
    known = {column.name for column in columns}
    others = [name for name in properties if name not in part.properties]
    hints = {name: nearest(name, others) for name in input_names(part) if name not in known}
    return [
        problem
        + next((hint for name, hint in hints.items() if f"'{name}'" in problem and "Did you" not in problem), "")
        for problem in problems
    ]


def evaluate_linked(part: Objective, candidates: pd.DataFrame, given: pd.DataFrame) -> pd.DataFrame:
    """Returns the result of an objective that reads properties of others.

    Args:
        part: the objective.
        candidates: as for ``Objective.evaluate``.
        given: the properties that it reads, same index. A candidate without one of them is not evaluated.
    """
    if given.columns.empty:
        return part.evaluate(candidates)
    known = np.isfinite(given.to_numpy(dtype=np.float64))
    complete = known.all(axis=1)
    found = (
        part.evaluate(candidates.assign(**given)[complete])
        if complete.any()
        else valued(pd.DataFrame(index=candidates.index[:0], columns=list(part.properties), dtype=float), [])
    )
    absent = [given.columns[row.argmin()] for row in known[~complete]]
    rest = failed(candidates.index[~complete], part.properties, "").assign(
        **{REASON: [f"{_listed(part.properties)} not computed, because '{name}' has no value" for name in absent]}
    )
    parts = [frame for frame in (found, rest) if len(frame)]
    return pd.concat(parts or [found]).loc[candidates.index]


def _listed(names: Mapping[str, str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
