"""Several objectives as one, each for other properties of the same candidates; one may read what another gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Self

import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.base import DISTANCE, REASON, Objective, valued
from invdesign.objectives.calibrated import Calibrated, CalibrationReport
from invdesign.objectives.chain import columns_with, evaluate_linked, evaluation_order, links_of, with_hints
from invdesign.objectives.limits import is_foreign, memory_together, seconds_together
from invdesign.objectives.predicted import HeldOutScore, Predicting


@dataclass(frozen=True)
class CombinedObjective:
    """Evaluates every part and joins the properties and the reasons of each candidate.

    A part whose input has the name of another part's property reads its value (not its standard deviation): a model
    of the pressing gives the tortuosity with which a cell is simulated. Candidates without that value are not
    evaluated by it.

    Attributes:
        parts: objectives whose properties have different names.

    Raises:
        InputError: if two parts give the same property, or parts need each other's properties in a circle.
    """

    parts: tuple[Objective, ...]

    def __post_init__(self) -> None:
        names = [name for part in self.parts for name in part.properties if name != DISTANCE]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise InputError(
                f"Two objectives give '{repeated[0]}'. Let each give other properties, or let one of them verify the "
                "other (verify: top 10)."
            )
        _ = self._order

    @property
    def properties(self) -> Mapping[str, str]:
        return {name: unit for part in self.parts for name, unit in part.properties.items()}

    @property
    def rows_per_call(self) -> int | None:
        sizes = [part.rows_per_call for part in self.parts if part.rows_per_call is not None]
        return min(sizes) if sizes else None

    def columns_of(self, place: int, columns: Sequence[Column]) -> tuple[Column, ...]:
        """The columns of a part: those of the candidates, and the properties of other parts that it reads.

        Args:
            place: of the part in ``parts``.
            columns: of the candidates.
        """
        return columns_with(columns, self._links[place], self.properties)

    def for_columns(self, columns: Sequence[Column]) -> Self:
        parts = tuple(part.for_columns(self.columns_of(place, columns)) for place, part in enumerate(self.parts))
        same = all(new is old for new, old in zip(parts, self.parts, strict=True))
        return self if same else replace(self, parts=parts)

    def check(self, columns: Sequence[Column]) -> list[str]:
        return [
            problem
            for place, part in enumerate(self.parts)
            for own in [self.columns_of(place, columns)]
            for problem in with_hints(part.check(own), part, own, self.properties)
        ]

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        known: dict[str, pd.Series] = {}
        found: dict[int, pd.DataFrame] = {}
        for place in self._order:
            given = pd.DataFrame({name: known[name] for name in self._links[place]}, index=candidates.index)
            found[place] = evaluate_linked(self.parts[place], candidates, given)
            known |= {name: found[place][name] for name in self.parts[place].properties if name in found[place]}
        values = pd.concat([found[place].drop(columns=REASON) for place in range(len(self.parts))], axis=1)
        if DISTANCE in values:  # the prediction that is farthest from its data decides
            farthest = values[[DISTANCE]].max(axis=1, skipna=False)
            values = values.loc[:, ~values.columns.duplicated()].assign(**{DISTANCE: farthest})
        reasons = pd.concat([found[place][REASON] for place in self._order], axis=1)
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

    @cached_property
    def _links(self) -> tuple[tuple[str, ...], ...]:
        return links_of(self.parts)

    @cached_property
    def _order(self) -> tuple[int, ...]:
        return evaluation_order(self.parts, self._links)
