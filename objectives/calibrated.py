"""Objectives that correct what they compute by values that are known, and what that correction is worth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True)
class CalibrationReport:
    """How well a calibration does; errors in the property's unit.

    Attributes:
        property: what was calibrated.
        kind: how, in a word of the campaign file.
        rows: known values that it learned from: molecules, for a redox potential.
        failed: what could not be computed and so taught nothing, and why.
        raw_mae: mean absolute error of the raw values.
        loo_mae: mean absolute error of each value predicted from all others.
        loo_rmse: root mean square of the same errors.
        slope: of the straight line through all rows, whatever the kind.
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


@runtime_checkable
class Calibrated(Protocol):
    """What an objective may offer besides its values, where it corrects some of them by known ones."""

    def calibration_basis(self) -> Mapping[str, str]:
        """For each calibrated property, what its calibration rests on, such as a checksum of the known values.

        Cheap: nothing is computed. Two calibrations with the same basis correct alike; values by calibrations with
        different ones cannot be compared. Empty where nothing is calibrated.

        Raises:
            InputError: where the known values cannot be read.
        """

    def calibration_reports(self) -> Mapping[str, CalibrationReport | str]:
        """For each calibrated property how well its calibration does, or why there is none.

        May compute whatever the calibration needs. A calibration that fails is a reason, never an exception.
        """
