"""Links of cobalt-lean-cathode.yaml: a formula's shares for the model of capacity, its capacity for the cell model."""

from __future__ import annotations

FARADAY_C_PER_MOL = 96485.33212
DENSITY_KG_PER_M3 = 4700.0  # of the oxide itself, rounded; NMC between 4.6 and 4.8 g/cm3 by its lattice
USED_SHARE = 0.642  # of the lithium, within the voltage limits: stoichiometries 0.27 to 0.91 of Chen et al. 2020


def shares(cathode: str, **others: object) -> dict[str, float]:
    """Shares of nickel, manganese and cobalt of the transition metals.

    Args:
        cathode: formula of a layered oxide.
        others: parameters on which they do not depend.
    """
    from pymatgen.core import Composition

    amounts = Composition(cathode)
    metals = {symbol: float(amounts[symbol]) for symbol in ("Ni", "Mn", "Co")}
    total = sum(metals.values())
    return {f"share_{symbol}": amount / total for symbol, amount in metals.items()}


def concentration(capacity: float, **others: object) -> dict[str, float]:
    """The most lithium that the oxide holds, for the cell model to use the given capacity within its voltage limits.

    Args:
        capacity: usable capacity of the oxide in mAh/g.
        others: parameters on which it does not depend.

    Returns:
        ``lithium_concentration`` in mol/m3.
    """
    charge_per_volume = capacity * 3.6 * 1000.0 * DENSITY_KG_PER_M3  # C/m3
    return {"lithium_concentration": charge_per_volume / FARADAY_C_PER_MOL / USED_SHARE}
