"""How many candidates of a space have a row in the tables of an objective."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.fidelity import MultiFidelityObjective
from invdesign.objectives.table import TableObjective
from invdesign.space import SearchSpace

LARGEST_COUNT = 20_000
"""Largest number of candidates that are all looked up; of larger spaces a sample is."""
SAMPLE = 1_000


@dataclass(frozen=True)
class Coverage:
    """What a run would find missing.

    Attributes:
        problems: messages for tables in which no candidate can be found.
        remarks: sentences for tables in which some candidates cannot be found.
    """

    problems: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()


def coverage(objective: object, space: SearchSpace) -> Coverage:
    """Looks up the candidates of a space in the tables of an objective, which has no other problem.

    Args:
        objective: as bound to the space; parts of a combination count each.
        space: the search space.
    """
    found = [_of_table(table, space) for table in _tables(objective)]
    return Coverage(
        tuple(problem for one in found for problem in one.problems),
        tuple(remark for one in found for remark in one.remarks),
    )


def _tables(objective: object) -> Iterator[TableObjective]:
    if isinstance(objective, TableObjective):
        yield objective
    elif isinstance(objective, CombinedObjective | MultiFidelityObjective):
        for part in objective.parts:
            yield from _tables(part)


def _of_table(table: TableObjective, space: SearchSpace) -> Coverage:
    columns = {column.name: column for column in space.columns}
    if any(name not in columns for name in table.key):
        return Coverage()  # a key that another objective gives is unknown before a run
    for name in table.key:
        if columns[name].kind == "number" and math.isinf(space.parameters[name].size):
            problem = (
                f"The table has rows at single numbers of '{name}', which is continuous: no candidate would be found. "
                "Make it an integer or a category, or use a surrogate objective trained on the table."
            )
            return Coverage(problems=(problem,))
    everything = space.grid(LARGEST_COUNT)
    drawn = space.sample(SAMPLE, np.random.default_rng(0)) if everything is None else everything
    if drawn.empty:
        return Coverage()
    missing = int(table.evaluate(drawn)[list(table.properties)].isna().all(axis=1).sum())
    listed = ", ".join(f"'{name}'" for name in table.values)
    if missing == len(drawn) and everything is not None:
        problem = (
            f"The table has no value of {listed} for any of the {len(drawn):,} candidates of the space. Compare the "
            f"columns of 'key' ({', '.join(table.key.values())}) with the space's values."
        )
        return Coverage(problems=(problem,))
    if not missing:
        return Coverage()
    whose = "of the space" if everything is not None else "drawn at random"
    return Coverage(remarks=(f"{missing:,} of {len(drawn):,} candidates {whose} have no {listed} in the table.",))
