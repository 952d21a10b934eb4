"""Objectives that calibrate computed values with known ones, and the errors of the calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.objectives.linear_fit import LinearFit


@dataclass(frozen=True)
class CalibrationReport:
    """The errors of a calibration, in the property's unit.

    Attributes:
        property: the calibrated property.
        kind: the method, as named in the campaign file.
        rows: number of known values that it was fitted on, such as molecules for a redox potential.
        failed: known values that could not be used because the calculation failed, and why.
        raw_mae: mean absolute error of the raw values.
        loo_mae: mean absolute error of each value predicted from all others.
        loo_rmse: root mean square of the same errors.
        slope: of the straight line through all rows, for every kind.
        intercept: of the same line.
    """

    property: str
    kind: str
    rows: int
    failed: dict[str, str]
    raw_mae: float
    loo_mae: float
    loo_rmse: float
    slope: float
    intercept: float

    @classmethod
    def of(
        cls,
        line: LinearFit,
        left_out: NDArray[np.float64],
        raw: NDArray[np.float64],
        known: NDArray[np.float64],
        *,
        property: str,  # noqa: A002 - the field's name
        kind: str,
        failed: dict[str, str],
    ) -> CalibrationReport:
        """The errors of a fit.

        Args:
            line: the straight line through the rows.
            left_out: leave-one-out errors of the fit.
            raw: computed values.
            known: the known values, same rows.
            property: the calibrated property.
            kind: the method.
            failed: known values that could not be used, and why.
        """
        return cls(
            property=property,
            kind=kind,
            rows=len(raw),
            failed=failed,
            raw_mae=float(np.abs(raw - known).mean()),
            loo_mae=float(np.abs(left_out).mean()),
            loo_rmse=float(np.sqrt((left_out**2).mean())),
            slope=line.slope,
            intercept=line.intercept,
        )


@runtime_checkable
class Calibrated(Protocol):
    """Interface of objectives that calibrate some of their properties with known values."""

    def calibration_basis(self) -> Mapping[str, str]:
        """For each calibrated property, the basis of its calibration, such as a checksum of the known values.

        Nothing is computed for this. Calibrations with the same basis are equal; values by calibrations with
        different ones cannot be compared. Empty if nothing is calibrated.

        Raises:
            InputError: if the known values cannot be read.
        """

    def calibration_reports(self) -> Mapping[str, CalibrationReport | str]:
        """For each calibrated property the errors of its calibration, or the reason why it failed.

        May compute whatever the calibration needs. A failed calibration gives a reason, never an exception.
        """
