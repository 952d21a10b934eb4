"""Reads the results of a laboratory: every row is checked before the first is stored."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.expectation import CHANCE
from invdesign.campaign.matching import MOST_SHOWN, REPLICATE, Known, Row, amended, matched
from invdesign.campaign.measurements import ABOVE, BELOW
from invdesign.campaign.records import Purpose
from invdesign.campaign.sheet import WORDS, named_classes
from invdesign.campaign.store import CANDIDATE, Store
from invdesign.campaign.why import WHY
from invdesign.core.classes import class_name, class_property, class_word
from invdesign.core.errors import InputError, nearest
from invdesign.core.tables import Table, header_unit
from invdesign.core.units import convert
from invdesign.objectives.base import DISTANCE, REASON, STD_SUFFIX
from invdesign.space import SearchSpace
from invdesign.space.outside import within_bounds
from invdesign.targets import Targets

_CENSORED = re.compile(r"\s*(?P<sign>[<>]=?|[≤≥])\s*(?P<number>[^<>=≤≥\s]+)\s*")
_SIGNS = {"<": "<", "<=": "<", "≤": "<", ">": ">", ">=": ">", "≥": ">"}


@dataclass(frozen=True)
class Results:
    """Checked results, row by row.

    Attributes:
        numbers: of the candidate of each row; None for one that was not proposed.
        parameters: of the candidates that were evaluated, as the space writes them.
        properties: the values, in the units of the store, their known standard deviations and limits (see
            ``invdesign.campaign.measurements``); NaN for none.
        reasons: why properties are missing, or None.
        replicates: label of each measurement, or None.
        first: the first row of the same candidate; each is stored after that one.
    """

    numbers: list[int | None]
    parameters: pd.DataFrame
    properties: pd.DataFrame
    reasons: list[str | None]
    replicates: list[str | None]
    first: list[int]

    def next_rows(self, stored: Container[int]) -> list[int]:
        """The rows to store next, one a candidate, once others are stored."""
        rows: dict[int, int] = {}
        for row, owner in enumerate(self.first):
            if row not in stored:
                rows.setdefault(owner, row)
        return list(rows.values())

    def rows(self, chosen: list[int], numbers: Mapping[int, int]) -> Results:
        """Some of the rows, with the numbers that their candidates have by now."""
        return Results(
            [numbers.get(self.first[row], self.numbers[row]) for row in chosen],
            self.parameters.iloc[chosen].reset_index(drop=True),
            self.properties.iloc[chosen].reset_index(drop=True),
            [self.reasons[row] for row in chosen],
            [self.replicates[row] for row in chosen],
            list(range(len(chosen))),
        )


def read_results(
    results: pd.DataFrame | Table,
    space: SearchSpace,
    targets: Targets,
    store: Store,
    units: Mapping[str, str],
    *,
    purpose: Purpose = "new",
) -> Results:
    """Checks results against the space, the targets and the stored candidates.

    Args:
        results: see ``Campaign.tell``.
        space: the search space.
        targets: the targets; all of their properties are needed.
        store: the stored candidates and their measurements.
        units: of the stored properties.
        purpose: ``new`` results; measured ``again``; ``amend`` for corrections of stored ones; ``data`` to skip rows
            that are stored already with the same values.

    Raises:
        InputError: naming each invalid row and its column.
    """
    table = _as_table(results)
    parameters = _parameters(table, space)
    if purpose == "amend":
        table = _editable(table, targets)
    properties, problems = _properties(table, targets, units)
    problems = _bad_parameters(table, parameters, space) + problems
    replicates = _labels(table)
    numbers, more = _given_numbers(table)
    problems += more
    if problems:
        raise InputError(_refusal(problems))
    properties = properties.astype(float)
    stored = Known(store, space)
    reasons = _reasons(table, properties, targets.properties)
    rows = [
        Row(table.place(row), number, one, values, label)
        for row, (number, one, values, label) in enumerate(
            zip(numbers, parameters.to_dict("records"), properties.to_dict("records"), replicates, strict=True)
        )
    ]
    if purpose == "data":
        fresh = [row for row, one in enumerate(rows) if stored.measured(one) is None]
        parameters, properties = parameters.iloc[fresh], properties.iloc[fresh]
        rows, reasons = [rows[row] for row in fresh], [reasons[row] for row in fresh]
    matching = (
        amended(rows, stored) if purpose == "amend" else matched(rows, stored, again=purpose in ("again", "data"))
    )
    if matching.problems:
        raise InputError(_refusal(matching.problems))
    return Results(
        matching.numbers,
        parameters.reset_index(drop=True),
        properties.reset_index(drop=True),
        reasons,
        [one.label for one in rows],
        matching.first,
    )


def _editable(table: Table, targets: Targets) -> Table:
    """A table without any property, which edits proposals, with empty properties."""
    if _bare_names(table).intersection({*targets.properties, *map(class_property, targets.properties)}):
        return table
    return replace(table, frame=table.frame.assign(**dict.fromkeys(targets.properties, math.nan)))


def _bare_names(table: Table) -> set[str]:
    """The names of the table's columns, without units."""
    return {header_unit(str(name))[0] for name in table.frame}


