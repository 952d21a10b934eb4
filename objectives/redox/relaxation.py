"""Structures relaxed by GFN2-xTB."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.failures import CandidateFailure
from invdesign.surrogates.features.xtb import METHOD, Medium, check_electrons, xtb_message

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.failures import Deadline

LARGEST_FORCE = 0.03
"""eV/angstrom at which a structure counts as relaxed: potentials are then converged to about 0.01 V."""
MOST_STEPS = 400


def relaxed(
    numbers: NDArray[np.int64],
    positions: NDArray[np.float64],
    *,
    charge: int,
    uhf: int,
    medium: Medium,
    deadline: Deadline,
) -> NDArray[np.float64]:
    """Relaxes a structure with ASE's BFGS until no force exceeds LARGEST_FORCE.

    Returns:
        Positions in angstrom.

    Raises:
        CandidateFailure: as for ``single_point``, or if MOST_STEPS are not enough.
        TransientFailure: if the time limit has passed; it is checked between steps.
    """
    from ase import Atoms
    from ase.calculators.calculator import CalculatorError
    from ase.optimize import BFGS
    from tblite.ase import TBLite

    check_electrons(numbers, charge=charge, uhf=uhf)
    atoms = Atoms(numbers=numbers, positions=positions)
    atoms.calc = TBLite(method=METHOD, charge=charge, multiplicity=uhf + 1, solvation=medium.interaction, verbosity=0)
    try:
        for converged in BFGS(atoms, logfile=None).irun(fmax=LARGEST_FORCE, steps=MOST_STEPS):
            if converged:
                break
            deadline.check()
        else:
            raise CandidateFailure(f"the structure did not relax in {MOST_STEPS} steps")
    except (CalculatorError, RuntimeError) as error:
        raise CandidateFailure(f"xTB failed: {xtb_message(error)}") from None
    return np.asarray(atoms.get_positions(), dtype=np.float64)
