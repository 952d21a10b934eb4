"""Voltage, capacity and related properties of insertion electrodes, by relaxing their crystal structures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Annotated, Self

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.failures import CandidateFailure, Deadline, TransientFailure
from invdesign.core.memory import MemorySize
from invdesign.core.settings import FileContext, OneOf, bounded, in_file, settings
from invdesign.objectives.base import STD_SUFFIX, TravelsByFields, failed, valued
from invdesign.objectives.calibrated import CalibrationReport
from invdesign.objectives.electrode.calculators import CHGNET, check_available, check_calculator
from invdesign.objectives.electrode.calibration import FEWEST_ROWS, KIND, KnownVoltage, VoltageCalibration
from invdesign.objectives.electrode.orderings import Ordering
from invdesign.objectives.electrode.prototypes import BUILT_IN, Prototype, check_prototype, prototype_for
from invdesign.objectives.electrode.redox_limit import check_redox_limit
from invdesign.objectives.electrode.relaxation import Relaxation
from invdesign.objectives.electrode.sites import contents, fitting_metal_sites
from invdesign.objectives.electrode.states import electrodes, mean_and_spread, reasons_in_words
from invdesign.objectives.formula.objective import Amount
from invdesign.objectives.limits import memory_of, with_grace
from invdesign.objectives.linear_fit import LinearFit
from invdesign.objectives.named_column import column_problems, named_or_only
from invdesign.surrogates.features.elements import element_symbols, nearest_element
from invdesign.surrogates.features.formulas import element_amounts

PROPERTIES: Mapping[str, str] = {
    "voltage": "V",
    "capacity": "mAh/g",
    "volumetric_capacity": "mAh/cm^3",
    "specific_energy": "Wh/kg",
    "volume_change": "",
    "energy_above_line": "eV",
    "rounding": "",
}
OF_A_VOLUME = frozenset({"volumetric_capacity", "volume_change"})
"""Properties that a single layer in vacuum does not have."""
HALFWAY = "energy_above_line"
CALIBRATED = frozenset({"voltage", "specific_energy"})
"""Properties that a calibration of the voltage changes."""


def _prototype(file: FileContext, text: str) -> str:
    return text if text in BUILT_IN else file.resolve(text)


def _calculator(file: FileContext, text: str) -> str:
    """The calculator; another than CHGNet is code, which needs consent."""
    if text != CHGNET:
        file.ask(f"calls the calculator '{text}'", ())
    return text


@settings
class ElectrodeObjective(TravelsByFields):
    """Computes insertion electrodes: a formula's elements on a prototype's sites, relaxed charged and discharged.

    Mixed sites are ordered in a supercell: random orderings, ranked by the electrostatic energy of point
    charges or by how close their pairs are to those of the random alloy. From each of the first inequivalent
    orderings, ions are removed (those whose vacancies cost the least electrostatic energy: ions move at room
    temperature), both states relax, and values are means over the orderings, each with its
    standard deviation if there are several. Energies E are those of the calculator, ``n`` ions of charge ``z`` move:

    * ``voltage`` (V against the ion's metal): average between the states,
      -(E(discharged) - E(charged) - n E(metal)) / (n z) (Aydinol et al. 1997, doi:10.1103/PhysRevB.56.1354); entropy
      and volume work, some millivolts, are left out.
    * ``capacity`` (mAh/g) and ``volumetric_capacity`` (mAh/cm^3): n z F over mass and volume, discharged: by counting.
    * ``specific_energy`` (Wh/kg of the active material): voltage times capacity.
    * ``volume_change``: relative change of the volume on charging (absolute value).
    * ``energy_above_line`` (eV per atom): of the state halfway above the line between the two; below zero the ions
      order, well above zero the electrode has two phases.
    * ``rounding``: the largest difference between a share in the formula (of an element on its sites, of the ions left)
      and that in the cell.

    The mean absolute error of voltages of oxides and phosphates by CHGNet 0.3.0 is 0.2 V. It has no magnetic order
    but what it has learned, and a mean over few orderings is not an average over a disordered crystal. A MXene is one
    layer in vacuum with ions on both sides; it has no volume.

    Every relaxed structure is cached on disk by its start and the settings (``electrode.db`` in the folder
    ``INVDESIGN_CACHE``, by default ``~/.cache/invdesign``), so that nothing is computed twice. A campaign file
    that names another calculator than CHGNet imports it, for which reading the file needs consent.

    Raises:
        InputError: if a name is unknown or a number is invalid.
    """

    prototype: Annotated[str, in_file(_prototype)]
    """``layered`` (oxides and sulfides), ``spinel``, ``lithiated-spinel`` (with ``remaining: 0.5``), ``olivine``,
    ``nasicon``, ``tavorite``, ``mxene``, or the path of a CIF file."""
    formula: str | None = None
    """The formula parameter; None for the only one of the space."""
    wanted: tuple[Annotated[str, OneOf("property", tuple(PROPERTIES))], ...] = ()
    """The properties to compute; empty for all that the prototype has. The halfway state is computed only if
    ``energy_above_line`` is among them."""
    remaining: float = bounded(default=0.0, ge=0, lt=1)
    """Share of the ions that remains in the charged electrode, from 0 to below 1."""
    metal_sites: int = bounded(default=6, ge=1)
    """Largest number of metal sites in a cell. The smallest cell that fits the formula is used; for mixed sites with
    ``quasi-random`` orderings the largest."""
    rounding: float = bounded(default=0.1, ge=0, le=1)
    """Largest accepted ``rounding`` of a candidate."""
    ordering: Ordering = "ewald"
    """Ordering of mixed sites: ``ewald``, low electrostatic energy, for ordered materials; or ``quasi-random``,
    special quasi-random structures, for random alloys."""
    orderings: int = bounded(default=1, ge=1)
    """Largest number of orderings."""
    calculator: Annotated[str, in_file(_calculator)] = CHGNET
    """``chgnet``, or any calculator that ASE can drive as ``package.module:Class``."""
    settings: dict[str, str | int | float | bool] = field(default_factory=dict)
    """Keyword arguments of the calculator; for CHGNet ``model``: ``0.3.0`` or ``r2scan``."""
    fmax: float = bounded(default=0.05, gt=0)
    """Largest force in a relaxed structure, in eV/angstrom."""
    steps: int = bounded(default=300, ge=1)
    """Largest number of steps of a relaxation."""
    drift: float = bounded(default=0.4, gt=0)
    """Largest relative change of the volume (area for a layer) on relaxation."""
    largest_volume_change: float = bounded(default=0.2, gt=0)
    """Largest relative change of the volume (area for a layer) on charging: an electrode that changes more fails."""
    highest_states: dict[str, Amount] = field(default_factory=dict)
    """Highest oxidation states of redox metals that differ from those of the objective ``formula``; a formula whose
    metals would have to go beyond them fails."""
    calibration: VoltageCalibration | None = None
    """A table of measured voltages to which computed ones are fitted by a straight line; ``voltage`` and
    ``specific_energy`` then have a standard deviation. The table's electrodes are computed at first use."""
    time_limit: float = bounded(default=600.0, gt=0)
    """Time limit per candidate in seconds, checked between relaxation steps; a campaign also ends a step that hangs."""
    memory_limit: MemorySize | None = None
    """Memory that the process of a call may use, such as ``2 GB`` (Linux); None for no limit."""

    def __post_init__(self) -> None:
        """Refuses unknown names and invalid numbers."""
        for name in self.wanted:
            if name in OF_A_VOLUME and self.prototype == "mxene":
                raise InputError(f"A single layer in vacuum has no '{name}'. Remove it for the prototype 'mxene'.")
        check_calculator(self.calculator, self.settings)
        for symbol in self.highest_states:
            if symbol not in element_symbols():
                raise InputError(f"'{symbol}' is not an element.{nearest_element(symbol)}")
        if self.calibration is not None and not CALIBRATED & set(self.properties):
            raise InputError("The calibration is for 'voltage', which is not computed. Add it to 'wanted'.")

    @property
    def properties(self) -> Mapping[str, str]:
        given = [name for name in PROPERTIES if not (self.prototype == "mxene" and name in OF_A_VOLUME)]
        return {name: PROPERTIES[name] for name in self.wanted or given}

    @property
    def rows_per_call(self) -> int | None:
        return 1

    def for_columns(self, columns: Sequence[Column]) -> Self:
        formula = named_or_only(columns, "formula", self.formula)
        return self if formula == self.formula else replace(self, formula=formula)

    def seconds_allowed(self, candidates: int) -> float | None:
        known = 0 if self.calibration is None else len(self.calibration.rows(self.prototype))  # computed at first use
        return with_grace((candidates + known) * self.time_limit)

    def memory_allowed(self) -> int | None:
        return memory_of(self.memory_limit)

    def check(self, columns: Sequence[Column]) -> list[str]:
        problems = column_problems(columns, "formula", self.formula)
        try:
            check_prototype(self.prototype)
            check_available(self.calculator, self.settings)
            if self.calibration is not None:
                for kind in {one.prototype for one in self.calibration.rows(self.prototype)}:
                    check_prototype(kind)
        except InputError as error:
            problems.append(str(error))
        return problems

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        if self.formula is None:
            return failed(candidates.index, self.properties, "the column of formulas is unknown: set formula")
        if self.formula not in candidates.columns:
            return failed(candidates.index, self.properties, f"the formula column '{self.formula}' is missing")
        rows = [self._evaluated(formula) for formula in candidates[self.formula].tolist()]
        uncertain = [name for name in self.properties if name != "rounding"] if self.orderings > 1 else []
        if self.calibration is not None:
            uncertain = [name for name in self.properties if name in {*uncertain, *CALIBRATED}]
        names = [*self.properties, *(name + STD_SUFFIX for name in uncertain)]
        values = pd.DataFrame([found for found, _ in rows], index=candidates.index, columns=names, dtype=float)
        return valued(values, [reason for _, reason in rows])

    def _evaluated(self, formula: object) -> tuple[dict[str, float], str | None]:
        """The properties of a formula with their spread, and why it or some of its orderings failed."""
        deadline = Deadline(self.time_limit)
        try:
            found, failures = self._over_orderings(formula, deadline)
        except (CandidateFailure, InputError) as failure:
            return {}, str(failure)
        reason = reasons_in_words(failures, len(found) + len(failures)) if failures else None
        if not found:
            return {}, reason
        mean, spread = mean_and_spread(found)
        if self.calibration is not None:
            try:
                mean, spread = _calibrated(mean, spread, self._line()[0])
            except InputError as error:
                return {}, f"the calibration failed: {error}"
        return {**mean, **{name + STD_SUFFIX: value for name, value in spread.items()}}, reason

    def calibration_basis(self) -> Mapping[str, str]:
        """See ``Calibrated.calibration_basis``."""
        return {} if self.calibration is None else {"voltage": self.calibration.basis(self.prototype)}

    def calibration_reports(self) -> Mapping[str, CalibrationReport | str]:
        """See ``Calibrated.calibration_reports``; the errors are those of the voltage in V."""
        if self.calibration is None:
            return {}
        try:
            return {"voltage": self._line()[1]}
        except InputError as error:
            return {"voltage": str(error)}

    def _line(self) -> tuple[LinearFit, CalibrationReport]:
        if self.calibration is None:
            raise InputError("This electrode objective has no calibration. Add one: 'calibration: {data: ..., ...}'.")
        rows = self.calibration.rows(self.prototype)
        plain = replace(self, calibration=None, wanted=("voltage",), formula="formula")
        return _fitted_line(rows, _ByText(repr(plain), plain))

    def _over_orderings(self, formula: object, deadline: Deadline) -> tuple[list[dict[str, float]], list[str]]:
        if not isinstance(formula, str):
            raise CandidateFailure(f"{formula!r} is not a formula")
        row = element_amounts([formula], element_symbols())[0]
        elements = {symbol: float(n) for symbol, n in zip(element_symbols(), row, strict=True) if n > 0.0}
        prototype = prototype_for(self.prototype, elements)
        halfway = HALFWAY in self.properties
        held = contents(
            prototype,
            elements,
            remaining=self.remaining,
            metal_sites=self.metal_sites,
            halfway=halfway,
            # The smallest cell may have only one arrangement, which is perfectly ordered.
            largest=self.ordering == "quasi-random",
        )
        if held.rounding > self.rounding + 1e-9:
            raise CandidateFailure(self._too_coarse(prototype, elements, held.rounding))
        check_redox_limit(prototype, elements, self.remaining, self.highest_states)
        found: list[dict[str, float]] = []
        failures: list[str] = []
        for electrode in electrodes(prototype, held, self.orderings, self.ordering):
            try:
                values = electrode.properties(self._relaxation, deadline, halfway=halfway)
            except TransientFailure as failure:
                # The time limit or the calculator's failure affects the other orderings too; a mean over fewer of them
                # would depend on the machine.
                raise CandidateFailure(str(failure)) from None
            except CandidateFailure as failure:
                failures.append(str(failure))
            else:
                lacking = [name for name in self.properties if not math.isfinite(values[name])]
                failures += [f"no finite {', '.join(lacking)}"] if lacking else []
                found += [] if lacking else [values]
        return found, failures

    def _too_coarse(self, prototype: Prototype, elements: Mapping[str, float], rounding: float) -> str:
        fitting = fitting_metal_sites(prototype, elements, self.remaining)
        advice = f"; 'metal_sites: {fitting}' would fit it" if fitting else ""
        return (
            f"a cell of {self.metal_sites} metal sites is too small: a share is off by {rounding:.3f}, more than "
            f"{self.rounding:g}{advice}"
        )

    @property
    def _relaxation(self) -> Relaxation:
        return Relaxation(self.calculator, self.settings, self.fmax, self.steps, self.drift, self.largest_volume_change)


def _calibrated(
    mean: Mapping[str, float], spread: Mapping[str, float], line: LinearFit
) -> tuple[dict[str, float], dict[str, float]]:
    """Values and standard deviations with the voltage on the line; the specific energy follows it."""
    raw = mean["voltage"]
    volts, deviation = (float(found[0]) for found in line.predict(np.array([raw])))
    deviation = math.hypot(deviation, line.slope * spread["voltage"])
    # The capacity is counted, so that the energy has the voltage's error alone.
    capacity = mean["capacity"]
    return (
        {**mean, "voltage": volts, "specific_energy": volts * capacity},
        {**spread, "voltage": deviation, "specific_energy": deviation * capacity},
    )


@dataclass(frozen=True)
class _ByText:
    """An objective that is compared by its settings as text, since mappings among them cannot be hashed."""

    text: str
    objective: ElectrodeObjective = field(compare=False)


@lru_cache(maxsize=16)
def _fitted_line(rows: tuple[KnownVoltage, ...], how: _ByText) -> tuple[LinearFit, CalibrationReport]:
    """The line through a calibration's rows, kept per process: a worker receives the objective with every candidate.

    Raises:
        InputError: if fewer than five electrodes have a voltage.
    """
    raw, failures = np.full(len(rows), np.nan), {}
    for place, one in enumerate(rows):
        remaining = how.objective.remaining if one.remaining is None else one.remaining
        asked = replace(how.objective, prototype=one.prototype, remaining=remaining)
        result = asked.evaluate(pd.DataFrame({"formula": [one.formula]})).iloc[0]
        raw[place] = result["voltage"]
        if not math.isfinite(raw[place]):
            failures[one.formula] = str(result["reason"])
    usable = np.isfinite(raw)
    if usable.sum() < FEWEST_ROWS:
        first = next(iter(failures.items()), ("", ""))
        raise InputError(
            f"Only {usable.sum()} of the calibration's electrodes have a voltage, but {FEWEST_ROWS} are needed. "
            f"{first[0]}: {first[1]}."
        )
    raw, known = raw[usable], np.array([one.volts for one in rows])[usable]
    line = LinearFit(raw, known)
    report = CalibrationReport.of(line, line.left_out(), raw, known, property="voltage", kind=KIND, failed=failures)
    return line, report
