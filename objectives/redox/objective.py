"""Oxidation and reduction potentials of molecules by GFN2-xTB, optionally calibrated with known values."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Literal, Self

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.failures import CandidateFailure
from invdesign.core.memory import MemorySize
from invdesign.core.settings import OneOf, bounded, settings
from invdesign.core.units import conversion
from invdesign.objectives.base import STD_SUFFIX, TravelsByFields, failed, valued
from invdesign.objectives.calibrated import CalibrationReport
from invdesign.objectives.limits import memory_of, with_grace
from invdesign.objectives.named_column import column_problems, named_or_only
from invdesign.objectives.redox.calibration import Calibration, Fitted, fitted
from invdesign.objectives.redox.states import Geometry, Ionization, Protocol, States
from invdesign.surrogates.features.smiles import canonical_smiles
from invdesign.surrogates.features.xtb import Medium

Reference = Literal["Li/Li+", "SHE", "NHE"]

PROPERTIES: Mapping[str, str] = {
    "oxidation_potential": "V",
    "reduction_potential": "V",
    "HOMO": "eV",
    "LUMO": "eV",
    "solvation_energy": "eV",
    "dipole": "debye",
}
ABSOLUTE_POTENTIALS: Mapping[Reference, float] = {"Li/Li+": 1.40, "SHE": 4.44, "NHE": 4.44}
"""V. Conventions: 4.44 V is the absolute potential of the standard hydrogen electrode that IUPAC recommends (Trasatti
1986, doi:10.1351/pac198658070955); the standard potential of Li/Li+ in water, -3.04 V, makes it 1.40 V. The normal
hydrogen electrode is taken as equal to the standard one; they differ by some millivolts."""
SELF_INTERACTION = 4.846
"""eV by which GFN2-xTB overestimates ionization energies and electron affinities: the shift that xtb subtracts from
vertical ionization potentials and electron affinities (Asgeirsson, Bauer and Grimme 2017, doi:10.1039/c7sc00601b)."""
DEFAULT_SOLVENT = "acetonitrile"


@settings
class RedoxObjective(TravelsByFields):
    """Computes one-electron redox potentials of molecules, and related properties.

    Conformers by ETKDG and MMFF94; the one lowest in GFN2-xTB's energy is relaxed by xTB in the medium; the ion starts
    from that structure. Bonds must be the same before and after, unless ``cleavage`` accepts what breaks. Then, in V
    against the reference (a benchmark of such potentials: Neugebauer et al. 2020, doi:10.1021/acs.jpca.0c05052)::

        oxidation_potential = E(+) - E(0) - 4.846 - absolute potential of the reference
        reduction_potential = E(0) - E(-) - 4.846 - absolute potential of the reference

    Besides ``HOMO`` and ``LUMO`` (eV) and ``dipole`` (debye) of the molecule in its medium, and ``solvation_energy``
    (eV): its energy there minus that of the same structure in vacuum.

    Raw values have errors of some tenths of a volt and too steep a slope: calibrate per chemistry. Some are wrong
    altogether: ethylene carbonate and other carbonates are reduced in a cell while lithium coordinates them, at around
    0.8 V against Li/Li+ (xTB without lithium gives far less), and follow-up reactions (rings that open, protons that
    leave) shift measured potentials of irreversible couples.

    Every state is cached on disk by molecule and settings (``redox.db`` in the folder ``INVDESIGN_CACHE``, by default
    ``~/.cache/invdesign``), so that nothing is computed twice.

    Raises:
        InputError: if a name is unknown, or settings contradict each other.
    """

    molecule: str | None = None
    """The molecule parameter; None for the only one of the space."""
    wanted: tuple[Annotated[str, OneOf("property", tuple(PROPERTIES))], ...] = ()
    """The properties to compute; empty for all. Only what they need is computed."""
    reference: Reference = "Li/Li+"
    """The reference electrode of potentials: a convention, see ABSOLUTE_POTENTIALS."""
    solvent: str = DEFAULT_SOLVENT
    """A solvent of the ALPB model, or ``vacuum``."""
    permittivity: float | None = bounded(default=None, ge=1)
    """Relative permittivity, for a solvent that ALPB does not include; uses a generalized Born model instead."""
    ionization: Ionization = "adiabatic"
    """``adiabatic``: the ion relaxes. ``vertical``: it keeps the neutral's structure. ``orbital``: no ion is computed,
    and the HOMO and LUMO replace its energies (Koopmans): several times faster, for large pools, and useful only if
    calibrated."""
    geometry: Geometry = "xtb"
    """Whether the neutral's structure is relaxed by ``xtb`` or taken from ``mmff``."""
    conformers: int = bounded(default=5, ge=1)
    """Number of conformers to try."""
    cleavage: Literal["fail", "accept"] = "fail"
    """What to do with a molecule whose bonds break or form when its adiabatic ion relaxes: it fails with the bond as
    reason (``fail``), or its potential is that of the ion after cleavage (``accept``), of an irreversible couple."""
    time_limit: float = bounded(default=120.0, gt=0)
    """Time limit per molecule in seconds, checked between steps; a campaign also ends a step that hangs."""
    memory_limit: MemorySize | None = None
    """Memory that the process of a call may use, such as ``2 GB`` (Linux); None for no limit."""
    calibration: Calibration | None = None
    """A table of known values of one property that calibrates its raw values; the property then has a standard
    deviation too. The table's molecules are computed at first use."""

    def __post_init__(self) -> None:
        """Refuses unknown names and settings that contradict each other."""
        if self.ionization == "adiabatic" and self.geometry == "mmff":
            raise InputError(
                "An adiabatic ion needs a neutral relaxed by xTB. Set 'ionization: vertical' or 'geometry: xtb'."
            )
        if self.cleavage == "accept" and self.ionization != "adiabatic":
            raise InputError("Only an adiabatic ion can cleave. Set 'ionization: adiabatic' or 'cleavage: fail'.")
        if self.permittivity is not None and self.solvent != DEFAULT_SOLVENT:
            raise InputError("Give a 'solvent' or a 'permittivity', not both.")
        if self.calibration is not None and self.calibration.property not in self.properties:
            wrong = self.calibration.property
            raise InputError(
                f"The calibration refers to '{wrong}', which is not computed.{nearest(wrong, self.properties)}"
            )

    @property
    def properties(self) -> Mapping[str, str]:
        return {name: PROPERTIES[name] for name in self.wanted or PROPERTIES}

    @property
    def rows_per_call(self) -> int | None:
        return 1

    def for_columns(self, columns: Sequence[Column]) -> Self:
        molecule = named_or_only(columns, "molecule", self.molecule)
        return self if molecule == self.molecule else replace(self, molecule=molecule)

    def check(self, columns: Sequence[Column]) -> list[str]:
        problems = column_problems(columns, "molecule", self.molecule)
        try:
            self._medium.check()
            if self.calibration is not None:
                unit = PROPERTIES[self.calibration.property]
                conversion(self.calibration.unit or unit, unit)
                self.calibration.rows(unit)
        except InputError as error:
            problems.append(str(error))
        return problems

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        if self.molecule is None or self.molecule not in candidates.columns:
            return failed(candidates.index, self.properties, f"the molecule column '{self.molecule}' is missing")
        given = candidates[self.molecule].tolist()
        canonical = canonical_smiles(given)
        values: list[dict[str, float]] = []
        reasons: list[str | None] = []
        for text, smiles in zip(given, canonical, strict=True):
            if smiles is None:
                values.append(dict.fromkeys(self.properties, math.nan))
                reasons.append(f"{text!r} is not a molecule that RDKit can read")
            else:
                found, reason = raw_values(smiles, self._protocol, self.reference, tuple(self.properties))
                values.append(found)
                reasons.append(reason)
        raw = pd.DataFrame(values, index=candidates.index, columns=list(self.properties), dtype=np.float64)
        return valued(*self._calibrated(raw, canonical, reasons))

    def seconds_allowed(self, candidates: int) -> float | None:
        known = 0
        if self.calibration is not None:  # its molecules are computed at first use
            known = len(self.calibration.rows(PROPERTIES[self.calibration.property])[0])
        return with_grace((candidates + known) * self.time_limit)

    def memory_allowed(self) -> int | None:
        return memory_of(self.memory_limit)

    def calibration_report(self) -> CalibrationReport:
        """Returns the errors of the calibration; computes its molecules if they are not on disk.

        Raises:
            InputError: if there is no calibration, or too few of its molecules have a raw value.
        """
        return self._fitted().report

    def calibration_basis(self) -> Mapping[str, str]:
        if self.calibration is None:
            return {}
        name = self.calibration.property
        return {name: self.calibration.basis(PROPERTIES[name])}

    def calibration_reports(self) -> Mapping[str, CalibrationReport | str]:
        if self.calibration is None:
            return {}
        try:
            return {self.calibration.property: self.calibration_report()}
        except InputError as error:
            return {self.calibration.property: str(error)}

    def _calibrated(
        self, raw: pd.DataFrame, smiles: Sequence[str | None], reasons: Sequence[str | None]
    ) -> tuple[pd.DataFrame, Sequence[str | None]]:
        if self.calibration is None:
            return raw, reasons
        name = self.calibration.property
        result = raw.assign(**{name: math.nan, name + STD_SUFFIX: math.nan})
        places = np.flatnonzero(raw[name].notna().to_numpy())
        if not len(places):
            return result, reasons
        try:
            fit = self._fitted()
        except InputError as error:
            return result, [reason or f"the calibration failed: {error}" for reason in reasons]
        numbers = raw[name].to_numpy(dtype=np.float64)[places]
        mean, deviation = fit.predict(numbers, [str(smiles[int(place)]) for place in places])
        rows = raw.index[places]
        result.loc[rows, name] = mean
        result.loc[rows, name + STD_SUFFIX] = deviation
        return result, reasons

    def _fitted(self) -> Fitted:
        if self.calibration is None:
            raise InputError("This redox objective has no calibration. Add one: 'calibration: {data: ..., ...}'.")
        smiles, known = self.calibration.rows(PROPERTIES[self.calibration.property])
        settings = replace(self.calibration, data="")  # the rows hold the table's content and can be compared
        return _fitted(smiles, known, settings, self._protocol, self.reference)

    @property
    def _medium(self) -> Medium:
        return Medium(self.solvent, self.permittivity)

    @property
    def _protocol(self) -> Protocol:
        return Protocol(
            self._medium, self.ionization, self.geometry, self.conformers, self.time_limit, self.cleavage == "accept"
        )


