"""A candidate's cell: every parameter that follows from the given ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from invdesign.objectives.cell import parameters as names
from invdesign.objectives.cell.balance import Balance, PublishedBalance, capacity, published_balance
from invdesign.objectives.cell.parameters import N_P_RATIO, Published

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invdesign.objectives.cell.model import Direction

Array = NDArray[np.float64]

_SIDES = (
    ("negative", names.NEGATIVE_POROSITY, names.NEGATIVE_ACTIVE),
    ("positive", names.POSITIVE_POROSITY, names.POSITIVE_ACTIVE),
)


class Cell:
    """The published cell of a parameter set and the designs derived from it; slow parts are cached.

    Attributes:
        overrides: numbers that replace those of the set for every design, geometry excepted.
        fixed: geometry (or N/P ratio) that is the same for every design.
        published: the published cell.
        window: lower and upper voltage limit, V.
        balance: the values that every design inherits.
    """

    def __init__(
        self,
        parameter_set: str,
        parameters: Mapping[str, float],
        *,
        voltage_window: tuple[float, float] | None,
        temperature: float | None,
    ) -> None:
        """Reads the set.

        Args:
            parameter_set: a PyBaMM parameter set.
            parameters: fixed numbers that replace the set's.
            voltage_window: lower and upper voltage limit, V; None for the set's own.
            temperature: K; None for the set's own.

        Raises:
            InputError: if the set is unknown or lacks needed parameters.
        """
        self.fixed = {name: value for name, value in parameters.items() if name in names.GEOMETRY or name == N_P_RATIO}
        self.overrides = {name: float(value) for name, value in parameters.items() if name not in self.fixed}
        if temperature is not None:
            self.overrides |= {"Ambient temperature [K]": temperature, "Initial temperature [K]": temperature}
        self.published: Published = names.published(parameter_set, self.overrides)
        self.window = voltage_window or (self.published[names.LOWER_VOLTAGE], self.published[names.UPPER_VOLTAGE])
        self.balance: PublishedBalance = published_balance(parameter_set, self.overrides, self.window)

    def design(self, values: Mapping[str, Array], reasons: list[str | None]) -> dict[str, Array]:
        """Completes the designs: every geometric parameter, and all others that candidates vary.

        Args:
            values: the candidates' values, in PyBaMM's units.
            reasons: receives a reason if a design's volume fractions do not fit.
        """
        count = len(reasons)
        values = {**values, **{name: np.full(count, float(number)) for name, number in self.fixed.items()}}
        complete = {name: np.full(count, self.published[name]) for name in names.GEOMETRY}
        complete |= {name: number for name, number in values.items() if name != N_P_RATIO}
        for side, porosity, active in _SIDES:
            if porosity in values and active not in values:
                inactive = 1.0 - self.published[porosity] - self.published[active]
                complete[active] = 1.0 - complete[porosity] - inactive
            self._check_volume(side, complete[porosity], complete[active], reasons)
        for row in np.flatnonzero(complete[names.SEPARATOR_POROSITY] > 1.0):
            reasons[row] = reasons[row] or "infeasible: the separator's porosity is above 1"
        if N_P_RATIO in values:
            per_metre = capacity(
                np.ones(count), complete[names.NEGATIVE_ACTIVE], self._maximum(names.NEGATIVE_MAXIMUM, complete)
            )
            wanted = self.balance.negative_capacity(self._positive(complete), values[N_P_RATIO])
            with np.errstate(divide="ignore", invalid="ignore"):
                complete[names.NEGATIVE_THICKNESS] = wanted / per_metre
        return complete

    @staticmethod
    def _check_volume(side: str, porosity: Array, active: Array, reasons: list[str | None]) -> None:
        for row in np.flatnonzero((porosity + active > 1.0 + 1e-9) | (active <= 0.0)):
            if reasons[row] is None:
                reasons[row] = (
                    f"infeasible: in the {side} electrode a porosity of {porosity[row]:.4g} and an active-material "
                    f"fraction of {active[row]:.4g} sum to more than 1"
                )

    def _maximum(self, name: str, design: Mapping[str, Array]) -> Array:
        return design[name] if name in design else np.full_like(design[names.POSITIVE_THICKNESS], self.published[name])

    def _positive(self, design: Mapping[str, Array]) -> Array:
        maximum = self._maximum(names.POSITIVE_MAXIMUM, design)
        return capacity(design[names.POSITIVE_THICKNESS], design[names.POSITIVE_ACTIVE], maximum)

    def solve(self, design: Mapping[str, Array]) -> Balance:
        """Returns the stoichiometries and capacities of feasible designs."""
        maximum = self._maximum(names.NEGATIVE_MAXIMUM, design)
        negative = capacity(design[names.NEGATIVE_THICKNESS], design[names.NEGATIVE_ACTIVE], maximum)
        return self.balance.solve(negative, self._positive(design))

    def varied(self, given: Mapping[str, object]) -> list[str]:
        """Returns the parameters that differ between designs or from the set: those given, and those that follow.

        Args:
            given: the candidates' values, by PyBaMM's names.
        """
        changed = {*given, *self.fixed}
        follow = {active for _, porosity, active in _SIDES if porosity in changed}
        if N_P_RATIO in changed:
            follow.add(names.NEGATIVE_THICKNESS)
        return sorted((changed | follow) - {N_P_RATIO})

    def protocol(
        self, design: Mapping[str, Array], balance: Balance, direction: Direction, rate: float
    ) -> dict[str, Array]:
        """Returns current and initial concentrations of a protocol.

        Args:
            design: complete and feasible designs.
            balance: their balance.
            direction: a discharge starts from each design's own 100 %, a charge from its own 0 %, a pulse half-way.
            rate: 1/h, of each design's own capacity.
        """
        area = self.published["Electrode height [m]"] * self.published["Electrode width [m]"]
        area *= self.published["Number of electrodes connected in parallel to make a cell"]
        sign = -1.0 if direction == "charge" else 1.0  # PyBaMM counts a discharge as positive
        full = {"discharge": 1.0, "charge": 0.0, "pulse": 0.5}[direction]
        x = full * balance.x_100 + (1.0 - full) * balance.x_0
        y = full * balance.y_100 + (1.0 - full) * balance.y_0
        return {
            names.CURRENT: sign * rate * balance.reversible * area,
            names.NEGATIVE_INITIAL: x * self._maximum(names.NEGATIVE_MAXIMUM, design),
            names.POSITIVE_INITIAL: y * self._maximum(names.POSITIVE_MAXIMUM, design),
        }
