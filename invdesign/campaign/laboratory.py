"""Reads the results of a laboratory: every row is checked before the first is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.store import CANDIDATE, PENDING
from invdesign.core.errors import InputError, nearest
from invdesign.objectives.base import REASON
from invdesign.space import SearchSpace
from invdesign.targets import Targets


@dataclass(frozen=True)
class Results:
    """Checked results, row by row.

    Attributes:
        numbers: of the pending candidate of each row; None for one that was not proposed.
        parameters: of the candidates that were evaluated.
        properties: the values; NaN for none.
        reasons: why there is no value, or None.
    """

    numbers: list[int | None]
    parameters: pd.DataFrame
    properties: pd.DataFrame
    reasons: list[str | None]


def read_results(results: pd.DataFrame, space: SearchSpace, targets: Targets, known: pd.DataFrame) -> Results:
    """Checks results against the space, the targets and the proposed candidates.

    Args:
        results: see ``Campaign.tell``.
        space: the search space.
        targets: the targets; all of their properties are needed.
        known: the store's evaluations.

    Raises:
        InputError: with one line for each invalid row.
    """
    for name in (*space.names, *targets.properties):
        if name not in results:
            raise InputError(f"The results have no column '{name}'.{nearest(name, map(str, results.columns))}")
    parameters = results[list(space.names)].reset_index(drop=True)
    problems = _parameter_problems(parameters, space)
    columns = {name: pd.to_numeric(results[name], errors="coerce").to_numpy(float) for name in targets.properties}
    for name, numbers in columns.items():
        given = results[name].to_numpy(dtype=object)
        wrong = np.flatnonzero(~np.isfinite(numbers) & pd.notna(given))
        problems += [f"row {row + 1}: {name} is {given[row]!r}, which is not a finite number" for row in wrong]
    numbers_of, more = _numbers(results, parameters, known)
    problems += more
    if problems:
        raise InputError("Nothing was stored. Correct these rows of the results:\n" + "\n".join(problems))
    reasons = results[REASON].tolist() if REASON in results else [None] * len(results)
    properties = pd.DataFrame(columns)
    empty = properties.isna().all(axis=1)
    why = [
        (reason if isinstance(reason, str) and reason else "no value was given") if nothing else None
        for reason, nothing in zip(reasons, empty, strict=True)
    ]
    return Results(numbers_of, parameters, properties, why)


def _parameter_problems(parameters: pd.DataFrame, space: SearchSpace) -> list[str]:
    problems = []
    for row in range(len(parameters)):
        one = parameters.iloc[[row]]
        try:
            space.encode(one)
        except InputError as error:
            problems.append(f"row {row + 1}: {error}")
            continue
        if not space.feasible(one)[0]:
            problems.append(f"row {row + 1}: the candidate breaks a constraint of the space")
    return problems


def _numbers(
    results: pd.DataFrame, parameters: pd.DataFrame, known: pd.DataFrame
) -> tuple[list[int | None], list[str]]:
    """Finds the pending candidate of each row: by its number where one is given, else by its parameters."""
    pending = known[known["state"] == PENDING]
    waiting = {_key(found): int(number) for number, found in zip(pending.index, pending["parameters"], strict=True)}
    given: list[Any] = [None] * len(results)
    if CANDIDATE in results:
        given = results[CANDIDATE].tolist()
    elif results.index.name == CANDIDATE:
        given = results.index.tolist()
    numbers: list[int | None] = []
    problems = []
    for row, (number, values) in enumerate(zip(given, parameters.to_dict("records"), strict=True), start=1):
        found = int(number) if pd.notna(number) else waiting.get(_key(values))
        if found is not None and found not in pending.index:
            state = known["state"].get(found)
            state_text = f"is already {state}" if state else "was not proposed"
            problems.append(f"row {row}: candidate {found} {state_text}")
        elif found is not None and found in numbers:
            problems.append(f"row {row}: candidate {found} appears twice")
        numbers.append(found)
    return numbers, problems


def _key(parameters: Mapping[Any, Any]) -> tuple[tuple[Any, Any], ...]:
    plain = {name: value.item() if isinstance(value, np.generic) else value for name, value in parameters.items()}
    return tuple(sorted(plain.items()))
