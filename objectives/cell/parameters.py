"""PyBaMM's parameter sets: the published cell from which every design starts.

PyBaMM is only imported when it is used.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import lru_cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

from invdesign.core.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

FARADAY = 96485.33212
"""C/mol: CODATA 2018, the value that PyBaMM uses."""

NEGATIVE_THICKNESS = "Negative electrode thickness [m]"
POSITIVE_THICKNESS = "Positive electrode thickness [m]"
SEPARATOR_THICKNESS = "Separator thickness [m]"
NEGATIVE_POROSITY = "Negative electrode porosity"
POSITIVE_POROSITY = "Positive electrode porosity"
SEPARATOR_POROSITY = "Separator porosity"
NEGATIVE_ACTIVE = "Negative electrode active material volume fraction"
POSITIVE_ACTIVE = "Positive electrode active material volume fraction"
NEGATIVE_RADIUS = "Negative particle radius [m]"
POSITIVE_RADIUS = "Positive particle radius [m]"
NEGATIVE_INITIAL = "Initial concentration in negative electrode [mol.m-3]"
POSITIVE_INITIAL = "Initial concentration in positive electrode [mol.m-3]"
NEGATIVE_MAXIMUM = "Maximum concentration in negative electrode [mol.m-3]"
POSITIVE_MAXIMUM = "Maximum concentration in positive electrode [mol.m-3]"
CURRENT = "Current function [A]"
LOWER_VOLTAGE = "Lower voltage cut-off [V]"
UPPER_VOLTAGE = "Upper voltage cut-off [V]"
N_P_RATIO = "N/P ratio"

GEOMETRY = (
    NEGATIVE_THICKNESS,
    POSITIVE_THICKNESS,
    SEPARATOR_THICKNESS,
    NEGATIVE_POROSITY,
    POSITIVE_POROSITY,
    SEPARATOR_POROSITY,
    NEGATIVE_ACTIVE,
    POSITIVE_ACTIVE,
    NEGATIVE_RADIUS,
    POSITIVE_RADIUS,
)
"""Parameters of the cell's design, as opposed to those of its materials."""

DENSITIES = (
    "Negative electrode density [kg.m-3]",
    "Positive electrode density [kg.m-3]",
    "Separator density [kg.m-3]",
    "Negative current collector density [kg.m-3]",
    "Positive current collector density [kg.m-3]",
)
FOILS = ("Negative current collector thickness [m]", "Positive current collector thickness [m]")
OTHERS = (
    NEGATIVE_INITIAL,
    POSITIVE_INITIAL,
    NEGATIVE_MAXIMUM,
    POSITIVE_MAXIMUM,
    "Electrode height [m]",
    "Electrode width [m]",
    "Number of electrodes connected in parallel to make a cell",
    LOWER_VOLTAGE,
    UPPER_VOLTAGE,
)

RESERVED = frozenset({NEGATIVE_INITIAL, POSITIVE_INITIAL, CURRENT, LOWER_VOLTAGE, UPPER_VOLTAGE})
"""Parameters set by the objective: lithium by the balance, current by the C-rate, limits by the window."""


def load_pybamm() -> Any:
    """Imports PyBaMM at first use.

    Raises:
        InputError: if it is not installed.
    """
    # PyBaMM asks at its first import whether it may send usage data; this turns it off.
    os.environ.setdefault("PYBAMM_DISABLE_TELEMETRY", "true")
    try:
        return import_module("pybamm")
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != "pybamm":
            raise
        raise InputError("The cell objective needs PyBaMM: pip install 'invdesign[physics]'.") from None


@lru_cache(maxsize=16)
def load_set(name: str) -> Mapping[str, Any]:
    """Returns one of PyBaMM's parameter sets; the result must not be modified.

    Raises:
        InputError: if the name is unknown.
    """
    pybamm = load_pybamm()
    known = list(pybamm.parameter_sets)
    if name not in known:
        raise InputError(f"Unknown PyBaMM parameter set '{name}'.{nearest(name, known)}")
    values: Mapping[str, Any] = pybamm.ParameterValues(name)
    return values


def known_parameters(name: str) -> list[str]:
    """Returns the names of the parameters of a set."""
    return list(load_set(name).keys())


def is_number(value: object) -> bool:
    """Returns whether a parameter of a set is a plain number, which a candidate may vary."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def parameter_unit(name: str) -> str:
    """Returns the unit in the brackets of a PyBaMM name, as pint reads it; empty for dimensionless.

    PyBaMM writes ``[mol.m-3]`` where pint reads ``mol*m**-3``.
    """
    if not name.endswith("]") or "[" not in name:
        return ""
    words = []
    for word in name[name.rindex("[") + 1 : -1].split("."):
        letters = word.rstrip("-0123456789")
        power = word[len(letters) :]
        unit = "ohm" if letters == "Ohm" else letters
        words.append(f"{unit}**{power}" if power else unit)
    return "*".join(words)


@dataclass(frozen=True)
class Published:
    """The numbers of a parameter set that balance and mass need, in SI units and under PyBaMM's names."""

    name: str
    values: Mapping[str, float]

    def __getitem__(self, parameter: str) -> float:
        return self.values[parameter]


def published(name: str, overrides: Mapping[str, float]) -> Published:
    """Reads the published cell.

    Args:
        name: a PyBaMM parameter set.
        overrides: numbers that replace those of the set.

    Raises:
        InputError: naming the needed parameters that the set lacks.
    """
    values = {**load_set(name), **overrides}
    needed = (*GEOMETRY, *DENSITIES, *FOILS, *OTHERS)
    missing = [parameter for parameter in needed if parameter not in values]
    if missing:
        listed = ", ".join(f"'{parameter}'" for parameter in missing)
        raise InputError(
            f"The parameter set '{name}' has no values for {listed}, which the cell objective needs. "
            "Give numbers under 'parameters', or use a set of a full lithium-ion cell such as Chen2020."
        )
    functions = [parameter for parameter in needed if not is_number(values[parameter])]
    if functions:
        listed = ", ".join(f"'{parameter}'" for parameter in functions)
        raise InputError(
            f"In the parameter set '{name}' these are not plain numbers: {listed}. Give numbers under 'parameters'."
        )
    return Published(name, {parameter: float(values[parameter]) for parameter in needed})
