"""Descriptors of a molecule that take a fraction of a millisecond: its elements, and its size, rings and polarity.

All of RDKit's descriptors take several times as long, too long for a search that meets thousands of new molecules in
every step. Fingerprints say which fragments are alike; these say how much there is of what.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError
from invdesign.surrogates.features.smiles import molecule_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

ELEMENTS = ("H", "B", "C", "N", "O", "F", "Si", "P", "S", "Cl", "Br", "I")
"""Elements whose atoms are counted."""
DESCRIPTORS = (
    "MolWt",
    "HeavyAtomCount",
    "NumHeteroatoms",
    "FractionCSP3",
    "RingCount",
    "NumAromaticRings",
    "NumRotatableBonds",
    "NumHAcceptors",
    "NumHDonors",
    "TPSA",
    "MolLogP",
    "MolMR",
)
"""Names in RDKit's module ``Descriptors``; masses are in g/mol, polar surfaces in square angstroms."""
QUICK_NAMES = (*DESCRIPTORS, *(f"atoms_{symbol}" for symbol in ELEMENTS))


def quick_descriptors(smiles: Sequence[str]) -> NDArray[np.float64]:
    """Quick descriptors of molecules, shape ``n x len(QUICK_NAMES)``; kept per molecule once computed.

    Raises:
        InputError: if a SMILES cannot be read.
    """
    return np.stack([_of(text) for text in smiles]) if len(smiles) else np.empty((0, len(QUICK_NAMES)))


@lru_cache(maxsize=50_000)
def _of(smiles: str) -> NDArray[np.float64]:
    from rdkit.Chem import Descriptors

    molecule = molecule_of(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is not a molecule that RDKit can read.")
    # RDKit's own iterator over atoms takes several times as long.
    atoms = [molecule.GetAtomWithIdx(place) for place in range(molecule.GetNumAtoms())]
    counts = Counter(atom.GetSymbol() for atom in atoms)
    counts["H"] += sum(atom.GetTotalNumHs() for atom in atoms)
    values = [float(getattr(Descriptors, name)(molecule)) for name in DESCRIPTORS]
    return np.array([*values, *(float(counts[symbol]) for symbol in ELEMENTS)])
