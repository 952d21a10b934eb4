"""Lithium inventory, stoichiometry windows and the N/P ratio of cells, for many designs at once.

All cyclable lithium comes with the positive electrode, as in a real cell that is built discharged. What is taken
from the published cell is the share of the positive electrode's sites that cyclable lithium would fill,
``(x Q_n + y Q_p) / Q_p`` with the published initial concentrations x and y; a thicker positive electrode brings more
lithium, a thicker negative electrode none. The stoichiometries at both voltage limits then follow from

    U_p(y) - U_n(x) = V    and    x Q_n + y Q_p = Q_Li,

the equations of PyBaMM's ElectrodeSOHSolver (Mohtat et al. 2019, doi:10.1016/j.jpowsour.2019.03.104), solved here
for all designs together (Chandrupatla's bracketing method), because that solver takes a quarter of a second per design.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize.elementwise import find_root

from invdesign.objectives.cell import parameters as names
from invdesign.objectives.cell.parameters import FARADAY, Published, load_pybamm, load_set

Array = NDArray[np.float64]
Potential = Callable[[Array], Array]

_TOLERANCES = {"xatol": 1e-11, "xrtol": 0.0, "fatol": 0.0, "frtol": 0.0}
_EDGE = 1e-10  # PyBaMM's potentials go to infinity at 0 and 1, so that a root lies between these


def capacity(thickness: Array, active: Array, maximum: Array) -> Array:
    """Returns an electrode's areal capacity from stoichiometry 0 to 1, in A.h/m2.

    Args:
        thickness: of the coating, m.
        active: volume fraction of active material.
        maximum: concentration of lithium at stoichiometry 1, mol/m3.
    """
    return thickness * active * maximum * (FARADAY / 3600.0)


@dataclass(frozen=True)
class Balance:
    """The balance of the electrodes of each design.

    Attributes:
        x_0: negative stoichiometry at the lower voltage limit.
        x_100: negative stoichiometry at the upper voltage limit.
        y_0: positive stoichiometry at the lower voltage limit.
        y_100: positive stoichiometry at the upper voltage limit.
        reversible: areal capacity between the limits, A.h/m2.
        n_p_ratio: see PublishedBalance.
        full: whether the negative electrode is full before the upper voltage is reached: its open-circuit potential
            there is below that of lithium metal, which plates even at rest (in Chen2020 between N/P 0.9 and 1.0).
    """

    x_0: Array
    x_100: Array
    y_0: Array
    y_100: Array
    reversible: Array
    n_p_ratio: Array
    full: NDArray[np.bool_]

    def rows(self, which: NDArray[np.bool_]) -> Balance:
        """Returns the balance of some of the designs."""
        return Balance(**{part.name: getattr(self, part.name)[which] for part in fields(self)})


@dataclass(frozen=True)
class PublishedBalance:
    """The values that every design inherits from the published cell.

    Attributes:
        filled: share of the positive electrode's sites that cyclable lithium fills.
        positive_window: stoichiometry that the positive electrode passes through between the voltage limits in the
            published cell. The N/P ratio is the negative electrode's areal capacity from stoichiometry 0 to 1, over
            the positive electrode's areal capacity in this window: the excess of the negative electrode over
            the lithium that the positive one can provide.
        negative_potential: open-circuit potential of the negative electrode, V, as a function of its stoichiometry.
        positive_potential: the same for the positive electrode.
        window: lower and upper voltage limit, V.
        lowest: open-circuit potential that the negative electrode must keep at the upper limit, V: 0, or that of the
            published cell if that is lower (ORegan2022).
    """

    filled: float
    positive_window: float
    negative_potential: Potential
    positive_potential: Potential
    window: tuple[float, float]
    lowest: float = 0.0

    def negative_capacity(self, positive: Array, n_p_ratio: Array) -> Array:
        """Returns the negative areal capacity that gives an N/P ratio, in the unit of ``positive``."""
        return n_p_ratio * positive * self.positive_window

    def solve(self, negative: Array, positive: Array) -> Balance:
        """Finds the stoichiometries at both voltage limits.

        Args:
            negative: areal capacity of each design's negative electrode from stoichiometry 0 to 1, A.h/m2.
            positive: the same for the positive electrode.
        """
        lithium = self.filled * positive
        x, y = self._at_voltages(negative, positive, lithium)
        (x_0, x_100), (y_0, y_100) = x, y
        return Balance(
            x_0=x_0,
            x_100=x_100,
            y_0=y_0,
            y_100=y_100,
            reversible=negative * (x_100 - x_0),
            n_p_ratio=negative / (positive * self.positive_window),
            full=~(self.negative_potential(x_100) >= self.lowest),  # also if no root was found
        )

    def _at_voltages(self, negative: Array, positive: Array, lithium: Array) -> tuple[Array, Array]:
        """Returns both electrodes' stoichiometries, one row each for the lower and the upper voltage limit."""
        low = np.maximum((lithium - positive) / negative, 0.0) + _EDGE
        high = np.minimum(lithium / negative, 1.0) - _EDGE

        def excess(x: Array, voltage: Array, negative: Array, positive: Array, lithium: Array) -> Array:
            # rises with x: U_n falls, and U_p rises as lithium leaves the positive electrode
            return self.positive_potential((lithium - x * negative) / positive) - self.negative_potential(x) - voltage

        voltage = np.array(self.window).reshape(2, 1)
        found = find_root(excess, (low, high), args=(voltage, negative, positive, lithium), tolerances=_TOLERANCES)
        x = np.where(found.success, found.x, np.nan)
        return x, (lithium - x * negative) / positive


