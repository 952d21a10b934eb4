"""One target on one property: an interval that is met or missed, or an objective to maximize or minimize.

Every target but Maximize and Minimize is an interval ``[low, high]`` of the property, with one or both ends. So met or
missed, shortfall and probability are each implemented once, for intervals.
"""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self

import numpy as np

from invdesign.core.errors import InputError
from invdesign.core.units import check_unit, conversion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

EQUAL_TOLERANCE = 1e-9
"""Relative tolerance for equal numbers: the rounding error of a unit conversion."""


@dataclass(frozen=True)
class Target:
    """A target on one property. Use one of Between, AtLeast, AtMost, CloseTo, Equals, Maximize, Minimize.

    Attributes:
        property: name of the property, as the objective gives it.
        unit: unit of the target's numbers, as pint reads it; None for the objective's own unit.
    """

    property: str  # the name in the campaign file; within this class the decorator is therefore builtins.property
    unit: str | None = field(default=None, kw_only=True)
    direction: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if not self.property or not isinstance(self.property, str):
            raise InputError(f"A target needs the name of a property, not {self.property!r}.")
        check_unit(self.unit or "")
        for name, value in self._numbers().items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(f"Target on '{self.property}': {name} must be a finite number, not {value!r}.")

    @builtins.property
    def interval(self) -> tuple[float, float]:
        """Bounds of the values that meet the target, in its unit; infinite for an open end."""
        return -math.inf, math.inf

    def met(self, values: ArrayLike) -> NDArray[np.bool_]:
        """Whether values meet the target; NaN never does, and every other value meets Maximize and Minimize.

        Args:
            values: property values in the target's unit, any shape.
        """
        array = np.asarray(values, dtype=np.float64)
        low, high = self.interval
        return (array >= low) & (array <= high)

    def shortfall(self, values: ArrayLike) -> NDArray[np.float64]:
        """Distance of values from meeting the target, in the property's unit: 0 if met, NaN for NaN.

        Args:
            values: property values in the target's unit, any shape.
        """
        array = np.asarray(values, dtype=np.float64)
        low, high = self.interval
        return np.maximum(np.maximum(low - array, array - high), 0.0)

    def log_probability(self, mean: ArrayLike, std: ArrayLike) -> NDArray[np.float64]:
        """Natural logarithm of the probability of meeting the target under a normal prediction.

        Exact far into the tails, where the probability itself underflows to zero: the logarithm still ranks
        candidates there.

        Args:
            mean: predictive means, any shape, in the target's unit.
            std: predictive standard deviations, same shape; zero for a known value.
        """
        from scipy.special import log_ndtr

        mean_, std_ = np.asarray(mean, dtype=np.float64), np.asarray(std, dtype=np.float64)
        low, high = self.interval
        if not (math.isfinite(low) or math.isfinite(high)):
            return np.zeros_like(mean_)
        safe = np.where(std_ > 0.0, std_, 1.0)
        if not math.isfinite(low):
            log_p = log_ndtr((high - mean_) / safe)
        elif not math.isfinite(high):
            log_p = log_ndtr((mean_ - low) / safe)
        else:
            # Both ends are computed from the nearer tail, to avoid cancellation.
            center = 0.5 * (low + high)
            distance = np.abs(mean_ - center)
            upper = log_ndtr((0.5 * (high - low) - distance) / safe)
            lower = log_ndtr((-0.5 * (high - low) - distance) / safe)
            with np.errstate(divide="ignore"):
                log_p = upper + np.log1p(-np.exp(np.minimum(lower - upper, 0.0)))
        with np.errstate(divide="ignore"):
            certain = np.log(self.met(mean_).astype(np.float64))
        return np.where(std_ > 0.0, log_p, certain)

    def probability(self, mean: ArrayLike, std: ArrayLike) -> NDArray[np.float64]:
        """Probability of meeting the target under a normal prediction; arguments as for ``log_probability``."""
        return np.exp(self.log_probability(mean, std))

    def in_unit(self, unit: str) -> Self:
        """Returns the same target with its numbers in another unit.

        Raises:
            InputError: if the target's unit cannot be converted to ``unit``.
        """
        if self.unit is None or self.unit == unit:
            return replace(self, unit=unit)
        try:
            factor, offset = conversion(self.unit, unit)
        except InputError as error:
            raise InputError(f"Target on '{self.property}': {error}") from None
        return self._converted(factor, offset, unit)

    def _numbers(self) -> dict[str, float]:
        """The numbers of the target that a change of unit scales and shifts."""
        return {name: value for name, value in self.__dict__.items() if name not in ("property", "unit")}

    def _converted(self, factor: float, offset: float, unit: str) -> Self:
        numbers = {name: factor * value + offset for name, value in self._numbers().items()}
        return replace(self, **numbers, unit=unit)  # type: ignore[arg-type]


