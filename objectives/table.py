"""A table as a source of property values: measured or computed values, looked up by key."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.classes import class_name, class_property, class_word
from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import InputFile, from_elsewhere, settings
from invdesign.core.tables import Table, read_table
from invdesign.core.units import Unit, conversion, convert
from invdesign.objectives.base import TravelsByFields, valued
from invdesign.surrogates.features.formulas import composition_keys
from invdesign.surrogates.features.mixture_text import mixture_key
from invdesign.surrogates.features.smiles import canonical_or_given, canonical_smiles

MOST_SHOWN = 5
"""Number of contradictions that a message lists."""
Key = tuple[Any, ...]


@settings
class TableObjective(TravelsByFields):
    """Looks candidates up in a file or a frame. Molecules and formulas are found however they are written.

    Columns may be named without the unit in their header: ``capacity`` finds ``capacity (mAh/g)``.

    Raises:
        InputError: if the file or a column is missing (the nearest column is suggested), or a unit does not fit.
    """

    data: InputFile | SkipJsonSchema[pd.DataFrame] = field(repr=False)
    """Path of a CSV or .xlsx file, or a frame."""
    key: Annotated[dict[str, str], Field(min_length=1)]
    """For each parameter that identifies a candidate, the table's column with its values."""
    values: Annotated[dict[str, str], Field(min_length=1)]
    """For each property, the table's column with its values."""
    units: dict[str, Unit] = field(default_factory=dict)
    """Unit of each property; where missing, that of the column's header, or dimensionless. Values are converted from
    the unit of the header. If that is wrong, name the column with it in ``values``, and the right unit here."""
    classes: tuple[str, ...] = ()
    """Properties that are classes, such as ``structure`` with layered and spinel. Each class is a property of its own,
    ``structure=layered``, which is 1 or 0; a target names it as ``equals: layered``."""
    duplicates: Literal["error", "mean", "first"] = "error"
    """What to do with rows of one candidate that have different values: refuse them, average them, or take the
    first."""
    sheet: str | None = None
    """Sheet of an .xlsx file; may be missing if only one has cells."""
    columns: tuple[Column, ...] = from_elsewhere(default=())
    """Description of the parameters of ``key``, set by ``for_columns``."""

    def __post_init__(self) -> None:
        for name in self.units:
            if name not in self.values:
                raise InputError(
                    f"'units' refers to '{name}', which is not a property of the table.{nearest(name, self.values)}"
                )
        for name in self.classes:
            if name not in self.values:
                raise InputError(f"'classes' refers to unknown property '{name}'.{nearest(name, self.values)}")
        for column in self.key.values():
            self._table.find(column)
        for name in self.values:
            _ = self._scale(name)

    @property
    def properties(self) -> Mapping[str, str]:
        found: dict[str, str] = {}
        for name, column in self.values.items():
            if name in self.classes:
                found |= dict.fromkeys(self._indicators(name), "")
            else:
                found[name] = self.units.get(name, self._table.unit(self._table.find(column)) or "")
        return found

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.key)

    @property
    def rows_per_call(self) -> int | None:
        return None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        mine = tuple(_light(column) for column in columns if column.name in self.key)
        # Unchanged columns: the table is reused, because a campaign passes its columns at every run.
        return self if self.columns == mine else replace(self, columns=mine)

    def check(self, columns: Sequence[Column]) -> list[str]:
        known = [column.name for column in columns]
        problems = [
            f"The table's key '{name}' is not a parameter.{nearest(name, known)}"
            for name in self.key
            if name not in known
        ]
        try:
            _ = self._rows
        except InputError as error:
            problems.append(str(error))
        return problems

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        given = candidates[list(self.key)]
        found = [self._rows.get(key) for key in self._keys(given, molecules_as_given=True)]
        missing = [row for row, values in enumerate(found) if values is None]
        # Most candidates are canonical already, and a canonical SMILES may change when it is made again.
        for row, key in zip(missing, self._keys(given.iloc[missing]), strict=True):
            found[row] = self._rows.get(key)
        names = list(self.properties)
        blank = (float("nan"),) * len(names)
        result = pd.DataFrame(
            [blank if row is None else row for row in found],
            columns=names,
            index=candidates.index,
            dtype=np.float64,
        )
        shown = given.itertuples(index=False, name=None)
        return valued(result, [_reason(key, row) for key, row in zip(shown, found, strict=True)])

    def training(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The table as candidates and property values, row by row, including equal rows and missing values.

        Values are unchanged but for their unit, so that text among them (such as ``<1E-10``) can be found and reported.
        The index is the line (or row) of the file.
        """
        frame = pd.DataFrame({name: pd.Series(self._parameter(name), self._lines) for name in self.key})
        for column in self.columns:
            if column.kind == "molecule":
                frame[column.name] = canonical_smiles(frame[column.name].tolist())
        values = {name: pd.Series(self._cells(name), self._lines) for name in self.properties}
        return frame, pd.DataFrame(values)

    def column(self, name: str) -> pd.Series:
        """Any column of the table, such as the paper that each row is from, by the line (or row) of the file.

        Raises:
            InputError: if it is unknown (the nearest is suggested) or ambiguous.
        """
        return self._table.frame[self._table.find(name)].set_axis(self._lines)

    @cached_property
    def _table(self) -> Table:
        return Table.of(self.data) if isinstance(self.data, pd.DataFrame) else read_table(self.data, sheet=self.sheet)

    @property
    def _lines(self) -> list[int]:
        return list(self._table.lines)

    @cached_property
    def _rows(self) -> dict[Key, tuple[float, ...]]:
        """Values by key. Rows with the same key must agree unless ``duplicates`` says what else to do."""
        numbers = np.column_stack([self._numbers(name) for name in self.properties])
        places: dict[Key, list[int]] = {}
        for place, key in enumerate(self._keys(pd.DataFrame({name: self._parameter(name) for name in self.key}))):
            places.setdefault(key, []).append(place)
        problems = []
        rows: dict[Key, tuple[float, ...]] = {}
        for key, same in places.items():
            values = numbers[same[0]]
            if len(same) > 1 and not np.allclose(numbers[same], values, rtol=1e-9, atol=0.0, equal_nan=True):
                if self.duplicates == "error":
                    problems.append(self._contradiction(same, numbers))
                if self.duplicates == "mean":
                    values = pd.DataFrame(numbers[same]).mean().to_numpy()
            rows[key] = tuple(values.tolist())
        if problems:
            raise InputError(
                f"{self._table.source} has different values for {len(problems)} candidates. Keep one row of each, or "
                "set duplicates: mean or first. " + " ".join(problems[:MOST_SHOWN])
            )
        return rows

    def _contradiction(self, same: Sequence[int], numbers: Any) -> str:
        first = [self._table.frame[self._table.find(column)].iloc[same[0]] for column in self.key.values()]
        listed = [
            f"{self._table.place(place)}: {', '.join(f'{number:g}' for number in numbers[place])}"
            for place in same[:MOST_SHOWN]
        ]
        return f"{', '.join(map(str, first))} has {'; '.join(listed)}{'; ...' if len(same) > MOST_SHOWN else ''}."

    def _parameter(self, name: str) -> Any:
        """The cells of a parameter's column; numbers in the parameter's unit, if their header has another."""
        found = self._table.find(self.key[name])
        header = self._table.unit(found)
        unit = next((column.unit for column in self.columns if column.name == name), "")
        cells = self._table.frame[found]
        if not header or not unit or header == unit or not pd.api.types.is_numeric_dtype(cells):
            return cells.to_numpy()
        return convert(cells.to_numpy(), header, unit)

    def _keys(self, frame: pd.DataFrame, *, molecules_as_given: bool = False) -> list[Key]:
        """What identifies each row of a frame whose columns are the parameters of ``key``."""
        known = {column.name: column for column in self.columns}
        parts: list[list[Any]] = []
        for name in self.key:
            values, column = frame[name].tolist(), known.get(name)
            kind = column.kind if column is not None else None
            if kind == "molecule":
                parts.append(values if molecules_as_given else canonical_or_given(values))
            elif column is not None and kind == "formula":
                parts.append(composition_keys(values, column.values))
            elif kind == "mixture":
                parts.append([mixture_key(value) if isinstance(value, str) else value for value in values])
            else:
                parts.append([class_word(value) if kind == "category" else _plain(value) for value in values])
        return list(zip(*parts, strict=True))

    def _scale(self, name: str) -> tuple[float, float]:
        """Factor and offset from the unit of the header to that of the property."""
        column = self.values[name]
        found = self._table.find(column)
        header = self._table.unit(found)
        if header is None or self.units.get(name, header) == header:
            return 1.0, 0.0
        try:
            return conversion(header, self.units[name])
        except InputError:
            if column == found:  # named with its unit, and given another: the user knows that the header is wrong
                return 1.0, 0.0
            raise InputError(
                f"{self._table.source} has the column '{found}', but the unit of '{name}' is '{self.units[name]}', to "
                f"which '{header}' cannot be converted. Correct the unit; if the header is wrong, name the column in "
                "full."
            ) from None

    def _converted(self, name: str) -> list[Any]:
        """The cells of a property's column in its unit; text is unchanged."""
        factor, offset = self._scale(name)
        cells = self._table.frame[self._table.find(self.values[name])].tolist()
        if (factor, offset) == (1.0, 0.0):
            return cells
        for place, cell in enumerate(cells):
            if isinstance(cell, str):
                raise InputError(
                    f"{self._table.source}, {self._table.place(place)}, column '{self.values[name]}', holds {cell!r}, "
                    f"which cannot be converted to '{self.units[name]}'. Use the unit of the header."
                )
        return [factor * cell + offset for cell in cells]

    def _cells(self, name: str) -> list[Any]:
        """The cells of a property, or of one class of it."""
        owner = class_property(name)
        return self._indicators(owner)[name] if owner in self.classes else self._converted(name)

    def _indicators(self, name: str) -> dict[str, list[float]]:
        """For each class of a property, whether each row is of it: 1 or 0, NaN where the cell is empty."""
        cells = [class_word(cell) for cell in self._table.frame[self._table.find(self.values[name])]]
        classes = sorted({str(cell) for cell in cells if not pd.isna(cell)})
        return {
            class_name(name, value): [math.nan if pd.isna(cell) else float(str(cell) == value) for cell in cells]
            for value in classes
        }

    def _numbers(self, name: str) -> list[float]:
        cells = pd.Series(self._cells(name))
        numbers = pd.to_numeric(cells, errors="coerce")
        wrong = numbers.isna() & cells.notna()
        if wrong.any():
            place = int(np.flatnonzero(wrong.to_numpy())[0])
            raise InputError(
                f"Column '{self.values[class_property(name)]}' of the table, for property '{name}', holds "
                f"{cells.iloc[place]!r} in {self._table.place(place)}, which is not a number. If cells are classes, "
                f"set classes: [{name}]."
            )
        return [float(number) for number in numbers]


def _light(column: Column) -> Column:
    """A column without long lists of values; of a formula, its groups remain, such as ``(OH)``."""
    groups = tuple(value for value in column.values if value.startswith("(")) if column.kind == "formula" else ()
    return replace(column, values=groups)


def _plain(value: Any) -> Any:
    """A key that compares equal across types: 3 and 3.0 are the same number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _reason(candidate: Key, row: tuple[float, ...] | None) -> str | None:
    shown = ", ".join(str(part) for part in candidate)
    if row is None:
        return f"the table has no row for {shown}"
    return f"the table has no value for {shown}" if all(np.isnan(row)) else None
