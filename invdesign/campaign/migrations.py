"""Migrations: the format of a store has a number, and older stores are converted to the current format when opened.

A migration is a function of an open connection that converts one format to the next, within one transaction.
The position in ``MIGRATIONS`` is its number; a released migration never changes.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, delete, insert, inspect, select, text

from invdesign.campaign import schema
from invdesign.campaign.database import copied, damaged, lock_setup, worded, writing
from invdesign.core.errors import InputError

_number = Table("store_format", MetaData(), Column("version", Integer, primary_key=True))


def _identity_by_settings(connection: Connection) -> None:
    """From format 0, which had no number and stored a campaign's optimizer and space as Python's repr.

    These texts change with every new setting. They are rewritten when the campaign is opened; until then
    spaces are compared by the names of their parameters.
    """
    connection.execute(text("DELETE FROM facts WHERE name IN ('space', 'optimizer')"))


def _checked_records(connection: Connection) -> None:
    """From format 1, whose records had no checksum and no revision; its candidates belonged to nobody."""
    old = {name: _taken(connection, name) for name in ("facts", "evaluations", "verifications")}
    for name in old:
        connection.execute(text(f"DROP TABLE {name}"))
    schema.metadata.create_all(connection)
    for name, records in old.items():
        table = schema.metadata.tables[name]
        new = [schema.sealed(table, {**record, "revision": 1}) for record in records]
        if new:
            columns = [column.name for column in table.columns if column.name in new[0]]
            places = ", ".join(f":{column}" for column in columns)
            # As text, because the times of day are strings in one database and objects in another.
            connection.execute(text(f"INSERT INTO {name} ({', '.join(columns)}) VALUES ({places})"), new)  # noqa: S608
    names = {record["campaign"] for records in old.values() for record in records}
    for campaign in sorted(names):
        proposals = sum(record["campaign"] == campaign for record in old["evaluations"])
        connection.execute(insert(schema.campaigns).values(campaign=campaign, revision=1, proposals=proposals))


def _taken(connection: Connection, name: str) -> list[dict[str, Any]]:
    texts = ("parameters", "properties", "value")
    rows = [dict(row) for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()]  # noqa: S608
    for row in rows:
        for column in texts:
            if row.get(column) is not None and not isinstance(row[column], str):
                row[column] = json.dumps(row[column])
            if row.get(column) == "null":
                row[column] = None
    return rows


def _counted_deaths(connection: Connection) -> None:
    """From format 2, which did not count the processes that died with a candidate."""
    if "deaths" not in [column["name"] for column in inspect(connection).get_columns("claims")]:
        connection.execute(text("ALTER TABLE claims ADD COLUMN deaths INTEGER"))


def _laboratory_tables(connection: Connection) -> None:
    """From format 3, which had neither measurements nor a log; the evaluations of a laboratory are single ones."""
    schema.metadata.create_all(connection)


MIGRATIONS: Sequence[Callable[[Connection], None]] = (
    _identity_by_settings,
    _checked_records,
    _counted_deaths,
    _laboratory_tables,
)
"""The function at index n converts format n to format n + 1."""
VERSION = len(MIGRATIONS)
"""The current format."""


def bring_up_to_date(engine: Engine, place: str, file: Path | None) -> None:
    """Creates the tables of a new store, and migrates an older one after copying its file, in one transaction.

    Args:
        engine: of the store.
        place: of the store, for messages.
        file: of an SQLite store; None if there is none.

    Raises:
        InputError: if the store was written by a later invdesign.
    """
    with worded(place), engine.connect() as connection:
        if version_of(connection, place) == VERSION:
            return
    with writing(engine, place) as connection:
        lock_setup(connection)
        found = version_of(connection, place)
        if found == VERSION:
            return  # another process was faster
        if found is not None and file is not None:
            copied(file, file.with_name(f"{file.name}.format-{found}"))
        for migration in MIGRATIONS[VERSION if found is None else found :]:
            migration(connection)
        schema.metadata.create_all(connection)
        _number.create(connection, checkfirst=True)
        connection.execute(delete(_number))
        connection.execute(insert(_number).values(version=VERSION))


def version_of(connection: Connection, place: str) -> int | None:
    """The format of a store: 0 if it has no number, None if the store is empty.

    Raises:
        InputError: if it is later than the current one.
    """
    tables = inspect(connection).get_table_names()
    if _number.name not in tables:
        return 0 if "evaluations" in tables else None
    found = connection.execute(select(_number.c.version)).scalar_one()
    if not isinstance(found, int) or found < 0:
        raise damaged(place, f"its format is {found!r}")
    if found > VERSION:
        raise InputError(
            f"The store '{place}' has format {found}, written by a newer version of invdesign; "
            f"this version reads formats up to {VERSION}. Upgrade invdesign (pip install --upgrade invdesign)."
        )
    return found