def _potentials(parameter_values: Any) -> tuple[Potential, Potential]:
    """Returns PyBaMM's own open-circuit potentials at the reference temperature as functions of arrays."""
    pybamm = load_pybamm()
    parameters = pybamm.LithiumIonParameters()

    def function(domain: Any) -> Potential:
        @lru_cache(maxsize=32)
        def processed(size: int) -> Any:
            # a state vector is what PyBaMM evaluates element by element, for tables as well as for formulas
            return parameter_values.process_symbol(domain.prim.U(pybamm.StateVector(slice(0, size)), parameters.T_ref))

        def potential(stoichiometry: Array) -> Array:
            count = stoichiometry.size
            size = 1 << (count - 1).bit_length()  # padded, so that only a few sizes are processed
            padded = np.full((size, 1), 0.5)
            padded[:count, 0] = stoichiometry.ravel()
            values = np.asarray(processed(size).evaluate(y=padded), dtype=np.float64).reshape(-1)
            return values[:count].reshape(stoichiometry.shape)

        return potential

    return function(parameters.n), function(parameters.p)


@lru_cache(maxsize=16)
def _published_balance(
    name: str, overrides: tuple[tuple[str, float], ...], window: tuple[float, float]
) -> PublishedBalance:
    cell = names.published(name, dict(overrides))
    parameter_values = load_set(name).copy()  # type: ignore[attr-defined]
    parameter_values.update(dict(overrides), check_already_exists=False)
    negative_potential, positive_potential = _potentials(parameter_values)
    negative, positive = published_capacities(cell)
    x = cell[names.NEGATIVE_INITIAL] / cell[names.NEGATIVE_MAXIMUM]
    y = cell[names.POSITIVE_INITIAL] / cell[names.POSITIVE_MAXIMUM]
    filled = float((x * negative[0] + y * positive[0]) / positive[0])
    bare = PublishedBalance(filled, 1.0, negative_potential, positive_potential, window)
    balance = bare.solve(negative, positive)
    lowest = min(0.0, float(negative_potential(balance.x_100)[0]) - 1e-6)
    swept = float(balance.y_0[0] - balance.y_100[0])
    return PublishedBalance(filled, swept, negative_potential, positive_potential, window, lowest)


def published_balance(name: str, overrides: Mapping[str, float], window: tuple[float, float]) -> PublishedBalance:
    """Reads the values that every design inherits from a parameter set; cached, because it takes 0.1 s.

    Args:
        name: a PyBaMM parameter set.
        overrides: numbers that replace those of the set.
        window: lower and upper voltage limit, V.
    """
    return _published_balance(name, tuple(sorted(overrides.items())), window)


def published_capacities(cell: Published) -> tuple[Array, Array]:
    """Returns the published areal capacities of both electrodes from stoichiometry 0 to 1, A.h/m2, one value each."""
    negative = capacity(
        np.array([cell[names.NEGATIVE_THICKNESS]]),
        np.array([cell[names.NEGATIVE_ACTIVE]]),
        np.array([cell[names.NEGATIVE_MAXIMUM]]),
    )
    positive = capacity(
        np.array([cell[names.POSITIVE_THICKNESS]]),
        np.array([cell[names.POSITIVE_ACTIVE]]),
        np.array([cell[names.POSITIVE_MAXIMUM]]),
    )
    return negative, positive
