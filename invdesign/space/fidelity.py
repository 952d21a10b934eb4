"""Levels: the same property computed cheaply or truly, and what each way costs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Level:
    """The level at which a candidate is evaluated, such as xTB or DFT, as a column of the candidate.

    What is searched is the candidate, not the level: it takes no coordinate of the unit cube, and whatever a space
    draws, decodes or varies is at the truest level. Only an optimizer that weighs costs asks for a cheaper one.

    Attributes:
        costs: what one evaluation costs at each level, in any unit (hours, money); the cheapest first, the truest last.

    Raises:
        InputError: where there are fewer than two levels, or a cost is not positive or below that of a level before.
    """

    costs: Mapping[str, float]

    def __post_init__(self) -> None:
        if not isinstance(self.costs, Mapping) or len(self.costs) < 2:
            raise InputError(
                "Levels need two names or more with a cost each, the cheapest first and the truest last, such as "
                f"{{xTB: 1, DFT: 20}}, not {self.costs!r}."
            )
        before = 0.0
        for name, cost in self.costs.items():
            if not isinstance(name, str) or not name:
                raise InputError(f"A level is named by a word; {name!r} is none. Write '{name}' in quotes.")
            if isinstance(cost, bool) or not isinstance(cost, int | float) or not 0.0 < cost < math.inf:
                raise InputError(f"The level '{name}' needs a cost above zero, not {cost!r}.")
            if cost < before:
                raise InputError(
                    f"The level '{name}' costs {cost:g}, less than the {before:g} of the level before it. Name the "
                    "cheapest level first and the truest last; a level that is truer and cheaper needs no other."
                )
            before = float(cost)
        object.__setattr__(self, "costs", {name: float(cost) for name, cost in self.costs.items()})

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The levels, the cheapest first."""
        return tuple(self.costs)

    @property
    def truest(self) -> str:
        """The level whose values count."""
        return self.names[-1]

    @property
    def dimension(self) -> int:
        return 0

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
        words = np.asarray(values, dtype=object)
        for word in words:
            if word not in self.costs:
                raise InputError(f"{word!r} is not one of the levels.{nearest(str(word), self.names)}")
        return np.empty((len(words), 0))

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        return self._truest_of(len(points))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.empty((n, 0))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._truest_of(len(places))

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        return self._truest_of(len(np.asarray(values, dtype=object)))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        return self._truest_of(len(np.asarray(first, dtype=object)))

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        return None

    def column(self, name: str) -> Column:
        return Column(name, "level", values=self.names)

    def _truest_of(self, count: int) -> NDArray[np.object_]:
        return np.full(count, self.truest, dtype=object)
