"""The format of a store has a number; older stores are brought to today's format when they are opened.

A migration is a function of an open connection that turns the format before into the next one, within one transaction.
Their numbers are their places in ``MIGRATIONS``; none is ever changed once it is released.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy import Column, Connection, Engine, Integer, MetaData, Table, delete, insert, inspect, select, text

from invdesign.core.errors import InputError

_number = Table("store_format", MetaData(), Column("version", Integer, primary_key=True))


def _identity_by_settings(connection: Connection) -> None:
    """From format 0, which had no number: what a campaign is was noted as Python's text of its optimizer and space.

    These texts change with every new setting. They are dropped and noted anew when the campaign is opened; until then
    its parameters' names say whether a space is the same.
    """
    connection.execute(text("DELETE FROM facts WHERE name IN ('space', 'optimizer')"))


MIGRATIONS: Sequence[Callable[[Connection], None]] = (_identity_by_settings,)
"""The function at place n brings format n to format n + 1."""
VERSION = len(MIGRATIONS)
"""Today's format."""


def bring_up_to_date(engine: Engine, file: Path | None) -> None:
    """Notes the format of a new store, and migrates an older one; a copy of its file is kept beside it.

    Args:
        engine: of the store.
        file: of an SQLite store; None where there is none.

    Raises:
        InputError: where the store was written by a later invdesign.
    """
    with engine.connect() as connection:
        found = version_of(connection)
    if found == VERSION:
        return
    if found is not None and found > VERSION:
        raise InputError(
            f"The store '{file or engine.url.render_as_string()}' has format {found}, written by a later invdesign; "
            f"this one reads formats up to {VERSION}. Upgrade invdesign (pip install --upgrade invdesign)."
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
    """The format of a store: 0 where it is older than the numbers, None where nothing is there yet."""
    tables = inspect(connection).get_table_names()
    if _number.name in tables:
        return int(connection.execute(select(_number.c.version)).scalar_one())
    return 0 if "evaluations" in tables else None
