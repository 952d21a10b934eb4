"""Matches the rows of a laboratory's results to the stored candidates: which candidate a row measured or corrects."""

from __future__ import annotations

import math
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.measurements import Measurement
from invdesign.campaign.schema import REJECTED
from invdesign.campaign.store import CANDIDATE, PENDING, Store
from invdesign.space import Continuous, SearchSpace
from invdesign.space.outside import outside_reasons, unlisted, within_bounds
from invdesign.space.rounding import as_proposed

MOST_SHOWN = 20
"""Number of problems that a message lists."""
REPLICATE = "replicate"
"""Column with the label of a measurement, such as 1, 2, 3 for three of one candidate."""
KEY_DIGITS = 12
"""Significant digits that numbers of equal candidates share: spreadsheet programs keep 15."""
Key = tuple[tuple[str, Any], ...]
AGAIN = (
    f"If it is a new measurement, number it in a column '{REPLICATE}', or use --again for all rows (in Python: "
    "again=True)."
)


@dataclass(frozen=True)
class Row:
    """One row of results.

    Attributes:
        place: where it is, such as ``line 3``.
        number: of the candidate, if the table gives it.
        parameters: of the candidate, as the space writes them.
        values: the properties; NaN for none.
        label: of the measurement, if the table gives one.
    """

    place: str
    number: int | None
    parameters: Mapping[Any, Any]
    values: Mapping[Any, float]
    label: str | None

    @cached_property
    def key(self) -> Key:
        """Its parameters in a form that is equal for equal candidates."""
        return key_of(self.parameters)


@dataclass(frozen=True)
class Matching:
    """The candidates of rows.

    Attributes:
        numbers: of the candidate of each row; None for a new one.
        first: the first row of the same candidate.
        problems: messages that name the row.
    """

    numbers: list[int | None]
    first: list[int]
    problems: list[str]


