"""One target on one property: an interval that is met or missed, or an objective to maximize or minimize.

Every target but Maximize and Minimize is an interval ``[low, high]`` of the property, with one or both ends. So met or
missed, shortfall and probability are each implemented once, for intervals. A target that asks for a probability is an
interval of the predictive mean, which is narrower the less certain the prediction is.
"""

from __future__ import annotations

import builtins
import math
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, ClassVar, Self, TypeAlias

import numpy as np

from invdesign.core.classes import class_name, class_property
from invdesign.core.errors import InputError, nearest
from invdesign.core.units import check_unit, conversion

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

    Numbers: TypeAlias = NDArray[np.float64]

EQUAL_TOLERANCE = 1e-9
"""Relative tolerance for equal numbers: the rounding error of a unit conversion."""
EVEN_CHANCE = 0.5
"""Probability from which a class is the likelier answer."""
NO_NUMBERS = ("property", "unit", "min_probability", "weight", "priority", "classes")
"""Attributes of a target that are not in its unit."""


@dataclass(frozen=True)
class Target:
    """A target on one property. Use one of Between, AtLeast, AtMost, CloseTo, Equals, Maximize, Minimize.

    Attributes:
        property: name of the property, as the objective gives it.
        unit: unit of the target's numbers, as pint reads it; None for the objective's own unit.
        min_probability: with which a prediction must meet the target to count as meeting it, between 0 and 1; None if
            its mean decides. Known values, without a standard deviation, are not affected.
        weight: by which a miss, or what is gained by optimizing, counts beside those of other targets.
        priority: 1 for the targets that come first; each further level counts a tenth of the one before while targets
            are missed, and orders candidates only where the levels before do not.
    """

    property: str  # the name in the campaign file; within this class the decorator is therefore builtins.property
    unit: str | None = field(default=None, kw_only=True)
    min_probability: float | None = field(default=None, kw_only=True)
    weight: float = field(default=1.0, kw_only=True)
    priority: int = field(default=1, kw_only=True)
    direction: ClassVar[int] = 0

    def __post_init__(self) -> None:
        if not self.property or not isinstance(self.property, str):
            raise InputError(f"A target needs the name of a property, not {self.property!r}.")
        check_unit(self.unit or "")
        if (
            isinstance(self.weight, bool)
            or not isinstance(self.weight, int | float)
            or not 0.0 < self.weight < math.inf
        ):
            raise InputError(f"Target on '{self.property}': the weight must be a number above 0, not {self.weight!r}.")
        if isinstance(self.priority, bool) or not isinstance(self.priority, int) or self.priority < 1:
            raise InputError(
                f"Target on '{self.property}': the priority must be a whole number from 1, not {self.priority!r}."
            )
        if self.min_probability is not None:
            if self.direction:
                raise InputError(f"'{self.property}' is optimized, which has no probability. Remove it.")
            if not (isinstance(self.min_probability, int | float) and 0.0 < self.min_probability < 1.0):
                raise InputError(
                    f"Target on '{self.property}': the probability must be above 0 and below 1, not "
                    f"{self.min_probability!r}."
                )
        for name, value in self._numbers().items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
                raise InputError(f"Target on '{self.property}': {name} must be a finite number, not {value!r}.")

    @builtins.property
    def interval(self) -> tuple[float, float]:
        """Bounds of the values that meet the target, in its unit; infinite for an open end."""
        return -math.inf, math.inf

    def met(self, values: ArrayLike, std: ArrayLike | None = None) -> NDArray[np.bool_]:
        """Whether values meet the target; NaN never does, and every other value meets Maximize and Minimize.

        Args:
            values: property values in the target's unit, any shape.
            std: their standard deviations, if they are predictions; only ``min_probability`` uses them.
        """
        array = np.asarray(values, dtype=np.float64)
        low, high, excess = self.bounds(std)
        return (array >= low) & (array <= high) & (excess == 0.0)

    def shortfall(self, values: ArrayLike, std: ArrayLike | None = None) -> NDArray[np.float64]:
        """Distance of values from meeting the target, in the property's unit: 0 if met, NaN for NaN.

        Args:
            values: property values in the target's unit, any shape.
            std: see ``met``.
        """
        return np.maximum(-self.margin(values, std), 0.0)

    def margin(self, values: ArrayLike, std: ArrayLike | None = None) -> NDArray[np.float64]:
        """Distance of values from the nearer bound, in the property's unit, negative if missed; see ``met``."""
        array = np.asarray(values, dtype=np.float64)
        low, high, excess = self.bounds(std)
        return np.where(excess > 0.0, -np.abs(array - low) - excess, np.minimum(array - low, high - array))

    def bounds(self, std: ArrayLike | None = None) -> tuple[Numbers, Numbers, Numbers]:
        """The interval in which a predictive mean meets the target.

        Args:
            std: standard deviations; None, zero or NaN for known values.

        Returns:
            Its lower and upper ends, and by how much the standard deviation is too large for any mean to meet the
            target (then both ends are its center), each with the shape of ``std``.
        """
        if std is None or self.min_probability is None:
            return np.asarray(self.interval[0]), np.asarray(self.interval[1]), np.asarray(0.0)
        from scipy.special import ndtri

        spread = np.nan_to_num(np.asarray(std, dtype=np.float64))
        low, high = (np.full_like(spread, end) for end in self.interval)
        excess = np.zeros_like(spread)
        if not np.isfinite(self.interval).all():
            shift = float(ndtri(self.min_probability)) * spread
            return low + shift, high - shift, excess
        center, half = 0.5 * (low + high), 0.5 * (high - low)
        excess = np.maximum(spread - half / float(ndtri(0.5 + 0.5 * self.min_probability)), 0.0)
        # By bisection: the probability falls with the distance of the mean from the center.
        near, far = np.zeros_like(spread), half + 10.0 * spread
        for _ in range(60):
            middle = 0.5 * (near + far)
            enough = self.probability(center + middle, spread) >= self.min_probability
            near, far = np.where(enough, middle, near), np.where(enough, far, middle)
        known = spread == 0.0
        reach = np.where(known, half, near)
        return center - reach, center + reach, np.where(known, 0.0, excess)

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
            certain = np.log(((mean_ >= low) & (mean_ <= high)).astype(np.float64))
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

    @builtins.property
    def importance(self) -> float:
        """By how much a miss counts while targets are missed: the weight, a tenth of it for each further priority."""
        return self.weight * 10.0 ** (1 - self.priority)

    @builtins.property
    def _ending(self) -> str:
        """The end of the target's text: its unit and the probability it asks for."""
        unit = f" {self.unit}" if self.unit else ""
        sure = f" with {100.0 * self.min_probability:g} %" if self.min_probability is not None else ""
        return f"{unit}{sure}{self._rank}"

    @builtins.property
    def _rank(self) -> str:
        """What else the target says as text, such as weight and priority where they are not 1."""
        words = ", ".join(self._further)
        return f" ({words})" if words else ""

    @builtins.property
    def _further(self) -> list[str]:
        weight = [f"weight {self.weight:g}"] if self.weight != 1.0 else []
        return weight + ([f"priority {self.priority}"] if self.priority != 1 else [])

    def _numbers(self) -> dict[str, float]:
        """The numbers of the target that a change of unit scales and shifts."""
        return {name: value for name, value in self.__dict__.items() if name not in NO_NUMBERS}

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
        return f"{self.property} between {self.low:g} and {self.high:g}{self._ending}"


