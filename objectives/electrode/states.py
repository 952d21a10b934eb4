"""The charged and discharged states of one ordering of an electrode, and the properties that follow."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.failures import CandidateFailure, Deadline, TransientFailure
from invdesign.objectives.electrode.checks import check_charging
from invdesign.objectives.electrode.orderings import Ordering, coulomb_matrix, groups_of, lowest
from invdesign.objectives.electrode.prototypes import IONS, Prototype, Sublattice
from invdesign.objectives.electrode.quasi_random import most_random
from invdesign.objectives.electrode.relaxation import Relaxation, Relaxed, metal_energy, relaxed
from invdesign.objectives.electrode.sites import VACANCY, Contents, supercell

if TYPE_CHECKING:
    from ase import Atoms
    from numpy.typing import NDArray
    from pymatgen.core.structure import Structure

FARADAY = 96485.33212
"""C/mol, exact since 2019 (CODATA 2018)."""
AVOGADRO = 6.02214076e23
SECONDS = 3.6
"""C in a milliampere hour."""


@dataclass(frozen=True)
class Electrode:
    """A cell of a formula on a prototype, with an arrangement of its elements.

    Attributes:
        prototype: the source of the sites.
        contents: the occupants of the sites.
        cell: all sites, by the marks of the prototype.
        matrix: of electrostatic energies of the cell's sites.
        labels: the element on each site, discharged.
    """

    prototype: Prototype
    contents: Contents
    cell: Structure
    matrix: NDArray[np.float64]
    labels: Sequence[str]

    def properties(self, how: Relaxation, deadline: Deadline, *, halfway: bool) -> dict[str, float]:
        """Relaxes the states and returns their properties, in the objective's units.

        Args:
            how: the calculator and its settings.
            deadline: of the candidate.
            halfway: whether to compute the state between the two.

        Raises:
            CandidateFailure: if a state fails; the message names the state.
        """
        ion, ions, left = self.contents.ion, self.contents.ions, self.contents.left
        metal = metal_energy(ion, how, deadline)
        full = self._relaxed("discharged", self._atoms(self.labels), how, deadline)
        charged = self._taken_out(left, "charged", full, how, deadline)
        moved, valence = ions - left, IONS[ion]
        volts = average_voltage(full.energy, charged.energy, metal, moved, valence)
        per_mole = moved * valence * FARADAY / SECONDS  # mAh per mole of cells
        capacity = per_mole / float(full.atoms.get_masses().sum())
        values = {
            "voltage": volts,
            "capacity": capacity,
            "specific_energy": volts * capacity,
            "rounding": self.contents.rounding,
        }
        if not self.prototype.single_layer:
            values["volumetric_capacity"] = per_mole / (AVOGADRO * full.extent * 1e-24)  # cubic angstrom to cm3
            values["volume_change"] = abs(charged.extent / full.extent - 1.0)
        if halfway:
            between = left + moved // 2
            middle = self._taken_out(between, "half charged", full, how, deadline)
            share = (between - left) / moved
            line = share * full.energy + (1.0 - share) * charged.energy
            values["energy_above_line"] = (middle.energy - line) / len(middle.atoms)
        return values

    def _taken_out(self, left: int, state: str, full: Relaxed, how: Relaxation, deadline: Deadline) -> Relaxed:
        """The state with fewer ions, from the relaxed discharged one, with the lowest electrostatic energy."""
        ion = self.contents.ion
        moved = next((part for part in self.contents.counts if part.role == "charged"), None)
        if moved is not None and 0 < left == self.contents.left:
            return self._checked(state, self._moved(left, moved, full), full, how, deadline)
        part = next(part for part in self.contents.counts if part.role == "ion")
        marks = [site.species_string for site in self.cell]
        leaving = [place for place, mark in enumerate(marks) if mark == part.mark and self.labels[place] == ion]
        staying = {place: symbol for place, symbol in enumerate(self.labels) if place not in leaving}
        counts = {symbol: n for symbol, n in ((ion, left), (VACANCY, len(leaving) - left)) if n}
        labels = lowest(self.matrix, [(leaving, counts)], staying, most=1)[0]
        occupied = [place for place, symbol in enumerate(self.labels) if symbol != VACANCY]
        kept = [position for position, place in enumerate(occupied) if labels[place] != VACANCY]
        return self._checked(state, full.atoms[kept], full, how, deadline)

    def _moved(self, left: int, sublattice: Sublattice, full: Relaxed) -> Atoms:
        """The relaxed framework with the ions that stay on other sites than in the discharged electrode."""
        ion, marks = self.contents.ion, [site.species_string for site in self.cell]
        part = next(part for part in self.contents.counts if part.role == "ion")
        sites = [place for place, mark in enumerate(marks) if mark == sublattice.mark]
        if left > len(sites):
            raise CandidateFailure(
                f"{left} {ion} remain, but the charged electrode has {len(sites)} sites for them; lower 'remaining'"
            )
        framework = {place: symbol for place, symbol in enumerate(self.labels) if marks[place] != part.mark}
        framework = {place: symbol for place, symbol in framework.items() if place not in sites}
        counts = {symbol: n for symbol, n in ((ion, left), (VACANCY, len(sites) - left)) if n}
        labels = lowest(self.matrix, [(sites, counts)], framework, most=1)[0]
        occupied = [place for place, symbol in enumerate(self.labels) if symbol != VACANCY]
        atoms = full.atoms[[position for position, place in enumerate(occupied) if marks[place] != part.mark]]
        chosen = [place for place in sites if labels[place] == ion]
        where = np.array([self.cell[place].frac_coords for place in chosen]) @ np.asarray(atoms.cell)
        return atoms + type(atoms)([ion] * left, positions=where)

    def _checked(self, state: str, start: Atoms, full: Relaxed, how: Relaxation, deadline: Deadline) -> Relaxed:
        found = self._relaxed(state, start, how, deadline)
        what = "area" if self.prototype.single_layer else "volume"
        check_charging(full.extent, found.extent, how.charging, what)
        return found

    def _relaxed(self, state: str, start: Atoms, how: Relaxation, deadline: Deadline) -> Relaxed:
        try:
            return relaxed(start, how, deadline, ion=self.contents.ion)
        except TransientFailure:
            raise
        except CandidateFailure as failure:
            raise CandidateFailure(f"{state}: {failure}") from None

    def _atoms(self, labels: Sequence[str]) -> Atoms:
        from ase import Atoms

        filled = [(symbol, site.coords) for symbol, site in zip(labels, self.cell, strict=True) if symbol != VACANCY]
        symbols, positions = zip(*filled, strict=True)
        pbc = (True, True, not self.prototype.single_layer)
        return Atoms(symbols, positions=positions, cell=self.cell.lattice.matrix, pbc=pbc)


def electrodes(prototype: Prototype, contents: Contents, most: int, ordering: Ordering = "ewald") -> list[Electrode]:
    """Returns the electrodes of a formula that differ in the ordering of their elements.

    Args:
        prototype: the source of the sites.
        contents: the occupants of the sites.
        most: largest number of orderings; fewer if others are equivalent by symmetry.
        ordering: how they are ranked.
    """
    cell = supercell(prototype, contents.copies)
    matrix = coulomb_matrix(cell)
    groups = groups_of(cell, contents.counts)
    if ordering == "quasi-random":
        found = most_random(cell, matrix, groups, most=most)
    else:
        found = lowest(matrix, groups, {}, most=most)
    return [Electrode(prototype, contents, cell, matrix, labels) for labels in found]


def average_voltage(full: float, charged: float, metal: float, moved: int, valence: int) -> float:
    """Returns the average voltage in V against the ion's metal (Aydinol et al. 1997, doi:10.1103/PhysRevB.56.1354).

    Args:
        full: eV of the cell with all ions.
        charged: eV of the cell with ``moved`` fewer ions.
        metal: eV of an atom of the metal.
        moved: number of ions.
        valence: elementary charges of an ion.
    """
    return -(full - charged - moved * metal) / (moved * valence)


def mean_and_spread(found: Sequence[Mapping[str, float]]) -> tuple[dict[str, float], dict[str, float]]:
    """Returns mean and standard deviation over orderings of each property; zero spread for a single ordering."""
    values = {name: [one[name] for one in found] for name in found[0]}
    mean = {name: math.fsum(numbers) / len(numbers) for name, numbers in values.items()}
    spread = {name: float(np.std(numbers, ddof=1)) if len(numbers) > 1 else 0.0 for name, numbers in values.items()}
    return mean, spread


def reasons_in_words(reasons: Sequence[str], orderings: int) -> str:
    """Joins the reasons of failed orderings, each with its count."""
    counted = Counter(reasons)
    if orderings == 1:
        return reasons[0]
    return "; ".join(f"{number} of {orderings} orderings: {reason}" for reason, number in counted.items())
