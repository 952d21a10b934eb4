"""The tables of a store, in its current format; ``migrations`` converts older ones."""

from __future__ import annotations

import hashlib
from typing import Any

from sqlalchemy import Column, DateTime, Float, Index, Integer, MetaData, String, Table, Text

CANDIDATE = "candidate"
PENDING, DONE, FAILED = "pending", "done", "failed"
STATES = (PENDING, DONE, FAILED)
WITHDRAWN = "withdrawn"
"""How the reason of a failed candidate begins that a laboratory gave back."""
REJECTED = "rejected"
"""How the reason of a failed candidate begins that a laboratory refused to make, or whose result it refused."""
INITIAL, LABORATORY = "initial", "laboratory"
"""Origins of candidates that were not chosen by an optimizer."""

metadata = MetaData()
campaigns = Table(
    "campaigns",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("proposals", Integer, nullable=False),
)
"""One row per campaign: writers lock it. Each write increases the revision and marks its rows with it."""
facts = Table(
    "facts",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("name", String(200), primary_key=True),
    Column("revision", Integer),
    Column("value", Text),
    Column("checksum", String(16)),
)
evaluations = Table(
    "evaluations",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer),
    Column("origin", String(100)),
    Column("parameters", Text),
    Column("state", String(10)),
    Column("properties", Text),
    Column("reason", Text),
    Column("seconds", Float),
    Column("objective", String(16)),
    Column("checksum", String(16)),
    Column("proposed_at", DateTime(timezone=True)),
    Column("finished_at", DateTime(timezone=True)),
    Index("evaluations_by_revision", "campaign", "revision"),
)
verifications = Table(
    "verifications",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("stage", String(200), primary_key=True),
    Column("revision", Integer),
    Column("properties", Text),
    Column("reason", Text),
    Column("seconds", Float),
    Column("checksum", String(16)),
    Column("finished_at", DateTime(timezone=True)),
    Index("verifications_by_revision", "campaign", "revision"),
)
claims = Table(
    "claims",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("stage", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("worker", String(40)),
    Column("deaths", Integer),
)
"""Who evaluates a pending candidate, or verifies one (the stage is empty for the search), and how many earlier holders
died with it; written before the evaluation starts."""
attempts = Table(
    "attempts",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("stage", String(200), primary_key=True),
    Column("attempt", Integer, primary_key=True, autoincrement=False),
    Column("reason", Text),
    Column("seconds", Float),
    Column("finished_at", DateTime(timezone=True)),
)
"""Earlier attempts at candidates that failed and were evaluated again."""
measurements = Table(
    "measurements",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("candidate", Integer, primary_key=True, autoincrement=False),
    Column("measurement", Integer, primary_key=True, autoincrement=False),
    Column("revision", Integer),
    Column("replicate", String(100)),
    Column("properties", Text),
    Column("reason", Text),
    Column("source", Text),
    Column("checksum", String(16)),
    Column("measured_at", DateTime(timezone=True)),
    Index("measurements_by_revision", "campaign", "revision"),
)
"""Every measurement that a laboratory gave; an evaluation holds the means of its candidate."""
log = Table(
    "log",
    metadata,
    Column("campaign", String(200), primary_key=True),
    Column("entry", Integer, primary_key=True, autoincrement=False),
    Column("action", String(20)),
    Column("candidates", Text),
    Column("detail", Text),
    Column("at", DateTime(timezone=True)),
)
"""What a laboratory did by hand, in order: proposals that it rejected, edited or pinned, values that it corrected."""
workers = Table(
    "workers",
    metadata,
    Column("worker", String(40), primary_key=True),
    Column("campaign", String(200)),
    Column("host", String(200)),
    Column("pid", Integer),
    Column("started", String(40)),
    Column("expires", Float),
)
"""Running processes; ``expires`` is in seconds of the database's clock."""

CHECKED = {
    table.name: [
        column
        for column in table.columns
        if column.name not in ("campaign", "checksum", "proposed_at", "finished_at", "measured_at")
    ]
    for table in (facts, evaluations, verifications, measurements)
}
"""The columns of each table that a record's checksum covers, in their order; times of day are not used anywhere."""


def checksum(values: tuple[Any, ...]) -> str:
    """The checksum of a record's values, in the order of ``CHECKED``: 64 bits of BLAKE2b."""
    return hashlib.blake2b(repr(values).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def sealed(table: Table, record: dict[str, Any]) -> dict[str, Any]:
    """A record with its checksum; columns that it leaves out are null."""
    covered = {column.name: record.get(column.name) for column in CHECKED[table.name]}
    return {**record, **covered, "checksum": checksum(tuple(covered.values()))}
