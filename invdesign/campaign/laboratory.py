"""Reads the results of a laboratory: every row is checked before the first is stored."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.expectation import CHANCE
from invdesign.campaign.records import Purpose
from invdesign.campaign.sheet import WORDS
from invdesign.campaign.store import CANDIDATE, PENDING
from invdesign.core.errors import InputError
from invdesign.core.tables import Table, header_unit
from invdesign.core.units import convert
from invdesign.objectives.base import REASON
from invdesign.space import Continuous, SearchSpace
from invdesign.space.rounding import as_proposed
from invdesign.space.tolerances import broken_constraints
from invdesign.targets import Targets

MOST_SHOWN = 20
"""Number of problems that a message lists."""
KEY_DIGITS = 12
"""Significant digits that numbers of equal candidates share: spreadsheet programs keep 15."""
Key = tuple[tuple[str, Any], ...]


@dataclass(frozen=True)
class Results:
    """Checked results, row by row.

    Attributes:
        numbers: of the pending candidate of each row; None for one that was not proposed.
        parameters: of the candidates that were evaluated, as the space writes them.
        properties: the values, in the units of the store; NaN for none.
        reasons: why there is no value, or None.
    """

    numbers: list[int | None]
    parameters: pd.DataFrame
    properties: pd.DataFrame
    reasons: list[str | None]


def read_results(
    results: pd.DataFrame | Table,
    space: SearchSpace,
    targets: Targets,
    known: pd.DataFrame,
    units: Mapping[str, str],
    *,
    purpose: Purpose = "new",
) -> Results:
    """Checks results against the space, the targets and the stored candidates.

    Args:
        results: see ``Campaign.tell``.
        space: the search space.
        targets: the targets; all of their properties are needed.
        known: the store's evaluations.
        units: of the stored properties.
        purpose: ``new`` results; measured ``again``; ``amend`` for corrections of stored ones; ``data`` to skip rows
            that are stored already with the same values.

    Raises:
        InputError: naming each invalid row and its column.
    """
    table = _as_table(results)
    parameters = _parameters(table, space)
    properties = pd.DataFrame({name: _property(table, name, targets, units) for name in targets.properties})
    problems = _bad_parameters(table, parameters, space) + _bad_properties(table, properties)
    numbers, more = _given_numbers(table)
    problems += more
    if problems:
        raise InputError(_refusal(problems))
    properties = properties.astype(float)
    stored = _Known(known, space)
    reasons = _reasons(table, properties)
    if purpose == "data":
        fresh = _not_stored(parameters, properties, stored)
        table, parameters, properties = table.rows(fresh), parameters.iloc[fresh], properties.iloc[fresh]
        parameters, properties = parameters.reset_index(drop=True), properties.reset_index(drop=True)
        numbers, reasons = [numbers[row] for row in fresh], [reasons[row] for row in fresh]
    if purpose == "amend":
        matched, problems = _amended(table, numbers, parameters, stored)
    else:
        again = purpose in ("again", "data")
        matched, problems = _matched(table, numbers, parameters, properties, stored, again=again)
    if problems:
        raise InputError(_refusal(problems))
    return Results(matched, parameters, properties, reasons)


def _not_stored(parameters: pd.DataFrame, properties: pd.DataFrame, known: _Known) -> list[int]:
    """The rows that are not stored yet with the same values."""
    rows = zip(parameters.to_dict("records"), properties.to_dict("records"), strict=True)
    return [row for row, (one, values) in enumerate(rows) if known.measured(_key(one), values) is None]


def _amended(
    table: Table, numbers: Sequence[int | None], parameters: pd.DataFrame, known: _Known
) -> tuple[list[int | None], list[str]]:
    """The stored candidate that each row corrects, by its number or else by its parameters; and problems."""
    matched: list[int | None] = []
    problems: list[str] = []
    for row, (number, one) in enumerate(zip(numbers, parameters.to_dict("records"), strict=True)):
        finished = [other for other in known.numbers.get(_key(one), []) if known.states[other] != PENDING]
        found = number if number is not None else finished[0] if len(finished) == 1 else None
        if found is None:
            what = "several results" if finished else "no result"
            problems.append(
                f"{table.place(row)}: its parameters have {what}. Give the number in a column '{CANDIDATE}'."
            )
        elif found not in known.states or known.states[found] == PENDING:
            problems.append(f"{table.place(row)}: candidate {found} has no result to correct. Use tell.")
        elif found in matched:
            problems.append(f"{table.place(row)}: candidate {found} appears twice. Remove one of the rows.")
        matched.append(found)
    return matched, problems


def ignored_columns(table: Table, space: SearchSpace, targets: Targets) -> list[str]:
    """The columns of results that are not stored: no parameters, properties of targets, or what the sheet expected."""
    expected = [f"{name} {word}" for name in targets.properties for word in WORDS]
    used = {*space.names, *targets.properties, CANDIDATE, REASON, *expected}
    names = [str(name) for name in table.frame.columns if not str(name).startswith(CHANCE)]
    return [name for name in names if name not in used and header_unit(name)[0] not in used]


def _as_table(results: pd.DataFrame | Table) -> Table:
    if not isinstance(results, Table):
        numbered = results.index.name == CANDIDATE and CANDIDATE not in results
        results = Table.of(results.reset_index(drop=not numbered), "The table of results", first=1)
    if results.frame.empty:
        raise InputError(f"{results.source} has no rows.")
    return results


def _find(table: Table, name: str) -> str:
    """The column of a parameter or property; two of them, such as ``f`` and ``f (V)``, would contradict each other."""
    found = table.find(name)
    others = [str(other) for other in table.frame.columns if other != found and header_unit(str(other))[0] == name]
    if others:
        raise InputError(f"{table.source} has two columns for '{name}': '{found}' and '{others[0]}'. Remove one.")
    return found


def _parameters(table: Table, space: SearchSpace) -> pd.DataFrame:
    """The candidates as the space writes them, numbers in the parameters' units."""
    columns: dict[str, Any] = {}
    for column in space.columns:
        found = _find(table, column.name)
        header = table.unit(found)
        cells = table.frame[found].reset_index(drop=True)
        if header and column.unit and header != column.unit and pd.api.types.is_numeric_dtype(cells):
            cells = pd.Series(_converted(table, found, cells, header, column.unit))
        columns[column.name] = cells
    return space.canonical(pd.DataFrame(columns))


