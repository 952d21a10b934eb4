"""Checks that the redox metals of an electrode can give the electrons of the ions that leave it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.failures import CandidateFailure
from invdesign.objectives.electrode.prototypes import IONS, Prototype
from invdesign.objectives.electrode.sites import mobile_share, working_ion
from invdesign.objectives.formula.elements import highest_states, prices
from invdesign.objectives.formula.properties import ElementTables, FormulaProperties
from invdesign.surrogates.features.elements import element_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

ROUNDED = 0.02
"""Share of the electrons by which a formula that is written with rounded amounts may miss its limit."""


def check_redox_limit(
    prototype: Prototype, elements: Mapping[str, float], remaining: float, states: Mapping[str, float]
) -> None:
    """Raises CandidateFailure if the ions that leave take more electrons than the redox metals can give.

    The rule is that of the objective ``formula``. A calculator of energies does not know it: it gives delithiated
    Li4Ti5O12 5.2 V, by oxidizing oxygen.

    Args:
        prototype: whose sites hold the ions; of a MXene, some have no redox metal in the rule's table.
        elements: amount of each element in the formula.
        remaining: share of the mobile ions that stays.
        states: highest oxidation states that differ from the defaults.
    """
    ion = working_ion(elements)
    row: NDArray[np.float64] = np.array([[elements.get(symbol, 0.0) for symbol in element_symbols()]])
    tables = ElementTables(highest_states(states), prices({}))
    found, reasons = FormulaProperties(row, tables, working_ion=ion, extractable=1.0, density=None).spare_electrons
    if reasons[0] is not None:
        if prototype.single_layer:
            return
        raise CandidateFailure(f"{reasons[0]}, so that no charge can be taken out with {ion}")
    mobile, spare = mobile_share(prototype, elements, ion) * elements[ion] * IONS[ion], float(found[0])
    taken = (1.0 - remaining) * mobile
    if taken > spare + ROUNDED * taken:
        least = 1.0 - spare / mobile
        advice = f"; 'remaining: {np.ceil(100.0 * least) / 100.0:g}' keeps to it" if least < 1.0 - ROUNDED else ""
        raise CandidateFailure(
            f"its redox metals can give {spare:.3g} electrons until their highest oxidation states, fewer than the "
            f"{taken:.3g} that leave with {ion}{advice}"
        )
