"""The store of a campaign: a database that writes every proposal and every value to disk immediately."""

from __future__ import annotations

import datetime as dt
import json
import math
import time
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, Select, Table, bindparam, delete, func, insert, select, text, update

from invdesign.campaign import database, schema
from invdesign.campaign.claims import PROPOSING, SEARCH_STAGE, Claims
from invdesign.campaign.columns import Evaluations
from invdesign.campaign.measurements import Measurement, combined, next_label
from invdesign.campaign.migrations import bring_up_to_date
from invdesign.campaign.schema import CANDIDATE, DONE, FAILED, INITIAL, LABORATORY, PENDING, REJECTED, STATES
from invdesign.campaign.workers import LABORATORY as LABORATORY_HOLDS
from invdesign.campaign.workers import Worker
from invdesign.core.errors import InputError
from invdesign.core.failures import printable
from invdesign.core.text_files import is_file

__all__ = ["CANDIDATE", "DONE", "FAILED", "INITIAL", "LABORATORY", "PENDING", "STATES", "Store", "exists"]

LOST = "the campaign's process died twice while it evaluated this candidate"
"""Reason of a candidate after ``claims.MOST_DEATHS``."""
_FIRST = text("INSERT INTO campaigns (campaign, revision, proposals) VALUES (:campaign, 0, 0) ON CONFLICT DO NOTHING")
AMENDED = "amended, formerly:"
"""How the reason of an earlier attempt begins whose values were corrected."""
POLL = 0.05
"""Seconds between two looks at a store that another process must change first."""


