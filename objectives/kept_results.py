"""Results of dear calculations, kept on disk by what they are of: a failure is kept like a value."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import Any

from invdesign.core.disk_cache import cache_folder
from invdesign.objectives.failures import CandidateFailure, PassingFailure

REASON = "reason"


@dataclass(frozen=True)
class KeptResults:
    """A table of results in the cache folder.

    Attributes:
        file: of the database.
        table: its only table.
        key: names of the columns that tell what a result is of; texts.
    """

    file: str
    table: str
    key: tuple[str, ...]

    def result(self, key: tuple[str, ...], compute: Callable[[], dict[str, Any]]) -> dict[str, Any]:
        """Returns a result from disk, or computes it and writes it there.

        Args:
            key: what the result is of.
            compute: gives the result, as what JSON can hold.

        Raises:
            CandidateFailure: where it fails, or failed before; a PassingFailure is not kept.
        """
        wanted = " AND ".join(f"{name} = ?" for name in self.key)
        with self._open() as cache:
            query = f"SELECT result FROM {self.table} WHERE {wanted}"  # noqa: S608 - our own names
            row = cache.execute(query, key).fetchone()
        result: dict[str, Any]
        if row is not None:
            result = json.loads(row[0])
        else:
            try:
                result = compute()
            except PassingFailure:
                raise
            except CandidateFailure as failure:
                result = {REASON: str(failure)}
            places = ", ".join("?" * (len(self.key) + 1))
            with self._open() as cache:
                command = f"INSERT OR REPLACE INTO {self.table} VALUES ({places})"  # noqa: S608 - our own names
                cache.execute(command, (*key, json.dumps(result)))
                cache.commit()
        if REASON in result:
            raise CandidateFailure(result[REASON])
        return result

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        columns = ", ".join(f"{name} TEXT" for name in (*self.key, "result"))
        with closing(sqlite3.connect(cache_folder() / self.file, timeout=60)) as connection:
            # Waiting for the disk would take a twentieth of a small molecule's time; what a power cut costs is
            # recomputed.
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute(
                f"CREATE TABLE IF NOT EXISTS {self.table} ({columns}, PRIMARY KEY ({', '.join(self.key)}))"
            )
            yield connection
