"""The states of a molecule that determine its potentials, cached on disk by settings."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from invdesign.core.disk_cache import DiskCache
from invdesign.core.failures import CandidateFailure, Deadline, TransientFailure
from invdesign.objectives.redox.conformers import Molecule, read_molecule
from invdesign.objectives.redox.relaxation import LARGEST_FORCE, relaxed
from invdesign.surrogates.features.xtb import HEAVIEST, METHOD, VACUUM, Medium, single_point, tblite_version

Ionization = Literal["adiabatic", "vertical", "orbital"]
Geometry = Literal["xtb", "mmff"]
CACHE = DiskCache("redox")
DIGITS = 6
"""Decimals of positions in angstrom, so that cached and newly computed states give the same numbers."""


@dataclass(frozen=True)
class Protocol:
    """How the states of molecules are computed.

    Attributes:
        medium: what surrounds the molecule.
        ionization: whether ions relax (``adiabatic``), keep the neutral's structure (``vertical``) or are not computed.
        geometry: whether xTB relaxes the neutral, or MMFF's structure is taken.
        conformers: how many are tried; the lowest in xTB's energy is taken.
        time_limit: seconds a molecule.
        cleaved: whether an ion's bonds may break or form as it relaxes.
    """

    medium: Medium
    ionization: Ionization
    geometry: Geometry
    conformers: int
    time_limit: float
    cleaved: bool = False

    @property
    def label(self) -> str:
        """The settings that a state depends on, as part of its cache key. The time limit is not included."""
        medium = self.medium.interaction or (VACUUM,)
        return " ".join(
            (METHOD, tblite_version(), *map(str, medium), self.geometry, str(self.conformers), str(LARGEST_FORCE))
        )


class States:
    """The states of one molecule; each is computed at first use.

    Args:
        smiles: canonical.
        protocol: how they are computed.
    """

    def __init__(self, smiles: str, protocol: Protocol) -> None:
        self.smiles = smiles
        self.protocol = protocol
        self._deadline = Deadline(protocol.time_limit)

    @cached_property
    def neutral(self) -> dict[str, Any]:
        """The neutral molecule: energy, orbitals, dipole, positions."""
        return self._kept("neutral", self._neutral)

    @cached_property
    def vacuum_energy(self) -> float:
        """Energy in eV of the neutral's structure in vacuum."""
        return float(self._kept("vacuum", self._vacuum)["energy"])

    def ion_energy(self, change: Literal[1, -1]) -> float:
        """Energy in eV of the molecule with one electron fewer (1) or more (-1)."""
        _ = self.neutral  # its failure is not one of oxidation or reduction
        name = f"{'cation' if change == 1 else 'anion'} {self.protocol.ionization}"
        name += " cleaved" if self.protocol.cleaved else ""
        return float(self._kept(name, lambda: self._ion(change))["energy"])

    @cached_property
    def _molecule(self) -> Molecule:
        return read_molecule(self.smiles, conformers=self.protocol.conformers, deadline=self._deadline)

    def _neutral(self) -> dict[str, Any]:
        molecule = self._molecule
        heavy = [int(number) for number in molecule.numbers if number > HEAVIEST]
        if heavy:
            raise CandidateFailure(f"{METHOD} has no parameters for the element with the atomic number {heavy[0]}")
        settings: dict[str, Any] = {
            "charge": molecule.charge,
            "uhf": molecule.uhf,
            "medium": self.protocol.medium,
        }
        start = molecule.conformers[0]
        if len(molecule.conformers) > 1:
            energies = []
            for positions in molecule.conformers:
                self._deadline.check()
                energies.append(single_point(molecule.numbers, positions, **settings).energy)
            start = molecule.conformers[int(np.argmin(energies))]
        positions = start
        if self.protocol.geometry == "xtb":
            positions = relaxed(molecule.numbers, start, **settings, deadline=self._deadline)
            changed = molecule.changed_bond(start, positions)
            if changed:
                raise CandidateFailure(f"{changed} when xTB relaxes the molecule")
        positions = np.round(positions, DIGITS)
        self._deadline.check()
        return {
            **asdict(single_point(molecule.numbers, positions, **settings)),
            "positions": positions.tolist(),
        }

    def _ion(self, change: Literal[1, -1]) -> dict[str, Any]:
        try:
            return self._ion_state(change)
        except TransientFailure:
            raise
        except CandidateFailure as failure:
            raise CandidateFailure(f"{failure} on {'oxidation' if change == 1 else 'reduction'}") from None

    def _ion_state(self, change: Literal[1, -1]) -> dict[str, Any]:
        molecule, positions = self._molecule, np.array(self.neutral["positions"])
        settings: dict[str, Any] = {
            "charge": molecule.charge + change,
            # A radical gains or loses its unpaired electron; a closed shell becomes a doublet.
            "uhf": molecule.uhf - 1 if molecule.uhf else 1,
            "medium": self.protocol.medium,
        }
        self._deadline.check()
        if self.protocol.ionization == "adiabatic":
            ion = relaxed(molecule.numbers, positions, **settings, deadline=self._deadline)
            changed = molecule.changed_bond(positions, ion)
            if changed and not self.protocol.cleaved:
                raise CandidateFailure(changed)
            positions = np.round(ion, DIGITS)
        return asdict(single_point(molecule.numbers, positions, **settings))

    def _vacuum(self) -> dict[str, Any]:
        molecule, positions = self._molecule, np.array(self.neutral["positions"])
        self._deadline.check()
        found = single_point(
            molecule.numbers, positions, charge=molecule.charge, uhf=molecule.uhf, medium=Medium(VACUUM)
        )
        return asdict(found)

    def _kept(self, state: str, compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """A state from disk, or computed and stored there; failures are cached like values, except time limits."""
        return CACHE.result((self.smiles, self.protocol.label, state), compute)