class Store:
    """Stores one campaign in a database; every method that writes has committed when it returns.

    Several processes may use one store. Each write is one transaction, which locks the campaign, and what others wrote
    is read at the next use: records carry a revision, and only later ones are read.

    Args:
        place: a file for SQLite, a database URL such as ``postgresql://...``, or None for memory only.
        campaign: the campaign's name; one database may hold several.

    Raises:
        InputError: if the database cannot be opened, is damaged, or was not written by invdesign.
    """

    def __init__(self, place: str | Path | None, campaign: str) -> None:
        self.place = "memory" if place is None else str(place)
        self.campaign = campaign
        self.shared = place is not None
        self._claims = Claims(campaign)
        self._engine = database.opened(place)
        weakref.finalize(self, self._engine.dispose)
        self._reader = database.reader(self._engine)
        self._open: Connection | None = None
        self._frozen = False
        self._head: Row[Any, Any] | None = None
        self._prepare()
        bring_up_to_date(self._engine, self.place, database.file_of(place))
        database.log_ahead(self._engine, self.place)
        self._forget()

    def facts(self) -> dict[str, Any]:
        """Stored facts about the whole campaign."""
        self._read()
        return dict(self._facts)

    def write_fact(self, name: str, value: Any) -> None:
        """Writes a JSON-compatible fact, replacing an earlier one of that name."""
        self.write_facts({name: value})

    def write_facts(self, values: Mapping[str, Any], *, unless: str | None = None) -> None:
        """Writes facts in one transaction.

        Args:
            values: JSON-compatible, by name.
            unless: name of a fact; if it is stored already, nothing is written.
        """
        with self.transaction() as connection:
            known = self.facts()
            if unless is not None and unless in known:
                return
            revision = self._next_revision(connection)
            for name, value in values.items():
                mine = (schema.facts.c.campaign == self.campaign) & (schema.facts.c.name == name)
                record = {"name": name, "revision": revision, "value": json.dumps(value)}
                row = schema.sealed(schema.facts, record)
                if name in known:
                    connection.execute(update(schema.facts).where(mine).values(**row))
                else:
                    connection.execute(insert(schema.facts).values(campaign=self.campaign, **row))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Connection]:
        """One transaction for everything in the block; other writers of the campaign wait. Blocks may be nested.

        Keep the block short: nothing is proposed or evaluated in it.

        Args:
            durable: whether it must survive a power failure. After the death of a process everything is there anyway.
        """
        if self._open is not None:
            yield self._open
            return
        try:
            with database.writing(self._engine, self.place, durable=durable) as connection:
                self._open = connection
                self._head = connection.execute(self._locked).first()
                if self._head is None:
                    connection.execute(_FIRST, {"campaign": self.campaign})
                    self._head = connection.execute(self._locked).one()
                yield connection
        except BaseException:
            self._forget()  # what was read in the block may have been rolled back
            raise
        finally:
            self._open = self._head = None

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Everything that is read in the block is of one moment, whatever others write. Blocks may be nested."""
        if self._frozen:
            yield
            return
        self._read()
        self._frozen = True
        try:
            yield
        finally:
            self._frozen = False

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

    def record(
        self,
        numbers: Sequence[int | None],
        parameters: pd.DataFrame,
        properties: Sequence[Mapping[Any, float]],
        reasons: Sequence[str | None],
        *,
        replicates: Sequence[str | None] | None = None,
        source: str | None = None,
    ) -> list[int]:
        """Writes measurements of a laboratory in one transaction.

        Args:
            numbers: of pending candidates, or of completed ones that were measured again, each once; None for new
                ones, which are proposed first.
            parameters: what was really evaluated, one row each; those of completed candidates stay as they are.
            properties: values of each; NaN is not written.
            reasons: why a candidate has no value, or None.
            replicates: label of each measurement; the first free number if None.
            source: file of the results.

        Returns:
            The numbers of all candidates.
        """
        with self.transaction() as connection:
            fresh = parameters[[number is None for number in numbers]]
            proposed = self.propose(fresh, origins=[LABORATORY] * len(fresh))
            new = iter([] if proposed is None else proposed.index)
            known = [int(next(new)) if number is None else number for number in numbers]
            labels = replicates if replicates is not None else [None] * len(known)
            measured = []
            for number, values, reason, label in zip(known, properties, reasons, labels, strict=True):
                taken = [one.replicate for one in self.measured(number)]
                note = reason and printable(reason)
                measured.append((number, Measurement(_plain(values), note, label or next_label(taken), source)))
            self._add_measurements(connection, measured)
            self._combine(connection, known, parameters.to_dict("records"))
        return known

    def measured(self, number: int) -> Sequence[Measurement]:
        """The measurements of a candidate in their order; none if it is pending or an objective evaluated it."""
        self._read()
        found = self._evaluations
        if number in self._measurements or found.state(number) == PENDING:
            return self._measurements.get(number, [])
        if found.about["seconds"].array()[number] is not None:
            return []
        # Formats before 4 stored the evaluation alone.
        return [Measurement(found.properties[number], found.about["reason"].array()[number], "1")]

    def all_measured(self) -> Mapping[int, Sequence[Measurement]]:
        """The measurements of all candidates that have any, as of ``measured``, since format 4."""
        self._read()
        return self._measurements

    def measurements(self) -> pd.DataFrame:
        """All measurements of a laboratory: candidate, replicate, properties, reason, source, measured_at."""
        table = schema.measurements
        names = ["candidate", "replicate", "properties", "reason", "source", "measured_at"]
        query = select(*(table.c[name] for name in names)).where(table.c.campaign == self.campaign)
        with self._connected() as connection:
            rows = connection.execute(query.order_by(table.c.candidate, table.c.measurement)).all()
        frame = pd.DataFrame([tuple(row) for row in rows], columns=names)
        # SQLite returns times without their zone, which is UTC.
        times = pd.to_datetime(frame["measured_at"], utc=True)
        return frame.assign(properties=_objects(_parsed(frame["properties"].tolist())), measured_at=times)

    def log(self) -> pd.DataFrame:
        """What a laboratory did by hand, in order: action, candidates, detail, at."""
        names = ["action", "candidates", "detail", "at"]
        query = select(*(schema.log.c[name] for name in names)).where(schema.log.c.campaign == self.campaign)
        with self._connected() as connection:
            rows = connection.execute(query.order_by(schema.log.c.entry)).all()
        frame = pd.DataFrame([tuple(row) for row in rows], columns=names)
        numbers = _objects([json.loads(text) for text in frame["candidates"]])
        return frame.assign(candidates=numbers, at=pd.to_datetime(frame["at"], utc=True))

    def write_log(self, action: str, candidates: Sequence[int], detail: str) -> None:
        """Adds an entry to the log, with its time."""
        with self.transaction() as connection:
            mine = schema.log.c.campaign == self.campaign
            entry = connection.execute(select(func.count()).select_from(schema.log).where(mine)).scalar_one()
            row = {"action": action, "candidates": json.dumps([int(number) for number in candidates])}
            connection.execute(
                insert(schema.log).values(campaign=self.campaign, entry=entry, detail=detail, at=_now(), **row)
            )

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
                values, reason = _plain(properties[place]), reasons[place]
                given = _plain(parameters[place]) if parameters is not None else self._evaluations.parameters[number]
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
                        "finished_at": _now(),
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

    def amend(
        self,
        numbers: Sequence[int],
        parameters: Sequence[Mapping[Any, Any]],
        properties: Sequence[Mapping[Any, float]],
        reasons: Sequence[str | None],
        *,
        replicates: Sequence[str | None] | None = None,
    ) -> None:
        """Replaces measurements of finished candidates; the former results are stored as earlier attempts.

        Args:
            numbers: of the candidates.
            parameters: what was really evaluated.
            properties: values of each; NaN is not written.
            reasons: why a candidate has no value, or None.
            replicates: label of the measurement of each; None if it has a single one.
        """
        with self.transaction() as connection:
            self._read()
            former = self.evaluations(numbers)
            rows = zip(numbers, former["parameters"], former["properties"], former["reason"], strict=True)
            noted = [
                (number, json.dumps({"parameters": was, "properties": values or {}, "reason": reason}))
                for number, was, values, reason in rows
            ]
            self._note_attempts(
                connection, [(number, SEARCH_STAGE, f"{AMENDED} {text}", None) for number, text in noted]
            )
            labels = replicates if replicates is not None else [None] * len(numbers)
            added: list[tuple[int, int, Measurement]] = []
            changed: list[tuple[int, int, Measurement]] = []
            for number, values, reason, label in zip(numbers, properties, reasons, labels, strict=True):
                before = self.measured(number)
                names = [one.replicate for one in before]
                which = names.index(label) if label is not None else 0
                source = before[which].source if before else None
                one = Measurement(_plain(values), reason and printable(reason), names[which] if names else "1", source)
                (changed if number in self._measurements else added).append((number, which, one))
            for number, which, one in changed:
                mine = (schema.measurements.c.campaign == self.campaign) & (schema.measurements.c.candidate == number)
                row = self._measurement_row(number, which, one, self._next_revision(connection))
                mine &= schema.measurements.c.measurement == which
                connection.execute(update(schema.measurements).where(mine).values(**row, measured_at=_now()))
            # The former value of an old store is not a measurement of its own any more, but an earlier attempt.
            self._insert_measurements(connection, [(number, 0, one) for number, _, one in added])
            self._combine(connection, numbers, parameters, as_made=True)

    def reject(self, numbers: Sequence[int], reason: str) -> None:
        """Makes candidates failed, pending or finished, whoever holds them; results are stored as earlier attempts.

        Args:
            numbers: of the candidates.
            reason: why; it replaces the values.
        """
        with self.transaction() as connection:
            self._read()
            former = self.evaluations(numbers)
            finished = former[former["state"] != PENDING]
            rows = zip(finished.index, finished["properties"], finished["reason"], strict=True)
            noted = [
                (int(number), SEARCH_STAGE, f"{REJECTED}, formerly: {json.dumps(values or {})} {before or ''}", None)
                for number, values, before in rows
            ]
            self._note_attempts(connection, noted)
            self.reopen(numbers)
            self.finish(numbers, [{}] * len(numbers), [reason] * len(numbers), seconds=None)

    def edit(self, numbers: Sequence[int], parameters: Sequence[Mapping[Any, Any]]) -> None:
        """Replaces the parameters of pending candidates that a laboratory holds.

        Raises:
            InputError: if a worker evaluates one of them.
        """
        with self.transaction() as connection:
            self._read()
            holders = self._claims.holders(connection, SEARCH_STAGE)
            for number in numbers:
                if holders.get(number, LABORATORY_HOLDS) != LABORATORY_HOLDS:
                    raise InputError(f"Candidate {number} is being evaluated, so it cannot be edited.")
            rows = [
                {
                    "candidate": number,
                    "origin": self._evaluations.about["origin"].array()[number],
                    "parameters": json.dumps(_plain(made)),
                    "state": PENDING,
                    "finished_at": None,
                }
                for number, made in zip(numbers, parameters, strict=True)
            ]
            self._rewrite(connection, rows)
            self._claims.take(connection, SEARCH_STAGE, numbers, LABORATORY_HOLDS)

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

    def attempts(self) -> pd.DataFrame:
        """Earlier attempts at candidates that were evaluated again: candidate, stage, attempt, reason, seconds."""
        table = schema.attempts
        names = [column for column in table.columns if column.name not in ("campaign", "finished_at")]
        query = select(*names).where(table.c.campaign == self.campaign)
        with self._connected() as connection:
            rows = connection.execute(query.order_by(table.c.candidate, table.c.stage, table.c.attempt)).all()
        return pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in names])

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
                    "properties": json.dumps(_plain(properties)),
                    "reason": reason and printable(reason),
                    "seconds": float(seconds),
                    "finished_at": _now(),
                }
                row = schema.sealed(schema.verifications, record)
                connection.execute(insert(schema.verifications).values(campaign=self.campaign, **row))
            self._claims.release(connection, stage, [number])

    def proposals(self) -> int:
        """Number of proposed candidates."""
        self._read()
        return len(self._evaluations)

    def evaluations(self, numbers: Sequence[int] | None = None) -> pd.DataFrame:
        """Proposals: candidate, origin, parameters, state, properties, reason, seconds, objective.

        Args:
            numbers: of the candidates; all in order if None.
        """
        found = self.columns()
        places = range(len(found)) if numbers is None else numbers
        about = {name: column.array()[list(places)] for name, column in found.about.items()}
        records = {name: [getattr(found, name)[place] for place in places] for name in ("parameters", "properties")}
        frame = pd.DataFrame({**records, **about}, index=pd.Index(places, name=CANDIDATE, dtype=int))
        return frame.assign(seconds=frame["seconds"].astype(float))

    def columns(self) -> Evaluations:
        """All proposals in order, as columns; shared, and must not be modified."""
        self._read()
        return self._evaluations

    def verifications(self) -> pd.DataFrame:
        """All results of verifying stages: candidate, stage, properties, reason, seconds."""
        self._read()
        names = ["stage", "properties", "reason", "seconds"]
        rows = [self._verifications[key] for key in sorted(self._verifications)]
        columns = {name: [row[name] for row in rows] for name in names}
        return pd.DataFrame(columns, index=pd.Index([row["candidate"] for row in rows], name=CANDIDATE))

    def is_verified(self, number: int, stage: str) -> bool:
        """Whether a stage has a result for a candidate."""
        self._read()
        return (number, stage) in self._verifications

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

    def close(self) -> None:
        """Closes the database."""
        self._engine.dispose()

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
                        "parameters": json.dumps(_plain(parameters)),
                        "state": PENDING,
                    },
                ),
                "campaign": self.campaign,
                "proposed_at": _now(),
            }
            for number, origin, parameters in zip(candidates.index, origins, candidates.to_dict("records"), strict=True)
        ]
        connection.execute(self._insertion, rows)

    def _add_measurements(self, connection: Connection, measured: Sequence[tuple[int, Measurement]]) -> None:
        """Writes further measurements; a single one of an old store is written first, with the time of its result."""
        rows = []
        for number, one in measured:
            before = self.measured(number)
            if before and number not in self._measurements:
                self._insert_measurements(
                    connection, [(number, 0, before[0])], at=self._finished_at(connection, number)
                )
            rows.append((number, len(before), one))
        self._insert_measurements(connection, rows)

    def _finished_at(self, connection: Connection, number: int) -> dt.datetime | None:
        table = schema.evaluations.c
        mine = (table.campaign == self.campaign) & (table.candidate == number)
        found: dt.datetime | None = connection.execute(select(table.finished_at).where(mine)).scalar_one()
        return found

    def _insert_measurements(
        self, connection: Connection, rows: Sequence[tuple[int, int, Measurement]], *, at: dt.datetime | None = None
    ) -> None:
        if rows:
            revision = self._next_revision(connection)
            when = {"campaign": self.campaign, "measured_at": at or _now()}
            noted = [{**self._measurement_row(*row, revision), **when} for row in rows]
            connection.execute(insert(schema.measurements), noted)

    def _measurement_row(self, number: int, place: int, one: Measurement, revision: int) -> dict[str, Any]:
        record = {
            "candidate": number,
            "measurement": place,
            "revision": revision,
            "replicate": one.replicate,
            "properties": json.dumps(dict(one.properties)),
            "reason": one.reason,
            "source": one.source,
        }
        return schema.sealed(schema.measurements, record)

    def _combine(
        self,
        connection: Connection,
        numbers: Sequence[int],
        parameters: Sequence[Mapping[Any, Any]],
        *,
        as_made: bool = False,
    ) -> None:
        """Rewrites evaluations with the means of their measurements.

        Args:
            connection: of the transaction.
            numbers: of candidates with measurements.
            parameters: what was really evaluated, of each.
            as_made: whether the parameters of completed candidates are replaced, too.
        """
        self._read()
        rows = []
        for number, made in zip(numbers, parameters, strict=True):
            measurements = self._measurements[number]
            values = combined(measurements)
            new = as_made or self._evaluations.state(number) == PENDING
            rows.append(
                {
                    "candidate": number,
                    "origin": self._evaluations.about["origin"].array()[number],
                    "parameters": json.dumps(_plain(made) if new else self._evaluations.parameters[number]),
                    "state": DONE if values else FAILED,
                    "properties": json.dumps(values),
                    "reason": None if values else measurements[-1].reason,
                    "finished_at": _now(),
                }
            )
        self._rewrite(connection, rows)

    def _rewrite(self, connection: Connection, rows: Sequence[dict[str, Any]]) -> None:
        """Replaces evaluations, and releases their candidates."""
        if not rows:
            return
        revision = self._next_revision(connection)
        sealed = [schema.sealed(schema.evaluations, {**row, "revision": revision}) for row in rows]
        connection.execute(self._replace, [{f"new_{name}": value for name, value in row.items()} for row in sealed])
        self._claims.release(connection, SEARCH_STAGE, [row[CANDIDATE] for row in rows])

    def _note_attempts(self, connection: Connection, rows: Sequence[tuple[int, str, str | None, float | None]]) -> None:
        counts = self.attempts().groupby([CANDIDATE, "stage"]).size().to_dict()
        noted = []
        for number, stage, reason, seconds in rows:
            counts[number, stage] = int(counts.get((number, stage), 0)) + 1
            noted.append(
                {
                    "campaign": self.campaign,
                    "candidate": number,
                    "stage": stage,
                    "attempt": counts[number, stage],
                    "reason": reason,
                    "seconds": seconds,
                    "finished_at": _now(),
                }
            )
        if noted:
            connection.execute(insert(schema.attempts), noted)

    def _next_revision(self, connection: Connection, *, proposals: int = 0) -> int:
        self._head = connection.execute(self._advance, {"more": proposals}).one()
        return int(self._head.revision)

    def _give_up(self, stage: str, numbers: Sequence[int]) -> None:
        """Records candidates with which too many processes died as failed."""
        if stage:
            for number in numbers:
                self.verify(number, stage, {}, LOST, seconds=0.0)
        elif numbers:
            self.finish(numbers, [{}] * len(numbers), [LOST] * len(numbers), seconds=0.0)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        if self._open is not None:
            yield self._open
            return
        with database.worded(self.place), self._reader.connect() as connection:
            yield connection

    def _prepare(self) -> None:
        """The statements of every step, built once."""
        table = schema.campaigns
        mine = table.c.campaign == self.campaign
        self._current = select(table.c.revision, table.c.proposals).where(mine)
        self._locked = self._current.with_for_update()
        self._advance = (
            update(table)
            .where(mine)
            .values(revision=table.c.revision + 1, proposals=table.c.proposals + bindparam("more"))
            .returning(table.c.revision, table.c.proposals)
        )
        records = schema.evaluations
        written = [
            column.name for column in records.columns if column.name not in ("campaign", CANDIDATE, "proposed_at")
        ]
        self._replace = (
            update(records)
            .where((records.c.campaign == self.campaign) & (records.c.candidate == bindparam(f"new_{CANDIDATE}")))
            .values({name: bindparam(f"new_{name}") for name in written})
        )
        self._insertion = insert(records)
        self._all: dict[str, Select[Any]] = {}
        self._changed: dict[str, Select[Any]] = {}
        for table in (schema.facts, schema.evaluations, schema.verifications, schema.measurements):
            keys = [column for column in table.primary_key if column.name != "campaign"]
            query = select(*schema.CHECKED[table.name], table.c.checksum)
            query = query.where(table.c.campaign == self.campaign).order_by(*keys)
            self._all[table.name] = query
            self._changed[table.name] = query.where(table.c.revision > bindparam("known"))

    def _forget(self) -> None:
        self._revision = -1
        self._facts: dict[str, Any] = {}
        self._evaluations = Evaluations()
        self._verifications: dict[tuple[int, str], dict[str, Any]] = {}
        self._measurements: dict[int, list[Measurement]] = {}

    def _read(self) -> None:
        """Reads the records that were written since the last reading.

        Raises:
            InputError: naming the record, if one was altered or is missing.
        """
        if self._frozen:
            return
        with self._connected() as connection:
            found = self._head if self._open is not None else connection.execute(self._current).first()
            revision = -1 if found is None else found.revision
            if revision == self._revision and found is not None:
                return
            for name, _, value in self._later(connection, schema.facts):
                self._facts[name] = json.loads(value)
            self._take(self._later(connection, schema.evaluations))
            names = [column.name for column in schema.CHECKED[schema.verifications.name]]
            for row in self._later(connection, schema.verifications):
                record = dict(zip(names, row, strict=True))
                record["properties"] = json.loads(record["properties"] or "{}")
                self._verifications[record["candidate"], record["stage"]] = record
            for number, place, _, label, values, reason, source in self._later(connection, schema.measurements):
                mine = self._measurements.setdefault(number, [])
                mine[place : place + 1] = [Measurement(json.loads(values), reason, label, source)]
            self._revision = revision
        proposals = 0 if found is None else found.proposals
        if len(self._evaluations) != proposals:
            raise database.damaged(
                self.place, f"{proposals} candidates were proposed, but {len(self._evaluations)} are stored"
            )

    def _later(self, connection: Connection, table: Table) -> list[tuple[Any, ...]]:
        """The records of a table after the known revision, as in ``CHECKED`` and in the order of their keys."""
        query = self._all[table.name] if self._revision < 0 else self._changed[table.name]
        found = connection.execute(query, {"known": self._revision} if self._revision >= 0 else {}).all()
        records = [tuple(row)[:-1] for row in found]
        for record, row in zip(records, found, strict=True):
            if schema.checksum(record) != row[-1]:
                what = f"the fact '{record[0]}'" if table is schema.facts else f"candidate {record[0]}"
                raise database.damaged(self.place, f"{what} of the campaign '{self.campaign}' was altered")
        return records

    def _take(self, records: list[tuple[Any, ...]]) -> None:
        # Runs of consecutive numbers: all records at first, and then those of the last step.
        for _, run in groupby(range(len(records)), key=lambda place: records[place][0] - place):
            places = list(run)
            block = records[places[0] : places[-1] + 1]
            names = [column.name for column in schema.CHECKED[schema.evaluations.name]]
            columns: dict[str, Sequence[Any]] = dict(zip(names, zip(*block, strict=True), strict=True))
            first = columns[CANDIDATE][0]
            if first > len(self._evaluations):
                raise database.damaged(self.place, f"candidate {len(self._evaluations)} is missing")
            columns["parameters"] = _parsed(columns["parameters"])
            columns["properties"] = _parsed([text or "{}" for text in columns["properties"]])
            self._evaluations.write(first, columns)


def exists(place: str | Path | None) -> bool:
    """Whether a store may already exist: a file that exists, or a database server."""
    return place is not None and ("://" in str(place) or is_file(Path(place)))


def _parsed(texts: Sequence[str]) -> list[dict[str, Any]]:
    """JSON objects, parsed in one call."""
    found: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return found


def _objects(values: Sequence[Any]) -> pd.Series:
    return pd.Series(list(values), dtype=object)


def _plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Values in a form that JSON reproduces exactly; NaN is left out."""
    plain = {str(name): value.item() if hasattr(value, "item") else value for name, value in values.items()}
    return {name: value for name, value in plain.items() if not (isinstance(value, float) and not math.isfinite(value))}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
