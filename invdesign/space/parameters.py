"""Numeric and categorical parameters, and the interface of all parameters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, Protocol, runtime_checkable

import numpy as np
from pydantic import AfterValidator, Field

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import Real, bounded, settings
from invdesign.core.units import Unit
from invdesign.space.cube_moves import from_either, polynomial_mutation, simulated_binary_crossover

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

MOST_STEPS = 100_000
"""Largest number of steps of a parameter."""


@runtime_checkable
class Parameter(Protocol):
    """One column of a candidate, and its encoding in the unit cube.

    Every point of the cube decodes to a valid value of the parameter.
    """

    @property
    def dimension(self) -> int:
        """Number of coordinates of the parameter in the unit cube."""

    @property
    def size(self) -> float:
        """Number of values of the parameter; infinite for a continuous one."""

    @property
    def size_is_exact(self) -> bool:
        """False if ``size`` is an estimate; ``at`` cannot be used then."""

    @property
    def is_even(self) -> bool:
        """True if uniform points of the cube decode to uniformly distributed values."""

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        """Encodes values in the unit cube.

        Args:
            values: shape ``n``.

        Returns:
            Shape ``n x dimension``.

        Raises:
            InputError: if a value is not one of the parameter's.
        """

    def decode(self, points: NDArray[np.float64]) -> NDArray[Any]:
        """Decodes points of the unit cube, shape ``n x dimension``; the inverse of ``encode``."""

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Draws points of the cube, shape ``n x dimension``, that decode to uniformly distributed values."""

    def at(self, places: NDArray[np.int64]) -> NDArray[Any]:
        """The values at indices of the parameter's own order, ``0 <= place < size``; only if ``size`` is finite."""

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[Any]:
        """One child of each value, a small change away; the value itself if no other was found.

        Args:
            values: of the parameter, shape ``n``.
            rng: source of randomness.
            step: mean size of a change, as a share of the range; kinds without a distance may ignore it.
        """

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[Any]:
        """One child of each pair of values; it may equal a parent.

        Args:
            first: values of the parameter, shape ``n``.
            second: the other parents, shape ``n``.
            rng: source of randomness.
        """

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """A number derived from each value, such as the cobalt in a formula, for constraints ``column.name``.

        Args:
            name: of the quantity.
            values: of the parameter.

        Returns:
            Shape ``n``; None if the parameter has no quantity of that name.
        """

    def column(self, name: str) -> Column:
        """Describes the parameter's column to surrogates and objectives."""


@runtime_checkable
class Canonical(Protocol):
    """A parameter whose values can be written in several ways, of which the space uses one."""

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        """Values in the form of the space, shape ``n``; what cannot be read stays as it is.

        Args:
            values: shape ``n``, as written by a user: ``OCC`` for ``CCO``, ``3.0`` for ``3``.
        """


@runtime_checkable
class Sampled(Protocol):
    """A parameter that builds its values, which takes less time than encoding them in the unit cube."""

    def sampled(self, n: int, rng: np.random.Generator) -> NDArray[Any]:
        """Draws values, shape ``n``: those to which the points of ``draw`` decode."""


@runtime_checkable
class Seeded(Protocol):
    """A parameter with values that the user wants to be evaluated first."""

    @property
    def seeds(self) -> Sequence[str]:
        """The values, in the user's order."""


@runtime_checkable
class Proposing(Protocol):
    """A parameter whose values may be made a little different from what was proposed."""

    def as_proposed(self, values: ArrayLike) -> NDArray[Any]:
        """The nearest values that the space would propose, shape ``n``.

        Args:
            values: of the parameter, as they were made.
        """


@runtime_checkable
class Measurable(Protocol):
    """A parameter whose values may be measured outside of the space, because they can be read all the same."""

    def misfits(self, values: ArrayLike) -> list[str]:
        """One sentence for each value that is outside of the space, empty if it is inside.

        Raises:
            InputError: if a value cannot be read.
        """

    def nearest(self, values: ArrayLike) -> NDArray[Any]:
        """The nearest values of the space, shape ``n``."""


@runtime_checkable
class Listed(Protocol):
    """A parameter of molecules or words, of which others that can be read may be measured."""

    @property
    def learnable(self) -> bool:
        """Whether a model can learn from values that are not in the space."""

    def unlisted(self, values: ArrayLike) -> list[str]:
        """One sentence for each value that is not in the space, empty if it is.

        Raises:
            InputError: if a value cannot be read, or must be one of the space that is written differently.
        """


@runtime_checkable
class FromSource(Protocol):
    """A parameter that is read from a source, parts of which may be invalid."""

    def source_remark(self) -> str:
        """One sentence on what was left out of the source, with lines and reasons; empty if nothing was."""