def ignored_columns(table: Table, space: SearchSpace, targets: Targets) -> list[str]:
    """The columns of results that are not stored: no parameters, properties of targets, or what the sheet expected."""
    expected = [f"{name} {word}" for name in targets.properties for word in WORDS]
    deviations = [name + STD_SUFFIX for name in targets.properties]
    classes = map(class_property, targets.properties)
    used = {
        *space.names,
        *targets.properties,
        *classes,
        *deviations,
        CANDIDATE,
        REASON,
        REPLICATE,
        WHY,
        DISTANCE,
        *expected,
    }
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


def _properties(table: Table, targets: Targets, units: Mapping[str, str]) -> tuple[pd.DataFrame, list[str]]:
    """The properties of targets in the store's units, and what is wrong with their cells.

    A property whose classes are known may be a single column of their names.
    """
    bare = _bare_names(table)
    named = named_classes(targets, units)
    parts, problems = [], []
    for name in targets.properties:
        owner = class_property(name)
        if owner not in named or (name in bare and owner not in bare):
            parts.append(_property(table, name, targets, units))
            problems += _bad_properties(table, parts[-1])
        else:
            cells, unknown = _indicators(table, owner, named[owner])
            parts.append(cells)
            problems += unknown
    return pd.concat(parts, axis=1), problems


def _property(table: Table, name: str, targets: Targets, units: Mapping[str, str]) -> pd.DataFrame:
    """A property in the store's unit, from that of the header or else of the targets; invalid cells as they are.

    Columns for its known standard deviation, and for limits such as ``<5``, follow if there are any.
    """
    found = _find(table, name)
    own = list(dict.fromkeys(target.unit for target in targets if target.property == name and target.unit is not None))
    if table.unit(found) is None and len(own) > 1:
        raise InputError(
            f"{table.source} has no unit for '{name}', whose targets are in {' and '.join(own)}. Write the unit in the "
            f"header, such as '{name} ({own[0]})'."
        )
    stored = units.get(name, own[0] if own else "")
    source = table.unit(found) or (own[0] if own else stored)
    cells = table.frame[found].reset_index(drop=True).astype(object)
    parts = {
        name: cells.map(lambda cell: _number(cell) if _limit(cell) is None else math.nan),
        name + BELOW: cells.map(lambda cell: _limit(cell, "<")),
        name + ABOVE: cells.map(lambda cell: _limit(cell, ">")),
    }
    parts = {part: one for part, one in parts.items() if part == name or one.notna().any()}
    parts = {part: _in_unit(table, found, one.astype(object), source, stored) for part, one in parts.items()}
    deviation = name + STD_SUFFIX
    if any(deviation in (column, header_unit(column)[0]) for column in map(str, table.frame.columns)):
        parts[deviation] = _deviations(table, _find(table, deviation), source, stored)
    return pd.DataFrame(parts)


