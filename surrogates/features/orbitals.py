"""Orbital energies of molecules by GFN2-xTB: cheap physics as a feature, kept on disk.

Over the homobenzylic ethers of Doan et al. (2020) the HOMO correlates with -0.97 with the DFT oxidation potential, so a
model that starts from it needs few values.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.disk_cache import cache_folder
from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

ORBITALS = ("HOMO", "LUMO")
SOLVENT = "acetonitrile"
SETTINGS = f"GFN2-xTB, ALPB {SOLVENT}, one MMFF conformer, not optimized by xTB"
TYPICAL = ((-10.5, 0.7), (-7.5, 1.2))
"""Centre and spread (eV) of the energies over organic molecules, by which they are scaled."""
HARTREE_IN_EV = 27.211386245988
ANGSTROM_IN_BOHR = 1.8897261246257702
CONFORMER_SEED = 7


def orbital_energies(smiles: Sequence[str]) -> NDArray[np.float64]:
    """HOMO and LUMO, scaled, shape ``n x 2``; NaN where a molecule has no conformer or does not converge.

    About 0.2 s for a molecule that was never asked for; then a look-up.

    Raises:
        InputError: where a SMILES cannot be read, or tblite is not installed.
    """
    energies = np.array([_kept(text) for text in smiles]).reshape(len(smiles), len(ORBITALS))
    centres, spreads = np.array(TYPICAL).T
    return (energies - centres) / spreads


@lru_cache(maxsize=200_000)
def _kept(smiles: str) -> tuple[float, float]:
    """HOMO and LUMO in eV, from disk where they were computed before."""
    with _cache() as cache:
        row = cache.execute("SELECT homo, lumo FROM orbitals WHERE smiles = ? AND settings = ?", (smiles, SETTINGS))
        found = row.fetchone()
    if found is not None:
        homo, lumo = found
        return (np.nan if homo is None else homo, np.nan if lumo is None else lumo)
    computed = _computed(smiles)
    with _cache() as cache:
        cache.execute("INSERT OR REPLACE INTO orbitals VALUES (?, ?, ?, ?)", (smiles, SETTINGS, *computed))
        cache.commit()
    return computed


@contextmanager
def _cache() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(cache_folder() / "orbitals.db", timeout=60)) as connection:
        connection.execute(
            "CREATE TABLE IF NOT EXISTS orbitals"
            " (smiles TEXT, settings TEXT, homo REAL, lumo REAL, PRIMARY KEY (smiles, settings))"
        )
        yield connection


def _computed(smiles: str) -> tuple[float, float]:
    from rdkit import Chem
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is no molecule that RDKit can read.")
    molecule = Chem.AddHs(molecule)
    if rdDistGeom.EmbedMolecule(molecule, randomSeed=CONFORMER_SEED) != 0:
        return np.nan, np.nan
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(molecule):
        rdForceFieldHelpers.MMFFOptimizeMolecule(molecule, maxIters=2000)
    else:
        rdForceFieldHelpers.UFFOptimizeMolecule(molecule, maxIters=2000)
    numbers = np.array([atom.GetAtomicNum() for atom in molecule.GetAtoms()])
    positions = molecule.GetConformer().GetPositions() * ANGSTROM_IN_BOHR
    charge = float(Chem.GetFormalCharge(molecule))
    return _frontier(numbers, positions, charge, sum(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()))


def _frontier(
    numbers: NDArray[np.int64], positions: NDArray[np.float64], charge: float, uhf: int
) -> tuple[float, float]:
    try:
        from tblite.interface import Calculator
    except ImportError:
        raise InputError("Orbital energies need tblite. Install it: pip install 'invdesign[physics]'") from None

    calculator = Calculator("GFN2-xTB", numbers, positions, charge=charge, uhf=uhf)
    calculator.add("alpb-solvation", SOLVENT)
    calculator.set("verbosity", 0)
    try:
        result = calculator.singlepoint()
    except RuntimeError:
        return np.nan, np.nan
    energies = np.atleast_2d(result["orbital-energies"])[0] * HARTREE_IN_EV
    occupations = np.atleast_2d(result["orbital-occupations"]).sum(axis=0)
    occupied = np.flatnonzero(occupations > 0.5)
    return float(energies[occupied[-1]]), float(energies[min(occupied[-1] + 1, len(energies) - 1)])
