"""Orbital energies of molecules by GFN2-xTB: a feature that inexpensive physics gives, cached on disk.

Over the homobenzylic ethers of Doan et al. (2020) the HOMO correlates with -0.97 with the DFT oxidation potential, so a
model that starts from it needs few values.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.disk_cache import DiskCache
from invdesign.core.errors import InputError
from invdesign.core.failures import CandidateFailure
from invdesign.surrogates.features.xtb import METHOD, Medium, single_point, tblite_version

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORBITALS = ("HOMO", "LUMO")
SOLVENT = "acetonitrile"
SETTINGS = f"{METHOD}, ALPB {SOLVENT}, one MMFF conformer, not optimized by xTB"
TYPICAL = ((-10.5, 0.7), (-7.5, 1.2))
"""Center and spread (eV) of the energies over organic molecules, by which they are scaled."""
CONFORMER_SEED = 7
CACHE = DiskCache("orbitals")


def orbital_energies(smiles: Sequence[str]) -> NDArray[np.float64]:
    """HOMO and LUMO, scaled, shape ``n x 2``; NaN if a molecule has no conformer or does not converge.

    About 0.2 s for a molecule that was never asked for; then a look-up.

    Raises:
        InputError: if a SMILES cannot be read, or tblite is not installed.
    """
    energies = np.array([_cached(text) for text in smiles]).reshape(len(smiles), len(ORBITALS))
    centers, spreads = np.array(TYPICAL).T
    return (energies - centers) / spreads


@lru_cache(maxsize=200_000)
def _cached(smiles: str) -> tuple[float, float]:
    """HOMO and LUMO in eV, from disk where they were computed before; NaN if they cannot be computed."""
    try:
        found = CACHE.result((smiles, SETTINGS, tblite_version()), lambda: _computed(smiles))
    except CandidateFailure:
        return np.nan, np.nan
    return float(found["homo"]), float(found["lumo"])


def _computed(smiles: str) -> dict[str, float]:
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is not a molecule that RDKit can read.")
    molecule = Chem.AddHs(molecule)
    if rdDistGeom.EmbedMolecule(molecule, randomSeed=CONFORMER_SEED) != 0:
        raise CandidateFailure("RDKit found no conformer")
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
        rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=2000)
    else:
        rdForceFieldHelpers.UFFOptimizeMolecule(molecule, maxIters=2000)
    electrons = single_point(
        np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()]),
        molecule.GetConformer().GetPositions(),
        charge=Chem.GetFormalCharge(molecule),
        uhf=sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()),
        medium=Medium(SOLVENT),
    )
    return {"homo": electrons.homo, "lumo": electrons.lumo}