def each_or_given(values: ArrayLike, convert: Callable[[Any], Any]) -> NDArray[np.object_]:
    """Converts values one by one; one that is invalid stays as it is, for the message of whoever checks it.

    Args:
        values: shape ``n``.
        convert: gives the converted value, or raises ValueError or TypeError (InputError is a ValueError).
    """
    found = np.array(values, dtype=object)
    for row, value in enumerate(found):
        try:
            found[row] = convert(value)
        except (ValueError, TypeError):
            continue
    return found


class PlainParameter:
    """Shared implementation of parameters that are uniform in the cube and have no derived numbers.

    Values are varied by their coordinates in the cube, unless a subclass overrides it.
    """

    @property
    def dimension(self) -> int:
        return 1

    @property
    def size_is_exact(self) -> bool:
        return True

    @property
    def is_even(self) -> bool:
        return True

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return rng.random((n, self.dimension))

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        return None

    def mutated(self: Parameter, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[Any]:
        return self.decode(polynomial_mutation(self.encode(values), rng, step))

    def crossed(self: Parameter, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[Any]:
        return self.decode(simulated_binary_crossover(self.encode(first), self.encode(second), rng))


@settings
class Continuous(PlainParameter):
    """A real number between two bounds, inclusive; with ``step`` or ``values``, one that a laboratory can set.

    Example:
        >>> Continuous(700, 950, unit="degC", step=10)
        >>> Continuous(values=[0.5, 1, 2], unit="mol/l")

    Raises:
        InputError: if the bounds are not finite, not in order, or not positive for a logarithmic scale, or the step
            does not divide the range.
    """

    low: Real | None = None
    """Smallest value, in ``unit``; not with ``values``."""
    high: Real | None = None
    """Largest value, in ``unit``; not with ``values``."""
    unit: Unit = ""
    """Unit as pint reads it, such as ``um`` or ``degC``; empty for dimensionless."""
    log: bool = False
    """Whether to sample, search and model the logarithm, for values that span orders of magnitude."""
    step: float | None = bounded(default=None, gt=0)
    """Proposed values are ``low`` and whole steps above it; results may lie between them."""
    values: Annotated[Sequence[Real], Field(min_length=2, max_length=MOST_STEPS), AfterValidator(tuple)] | None = None
    """The values that are proposed, in ``unit``, instead of bounds and a step; results may lie between them."""

    def __post_init__(self) -> None:
        if self.values is not None:
            if not (self.low is self.high is self.step is None):
                raise InputError("values already are the values to propose. Remove low, high and step.")
            if len(set(self.values)) < len(self.values):
                raise InputError("values contains a value more than once. List each once.")
        elif self.low is None or self.high is None:
            missing = "low" if self.low is None else "high"
            raise InputError(
                f"The setting '{missing}' is missing: a continuous parameter needs low and high, or values."
            )
        else:
            _check_bounds(self.low, self.high)
        low, high = self.bounds
        if self.log and low <= 0:
            raise InputError(f"A logarithmic parameter needs a positive lower bound, not {low}.")
        if self.step is not None:
            steps = round((high - low) / self.step)
            if steps < 1 or abs(low + steps * self.step - high) > 1e-6 * self.step:
                fitting = low + max(1, math.floor((high - low) / self.step)) * self.step
                raise InputError(
                    f"A step of {self.step:g} does not divide the range from {low:g} to {high:g}. "
                    f"Use an upper bound such as {fitting:g}, or another step."
                )
            if steps >= MOST_STEPS:
                raise InputError(f"A step of {self.step:g} gives more than {MOST_STEPS:,} values. Use a larger one.")

    @property
    def bounds(self) -> tuple[float, float]:
        """Smallest and largest value, in ``unit``."""
        if self.values is not None:
            return min(self.values), max(self.values)
        return self.low or 0.0, self.high or 0.0

    @cached_property
    def grid(self) -> NDArray[np.float64] | None:
        """The values that are proposed, in order; None if there are no steps."""
        if self.values is not None:
            return np.sort(np.array(self.values, dtype=np.float64))
        if self.step is None:
            return None
        low, high = self.bounds
        digits = max(decimals(low), decimals(self.step))
        return np.round(low + np.arange(round((high - low) / self.step) + 1) * self.step, digits)

    @property
    def tolerance(self) -> float:
        """The largest difference between what was proposed and what was made: half a step, or 0.001 of the range."""
        low, high = self.bounds
        return 1e-3 * (high - low) if self.grid is None else float(np.diff(self.grid).max()) / 2.0

    @property
    def size(self) -> float:
        return math.inf if self.grid is None else len(self.grid)

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        low, high = self.bounds
        array = _numbers(values, low=low, high=high, slack=self.tolerance)
        if self.grid is not None:
            return ((np.interp(array, self.grid, np.arange(len(self.grid))) + 0.5) / len(self.grid))[:, None]
        least, greatest = self._scaled_bounds
        scaled = np.log(array) if self.log else array
        return np.clip((scaled - least) / (greatest - least), 0.0, 1.0)[:, None]

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        if self.grid is not None:
            return self.grid[_cells(points[:, 0], len(self.grid))]
        low, high = self._scaled_bounds
        scaled = low + points[:, 0] * (high - low)
        return np.clip(np.exp(scaled) if self.log else scaled, *self.bounds)

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.float64]:
        """Another number each; the next above or below if there are steps and the change is shorter than one."""
        moved = PlainParameter.mutated(self, values, rng, step=step)
        if self.grid is None:
            return moved
        places = _cells(self.encode(values)[:, 0], len(self.grid))
        after = _cells(self.encode(moved)[:, 0], len(self.grid))
        return self.grid[_other_steps(places, after, len(self.grid), rng)]

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        return each_or_given(values, _number)

    def as_proposed(self, values: ArrayLike) -> NDArray[np.float64]:
        """The nearest values on the steps; without steps the values themselves."""
        return np.asarray(values, dtype=np.float64) if self.grid is None else self.decode(self.encode(values))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.float64]:
        if self.grid is None:
            raise InputError("A continuous parameter cannot be enumerated. Give it a step.")
        return self.grid[places]

    def column(self, name: str) -> Column:
        return Column(name, "number", bounds=self.bounds, unit=self.unit, log=self.log)

    @property
    def _scaled_bounds(self) -> tuple[float, float]:
        low, high = self.bounds
        return (math.log(low), math.log(high)) if self.log else (low, high)


