"""Checks that a relaxed structure is still the intended one: connected, and without a large drift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.failures import CandidateFailure

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray
    from scipy.sparse import csr_array

NEIGHBOR = 1.4
"""Atoms are neighbors within this multiple of the sum of their covalent radii (Cordero et al. 2008,
doi:10.1039/b801115j, as ASE has them): bonds of ionic crystals are up to 25 % longer than that sum."""
SAME_PLACE = 1e-8
"""Angstrom: an atom is a neighbor of its images, but not of itself."""


def check_whole(start: Atoms, relaxed: Atoms, ion: str) -> None:
    """Raises CandidateFailure if an atom has lost all its neighbors, or the framework has broken into more parts.

    Args:
        start: the structure before it relaxed.
        relaxed: the same atoms afterward.
        ion: the working ion, which is not part of the framework.
    """
    bonds = neighbors(relaxed)
    unbonded = bonds.sum(axis=1) == 0
    if unbonded.any():
        place = int(np.argmax(unbonded))
        raise CandidateFailure(f"the structure tore apart: {relaxed[place].symbol}{place} has no neighbors left")
    framework = np.flatnonzero([symbol != ion for symbol in start.get_chemical_symbols()])
    before, after = (_parts(found, framework) for found in (neighbors(start), bonds))
    if after > before:
        raise CandidateFailure(f"the structure tore apart: its framework of {before} part(s) became {after}")


def check_drift(before: float, after: float, limit: float, what: str) -> None:
    """Raises CandidateFailure if the relative change of a volume, or a layer's area, exceeds a limit.

    Args:
        before: in any unit.
        after: in the same unit.
        limit: largest relative change.
        what: description of the change, such as ``volume on relaxation``.
    """
    change = after / before - 1.0
    if abs(change) > limit:
        raise CandidateFailure(f"the structure drifted: its {what} changed by {change:+.0%}, more than {limit:.0%}")


def check_charging(discharged: float, charged: float, limit: float, what: str) -> None:
    """Raises CandidateFailure if an electrode swells or shrinks by more than a limit when it is charged.

    Args:
        discharged: volume, or a layer's area.
        charged: of the same cell, in the same unit.
        limit: largest relative change.
        what: ``volume`` or ``area``.
    """
    change = charged / discharged - 1.0
    if abs(change) > limit:
        raise CandidateFailure(
            f"its {what} changes by {change:+.0%} on charging, more than 'largest_volume_change: {limit:g}' allows"
        )


def extent(atoms: Atoms) -> float:
    """Volume of a cell in cubic angstrom; for a layer in vacuum (not periodic along c) its area in square angstrom."""
    cell = np.asarray(atoms.cell)
    if not atoms.pbc[2]:
        return float(np.linalg.norm(np.cross(cell[0], cell[1])))
    return float(atoms.get_volume())


def neighbors(atoms: Atoms) -> csr_array:
    """A sparse matrix, not zero if two atoms are neighbors; an atom's own image counts too.

    By pymatgen's compiled search: ASE's takes 4 ms for a handful of atoms, a tenth of what CHGNet takes for a step.

    Args:
        atoms: with a cell; positions may be outside of it.
    """
    from ase.neighborlist import natural_cutoffs
    from pymatgen.optimization.neighbors import find_points_in_spheres
    from scipy.sparse import csr_array

    radii = np.array(natural_cutoffs(atoms, mult=NEIGHBOR))
    positions = np.ascontiguousarray(atoms.positions, dtype=np.float64)
    first, second, _, apart = find_points_in_spheres(
        positions,
        positions,
        r=2.0 * float(radii.max()),
        pbc=np.array(atoms.pbc, dtype=np.int64),
        lattice=np.ascontiguousarray(atoms.cell.array, dtype=np.float64),
    )
    near = (apart > SAME_PLACE) & (apart < radii[first] + radii[second])
    return csr_array((np.ones(int(near.sum())), (first[near], second[near])), shape=(len(atoms), len(atoms)))


def _parts(bonds: csr_array, places: NDArray[np.int64]) -> int:
    """Number of connected parts that a subset of the atoms forms."""
    from scipy.sparse.csgraph import connected_components

    return int(connected_components(bonds[places][:, places], directed=False)[0])
