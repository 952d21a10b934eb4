"""A store's records as typed columns that grow at their end, so that a step costs the same in a long campaign."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.campaign.schema import FAILED, INITIAL, LABORATORY, PENDING, REJECTED, STATES, WITHDRAWN

if TYPE_CHECKING:
    from numpy.typing import NDArray

NUMBERS = (np.dtype(np.int64), np.dtype(np.float64))


class GrowingColumn:
    """One column; appending and replacing values takes time in proportion to their number.

    Its dtype is that which pandas infers from the values: integers and floats become floats, other mixtures objects.
    """

    def __init__(self) -> None:
        self._values: NDArray[Any] = np.empty(0, dtype=object)
        self._count = 0

    def write(self, place: int, values: Sequence[Any] | NDArray[Any]) -> None:
        """Writes values from a place on; the place is at most the current length."""
        block = values if isinstance(values, np.ndarray) else _typed(values)
        wanted = block.dtype if self._count == 0 else _common(self._values.dtype, block.dtype)
        end = place + len(values)
        if wanted != self._values.dtype:
            self._values = self._values.astype(wanted) if self._count else np.empty(0, dtype=wanted)
        if end > len(self._values):
            grown = np.empty(max(2 * len(self._values), end, 64), dtype=wanted)
            grown[: self._count] = self._values[: self._count]
            self._values = grown
        self._values[place:end] = block
        self._count = max(self._count, end)

    def array(self) -> NDArray[Any]:
        """A view of the values, which must not be modified and is valid until the next ``write``."""
        return self._values[: self._count]


class Evaluations:
    """The evaluations of a campaign in the order of their numbers, which are consecutive from 0.

    ``names`` are those of all properties that any record has or had a value of, ``writes`` is the number of writes.
    """

    def __init__(self) -> None:
        self.parameters: list[Mapping[str, Any]] = []
        self.properties: list[Mapping[str, float]] = []
        self.names: set[str] = set()
        self.about = {name: GrowingColumn() for name in ("origin", "state", "reason", "seconds", "objective")}
        self.counts = dict.fromkeys(STATES, 0)
        self._codes = GrowingColumn()
        self._given = GrowingColumn()
        self._measured = GrowingColumn()
        self._withdrawn = GrowingColumn()
        self._reasoned = GrowingColumn()
        self._written = GrowingColumn()
        self.writes = 0
        self._typed: dict[str, GrowingColumn] = {}
        self._numbers: dict[str, GrowingColumn] = {}

    def __len__(self) -> int:
        return len(self.parameters)

    def state(self, number: int) -> str:
        """The state of a candidate."""
        return str(self.about["state"].array()[number])

    def in_state(self, *states: str) -> NDArray[np.bool_]:
        """Which candidates are in one of the states, in the order of their numbers."""
        codes = self._codes.array()
        return np.logical_or.reduce([codes == STATES.index(state) for state in states])

    def pending(self) -> list[int]:
        """The numbers of the pending candidates."""
        return [int(number) for number in np.flatnonzero(self.in_state(PENDING))]

    def withdrawn(self) -> NDArray[np.bool_]:
        """Which candidates a laboratory gave back or rejected: neither values nor failures."""
        return self._withdrawn.array().astype(bool, copy=False)

    def reasoned(self) -> NDArray[np.bool_]:
        """Which candidates have a reason why values are missing."""
        return self._reasoned.array().astype(bool, copy=False)

    def written(self) -> NDArray[np.int64]:
        """The number of the write that each candidate's record is of."""
        return self._written.array().astype(np.int64, copy=False)

    def measured(self) -> NDArray[np.bool_]:
        """Which candidates have a result of a laboratory, not of an objective."""
        return self._measured.array().astype(bool, copy=False)

    def given(self) -> NDArray[np.bool_]:
        """Which candidates were not chosen by an optimizer, but by the initial design or a laboratory."""
        return self._given.array().astype(bool, copy=False)

    def write(self, first: int, records: Mapping[str, Sequence[Any]]) -> None:
        """Writes consecutive records, as columns, from a number on, which is at most the current length."""
        states, parameters, properties = records["state"], records["parameters"], records["properties"]
        end = first + len(states)
        for code in self._codes.array()[first:end]:
            self.counts[STATES[code]] -= 1
        for state in STATES:
            self.counts[state] += states.count(state)
        code_of = {state: code for code, state in enumerate(STATES)}
        self._codes.write(first, [code_of[state] for state in states])
        self._given.write(first, [origin in (INITIAL, LABORATORY) for origin in records["origin"]])
        timed = zip(states, records["seconds"], strict=True)
        self._measured.write(first, [state != PENDING and seconds is None for state, seconds in timed])
        reasons = list(zip(states, records["reason"], strict=True))
        gone = (WITHDRAWN, REJECTED)
        self._withdrawn.write(first, [state == FAILED and str(reason).startswith(gone) for state, reason in reasons])
        self._reasoned.write(first, [bool(reason) for _, reason in reasons])
        self.writes += 1
        self._written.write(first, [self.writes] * len(states))
        for name, column in self.about.items():
            column.write(first, _objects(records[name]))
        self.parameters[first:end] = parameters
        self.properties[first:end] = properties
        self.names.update(*properties)
        for name, column in self._typed.items():
            column.write(first, [record.get(name) for record in parameters])
        for name, column in self._numbers.items():
            column.write(first, _floats(properties, name))

    def parameter(self, name: str) -> NDArray[Any]:
        """The values of a parameter, one for each candidate; see ``GrowingColumn.array``."""
        if name not in self._typed:
            self._typed[name] = GrowingColumn()
            self._typed[name].write(0, [record.get(name) for record in self.parameters])
        return self._typed[name].array()

    def property(self, name: str) -> NDArray[np.float64]:
        """The values of a property, NaN where there is none; see ``GrowingColumn.array``."""
        if name not in self._numbers:
            self._numbers[name] = GrowingColumn()
            self._numbers[name].write(0, _floats(self.properties, name))
        return self._numbers[name].array().astype(np.float64, copy=False)


def _floats(records: Iterable[Mapping[str, float]], name: str) -> NDArray[np.float64]:
    return np.array([record.get(name, np.nan) for record in records], dtype=np.float64)


def _objects(values: Sequence[Any]) -> NDArray[Any]:
    taken = np.empty(len(values), dtype=object)
    taken[:] = values
    return taken


def _typed(values: Sequence[Any]) -> NDArray[Any]:
    """An array of the dtype that pandas would infer, without the time that pandas takes for a single value."""
    kinds = set(map(type, values))
    if kinds == {int} and all(-(2**63) <= value < 2**63 for value in values):
        return np.array(values, dtype=np.int64)
    if kinds and kinds <= {float, int}:
        return np.array(values, dtype=np.float64)
    return np.array(values, dtype=bool) if kinds == {bool} else _objects(values)


def _common(one: np.dtype[Any], other: np.dtype[Any]) -> np.dtype[Any]:
    if one == other:
        return one
    return np.dtype(np.float64) if one in NUMBERS and other in NUMBERS else np.dtype(object)
