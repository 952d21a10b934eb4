"""The store of a campaign: a database that writes every proposal and every value to disk immediately."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, func, insert, select, update

from invdesign.campaign import schema
from invdesign.campaign.claims import SEARCH_STAGE
from invdesign.campaign.evaluation_store import LOST, EvaluationStore
from invdesign.campaign.measurements import Measurement, combined, next_label
from invdesign.campaign.schema import CANDIDATE, DONE, FAILED, INITIAL, LABORATORY, PENDING, REJECTED, STATES
from invdesign.campaign.stored_records import POLL, now, parsed, plain
from invdesign.campaign.workers import LABORATORY as LABORATORY_HOLDS
from invdesign.core.errors import InputError
from invdesign.core.failures import printable
from invdesign.core.text_files import is_file

__all__ = [
    "CANDIDATE",
    "DONE",
    "FAILED",
    "INITIAL",
    "LABORATORY",
    "LOST",
    "PENDING",
    "POLL",
    "STATES",
    "Store",
    "exists",
]

AMENDED = "amended, formerly:"
"""How the reason of an earlier attempt begins whose values were corrected."""


class Store(EvaluationStore):
    """Stores one campaign: its evaluations, and what a laboratory measured and corrected; see ``Records``."""

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
                measured.append((number, Measurement(plain(values), note, label or next_label(taken), source)))
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

    def repeated(self) -> Mapping[int, Sequence[Measurement]]:
        """The measurements of the candidates that have several."""
        self._read()
        return self._repeated

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
        return frame.assign(properties=_objects(parsed(frame["properties"].tolist())), measured_at=times)

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
                one = Measurement(plain(values), reason and printable(reason), names[which] if names else "1", source)
                (changed if number in self._measurements else added).append((number, which, one))
            for number, which, one in changed:
                mine = (schema.measurements.c.campaign == self.campaign) & (schema.measurements.c.candidate == number)
                row = self._measurement_row(number, which, one, self._next_revision(connection))
                mine &= schema.measurements.c.measurement == which
                connection.execute(update(schema.measurements).where(mine).values(**row, measured_at=now()))
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
                    "parameters": json.dumps(plain(made)),
                    "state": PENDING,
                    "finished_at": None,
                }
                for number, made in zip(numbers, parameters, strict=True)
            ]
            self._rewrite(connection, rows)
            self._claims.take(connection, SEARCH_STAGE, numbers, LABORATORY_HOLDS)

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
                insert(schema.log).values(campaign=self.campaign, entry=entry, detail=detail, at=now(), **row)
            )

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
            when = {"campaign": self.campaign, "measured_at": at or now()}
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
                    "parameters": json.dumps(plain(made) if new else self._evaluations.parameters[number]),
                    "state": DONE if values else FAILED,
                    "properties": json.dumps(values),
                    "reason": measurements[-1].reason if all(one.reason for one in measurements) else None,
                    "finished_at": now(),
                }
            )
        self._rewrite(connection, rows)


def exists(place: str | Path | None) -> bool:
    """Whether a store may already exist: a file that exists, or a database server."""
    return place is not None and ("://" in str(place) or is_file(Path(place)))


def _objects(values: Sequence[Any]) -> pd.Series:
    return pd.Series(list(values), dtype=object)
