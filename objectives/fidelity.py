"""The same properties at several fidelities, such as xTB and DFT; each row names the fidelity of its evaluation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.objectives.base import REASON, Objective, failed
from invdesign.objectives.calibrated import Calibrated, CalibrationReport
from invdesign.objectives.evaluation import evaluate
from invdesign.objectives.limits import is_foreign, memory_together, seconds_together


@dataclass(frozen=True)
class MultiFidelityObjective:
    """Evaluates each candidate by the objective of its fidelity, which gets the candidate without the fidelity column.

    Attributes:
        objectives: one for each fidelity, the cheapest first and the target fidelity last; all give the same
            properties in the same units.
        column: the column that names the fidelity.

    Raises:
        InputError: if there are fewer than two fidelities, or their properties or units differ.
    """

    objectives: Mapping[str, Objective]
    column: str = "fidelity"

    def __post_init__(self) -> None:
        if len(self.objectives) < 2:
            raise InputError(
                "A multi-fidelity objective needs two or more objectives, from the cheapest to the target fidelity."
            )
        target = list(self.objectives)[-1]
        for name, objective in self.objectives.items():
            given, wanted = dict(objective.properties), dict(self.properties)
            if given != wanted:
                raise InputError(
                    f"The fidelity '{name}' gives {_listed(given)}, and the fidelity '{target}' {_listed(wanted)}. All "
                    "fidelities must give the same properties in the same units."
                )

    @property
    def properties(self) -> Mapping[str, str]:
        return list(self.objectives.values())[-1].properties

    @property
    def parts(self) -> tuple[Objective, ...]:
        """The objectives, the target fidelity first."""
        return tuple(self.objectives.values())[::-1]

    @property
    def rows_per_call(self) -> int | None:
        sizes = [part.rows_per_call for part in self.objectives.values() if part.rows_per_call is not None]
        return min(sizes) if sizes else None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        plain = self._without_fidelity(columns)
        made = {name: part.for_columns(plain) for name, part in self.objectives.items()}
        same = all(made[name] is part for name, part in self.objectives.items())
        return self if same else replace(self, objectives=made)

    def check(self, columns: Sequence[Column]) -> list[str]:
        fidelities = [column for column in columns if column.kind == "fidelity"]
        problems = []
        if [(column.name, tuple(column.values)) for column in fidelities] != [(self.column, tuple(self.objectives))]:
            named = ", ".join(f"'{name}': ..." for name in self.objectives)
            problems.append(
                f"The space needs a fidelity column '{self.column}' with the objective's fidelities in order:"
                f" {self.column}=Fidelity({{{named}}}), with a cost for each."
            )
        plain = self._without_fidelity(columns)
        for name, part in self.objectives.items():
            problems += [f"Fidelity '{name}': {problem}" for problem in part.check(plain)]
        return problems

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        if self.column not in candidates:
            return failed(candidates.index, self.properties, f"the fidelity column '{self.column}' is missing")
        parts = []
        for name, rows in candidates.groupby(self.column, sort=False, dropna=False):
            part = self.objectives.get(str(name))
            if part is None:
                unknown = f"unknown fidelity '{name}'.{nearest(str(name), self.objectives)}"
                parts.append(failed(rows.index, self.properties, unknown))
            else:
                # A failure at one fidelity must not affect the rows of another.
                parts.append(evaluate(part, rows.drop(columns=self.column)).values)
        if not parts:
            return failed(candidates.index, self.properties, "")
        whole = pd.concat(parts).reindex(candidates.index)
        return whole.assign(**{REASON: whole[REASON].astype(object).where(whole[REASON].notna(), None)})

    def seconds_allowed(self, candidates: int) -> float | None:
        return seconds_together(tuple(self.objectives.values()), candidates)

    def memory_allowed(self) -> int | None:
        return memory_together(self.parts)

    @property
    def isolated(self) -> bool:
        return any(is_foreign(part) for part in self.parts)

    def calibration_basis(self) -> Mapping[str, str]:
        bases_of: dict[str, list[str]] = {}
        for fidelity, part in self._calibrated.items():
            for name, basis in part.calibration_basis().items():
                bases_of.setdefault(name, []).append(f"{fidelity}: {basis}")
        return {name: "; ".join(bases) for name, bases in bases_of.items()}

    def calibration_reports(self) -> Mapping[str, CalibrationReport | str]:
        """If several fidelities calibrate a property, the report is that of the target fidelity."""
        return {
            name: report for part in self._calibrated.values() for name, report in part.calibration_reports().items()
        }

    @property
    def _calibrated(self) -> dict[str, Calibrated]:
        return {name: part for name, part in self.objectives.items() if isinstance(part, Calibrated)}

    def _without_fidelity(self, columns: Sequence[Column]) -> tuple[Column, ...]:
        return tuple(column for column in columns if column.kind != "fidelity")


def _listed(properties: Mapping[str, str]) -> str:
    return ", ".join(f"{name} in '{unit}'" for name, unit in properties.items())
