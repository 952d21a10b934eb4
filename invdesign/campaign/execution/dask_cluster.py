"""Workers of a Dask cluster (www.dask.org): processes on this machine, or those of a scheduler that runs elsewhere."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

from invdesign.campaign.execution.remote import RemotePool, missing, settle
from invdesign.campaign.execution.workers import WorkerDied
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings

P = ParamSpec("P")
T = TypeVar("T")
CONNECT_SECONDS = 30.0
MOST_AT_ONCE = 100
"""Results that are fetched together."""
AHEAD = 4
"""Calls per worker that the cluster holds at once; a killed worker loses results that were not collected yet."""


@settings
class DaskCluster:
    """Worker processes of Dask. One that dies loses its calls, which other workers repeat.

    Raises:
        InputError: if not exactly one of ``workers`` and ``address`` is given.
    """

    workers: int | None = bounded(default=None, ge=1)
    """Number of worker processes that are started on this machine."""
    address: str | None = None
    """Address of a running scheduler instead, such as ``tcp://10.0.0.1:8786``."""

    def __post_init__(self) -> None:
        if (self.workers is None) == (self.address is None):
            raise InputError("An executor of type dask needs either 'workers' or 'address' (tcp://HOST:PORT).")

    @property
    def requests(self) -> tuple[str, ...]:
        return () if self.address is None else (f"sends calls to the Dask scheduler '{self.address}'",)

    def started(self, name: str) -> AbstractContextManager[Executor]:
        return self._connected()

    @contextmanager
    def _connected(self) -> Iterator[Executor]:
        try:
            from distributed import Client, LocalCluster
        except ImportError:
            raise missing("distributed", "An executor of type dask") from None
        if self.address is None:
            with (
                LocalCluster(n_workers=self.workers, threads_per_worker=1, dashboard_address=None) as cluster,
                Client(cluster) as client,
                DaskPool(client) as pool,
            ):
                yield pool
            return
        try:
            client = Client(self.address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise InputError(f"The Dask scheduler '{self.address}' cannot be reached: {error}") from None
        with client, DaskPool(client) as pool:
            yield pool


class DaskPool(RemotePool):
    """A Dask client as an executor of ``concurrent.futures``.

    Args:
        client: of ``distributed``, connected.

    Raises:
        InputError: if the cluster has no workers.
    """

    def __init__(self, client: Any) -> None:
        threads = client.nthreads()
        if not threads:
            raise InputError("The Dask cluster has no workers. Start some with: dask worker ADDRESS")
        super().__init__(sum(threads.values()))
        self.client = client
        self._waiting: deque[tuple[Future[Any], Callable[[], Any]]] = deque()
        self._sent = 0
        self._done: SimpleQueue[tuple[Future[Any], Any] | None] = SimpleQueue()
        Thread(target=self._collect, name="invdesign-dask", daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        future = self.begin()
        with self._lock:
            self._waiting.append((future, functools.partial(self.client.submit, fn, *args, pure=False, **kwargs)))
        self._send()
        return future

    def _send(self) -> None:
        """Sends waiting calls, as many as the cluster should hold."""
        while True:
            with self._lock:
                if not self._waiting or self._sent >= AHEAD * self.workers:
                    return
                future, send = self._waiting.popleft()
                if not future.set_running_or_notify_cancel():
                    continue
                self._sent += 1
            send().add_done_callback(functools.partial(self._ended_call, future))

    def _ended_call(self, future: Future[Any], ended: Any) -> None:
        self._done.put((future, ended))

    def _collect(self) -> None:
        """Fetches results, all that have ended at once: one by one, the way to the workers takes longer than calls."""
        while (first := self._done.get()) is not None:
            batch = [first]
            while not self._done.empty() and len(batch) < MOST_AT_ONCE:
                following = self._done.get()
                if following is None:
                    self._done.put(None)
                    break
                batch.append(following)
            fetched = self._fetched([ended for _, ended in batch])
            for place, (future, ended) in enumerate(batch):
                one_by_one = fetched is None or ended.status != "finished"
                settle(
                    future, functools.partial(_result, ended) if one_by_one else functools.partial(_at, fetched, place)
                )
                ended.release()  # the worker need not keep the result
            with self._lock:
                self._sent -= len(batch)
            self._send()

    def _fetched(self, ended: list[Any]) -> list[Any] | None:
        """The values of calls, None for those that failed; None if they have to be fetched one by one."""
        good = [one for one in ended if one.status == "finished"]
        try:
            values = dict(zip([one.key for one in good], self.client.gather(good), strict=True))
        except Exception:  # noqa: BLE001 - a worker was lost meanwhile: each call then gives its own result or error
            return None
        return [values.get(one.key) for one in ended]

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``concurrent.futures.Executor.shutdown``."""
        left = self.end(cancel=cancel_futures)
        if wait:
            futures.wait(left)
            self._done.put(None)

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Waits for all calls; if an exception such as Ctrl-C leaves the block, cancels them instead."""
        self.shutdown(wait=error is None, cancel_futures=error is not None)
        self._done.put(None)


def _at(values: list[Any] | None, place: int) -> Any:
    return (values or [])[place]


def _result(ended: Any) -> Any:
    """The result of a call that has ended; WorkerDied if every worker that tried it was lost."""
    from distributed import KilledWorker

    try:
        return ended.result(timeout=CONNECT_SECONDS)
    except KilledWorker as error:
        raise WorkerDied(" ".join(str(error).split())) from None
