"""The store of a campaign: a database that writes every proposal and every value to disk immediately."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import (
    JSON,
    Column,
    Connection,
    DateTime,
    Float,
    Integer,
    MetaData,
    Select,
    String,
    Table,
    Text,
    create_engine,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.engine import Engine
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import StaticPool

from invdesign.campaign.migrations import bring_up_to_date
from invdesign.core.errors import InputError

CANDIDATE = "candidate"
PENDING, DONE, FAILED = "pending", "done", "failed"
INITIAL, LABORATORY = "initial", "laboratory"
"""Origins of candidates that were not chosen by an optimizer."""
MOST_STALE = 500
"""Number of changed rows above which all rows are read again: a statement must not name more."""

_metadata = MetaData()
_facts = Table(
    "facts",
    _metadata,
    Column("campaign", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("value", JSON),
)
_evaluations = Table(
    "evaluations",
    _metadata,
    Column("campaign", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("origin", String(100)),
    Column("parameters", JSON),
    Column("state", String(10)),
    Column("properties", JSON),
    Column("reason", Text),
    Column("seconds", Float),
    Column("proposed_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
)
_verifications = Table(
    "verifications",
    _metadata,
    Column("campaign", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("stage", String(200), primary_key=True),
    Column("properties", JSON),
    Column("reason", Text),
    Column("seconds", Float),
    Column("finished_at", DateTime(timezone=True)),
)


class Store:
    """Stores one campaign in a database; every method that writes has committed when it returns.

    Args:
        place: a file for SQLite, a database URL such as ``postgresql://...``, or None for memory only.
        campaign: the campaign's name; one database may hold several.

    Raises:
        InputError: if the database cannot be opened or was not written by invdesign.
    """

    def __init__(self, place: str | Path | None, campaign: str) -> None:
        self.place = "memory" if place is None else str(place)
        self.campaign = campaign
        self._engine = _engine(place)
        self._rows: dict[str, _Rows] = {table.name: _Rows(table, campaign) for table in (_evaluations, _verifications)}
        try:
            bring_up_to_date(self._engine, _file_of(place))
            _metadata.create_all(self._engine)
        except DatabaseError as error:
            raise InputError(f"'{self.place}' cannot be used as a store: {error.orig}.") from None

    def facts(self) -> dict[str, Any]:
        """Stored facts about the whole campaign."""
        with self._engine.connect() as connection:
            rows = connection.execute(select(_facts.c.name, _facts.c.value).where(_facts.c.campaign == self.campaign))
            return {row.name: row.value for row in rows}

    def write_fact(self, name: str, value: Any) -> None:
        """Writes a JSON-compatible fact, replacing an earlier one of that name."""
        with self._engine.begin() as connection:
            mine = (_facts.c.campaign == self.campaign) & (_facts.c.name == name)
            if connection.execute(select(_facts.c.name).where(mine)).first() is None:
                connection.execute(insert(_facts).values(campaign=self.campaign, name=name, value=value))
            else:
                connection.execute(update(_facts).where(mine).values(value=value))

    def propose(
        self,
        candidates: pd.DataFrame,
        *,
        origins: Sequence[str],
        before_commit: Callable[[pd.DataFrame], None] | None = None,
    ) -> pd.DataFrame:
        """Writes candidates as pending with consecutive numbers.

        Args:
            candidates: one row each.
            origins: of each candidate.
            before_commit: called with the numbered candidates within the transaction; if it raises, nothing is stored.

        Returns:
            The candidates, indexed by their numbers.
        """
        with self._engine.begin() as connection:
            mine = _evaluations.c.campaign == self.campaign
            last = connection.execute(select(func.max(_evaluations.c.candidate)).where(mine)).scalar()
            numbers = list(range(0 if last is None else last + 1, (0 if last is None else last + 1) + len(candidates)))
            rows = [
                {
                    "campaign": self.campaign,
                    "candidate": number,
                    "origin": origin,
                    "parameters": _plain(parameters),
                    "state": PENDING,
                    "proposed_at": _now(),
                }
                for number, origin, parameters in zip(numbers, origins, candidates.to_dict("records"), strict=True)
            ]
            if rows:
                connection.execute(insert(_evaluations), rows)
            numbered = candidates.set_axis(pd.Index(numbers, name=CANDIDATE))
            if before_commit is not None:
                before_commit(numbered)
        self._rows[_evaluations.name].changed(numbers)
        return numbered

    def finish(
        self,
        numbers: Sequence[int],
        properties: Sequence[Mapping[Any, float]],
        reasons: Sequence[str | None],
        *,
        seconds: float | None,
        parameters: Sequence[Mapping[Any, Any]] | None = None,
    ) -> None:
        """Writes the results of pending candidates in one transaction.

        Args:
            numbers: of the candidates.
            properties: values of each; NaN is not written.
            reasons: why a candidate has no value, or None.
            seconds: time of the evaluation, shared evenly among them.
            parameters: what was really evaluated, if that may differ from what was proposed.
        """
        with self._engine.begin() as connection:
            for place, number in enumerate(numbers):
                values = _plain(properties[place])
                written = {
                    "state": DONE if values else FAILED,
                    "properties": values,
                    "reason": reasons[place],
                    "seconds": None if seconds is None else seconds / len(numbers),
                    "finished_at": _now(),
                }
                if parameters is not None:
                    written["parameters"] = _plain(parameters[place])
                mine = (_evaluations.c.campaign == self.campaign) & (_evaluations.c.candidate == number)
                connection.execute(update(_evaluations).where(mine).values(**written))
        self._rows[_evaluations.name].changed(numbers)

    def verify(
        self, number: int, stage: str, properties: Mapping[Any, float], reason: str | None, *, seconds: float
    ) -> None:
        """Writes the result of a verifying stage for a candidate."""
        with self._engine.begin() as connection:
            connection.execute(
                insert(_verifications).values(
                    campaign=self.campaign,
                    candidate=number,
                    stage=stage,
                    properties=_plain(properties),
                    reason=reason,
                    seconds=seconds,
                    finished_at=_now(),
                )
            )
        self._rows[_verifications.name].changed([number])

    def evaluations(self) -> pd.DataFrame:
        """All proposals in order: candidate, origin, parameters, state, properties, reason, seconds."""
        return self._read(_evaluations)

    def verifications(self) -> pd.DataFrame:
        """All results of verifying stages: candidate, stage, properties, reason, seconds."""
        return self._read(_verifications)

    def close(self) -> None:
        """Closes the database."""
        self._engine.dispose()

    def _read(self, table: Table) -> pd.DataFrame:
        with self._engine.connect() as connection:
            return self._rows[table.name].read(connection)


class _Rows:
    """A campaign's rows of one table; only changed ones are read again, because a long campaign reads at every step.

    Args:
        table: of candidates.
        campaign: name of the campaign.
    """

    def __init__(self, table: Table, campaign: str) -> None:
        self._columns = [column for column in table.columns if column.name != "campaign"]
        self._key = [column.name for column in table.primary_key if column.name != "campaign"]
        self._candidate = table.c.candidate
        self._query = select(*self._columns).where(table.c.campaign == campaign).order_by(*table.primary_key)
        self._known: dict[tuple[Any, ...], dict[str, Any]] = {}
        self._stale: set[int] = set()
        self._version: tuple[int, int] | None = None
        self._frame: pd.DataFrame | None = None

    def changed(self, candidates: Iterable[int]) -> None:
        """Marks the rows of candidates that this process wrote."""
        self._stale.update(candidates)

    def read(self, connection: Connection) -> pd.DataFrame:
        """All rows in the order of their candidates; the frame is shared and must not be modified."""
        version = _version(connection)
        if version is None or version != self._version or len(self._stale) > MOST_STALE:
            self._known = {}
            self._take(connection, self._query)
        elif self._stale:
            self._take(connection, self._query.where(self._candidate.in_(sorted(self._stale))))
        elif self._frame is not None:
            return self._frame
        self._version, self._stale = version, set()
        rows = [self._known[key] for key in sorted(self._known)]
        columns = {column.name: [row[column.name] for row in rows] for column in self._columns}
        self._frame = pd.DataFrame(columns).set_index(CANDIDATE)
        return self._frame

    def _take(self, connection: Connection, query: Select[Any]) -> None:
        for row in connection.execute(query):
            values = dict(row._mapping)  # noqa: SLF001 - public by documentation
            self._known[tuple(values[name] for name in self._key)] = values


def _version(connection: Connection) -> tuple[int, int] | None:
    """Changes whenever another connection has written to an SQLite database; None for other databases."""
    if connection.dialect.name != "sqlite":
        return None
    version = connection.exec_driver_sql("PRAGMA data_version").scalar_one()
    return id(connection.connection.dbapi_connection), int(version)


def exists(place: str | Path | None) -> bool:
    """Whether a store may already exist: a file that exists, or a database server."""
    return place is not None and ("://" in str(place) or Path(place).is_file())


def _file_of(place: str | Path | None) -> Path | None:
    return None if place is None or "://" in str(place) else Path(place)


def _engine(place: str | Path | None) -> Engine:
    if place is None:
        return create_engine("sqlite://", poolclass=StaticPool)
    if "://" in str(place):
        return create_engine(str(place))
    path = Path(place)
    if not path.parent.is_dir():
        raise InputError(f"The folder '{path.parent}' of the store '{path}' does not exist. Create it first.")
    return create_engine(f"sqlite:///{path}")


def _plain(values: Mapping[Any, Any]) -> dict[str, Any]:
    """Values in a form that JSON reproduces exactly; NaN is left out."""
    plain = {str(name): value.item() if hasattr(value, "item") else value for name, value in values.items()}
    return {name: value for name, value in plain.items() if not (isinstance(value, float) and not math.isfinite(value))}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