@dataclass(frozen=True)
class Between(Target):
    """The property lies between two values, inclusive."""

    low: float
    high: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.low >= self.high:
            raise InputError(
                f"Target on '{self.property}': between needs the lower value first, not [{self.low}, {self.high}]."
            )

    @builtins.property
    def interval(self) -> tuple[float, float]:
        return self.low, self.high

    def __str__(self) -> str:
        return f"{self.property} between {self.low:g} and {self.high:g}{_shown(self.unit)}"


@dataclass(frozen=True)
class AtLeast(Target):
    """The property is at least a value."""

    value: float

    @builtins.property
    def interval(self) -> tuple[float, float]:
        return self.value, math.inf

    def __str__(self) -> str:
        return f"{self.property} at least {self.value:g}{_shown(self.unit)}"


@dataclass(frozen=True)
class AtMost(Target):
    """The property is at most a value."""

    value: float

    @builtins.property
    def interval(self) -> tuple[float, float]:
        return -math.inf, self.value

    def __str__(self) -> str:
        return f"{self.property} at most {self.value:g}{_shown(self.unit)}"


@dataclass(frozen=True)
class CloseTo(Target):
    """The property lies within a tolerance of a value."""

    value: float
    tolerance: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.tolerance <= 0:
            raise InputError(
                f"Target on '{self.property}': the tolerance must be positive, not {self.tolerance}. "
                "For an exact value, use equals."
            )

    @builtins.property
    def interval(self) -> tuple[float, float]:
        return self.value - self.tolerance, self.value + self.tolerance

    def _converted(self, factor: float, offset: float, unit: str) -> Self:
        # A tolerance is a difference: a change of unit scales it but does not shift it.
        return replace(self, value=factor * self.value + offset, tolerance=abs(factor) * self.tolerance, unit=unit)

    def __str__(self) -> str:
        return f"{self.property} within {self.tolerance:g} of {self.value:g}{_shown(self.unit)}"


@dataclass(frozen=True)
class Equals(Target):
    """The property equals a value up to rounding: for counts, charges and classes, not for measured numbers.

    Its probability under a continuous prediction is almost zero; a search then uses the shortfall.
    """

    value: float

    @builtins.property
    def interval(self) -> tuple[float, float]:
        slack = EQUAL_TOLERANCE * max(1.0, abs(self.value))
        return self.value - slack, self.value + slack

    def __str__(self) -> str:
        return f"{self.property} equal to {self.value:g}{_shown(self.unit)}"


@dataclass(frozen=True)
class Maximize(Target):
    """The larger the property, the better; it cannot be met or missed."""

    direction: ClassVar[int] = 1

    def met(self, values: ArrayLike) -> NDArray[np.bool_]:
        return ~np.isnan(np.asarray(values, dtype=np.float64))

    def __str__(self) -> str:
        return f"maximize {self.property}"


@dataclass(frozen=True)
class Minimize(Target):
    """The smaller the property, the better; it cannot be met or missed."""

    direction: ClassVar[int] = -1

    def met(self, values: ArrayLike) -> NDArray[np.bool_]:
        return ~np.isnan(np.asarray(values, dtype=np.float64))

    def __str__(self) -> str:
        return f"minimize {self.property}"


def _shown(unit: str | None) -> str:
    return f" {unit}" if unit else ""
