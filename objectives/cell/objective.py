"""Lithium-ion cells simulated with PyBaMM: energy, rate capability and lithium plating of a design."""

from __future__ import annotations

from dataclasses import field, replace
from typing import TYPE_CHECKING, Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.errors import InputError
from invdesign.core.memory import MemorySize
from invdesign.core.settings import OneOf, Real, bounded, settings
from invdesign.core.units import Unit, conversion
from invdesign.objectives.base import failed, valued
from invdesign.objectives.cell import parameters as names
from invdesign.objectives.cell.checks import cell_problems
from invdesign.objectives.cell.design import Cell
from invdesign.objectives.cell.mass import mass, thickness
from invdesign.objectives.cell.model import SLACK, Direction, ModelName, ModelSettings, Trace, built
from invdesign.objectives.cell.parameters import N_P_RATIO
from invdesign.objectives.limits import FIRST_USE, memory_of, with_grace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from invdesign.core.columns import Column
    from invdesign.objectives.cell.balance import Balance

Array = NDArray[np.float64]

PROPERTIES: Mapping[str, str] = {
    "specific_energy": "Wh/kg",
    "energy_density": "Wh/L",
    "energy_retention": "",
    "plating_margin": "V",
    "areal_capacity": "mAh/cm^2",
    "n_p_ratio": "",
    "negative_thickness": "um",
    "resistance": "ohm*cm^2",
}


