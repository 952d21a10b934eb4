"""A table as a source of property values: measured or computed values, looked up by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import InputFile, from_elsewhere, settings
from invdesign.core.units import Unit
from invdesign.objectives.base import TravelsByFields, valued
from invdesign.surrogates.features.smiles import canonical_smiles


@settings
class TableObjective(TravelsByFields):
    """Looks candidates up in a CSV file or a frame.

    Raises:
        InputError: if the file or a column is missing (the nearest column is suggested), or a value is not a number.
    """

    data: InputFile | SkipJsonSchema[pd.DataFrame] = field(repr=False)
    """Path of a CSV file, or a frame."""
    key: Annotated[dict[str, str], Field(min_length=1)]
    """For each parameter that identifies a candidate, the table's column with its values."""
    values: Annotated[dict[str, str], Field(min_length=1)]
    """For each property, the table's column with its values."""
    units: dict[str, Unit] = field(default_factory=dict)
    """Unit of each property; empty or missing for dimensionless."""
    molecules: tuple[str, ...] = from_elsewhere(default=())
    """The parameters of ``key`` that are molecules: their SMILES are canonicalized before comparison.
    Set by ``for_columns``."""

    def __post_init__(self) -> None:
        for name in self.units:
            if name not in self.values:
                raise InputError(
                    f"'units' refers to '{name}', which is not a property of the table.{nearest(name, self.values)}"
                )
        header = self._frame.columns
        for column in (*self.key.values(), *self.values.values()):
            if column not in header:
                raise InputError(f"The table has no column '{column}'.{nearest(column, map(str, header))}")

    @property
    def properties(self) -> Mapping[str, str]:
        return {name: self.units.get(name, "") for name in self.values}

    @property
    def rows_per_call(self) -> int | None:
        return None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        molecules = tuple(column.name for column in columns if column.kind == "molecule" and column.name in self.key)
        # Unchanged columns: the table is reused, because a campaign passes its columns at every run.
        return self if self.molecules == molecules else replace(self, molecules=molecules)

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
        keys = self._keys(candidates, list(self.key))
        found = [self._rows.get(key) for key in keys]
        blank = (float("nan"),) * len(self.values)
        result = pd.DataFrame(
            [blank if row is None else row for row in found],
            columns=list(self.values),
            index=candidates.index,
            dtype=np.float64,
        )
        return valued(result, [_reason(key, row) for key, row in zip(keys, found, strict=True)])

    def training(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """The table as candidates and property values, row by row, including equal rows and missing values.

        Values are unchanged, so that text among them (such as ``<1E-10``) can be found and reported.
        """
        frame = pd.DataFrame({name: self._frame[column] for name, column in self.key.items()})
        for name in self.molecules:
            frame[name] = canonical_smiles(frame[name].tolist())
        return frame, pd.DataFrame({name: self._frame[column] for name, column in self.values.items()})

    def column(self, name: str) -> pd.Series:
        """Any column of the table, such as the paper that each row is from.

        Raises:
            InputError: if it is unknown (the nearest is suggested).
        """
        if name not in self._frame:
            raise InputError(f"The table has no column '{name}'.{nearest(name, map(str, self._frame.columns))}")
        return self._frame[name]

    @cached_property
    def _frame(self) -> pd.DataFrame:
        if isinstance(self.data, pd.DataFrame):
            return self.data
        path = Path(self.data)
        if not path.is_file():
            raise InputError(f"The file '{path}' does not exist.")
        try:
            return pd.read_csv(path)
        except (pd.errors.ParserError, UnicodeDecodeError, pd.errors.EmptyDataError) as error:
            raise InputError(f"'{path}' cannot be read as CSV: {error}.") from None

    @cached_property
    def _rows(self) -> dict[tuple[Any, ...], tuple[float, ...]]:
        """Values by key. Rows with the same key must agree, because it is unknown which of them is right."""
        numbers = [self._numbers(name, column) for name, column in self.values.items()]
        rows: dict[tuple[Any, ...], tuple[float, ...]] = {}
        for place, key in enumerate(self._keys(self._frame, list(self.key.values()))):
            values = tuple(float(column[place]) for column in numbers)
            if key in rows and not np.allclose(rows[key], values, rtol=1e-9, atol=0.0, equal_nan=True):
                raise InputError(
                    f"The table has different values for {key}: {rows[key]} and, in row {place + 2}, {values}. "
                    "Keep one row per candidate, or average them."
                )
            rows[key] = values
        return rows

    def _keys(self, frame: pd.DataFrame, columns: list[str]) -> list[tuple[Any, ...]]:
        parts = []
        for name, column in zip(self.key, columns, strict=True):
            values = frame[column].tolist()
            parts.append(canonical_smiles(values) if name in self.molecules else [_plain(value) for value in values])
        return list(zip(*parts, strict=True))

    def _numbers(self, name: str, column: str) -> list[float]:
        numbers = pd.to_numeric(self._frame[column], errors="coerce")
        wrong = numbers.isna() & self._frame[column].notna()
        if wrong.any():
            place = int(np.flatnonzero(wrong.to_numpy())[0])
            raise InputError(
                f"Column '{column}' of the table, for property '{name}', holds {self._frame[column].iloc[place]!r} in "
                f"row {place + 2}, which is not a number."
            )
        return numbers.tolist()


def _plain(value: Any) -> Any:
    """A key that compares equal across types: 3 and 3.0 are the same number."""
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _reason(key: tuple[Any, ...], row: tuple[float, ...] | None) -> str | None:
    shown = ", ".join(str(part) for part in key)
    if row is None:
        return f"the table has no row for {shown}"
    return f"the table has no value for {shown}" if all(np.isnan(row)) else None
