"""PyBaMM models that are built once and solved for many designs.

Geometry is normally fixed when PyBaMM builds its mesh. On symbolic meshes it is a solver input instead, so that
several designs share one model. Three measures make the solves fast:

* SPM's and SPMe's expressions are expanded to scalar form: 16 instead of 24 ms for a C/2 discharge and a charge
  (medians of 12 alternating runs of 32 designs on a busy core);
* only the voltage limit that can end the protocol is monitored;
* energy is not a state of the model but an integral, over the solver's own interpolant, of the voltage at given times.
  (At the solver's own steps the error would be several percent: they grow to a quarter of the discharge.)
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import PchipInterpolator

from invdesign.objectives.cell import parameters as names
from invdesign.objectives.cell.parameters import load_pybamm, load_set

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

Array = NDArray[np.float64]
ModelName = Literal["SPM", "SPMe", "DFN"]
Direction = Literal["discharge", "charge", "pulse"]

VOLTAGE = "Voltage [V]"
PLATING = "Negative electrode surface potential difference at separator interface [V]"
OPEN_CIRCUIT = "Battery open-circuit voltage [V]"
LOSS = "Voltage lost to all resistances [V]"
"""Open-circuit voltage at the mean concentrations minus the voltage, so that the charge that a pulse takes out does not
count."""
_OUTPUTS: Mapping[Direction, str] = {"discharge": VOLTAGE, "charge": PLATING, "pulse": LOSS}

_SAVED = 48
SLACK = 1.02
"""No protocol passes more than the capacity between the limits; the rest allows for rounding."""


@dataclass(frozen=True)
class ModelSettings:
    """The settings of a built model; equal settings share one model.

    Attributes:
        parameter_set: a PyBaMM parameter set.
        model: name of one of PyBaMM's lithium-ion models.
        overrides: numbers that replace those of the set.
        inputs: names of the parameters that differ from design to design.
        window: lower and upper voltage limit, V.
        direction: discharge ends at the lower limit, charge at the upper; a pulse is a discharge that ends in time.
        electrode_points: mesh points across each electrode and across the separator.
        particle_points: mesh points along a particle's radius.
        rtol: the solver's relative tolerance.
        atol: the solver's absolute tolerance, in scaled variables.
        compiled: whether the expressions are compiled with gcc.
    """

    parameter_set: str
    model: ModelName
    overrides: tuple[tuple[str, float], ...]
    inputs: tuple[str, ...]
    window: tuple[float, float]
    direction: Direction
    electrode_points: int
    particle_points: int
    rtol: float
    atol: float
    compiled: bool


@dataclass(frozen=True)
class Trace:
    """The result of a protocol for one design.

    Attributes:
        time: s.
        volts: the voltage of a discharge, the plating potential of a charge, the loss of a pulse, V, at each time.
        failure: why there is no result, or None.
    """

    time: Array
    volts: Array
    failure: str | None = None

    def integral(self) -> float:
        """Returns the integral over time, V.s; zero if the limit was met at once."""
        time, first = np.unique(self.time, return_index=True)
        if time.size < 2:
            return 0.0
        return float(PchipInterpolator(time, self.volts[first]).integrate(time[0], time[-1]))


def _failed(reason: str) -> Trace:
    nothing = np.empty(0)
    return Trace(time=nothing, volts=nothing, failure=" ".join(reason.split())[:300])


# a cell that cannot carry a discharge current at all delivers nothing: a result, not an error
_NO_DISCHARGE = Trace(time=np.zeros(1), volts=np.zeros(1))


@lru_cache(maxsize=2)
def _solver_class(*, expand: bool) -> type[Any]:
    """Returns IDAKLUSolver with its own exception for a voltage limit that is met at once.

    Args:
        expand: whether expressions are brought into scalar form.
    """
    pybamm = load_pybamm()
    casadi = import_module("casadi")  # comes with PyBaMM

    def expanded(function: Any) -> Any:
        if not isinstance(function, casadi.Function):
            return function
        try:
            return function.expand()
        except RuntimeError:  # a parameter that is interpolated from a table has no scalar form
            return function

    class Expanding(pybamm.BaseSolver):  # type: ignore[misc, name-defined]
        def set_up(self, model: Any, inputs: Any = None, t_eval: Any = None, ics_only: bool = False) -> Any:
            result = super().set_up(model, inputs, t_eval, ics_only)
            if expand and not ics_only:
                for name in (
                    "rhs_algebraic",
                    "jac_rhs_algebraic",
                    "jac_rhs_algebraic_action",
                    "algebraic",
                    "jac_algebraic",
                ):
                    attribute = f"{name}_eval"
                    setattr(model, attribute, expanded(getattr(model, attribute, None)))
                model.terminate_events_eval = [expanded(event) for event in model.terminate_events_eval]
                outputs: dict[str, Any] = vars(self)["computed_var_fcns"]
                self.computed_var_fcns = {key: expanded(value) for key, value in outputs.items()}
            return result

    class BatchSolver(pybamm.IDAKLUSolver, Expanding):  # type: ignore[misc, name-defined]
        """IDAKLUSolver with expanded expressions."""

        limit_met_at_once = type("LimitMetAtOnce", (pybamm.SolverError,), {})

        def _check_event_violation_post_solve(self, *args: Any, **kwargs: Any) -> None:
            # called where the first point is the last; PyBaMM raises its general error, for the whole list
            try:
                super()._check_event_violation_post_solve(*args, **kwargs)
            except pybamm.SolverError as error:
                raise self.limit_met_at_once("the voltage limit is met as soon as the current flows") from error

    return BatchSolver


class BuiltModel:
    """A discretized model and its solver."""

    def __init__(self, settings: ModelSettings) -> None:
        """Builds the model, which takes about a second.

        Args:
            settings: of the model.
        """
        pybamm = load_pybamm()
        self._solver_error = pybamm.SolverError
        self._output = _OUTPUTS[settings.direction]
        model = getattr(pybamm.lithium_ion, settings.model)()
        model.variables[LOSS] = model.variables[OPEN_CIRCUIT] - model.variables[VOLTAGE]
        limit = "Maximum voltage [V]" if settings.direction == "charge" else "Minimum voltage [V]"
        model.events = [event for event in model.events if event.name == limit]
        values = load_set(settings.parameter_set).copy()  # type: ignore[attr-defined]
        values.update(dict(settings.overrides), check_already_exists=False)
        values.update({names.LOWER_VOLTAGE: settings.window[0], names.UPPER_VOLTAGE: settings.window[1]})
        values.update(dict.fromkeys(settings.inputs, "[input]"), check_already_exists=False)
        points = {name: settings.particle_points if name.startswith("r_") else settings.electrode_points
                  for name in ("x_n", "x_s", "x_p", "r_n", "r_p")}  # fmt: skip
        # DFN's scalar form was no faster than its matrix form in a single comparison, so it keeps that
        solver = _solver_class(expand=settings.model != "DFN")
        self._solver = solver(
            rtol=settings.rtol,
            atol=settings.atol,
            output_variables=[self._output],
            on_failure="ignore",
            # PyBaMM extrapolates potentials beyond their published tables; its warning does not name the design
            on_extrapolation="ignore",
            options={"num_threads": 1, "compile": settings.compiled, "silence_sundials_errors": True},
        )
        simulation = pybamm.Simulation(
            model,
            parameter_values=values,
            submesh_types={
                domain: mesh if domain == "current collector" else pybamm.SymbolicUniform1DSubMesh
                for domain, mesh in model.default_submesh_types.items()
            },
            var_pts={**model.default_var_pts, **points},
            solver=self._solver,
        )
        simulation.build()
        self._model = simulation.built_model

    def run(self, inputs: Sequence[Mapping[str, float]], seconds: float) -> list[Trace]:
        """Simulates constant current until the voltage limit, or for the time of a pulse.

        Args:
            inputs: the solver inputs of each design.
            seconds: of the pulse; of the others longer than any takes.
        """
        try:
            return self._solve(inputs, seconds)
        except self._solver_error as error:
            if len(inputs) == 1:
                at_once = isinstance(error, self._solver.limit_met_at_once)
                return [_NO_DISCHARGE if at_once and self._output == VOLTAGE else _failed(str(error))]
        # one design has made the whole list fail
        return [trace for single in inputs for trace in self.run([single], seconds)]

    def _solve(self, inputs: Sequence[Mapping[str, float]], end: float) -> list[Trace]:
        fraction = np.linspace(0.0, 1.0, _SAVED + 1)
        # denser at first, to resolve discharges that are too fast for their cell and end early
        saved = end * (0.3 * fraction + 0.7 * fraction**3)
        solutions = self._solver.solve(self._model, [0.0, end], inputs=[dict(row) for row in inputs], t_interp=saved)
        solutions = solutions if isinstance(solutions, list) else [solutions]
        return [self._trace(solution) for solution in solutions]

    def _trace(self, solution: Any) -> Trace:
        ended = str(solution.termination)
        if ended == "failure":
            return _failed(f"the solver stopped after {float(solution.t[-1]):.3g} s without reaching the voltage limit")
        if ended.startswith("event") == (self._output == LOSS):
            where = "was reached after" if self._output == LOSS else "was not reached within"
            return _failed(f"the voltage limit {where} {float(solution.t[-1]):.4g} s")
        volts = np.asarray(solution[self._output].data, dtype=np.float64).reshape(-1)
        if not np.isfinite(volts).all():
            return _failed("the solution is not finite")
        return Trace(time=np.asarray(solution.t, dtype=np.float64), volts=volts)


@lru_cache(maxsize=12)
def built(settings: ModelSettings) -> BuiltModel:
    """Returns the model of these settings, built at first use and then shared within the process."""
    return BuiltModel(settings)