@settings
class Integer(PlainParameter):
    """A whole number between two bounds, inclusive.

    Raises:
        InputError: if the bounds are not whole or not in order.
    """

    low: int = bounded()
    """Smallest value, in ``unit``."""
    high: int = bounded()
    """Largest value, in ``unit``."""
    unit: str = ""
    """Unit as pint reads it; empty for a count."""

    def __post_init__(self) -> None:
        _check_bounds(self.low, self.high)

    @property
    def size(self) -> float:
        return self.high - self.low + 1

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        array = _numbers(values, low=self.low, high=self.high, slack=0.0)
        if (array != np.round(array)).any():
            raise InputError(f"{array[array != np.round(array)][0]:g} is not a whole number.")
        return ((array - self.low + 0.5) / self.size)[:, None]

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        return _cells(points[:, 0], int(self.size)) + int(self.low)

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.int64]:
        """Another number each; the next above or below if the step is shorter than one."""
        numbers = np.asarray(values, dtype=np.int64)
        moved = self.decode(polynomial_mutation(self.encode(numbers), rng, step))
        return _other_steps(numbers - self.low, moved - self.low, int(self.size), rng) + int(self.low)

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        return each_or_given(values, lambda value: int(number) if (number := _number(value)).is_integer() else number)

    def at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.asarray(places, dtype=np.int64) + int(self.low)

    def column(self, name: str) -> Column:
        return Column(name, "number", bounds=(float(self.low), float(self.high)), unit=self.unit)


