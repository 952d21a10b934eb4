"""Fidelities: the same property computed at different accuracies and costs."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field, Strict

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import settings

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


FidelityName = Annotated[str, Field(min_length=1)]
Cost = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]


@settings
class Fidelity:
    """The fidelity at which a candidate is evaluated, such as xTB or DFT, as a column of the candidate.

    The fidelity is not searched: it has no coordinate of the unit cube, and whatever a space
    draws, decodes or varies is at the target fidelity. Only an optimizer that considers costs uses a lower one.

    Raises:
        InputError: if there are fewer than two fidelities, or a cost is not positive or below that of a fidelity
            before.
    """

    costs: Annotated[dict[FidelityName, Cost], Field(min_length=2)]
    """Cost of one evaluation at each fidelity, in any unit (hours, money); the cheapest first, the target fidelity
    last."""

    def __post_init__(self) -> None:
        before = 0.0
        for name, cost in self.costs.items():
            if cost < before:
                raise InputError(
                    f"The fidelity '{name}' costs {cost:g}, less than the {before:g} of the one before it. List the "
                    "cheapest fidelity first and the target fidelity last."
                )
            before = cost

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The fidelities, cheapest first."""
        return tuple(self.costs)

    @property
    def target(self) -> str:
        """The target fidelity."""
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
                raise InputError(f"{word!r} is not one of the fidelities.{nearest(str(word), self.names)}")
        return np.empty((len(words), 0))

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        return self._target_values(len(points))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.empty((n, 0))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._target_values(len(places))

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        return self._target_values(len(np.asarray(values, dtype=object)))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        return self._target_values(len(np.asarray(first, dtype=object)))

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        return None

    def column(self, name: str) -> Column:
        return Column(name, "fidelity", values=self.names)

    def _target_values(self, count: int) -> NDArray[np.object_]:
        return np.full(count, self.target, dtype=object)
