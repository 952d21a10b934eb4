"""Evaluations in the store of a campaign: proposals, claims of workers, results, verifications."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pandas as pd
from sqlalchemy import Connection, delete, insert

from invdesign.campaign import database, schema
from invdesign.campaign.claims import PROPOSING, SEARCH_STAGE
from invdesign.campaign.schema import CANDIDATE, DONE, FAILED, PENDING
from invdesign.campaign.stored_records import POLL, Records, now, plain
from invdesign.campaign.workers import LABORATORY as LABORATORY_HOLDS
from invdesign.campaign.workers import Worker
from invdesign.core.failures import printable

LOST = "the campaign's process died twice while it evaluated this candidate"
"""Reason of a candidate after ``claims.MOST_DEATHS``."""


class EvaluationStore(Records):
    """Writes what processes propose and evaluate; see ``Records``."""

    def propose(
        self,
        candidates: pd.DataFrame,
        *,
        origins: Sequence[str],
        after: int | None = None,
        worker: Worker | None = None,
        held: int | None = None,
        before_commit: Callable[[pd.DataFrame], None] | None = None,
    ) -> pd.DataFrame | None:
        """Writes candidates as pending with consecutive numbers.

        Args:
            candidates: one row each.
            origins: of each candidate.
            after: number of proposals that they were chosen after. If there are more by now, or it is another process's
                turn to propose, nothing is stored.
            worker: who proposes.
            held: how many of them, from the first, the worker claims at once; if None, all belong to the laboratory.
            before_commit: called with the numbered candidates within the transaction; if it raises, nothing is stored.

        Returns:
            The candidates, indexed by their numbers; None if nothing was stored because of ``after``.
        """
        with self.transaction(durable=held is None) as connection:
            first = self.proposals()
            turn = self._claims.holders(connection, PROPOSING).get(0)
            if after is not None and (first != after or (turn is not None and not (worker and turn == worker.name))):
                return None
            if turn is not None:
                self._claims.release(connection, PROPOSING, [0])
            numbers = list(range(first, first + len(candidates)))
            numbered = candidates.set_axis(pd.Index(numbers, name=CANDIDATE))
            if numbers:
                self._insert(connection, numbered, origins)
                if held is None:
                    self._claims.take(connection, SEARCH_STAGE, numbers, LABORATORY_HOLDS)
                elif worker is not None:
                    self._claims.take(connection, SEARCH_STAGE, numbers[:held], worker.name)
            if before_commit is not None:
                before_commit(numbered)
        return numbered

    def finish(
        self,
        numbers: Sequence[int],
        properties: Sequence[Mapping[Any, float]],
        reasons: Sequence[str | None],
        *,
        seconds: float | Sequence[float] | None,
        parameters: Sequence[Mapping[Any, Any]] | None = None,
        objective: str | None = None,
    ) -> None:
        """Writes the results of pending candidates in one transaction; a candidate that has a result keeps it.

        Args:
            numbers: of the candidates.
            properties: values of each; NaN is not written.
            reasons: why a candidate has no value, or None.
            seconds: time of the evaluation, shared evenly among them; or that of each.
            parameters: what was really evaluated, if that may differ from what was proposed.
            objective: fingerprint of what gave the values.
        """
        shares = [float(seconds) / len(numbers)] * len(numbers) if isinstance(seconds, int | float) else seconds
        with self.transaction() as connection:
            self._read()
            rows = []
            for place, number in enumerate(map(int, numbers)):
                if self._evaluations.state(number) != PENDING:
                    continue  # the lease had expired, and another worker was faster
                values, reason = plain(properties[place]), reasons[place]
                given = plain(parameters[place]) if parameters is not None else self._evaluations.parameters[number]
                rows.append(
                    {
                        "candidate": number,
                        "origin": self._evaluations.about["origin"].array()[number],
                        "parameters": json.dumps(given),
                        "state": DONE if values else FAILED,
                        "properties": json.dumps(values),
                        "reason": reason and printable(reason),
                        "seconds": None if shares is None else float(shares[place]),
                        "objective": objective,
                        "finished_at": now(),
                    }
                )
            self._rewrite(connection, rows)

    def reopen(self, numbers: Sequence[int]) -> None:
        """Makes finished candidates pending again and removes their values, to be evaluated once more."""
        with self.transaction() as connection:
            self._read()
            rows = [
                {
                    "candidate": number,
                    "origin": self._evaluations.about["origin"].array()[number],
                    "parameters": json.dumps(self._evaluations.parameters[number]),
                    "state": PENDING,
                    "finished_at": None,
                }
                for number in numbers
            ]
            self._rewrite(connection, rows)

    def retry(self, stages: Sequence[str] = ()) -> list[int]:
        """Makes the candidates pending again that an objective failed to evaluate, and forgets the failures of stages.

        The failures are stored as earlier attempts. Those that a laboratory reported stay as they are.

        Args:
            stages: verifying stages.

        Returns:
            The numbers of the candidates that are pending again.
        """
        with self.transaction() as connection:
            found = self.evaluations()
            lost = found[(found["state"] == FAILED) & found["seconds"].notna()]
            verified = [
                row
                for row in self._verifications.values()
                if row["stage"] in stages and not row["properties"] and row["reason"]
            ]
            numbers = [int(number) for number in lost.index]
            rows = [
                (number, SEARCH_STAGE, reason, seconds)
                for number, reason, seconds in zip(numbers, lost["reason"], lost["seconds"], strict=True)
            ]
            rows += [(row["candidate"], row["stage"], row["reason"], row["seconds"]) for row in verified]
            self._note_attempts(connection, rows)
            if numbers:
                self.reopen(numbers)
            table = schema.verifications
            for row in verified:
                mine = (table.c.campaign == self.campaign) & (table.c.candidate == row["candidate"])
                connection.execute(delete(table).where(mine & (table.c.stage == row["stage"])))
        if verified:
            self._forget()
        return numbers

    def verify(
        self, number: int, stage: str, properties: Mapping[Any, float], reason: str | None, *, seconds: float
    ) -> None:
        """Writes the result of a verifying stage for a candidate; one that has a result of the stage keeps it."""
        with self.transaction() as connection:
            self._read()
            if (number, stage) not in self._verifications:
                record = {
                    "candidate": number,
                    "stage": stage,
                    "revision": self._next_revision(connection),
                    "properties": json.dumps(plain(properties)),
                    "reason": reason and printable(reason),
                    "seconds": float(seconds),
                    "finished_at": now(),
                }
                row = schema.sealed(schema.verifications, record)
                connection.execute(insert(schema.verifications).values(campaign=self.campaign, **row))
            self._claims.release(connection, stage, [number])

    def register(self, worker: Worker, *, alone: bool = False) -> None:
        """Registers a worker.

        Args:
            worker: the worker.
            alone: whether to wait until all others have left or are dead.
        """
        while True:
            with self.transaction(durable=False) as connection:
                if not (alone and self._claims.alive(connection)):
                    self._claims.register(connection, worker)
                    return
            time.sleep(POLL)

    def renew(self, worker: Worker) -> None:
        """Renews the lease of a worker; may be called from another thread."""
        with database.writing(self._engine, self.place, durable=False) as connection:
            self._claims.renew(connection, worker)

    def leave(self, worker: Worker) -> None:
        """Removes a worker; its unfinished candidates belong to nobody."""
        with self.transaction(durable=False) as connection:
            self._claims.leave(connection, worker)

    def claim(
        self,
        worker: Worker,
        stage: str = SEARCH_STAGE,
        *,
        among: Sequence[int] | None = None,
        most: int | None = None,
        blame: bool = True,
        on_lost: Callable[[int, str], None] | None = None,
    ) -> list[int]:
        """Claims candidates that nobody else holds, and counts how many of their earlier holders died.

        One that a worker died with is claimed alone, so that another death concerns no other candidate; after
        ``claims.MOST_DEATHS`` it gets a result: a failure with this reason.

        Args:
            worker: that will evaluate them.
            stage: a verifying stage; the search if empty.
            among: numbers of candidates; the pending ones if None.
            most: largest number; all if None.
            blame: whether the death of a worker counts as that of each candidate that it held; not so if they were
                evaluated elsewhere, where they could not end it.
            on_lost: called with the number and the reason of each candidate that has failed because its workers died.

        Returns:
            The claimed candidates, in their order.
        """
        if among is None and not self.columns().counts[PENDING]:
            return []
        with self.transaction(durable=False) as connection:
            wanted = self.columns().pending() if among is None else list(among)
            if stage:
                wanted = [number for number in wanted if (number, stage) not in self._verifications]
            choice = self._claims.choice(connection, stage, wanted, worker, most, blame=blame)
            self._give_up(stage, choice.lost)
            if choice.held:
                self._claims.release(connection, stage, choice.chosen)  # from the dead
            self._claims.take(connection, stage, choice.chosen, worker.name, choice.deaths)
        if on_lost is not None:
            for number in choice.lost:
                on_lost(number, LOST)
        return choice.chosen

    def turn(self, worker: Worker) -> None:
        """Waits until a worker is the only one that proposes; its next proposal, or ``leave``, ends its turn."""
        while not self.claim(worker, PROPOSING, among=[0]):
            time.sleep(POLL)

    def held_by_others(self, worker: Worker) -> bool:
        """Whether other living workers evaluate pending candidates."""
        if not self.columns().counts[PENDING]:
            return False
        with self._connected() as connection:
            holders = set(self._claims.holders(connection, SEARCH_STAGE).values())
        return bool(holders - {worker.name, LABORATORY_HOLDS})

    def _insert(self, connection: Connection, candidates: pd.DataFrame, origins: Sequence[str]) -> None:
        revision = self._next_revision(connection, proposals=len(candidates))
        rows = [
            {
                **schema.sealed(
                    schema.evaluations,
                    {
                        "candidate": int(number),
                        "revision": revision,
                        "origin": origin,
                        "parameters": json.dumps(plain(parameters)),
                        "state": PENDING,
                    },
                ),
                "campaign": self.campaign,
                "proposed_at": now(),
            }
            for number, origin, parameters in zip(candidates.index, origins, candidates.to_dict("records"), strict=True)
        ]
        connection.execute(self._insertion, rows)

    def _give_up(self, stage: str, numbers: Sequence[int]) -> None:
        """Records candidates with which too many processes died as failed."""
        if stage:
            for number in numbers:
                self.verify(number, stage, {}, LOST, seconds=0.0)
        elif numbers:
            self.finish(numbers, [{}] * len(numbers), [LOST] * len(numbers), seconds=0.0)
