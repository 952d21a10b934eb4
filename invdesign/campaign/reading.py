"""Evaluates a store against a space and targets: results, best candidates, verified candidates."""

from __future__ import annotations

import math

import pandas as pd

from invdesign.campaign.agreement import agreement, corrected, verified_frame
from invdesign.campaign.correction import Correction
from invdesign.campaign.records import candidates_of, properties_of
from invdesign.campaign.rounds import (
    Round,
    TaughtRound,
    complete_rounds,
    corrections_after,
    noted_rounds,
    taught_rounds,
)
from invdesign.campaign.status import Status
from invdesign.campaign.store import DONE, FAILED, INITIAL, LABORATORY, PENDING, Store
from invdesign.objectives.base import REASON
from invdesign.optimizers.base import History
from invdesign.optimizers.fidelity import at_target_fidelity, costs
from invdesign.space import SearchSpace
from invdesign.targets import Targets

LABORATORY_UNITS = "laboratory_units"
"""Name of the fact with the units in which values of a laboratory were stored before any objective was run."""


class Reading:
    """Results of a campaign, computed from its store alone.

    Args:
        space: the search space.
        targets: the targets.
        store: the proposed candidates and their values.
    """

    def __init__(self, space: SearchSpace, targets: Targets, store: Store) -> None:
        self.space = space
        self.targets = targets
        self.store = store

    @property
    def units(self) -> dict[str, str]:
        """The unit of each stored property: the objective's, or the target's if a laboratory gives the values."""
        units = {target.property: target.unit or "" for target in self.targets}
        facts = self.store.facts()
        return {**units, **facts.get(LABORATORY_UNITS, {}), **facts.get("units", {})}

    def rounds(self) -> list[Round]:
        """The rounds in order, including an incomplete last one: the candidates to verify, and when it was due."""
        return noted_rounds(self.store)

    def taught_rounds(self) -> list[TaughtRound]:
        """The completed rounds, with the corrections after each."""
        return taught_rounds(self.store, list(self.units))

    def corrections(self) -> dict[str, Correction]:
        """The correction of each property after the last completed round; empty if there is none."""
        return corrections_after(self.store, complete_rounds(self.store), list(self.units))

    def history(self) -> History:
        """The history for the optimizer, in the order of proposal; values are corrected after completed rounds."""
        everything = self.store.evaluations()
        over, pending = everything[everything["state"] != PENDING], everything[everything["state"] == PENDING]
        return History(
            self._candidates(over).reset_index(drop=True),
            self._corrected(over).reset_index(drop=True),
            self._candidates(pending).reset_index(drop=True),
            given=pd.concat([over["origin"], pending["origin"]]).isin([INITIAL, LABORATORY]).to_numpy(),
        )

    def frame(self) -> pd.DataFrame:
        """Every proposed candidate: parameters, properties, ``origin``, ``state`` and ``reason``, indexed by number.

        The properties are as the objective gave them; ``best`` and ``hits`` use corrected ones.
        """
        everything = self.store.evaluations()
        about = everything[["origin", "state", REASON]]
        return pd.concat([self._candidates(everything), properties_of(everything, self.units), about], axis=1)

    def hits(self) -> pd.DataFrame:
        """Candidates that meet all targets: parameters, properties, and met or missed target by target.

        With Maximize or Minimize among the targets, the column ``pareto_rank`` is 0 for non-dominated candidates.
        """
        frame = self._valued()
        targets = self.targets.in_units(self.units)
        met = frame[targets.all_met(frame)]
        found = pd.concat([met, targets.met(met)], axis=1)
        return found.assign(pareto_rank=targets.pareto_rank(met)) if targets.optimized else found

    def best(self, top: int) -> pd.DataFrame:
        """The candidates nearest to, or deepest within, the targets; parameters and properties, best first.

        Ranked by Pareto rank if anything is optimized, then by the smallest margin to any bound, in units of each
        property's spread; a candidate that misses a target has a negative margin.
        """
        frame = self._valued()
        targets = self.targets.in_units(self.units)
        order = pd.DataFrame({"rank": targets.pareto_rank(frame), "margin": -targets.margin(frame)}, index=frame.index)
        keys = ["rank", "margin"] if targets.optimized else ["margin"]
        return frame.loc[order.sort_values(keys, kind="stable").index[:top]]

    def verified(self) -> pd.DataFrame:
        """Values of the verifying stages next to those of the search: one row for each candidate and stage.

        Each property by the stage, ``all_met``, ``reason``, and the same by the search with their disagreement; see
        ``invdesign.campaign.agreement.verified_frame``.
        """
        return verified_frame(
            self.store.evaluations(),
            self.store.verifications(),
            names=list(self.units),
            targets=self.targets.in_units(self.units),
            corrections=self.corrections(),
        )

    def agreement(self) -> pd.DataFrame:
        """Agreement of each stage with the search, property by property; see ``invdesign.campaign.agreement``."""
        return agreement(self.verified(), list(self.units))

    def status(self) -> Status:
        """Numbers of candidates that were evaluated, failed, are pending and meet all targets."""
        states = self.store.evaluations()["state"].value_counts()
        counts = {state: int(states.get(state, 0)) for state in (DONE, FAILED, PENDING)}
        hits = int(self.targets.in_units(self.units).all_met(self._valued()).sum())
        return Status(counts[DONE], counts[FAILED], counts[PENDING], hits)

    def cost(self) -> float:
        """Cost of the proposed candidates at their fidelities, pending ones included; 1 each without fidelities.

        A failed candidate costs as much as one with a value.
        """
        return float(costs(self.space, self._candidates(self.store.evaluations())).sum())

    def affordable(self, wanted: int, cost: float | None) -> int:
        """Number of further evaluations at the target fidelity that a total cost allows.

        Args:
            wanted: largest number.
            cost: limit for all evaluations, proposed ones included; None for no limit.
        """
        if cost is None:
            return wanted
        highest = max(self.space.fidelity[1].costs.values()) if self.space.fidelity is not None else 1.0
        # Costs are sums of decimals; a rounding error must not cost an evaluation.
        return min(wanted, math.floor((cost - self.cost()) / highest + 1e-9))

    def by_fidelity(self) -> pd.DataFrame:
        """Evaluations at each fidelity: ``evaluated``, ``failed``, ``pending`` and ``cost``, cheapest first.

        No rows if the space has no fidelities.
        """
        counted = ["evaluated", "failed", "pending"]
        if self.space.fidelity is None:
            return pd.DataFrame(columns=[*counted, "cost"])
        column, fidelity = self.space.fidelity
        everything = self.store.evaluations()
        fidelities = self._candidates(everything)[column]
        table = pd.crosstab(fidelities, everything["state"]).reindex(
            index=list(fidelity.names), columns=[DONE, FAILED, PENDING], fill_value=0
        )
        counts = table.set_axis(counted, axis=1)
        return counts.assign(cost=counts.sum(axis=1) * pd.Series(fidelity.costs)).rename_axis(
            index="fidelity", columns=None
        )

    def _by_state(self, state: str) -> pd.DataFrame:
        everything = self.store.evaluations()
        return everything[everything["state"] == state]

    def _valued(self) -> pd.DataFrame:
        """The results that count: those at the target fidelity, if there are several."""
        done = self._by_state(DONE)
        frame = pd.concat([self._candidates(done), self._corrected(done)], axis=1)
        return frame[at_target_fidelity(self.space, frame)]

    def _candidates(self, rows: pd.DataFrame) -> pd.DataFrame:
        return candidates_of(rows, self.space)

    def _corrected(self, rows: pd.DataFrame) -> pd.DataFrame:
        return corrected(properties_of(rows, self.units), self.corrections())
