"""Corrects the values of a search toward those of a verifying stage, learned from candidates that have both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

from invdesign.objectives.linear_fit import LinearFit

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Numbers: TypeAlias = NDArray[np.float64]

CorrectionKind = Literal["none", "offset", "line"]
FEWEST_PAIRS: Mapping[CorrectionKind, int] = {"none": 0, "offset": 3, "line": 5}
"""Fewest pairs for each kind of correction."""


@dataclass(frozen=True)
class Errors:
    """Leave-one-out errors of corrected low-fidelity values against verified ones, in the property's unit.

    Attributes:
        mae: mean absolute error.
        rmse: root mean square error; kinds of correction are compared by it.
    """

    mae: float
    rmse: float


@dataclass(frozen=True)
class Correction:
    """The correction of the low-fidelity values of a property, and its errors.

    Attributes:
        property: its name.
        pairs: number of candidates with both values.
        kind: ``none``, ``offset`` (one number is added) or ``line``: the one with the smallest leave-one-out error.
        slope: of the line; 1 for the other kinds.
        intercept: what is added, in the property's unit.
        low: smallest low-fidelity value among the pairs.
        high: largest of them.
        errors: leave-one-out errors of each kind that was considered; those of ``none`` are without a correction.
    """

    property: str
    pairs: int
    kind: CorrectionKind
    slope: float
    intercept: float
    low: float
    high: float
    errors: Mapping[CorrectionKind, Errors]

    def apply(self, values: Numbers) -> Numbers:
        """Corrected low-fidelity values; NaN stays NaN.

        Verified candidates are the best ones, so their low-fidelity values cover a narrow range: a line does not
        extrapolate far. Outside that range the correction stays constant at its value at the end of the range.
        """
        if self.kind == "none":
            return values
        within = np.clip(values, self.low, self.high)
        return self.slope * within + self.intercept + (values - within)


def learn_correction(name: str, low_fidelity: Numbers, verified: Numbers) -> Correction:
    """Learns the correction of one property: none, an offset or a line, whichever predicts left-out pairs best.

    Of kinds that predict equally well the simpler is taken. A line with zero or negative slope is not considered: it
    would mean that low-fidelity values carry no information.

    Args:
        name: of the property.
        low_fidelity: values of the search's objective, for candidates that have both.
        verified: values of the verifying stage, in the same order and unit.
    """
    known = np.isfinite(low_fidelity) & np.isfinite(verified)
    low_fidelity, verified = low_fidelity[known], verified[known]
    count = len(low_fidelity)
    if not count:
        return Correction(name, 0, "none", 1.0, 0.0, np.nan, np.nan, {})
    kinds = [kind for kind, fewest in FEWEST_PAIRS.items() if count >= fewest]
    fits = {kind: _fitted(name, kind, low_fidelity, verified) for kind in kinds}
    errors = {kind: _left_out(kind, low_fidelity, verified) for kind, fit in fits.items() if fit.slope > 0.0}
    best = min(errors, key=lambda kind: errors[kind].rmse)
    return replace(fits[best], errors=errors)


def _fitted(name: str, kind: CorrectionKind, low_fidelity: Numbers, verified: Numbers) -> Correction:
    slope, intercept = 1.0, 0.0
    if kind == "offset":
        intercept = float((verified - low_fidelity).mean())
    elif kind == "line":
        line = LinearFit(low_fidelity, verified)
        slope, intercept = line.slope, line.intercept
    return Correction(
        name, len(low_fidelity), kind, slope, intercept, float(low_fidelity.min()), float(low_fidelity.max()), {}
    )


def _left_out(kind: CorrectionKind, low_fidelity: Numbers, verified: Numbers) -> Errors:
    """Errors of each pair predicted by a correction that was fitted without it.

    Fitted each time, because the closed form for a line ignores that the correction is constant outside its range.
    """
    errors = verified - low_fidelity
    for out in range(len(low_fidelity) if kind != "none" else 0):
        kept = np.arange(len(low_fidelity)) != out
        fitted = _fitted("", kind, low_fidelity[kept], verified[kept])
        errors[out] = verified[out] - fitted.apply(low_fidelity[[out]])[0]
    return Errors(mae=float(np.abs(errors).mean()), rmse=float(np.sqrt((errors**2).mean())))
