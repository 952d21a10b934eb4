"""Three-dimensional structures of a SMILES, and a check that relaxation keeps the bonds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.failures import CandidateFailure, Deadline

if TYPE_CHECKING:
    from numpy.typing import NDArray

CONFORMER_SEED = 7
FORCE_FIELD_STEPS = 2000
SAME_CONFORMER = 1e-3
"""kcal/mol: conformers whose force-field energies differ by less are duplicates."""
SIMILAR = 0.3
"""Angstrom: embedded conformers whose atoms differ by less on average are duplicates."""
LONGEST_BOND = 1.3
"""A bond is broken beyond this multiple of the summed covalent radii, as RDKit's DetermineConnectivity has it."""
NEW_BOND = 1.15
"""Two unbonded atoms become bonded below this multiple; hydrogen bonds and crowded rings stay well above it."""


@dataclass(frozen=True)
class Molecule:
    """A molecule's atoms, electrons and conformers.

    Attributes:
        numbers: atomic numbers.
        charge: formal charge in elementary charges.
        uhf: unpaired electrons.
        conformers: positions in angstrom, each ``n x 3``, lowest force-field energy first.
        bonds: pairs of bonded atoms.
    """

    numbers: NDArray[np.int64]
    charge: int
    uhf: int
    conformers: tuple[NDArray[np.float64], ...] = field(repr=False)
    bonds: tuple[tuple[int, int], ...] = field(repr=False)

    def changed_bond(self, before: NDArray[np.float64], after: NDArray[np.float64]) -> str | None:
        """Names a bond that a relaxation broke or formed; None if there is none.

        Args:
            before: positions in angstrom with the bonds as they should be.
            after: relaxed positions in angstrom.
        """
        reach = self._radii[:, None] + self._radii[None, :]
        far, near = _distances(after) / reach, _distances(before) / reach
        for first, second in self.bonds:
            if far[first, second] > LONGEST_BOND:
                return f"the bond {self._named(first, second)} breaks"
        apart = (near > LONGEST_BOND) & (far < NEW_BOND)
        made = np.argwhere(np.triu(apart, 1))
        return f"a bond {self._named(*made[0])} forms" if len(made) else None

    @property
    def _radii(self) -> NDArray[np.float64]:
        from rdkit.Chem import GetPeriodicTable

        table = GetPeriodicTable()
        return np.array([table.GetRcovalent(int(number)) for number in self.numbers])

    def _named(self, first: int, second: int) -> str:
        from rdkit.Chem import GetPeriodicTable

        table = GetPeriodicTable()
        return "-".join(f"{table.GetElementSymbol(int(self.numbers[atom]))}{atom + 1}" for atom in (first, second))


def read_molecule(smiles: str, *, conformers: int, deadline: Deadline) -> Molecule:
    """Embeds a molecule (ETKDGv3, Wang et al. 2020, doi:10.1021/acs.jcim.0c00025) and relaxes it by MMFF94, or UFF.

    Args:
        smiles: of one molecule without counter-ions.
        conformers: number to try; duplicates count once.
        deadline: time limit of the candidate.

    Raises:
        CandidateFailure: if RDKit reads no molecule, finds several, or finds no conformer.
        TransientFailure: if the time limit has passed.
    """
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    blocked = BlockLogs()  # RDKit would write each failure to stderr; here it becomes the candidate's reason
    read = Chem.MolFromSmiles(smiles)
    if read is None or not read.GetNumAtoms():
        raise CandidateFailure(f"{smiles!r} is not a molecule that RDKit can read")
    parts = len(Chem.GetMolFrags(read))
    if parts > 1:
        raise CandidateFailure(f"{smiles!r} has {parts} separate parts, not one molecule")
    full = Chem.AddHs(read)
    positions = _embedded(full, conformers, deadline)
    del blocked
    return Molecule(
        numbers=np.array([atom.GetAtomicNum() for atom in full.GetAtoms()]),
        charge=Chem.GetFormalCharge(full),
        uhf=sum(atom.GetNumRadicalElectrons() for atom in full.GetAtoms()),
        conformers=positions,
        bonds=tuple((bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()) for bond in full.GetBonds()),
    )


def _embedded(full: Any, count: int, deadline: Deadline) -> tuple[NDArray[np.float64], ...]:
    from rdkit.Chem import rdDistGeom, rdForceFieldHelpers

    deadline.check()
    settings: Any = rdDistGeom.ETKDGv3()
    settings.randomSeed = CONFORMER_SEED
    settings.pruneRmsThresh = SIMILAR
    settings.timeout = max(1, math.ceil(deadline.left))
    places = list(rdDistGeom.EmbedMultipleConfs(full, count, settings))
    deadline.check()
    if not places:
        raise CandidateFailure("RDKit found no conformer")
    if rdForceFieldHelpers.MMFFHasAllMoleculeParams(full):
        relaxed = rdForceFieldHelpers.MMFFOptimizeMoleculeConfs(full, maxIters=FORCE_FIELD_STEPS)
    elif rdForceFieldHelpers.UFFHasAllMoleculeParams(full):
        relaxed = rdForceFieldHelpers.UFFOptimizeMoleculeConfs(full, maxIters=FORCE_FIELD_STEPS)
    else:
        relaxed = [(0, float(place)) for place in places]
    deadline.check()
    kept: list[tuple[float, NDArray[np.float64]]] = []
    for place, (_, energy) in sorted(zip(places, relaxed, strict=True), key=lambda pair: float(pair[1][1])):
        if not kept or energy - kept[-1][0] > SAME_CONFORMER:
            kept.append((float(energy), full.GetConformer(place).GetPositions()))
    return tuple(positions for _, positions in kept)


def _distances(positions: NDArray[np.float64]) -> NDArray[np.float64]:
    apart = positions[:, None, :] - positions[None, :, :]
    return np.asarray(np.sqrt((apart * apart).sum(axis=2)))
