"""Arrangements of mixed elements and vacancies on their sites, and which have the lowest electrostatic energy.

Point charges on the sites, summed by Ewald's method as pymatgen does it (Ong et al. 2013,
doi:10.1016/j.commatsci.2012.10.028), with random arrangements in the place of a full enumeration. The energy is a
quadratic form in the charges: its matrix is computed once, and thousands of arrangements are one product.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from invdesign.objectives.electrode.prototypes import Sublattice
from invdesign.objectives.electrode.sites import VACANCY
from invdesign.objectives.formula.elements import fixed_charges
from invdesign.surrogates.features.elements import element_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pymatgen.core.structure import Structure

Ordering = Literal["ewald", "quasi-random"]
"""How arrangements are ranked: by electrostatic energy, or by closeness to a random alloy."""
SAMPLES = 2000
"""Number of random arrangements that are ranked."""
DIGITS = 4
"""Decimals of energies in eV that distinguish arrangements: symmetry-equivalent ones have equal energies."""
LADDER: Sequence[tuple[str, int, int]] = (
    ("Ti", 2, 4), ("Nb", 2, 5), ("V", 2, 3), ("Cr", 2, 3), ("Mo", 2, 4), ("Fe", 2, 3), ("V", 3, 5), ("Mn", 2, 4),
    ("Co", 2, 3), ("Ni", 2, 4), ("Co", 3, 4), ("Fe", 3, 4), ("Cr", 3, 4), ("Mo", 4, 6), ("Cu", 2, 3),
)  # fmt: skip
"""Metals that change their charge, in the order in which they are oxidized, with initial and final charges:
Mn4+, Co3+ and the rest on nickel in layered oxides, as Whittingham 2004 reviews (doi:10.1021/cr020731c). It only ranks
arrangements and does not affect energies."""


def coulomb_matrix(structure: Structure) -> NDArray[np.float64]:
    """Returns G in eV per squared elementary charge: charges q on the sites have the energy q G q."""
    from pymatgen.analysis.ewald import EwaldSummation

    charged = structure.copy()
    charged.add_oxidation_state_by_site([1.0] * len(charged))
    summation: Any = EwaldSummation  # untyped
    return np.asarray(summation(charged).total_energy_matrix, dtype=np.float64)


def charges(counts: Mapping[str, int]) -> dict[str, float]:
    """Charges of the elements of a neutral cell; if no charges of the metals make it neutral, the rest is spread.

    Args:
        counts: atoms of each element.

    Returns:
        Elementary charges; metals with several charges have their mean.
    """
    beside, without = fixed_charges()
    oxygen = counts.get("O", 0) > 0
    changing = {symbol for symbol, *_ in LADDER} & set(counts)
    found = {
        symbol: float(
            (beside if oxygen and symbol not in ("O", "S", "Se") else without)[element_symbols().index(symbol)]
        )
        for symbol in counts
    }
    for symbol in changing:
        found[symbol] = float(min(low for name, low, _ in LADDER if name == symbol))
    lacking = -sum(found[symbol] * number for symbol, number in counts.items())
    for symbol, low, high in LADDER:
        if symbol in changing and lacking > 0.0:
            given = min(lacking, float(high - low) * counts[symbol])
            found[symbol] += given / counts[symbol]
            lacking -= given
    spread_on = sorted(changing) or sorted(counts)
    atoms = sum(counts[symbol] for symbol in spread_on)
    for symbol in spread_on:
        found[symbol] += lacking / atoms
    return found


def lowest(
    matrix: NDArray[np.float64],
    groups: Sequence[tuple[Sequence[int], Mapping[str, int]]],
    fixed: Mapping[int, str],
    *,
    most: int,
) -> list[list[str]]:
    """Finds the inequivalent arrangements of lowest electrostatic energy.

    Args:
        matrix: of the cell, from ``coulomb_matrix``.
        groups: for each group of sites their indices and the atoms to be placed on them.
        fixed: occupants of all other sites.
        most: largest number of arrangements.

    Returns:
        For each arrangement the element on each site, ``VACANCY`` for none; lowest energy first.
    """
    labels = drawn(len(matrix), groups, fixed)
    energy, form = _forms(labels, matrix)
    first = _first_of_each(energy, form)
    chosen = first[np.lexsort((first, energy[first].round(DIGITS)))][:most]
    return [list(labels[row]) for row in chosen]


def different(labels: NDArray[np.object_], matrix: NDArray[np.float64]) -> NDArray[np.int64]:
    """Returns the first row of each set of symmetry-equivalent arrangements, in the order of the rows.

    Args:
        labels: one arrangement a row, from ``drawn``.
        matrix: of the cell, from ``coulomb_matrix``.
    """
    return np.sort(_first_of_each(*_forms(labels, matrix)))


def drawn(
    sites: int, groups: Sequence[tuple[Sequence[int], Mapping[str, int]]], fixed: Mapping[int, str]
) -> NDArray[np.object_]:
    """Returns SAMPLES random arrangements, one row each; a single row if only one exists.

    Args:
        sites: of the cell.
        groups: as in ``lowest``.
        fixed: as in ``lowest``.
    """
    rng = np.random.default_rng(0)  # the arrangements are part of the method: the same for the same formula
    labels = np.full((1 if _is_sole(groups) else SAMPLES, sites), VACANCY, dtype=object)
    for place, symbol in fixed.items():
        labels[:, place] = symbol
    for places, counts in groups:
        filled = np.repeat(np.array(list(counts), dtype=object), list(counts.values()))
        labels[:, list(places)] = rng.permuted(np.tile(filled, (len(labels), 1)), axis=1)
    return labels


def groups_of(
    structure: Structure, counts: Mapping[Sublattice, Mapping[str, int]]
) -> list[tuple[list[int], dict[str, int]]]:
    """Returns for each sublattice the indices of its sites in a cell and the atoms to be placed there."""
    marks = [site.species_string for site in structure]
    return [
        ([place for place, mark in enumerate(marks) if mark == part.mark], {k: n for k, n in taken.items() if n})
        for part, taken in counts.items()
    ]


def _is_sole(groups: Sequence[tuple[Sequence[int], Mapping[str, int]]]) -> bool:
    return all(len(counts) == 1 for _, counts in groups)


def _forms(labels: NDArray[np.object_], matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Electrostatic energies of arrangements, and a second quadratic form to distinguish elements of equal charge."""
    held = {symbol: int((labels[0] == symbol).sum()) for symbol in dict.fromkeys(labels[0]) if symbol != VACANCY}
    numbers = {symbol: float(element_symbols().index(symbol) + 1) for symbol in held}
    return _energies(labels, {VACANCY: 0.0, **charges(held)}, matrix), _energies(
        labels, {VACANCY: 0.0, **numbers}, matrix
    )


def _first_of_each(energy: NDArray[np.float64], form: NDArray[np.float64]) -> NDArray[np.int64]:
    _, first = np.unique(np.stack([energy, form], axis=1).round(DIGITS), axis=0, return_index=True)
    return np.asarray(first, dtype=np.int64)


def _energies(
    labels: NDArray[np.object_], of_element: Mapping[str, float], matrix: NDArray[np.float64]
) -> NDArray[np.float64]:
    values = np.zeros(labels.shape)
    for symbol, value in of_element.items():
        values[labels == symbol] = value
    return np.einsum("ij,ij->i", values @ matrix, values)