def raw_values(
    smiles: str, protocol: Protocol, reference: Reference, wanted: Sequence[str]
) -> tuple[dict[str, float], str | None]:
    """Computes properties of one molecule without a calibration.

    Args:
        smiles: canonical.
        protocol: how states are computed.
        reference: the reference electrode of potentials.
        wanted: names of properties.

    Returns:
        The value of each property, NaN if it has none, and why one has none.
    """
    states = States(smiles, protocol)
    values: dict[str, float] = {}
    reasons: list[str] = []
    for name in wanted:
        try:
            values[name] = _raw_value(states, name, ABSOLUTE_POTENTIALS[reference])
        except CandidateFailure as failure:
            values[name] = math.nan
            reasons += [] if str(failure) in reasons else [str(failure)]
    return values, "; ".join(reasons) or None


def _raw_value(states: States, name: str, absolute: float) -> float:
    neutral = states.neutral
    orbital = states.protocol.ionization == "orbital"
    match name:
        case "oxidation_potential":
            taken = -float(neutral["homo"]) if orbital else states.ion_energy(1) - float(neutral["energy"])
            return taken - SELF_INTERACTION - absolute
        case "reduction_potential":
            given = -float(neutral["lumo"]) if orbital else float(neutral["energy"]) - states.ion_energy(-1)
            return given - SELF_INTERACTION - absolute
        case "solvation_energy":
            return float(neutral["energy"]) - states.vacuum_energy
        case _:
            return float(neutral[name.lower()])


@lru_cache(maxsize=16)
def _fitted(
    smiles: tuple[str, ...],
    known: tuple[float, ...],
    calibration: Calibration,
    protocol: Protocol,
    reference: Reference,
) -> Fitted:
    """The fit of a calibration's rows, cached per process: a worker receives the objective with every candidate."""
    found = [raw_values(text, protocol, reference, (calibration.property,)) for text in smiles]
    raw = np.array([values[calibration.property] for values, _ in found])
    usable = np.isfinite(raw)
    failures = {text: reason or "" for text, (_, reason) in zip(smiles, found, strict=True) if reason is not None}
    kept = [text for text, use in zip(smiles, usable, strict=True) if use]
    return fitted(calibration, kept, raw[usable], np.array(known)[usable], failures)
