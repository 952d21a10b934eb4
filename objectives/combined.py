"""Several objectives as one, each for other properties of the same candidates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.base import REASON, Objective, valued
from invdesign.objectives.calibrated import Calibrated, CalibrationReport
from invdesign.objectives.limits import is_foreign, memory_together, seconds_together
from invdesign.objectives.predicted import HeldOutScore, Predicting


@dataclass(frozen=True)
class CombinedObjective:
    """Evaluates every part and joins the properties and the reasons of each candidate.

    Attributes:
        parts: objectives whose properties have different names.

    Raises:
        InputError: if two parts give the same property.
    """

    parts: tuple[Objective, ...]

    def __post_init__(self) -> None:
        names = [name for part in self.parts for name in part.properties]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InputError(
                f"Two objectives give '{repeated[0]}'. Let each give other properties, or let one of them verify the "
                "other (verify: top 10)."
            )

    @property
    def properties(self) -> Mapping[str, str]:
        return {name: unit for part in self.parts for name, unit in part.properties.items()}

    @property
    def rows_per_call(self) -> int | None:
        sizes = [part.rows_per_call for part in self.parts if part.rows_per_call is not None]
        return min(sizes) if sizes else None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        parts = tuple(part.for_columns(columns) for part in self.parts)
        same = all(new is old for new, old in zip(parts, self.parts, strict=True))
        return self if same else replace(self, parts=parts)

    def check(self, columns: Sequence[Column]) -> list[str]:
        return [problem for part in self.parts for problem in part.check(columns)]

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        results = [part.evaluate(candidates) for part in self.parts]
        values = pd.concat([result.drop(columns=REASON) for result in results], axis=1)
        reasons = pd.concat([result[REASON] for result in results], axis=1)
        return valued(values, ["; ".join(filter(None, row)) or None for row in reasons.itertuples(index=False)])

    def seconds_allowed(self, candidates: int) -> float | None:
        return seconds_together(self.parts, candidates)

    def memory_allowed(self) -> int | None:
        return memory_together(self.parts)

    @property
    def isolated(self) -> bool:
        return any(is_foreign(part) for part in self.parts)

    def calibration_basis(self) -> Mapping[str, str]:
        return {name: basis for part in self._calibrated for name, basis in part.calibration_basis().items()}

    def calibration_reports(self) -> Mapping[str, CalibrationReport | str]:
        return {name: report for part in self._calibrated for name, report in part.calibration_reports().items()}

    def held_out_scores(self) -> Mapping[str, HeldOutScore | None]:
        predicting = [part for part in self.parts if isinstance(part, Predicting)]
        return {name: score for part in predicting for name, score in part.held_out_scores().items()}

    @property
    def _calibrated(self) -> list[Calibrated]:
        return [part for part in self.parts if isinstance(part, Calibrated)]
