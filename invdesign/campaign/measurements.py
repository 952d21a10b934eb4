"""Measurements of a laboratory: several of one candidate, their mean, and its standard error."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from invdesign.objectives.base import STD_SUFFIX

BELOW, ABOVE = "_below", "_above"
"""Suffixes of the limits of a property that was outside of the instrument's range: ``<5`` is ``q_below: 5``."""


@dataclass(frozen=True)
class Measurement:
    """One measurement of a candidate.

    Attributes:
        properties: values in the units of the store; ``<property>_std`` is the known standard deviation of a value,
            ``<property>_below`` and ``<property>_above`` are the limits of one outside of the instrument's range.
        reason: why there is no value, or None.
        replicate: its label, unique among the measurements of the candidate.
        source: file that it was read from; None if it was given from Python.
    """

    properties: Mapping[str, float]
    reason: str | None
    replicate: str
    source: str | None = None


def combined(measurements: Sequence[Measurement]) -> dict[str, float]:
    """The values of a candidate: the mean of each property over all measurements that have a value.

    If every value has a known standard deviation, ``<property>_std`` is that of their mean. Limits count only if no
    measurement has a value: the lowest upper and the highest lower one.
    """
    values: dict[str, list[float]] = {}
    for one in measurements:
        for name, value in one.properties.items():
            values.setdefault(name, []).append(value)
    found: dict[str, float] = {}
    for name, given in values.items():
        owner = next((name.removesuffix(end) for end in (STD_SUFFIX, BELOW, ABOVE) if name.endswith(end)), None)
        if owner is None or (owner not in values and name.endswith(STD_SUFFIX)):
            found[name] = math.fsum(given) / len(given)
        elif name.endswith(STD_SUFFIX):
            if len(given) == len(values[owner]):
                found[name] = math.hypot(*given) / len(given)
        elif owner not in values:
            found[name] = min(given) if name.endswith(BELOW) else max(given)
    return found


def standard_errors(measured: Mapping[int, Sequence[Measurement]], name: str) -> dict[int, float]:
    """The standard error of each mean of several measurements, by candidate.

    The standard deviation of one measurement is pooled over all candidates that were measured several times: two
    values that agree by chance would otherwise count as exact. It is assumed to be the same for all candidates.

    Args:
        measured: the measurements of each candidate.
        name: of the property.

    Returns:
        ``s / sqrt(n)`` for each candidate with n of at least two values; empty if all repeated values are equal.
    """
    repeated = {number: found for number, given in measured.items() if len(found := _values(given, name)) > 1}
    freedom = sum(len(found) - 1 for found in repeated.values())
    spread = math.fsum(float(((found - found.mean()) ** 2).sum()) for found in repeated.values())
    if spread <= 0.0:
        return {}
    return {number: math.sqrt(spread / freedom / len(found)) for number, found in repeated.items()}


def next_label(taken: Iterable[str]) -> str:
    """The label of a further measurement: the first number that is free."""
    known = set(taken)
    return next(str(number) for number in range(1, len(known) + 2) if str(number) not in known)


def limit_text(properties: Mapping[str, Any], name: str) -> str:
    """A value outside of the instrument's range as a laboratory writes it, such as ``<5``; empty if it is not one."""
    if name + BELOW in properties:
        return f"<{properties[name + BELOW]:.12g}"
    return f">{properties[name + ABOVE]:.12g}" if name + ABOVE in properties else ""


def _values(measurements: Sequence[Measurement], name: str) -> np.ndarray:
    return np.array([one.properties[name] for one in measurements if name in one.properties], dtype=np.float64)
