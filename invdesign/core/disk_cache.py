"""Results of expensive calculations, cached on disk by their inputs; failures are cached like values.

The ``diskcache`` package is not used: it pickles everything but text and numbers, and unpickling a file that somebody
else may have written runs their code. Here values are JSON, or arrays in numpy's own format without pickles.
"""

from __future__ import annotations

import io
import json
import os
import sqlite3
import warnings
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from invdesign.core.failures import CandidateFailure, TransientFailure

if TYPE_CHECKING:
    from numpy.typing import NDArray

Value = TypeVar("Value", bound="dict[str, Any] | NDArray[Any]")
Result = TypeVar("Result")

SECONDS_TO_WAIT = 60.0
"""Time to wait for another process that is writing."""
JSON, ARRAY, FAILURE = "json", "array", "failure"


def cache_folder() -> Path:
    """The folder given by ``INVDESIGN_CACHE``, or one in the user's cache; created if missing."""
    folder = Path(os.environ.get("INVDESIGN_CACHE", Path.home() / ".cache" / "invdesign"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@dataclass(frozen=True)
class DiskCache:
    """Results in one SQLite file of the cache folder, which several processes may use at the same time.

    A file that is damaged is set aside with a warning, and a cache that cannot be read or written (a full disk, a
    folder without permission, another process that does not finish) is passed over with a warning: either costs the
    time of calculating again, and never a result.

    Attributes:
        name: of the file, without its ending ``.db``.
    """

    name: str

    @property
    def path(self) -> Path:
        """The file."""
        return cache_folder() / f"{self.name}.db"

    def result(self, key: tuple[str, ...], compute: Callable[[], Value]) -> Value:
        """Returns a result from disk, or computes and stores it.

        Args:
            key: all that the result depends on: the input, the method, its version and settings.
            compute: returns the result: a JSON-compatible dict, or a numeric array.

        Raises:
            CandidateFailure: if ``compute`` raises it, now or when the result was first asked for. A
                TransientFailure is not cached.
        """
        text = json.dumps(key)
        found = self._read(text)
        if found is None:
            try:
                value = compute()
            except TransientFailure:
                raise
            except CandidateFailure as failure:
                self._write(text, FAILURE, str(failure).encode())
                raise
            self._write(text, *_encoded(value))
            return value
        kind, data = found
        if kind == FAILURE:
            raise CandidateFailure(data.decode())
        return _decoded(kind, data)

    def _read(self, key: str) -> tuple[str, bytes] | None:
        """The cached value of a key; None if there is none that can be decoded."""

        def read(connection: sqlite3.Connection) -> tuple[str, bytes] | None:
            found: tuple[str, bytes] | None
            found = connection.execute("SELECT kind, value FROM results WHERE key = ?", (key,)).fetchone()
            if found is not None and not _is_sound(*found):
                raise sqlite3.DatabaseError(f"the result of {key} cannot be decoded")
            return found

        return self._with_connection(read)

    def _write(self, key: str, kind: str, value: bytes) -> None:
        def write(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", (key, kind, value))
            connection.commit()

        self._with_connection(write)

    def _with_connection(self, action: Callable[[sqlite3.Connection], Result]) -> Result | None:
        """The result of an action on the database; None, with a warning, if the file cannot be used."""
        damaged: int | None = None
        try:
            path = self.path
            damaged = _identity(path)
            with closing(sqlite3.connect(path, timeout=SECONDS_TO_WAIT)) as connection:
                # Waiting for the disk would take 5 % of a small molecule's time; what is lost in a power cut is
                # recomputed.
                connection.execute("PRAGMA synchronous = OFF")
                connection.execute(
                    "CREATE TABLE IF NOT EXISTS results (key TEXT PRIMARY KEY, kind TEXT NOT NULL, value BLOB NOT NULL)"
                )
                return action(connection)
        except (sqlite3.OperationalError, OSError) as error:
            warnings.warn(
                f"The cache '{self.name}.db' cannot be used: {error}. Results are calculated without a "
                f"cache. Check the "
                "permissions and the free space of its folder, or set INVDESIGN_CACHE to another folder.",
                stacklevel=4,
            )
        except sqlite3.DatabaseError as error:
            aside = _set_aside(path, damaged)
            warnings.warn(
                f"The cache '{path}' is damaged: {error}. It was renamed to '{aside.name}', and its results are "
                "calculated again. Delete that file if you do not need it.",
                stacklevel=4,
            )
        return None


def _encoded(value: dict[str, Any] | NDArray[Any]) -> tuple[str, bytes]:
    if isinstance(value, np.ndarray):
        buffer = io.BytesIO()
        np.save(buffer, value, allow_pickle=False)
        return ARRAY, buffer.getvalue()
    return JSON, json.dumps(value).encode()


def _decoded(kind: str, data: bytes) -> Any:
    return np.load(io.BytesIO(data), allow_pickle=False) if kind == ARRAY else json.loads(data)


def _is_sound(kind: Any, data: Any) -> bool:
    """Whether a row of the table can be decoded: the database stays readable even if a value is damaged."""
    if kind not in (JSON, ARRAY, FAILURE) or not isinstance(data, bytes):
        return False
    try:
        if kind == FAILURE:
            data.decode()
        else:
            _decoded(kind, data)
    except (ValueError, EOFError):  # includes what JSON and UTF-8 do not allow
        return False
    return True


def _identity(path: Path) -> int | None:
    return path.stat().st_ino if path.exists() else None


def _set_aside(path: Path, damaged: int | None) -> Path:
    """Renames a damaged file and its journal, unless another process has already done so."""
    aside = path.with_name(f"{path.name}.damaged-{damaged}")
    if _identity(path) == damaged:
        journal = path.with_name(f"{path.name}-journal")
        if journal.exists():
            journal.replace(aside.with_name(f"{aside.name}-journal"))
        path.replace(aside)
    return aside