@dataclass(frozen=True)
class AtLeast(Target):
    """The property is at least a value."""

    value: float

    @builtins.property
    def interval(self) -> tuple[float, float]:
        return self.value, math.inf

    def __str__(self) -> str:
        return f"{self.property} at least {self.value:g}{self._ending}"


@dataclass(frozen=True)
class AtMost(Target):
    """The property is at most a value."""

    value: float

    @builtins.property
    def interval(self) -> tuple[float, float]:
        return -math.inf, self.value

    def __str__(self) -> str:
        return f"{self.property} at most {self.value:g}{self._ending}"


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
        return f"{self.property} within {self.tolerance:g} of {self.value:g}{self._ending}"


@dataclass(frozen=True)
class Equals(Target):
    """The property equals a number up to rounding, or is of a class: for counts, charges and classes.

    A class is text, such as ``Equals("structure", "layered")``: its property is then the class's own,
    ``structure=layered``, and the target is met if that is the likelier answer (0.5), or as probable as
    ``min_probability`` asks. A laboratory may then measure classes by name, such as layered or spinel, if ``classes``
    lists all that there are. For measured numbers use another target: the probability of an exact number is almost zero
    under a continuous prediction; a search then uses the shortfall.
    """

    value: float | str
    classes: tuple[str, ...] = field(default=(), kw_only=True)

    def __post_init__(self) -> None:
        super().__post_init__()
        object.__setattr__(self, "classes", tuple(self.classes))
        if self.classes:
            self._check_classes()
        if isinstance(self.value, str) and class_property(self.property) == self.property:
            object.__setattr__(self, "property", class_name(self.property, self.value))

    @builtins.property
    def interval(self) -> tuple[float, float]:
        if isinstance(self.value, str):
            return max(EVEN_CHANCE, self.min_probability or 0.0), math.inf
        slack = EQUAL_TOLERANCE * max(1.0, abs(self.value))
        return self.value - slack, self.value + slack

    def bounds(self, std: ArrayLike | None = None) -> tuple[Numbers, Numbers, Numbers]:
        return super().bounds(None if isinstance(self.value, str) else std)

    def probability(self, mean: ArrayLike, std: ArrayLike) -> NDArray[np.float64]:
        """See ``Target.probability``; a classifier's mean is the probability of its class itself."""
        normal = super().probability(mean, std)
        if not isinstance(self.value, str):
            return normal
        mean_, std_ = np.asarray(mean, dtype=np.float64), np.asarray(std, dtype=np.float64)
        chance = np.clip(mean_, 0.0, 1.0)
        return np.where((std_ > 0.0) & np.isclose(std_**2, chance * (1.0 - chance), atol=1e-9), chance, normal)

    def _check_classes(self) -> None:
        name, listed = class_property(self.property), ", ".join(map(str, self.classes))
        if not isinstance(self.value, str):
            raise InputError(f"Target on '{name}': the number {self.value:g} has no classes. Remove them, or use text.")
        if len(set(self.classes)) < max(2, len(self.classes)) or not all(
            isinstance(one, str) and one == one.strip() != "" for one in self.classes
        ):
            raise InputError(f"Target on '{name}': classes must be at least two different texts, not [{listed}].")
        if self.value not in self.classes:
            raise InputError(
                f"Target on '{name}': '{self.value}' is not one of the classes {listed}."
                f"{nearest(self.value, self.classes)}"
            )

    def _numbers(self) -> dict[str, float]:
        return {} if isinstance(self.value, str) else super()._numbers()

    def __str__(self) -> str:
        name = class_property(self.property) if isinstance(self.value, str) else self.property
        value = self.value if isinstance(self.value, str) else f"{self.value:g}"
        return f"{name} equal to {value}{self._ending}"