def _property(table: Table, name: str, targets: Targets, units: Mapping[str, str]) -> pd.Series:
    """A property in the store's unit, from that of the header or else of the targets; invalid cells as they are."""
    found = _find(table, name)
    own = list(dict.fromkeys(target.unit for target in targets if target.property == name and target.unit is not None))
    if table.unit(found) is None and len(own) > 1:
        raise InputError(
            f"{table.source} has no unit for '{name}', whose targets are in {' and '.join(own)}. Write the unit in the "
            f"header, such as '{name} ({own[0]})'."
        )
    stored = units.get(name, own[0] if own else "")
    source = table.unit(found) or (own[0] if own else stored)
    cells = table.frame[found].reset_index(drop=True).astype(object).map(_number)
    if source == stored:
        return cells
    valid = cells.map(_is_value)
    cells[valid] = _converted(table, found, cells[valid], source, stored)
    return cells


def _number(cell: Any) -> Any:
    """A cell as a number, NaN if it is empty; unchanged if it is neither."""
    if cell is None or cell is pd.NA or cell is pd.NaT or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    if _is_boolean(cell):
        return cell
    try:
        return float(cell)
    except (TypeError, ValueError):
        return cell


def _is_value(cell: object) -> bool:
    """Whether a cell is a finite number or empty (NaN)."""
    return isinstance(cell, float) and not math.isinf(cell)


def _converted(table: Table, column: str, cells: pd.Series, source: str, to: str) -> Any:
    try:
        return convert(cells.to_numpy(dtype=float), source, to)
    except InputError as error:
        raise InputError(f"{table.source}, column '{column}': {error} Correct the unit.") from None