@settings
class CellObjective:
    """Simulates lithium-ion cells whose geometry and material parameters vary between candidates.

    A candidate changes the published cell of a parameter set. Dependent parameters follow:

    * a porosity given without the active-material fraction keeps the published share of binder and carbon, and the
      active material takes the rest;
    * all cyclable lithium comes with the positive electrode, which keeps the published share of filled sites; the
      stoichiometries at both voltage limits are solved for each design (invdesign.objectives.cell.balance);
    * ``N/P ratio``, which is not a PyBaMM parameter, sets the negative electrode's thickness: it is the negative
      electrode's areal capacity from stoichiometry 0 to 1 over the positive electrode's areal capacity within the
      window of stoichiometry that it passes through in the published cell between the voltage limits;
    * currents relate to each design's own capacity between the voltage limits; a discharge starts from its own 100 %,
      a charge from its own 0 %, both at rest.

    Properties, of one repeat unit of the stack (half a foil, negative coating, separator, positive coating, half a
    foil, electrolyte in all pores; no tabs and no housing):

    * ``specific_energy`` (Wh/kg) and ``energy_density`` (Wh/L): energy of the discharge at ``energy_rate``;
    * ``energy_retention``: energy of the discharge at ``fast_rate`` over that at ``energy_rate``. It is 0 for a cell
      whose voltage falls below the limit as soon as the current flows;
    * ``plating_margin`` (V): lowest potential difference between the negative electrode's surface and the
      electrolyte at the separator during a charge at ``charge_rate`` to the upper voltage; lithium can plate where it
      is below zero (Arora, Doyle and White 1999, doi:10.1149/1.1392512);
    * ``resistance`` (ohm cm2): what a discharge pulse of ``pulse_seconds`` at ``pulse_rate`` from half charge loses of
      the open-circuit voltage, over its current density: ohmic, by reaction and by diffusion (the shorter the
      pulse, the less of the last);
    * ``areal_capacity`` (mAh/cm2) between the voltage limits at rest, ``n_p_ratio``, ``negative_thickness`` (um).
    """

    inputs: dict[str, str]
    """PyBaMM parameter, or ``N/P ratio``, of each column of a candidate."""
    units: dict[str, Unit] = field(default_factory=dict)
    """Unit of each column; by default the unit in the PyBaMM name."""
    parameters: dict[str, Real] = field(default_factory=dict)
    """Fixed numbers under PyBaMM names, or ``N/P ratio``, that replace the set's, in the names' units."""
    parameter_set: str = "Chen2020"
    """A PyBaMM parameter set of a full cell."""
    model: ModelName = "SPMe"
    """Single-particle (SPM), the same with electrolyte (SPMe), or Doyle-Fuller-Newman (DFN)."""
    voltage_window: tuple[Real, Real] | None = None
    """Lower and upper voltage limit, V; None for the set's own."""
    energy_rate: float = bounded(default=0.5, gt=0)
    """Rate of the slow discharge, in 1/h (0.5 is C/2)."""
    fast_rate: float = bounded(default=3.0, gt=0)
    """Rate of the fast discharge, in 1/h."""
    charge_rate: float = bounded(default=1.5, gt=0)
    """Rate of the charge, in 1/h."""
    pulse_rate: float = bounded(default=1.0, gt=0)
    """Rate of the pulse for the resistance, in 1/h."""
    pulse_seconds: float = bounded(default=10.0, gt=0)
    """Duration of the pulse, in s."""
    temperature: float | None = bounded(default=None, gt=0)
    """Temperature in K of cell and surroundings (the models are isothermal); None for the set's own."""
    wanted: tuple[Annotated[str, OneOf("property", tuple(PROPERTIES))], ...] = ()
    """The properties to compute; empty for all. Only the protocols that they need are simulated."""
    electrolyte_density: float = bounded(default=1200.0, gt=0)
    """Density of the electrolyte in kg/m3. 1200 is rounded for 1 mol/L LiPF6 in carbonates; a change of 10 % changes
    the specific energy of Chen2020's cell by about 1 %."""
    double_sided: bool = True
    """Whether each foil carries a coating on both sides, so that half of it counts."""
    electrode_points: int = bounded(default=20, ge=3)
    """Mesh points across each electrode and the separator; 20 is PyBaMM's default."""
    particle_points: int = bounded(default=20, ge=3)
    """Mesh points along a particle's radius; 20 is PyBaMM's default."""
    rtol: float = bounded(default=1e-4, gt=0)
    """The solver's relative tolerance."""
    atol: float = bounded(default=1e-6, gt=0)
    """The solver's absolute tolerance."""
    compiled: bool = False
    """Whether to compile the model with gcc: about 10 s once per machine, then simulations are twice as fast."""
    time_limit: float | None = bounded(default=None, gt=0)
    """Time limit per design in seconds; None for no limit. A campaign ends calls that take longer."""
    memory_limit: MemorySize | None = None
    """Memory that the process of a call may use, such as ``2 GB`` (Linux); None for no limit."""

    def __post_init__(self) -> None:
        """Refuses settings that contradict each other."""
        given = list(self.inputs.values()) + list(self.parameters)
        twice = sorted({name for name in given if given.count(name) > 1})
        if twice:
            raise InputError(
                f"'{twice[0]}' is given twice. Give each parameter either by one column or as one fixed number."
            )
        if N_P_RATIO in given and names.NEGATIVE_THICKNESS in given:
            raise InputError(
                f"'{N_P_RATIO}' and '{names.NEGATIVE_THICKNESS}' are both given, but one determines the other. "
                "Remove one; the property 'n_p_ratio' reports the ratio."
            )
        if self.voltage_window is not None and not self.voltage_window[0] < self.voltage_window[1]:
            raise InputError(f"'voltage_window' must be a lower and an upper voltage, not {self.voltage_window}.")

    @property
    def properties(self) -> Mapping[str, str]:
        return {name: PROPERTIES[name] for name in self.wanted or PROPERTIES}

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.inputs)

    @property
    def rows_per_call(self) -> int | None:
        """A call with 16 designs takes some tenths of a second with SPMe, and up to ten seconds with DFN."""
        return 16

    def seconds_allowed(self, candidates: int) -> float | None:
        return None if self.time_limit is None else with_grace(FIRST_USE + candidates * self.time_limit)

    def memory_allowed(self) -> int | None:
        return memory_of(self.memory_limit)

    def for_columns(self, columns: Sequence[Column]) -> Self:
        known = {column.name: column.unit for column in columns if column.name in self.inputs and column.unit}
        units = {**known, **self.units}
        # Unchanged: the built model is reused, because a campaign passes its columns at every run.
        return self if units == self.units else replace(self, units=units)

    def check(self, columns: Sequence[Column]) -> list[str]:
        messages = cell_problems(
            columns, parameter_set=self.parameter_set, inputs=self.inputs, units=self.units, parameters=self.parameters
        )
        if not messages:
            try:
                self.cell()
            except InputError as error:
                messages.append(str(error))
        return messages

    def cell(self) -> Cell:
        """Returns the published cell with this objective's fixed numbers.

        Raises:
            InputError: if the parameter set is unknown or lacks needed parameters.
        """
        window = self.voltage_window
        return Cell(self.parameter_set, self.parameters, voltage_window=window, temperature=self.temperature)

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        missing = [column for column in self.inputs if column not in candidates.columns]
        if missing:
            return failed(candidates.index, self.properties, f"the column '{missing[0]}' is missing")
        cell = self.cell()
        reasons: list[str | None] = [None] * len(candidates)
        design = cell.design(self._values(candidates, reasons), reasons)
        results = {name: np.full(len(candidates), np.nan) for name in PROPERTIES}
        rows = np.array([row for row, reason in enumerate(reasons) if reason is None], dtype=np.intp)
        if rows.size:
            self._fill(results, rows, {name: values[rows] for name, values in design.items()}, cell, reasons)
        frame = pd.DataFrame({name: results[name] for name in self.properties}, index=candidates.index)
        return valued(frame, reasons)

    def discharge_curves(self, candidates: pd.DataFrame, rate: float | None = None) -> pd.DataFrame:
        """Simulates discharges of a few chosen candidates, for ``invdesign.plot.discharge``.

        Args:
            candidates: one row each, as for ``evaluate``.
            rate: C-rate; that of the energy (``energy_rate``) if None.

        Returns:
            One row per time: ``candidate`` (the index of ``candidates``), ``capacity`` in mAh/cm^2 and ``voltage`` in
            V. Candidates that cannot be discharged have no rows.

        Raises:
            InputError: if the rate is not positive.
        """
        chosen = self.energy_rate if rate is None else rate
        if not chosen > 0.0:
            raise InputError(f"The C-rate of a discharge must be positive, not {chosen!r}.")
        cell = self.cell()
        reasons: list[str | None] = [None] * len(candidates)
        design = cell.design(self._values(candidates, reasons), reasons)
        rows = np.array([reason is None for reason in reasons])
        design = _rows(design, rows)
        balance = cell.solve(design)
        names_left, feasible = candidates.index[rows][~balance.full], ~balance.full
        design, balance = _rows(design, feasible), balance.rows(feasible)
        parts = [pd.DataFrame(columns=["candidate", "capacity", "voltage"], dtype=float)]
        if len(names_left):
            traces = self._run(cell, design, balance, "discharge", chosen)
            currents = chosen * balance.reversible  # A/m2
            parts = [
                pd.DataFrame({"candidate": name, "capacity": trace.time * current / 3.6e4, "voltage": trace.volts})
                for name, trace, current in zip(names_left, traces, currents, strict=True)
                if trace.failure is None
            ] or parts
        return pd.concat(parts, ignore_index=True)

    def _values(self, candidates: pd.DataFrame, reasons: list[str | None]) -> dict[str, Array]:
        """Returns the candidates' values in PyBaMM's units, and notes a reason for each invalid number."""
        values = {}
        for column, parameter in self.inputs.items():
            numbers = pd.to_numeric(candidates[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
            if column in self.units:
                factor, offset = conversion(self.units[column], names.parameter_unit(parameter))
                numbers = numbers * factor + offset
            positive = parameter in names.GEOMETRY or parameter == N_P_RATIO
            for row in np.flatnonzero(~np.isfinite(numbers) | (positive & ~(numbers > 0.0))):
                kind = "a positive number" if positive else "a number"
                reasons[row] = reasons[row] or f"'{column}' is {str(candidates[column].iloc[row])!r}, not {kind}"
            values[parameter] = numbers
        return values

    def _fill(
        self,
        results: dict[str, Array],
        rows: NDArray[np.intp],
        design: Mapping[str, Array],
        cell: Cell,
        reasons: list[str | None],
    ) -> None:
        """Writes the properties of the feasible designs, and the reasons of failed simulations."""
        balance = cell.solve(design)
        results["areal_capacity"][rows] = balance.reversible / 10.0  # A.h/m2 to mA.h/cm2
        results["n_p_ratio"][rows] = balance.n_p_ratio
        results["negative_thickness"][rows] = design[names.NEGATIVE_THICKNESS] * 1e6
        feasible = ~balance.full
        for row in rows[~feasible]:
            reasons[row] = "infeasible: the negative electrode is full before the cell reaches its upper voltage"
            for values in results.values():
                values[row] = np.nan
        if not feasible.any():
            return
        rows, design, balance = rows[feasible], _rows(design, feasible), balance.rows(feasible)

        def run(direction: Direction, rate: float) -> list[Trace]:
            traces = self._run(cell, design, balance, direction, rate)
            for row, trace in zip(rows, traces, strict=True):
                if trace.failure is not None:
                    failure = f"the {direction} at {rate:g}C failed: {trace.failure}"
                    reasons[row] = failure if reasons[row] is None else f"{reasons[row]}; {failure}"
            return traces

        wanted = set(self.properties)
        if wanted & {"specific_energy", "energy_density", "energy_retention"}:
            slow = _energy(run("discharge", self.energy_rate), self.energy_rate * balance.reversible)
            weight = mass(
                cell.published, design, electrolyte_density=self.electrolyte_density, double_sided=self.double_sided
            )
            height = thickness(cell.published, design, double_sided=self.double_sided)
            results["specific_energy"][rows] = slow / weight
            results["energy_density"][rows] = slow / (height * 1000.0)  # Wh/m3 to Wh/L
        if "energy_retention" in wanted:
            fast = _energy(run("discharge", self.fast_rate), self.fast_rate * balance.reversible)
            with np.errstate(invalid="ignore", divide="ignore"):
                results["energy_retention"][rows] = np.where(slow > 0.0, fast / slow, np.nan)
            for row in rows[slow == 0.0]:
                reasons[row] = reasons[row] or (
                    f"no energy_retention: the cell delivers no energy at {self.energy_rate:g}C"
                )
        if "plating_margin" in wanted:
            results["plating_margin"][rows] = [
                np.nan if trace.failure is not None else np.min(trace.volts)
                for trace in run("charge", self.charge_rate)
            ]
        if "resistance" in wanted:
            loss = [np.nan if trace.failure is not None else trace.volts[-1] for trace in run("pulse", self.pulse_rate)]
            results["resistance"][rows] = 1e4 * np.array(loss) / (self.pulse_rate * balance.reversible)

    def _run(
        self, cell: Cell, design: Mapping[str, Array], balance: Balance, direction: Direction, rate: float
    ) -> list[Trace]:
        """Runs one protocol for feasible designs."""
        varied = cell.varied(dict.fromkeys(self.inputs.values()))
        columns = {**{name: design[name] for name in varied}, **cell.protocol(design, balance, direction, rate)}
        settings = ModelSettings(
            parameter_set=self.parameter_set,
            model=self.model,
            overrides=tuple(sorted(cell.overrides.items())),
            inputs=tuple(columns),
            window=cell.window,
            direction=direction,
            electrode_points=self.electrode_points,
            particle_points=self.particle_points,
            rtol=self.rtol,
            atol=self.atol,
            compiled=self.compiled,
        )
        inputs = [
            {name: float(column[row]) for name, column in columns.items()} for row in range(balance.reversible.size)
        ]
        seconds = self.pulse_seconds if direction == "pulse" else 3600.0 / rate * SLACK
        traces = built(settings).run(inputs, seconds)
        stuck = [row for row, trace in enumerate(traces) if trace.failure is not None]
        if stuck:
            # DFN's solver sometimes fails when the electrolyte is depleted; smaller steps mostly help.
            finer = built(replace(settings, rtol=self.rtol / 10.0, atol=self.atol / 10.0))
            for row, trace in zip(stuck, finer.run([inputs[row] for row in stuck], seconds), strict=True):
                traces[row] = trace
        return traces


def _rows(design: Mapping[str, Array], which: NDArray[np.bool_]) -> dict[str, Array]:
    return {name: values[which] for name, values in design.items()}


def _energy(traces: Sequence[Trace], current: Array) -> Array:
    """Returns the energy of discharges, Wh/m2.

    Args:
        traces: voltage over time.
        current: A/m2.
    """
    volt_hours = [np.nan if trace.failure is not None else trace.integral() / 3600.0 for trace in traces]
    return np.array(volt_hours) * current
