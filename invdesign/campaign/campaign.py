"""The campaign: the one object that remembers. It asks the optimizer and keeps every value."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.executor import Result, evaluate_all
from invdesign.campaign.identity import check_identity
from invdesign.campaign.store import CANDIDATE, DONE, FAILED, PENDING, Store
from invdesign.optimizers.base import History, Optimizer
from invdesign.optimizers.bayesian import BayesianOptimizer
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.targets import Targets
from objectives.base import REASON, Objective
from surrogates.errors import InputError


@dataclass(frozen=True)
class Status:
    """Where a campaign stands.

    Attributes:
        evaluated: candidates with at least one value.
        failed: candidates that gave no value.
        pending: candidates proposed and not yet evaluated.
        hits: candidates that meet all targets.
    """

    evaluated: int
    failed: int
    pending: int
    hits: int


class Campaign:
    """A search for candidates that meet targets. It may be killed at any moment and goes on where it was.

    Example:
        >>> campaign = Campaign(space, targets, store="cell.db", seed=7)
        >>> campaign.run(objective, evaluations=70, initial=10)
        >>> campaign.hits()

    Args:
        space: what can be searched.
        targets: what is wanted.
        optimizer: how candidates are proposed; a Bayesian optimizer with a Gaussian process where None.
        store: where it is remembered: a file, a database URL, or None for memory only.
        seed: all randomness comes from it; the same seed and values give the same candidates.
        name: distinguishes campaigns that share a database.
        initial: candidates that are spread over the space before the optimizer takes over.

    Raises:
        InputError: where the store holds a campaign of this name with another space or seed.
    """

    def __init__(
        self,
        space: SearchSpace,
        targets: Targets,
        *,
        optimizer: Optimizer | None = None,
        store: str | Path | None = None,
        seed: int = 0,
        name: str = "campaign",
        initial: int = 10,
    ) -> None:
        self.space = space
        self.targets = targets
        self.optimizer: Optimizer = optimizer if optimizer is not None else BayesianOptimizer()
        self.seed = seed
        self.name = name
        self.initial = initial
        self.store = Store(store, name)
        self._last: tuple[Objective, Objective] | None = None
        check_identity(self.store, space=space, seed=seed, optimizer=self.optimizer)

    @property
    def units(self) -> dict[str, str]:
        """The unit in which each property is kept: the objective's, or the target's where only a laboratory tells."""
        told = {target.property: target.unit or "" for target in self.targets}
        return {**told, **self.store.facts().get("units", {})}

    def run(
        self,
        objective: Objective,
        *,
        evaluations: int,
        initial: int | None = None,
        batch: int = 1,
        executor: Executor | None = None,
        on_progress: Callable[[Status], None] | None = None,
    ) -> None:
        """Proposes and evaluates candidates until so many were proposed, those of earlier runs included.

        Every result is on disk before the next call of the objective. Interrupted at any point, the same call goes on
        with exactly the candidates that it would have proposed.

        Args:
            objective: where property values come from.
            evaluations: candidates in all.
            initial: candidates spread over the space at first; the campaign's own number where None.
            batch: candidates proposed at once.
            executor: where evaluations run; None for this process.
            on_progress: called after each result.

        Raises:
            InputError: before anything runs, where objective, space and targets do not fit together.
        """
        if initial is not None:
            self.initial = initial
        if batch < 1 or evaluations < 0:
            raise InputError(f"batch must be at least 1 and evaluations at least 0, not {batch} and {evaluations}.")
        objective = self._fitting(objective)
        while True:
            pending = self._candidates(self._by_state(PENDING))
            if pending.empty:
                count = len(self.store.evaluations())
                step = self.initial - count if count < self.initial else batch
                pending = self.ask(min(step, evaluations - count)) if count < evaluations else pending
            if pending.empty:
                return
            for result in evaluate_all(objective, pending, executor):
                self._keep(result, objective)
                if on_progress is not None:
                    on_progress(self.status())

    def ask(self, n: int = 1) -> pd.DataFrame:
        """Proposes candidates to evaluate elsewhere, and remembers them as pending.

        Args:
            n: how many.

        Returns:
            One row a candidate, indexed by its number; fewer than ``n`` where the space has no more.
        """
        history = self.history()
        if n < 1:
            return self._candidates(self.store.evaluations().iloc[:0])
        first = history.count < self.initial
        proposer: Optimizer = RandomOptimizer() if first else self.optimizer
        candidates = proposer.propose(
            min(n, self.initial - history.count) if first else n,
            space=self.space,
            targets=self.targets.in_units(self.units),
            history=history,
            seed=np.random.SeedSequence(self.seed),
        )
        numbers = self.store.propose(candidates, origin="initial" if first else type(proposer).__name__)
        asked = candidates.set_axis(pd.Index(numbers, name=CANDIDATE))
        if first and n > len(asked) and len(asked):
            return pd.concat([asked, self.ask(n - len(asked))])
        return asked

    def tell(self, results: pd.DataFrame) -> list[int]:
        """Takes results in: values of proposed candidates, or of others that the laboratory made on its own.

        Args:
            results: one row a candidate: its parameters and properties, as columns. The index, or a column named
                ``candidate``, may hold the number that ``ask`` gave; without it the parameters decide. Properties are
                in the units of the targets. An empty value says that the candidate gave none; a column ``reason`` why.

        Returns:
            The numbers of the candidates.

        Raises:
            InputError: naming the row and what is wrong with it; nothing of ``results`` is kept then.
        """
        from invdesign.campaign.laboratory import read_results

        told = read_results(results, self.space, self.targets, self.store.evaluations())
        fresh = told.parameters[[number is None for number in told.numbers]]
        made = iter(self.store.propose(fresh, origin="laboratory"))
        numbers = [next(made) if number is None else number for number in told.numbers]
        self.store.finish(
            numbers,
            told.properties.to_dict("records"),
            told.reasons,
            seconds=None,
            parameters=told.parameters.to_dict("records"),
        )
        return numbers

    def verify(
        self, objective: Objective, *, top: int, stage: str, on_progress: Callable[[int, str], None] | None = None
    ) -> pd.DataFrame:
        """Has the best candidates evaluated again, by a dearer and truer objective.

        Args:
            objective: the truer source of values.
            top: how many candidates; those that meet all targets by the widest margin come first.
            stage: name under which the values are kept. What a stage has verified is not verified again.
            on_progress: called with the number done and with how many of them meet all targets, in words.

        Returns:
            ``verified()``.
        """
        objective = self._fitting(objective, keep_units=False)
        best = self.best(top)
        done = self.store.verifications()
        left = best[~best.index.isin(done.index[done["stage"] == stage])]
        for number in left.index:
            for result in evaluate_all(objective, left.loc[[number], list(self.space.names)], None):
                values, reason = _split(result, objective)
                self.store.verify(number, stage, values[0], reason[0], seconds=result.seconds)
            if on_progress is not None:
                found = self.verified()
                mine = found[found["stage"] == stage]
                on_progress(len(mine), f"{int(mine['all_met'].sum())} confirmed")
        return self.verified()

    def history(self) -> History:
        """What the optimizer may know, in the order of proposal."""
        everything = self.store.evaluations()
        over = everything[everything["state"] != PENDING]
        properties = self._properties(over).reindex(columns=list(self.units)).astype(float)
        return History(
            self._candidates(over).reset_index(drop=True),
            properties.reset_index(drop=True),
            self._candidates(everything[everything["state"] == PENDING]).reset_index(drop=True),
        )

    def frame(self) -> pd.DataFrame:
        """Every proposed candidate: parameters, properties, ``origin``, ``state`` and ``reason``, indexed by number."""
        everything = self.store.evaluations()
        about = everything[["origin", "state", REASON]]
        return pd.concat([self._candidates(everything), self._properties(everything), about], axis=1)

    def hits(self) -> pd.DataFrame:
        """Candidates that meet all targets: parameters, properties, and met or missed target by target.

        With Maximize or Minimize among the targets, a column ``pareto_rank`` tells which nothing else beats (rank 0).
        """
        frame = self._valued()
        targets = self.targets.in_units(self.units)
        met = frame[targets.all_met(frame)]
        found = pd.concat([met, targets.met(met)], axis=1)
        return found.assign(pareto_rank=targets.pareto_rank(met)) if targets.directed else found

    def best(self, top: int) -> pd.DataFrame:
        """The candidates nearest to, or deepest within, the targets; parameters and properties, best first.

        Ranked by Pareto rank where there are directions, then by the smallest margin to any bound, in units of each
        property's spread; a candidate that misses a target has a negative margin.
        """
        frame = self._valued()
        targets = self.targets.in_units(self.units)
        order = pd.DataFrame({"rank": targets.pareto_rank(frame), "margin": -targets.margin(frame)}, index=frame.index)
        keys = ["rank", "margin"] if targets.directed else ["margin"]
        return frame.loc[order.sort_values(keys, kind="stable").index[:top]]

    def verified(self) -> pd.DataFrame:
        """What verifying stages found: for each candidate and stage its properties, ``all_met`` and ``reason``."""
        rows = self.store.verifications()
        properties = pd.DataFrame(list(rows["properties"]), index=rows.index).reindex(columns=list(self.units))
        met = self.targets.in_units(self.units).all_met(properties.astype(float))
        return pd.concat([rows[["stage"]], properties.astype(float), rows[[REASON]]], axis=1).assign(all_met=met)

    def status(self) -> Status:
        """How many candidates were evaluated, failed, are pending and meet all targets."""
        states = self.store.evaluations()["state"].value_counts()
        counts = {state: int(states.get(state, 0)) for state in (DONE, FAILED, PENDING)}
        hits = int(self.targets.in_units(self.units).all_met(self._valued()).sum())
        return Status(counts[DONE], counts[FAILED], counts[PENDING], hits)

    def _fitting(self, objective: Objective, *, keep_units: bool = True) -> Objective:
        """Checks an objective against space and targets, and notes the units of its properties."""
        objective = self._prepared(objective)
        problems = [*objective.check(self.space.columns), *self.space.clashes(objective.properties)]
        if problems:
            raise InputError("\n".join(problems))
        properties = dict(objective.properties)
        self.targets.in_units(properties)
        noted = self.store.facts().get("units")
        if noted is not None and {name: properties.get(name) for name in noted} != noted:
            raise InputError(
                f"The store '{self.store.place}' keeps the properties {noted}; this objective gives {properties}. "
                "Use another store."
            )
        if keep_units and noted is None:
            self.store.write_fact("units", properties)
        return objective

    def _prepared(self, objective: Objective) -> Objective:
        """The objective that knows the columns; the same one at every run, so that what it read or built stays."""
        if self._last is None or self._last[0] is not objective:
            self._last = objective, objective.for_columns(self.space.columns)
        return self._last[1]

    def _keep(self, result: Result, objective: Objective) -> None:
        values, reasons = _split(result, objective)
        self.store.finish(list(result.values.index), values, reasons, seconds=result.seconds)

    def _by_state(self, state: str) -> pd.DataFrame:
        everything = self.store.evaluations()
        return everything[everything["state"] == state]

    def _valued(self) -> pd.DataFrame:
        done = self._by_state(DONE)
        return pd.concat([self._candidates(done), self._properties(done)], axis=1)

    def _candidates(self, rows: pd.DataFrame) -> pd.DataFrame:
        frame = pd.DataFrame(list(rows["parameters"]), index=rows.index, columns=list(self.space.names))
        if frame.empty:
            typed = self.space.sample(0, np.random.default_rng(0))
            return typed.set_axis(frame.index)
        return frame

    def _properties(self, rows: pd.DataFrame) -> pd.DataFrame:
        values: list[Mapping[str, float]] = [found or {} for found in rows["properties"]]
        return pd.DataFrame(values, index=rows.index).reindex(columns=list(self.units)).astype(float)


def _split(result: Result, objective: Objective) -> tuple[list[dict[Any, Any]], list[str | None]]:
    values = result.values[list(objective.properties)].to_dict("records")
    reasons = [reason if isinstance(reason, str) else None for reason in result.values[REASON]]
    return values, reasons
