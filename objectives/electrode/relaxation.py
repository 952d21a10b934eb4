"""Relaxed structures and their energies, cached on disk by calculator and settings."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.disk_cache import DiskCache
from invdesign.core.errors import InputError
from invdesign.core.failures import CandidateFailure, Deadline, TransientFailure
from invdesign.core.threads import single_thread
from invdesign.objectives.electrode.calculators import CHGNET, HEAVIEST, Setting, calculator, label, quiet
from invdesign.objectives.electrode.checks import check_drift, check_whole, extent

if TYPE_CHECKING:
    from ase import Atoms

DIGITS = 6
"""Decimals of positions and cells in angstrom, so that cached and newly relaxed structures are the same."""
IN_PLANE = (True, True, False, False, False, True)
"""Strains of a layer in vacuum that may relax, in Voigt's order."""

CACHE = DiskCache("electrode")
METHOD = "LBFGS FIRE 1"
"""Part of the cache key: must change whenever a change in this file changes results."""
CLIMB = 0.01
"""eV per atom above the first energy at which a relaxation is stopped."""


@dataclass(frozen=True)
class Relaxation:
    """How structures are relaxed.

    Attributes:
        calculator: ``chgnet``, or ``package.module:Class``.
        settings: keyword arguments of the calculator.
        fmax: eV/angstrom, the largest force (and stress times volume per atom) of a relaxed structure.
        steps: largest number of steps.
        drift: largest relative change of the volume on relaxation.
        charging: largest relative change of the volume on charging.
    """

    calculator: str
    settings: Mapping[str, Setting]
    fmax: float
    steps: int
    drift: float
    charging: float


@dataclass(frozen=True)
class Relaxed:
    """A relaxed structure.

    Attributes:
        energy: eV of the whole cell.
        atoms: the structure.
    """

    energy: float
    atoms: Atoms

    @property
    def extent(self) -> float:
        """Volume in cubic angstrom; for a layer in vacuum its area in square angstrom."""
        return extent(self.atoms)


def metal_energy(ion: str, how: Relaxation, deadline: Deadline) -> float:
    """Returns the energy in eV of an atom of the working ion's metal, by the same calculator.

    Raises:
        CandidateFailure: if it does not relax.
    """
    from ase.build import bulk

    # ASE's lattice constants are those of Kittel's textbook, for the stable structures.
    metal = bulk(ion)
    try:
        return relaxed(metal, how, deadline).energy / len(metal)
    except TransientFailure:
        raise
    except CandidateFailure as failure:
        raise CandidateFailure(f"{ion} metal, the other electrode: {failure}") from None


def relaxed(start: Atoms, how: Relaxation, deadline: Deadline, *, ion: str = "") -> Relaxed:
    """Relaxes positions and cell, or reads the cached result.

    Failures are cached like structures, except time limits and exceptions of the calculator.

    Args:
        start: the structure; not periodic along c for a layer in vacuum.
        how: the calculator and its settings.
        deadline: of the candidate, checked between steps.
        ion: the working ion, which may lose its bonds to the framework.

    Raises:
        CandidateFailure: if it did not converge, tore apart or drifted, or has no finite energy.
    """
    from ase import Atoms

    deadline.check()
    made_by = label(how.calculator, how.settings)
    key = (_hash(start), f"{METHOD} {made_by} {how.fmax} {how.steps} {how.drift} {ion}")
    result = CACHE.result(key, lambda: _result(start, how, deadline, ion))
    found = Atoms(start.numbers, positions=result["positions"], cell=result["cell"], pbc=start.pbc)
    return Relaxed(float(result["energy"]), found)


def _result(start: Atoms, how: Relaxation, deadline: Deadline, ion: str) -> dict[str, Any]:
    heavy = sorted({atom.symbol for atom in start if atom.number > HEAVIEST})
    if heavy and how.calculator == CHGNET:
        raise CandidateFailure(f"CHGNet has no parameters for {heavy[0]}: it covers elements up to plutonium")
    atoms = start.copy()
    try:
        energy = _descend(atoms, how, deadline)
    except CandidateFailure:
        raise
    except InputError as error:
        raise TransientFailure(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the calculator may be anybody's and raise anything
        raise TransientFailure(f"the calculator failed: {type(error).__name__}: {error}") from None
    check_drift(
        extent(start), extent(atoms), how.drift, "volume on relaxation" if start.pbc[2] else "area on relaxation"
    )
    check_whole(start, atoms, ion)
    return {
        "energy": energy,
        "positions": np.round(atoms.positions, DIGITS).tolist(),
        "cell": np.round(np.asarray(atoms.cell), DIGITS).tolist(),
    }


def _descend(atoms: Atoms, how: Relaxation, deadline: Deadline) -> float:
    """Relaxes the atoms; returns the energy in eV.

    LBFGS takes half the steps of FIRE (25 against 55 for a layered oxide of 40 atoms, to the same energy), but far from
    the minimum its energy may rise. If it does, or after half of the steps, FIRE starts with the remaining steps.
    """
    from ase.optimize import FIRE, LBFGS

    start = atoms.positions.copy(), np.array(atoms.cell)
    with single_thread(), quiet():
        atoms.calc = calculator(how.calculator, how.settings)
        converged, used = _steps(LBFGS, atoms, how.fmax, max(1, how.steps // 2), deadline)
        if not converged and used < how.steps:
            positions, cell = start
            atoms.set_cell(cell)
            atoms.set_positions(positions)
            converged, more = _steps(FIRE, atoms, how.fmax, how.steps - used, deadline)
            used += more
        if not converged and used < how.steps:
            raise CandidateFailure(
                "the energy rises during relaxation: the calculator's forces are inconsistent with its energies"
            )
        if not converged:
            raise CandidateFailure(f"the relaxation did not converge within {how.steps} steps; raise 'steps' or 'fmax'")
        return float(atoms.get_potential_energy())


def _steps(optimizer: Any, atoms: Atoms, fmax: float, steps: int, deadline: Deadline) -> tuple[bool, int]:
    """Whether an optimizer has converged, and in how many steps; it stops if the energy rises above the first one."""
    from ase.filters import UnitCellFilter

    strains = None if atoms.pbc[2] else IN_PLANE
    walk = optimizer(UnitCellFilter(atoms, mask=strains), logfile=None)
    first = float(atoms.get_potential_energy())
    converged = False
    for converged in walk.irun(fmax=fmax, steps=steps):  # noqa: B007 - only its last value counts
        energy = float(atoms.get_potential_energy())
        if not math.isfinite(energy):
            raise CandidateFailure("the calculator did not return a finite energy")
        deadline.check()
        if energy > first + CLIMB * len(atoms):
            return False, int(walk.nsteps)
    return bool(converged), int(walk.nsteps)


def _hash(atoms: Atoms) -> str:
    positions = np.round(atoms.positions, DIGITS) + 0.0  # avoids negative zeros
    cell = np.round(np.asarray(atoms.cell), DIGITS) + 0.0
    parts = (atoms.numbers.astype(np.int64), positions, cell, np.asarray(atoms.pbc))
    return hashlib.sha256(b"".join(np.ascontiguousarray(part).tobytes() for part in parts)).hexdigest()
