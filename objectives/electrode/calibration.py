"""Calibrates computed voltages with measured ones, by a straight line."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.settings import InputFile, settings
from invdesign.core.tables import Table, read_table
from invdesign.core.text_files import is_file
from invdesign.core.units import Unit, convert

FEWEST_ROWS = 5
KIND = "linear"


@dataclass(frozen=True)
class KnownVoltage:
    """A measured electrode.

    Attributes:
        formula: discharged.
        prototype: of its structure.
        remaining: share of the ions that remains in the charged electrode; None for that of the objective.
        volts: average voltage against the ion's metal.
    """

    formula: str
    prototype: str
    remaining: float | None
    volts: float

    @property
    def charged(self) -> str:
        """The share that remains as text, empty for that of the objective."""
        return "" if self.remaining is None else f" {self.remaining!r}"


@settings
class VoltageCalibration:
    """A table of measured average voltages of electrodes, which the computed ones are fitted to by a straight line.

    Raises:
        InputError: if the file or a column is missing.
    """

    data: InputFile
    """Path of a CSV or .xlsx file, or in a campaign file ``dataset:NAME``."""
    formula: str
    """The table's column of formulas, discharged."""
    value: str
    """The table's column of voltages against the ion's metal."""
    prototype: str | None = None
    """The table's column of prototypes; None if all have the objective's."""
    remaining: str | None = None
    """The table's column of the shares of the ions that remain in the charged electrode; None if all have the
    objective's."""
    unit: Unit | None = None
    """Unit of the voltages; if None, that of the column's header, or V."""
    sheet: str | None = None
    """Sheet of an .xlsx file; may be missing if only one has cells."""

    def __post_init__(self) -> None:
        if is_file(Path(self.data)):
            for column in (self.formula, self.value, *filter(None, (self.prototype, self.remaining))):
                self._table.find(column)

    def rows(self, prototype: str) -> tuple[KnownVoltage, ...]:
        """The electrodes of the table.

        Args:
            prototype: of rows that name none.

        Raises:
            InputError: if a row has no formula or finite number, a share is not from 0 to below 1, or there are fewer
                than five rows.
        """
        table = self._table.frame
        column = self._table.find(self.value)
        values = pd.to_numeric(table[column], errors="coerce").to_numpy(dtype=np.float64)
        formulas = table[self._table.find(self.formula)]
        kinds = table[self._table.find(self.prototype)] if self.prototype else [prototype] * len(values)
        for row, (formula, value) in enumerate(zip(formulas, values, strict=True)):
            if not isinstance(formula, str) or not np.isfinite(value):
                what = "formula" if not isinstance(formula, str) else "finite voltage"
                raise InputError(f"Row {row + 2} of the calibration's table '{self.data}' has no {what}.")
        shares: Sequence[float | None] = self._shares() or [None] * len(values)
        if len(values) < FEWEST_ROWS:
            raise InputError(f"A calibration needs at least {FEWEST_ROWS} electrodes, not {len(values)}.")
        volts = convert(values, self.unit or self._table.unit(column) or "V", "V")
        return tuple(
            KnownVoltage(str(formula), str(kind), share, float(known))
            for formula, kind, share, known in zip(formulas, kinds, shares, volts, strict=True)
        )

    def _shares(self) -> list[float] | None:
        if self.remaining is None:
            return None
        column = self._table.find(self.remaining)
        shares = pd.to_numeric(self._table.frame[column], errors="coerce")
        for row, share in enumerate(shares):
            if not 0.0 <= share < 1.0:
                raise InputError(
                    f"Row {row + 2} of the calibration's table '{self.data}': {column} must be from 0 to below 1, not "
                    f"{self._table.frame[column].iloc[row]}."
                )
        return [float(share) for share in shares]

    def basis(self, prototype: str) -> str:
        """A checksum of the kind and the known values.

        Raises:
            InputError: as ``rows``.
        """
        text = [KIND, *(f"{one.formula} {one.prototype} {one.volts!r}{one.charged}" for one in self.rows(prototype))]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()

    @cached_property
    def _table(self) -> Table:
        if not is_file(Path(self.data)):
            raise InputError(f"The calibration's file '{self.data}' does not exist.")
        return read_table(self.data, sheet=self.sheet)
