"""The results of a campaign, read from its store once and prepared for tables and figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.objectives.base import STD_SUFFIX
from invdesign.targets.targets import PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from invdesign.campaign import Campaign, Status
    from invdesign.campaign.calibrations import NotedCalibration
    from invdesign.campaign.correction import Correction
    from invdesign.campaign.rounds import TaughtRound
    from invdesign.core.columns import Column
    from invdesign.objectives.predicted import HeldOutScore
    from invdesign.targets import Targets

UNKNOWN = pd.Series([np.nan])
"""Stands for the standard deviations of a property without any."""
ROUNDING = 1e-6
"""Relative difference of equal values that were computed twice, by two models of a cell for example."""
PENDING, FAILED = "pending", "failed"


@dataclass(frozen=True)
class Findings:
    """The results of a campaign for a report.

    Attributes:
        name: of the campaign.
        status: how many were evaluated, failed, are pending and meet all targets.
        targets: in the units of the values.
        units: each property and its unit.
        columns: the parameters.
        over: every candidate that was evaluated or failed, in the order of proposal, indexed by number; values are
            corrected if there is a correction.
        raw: the properties of the same candidates as the search's objective gave them, with standard deviations.
        ranked: those with values, best first, corrected as in ``over``.
        verified: results of verifying stages, one row for each candidate and stage; see ``Campaign.verified``.
        agreement: agreement of each stage with the search, property by property; see ``Campaign.agreement``.
        corrections: the current ones, by property.
        rounds: the verified candidates of each completed round and the corrections after it.
        calibrations: of the objectives.
        predictions: for each property that the search's objective predicts, the held-out score of its model.
        expected_hits: how many of the hits meet the targets by the uncertainty of the predictions; None if none are
            predicted.
        by_fidelity: evaluations and cost at each fidelity; see ``Campaign.by_fidelity``.
        pending: the candidates without a result yet: the next experiments.
        written: the targets as the user wrote them, in the user's units; in the order of ``targets``.
    """

    name: str
    status: Status
    targets: Targets
    units: dict[str, str]
    columns: tuple[Column, ...]
    over: pd.DataFrame
    raw: pd.DataFrame
    ranked: pd.DataFrame
    verified: pd.DataFrame
    agreement: pd.DataFrame
    corrections: Mapping[str, Correction]
    rounds: Sequence[TaughtRound]
    calibrations: Sequence[NotedCalibration]
    predictions: Mapping[str, HeldOutScore | None]
    expected_hits: float | None
    by_fidelity: pd.DataFrame
    pending: pd.DataFrame
    written: Targets

    @property
    def properties(self) -> list[str]:
        """Names of all properties, those of the targets first."""
        return list(dict.fromkeys([*self.targets.properties, *self.units]))

    @property
    def parameters(self) -> list[str]:
        """Names of all parameters."""
        return [column.name for column in self.columns]

    @property
    def numeric(self) -> list[Column]:
        """The parameters that are numbers."""
        return [column for column in self.columns if column.kind == "number"]

    @property
    def hits(self) -> pd.DataFrame:
        """Candidates that meet all targets, best first."""
        return self.ranked[self.targets.all_met(self.ranked)]

    @property
    def meet(self) -> str:
        """What is said of hits: that they meet all targets, or are predicted to."""
        predicted = any(name in self.predictions for name in self.targets.properties)
        return "are predicted to meet all targets" if predicted else "meet all targets"

    @property
    def met(self) -> NDArray[np.bool_]:
        """Which rows of ``over`` meet all targets."""
        return self.all_met(self.over)

    @property
    def judged(self) -> pd.DataFrame:
        """``over`` without the values of lower fidelities, which do not count for targets."""
        return self.over.assign(
            **{name: self.over[name].where(self.at_target_fidelity(self.over)) for name in self.properties}
        )

    @property
    def numbers(self) -> NDArray[np.int64]:
        """The place of each row of ``over`` in the order of evaluation, from 1."""
        return np.arange(1, len(self.over) + 1)

    @property
    def initial(self) -> int:
        """How many of ``over`` belong to the initial design."""
        return int((self.over["origin"] == "initial").sum())

    @property
    def stages(self) -> list[str]:
        """Names of the verifying stages with results."""
        return [str(stage) for stage in dict.fromkeys(self.verified["stage"])]

    @property
    def confirmed(self) -> int | None:
        """Number of hits confirmed by every stage that evaluated them; None if no stage has results."""
        if self.verified.empty:
            return None
        agreed = self.verified["all_met"].groupby(level=0).all()
        return int(agreed.reindex(self.hits.index.intersection(agreed.index)).sum())

    def at_target_fidelity(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows were evaluated at the target fidelity; all if the space has no fidelities."""
        for column in self.columns:
            if column.kind == "fidelity":
                return (rows[column.name] == column.values[-1]).to_numpy(dtype=bool)
        return np.ones(len(rows), dtype=bool)

    def all_met(self, rows: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows of ``over`` meet all targets, at the target fidelity."""
        return self.targets.all_met(rows) & self.at_target_fidelity(rows)

    def by_stage(self, stage: str) -> pd.DataFrame:
        """The results of one stage, indexed by candidate."""
        return self.verified[self.verified["stage"] == stage]

    def differs(self, stage: str, name: str) -> bool:
        """Whether a stage gives another value of a property than the search for any candidate.

        Dimensions of a cell, or what another objective of a chain gives, are the same for both: no comparison.
        """
        part = self.by_stage(stage)
        off = part[f"{name}_disagreement"].abs().max()
        return bool(off > ROUNDING * part[name].abs().max())

    def reasons(self) -> pd.DataFrame:
        """Why values are missing: columns ``where``, ``reason`` and ``count``, the most frequent first."""
        searching = self.over[["reason"]].assign(where="search")
        verifying = self.verified[["stage", "reason"]].rename(columns={"stage": "where"})
        both = [part.dropna(subset=["reason"]) for part in (searching, verifying)]
        whole = both[0] if both[1].empty else both[1] if both[0].empty else pd.concat(both)
        counts = whole.groupby(["where", "reason"], sort=False).size().rename("count").reset_index()
        return counts.sort_values("count", ascending=False, kind="stable")


def gather(campaign: Campaign) -> Findings:
    """Reads a campaign's store."""
    from invdesign.campaign.agreement import corrected
    from invdesign.campaign.calibrations import noted_calibrations
    from invdesign.campaign.predictions import noted_predictions

    with campaign.store.snapshot():
        frame = campaign.frame()
        over = frame[frame["state"] != PENDING]
        units = campaign.units
        corrections = campaign.corrections()
        predictions = noted_predictions(campaign.store)
        return Findings(
            name=campaign.name,
            status=campaign.status(),
            targets=campaign.targets.in_units(units),
            units=units,
            columns=campaign.space.columns,
            over=corrected(over, corrections),
            raw=over[[name for name in map(str, over) if name.removesuffix(STD_SUFFIX) in units]],
            ranked=campaign.best(len(frame)),
            verified=campaign.verified(),
            agreement=campaign.agreement(),
            corrections=corrections,
            rounds=campaign.taught_rounds(),
            calibrations=noted_calibrations(campaign.store),
            predictions=predictions,
            expected_hits=_expected_hits(campaign, list(predictions)),
            by_fidelity=campaign.by_fidelity(),
            pending=frame.loc[frame["state"] == PENDING, list(campaign.space.names)],
            written=campaign.targets,
        )


def _expected_hits(campaign: Campaign, predicted: list[str]) -> float | None:
    """The sum of the hits' probabilities of meeting all targets; None without predictions with an uncertainty."""
    names = {one.property for one in campaign.targets.bounded if one.property in predicted}
    hits = campaign.hits()
    if not names or hits.empty or any(hits.get(name + STD_SUFFIX, UNKNOWN).isna().any() for name in names):
        return None
    return float(hits[PROBABILITY].sum())