def _bad_parameters(table: Table, parameters: pd.DataFrame, space: SearchSpace) -> list[str]:
    if not parameters.isna().any(axis=None) and not parameters.map(_is_boolean).any(axis=None):
        try:
            space.encode(parameters)
        except InputError:
            pass  # the rows are named one by one below
        else:
            broken = broken_constraints(space, parameters)
            return [f"{table.place(row)}: {problem}" for row, problem in enumerate(broken) if problem]
    found = ((row, _parameter_problem(parameters.iloc[[row]], space)) for row in range(len(parameters)))
    return [f"{table.place(row)}: {problem}" for row, problem in found if problem]


def _parameter_problem(candidate: pd.DataFrame, space: SearchSpace) -> str:
    for name in candidate:
        cell = candidate[name].iloc[0]
        if pd.isna(cell):
            return f"Column '{name}': the cell is empty."
        if _is_boolean(cell):
            return f"Column '{name}': {cell} is neither a number nor text."
    try:
        space.encode(candidate)
    except InputError as error:
        return str(error)
    return broken_constraints(space, candidate)[0]


def _is_boolean(cell: object) -> bool:
    return isinstance(cell, bool | np.bool_)


def _bad_properties(table: Table, properties: pd.DataFrame) -> list[str]:
    return [
        f"{table.place(row)}: {name} is {cell!r}, which is not a finite number."
        for name in properties
        for row, cell in enumerate(properties[name])
        if not _is_value(cell)
    ]


def _given_numbers(table: Table) -> tuple[list[int | None], list[str]]:
    """The candidates' numbers as the table gives them, None where it gives none, and what is wrong with them."""
    if CANDIDATE not in table.frame:
        return [None] * len(table.frame), []
    numbers: list[int | None] = []
    problems = []
    for row, cell in enumerate(table.frame[CANDIDATE]):
        number = _number(cell)
        if not isinstance(number, float) or not (math.isnan(number) or number.is_integer()):
            problems.append(f"{table.place(row)}: {CANDIDATE} is {cell!r}, which is not the number of a candidate.")
            number = math.nan
        numbers.append(None if math.isnan(number) else int(number))
    places: dict[int, int] = {}
    for row, given in enumerate(numbers):
        if given is not None and places.setdefault(given, row) != row:
            problems.append(
                f"{table.place(row)}: candidate {given} appears twice, first in {table.place(places[given])}."
            )
    return numbers, problems


