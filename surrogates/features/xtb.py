"""GFN2-xTB by tblite: energy, frontier orbitals and dipole of a molecule in a medium.

GFN2-xTB: Bannwarth, Ehlert and Grimme 2019, doi:10.1021/acs.jctc.8b01176. ALPB: Ehlert et al. 2021,
doi:10.1021/acs.jctc.1c00471.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.errors import InputError
from invdesign.core.failures import CandidateFailure

if TYPE_CHECKING:
    from numpy.typing import NDArray

METHOD = "GFN2-xTB"
HEAVIEST = 86
"""GFN2-xTB has parameters up to radon."""
VACUUM = "vacuum"
BORN_KERNEL = "p16"
HARTREE = 27.211386245988
"""eV, CODATA 2018, doi:10.1103/RevModPhys.93.025010."""
BOHR = 0.529177210903
"""Angstrom, CODATA 2018."""
ATOMIC_DIPOLE = 2.541746473
"""Debye in one elementary charge times bohr, from CODATA 2018."""
NOT_INSTALLED = "GFN2-xTB needs tblite. Install it: pip install 'invdesign[physics]'"


def tblite_version() -> str:
    """Version of tblite, which belongs to the key of what it computes.

    Raises:
        InputError: if it is not installed.
    """
    try:
        return version("tblite")
    except PackageNotFoundError:
        raise InputError(NOT_INSTALLED) from None


@dataclass(frozen=True)
class Medium:
    """The medium of the molecule.

    Attributes:
        solvent: a solvent that ALPB knows, or ``vacuum``.
        permittivity: relative permittivity; where given, a generalized Born model takes the place of ``solvent``.
    """

    solvent: str
    permittivity: float | None = None

    @property
    def interaction(self) -> tuple[Any, ...] | None:
        """The model's name and settings as tblite takes them; None in vacuum."""
        if self.permittivity is not None:
            return ("gbe", self.permittivity, BORN_KERNEL)
        return None if self.solvent == VACUUM else ("alpb", self.solvent)

    def check(self) -> None:
        """Raises InputError where tblite is not installed or does not know the solvent."""
        try:
            from tblite.interface import Calculator
        except ImportError:
            raise InputError(NOT_INSTALLED) from None
        if self.interaction is None:
            return
        try:
            _join(Calculator(METHOD, np.array([1, 1]), np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.4]])), self)
        except (RuntimeError, ValueError):
            raise InputError(
                f"Unknown ALPB solvent '{self.solvent}'. Known are acetonitrile, dmso, dmf, thf, water, "
                f"acetone, ether, "
                f"toluene and others; use '{VACUUM}' for none, or give a 'permittivity'."
            ) from None


@dataclass(frozen=True)
class Electrons:
    """What one calculation gives.

    Attributes:
        energy: total energy in eV, of the molecule in its medium.
        homo: energy of the highest occupied orbital in eV.
        lumo: energy of the lowest empty orbital in eV.
        dipole: in debye; of an ion it depends on the origin.
    """

    energy: float
    homo: float
    lumo: float
    dipole: float


def single_point(
    numbers: NDArray[np.int64], positions: NDArray[np.float64], *, charge: int, uhf: int, medium: Medium
) -> Electrons:
    """Calculates a structure as it is.

    Args:
        numbers: atomic numbers.
        positions: angstrom, ``n x 3``.
        charge: in elementary charges.
        uhf: unpaired electrons.
        medium: the medium of the molecule.

    Raises:
        CandidateFailure: if an element has no parameters, the electrons do not fit ``uhf``, or xTB does not
            converge.
        InputError: if tblite is not installed.
    """
    try:
        from tblite.interface import Calculator
    except ImportError:
        raise InputError(NOT_INSTALLED) from None

    check_electrons(numbers, charge=charge, uhf=uhf)
    try:
        calculator = Calculator(METHOD, numbers, positions / BOHR, charge=float(charge), uhf=uhf)
        calculator.set("verbosity", 0)
        _join(calculator, medium)
        result = calculator.singlepoint()
    except RuntimeError as error:
        raise CandidateFailure(f"xTB failed: {xtb_message(error)}") from None
    energies = np.atleast_2d(result["orbital-energies"])[0] * HARTREE
    occupations = np.atleast_2d(result["orbital-occupations"]).sum(axis=0)
    highest = int(np.flatnonzero(occupations > 0.5)[-1])
    return Electrons(
        energy=float(result["energy"]) * HARTREE,
        homo=float(energies[highest]),
        lumo=float(energies[min(highest + 1, len(energies) - 1)]),
        dipole=float(np.linalg.norm(result["dipole"])) * ATOMIC_DIPOLE,
    )


def check_electrons(numbers: NDArray[np.int64], *, charge: int, uhf: int) -> None:
    """Refuses what tblite would take silently: a number of unpaired electrons that cannot be, an unknown element.

    Raises:
        CandidateFailure: saying which.
    """
    if int(numbers.max()) > HEAVIEST:
        raise CandidateFailure(f"{METHOD} has no parameters for the element with the atomic number {numbers.max()}")
    electrons = int(numbers.sum()) - charge
    if electrons < uhf or (electrons - uhf) % 2:
        raise CandidateFailure(f"{uhf} unpaired electrons are not possible with {electrons} electrons")


def _join(calculator: Any, medium: Medium) -> None:
    if medium.interaction is not None:
        name, *settings = medium.interaction
        calculator.add(f"{name}-solvation", *settings)


def xtb_message(error: Exception) -> str:
    """What tblite says of a calculation that failed, on one line."""
    return " ".join(str(error).split()) or type(error).__name__
