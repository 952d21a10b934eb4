"""Whether a relaxed structure is still the one that was meant: nothing torn off, nothing drifted away."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from objectives.failures import CandidateFailure

if TYPE_CHECKING:
    from ase import Atoms

NEIGHBOUR = 1.4
"""Atoms are neighbours within so many times the sum of their covalent radii (Cordero et al. 2008,
doi:10.1039/b801115j, as ASE has them): bonds of ionic crystals are up to a fourth longer than that sum."""


def check_whole(start: Atoms, relaxed: Atoms, ion: str) -> None:
    """Raises CandidateFailure where an atom has lost all its neighbours, or the framework falls into more parts.

    Args:
        start: the structure before it relaxed.
        relaxed: the same atoms afterwards.
        ion: the working ion, which belongs to no framework.
    """
    lonely = _neighbours(relaxed).sum(axis=1) == 0
    if lonely.any():
        place = int(np.argmax(lonely))
        raise CandidateFailure(f"the structure tore apart: {relaxed[place].symbol}{place} has no neighbour left")
    before, after = (_parts(atoms[[atom.symbol != ion for atom in atoms]]) for atoms in (start, relaxed))
    if after > before:
        raise CandidateFailure(f"the structure tore apart: its framework of {before} part(s) became {after}")


def check_drift(before: float, after: float, limit: float, what: str) -> None:
    """Raises CandidateFailure where a volume, or a layer's area, has changed by more than a share of itself.

    Args:
        before: in any unit.
        after: in the same unit.
        limit: largest share.
        what: words for the change, such as ``volume on relaxation``.
    """
    change = after / before - 1.0
    if abs(change) > limit:
        raise CandidateFailure(f"the structure drifted: its {what} changed by {change:+.0%}, more than {limit:.0%}")


def extent(atoms: Atoms) -> float:
    """Volume of a cell in cubic angstrom; for a layer in vacuum (not periodic along c) its area in square angstrom."""
    cell = np.asarray(atoms.cell)
    if not atoms.pbc[2]:
        return float(np.linalg.norm(np.cross(cell[0], cell[1])))
    return float(atoms.get_volume())


def _neighbours(atoms: Atoms) -> Any:
    """A sparse matrix, not zero where two atoms are neighbours; an atom's own image counts too."""
    from ase.neighborlist import natural_cutoffs, neighbor_list
    from scipy.sparse import coo_array

    first, second = neighbor_list("ij", atoms, natural_cutoffs(atoms, mult=NEIGHBOUR))
    return coo_array((np.ones(len(first)), (first, second)), shape=(len(atoms), len(atoms)))


def _parts(atoms: Atoms) -> int:
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(_neighbours(atoms), directed=False)[0])
