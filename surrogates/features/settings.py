"""Which features a surrogate is given: the choices, apart from how they are computed."""

from __future__ import annotations

from typing import Literal

from invdesign.core.settings import bounded, settings

MoleculeKind = Literal["descriptors", "fingerprints", "both", "quick", "names"]
FormulaKind = Literal["compact", "magpie"]
MixtureKind = Literal["properties", "both"]
TemperatureKind = Literal["linear", "arrhenius", "vogel-fulcher-tammann"]
MissingKind = Literal["error", "impute"]


@settings
class Features:
    """Which features a surrogate is given of its candidates' columns."""

    molecules: MoleculeKind = "descriptors"
    """RDKit's descriptors, count Morgan fingerprints (Rogers and Hahn 2010, doi:10.1021/ci100050t), both, fingerprints
    beside two dozen descriptors that take a fraction of a millisecond (``quick``: elements, size, rings, polarity), or
    only which molecule it is, as a category (``names``; a list of more than 32 molecules has descriptors then)."""
    components: int | None = bounded(default=None, ge=1)
    """Principal components of the molecules' features; None for the features themselves."""
    formulas: FormulaKind = "magpie"
    """Shares of the elements with few statistics (``compact``) or with the attributes of Ward et al. (2016;
    ``magpie``)."""
    mixtures: MixtureKind = "properties"
    """Of the components of mixtures, mean and spread of their properties, weighted by amount (``properties``), or also
    the mean of their fingerprints under the MinMax kernel, which is the set kernel ``sum_ij a_i b_j k(x_i, x_j)`` of
    two mixtures (``both``)."""
    temperatures: TemperatureKind = "linear"
    """What a temperature (a number in K, degC or degF) is: the number itself, 1/T (``arrhenius``) or 1/(T - T0), T0
    being 0.7 of its lowest (``vogel-fulcher-tammann``), in which the logarithm of a rate, a conductivity or a viscosity
    is nearly linear."""
    orbitals: bool = False
    """Whether to add the orbital energies of molecules by GFN2-xTB (needs the extra ``physics``; a fraction of a second
    a molecule, kept on disk)."""
    missing: MissingKind = "error"
    """What a gap in a number or a category is: an ``error``, or ``impute`` by chained equations (van Buuren 2011,
    scikit-learn's IterativeImputer), fitted on the rows that the surrogate is fitted on."""
