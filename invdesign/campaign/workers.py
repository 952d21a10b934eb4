"""Who works on a campaign: processes with a lease, which others may take over from when it has expired."""

from __future__ import annotations

import os
import platform
import threading
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from invdesign.campaign.store import Store

LEASE = 60.0
"""Default length of a lease in seconds: how long the candidates of a process that may be dead are kept for it."""
LABORATORY = "laboratory"
"""Holder of the candidates that ``ask`` gave out; its claims never expire."""
RENEWALS = 4
"""How often a lease is renewed during its length."""


@dataclass(frozen=True)
class Worker:
    """A process that evaluates candidates of a campaign.

    Attributes:
        name: unique among all workers.
        host: the machine's name.
        pid: the process's number on its machine.
        started: when it started, as the machine counts; empty if unknown. A number alone is used again.
        lease: length of its lease in seconds.
    """

    name: str
    host: str
    pid: int
    started: str
    lease: float

    @classmethod
    def this_process(cls, lease: float = LEASE) -> Worker:
        """A worker of this process.

        Raises:
            InputError: if the lease is shorter than a second.
        """
        if not lease >= 1.0:
            raise InputError(f"A lease must be at least 1 s, not {lease:g}.")
        pid = os.getpid()
        return cls(uuid.uuid4().hex, platform.node(), pid, started(pid) or "", lease)


@contextmanager
def working(store: Store, worker: Worker, *, wait: bool = False) -> Iterator[Worker]:
    """Registers a worker for the time of the block and renews its lease in the background.

    The store in memory belongs to one process, so nothing is renewed there.

    Args:
        store: of the campaign.
        worker: to register.
        wait: whether to wait until no other worker is registered.
    """
    store.register(worker, alone=wait)
    ended = threading.Event()
    thread = threading.Thread(target=_renew, args=(store, worker, ended), name="invdesign-lease", daemon=True)
    try:
        if store.shared:
            thread.start()
        yield worker
    finally:
        ended.set()
        if store.shared:
            thread.join()
        store.leave(worker)


def dead_here(host: str, pid: int, start: str) -> bool:
    """Whether a process is known to be dead: it ran on this machine, and its number is free or used by another."""
    if host != platform.node():
        return False
    found = started(pid)
    return found is None or bool(start and found and found != start)


def started(pid: int) -> str | None:
    """When a process of this machine started, in the machine's count; empty if unknown, None if it does not run."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").is_file():
        try:
            # The name of the program, in parentheses, may hold blanks.
            fields = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        except OSError:
            return None
        return None if fields[0] in "ZX" else fields[19]
    if os.name != "posix":
        return ""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return None
    except PermissionError:
        return ""
    return ""


def _renew(store: Store, worker: Worker, ended: threading.Event) -> None:
    while not ended.wait(worker.lease / RENEWALS):
        try:
            store.renew(worker)
        except InputError:
            continue  # a full or locked database may be usable again at the next renewal
