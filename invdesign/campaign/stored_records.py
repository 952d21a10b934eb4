"""The records of a campaign in its database: transactions, and reading what others wrote, checked."""

from __future__ import annotations

import datetime as dt
import json
import math
import weakref
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import Connection, Row, Select, Table, bindparam, insert, select, text, update

from invdesign.campaign import database, schema
from invdesign.campaign.claims import SEARCH_STAGE, Claims
from invdesign.campaign.columns import Evaluations
from invdesign.campaign.measurements import Measurement
from invdesign.campaign.migrations import bring_up_to_date
from invdesign.campaign.schema import CANDIDATE

POLL = 0.05
"""Seconds between two looks at a store that another process must change first."""
_FIRST = text("INSERT INTO campaigns (campaign, revision, proposals) VALUES (:campaign, 0, 0) ON CONFLICT DO NOTHING")


class Records:
    """One campaign in a database; every method that writes has committed when it returns.

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

    def close(self) -> None:
        """Closes the database."""
        self._engine.dispose()

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

    @property
    def revision(self) -> int:
        """The number of the last write; what was read before another number is out of date."""
        self._read()
        return self._revision

    def proposals(self) -> int:
        """Number of proposed candidates."""
        self._read()
        return len(self._evaluations)

    def columns(self) -> Evaluations:
        """All proposals in order, as columns; shared, and must not be modified."""
        self._read()
        return self._evaluations

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

    def attempts(self) -> pd.DataFrame:
        """Earlier attempts at candidates that were evaluated again: candidate, stage, attempt, reason, seconds."""
        table = schema.attempts
        names = [column for column in table.columns if column.name not in ("campaign", "finished_at")]
        query = select(*names).where(table.c.campaign == self.campaign)
        with self._connected() as connection:
            rows = connection.execute(query.order_by(table.c.candidate, table.c.stage, table.c.attempt)).all()
        return pd.DataFrame([tuple(row) for row in rows], columns=[column.name for column in names])

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
        self._repeated: dict[int, list[Measurement]] = {}

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
                if len(mine) > 1:
                    self._repeated[number] = mine
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
            columns["parameters"] = parsed(columns["parameters"])
            columns["properties"] = parsed([text or "{}" for text in columns["properties"]])
            self._evaluations.write(first, columns)

    def _next_revision(self, connection: Connection, *, proposals: int = 0) -> int:
        self._head = connection.execute(self._advance, {"more": proposals}).one()
        return int(self._head.revision)

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
                    "finished_at": now(),
                }
            )
        if noted:
            connection.execute(insert(schema.attempts), noted)


def parsed(texts: Sequence[str]) -> list[dict[str, Any]]:
    """JSON objects, parsed in one call."""
    found: list[dict[str, Any]] = json.loads(f"[{','.join(texts)}]")
    return found


def plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Values in a form that JSON reproduces exactly; NaN is left out."""
    found = {str(name): value.item() if hasattr(value, "item") else value for name, value in values.items()}
    return {name: value for name, value in found.items() if not (isinstance(value, float) and not math.isfinite(value))}


def now() -> dt.datetime:
    """The time of a record."""
    return dt.datetime.now(dt.UTC)
