"""Which features a surrogate is given: the choices, apart from how they are computed."""

from __future__ import annotations

from typing import Literal

from invdesign.core.settings import bounded, settings

MoleculeKind = Literal["descriptors", "fingerprints", "both"]
FormulaKind = Literal["compact", "magpie"]
MissingKind = Literal["error", "impute"]


@settings
class Features:
    """Which features a surrogate is given of its candidates' columns."""

    molecules: MoleculeKind = "descriptors"
    """RDKit's descriptors, count Morgan fingerprints (Rogers and Hahn 2010, doi:10.1021/ci100050t), or both."""
    components: int | None = bounded(default=None, ge=1)
    """Principal components of the molecules' features; None for the features themselves."""
    formulas: FormulaKind = "magpie"
    """Shares of the elements with few statistics (``compact``) or with the attributes of Ward et al. (2016;
    ``magpie``)."""
    orbitals: bool = False
    """Whether to add the orbital energies of molecules by GFN2-xTB (needs the extra ``physics``; a fraction of a second
    a molecule, kept on disk)."""
    missing: MissingKind = "error"
    """What a gap in a number or a category is: an ``error``, or ``impute`` by chained equations (van Buuren 2011,
    scikit-learn's IterativeImputer), fitted on the rows that the surrogate is fitted on."""
