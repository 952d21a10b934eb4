"""From the values that steer a search to those that verify it: learned from candidates that have both."""

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
"""Pairs from which a correction of each kind is considered."""


@dataclass(frozen=True)
class Errors:
    """How far low-fidelity values are from verified ones, each predicted from all other pairs; in the property's unit.

    Attributes:
        mae: mean absolute error.
        rmse: root mean square error, by which kinds of correction are compared.
    """

    mae: float
    rmse: float


@dataclass(frozen=True)
class Correction:
    """What is done to the low-fidelity values of a property, and what that is worth.

    Attributes:
        property: its name.
        pairs: candidates with both values, from which it was learned.
        kind: ``none``, ``offset`` (one number is added) or ``line``: the one with the smallest leave-one-out error.
        slope: of the line; 1 for the other kinds.
        intercept: what is added, in the property's unit.
        low: smallest low_fidelity value among the pairs.
        high: largest of them.
        errors: leave-one-out errors of each kind that was considered; those of ``none`` are the raw disagreement.
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

        Verified candidates are the best ones, so their low-fidelity values span little: a line through them says
        nothing of values far away. Outside their range the correction stays what it is at the range's end.
        """
        if self.kind == "none":
            return values
        within = np.clip(values, self.low, self.high)
        return self.slope * within + self.intercept + (values - within)


def learn_correction(name: str, low_fidelity: Numbers, verified: Numbers) -> Correction:
    """Learns the correction of one property: nothing, an offset or a line, whichever predicts left-out pairs best.

    Of kinds that predict equally well the simpler is taken. A line that falls or is flat is not considered: it would
    say that low-fidelity values tell nothing, or the contrary.

    Args:
        name: of the property.
        low_fidelity: values by the objective that steers, of candidates that have both.
        verified: values by the stage that verifies, in the same order and unit.
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

    Fitted anew each time, for the formula of a line's left-out errors knows nothing of where the line ends.
    """
    errors = verified - low_fidelity
    for out in range(len(low_fidelity) if kind != "none" else 0):
        kept = np.arange(len(low_fidelity)) != out
        fitted = _fitted("", kind, low_fidelity[kept], verified[kept])
        errors[out] = verified[out] - fitted.apply(low_fidelity[[out]])[0]
    return Errors(mae=float(np.abs(errors).mean()), rmse=float(np.sqrt((errors**2).mean())))