@dataclass(frozen=True)
class Optimized(Target):
    """A property that is maximized or minimized; it cannot be met or missed. Use Maximize or Minimize.

    Attributes:
        reference: the worst value that counts, in the target's unit: this coordinate of the reference point from which
            the hypervolume of a front is measured. A candidate that is worse is not on the front. None if every value
            counts; a search then chooses the reference point itself, and the ends of a front are worth little.
    """

    reference: float | None = field(default=None, kw_only=True)

    def met(self, values: ArrayLike, std: ArrayLike | None = None) -> NDArray[np.bool_]:
        return ~np.isnan(np.asarray(values, dtype=np.float64))

    @builtins.property
    def limit(self) -> Target | None:
        """The target to be at least as good as the reference; None without one."""
        if self.reference is None:
            return None
        least = AtLeast if self.direction > 0 else AtMost
        return least(self.property, self.reference, unit=self.unit, weight=self.weight, priority=self.priority)

    @builtins.property
    def _further(self) -> list[str]:
        unit = f" {self.unit}" if self.unit else ""
        return [*([] if self.reference is None else [f"reference {self.reference:g}{unit}"]), *super()._further]

    def _numbers(self) -> dict[str, float]:
        return {} if self.reference is None else {"reference": self.reference}

    def __str__(self) -> str:
        return f"{'maximize' if self.direction > 0 else 'minimize'} {self.property}{self._rank}"


@dataclass(frozen=True)
class Maximize(Optimized):
    """The larger the property, the better; it cannot be met or missed."""

    direction: ClassVar[int] = 1


@dataclass(frozen=True)
class Minimize(Optimized):
    """The smaller the property, the better; it cannot be met or missed."""

    direction: ClassVar[int] = -1
