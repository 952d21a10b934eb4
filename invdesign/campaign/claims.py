"""Claims: which worker evaluates which candidate of a campaign, and which workers are alive."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from invdesign.campaign import database, schema
from invdesign.campaign.workers import LABORATORY, Worker, dead_here

SEARCH_STAGE = ""
"""Stage of the claims of the search; a verifying stage has its name."""
PROPOSING = "(proposing)"
"""Stage of the claim that a process holds while it proposes."""
NOBODY = ""
"""Holder of candidates whose worker left in order, but that earlier workers died with."""
MOST_DEATHS = 2
"""After so many deaths of its process a candidate has failed."""


@dataclass(frozen=True)
class Choice:
    """What a worker may claim.

    Attributes:
        chosen: the candidates to claim, in their order.
        lost: candidates with which too many processes died.
        held: those of ``chosen`` that a dead worker, or nobody, still holds.
        deaths: how many holders of each candidate died with it, where any did.
    """

    chosen: list[int]
    lost: list[int]
    held: list[int]
    deaths: Mapping[int, int]


class Claims:
    """The workers and claims of one campaign; every method runs in a transaction of its caller.

    Args:
        campaign: the campaign's name.
    """

    def __init__(self, campaign: str) -> None:
        self._campaign = campaign
        claims = schema.claims.c
        of_stage = (claims.campaign == campaign) & (claims.stage == bindparam("of_stage"))
        self._of_stage = select(claims.candidate, claims.worker, claims.deaths).where(of_stage)
        self._free = delete(schema.claims).where(of_stage & (claims.candidate == bindparam("number")))

    def register(self, connection: Connection, worker: Worker) -> None:
        """Registers a worker."""
        expires = database.clock(connection) + worker.lease
        row = {"worker": worker.name, "host": worker.host, "pid": worker.pid, "started": worker.started}
        connection.execute(insert(schema.workers).values(campaign=self._campaign, expires=expires, **row))

    def renew(self, connection: Connection, worker: Worker) -> None:
        """Renews the lease of a worker."""
        expires = database.clock(connection) + worker.lease
        mine = schema.workers.c.worker == worker.name
        connection.execute(update(schema.workers).where(mine).values(expires=expires))

    def leave(self, connection: Connection, worker: Worker) -> None:
        """Removes a worker; its unfinished candidates belong to nobody."""
        mine = schema.claims.c.worker == worker.name
        connection.execute(update(schema.claims).where(mine & (schema.claims.c.deaths > 0)).values(worker=NOBODY))
        connection.execute(delete(schema.claims).where(mine))
        connection.execute(delete(schema.workers).where(schema.workers.c.worker == worker.name))

    def alive(self, connection: Connection) -> list[str]:
        """Registered workers whose lease is valid and whose process is not known to be dead."""
        now = database.clock(connection)
        rows = connection.execute(select(schema.workers).where(schema.workers.c.campaign == self._campaign))
        return [row.worker for row in rows if row.expires > now and not dead_here(row.host, row.pid, row.started)]

    def holders(self, connection: Connection, stage: str) -> dict[int, str]:
        """The living holder of each claimed candidate; claims of dead workers are ignored."""
        held, living = self._held(connection, stage)
        return {number: worker for number, (worker, _) in held.items() if worker in living}

    def choice(
        self,
        connection: Connection,
        stage: str,
        wanted: Sequence[int],
        worker: Worker,
        most: int | None,
        *,
        blame: bool = True,
    ) -> Choice:
        """What a worker may claim of the candidates that nobody else holds; see ``Store.claim``.

        Args:
            connection: of the transaction.
            stage: a verifying stage; the search if empty.
            wanted: numbers of candidates.
            worker: that will evaluate them.
            most: largest number; all if None.
            blame: whether the death of a worker counts as that of each candidate that it held.
        """
        held, living = self._held(connection, stage)
        free = [number for number in wanted if number not in held or held[number][0] not in living - {worker.name}]
        deaths: dict[int, int] = {}
        if stage != PROPOSING:
            for number in set(free).intersection(held):
                holder, before = held[number]
                deaths[number] = before + (blame and holder not in living and holder != NOBODY)
        lost = [number for number in free if deaths.get(number, 0) >= MOST_DEATHS]
        left = [number for number in free if deaths.get(number, 0) < MOST_DEATHS]
        chosen = [number for number in left if deaths.get(number)][:1] or left[:most]
        return Choice(chosen, lost, [number for number in chosen if number in held], deaths)

    def take(
        self,
        connection: Connection,
        stage: str,
        numbers: Sequence[int],
        worker: str,
        deaths: Mapping[int, int] = MappingProxyType({}),
    ) -> None:
        """Claims candidates for a worker, with the number of earlier holders that died with each."""
        if numbers:
            claim = {"campaign": self._campaign, "stage": stage, "worker": worker}
            rows = [{**claim, "candidate": number, "deaths": deaths.get(number, 0)} for number in numbers]
            connection.execute(insert(schema.claims), rows)

    def release(self, connection: Connection, stage: str, numbers: Sequence[int]) -> None:
        """Removes the claims of candidates, whoever holds them."""
        connection.execute(self._free, [{"of_stage": stage, "number": number} for number in numbers])

    def _held(self, connection: Connection, stage: str) -> tuple[dict[int, tuple[str, int]], set[str]]:
        """The holder of each claimed candidate with the number of earlier deaths, and the living workers."""
        rows = connection.execute(self._of_stage, {"of_stage": stage}).all()
        living = {LABORATORY, *self.alive(connection)} if rows else set()
        return {number: (worker, deaths or 0) for number, worker, deaths in rows}, living
