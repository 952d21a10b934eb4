"""Properties of a molecule that RDKit computes at once: the objective of the molecule examples."""

from __future__ import annotations

from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, rdMolDescriptors


def properties(molecule: str, **others: object) -> dict[str, float]:
    """Weight, lipophilicity and polar surface of a molecule.

    Args:
        molecule: SMILES.
        others: parameters on which these properties do not depend.

    Returns:
        ``weight`` in g/mol, ``logp`` (octanol-water, Wildman and Crippen 1999) and ``polar_surface`` in square angstrom
        (topological, Ertl et al. 2000).
    """
    read = Chem.MolFromSmiles(molecule)
    return {
        "weight": Descriptors.MolWt(read),
        "logp": Crippen.MolLogP(read),
        "polar_surface": rdMolDescriptors.CalcTPSA(read),
    }
