"""Special quasi-random structures: arrangements of mixed elements that are closest to the random alloy.

Zunger et al. 1990 (doi:10.1103/PhysRevLett.65.353): the small cell whose pairs are those of the random alloy of the
same composition, shell by shell. They are chosen from the random arrangements of the electrostatic ranking, so that
no other program is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.objectives.electrode.orderings import different, drawn

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pymatgen.core.structure import Structure

REACH = 2.05
"""Pairs count up to this multiple of the shortest distance between mixed sites: in a layered oxide the shells of a
layer's first, second and third neighbors, and those of the next layer."""
SAME_SHELL = 0.01
"""Angstrom by which distances of a shell may differ: prototypes are ideal, their coordinates rounded."""


@dataclass(frozen=True)
class Shell:
    """Pairs of sites at one distance.

    Attributes:
        distance: in angstrom.
        pairs: number of images of the column's site at this distance from the row's site.
    """

    distance: float
    pairs: NDArray[np.float64]


def most_random(
    cell: Structure,
    matrix: NDArray[np.float64],
    groups: Sequence[tuple[Sequence[int], Mapping[str, int]]],
    *,
    most: int,
) -> list[list[str]]:
    """Finds the inequivalent arrangements whose pairs are closest to those of the random alloy.

    Args:
        cell: all sites.
        matrix: of the cell, from ``electrode_orderings.coulomb_matrix``; it distinguishes arrangements.
        groups: for each group of sites their indices and the atoms to be placed on them.
        most: largest number of arrangements.

    Returns:
        For each arrangement the element on each site, ``VACANCY`` for none; the most random first.
    """
    labels = drawn(len(cell), groups, {})
    labels = labels[different(labels, matrix)]
    off = np.zeros(len(labels))
    for places, counts in groups:
        if len(counts) > 1:
            off += mismatch(labels[:, list(places)], shells(cell, places))
    chosen = np.argsort(off.round(9), kind="stable")[:most]
    return [list(labels[row]) for row in chosen]


def shells(cell: Structure, places: Sequence[int]) -> list[Shell]:
    """Sorts the pairs of some sites of a cell, images included, into shells, nearest first.

    Args:
        cell: all sites.
        places: indices of the sites whose pairs count.
    """
    from pymatgen.core.structure import Structure

    mixed = Structure.from_sites([cell[place] for place in places])
    shortest = min(mixed.lattice.get_lll_reduced_lattice().abc)  # a site's own image is a pair
    reach = min([shortest, *mixed.distance_matrix[np.triu_indices(len(mixed), 1)]]) * REACH
    first, second, _, apart = mixed.get_neighbor_list(reach)
    edges = np.flatnonzero(np.diff(np.sort(apart)) > SAME_SHELL) + 1
    found = []
    for members in np.split(np.argsort(apart), edges):
        pairs = np.zeros((len(mixed), len(mixed)))
        np.add.at(pairs, (first[members], second[members]), 1.0)
        found.append(Shell(float(apart[members].mean()), pairs))
    return found


def mismatch(labels: NDArray[np.object_], around: Sequence[Shell]) -> NDArray[np.float64]:
    """How far the pairs of arrangements are from those of the random alloy of the same composition.

    In the random alloy the share of pairs of the elements k and l is the product of their shares of the sites, at any
    distance. The root of the mean square difference over all k, l and shells; shells count by the inverse square of
    their distance, because interactions decay.

    Args:
        labels: one arrangement a row, the element on each of the mixed sites; rows hold the same elements.
        around: the shells of these sites.

    Returns:
        For each arrangement the distance; zero if all pairs are those of the random alloy.
    """
    symbols = list(dict.fromkeys(labels[0]))
    on = np.stack([labels == symbol for symbol in symbols]).astype(np.float64)
    shares = on[:, 0].mean(axis=1)
    weights = np.array([shell.distance**-2.0 for shell in around])
    squares = np.zeros(len(labels))
    for shell, weight in zip(around, weights / weights.sum(), strict=True):
        found = np.einsum("kri,lri->rkl", on @ shell.pairs, on) / shell.pairs.sum()
        squares += weight * ((found - np.outer(shares, shares)) ** 2).mean(axis=(1, 2))
    return np.sqrt(squares)
