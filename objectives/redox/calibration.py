"""Calibrates raw xTB values with experiments or a more accurate theory, learned from a table of the user."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.settings import InputFile, bounded, settings
from invdesign.core.tables import Table, read_table
from invdesign.core.text_files import is_file
from invdesign.core.units import Unit, convert
from invdesign.objectives.calibrated import CalibrationReport
from invdesign.objectives.linear_fit import LinearFit
from invdesign.surrogates.features.smiles import canonical_smiles

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.gaussian_process.model import PropertyModel

CalibrationKind = Literal["linear", "gaussian-process"]
FEWEST_ROWS = 5


@settings
class Calibration:
    """A table of known values, and the method that calibrates raw xTB values with them.

    Raises:
        InputError: if the file or a column is missing, or the kind is unknown.
    """

    data: InputFile
    """Path of a CSV or .xlsx file, or in a campaign file ``dataset:NAME``."""
    smiles: str
    """The table's column of molecules."""
    value: str
    """The table's column of values."""
    property: str = "oxidation_potential"
    """The property of the redox objective that is calibrated."""
    kind: CalibrationKind = "gaussian-process"
    """``linear`` in the xTB value, or ``gaussian-process``: linear in the xTB value plus a term that molecules with
    similar fingerprints share."""
    unit: Unit | None = None
    """Unit of the values; if None, that of the column's header, or the property's own."""
    sheet: str | None = None
    """Sheet of an .xlsx file; may be missing if only one has cells."""
    most: int | None = bounded(default=None, ge=FEWEST_ROWS)
    """Most molecules of the table to calculate, drawn at random (always the same ones); all if None."""

    def __post_init__(self) -> None:
        if is_file(Path(self.data)):
            self._check_header()

    def _check_header(self) -> None:
        for column in (self.smiles, self.value):
            self._table.find(column)

    def rows(self, unit: str) -> tuple[tuple[str, ...], tuple[float, ...]]:
        """Canonical SMILES and their values in ``unit``; rows of one molecule are averaged.

        Raises:
            InputError: if a row has no valid molecule or number, or there are fewer than five molecules.
        """
        smiles, column = self._table.find(self.smiles), self._table.find(self.value)
        canonical = canonical_smiles(self._table.frame[smiles])
        values = pd.to_numeric(self._table.frame[column], errors="coerce").to_numpy(dtype=np.float64)
        for row, (molecule, value) in enumerate(zip(canonical, values, strict=True)):
            if molecule is None or not np.isfinite(value):
                what, where = ("molecule", smiles) if molecule is None else ("finite number", column)
                place = self._table.place(row).capitalize()
                raise InputError(f"{place} of the calibration's table needs a {what} in column '{where}'.")
        source = self.unit or self._table.unit(column) or unit
        known = pd.Series(convert(values, source, unit), index=canonical).groupby(level=0, sort=True).mean()
        if len(known) < FEWEST_ROWS:
            raise InputError(f"A calibration needs at least {FEWEST_ROWS} molecules, not {len(known)}.")
        if self.most is not None and self.most < len(known):
            known = known.sample(self.most, random_state=0).sort_index()
        return tuple(map(str, known.index)), tuple(map(float, known))

    def basis(self, unit: str) -> str:
        """A checksum of the calibration's basis: the property, the kind, the known values in ``unit``.

        Raises:
            InputError: as ``rows``.
        """
        smiles, known = self.rows(unit)
        text = [self.property, self.kind, *(f"{one} {value!r}" for one, value in zip(smiles, known, strict=True))]
        return hashlib.sha256("\n".join(text).encode()).hexdigest()

    @cached_property
    def _table(self) -> Table:
        if not is_file(Path(self.data)):
            raise InputError(f"The calibration's file '{self.data}' does not exist.")
        return read_table(self.data, sheet=self.sheet)


class GaussianProcessFit:
    """A Gaussian process with a linear term in the xTB value and the MinMax kernel on count fingerprints.

    Args:
        raw: xTB values.
        known: the known values.
        smiles: the molecules.
    """

    def __init__(self, raw: NDArray[np.float64], known: NDArray[np.float64], smiles: list[str]) -> None:
        from invdesign.surrogates.features.fingerprints import SIZE
        from invdesign.surrogates.gaussian_process.kernels import prior_covariance
        from invdesign.surrogates.gaussian_process.model import PropertyModel
        from invdesign.surrogates.gaussian_process.parts import Part

        self._center, self._spread = float(raw.mean()), float(raw.std()) or 1.0
        terms = [[Part("linear", (0,))], [Part("tanimoto", tuple(range(1, SIZE + 1)))]]
        start = prior_covariance("matern-2.5", terms)
        self._model: PropertyModel = PropertyModel.fitted(self._features(raw, smiles), known, start=start)
        self._known = known

    def left_out(self) -> NDArray[np.float64]:
        """Leave-one-out error of each known value, with unchanged hyperparameters."""
        means, _ = self._model.left_out()
        return self._known - means

    def predict(self, raw: NDArray[np.float64], smiles: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Calibrated values and their standard deviations, the scatter of single values included."""
        mean, deviation = self._model.predict(self._features(raw, smiles))
        return mean, np.sqrt(deviation**2 + self._model.noise_std**2)

    def _features(self, raw: NDArray[np.float64], smiles: list[str]) -> NDArray[np.float64]:
        from invdesign.surrogates.features.fingerprints import count_fingerprints

        scaled = ((raw - self._center) / self._spread)[:, None]
        return np.concatenate([scaled, count_fingerprints(smiles).astype(np.float64)], axis=1)


@dataclass(frozen=True)
class Fitted:
    """A fitted calibration.

    Attributes:
        fit: the fitted model.
        report: its errors.
    """

    fit: LinearFit | GaussianProcessFit
    report: CalibrationReport

    def predict(self, raw: NDArray[np.float64], smiles: list[str]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Calibrated values and their standard deviations; a line uses only the raw value."""
        return self.fit.predict(raw) if isinstance(self.fit, LinearFit) else self.fit.predict(raw, smiles)


def fitted(
    calibration: Calibration,
    smiles: list[str],
    raw: NDArray[np.float64],
    known: NDArray[np.float64],
    failures: dict[str, str],
) -> Fitted:
    """Fits a calibration to molecules whose raw values are known.

    Args:
        calibration: the kind, and the property.
        smiles: molecules.
        raw: their xTB values.
        known: the known values, in the same unit.
        failures: molecules without a raw value, and why.

    Raises:
        InputError: if too few molecules have a raw value.
    """
    if len(raw) < FEWEST_ROWS:
        first = next(iter(failures.items()), ("", ""))
        raise InputError(
            f"Only {len(raw)} of the calibration's molecules have a raw value, but {FEWEST_ROWS} are needed. "
            f"{first[0]}: {first[1]}."
        )
    line = LinearFit(raw, known)
    fit = line if calibration.kind == "linear" else GaussianProcessFit(raw, known, smiles)
    left_out = fit.left_out()
    report = CalibrationReport.of(
        line, left_out, raw, known, property=calibration.property, kind=calibration.kind, failed=failures
    )
    return Fitted(fit, report)
