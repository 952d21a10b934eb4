"""Opens the database of a store, and words what can go wrong with it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    MultipleResultsFound,
    NoResultFound,
    NoSuchModuleError,
    OperationalError,
)
from sqlalchemy.pool import StaticPool

from invdesign.core.errors import InputError

SECONDS_TO_WAIT = 60
"""Time to wait for another process that is writing; transactions are short, because nobody proposes within one."""
SECONDS_BETWEEN_TRIES = 0.02
SETUP_LOCK = 7_411_001
"""Key of PostgreSQL's advisory lock for the creation and migration of tables."""

FULL = ("disk is full", "disk i/o error", "no space left", "could not extend", "disk full")
DAMAGED = ("malformed", "not a database", "could not decode", "corrupt", "invalid page", "datatype mismatch")
READ_ONLY = ("readonly", "read-only", "unable to open database file", "permission denied", "access permission")
LOCKED = ("locked", "lock timeout", "busy")


class DamagedStoreError(InputError):
    """A store whose content was altered or cut off."""


class UnavailableStoreError(InputError):
    """A database that cannot be used now: full, read-only, locked or unreachable."""


def file_of(place: str | Path | None) -> Path | None:
    """The file of an SQLite store; None for a database server and for memory."""
    return None if place is None or "://" in str(place) else Path(place)


def opened(place: str | Path | None) -> Engine:
    """The engine of a store's database; an existing file is checked for damage.

    Raises:
        InputError: if the folder does not exist, the URL is invalid, or the file is damaged.
    """
    if place is None:
        engine = create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        event.listen(engine, "connect", _sqlite_connected)
        event.listen(engine, "begin", _sqlite_begun)
        return engine
    file = file_of(place)
    if file is None:
        return _server(str(place))
    if not file.parent.is_dir():
        raise InputError(f"The folder '{file.parent}' of the store '{file}' does not exist. Create it first.")
    engine = create_engine(f"sqlite:///{file}", connect_args={"timeout": SECONDS_TO_WAIT})
    try:
        existed = file.is_file() and file.stat().st_size > 0
    except OSError as error:
        raise UnavailableStoreError(
            f"'{file}' cannot be used as a store: {error.strerror}. Nothing was changed. Make the file and its folder "
            "readable and writable."
        ) from None
    event.listen(engine, "connect", _sqlite_connected)
    event.listen(engine, "begin", _sqlite_begun)
    if existed:
        with worded(str(file)), engine.connect() as connection:
            found = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar_one()
        if found != "ok":
            raise damaged(str(file), str(found))
    return engine


def log_ahead(engine: Engine, place: str) -> None:
    """Lets readers and the writer of an SQLite file work at the same time; the file keeps this mode.

    Raises:
        UnavailableStoreError: if another process holds the file for longer than ``SECONDS_TO_WAIT``.
    """
    if engine.dialect.name != "sqlite":
        return
    with worded(place), engine.connect() as connection:
        connection.exec_driver_sql("ROLLBACK")  # the mode cannot change within a transaction
        patience = time.monotonic() + SECONDS_TO_WAIT
        while not _switched(connection, last_try=time.monotonic() > patience):
            time.sleep(SECONDS_BETWEEN_TRIES)
        connection.exec_driver_sql("BEGIN")


def _switched(connection: Connection, *, last_try: bool) -> bool:
    try:
        connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    except OperationalError as error:
        # SQLite waits for other processes at every statement but this one: two that open a new file would wait for
        # each other.
        if last_try or "locked" not in str(error.orig):
            raise
        return False
    return True


def _server(url: str) -> Engine:
    try:
        engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
    except (ArgumentError, NoSuchModuleError, ModuleNotFoundError) as error:
        raise InputError(
            f"'{url}' cannot be used as a store: {error}. Use a file, or a URL such as "
            "postgresql://user@host/database after: pip install 'invdesign[postgresql]'."
        ) from None
    return engine


def _sqlite_connected(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin as _sqlite_begun says, not as the driver guesses


def _sqlite_begun(connection: Connection) -> None:
    options = connection.get_execution_options()
    if not options.get("writing", False):
        connection.exec_driver_sql("BEGIN")
        return
    # Waiting for the disk takes most of a short transaction's time.
    connection.exec_driver_sql(f"PRAGMA synchronous = {'FULL' if options['durable'] else 'NORMAL'}")
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def reader(engine: Engine) -> Engine:
    """The engine for reading: all statements of a transaction see the database at one moment, as on SQLite."""
    return engine.execution_options(isolation_level="REPEATABLE READ") if engine.name == "postgresql" else engine


@contextmanager
def writing(engine: Engine, place: str, *, durable: bool = True) -> Iterator[Connection]:
    """A transaction that may write; on SQLite it excludes other writers from its start.

    Args:
        engine: of the store.
        place: of the store, for messages.
        durable: whether it must survive a power failure of an SQLite file's machine.
    """
    with (
        worded(place),
        engine.connect().execution_options(writing=True, durable=durable) as connection,
        connection.begin(),
    ):
        yield connection


def lock_setup(connection: Connection) -> None:
    """Lets only one process at a time create or migrate tables, until its transaction ends."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": SETUP_LOCK})


def clock(connection: Connection) -> float:
    """Seconds of the clock that all processes of a store share: the server's, or this machine's."""
    if connection.dialect.name == "postgresql":
        return float(connection.execute(text("SELECT extract(epoch FROM clock_timestamp())")).scalar_one())
    return float(connection.execute(text("SELECT (julianday('now') - 2440587.5) * 86400.0")).scalar_one())


def copied(file: Path, copy: Path) -> None:
    """Copies an SQLite database, including what is not yet written back from its log."""
    with closing(sqlite3.connect(file)) as source, closing(sqlite3.connect(copy)) as target:
        source.backup(target)


@contextmanager
def worded(place: str) -> Iterator[None]:
    """Raises errors of the database as messages that say what is safe and what to do.

    Raises:
        InputError: for every error of the database.
    """
    try:
        yield
    except (UnicodeDecodeError, NoResultFound, MultipleResultsFound) as error:
        raise damaged(place, str(error)) from None
    except (DBAPIError, sqlite3.Error) as error:
        cause = str(error.orig if isinstance(error, DBAPIError) else error).strip().rstrip(".")
        known = cause.lower()
        if any(word in known for word in DAMAGED):
            raise damaged(place, cause) from None
        if any(word in known for word in FULL):
            raise UnavailableStoreError(
                f"The store '{place}' could not be written: {cause}. All results that were stored before are safe. "
                "Free space on its disk, then run the same command again."
            ) from None
        if any(word in known for word in READ_ONLY):
            raise UnavailableStoreError(
                f"'{place}' cannot be used as a store: {cause}. Nothing was changed. Make the file and its folder "
                "writable, or copy the store to a folder that is."
            ) from None
        if any(word in known for word in LOCKED):
            raise UnavailableStoreError(
                f"The store '{place}' was locked by another process for more than {SECONDS_TO_WAIT} s: {cause}. All "
                "results that were stored before are safe. End that process, then run the same command again."
            ) from None
        raise UnavailableStoreError(f"'{place}' cannot be used as a store: {cause}.") from None


def damaged(place: str, what: str) -> DamagedStoreError:
    """The error for an altered or truncated store."""
    recovery = "" if "://" in place else "; to save what can still be read, use: sqlite3 FILE .recover"
    return DamagedStoreError(
        f"'{place}' cannot be used as a store: its content is damaged ({what}). Nothing was changed. Restore it from a "
        f"backup{recovery}"
    )
