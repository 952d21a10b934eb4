"""Properties of a cathode formula, its sintering and a solvent: the objective of mixed.yaml."""

from __future__ import annotations

from pymatgen.core import Composition
from rdkit import Chem
from rdkit.Chem import Descriptors, rdMolDescriptors

FARADAY_MAH_PER_MOL = 96485.33212 / 3.6
GAS_CONSTANT = 8.314462618
ROOM_TEMPERATURE_C = 25.0


def properties(cathode: str, sintering_temperature: float, solvent: str, **others: object) -> dict[str, float]:
    """What can be said of a candidate before anything is made.

    Args:
        cathode: formula.
        sintering_temperature: in degrees Celsius.
        solvent: SMILES.
        others: parameters on which these properties do not depend.

    Returns:
        ``capacity`` in mAh/g, with all lithium extracted (Faraday's law); ``heat`` in kJ/kg to warm the cathode from
        room temperature to sintering, by Dulong and Petit's 3R an atom; ``polar_surface``, the share of the solvent's
        topological polar surface (Ertl et al. 2000) in square angstrom a g/mol.
    """
    formula = Composition(cathode)
    molecule = Chem.MolFromSmiles(solvent)
    heat_capacity = 3.0 * GAS_CONSTANT * formula.num_atoms / formula.weight
    return {
        "capacity": FARADAY_MAH_PER_MOL * formula["Li"] / formula.weight,
        "heat": heat_capacity * (sintering_temperature - ROOM_TEMPERATURE_C),
        "polar_surface": rdMolDescriptors.CalcTPSA(molecule) / Descriptors.MolWt(molecule),
    }