def _indicators(table: Table, name: str, classes: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """For each class of a property whether each row is of it, 1 or 0, NaN where the cell is empty; unknown classes."""
    column = _find(table, name)
    both = [class_name(name, one) for one in classes if class_name(name, one) in table.frame]
    if both:
        raise InputError(f"{table.source} has the columns '{column}' and '{both[0]}'. Remove one of them.")
    cells = table.frame[column].reset_index(drop=True).astype(object).map(class_word)
    words = [None if pd.isna(cell) or not str(cell).strip() else str(cell).strip() for cell in cells]
    problems = [
        f"{table.place(row)}: {name} is '{word}', which is not one of its classes {', '.join(classes)}."
        f"{nearest(word, classes)}"
        for row, word in enumerate(words)
        if word is not None and word not in classes
    ]
    found = {
        class_name(name, one): [math.nan if word is None else float(word == one) for word in words] for one in classes
    }
    return pd.DataFrame(found), problems


def _in_unit(table: Table, column: str, cells: pd.Series, source: str, to: str) -> pd.Series:
    """Cells with the valid numbers among them converted."""
    valid = cells.map(_is_value)
    if source != to:
        cells[valid] = _converted(table, column, cells[valid], source, to)
    return cells


def _deviations(table: Table, column: str, source: str, to: str) -> pd.Series:
    """Known standard deviations in the store's unit; a change of unit does not shift them."""
    cells = table.frame[column].reset_index(drop=True).astype(object).map(_number)
    own = table.unit(column) or source
    valid = cells.map(_is_value)
    if own != to:
        zero = float(_converted(table, column, pd.Series([0.0]), own, to)[0])
        cells[valid] = _converted(table, column, cells[valid], own, to) - zero
    negative = valid & (cells.where(valid, 0.0).astype(float) < 0.0)
    if negative.any():
        row = int(np.flatnonzero(negative)[0])
        raise InputError(f"{table.place(row)}: {column} is {cells[row]:g}, but a standard deviation is at least 0.")
    return cells


def _limit(cell: Any, sign: str = "<>") -> float | None:
    """The limit of a value outside of an instrument's range, such as 5 for ``<5``; None if it is not one."""
    found = _CENSORED.fullmatch(cell) if isinstance(cell, str) else None
    if found is None or _SIGNS[found["sign"]] not in sign:
        return None
    number = _number(found["number"])
    return number if isinstance(number, float) and math.isfinite(number) else None


def _labels(table: Table) -> list[str | None]:
    """The label of each measurement, None where the table gives none."""
    if REPLICATE not in table.frame:
        return [None] * len(table.frame)
    cells = table.frame[REPLICATE].tolist()
    numbers = [_number(cell) for cell in cells]
    return [
        (f"{number:g}" if not math.isnan(number) else None) if isinstance(number, float) else str(cell).strip()
        for cell, number in zip(cells, numbers, strict=True)
    ]


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
            space.encode(within_bounds(space, parameters))
        except InputError:
            pass  # the rows are named one by one below
        else:
            return []
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
        space.encode(within_bounds(space, candidate))
    except InputError as error:
        return str(error)
    return ""


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
    places: dict[tuple[int, str | None], int] = {}
    for row, (given, label) in enumerate(zip(numbers, _labels(table), strict=True)):
        if given is not None and places.setdefault((given, label), row) != row:
            problems.append(
                f"{table.place(row)}: candidate {given} appears twice, first in {table.place(places[given, label])}. "
                f"Number its measurements in a column '{REPLICATE}'."
            )
    return numbers, problems


def _reasons(table: Table, properties: pd.DataFrame, names: Sequence[str]) -> list[str | None]:
    """Why properties are missing; None where none is, or where some are without a reason: they are not measured yet."""
    given = table.frame[REASON].tolist() if REASON in table.frame else [None] * len(properties)
    texts = [reason.strip() if isinstance(reason, str) else "" for reason in given]
    known = pd.DataFrame(
        {name: properties.reindex(columns=[name, name + BELOW, name + ABOVE]).notna().any(axis=1) for name in names}
    )
    return [
        None if whole else text or (None if some else "no value was given")
        for text, whole, some in zip(texts, known.all(axis=1), known.any(axis=1), strict=True)
    ]


def _refusal(problems: Sequence[str]) -> str:
    more = [f"and {len(problems) - MOST_SHOWN} more"] if len(problems) > MOST_SHOWN else []
    return "\n".join(["Nothing was stored. Correct the results:", *problems[:MOST_SHOWN], *more])
