"""The campaign: the only object with state. It asks the optimizer for candidates and stores every value."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from functools import partial
from pathlib import Path

import pandas as pd

from invdesign.campaign.binding import Bindings
from invdesign.campaign.by_hand import ByHand
from invdesign.campaign.calibrations import SEARCH, check_calibration, note_reports
from invdesign.campaign.execution.executor import InFlight, Result, evaluate_all, evaluate_together
from invdesign.campaign.failures import Failures
from invdesign.campaign.fingerprint import ChangedObjective, check_unchanged
from invdesign.campaign.identity import check_identity
from invdesign.campaign.lease import working
from invdesign.campaign.predictions import note_predictions
from invdesign.campaign.proposing import BUDGET
from invdesign.campaign.reading import LABORATORY_UNITS, of_one_moment
from invdesign.campaign.records import split_result
from invdesign.campaign.rounds import check_rounds, plan_round, verified_candidates
from invdesign.campaign.run_settings import RUN_SETTINGS, RunSettings
from invdesign.campaign.stage import Stage, due_counts
from invdesign.campaign.status import Status
from invdesign.campaign.stop import Stop
from invdesign.campaign.store import DONE, Store
from invdesign.campaign.stored_records import POLL
from invdesign.campaign.workers import Worker
from invdesign.core.errors import InputError
from invdesign.objectives.base import DISTANCE, Objective
from invdesign.optimizers.base import Optimizer, optimizer_problems
from invdesign.optimizers.bayesian.optimizer import BayesianOptimizer
from invdesign.space import SearchSpace
from invdesign.targets import Targets

EXHAUSTED = "The space has no more candidates to propose."


class Campaign(ByHand):
    """A search for candidates that meet targets. It may be killed at any moment and then resumed.

    Example:
        >>> campaign = Campaign(space, targets, store="cell.db", seed=7)
        >>> campaign.run(objective, evaluations=70, initial=10)
        >>> campaign.hits()

    Args:
        space: the search space.
        targets: the targets.
        optimizer: how candidates are proposed; a Bayesian optimizer with a Gaussian process if None.
        store: a file, a database URL, or None for memory only.
        seed: random seed; the same seed and values give the same candidates.
        name: of the campaign; several may share a database.
        initial: number of candidates of the initial design.
        bindings: objectives that are already bound to the space and checked, as in a campaign file.
        stop: when a run ends before its budget is spent; see ``stop_reason``.

    Attributes:
        ended: why the last ``run`` ended before its budget was spent; None if it did not.

    Raises:
        InputError: if the store holds a campaign of this name with another space or seed, or the optimizer's
            settings do not fit the space. It may go on with other targets or another optimizer: the next proposal
            stores the change with its time; see ``changes``.
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
        bindings: Bindings | None = None,
        stop: Stop | None = None,
    ) -> None:
        super().__init__(
            space,
            targets,
            Store(store, name),
            optimizer=optimizer if optimizer is not None else BayesianOptimizer(),
            seed=seed,
            initial=initial,
        )
        self.name = name
        self.bindings = bindings if bindings is not None else Bindings(space)
        self.stop = stop if stop is not None else Stop()
        self.ended: str | None = None
        problems = [*optimizer_problems(self.optimizer, space), *space.clashes(targets.properties)]
        if problems:
            raise InputError("\n".join(problems))
        check_identity(self.store, space=space, seed=seed)

    def run(
        self,
        objective: Objective,
        *,
        evaluations: int,
        initial: int | None = None,
        batch: int = 1,
        in_flight: int | None = None,
        cost: float | None = None,
        executor: Executor | None = None,
        on_progress: Callable[[Status], None] | None = None,
        settings: RunSettings = RUN_SETTINGS,
    ) -> None:
        """Proposes and evaluates candidates up to a total number, earlier runs included.

        Every result is on disk before the next call of the objective. After an interruption the same call continues
        with exactly the candidates that it would have proposed.

        Several processes may run one campaign: each evaluates other candidates, and all return when the total number
        is evaluated. Candidates that ``ask`` gave out are counted, but never evaluated here. Those of a process that
        died are evaluated by another one: at once if it ran on this machine, else when its lease has expired.

        Args:
            objective: source of property values.
            evaluations: total number of candidates.
            initial: number of candidates of the initial design; the campaign's own if None.
            batch: number of candidates proposed at once.
            in_flight: number of candidates that are evaluated at the same time. Further ones are proposed as results
                arrive, instead of batch by batch, so that no worker waits for the slowest of a batch. The initial
                design then has at least so many. Needs an executor.
            cost: limit of the total cost, at the costs of the space's fidelities (one each if it has
                none). The remainder is less than the cost of one evaluation at the target fidelity.
            executor: where evaluations run; None for this process.
            on_progress: called after each result, or after several that come at once.
            settings: about other processes, failures and a changed objective; see ``RunSettings``.

        Raises:
            InputError: before anything runs, if objective, space and targets do not fit together, or the objective
                has changed and is refused.
            FailingObjectiveError: if nothing but failures comes; everything is stored.
        """
        if initial is not None:
            self.initial = initial
        if batch < 1 or evaluations < 0:
            raise InputError(f"batch must be at least 1 and evaluations at least 0, not {batch} and {evaluations}.")
        if in_flight is not None:
            if in_flight < 1 or batch > 1 or executor is None:
                raise InputError("in_flight must be at least 1, and needs an executor (workers) and no batch.")
            self.initial = min(max(self.initial, in_flight), evaluations)
        objective = self._fitting(objective)
        digest = check_unchanged(self.store, objective, settings.objective_changed)
        self.ended, started = None, time.monotonic()
        self.store.write_facts({BUDGET: evaluations}, unless=BUDGET)
        if in_flight is not None and executor is not None:
            with (
                working(self.store, Worker.this_process(settings.lease), wait=settings.wait) as worker,
                InFlight(objective, executor) as calls,
            ):
                keep = self._keeper(objective, digest, settings.failures, on_progress)
                due = partial(self._due, evaluations, cost=cost, started=started)
                self._run_in_flight(calls, keep, worker, settings.failures, most=in_flight, due=due)
            return
        # Without an executor calls come one after the other, so that others may evaluate the rest meanwhile.
        most = objective.rows_per_call if executor is None else None
        keep = self._keeper(objective, digest, settings.failures, on_progress)
        with working(self.store, Worker.this_process(settings.lease), wait=settings.wait) as worker:
            while True:
                numbers = self.store.claim(worker, most=most, on_lost=settings.failures.on_failure)
                if not numbers:
                    step = self._due(evaluations, batch, cost, started)
                    proposed = self._propose(step, worker, held=most or step) if step > 0 else None
                    if proposed is not None:
                        numbers = [int(number) for number in proposed.index[:most]]
                        self.ended = None if len(proposed) else EXHAUSTED
                    elif step > 0:
                        continue  # another process proposed meanwhile: count again
                if numbers:
                    for results in evaluate_together(objective, self._numbered(numbers), executor):
                        keep(results)
                elif self.store.held_by_others(worker):
                    time.sleep(POLL)
                else:
                    return

    def run_rounds(
        self,
        objective: Objective,
        stage: Stage,
        *,
        evaluations: int,
        batch: int = 1,
        in_flight: int | None = None,
        executor: Executor | None = None,
        on_progress: Callable[[Status], None] | None = None,
        on_verified: Callable[[int, str], None] | None = None,
        settings: RunSettings = RUN_SETTINGS,
    ) -> None:
        """Searches in rounds: after each, the stage verifies the best, and its values correct those of the search.

        The evaluations after the initial design are shared equally among the rounds. Each round verifies the best
        ``stage.top`` that the stage has not verified yet. From then on the optimizer uses corrected values; the stored
        ones never change. After an interruption the same call continues with exactly the same candidates.

        Args:
            objective: the objective of the search.
            stage: the more accurate objective, how many candidates it verifies per round, and the number of rounds.
            evaluations: total number of candidates for ``objective``, earlier runs included.
            batch: number of candidates proposed at once.
            in_flight: see ``run``.
            executor: where evaluations run; None for this process.
            on_progress: called after each result of the search.
            on_verified: called after each result of the stage, as by ``verify``.
            settings: see ``run``.

        Raises:
            InputError: before anything runs, if the objectives, space and targets do not fit together, there are
                fewer evaluations than rounds, or the store's search is corrected by another stage.
        """
        check_rounds(self.store, self.space, stage)
        self.store.write_facts({BUDGET: evaluations}, unless=BUDGET)
        for due in [0, *due_counts(evaluations, initial=self.initial, rounds=stage.rounds)]:
            if due > max((one.evaluations for one in self.rounds()), default=0):
                self.run(
                    objective,
                    evaluations=due,
                    batch=batch,
                    in_flight=in_flight,
                    executor=executor,
                    on_progress=on_progress,
                    settings=settings,
                )
                verified = verified_candidates(self.store, stage.name)
                plan_round(self.store, stage, due, self.different(stage.top, besides=verified))
            # An interrupted round is completed first: this is what the step from 0 is for.
            # Without any round it verifies nothing, but still refuses an objective that does not fit.
            planned = [candidate for one in self.rounds()[-1:] for candidate in one.candidates]
            self.verify(
                stage.objective,
                candidates=planned,
                stage=stage.name,
                executor=executor,
                on_progress=on_verified,
                on_failure=settings.failures.on_failure,
            )

    def verify(
        self,
        objective: Objective,
        *,
        stage: str,
        top: int | None = None,
        candidates: Sequence[int] | None = None,
        executor: Executor | None = None,
        on_progress: Callable[[int, str], None] | None = None,
        on_failure: Callable[[int, str], None] | None = None,
    ) -> pd.DataFrame:
        """Evaluates the best or the given candidates again with a more accurate and more expensive objective.

        Args:
            objective: the more accurate source of values.
            stage: name under which the values are stored. A stage verifies a candidate only once.
            top: how many candidates; those that meet all targets by the widest margin come first, of designs that are
                alike only the best (see ``different``).
            candidates: numbers of the candidates, instead of ``top``.
            executor: where evaluations run; None for this process, one after the other.
            on_progress: called with the number of verified candidates and the text of how many meet all targets.
            on_failure: called with the number and the reason of each candidate that the stage failed to evaluate.

        Returns:
            ``verified()``.

        Raises:
            InputError: before anything runs, if the objective does not fit space and targets, a candidate has no
                value to verify, or not exactly one of ``top`` and ``candidates`` is given.
        """
        if (top is None) == (candidates is None):
            raise InputError("verify needs exactly one of top (how many of the best) and candidates (their numbers).")
        objective = self._fitting(objective, stage)
        numbers = self.different(top or 0) if candidates is None else list(candidates)
        for number in numbers:
            if not (0 <= number < self.store.proposals() and self.store.columns().state(number) == DONE):
                raise InputError(
                    f"Candidate {number} has no value from the search to verify. Choose one that is completed."
                )
        with working(self.store, Worker.this_process()) as worker:
            while left := [number for number in numbers if not self.store.is_verified(number, stage)]:
                most = 1 if executor is None else None
                claimed = self.store.claim(worker, stage, among=left, most=most, on_lost=on_failure)
                if not claimed:
                    time.sleep(POLL)  # others verify the rest
                for result in evaluate_all(objective, self._numbered(claimed), executor) if claimed else ():
                    self._keep_verified(result, objective, stage)
                    note_reports(self.store, stage, objective)
                    Failures(on_failure=on_failure).note(list(result.values.index), split_result(result, objective)[1])
                    if on_progress is not None:
                        found = self.verified()
                        mine = found[found["stage"] == stage]
                        on_progress(len(mine), f"{int(mine['all_met'].sum())} confirmed")
        return self.verified()

    def retry_failed(self, *, stages: Sequence[str] = ()) -> list[int]:
        """Makes candidates pending again that an objective failed to evaluate: the next run evaluates them.

        Their reasons are stored as earlier attempts; see ``attempts``. Failures that a laboratory reported stay.

        Args:
            stages: verifying stages without rounds whose failed candidates may be verified again, too.

        Returns:
            The numbers of the candidates that are pending again.
        """
        return self.store.retry(stages)

    def attempts(self) -> pd.DataFrame:
        """Earlier attempts at candidates that were evaluated again: candidate, stage, attempt, reason, seconds."""
        return self.store.attempts()

    def accept(self, objective: Objective, *, changed: ChangedObjective) -> None:
        """Compares the objective with the one that gave the stored values, before a run; see ``run``.

        Raises:
            InputError: if it does not fit, or has changed and is refused.
        """
        check_unchanged(self.store, self._fitting(objective), changed)

    def use_units_of(self, objective: Objective) -> None:
        """Stores values in the units of an objective from now on, as ``run`` does before it evaluates.

        Args:
            objective: of the search.

        Raises:
            InputError: if the objective does not fit space and targets, or the store's values have other units.
        """
        self._fitting(objective)

    def stop_reason(self, seconds: float = 0.0) -> str | None:
        """Why the campaign should end now, by its ``stop``, in one sentence; None if it should go on.

        Args:
            seconds: since the run was started.
        """
        return self.stop.reason(self, self.chance_left, initial=self.initial, seconds=seconds)

    def report(self, path: str | Path | None = None) -> Path:
        """Writes the campaign's report, one HTML file that opens without a network, and returns its path.

        Args:
            path: of the file; ``NAME.html`` in the working directory if None.

        Raises:
            InputError: if the folder does not exist.
        """
        import invdesign

        return invdesign.write_report(self, path if path is not None else f"{self.name}.html")

    def _due(self, evaluations: int, most: int, cost: float | None, started: float) -> int:
        """How many candidates to propose next; 0 once there is a reason to end, which it notes."""
        step = self._step(evaluations, most, cost)
        if step > 0 and self.ended is None:
            self.ended = self.stop_reason(time.monotonic() - started)
        return step if self.ended is None else 0

    @of_one_moment
    def _step(self, evaluations: int, batch: int, cost: float | None) -> int:
        """How many candidates to propose next."""
        count = self.store.proposals()
        step = self.initial - count if count < self.initial else batch
        return self.affordable(min(step, evaluations - count), cost)

    def _keeper(
        self, objective: Objective, digest: str, failures: Failures, on_progress: Callable[[Status], None] | None
    ) -> Callable[[Sequence[Result]], None]:
        """A function that stores results of a run together and ends it if nothing but failures comes."""
        reasons: list[str] = []

        def keep(results: Sequence[Result]) -> None:
            numbers = [int(number) for result in results for number in result.values.index]
            found = self._keep(results, numbers, objective, digest)
            note_reports(self.store, SEARCH, objective)
            note_predictions(self.store, objective, digest)
            failures.note(numbers, found)
            if on_progress is not None:
                on_progress(self.status())
            reasons.extend(filter(None, found))
            if not self.store.columns().counts[DONE]:
                failures.check(reasons)

        return keep

    def _run_in_flight(
        self,
        calls: InFlight,
        keep: Callable[[Sequence[Result]], None],
        worker: Worker,
        failures: Failures,
        *,
        most: int,
        due: Callable[[int], int],
    ) -> None:
        """Keeps ``most`` candidates in evaluation until all are evaluated; see ``run``."""
        order: list[int] = []
        while True:
            while len(calls) < most:
                left = [number for number in self.store.columns().pending() if number not in calls]
                free = most - len(calls)
                numbers = (
                    self.store.claim(worker, among=left, most=free, blame=False, on_lost=failures.on_failure)
                    if left
                    else []
                )
                if not numbers:
                    n = min(free, due(free))
                    proposed = self._propose(n, worker, held=n, arrivals=order) if n > 0 else None
                    if n > 0 and proposed is None:
                        continue  # another process proposed meanwhile: count again
                    numbers = [] if proposed is None else [int(number) for number in proposed.index]
                    self.ended = EXHAUSTED if n > 0 and not numbers else self.ended
                if not numbers:
                    break
                calls.submit(self._numbered(numbers))
            if len(calls):
                results = calls.completed()
                if results:
                    keep(results)
                order += [int(number) for result in results for number in result.values.index]
            elif self.store.held_by_others(worker):
                time.sleep(POLL)
            else:
                return

    def _keep(
        self, results: Sequence[Result], numbers: Sequence[int], objective: Objective, digest: str
    ) -> list[str | None]:
        """Stores results in one transaction, and returns the reason of each candidate or None."""
        values, reasons, seconds = [], [], []
        for result in results:
            given, why = split_result(result, objective)
            values += given
            reasons += why
            seconds += [result.seconds / len(given)] * len(given)
        self.store.finish(numbers, values, reasons, seconds=seconds, objective=digest)
        return reasons

    def _keep_verified(self, result: Result, objective: Objective, stage: str) -> None:
        values, reasons = split_result(result, objective)
        share = result.seconds / len(values)
        for number, given, reason in zip(result.values.index, values, reasons, strict=True):
            self.store.verify(int(number), stage, given, reason, seconds=share)

    def _fitting(self, objective: Objective, stage: str = SEARCH) -> Objective:
        """Checks an objective against space, targets and store, and stores the units of the search's properties."""
        objective = self.bindings.of(objective).fitting()
        properties = dict(objective.properties)
        noted = self.store.facts().get("units")
        kept = {DISTANCE: ""} if stage and noted is not None and DISTANCE in noted else {}
        self.targets.in_units({**kept, **properties})
        # A stage may leave out properties without a target; the others must have the units of the search.
        if noted is not None and any(
            properties.get(name, unit if stage else None) != unit for name, unit in noted.items()
        ):
            raise InputError(
                f"The store '{self.store.place}' holds the properties {noted}, but this objective gives {properties}. "
                "Use another store."
            )
        measured = self.store.facts().get(LABORATORY_UNITS, {})
        clash = any(properties.get(name, unit) != unit for name, unit in measured.items())
        if stage == SEARCH and noted is None and clash:
            raise InputError(
                f"The store '{self.store.place}' holds values of a laboratory in {measured}, but this objective gives "
                f"{properties}. Give the objective the same units, or use another store."
            )
        if stage == SEARCH and noted is None:
            self.store.write_fact("units", properties)
        check_calibration(self.store, stage, objective)
        return objective
