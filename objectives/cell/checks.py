"""Checks the inputs of a cell objective before anything is simulated."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invdesign.core.errors import InputError, nearest
from invdesign.core.units import conversion
from invdesign.objectives.cell import parameters as names
from invdesign.objectives.cell.parameters import N_P_RATIO

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from invdesign.core.columns import Column

GIVEN_BY = "lithium by the balance of the electrodes, the current by the rates, voltage limits by 'voltage_window'"


def cell_problems(
    columns: Sequence[Column],
    *,
    parameter_set: str,
    inputs: Mapping[str, str],
    units: Mapping[str, str],
    parameters: Mapping[str, float],
) -> list[str]:
    """Checks that names, units and kinds fit a PyBaMM parameter set.

    Args:
        columns: the candidates' columns.
        parameter_set: name of the set.
        inputs: PyBaMM parameter of each varied column.
        units: unit of each varied column.
        parameters: fixed numbers under PyBaMM's names.

    Returns:
        Messages that say what is wrong and what would be right; empty if all is well.
    """
    try:
        known = names.known_parameters(parameter_set)
    except InputError as error:
        return [str(error)]
    described = {column.name: column for column in columns}
    problems = []
    for name, parameter in inputs.items():
        wrong = _parameter_problems(parameter, parameter_set, known)
        problems += wrong
        if not wrong and parameter != N_P_RATIO:
            problems += _variable_problems(parameter, parameter_set)
        if name not in described:
            problems.append(f"The input '{name}' is not a parameter of the space.{nearest(name, described)}")
        elif described[name].kind != "number":
            problems.append(f"The input '{name}' is a {described[name].kind}, but '{parameter}' needs a number.")
        elif not wrong:
            problems += _unit_problems(described[name], parameter, units)
    for name in units:
        if name not in inputs:
            problems.append(f"'units' refers to '{name}', which is not an input.{nearest(name, inputs)}")
    for name, value in parameters.items():
        problems += _parameter_problems(name, parameter_set, known)
        if not names.is_number(value):
            problems.append(f"'{name}' must be a number, not '{value}'.")
    return problems


def _parameter_problems(name: str, parameter_set: str, known: Sequence[str]) -> list[str]:
    if name == N_P_RATIO:
        return []
    if name not in known:
        return [f"Unknown parameter '{name}' of {parameter_set}.{nearest(name, [*known, N_P_RATIO])}"]
    if name in names.RESERVED:
        return [f"'{name}' cannot be set, because the cell objective computes it: {GIVEN_BY}."]
    return []


def _variable_problems(parameter: str, parameter_set: str) -> list[str]:
    if parameter in (*names.DENSITIES, *names.FOILS) or parameter.startswith(("Electrode ", "Number of ")):
        return [f"'{parameter}' cannot vary between candidates. Set it under 'parameters'."]
    if not names.is_number(names.load_set(parameter_set)[parameter]):
        return [
            f"'{parameter}' is a function in {parameter_set} and cannot be varied. Choose a parameter that is a number."
        ]
    return []


def _unit_problems(column: Column, parameter: str, units: Mapping[str, str]) -> Iterator[str]:
    own = names.parameter_unit(parameter)
    declared = units.get(column.name, own)
    try:
        conversion(declared, own)
    except InputError as error:
        yield f"The unit of '{column.name}': {error}"
        return
    try:
        same = conversion(column.unit, declared) == (1.0, 0.0)
    except InputError:
        same = False
    if not same:
        unit = column.unit or "dimensionless"
        yield (
            f"The parameter '{column.name}' is in '{unit}', but the cell objective expects "
            f"'{declared or 'dimensionless'}'. Write units: {{{column.name}: {unit}}} if it can be converted."
        )
