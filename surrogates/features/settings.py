"""Which features a surrogate is given: the choices, apart from how they are computed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from invdesign.core.errors import InputError, nearest

MoleculeKind = Literal["descriptors", "fingerprints", "both"]
FormulaKind = Literal["compact", "magpie"]
MissingKind = Literal["error", "impute"]


@dataclass(frozen=True)
class Features:
    """Which features a surrogate is given of its candidates' columns.

    Attributes:
        molecules: RDKit's descriptors, count Morgan fingerprints (Rogers and Hahn 2010, doi:10.1021/ci100050t), or
            both.
        components: principal components of the molecules' features; None for the features themselves.
        formulas: shares of the elements with few statistics (``compact``) or with the attributes of Ward et
            al. (2016; ``magpie``).
        orbitals: whether to add the orbital energies of molecules by GFN2-xTB (needs the extra ``physics``; a fraction
            of a second a molecule, kept on disk).
        missing: what a gap in a number or a category is: an ``error``, or ``impute`` by chained equations (van Buuren
            2011, scikit-learn's IterativeImputer), fitted on the rows that the surrogate is fitted on.
    """

    molecules: MoleculeKind = "descriptors"
    components: int | None = None
    formulas: FormulaKind = "magpie"
    orbitals: bool = False
    missing: MissingKind = "error"

    def __post_init__(self) -> None:
        for name, kind in (("molecules", MoleculeKind), ("formulas", FormulaKind), ("missing", MissingKind)):
            value = getattr(self, name)
            if value not in get_args(kind):
                raise InputError(f"There are no features {name}: {value!r}.{nearest(str(value), get_args(kind))}")
        if self.components is not None and self.components < 1:
            raise InputError(f"At least one component is needed, not {self.components}.")