class Known:
    """The stored candidates, by number and by parameters.

    Args:
        store: of the campaign.
        space: of the candidates.
    """

    def __init__(self, store: Store, space: SearchSpace) -> None:
        self._space = space
        self._store = store
        evaluations = store.evaluations()
        self._tolerances = {
            name: found.tolerance for name, found in space.parameters.items() if isinstance(found, Continuous)
        }
        numbers = [int(number) for number in evaluations.index]
        self.states: dict[int, str] = dict(zip(numbers, evaluations["state"], strict=True))
        self._reasons = dict(zip(numbers, evaluations["reason"], strict=True))
        self.by_laboratory = dict(zip(numbers, evaluations["seconds"].isna(), strict=True))
        self.keys = {number: key_of(one) for number, one in zip(numbers, evaluations["parameters"], strict=True)}
        self._pending = [number for number, state in self.states.items() if state == PENDING]
        self.numbers: dict[Key, list[int]] = {}
        for number, key in self.keys.items():
            self.numbers.setdefault(key, []).append(number)

    def pending(self, key: Key) -> int | None:
        """The pending candidate of given parameters."""
        return next((number for number in self.numbers.get(key, []) if self.states[number] == PENDING), None)

    def _nominal(self, parameters: Mapping[Any, Any]) -> list[tuple[Any, Any]]:
        """The values that the space would propose, of the parameters that are not compared by their tolerance."""
        written = within_bounds(self._space, pd.DataFrame([parameters]))
        row = as_proposed(self._space, written).to_dict("records")[0]
        return [(name, value) for name, value in row.items() if name not in self._tolerances]

    def near(self, parameters: Mapping[Any, Any], taken: Container[int | None]) -> int | None:
        """The pending candidate nearest to what was made, within the tolerance of every number, and not taken."""
        gaps = {}
        if not self._pending or unlisted(self._space, pd.DataFrame([parameters])).any(axis=None):
            return None
        nominal = self._nominal(parameters)
        for number in self._pending:
            proposed = dict(self.keys[number])
            if number not in taken and all(proposed[name] == _rounded(value) for name, value in nominal):
                shares = [abs(parameters[name] - proposed[name]) / most for name, most in self._tolerances.items()]
                gaps[number] = max(shares, default=0.0)
        nearest = min(gaps, key=lambda number: gaps[number], default=None)
        return nearest if nearest is not None and gaps[nearest] <= 1.0 + 1e-9 else None

    def finished(self, key: Key) -> int | None:
        """The candidate of given parameters for which a laboratory gave results."""
        numbers = (number for number in self.numbers.get(key, []) if self.by_laboratory[number])
        return next((one for one in numbers if self.states[one] != PENDING and not self.is_rejected(one)), None)

    def not_editable(self, number: int, row: Row) -> str | None:
        """Why a pending candidate cannot get the parameters of a row, or None."""
        (outside,) = outside_reasons(self._space, pd.DataFrame([row.parameters]))
        other = next((other for other in self.numbers.get(row.key, []) if other != number), None)
        if other is not None:
            return f"candidate {number} would have the parameters of candidate {other}."
        return f"candidate {number} would be outside of the space: {outside}" if outside else None

    def is_rejected(self, number: int) -> bool:
        """Whether a candidate was rejected."""
        return str(self._reasons[number]).startswith(REJECTED)

    def has(self, number: int, label: str) -> bool:
        """Whether a measurement of a candidate has this label."""
        return any(one.replicate == label for one in self.measurements(number))

    def measurements(self, number: int) -> Sequence[Measurement]:
        """The measurements of a candidate."""
        return self._store.measured(number)

    def measured(self, row: Row) -> int | None:
        """The candidate for which a laboratory gave the same values, with the same label if there is one."""
        numbers = (number for number in self.numbers.get(row.key, []) if self.by_laboratory[number])
        return next((number for number in numbers if self.agrees(number, row)), None)

    def agrees(self, number: int, row: Row) -> bool:
        """Whether a measurement of a candidate has the values of a row, and its label if there is one."""
        return any(
            row.label in (None, one.replicate)
            and all(
                math.isclose(value, one.properties[name], rel_tol=1e-9) if name in one.properties else math.isnan(value)
                for name, value in row.values.items()
            )
            for one in self.measurements(number)
        )


def matched(rows: Sequence[Row], known: Known, *, again: bool) -> Matching:
    """The candidate that each row measured, by its number if it has one, else by its parameters.

    A row is a further measurement of a completed candidate, or of that of an earlier row, if it has a label or the
    whole table was measured again.

    Args:
        rows: of the results.
        known: the stored candidates.
        again: whether all rows may be further measurements.
    """
    numbers: list[int | None] = []
    owners: list[int] = []
    problems: list[str] = []
    stored: list[str] = []
    first: dict[Key, int] = {}
    owner_of: dict[int | Key, int] = {}
    labels: dict[tuple[int, str], int] = {}
    for place, row in enumerate(rows):
        further = again or row.label is not None
        found = _candidate(row, known, numbers, further=further)
        problem = _pending_problem(row, found, known)
        if problem is None and found is not None and known.states[found] != PENDING and further:
            if not known.by_laboratory[found]:
                found = None  # a laboratory's value does not mix with that of an objective
            elif row.label is not None and known.has(found, row.label):
                if known.agrees(found, row):
                    stored.append(f"{row.place} (candidate {found}, replicate {row.label})")
                else:
                    problem = (
                        f"replicate {row.label} of candidate {found} is already stored with other values. Use amend "
                        "to correct it, or another label."
                    )
        elif problem is None and not further:
            before = known.measured(row) if found is None else found
            if before is not None and known.states[before] != PENDING:
                if known.agrees(before, row):
                    stored.append(f"{row.place} (candidate {before})")
                elif found is not None:
                    problem = f"candidate {found} is already {known.states[found]}. {AGAIN}"
        problems += [] if problem is None else [f"{row.place}: {problem}"]
        if first.setdefault(row.key, place) != place and not further:
            problems.append(f"{row.place} repeats the candidate of {rows[first[row.key]].place}. {AGAIN}")
        owner = owner_of.setdefault(row.key if found is None else found, place)
        if row.label is not None and labels.setdefault((owner, row.label), place) != place:
            where = rows[labels[owner, row.label]].place
            problems.append(f"{row.place} repeats the replicate {row.label} of {where}. Give it another label.")
        numbers.append(found)
        owners.append(owner)
    if stored:
        shown = ", ".join(stored[:MOST_SHOWN]) + (", ..." if len(stored) > MOST_SHOWN else "")
        problems.insert(
            0, f"{len(stored)} of {len(rows)} rows are already stored with the same values: {shown}. {AGAIN}"
        )
    return Matching(numbers, owners, problems)


