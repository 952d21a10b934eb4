"""Properties that follow from formulas alone, as products of amounts and the elements' tables."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.objectives.formula import elements
from invdesign.surrogates.features.elements import element_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

FARADAY = 96485.33212
"""C/mol, CODATA 2018, doi:10.1103/RevModPhys.93.025010."""
COULOMB_IN_MAH = 1.0 / 3.6
STATE_TOLERANCE = 1e-6

Found = tuple["NDArray[np.float64]", list[str | None]]


@dataclass(frozen=True)
class ElementTables:
    """The elements' data that a user may change.

    Attributes:
        highest: oxidation states that redox metals reach; NaN for other elements.
        prices: USD/kg.
    """

    highest: NDArray[np.float64]
    prices: NDArray[np.float64]


class FormulaProperties:
    """The properties of a batch of formulas.

    Args:
        amounts: atoms of each element in each formula, ``n x 118``.
        tables: the elements' data that a user may change.
        working_ion: symbol of the working ion.
        extractable: extractable share of the working ion.
        density: g/cm3 of each formula; None if it is not given.
    """

    def __init__(
        self,
        amounts: NDArray[np.float64],
        tables: ElementTables,
        *,
        working_ion: str,
        extractable: float,
        density: NDArray[np.float64] | None,
    ) -> None:
        self.amounts = amounts
        self.tables = tables
        self.working_ion = working_ion
        self.extractable = extractable
        self.density = density

    def of(self, name: str) -> Found:
        """Values of one of PROPERTIES, and why a formula has none."""
        return PROPERTIES[name][1](self)

    @cached_property
    def molar_mass(self) -> Found:
        """g/mol."""
        return self._mass, [None] * len(self._mass)

    @cached_property
    def oxidation_state(self) -> Found:
        """Mean oxidation state of the redox metals that makes the formula neutral.

        Next to oxygen, carbon or sulfur may be a cation (carbonate) or an anion (a carbide with oxygen on its surface):
        it is taken as a cation if this leaves the metals between 0 and their highest state.
        """
        beside, without = elements.fixed_charges()
        mixed = self._states(beside)
        taken = (self._amount_of("O") > 0.0) & (mixed > 0.0) & (mixed <= self._highest + STATE_TOLERANCE)
        states = np.where(taken, mixed, self._states(without))
        negative = states < -STATE_TOLERANCE
        reasons: list[str | None] = [None] * len(states)
        for row in np.flatnonzero(np.isnan(states)):
            reasons[row] = "it contains no redox metal"
        for row in np.flatnonzero(negative):
            reasons[row] = "its charge does not balance: the redox metals would be negative"
        return np.where(negative, np.nan, states), reasons

    @cached_property
    def spare_electrons(self) -> Found:
        """Electrons per formula that the redox metals can give until their highest states."""
        states, reasons = self.oxidation_state
        spare = (self._highest - states) * self._redox_atoms
        found = list(reasons)
        for row in np.flatnonzero(spare < -STATE_TOLERANCE):
            found[row] = f"its charge does not balance: the redox metals would be at {states[row]:+.2f} on average"
        return np.maximum(spare, 0.0), found

    @cached_property
    def capacity(self) -> Found:
        """mAh/g by the charge that can be extracted with the working ion."""
        spare, reasons = self.spare_electrons
        place = element_symbols().index(self.working_ion)
        charge = elements.fixed_charges()[0][place]
        ions = self.amounts[:, place]
        found = list(reasons)
        for row in np.flatnonzero(ions <= 0.0):
            found[row] = f"it contains no {self.working_ion} to extract"
        electrons = np.minimum(self.extractable * ions * charge, spare)
        values = electrons * FARADAY * COULOMB_IN_MAH / self._mass
        return np.where([reason is None for reason in found], values, np.nan), found

    @cached_property
    def volumetric_capacity(self) -> Found:
        """mAh/cm3."""
        values, reasons = self.capacity
        if self.density is None:
            return np.full(len(values), np.nan), ["no density is given"] * len(values)
        dense = np.isfinite(self.density) & (self.density > 0.0)
        all_reasons = list(reasons)
        for row in np.flatnonzero(~dense):
            all_reasons[row] = "its density is not a positive number"
        return np.where(dense, values * self.density, np.nan), all_reasons

    @cached_property
    def cobalt_share(self) -> Found:
        """Share of cobalt among the metals except the working ion; 0 without metals."""
        others = elements.metals().copy()
        others[element_symbols().index(self.working_ion)] = False
        held = self.amounts[:, others].sum(axis=1)
        return self._amount_of("Co") / np.where(held > 0.0, held, 1.0), [None] * len(held)

    @cached_property
    def element_cost(self) -> Found:
        """USD/kg, the elements' prices weighted by mass."""
        return self._mean_by_mass(self.tables.prices, "price")

    @cached_property
    def crustal_abundance(self) -> Found:
        """mg/kg, the geometric mean of the elements' abundances weighted by mass."""
        values, reasons = self._mean_by_mass(np.log(elements.abundances()), "crustal abundance")
        return np.exp(values), reasons

    @cached_property
    def production_hhi(self) -> Found:
        """Supply concentration of production, weighted by mass."""
        return self._mean_by_mass(elements.supply_concentrations()[0], "supply concentration", ignored="H")

    @cached_property
    def reserves_hhi(self) -> Found:
        """Supply concentration of reserves, weighted by mass."""
        return self._mean_by_mass(elements.supply_concentrations()[1], "supply concentration", ignored="H")

    @cached_property
    def toxicity_class(self) -> Found:
        """The lowest class number, which is the worst, among the elements."""
        classes = np.where(self.amounts > 0.0, elements.toxicity_classes(), float(elements.NOT_CLASSED))
        return classes.min(axis=1), [None] * len(classes)

    def _states(self, charges: NDArray[np.float64]) -> NDArray[np.float64]:
        rest = self.amounts @ np.where(self._redox, 0.0, charges)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self._redox_atoms > 0.0, -rest / self._redox_atoms, np.nan)

    @cached_property
    def _highest(self) -> NDArray[np.float64]:
        """The mean of the highest states of the redox metals."""
        total = self.amounts @ np.where(self._redox, self.tables.highest, 0.0)
        return total / np.where(self._redox_atoms > 0.0, self._redox_atoms, 1.0)

    @cached_property
    def _redox(self) -> NDArray[np.bool_]:
        return ~np.isnan(self.tables.highest)

    @cached_property
    def _redox_atoms(self) -> NDArray[np.float64]:
        return self.amounts[:, self._redox].sum(axis=1)

    @cached_property
    def _mass(self) -> NDArray[np.float64]:
        return self.amounts @ elements.masses()

    def _amount_of(self, symbol: str) -> NDArray[np.float64]:
        return self.amounts[:, element_symbols().index(symbol)]

    def _mean_by_mass(self, table: NDArray[np.float64], what: str, *, ignored: str = "") -> Found:
        weights = self.amounts * elements.masses()
        if ignored:
            weights[:, element_symbols().index(ignored)] = 0.0
        unknown = np.isnan(table)
        held = weights.sum(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            values = weights @ np.where(unknown, 0.0, table) / held
        lacking = (weights[:, unknown] > 0.0).any(axis=1) | (held <= 0.0)
        reasons: list[str | None] = [None] * len(values)
        for row in np.flatnonzero(lacking):
            symbols = [element_symbols()[place] for place in np.flatnonzero(unknown & (weights[row] > 0.0))]
            reasons[row] = f"no known {what} of {', '.join(symbols) or ignored}"
        return np.where(lacking, np.nan, values), reasons


PROPERTIES: Mapping[str, tuple[str, Callable[[FormulaProperties], Found]]] = {
    "capacity": ("mAh/g", lambda batch: batch.capacity),
    "volumetric_capacity": ("mAh/cm^3", lambda batch: batch.volumetric_capacity),
    "molar_mass": ("g/mol", lambda batch: batch.molar_mass),
    "oxidation_state": ("", lambda batch: batch.oxidation_state),
    "cobalt_share": ("", lambda batch: batch.cobalt_share),
    "element_cost": ("USD/kg", lambda batch: batch.element_cost),
    "crustal_abundance": ("mg/kg", lambda batch: batch.crustal_abundance),
    "production_hhi": ("", lambda batch: batch.production_hhi),
    "reserves_hhi": ("", lambda batch: batch.reserves_hhi),
    "toxicity_class": ("", lambda batch: batch.toxicity_class),
}