@settings
class Categorical(PlainParameter):
    """One of several values without an order.

    In the unit cube each value has one coordinate, and the largest coordinate selects it, so that all values are
    equally distant.

    Raises:
        InputError: if there are fewer than two, or one is repeated.
    """

    values: Annotated[Sequence[str], Field(min_length=2), AfterValidator(tuple)]
    """The values, at least two, each once."""

    def __post_init__(self) -> None:
        repeated = sorted({word for word in self.values if self.values.count(word) > 1})
        if repeated:
            raise InputError(f"A categorical parameter lists '{repeated[0]}' more than once.")

    @property
    def dimension(self) -> int:
        return len(self.values)

    @property
    def size(self) -> float:
        return len(self.values)

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        position = {word: place for place, word in enumerate(self.values)}
        words = np.asarray(values, dtype=object)
        for word in words:
            if word not in position:
                raise InputError(f"{word!r} is not one of the values.{nearest(str(word), self.values)}")
        points = np.zeros((len(words), len(self.values)))
        points[np.arange(len(words)), [position[word] for word in words]] = 1.0
        return points

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        return np.asarray(self.values, dtype=object)[np.argmax(points, axis=1)]

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        """Another value each, all others equally likely."""
        places = np.argmax(self.encode(values), axis=1)
        return self.at((places + rng.integers(1, len(self.values), len(places))) % len(self.values))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        return from_either(np.asarray(first, dtype=object), np.asarray(second, dtype=object), rng)

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        """Numbers as the words that they are: a table without quotation marks has 2 for '2'."""
        return each_or_given(values, self._word)

    @property
    def learnable(self) -> bool:
        """Nothing is known of a word but how often it was measured."""
        return False

    def unlisted(self, values: ArrayLike) -> list[str]:
        plain = {_letters(word): word for word in self.values}
        found = []
        for word in np.asarray(values, dtype=object):
            if word in self.values:
                found.append("")
                continue
            if not isinstance(word, str) or _letters(word) in plain:
                raise InputError(f"{word!r} is not one of the values.{nearest(str(word), self.values)}")
            found.append(f"{word!r} is not one of the values.{nearest(word, self.values)} The model does not use it.")
        return found

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return np.asarray(self.values, dtype=object)[places]

    def _word(self, value: Any) -> Any:
        whole = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        return next((word for word in (value, str(value), whole) if word in self.values), value)

    def column(self, name: str) -> Column:
        return Column(name, "category", values=self.values)


def _letters(word: str) -> str:
    """A word without case, spaces and punctuation: what differs in these alone is a slip."""
    return "".join(letter for letter in word.casefold() if letter.isalnum())


@dataclass(frozen=True)
class Pinned:
    """A parameter of which only one value is proposed; all of its values can be encoded.

    Attributes:
        parameter: the whole parameter.
        value: as the parameter writes it.
    """

    parameter: Parameter
    value: Any

    @property
    def dimension(self) -> int:
        return self.parameter.dimension

    @property
    def size(self) -> float:
        return 1

    @property
    def size_is_exact(self) -> bool:
        return True

    @property
    def is_even(self) -> bool:
        return True

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        return self.parameter.encode(values)

    def decode(self, points: NDArray[np.float64]) -> NDArray[Any]:
        return self._repeated(len(points))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.repeat(self.parameter.encode(self._repeated(1)), n, axis=0)

    def at(self, places: NDArray[np.int64]) -> NDArray[Any]:
        return self._repeated(len(places))

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[Any]:
        return self._repeated(len(np.asarray(values, dtype=object)))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[Any]:
        return self._repeated(len(np.asarray(first, dtype=object)))

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        return self.parameter.derived(name, values)

    def column(self, name: str) -> Column:
        return self.parameter.column(name)

    def _repeated(self, n: int) -> NDArray[Any]:
        kind = object if isinstance(self.value, str) else type(self.value)
        return np.full(n, self.value, dtype=kind)


def _number(value: Any) -> float:
    if isinstance(value, bool | np.bool_):
        raise TypeError
    return float(value)


def _check_bounds(low: float, high: float) -> None:
    if low >= high:
        raise InputError(f"The lower bound must be below the upper one, not {low} and {high}.")


def _cells(coordinates: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The step, from 0 to ``count - 1``, of each coordinate of the unit interval; all have cells of one width."""
    return np.clip(np.floor(coordinates * count).astype(np.int64), 0, count - 1)


def _other_steps(
    before: NDArray[np.int64], after: NDArray[np.int64], count: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """``after``, or a step next to ``before`` if it is the same."""
    beside = before + np.where(rng.random(len(before)) < 0.5, -1, 1)
    inside = np.where(beside < 0, before + 1, np.where(beside >= count, before - 1, beside))
    return np.where(after == before, inside, after)


def decimals(value: float) -> int:
    """Number of decimals of a number, without errors of rounding: 0.1 + 0.2 has one."""
    exponent = Decimal(repr(round(float(value), 9))).normalize().as_tuple().exponent
    return max(0, -int(exponent))


def is_smooth(parameter: object) -> bool:
    """Whether a parameter is a number without steps, along which functions have a gradient."""
    return isinstance(parameter, Continuous) and parameter.grid is None


def _numbers(values: ArrayLike, *, low: float, high: float, slack: float) -> NDArray[np.float64]:
    """Converts values to numbers within bounds; an overshoot by at most ``slack`` or by rounding is clipped."""
    try:
        array = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Values must be numbers, not {list(np.asarray(values, dtype=object)[:3])}.") from None
    slack = slack + 1e-9 * (high - low)
    outside = ~((array >= low - slack) & (array <= high + slack))
    if outside.any():
        raise InputError(f"{array[outside][0]:g} lies outside [{low:g}, {high:g}].")
    return np.clip(array, low, high)