def _candidate(row: Row, known: Known, taken: Sequence[int | None], *, further: bool) -> int | None:
    """The candidate of a row; None for a new one."""
    if row.number is not None:
        return row.number
    found = known.pending(row.key)
    if found is None and row.key not in known.numbers:
        found = known.near(row.parameters, taken)
    return known.finished(row.key) if found is None and further else found


def _pending_problem(row: Row, found: int | None, known: Known) -> str | None:
    """Why a row cannot be the result of a candidate that was given out, or None."""
    if found is None:
        return None
    if found not in known.states:
        return f"candidate {found} was not proposed."
    if known.is_rejected(found):
        return f"candidate {found} was rejected. Remove the row, or its number to store it as another candidate."
    other = next((other for other in known.numbers.get(row.key, []) if other != found), None)
    if known.states[found] == PENDING and other is not None and known.keys[found] != row.key:
        return f"candidate {found} has the parameters of candidate {other}."
    return None


def amended(rows: Sequence[Row], known: Known) -> Matching:
    """The stored candidate that each row corrects, by its number or else by its parameters."""
    numbers: list[int | None] = []
    problems: list[str] = []
    taken: set[tuple[int | None, str | None]] = set()
    for row in rows:
        finished = [other for other in known.numbers.get(row.key, []) if known.states[other] != PENDING]
        problem: str | None
        found = row.number if row.number is not None else finished[0] if len(finished) == 1 else None
        if found is None:
            what = "several results" if finished else "no result"
            problem = f"its parameters have {what}. Give the number in a column '{CANDIDATE}'."
        elif known.states.get(found) == PENDING and all(map(math.isnan, row.values.values())):
            problem = known.not_editable(found, row)
        elif known.states.get(found, PENDING) == PENDING:
            problem = f"candidate {found} has no result to correct. Use tell."
        elif (found, row.label) in taken:
            problem = f"candidate {found} appears twice. Remove one of the rows."
        else:
            problem = _unclear(found, row.label, known)
        problems += [] if problem is None else [f"{row.place}: {problem}"]
        numbers.append(found)
        taken.add((found, row.label))
    return Matching(numbers, list(range(len(rows))), problems)


def _unclear(number: int, label: str | None, known: Known) -> str | None:
    """Why it is unclear which measurement of a candidate a row corrects, or None."""
    labels = [one.replicate for one in known.measurements(number)]
    if label is None and len(labels) > 1:
        which = f"has {len(labels)} measurements. Say which one in a column '{REPLICATE}': {', '.join(labels)}."
        return f"candidate {number} {which}"
    if label is not None and label not in labels:
        return f"candidate {number} has no measurement {label!r}, but {', '.join(map(repr, labels)) or 'none'}."
    return None


def key_of(parameters: Mapping[Any, Any]) -> Key:
    """Parameters in a form that is equal for equal candidates."""
    return tuple(sorted((str(name), _rounded(value)) for name, value in parameters.items()))


def _rounded(value: Any) -> Any:
    is_number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return float(f"{float(value):.{KEY_DIGITS}g}") if is_number else value
