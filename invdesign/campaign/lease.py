"""A worker's lease: renewed while it works; when it has expired, others take over its candidates."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from invdesign.campaign.store import Store
from invdesign.campaign.workers import Worker
from invdesign.core.errors import InputError

RENEWALS = 4
"""How often a lease is renewed during its length."""


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


def _renew(store: Store, worker: Worker, ended: threading.Event) -> None:
    while not ended.wait(worker.lease / RENEWALS):
        try:
            store.renew(worker)
        except InputError:
            continue  # a full or locked database may be usable again at the next renewal
