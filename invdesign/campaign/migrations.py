"""Migrations: the format of a store has a number, and older stores are converted to the current format when opened.

A migration is a function of an open connection that converts one format to the next, within one transaction.
The position in ``MIGRATIONS`` is its number; a released migration never changes.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, delete, insert, inspect, select, text

from invdesign.core.errors import InputError

_number = Table("store_format", MetaData(), Column("version", Integer, primary_key=True))


def _identity_by_settings(connection: Connection) -> None:
    """From format 0, which had no number and stored a campaign's optimizer and space as Python's repr.

    These texts change with every new setting. They are rewritten when the campaign is opened; until then
    spaces are compared by the names of their parameters.
    """
    connection.execute(text("DELETE FROM facts WHERE name IN ('space', 'optimizer')"))


MIGRATIONS: Sequence[Callable[[Connection], None]] = (_identity_by_settings,)
"""The function at index n converts format n to format n + 1."""
VERSION = len(MIGRATIONS)
"""The current format."""


def bring_up_to_date(engine: Engine, file: Path | None) -> None:
    """Writes the format of a new store, and migrates an older one after copying its file.

    Args:
        engine: of the store.
        file: of an SQLite store; None if there is none.

    Raises:
        InputError: if the store was written by a later invdesign.
    """
    with engine.connect() as connection:
        found = version_of(connection)
    if found == VERSION:
        return
    if found is not None and found > VERSION:
        raise InputError(
            f"The store '{file or engine.url.render_as_string()}' has format {found}, written by a newer "
            f"version of invdesign; "
            f"this version reads formats up to {VERSION}. Upgrade invdesign (pip install --upgrade invdesign)."
        )
    if found is not None and file is not None:
        shutil.copy2(file, file.with_name(f"{file.name}.format-{found}"))
    with engine.begin() as connection:
        for migration in MIGRATIONS[VERSION if found is None else found :]:
            migration(connection)
        _number.create(connection, checkfirst=True)
        connection.execute(delete(_number))
        connection.execute(insert(_number).values(version=VERSION))


def version_of(connection: Connection) -> int | None:
    """The format of a store: 0 if it has no number, None if the store is empty."""
    tables = inspect(connection).get_table_names()
    if _number.name in tables:
        return int(connection.execute(select(_number.c.version)).scalar_one())
    return 0 if "evaluations" in tables else None