class _Known:
    """The stored candidates, by number and by parameters.

    Args:
        evaluations: of the store.
        space: of the candidates.
    """

    def __init__(self, evaluations: pd.DataFrame, space: SearchSpace) -> None:
        self._space = space
        self._tolerances = {
            name: found.tolerance for name, found in space.parameters.items() if isinstance(found, Continuous)
        }
        numbers = [int(number) for number in evaluations.index]
        self.states: dict[int, str] = dict(zip(numbers, evaluations["state"], strict=True))
        self._values: dict[int, Mapping[str, float] | None] = dict(zip(numbers, evaluations["properties"], strict=True))
        self._by_laboratory = dict(zip(numbers, evaluations["seconds"].isna(), strict=True))
        self.keys = {number: _key(one) for number, one in zip(numbers, evaluations["parameters"], strict=True)}
        self._pending = [number for number, state in self.states.items() if state == PENDING]
        self.numbers: dict[Key, list[int]] = {}
        for number, key in self.keys.items():
            self.numbers.setdefault(key, []).append(number)

    def pending(self, key: Key) -> int | None:
        """The pending candidate of given parameters."""
        return next((number for number in self.numbers.get(key, []) if self.states[number] == PENDING), None)

    def _nominal(self, parameters: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
        """The values that the space would propose, of the parameters that are not compared by their tolerance."""
        row = as_proposed(self._space, pd.DataFrame([parameters])).to_dict("records")[0]
        return [(name, value) for name, value in row.items() if name not in self._tolerances]

    def near(self, parameters: Mapping[Any, Any], taken: Container[int | None]) -> int | None:
        """The pending candidate nearest to what was made, within the tolerance of every number, and not taken."""
        gaps = {}
        nominal = self._nominal(parameters) if self._pending else []
        for number in self._pending:
            proposed = dict(self.keys[number])
            if number not in taken and all(proposed[name] == _rounded(value) for name, value in nominal):
                shares = [abs(parameters[name] - proposed[name]) / most for name, most in self._tolerances.items()]
                gaps[number] = max(shares, default=0.0)
        nearest = min(gaps, key=lambda number: gaps[number], default=None)
        return nearest if nearest is not None and gaps[nearest] <= 1.0 + 1e-9 else None

    def measured(self, key: Key, values: Mapping[Any, float]) -> int | None:
        """The candidate for which a laboratory gave the same values."""
        numbers = (number for number in self.numbers.get(key, []) if self._by_laboratory[number])
        return next((number for number in numbers if self.agrees(number, values)), None)

    def agrees(self, number: int, values: Mapping[Any, float]) -> bool:
        """Whether the stored values of a completed candidate are the given ones."""
        stored = self._values[number] or {}
        return self.states[number] != PENDING and all(
            math.isclose(value, stored[name], rel_tol=1e-9) if name in stored else math.isnan(value)
            for name, value in values.items()
        )


def _matched(
    table: Table,
    numbers: Sequence[int | None],
    parameters: pd.DataFrame,
    properties: pd.DataFrame,
    known: _Known,
    *,
    again: bool,
) -> tuple[list[int | None], list[str]]:
    """The pending candidate of each row, by its number if it has one, else by its parameters; and problems."""
    matched: list[int | None] = []
    problems: list[str] = []
    stored: list[str] = []
    first: dict[Key, int] = {}
    for row, (number, one, values) in enumerate(
        zip(numbers, parameters.to_dict("records"), properties.to_dict("records"), strict=True)
    ):
        key, place = _key(one), table.place(row)
        found = known.pending(key) if number is None else number
        if found is None and key not in known.numbers:
            found = known.near(one, matched)
        before = known.measured(key, values) if found is None else found
        if found is not None and found not in known.states:
            problems.append(f"{place}: candidate {found} was not proposed.")
        elif found is not None and known.states[found] == PENDING:
            other = next((other for other in known.numbers.get(key, []) if other != found), None)
            if other is not None and known.keys[found] != key:
                problems.append(f"{place}: candidate {found} has the parameters of candidate {other}.")
        elif again:
            found = None
        elif before is not None and known.agrees(before, values):
            stored.append(f"{place} (candidate {before})")
        elif found is not None:
            problems.append(f"{place}: candidate {found} is already {known.states[found]}. {_AGAIN}")
        if first.setdefault(key, row) != row and not again:
            problems.append(f"{place} repeats the candidate of {table.place(first[key])}. {_AGAIN}")
        matched.append(found)
    if stored:
        shown = ", ".join(stored[:MOST_SHOWN]) + (", ..." if len(stored) > MOST_SHOWN else "")
        problems.insert(
            0, f"{len(stored)} of {len(matched)} rows are already stored with the same values: {shown}. {_AGAIN}"
        )
    return matched, problems


_AGAIN = "If it is a new measurement, use --again (in Python: again=True)."


def _reasons(table: Table, properties: pd.DataFrame) -> list[str | None]:
    given = table.frame[REASON].tolist() if REASON in table.frame else [None] * len(properties)
    return [
        (reason if isinstance(reason, str) and reason else "no value was given") if nothing else None
        for reason, nothing in zip(given, properties.isna().all(axis=1), strict=True)
    ]


def _refusal(problems: Sequence[str]) -> str:
    more = [f"and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
    return "\n".join(["Nothing was stored. Correct the results:", *problems[:MOST_SHOWN], *more])


def _key(parameters: Mapping[Any, Any]) -> Key:
    """Parameters in a form that is equal for equal candidates."""
    return tuple(sorted((str(name), _rounded(value)) for name, value in parameters.items()))


def _rounded(value: Any) -> Any:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return float(f"{float(value):.{KEY_DIGITS}g}") if is_number else value
