"""Workers of a Dask cluster (www.dask.org): processes on this machine, or those of a scheduler that runs elsewhere."""

from __future__ import annotations

import functools
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from queue import SimpleQueue
from threading import Thread
from typing import Any, ParamSpec, TypeVar

import cloudpickle

from invdesign.campaign.execution.remote import RemotePool, missing, settle
from invdesign.campaign.execution.workers import WorkerDied, task_of
from invdesign.core.errors import InputError
from invdesign.core.failures import reason_of
from invdesign.core.settings import bounded, settings

P = ParamSpec("P")
T = TypeVar("T")
CONNECT_SECONDS = 30.0
MOST_AT_ONCE = 100
"""Results that are fetched together."""
AHEAD = 4
"""Tasks per worker that the cluster holds at once; a killed worker loses results that were not collected yet."""
TASK_SECONDS = 0.25
"""Time of a task up to which short calls that wait are sent as one: the scheduler takes milliseconds for each task."""
LOADED_FIRST = "invdesign.campaign.execution.executor"
"""What a worker on this machine imports when it starts: it takes seconds, and the first calls would wait for it."""


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
                LocalCluster(
                    n_workers=self.workers, threads_per_worker=1, dashboard_address=":0", preload=[LOADED_FIRST]
                ) as cluster,
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
        self._waiting: deque[tuple[Future[Any], bytes]] = deque()
        self._sent = 0
        self._seconds = TASK_SECONDS
        self._done: SimpleQueue[tuple[list[Future[Any]], Any] | None] = SimpleQueue()
        Thread(target=self._collect, name="invdesign-dask", daemon=True).start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        call = task_of(fn, *args, **kwargs)
        future = self.begin()
        with self._lock:
            self._waiting.append((future, call))
        self._send()
        return future

    def _send(self) -> None:
        """Sends waiting calls, as many as the cluster should hold."""
        while True:
            with self._lock:
                if not self._waiting or self._sent >= AHEAD * self.workers:
                    return
                # Never so many that a worker has several calls to do while another one has none.
                most = min(TASK_SECONDS / self._seconds, len(self._waiting) / (AHEAD * self.workers))
                taken = [self._waiting.popleft() for _ in range(max(1, int(most)))]
                taken = [one for one in taken if one[0].set_running_or_notify_cancel()]
                if not taken:
                    continue
                self._sent += 1
            ended = self.client.submit(_together, [call for _, call in taken], pure=False)
            ended.add_done_callback(functools.partial(self._ended_task, [future for future, _ in taken]))

    def _ended_task(self, futures_: list[Future[Any]], ended: Any) -> None:
        self._done.put((futures_, ended))

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
            for place, (calls, ended) in enumerate(batch):
                one_by_one = fetched is None or ended.status != "finished"
                task = functools.partial(_result, ended) if one_by_one else functools.partial(_at, fetched, place)
                self._settle(calls, task)
                ended.release()  # the worker need not keep the result
            with self._lock:
                self._sent -= len(batch)
            self._send()

    def _settle(self, calls: list[Future[Any]], task: Callable[[], list[Outcome]]) -> None:
        """Gives each call of a task its result or its exception; all of them that of the task if it has none."""
        try:
            outcomes = task()
        except BaseException as error:  # noqa: BLE001 - whatever ended the task belongs to its calls
            outcomes = [Outcome(error=error)] * len(calls)
        for future, outcome in zip(calls, outcomes, strict=True):
            settle(future, outcome.result)
            if outcome.seconds is not None:  # a running mean, so that the first calls, which load libraries, fade
                self._seconds += 0.2 * (max(outcome.seconds, 1e-3) - self._seconds)

    def _fetched(self, ended: list[Any]) -> list[Any] | None:
        """The values of tasks, None for those that failed; None if they have to be fetched one by one."""
        good = [one for one in ended if one.status == "finished"]
        try:
            values = dict(zip([one.key for one in good], self.client.gather(good), strict=True))
        except Exception:  # noqa: BLE001 - a worker was lost meanwhile: each task then gives its own result or error
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


@dataclass(frozen=True)
class Outcome:
    """What a call gave: a value or an exception.

    Attributes:
        value: of the call.
        error: that it raised; None if it gave a value.
        seconds: that it took; None if it did not end.
    """

    value: Any = None
    error: BaseException | None = None
    seconds: float | None = None

    def result(self) -> Any:
        """Returns the value or raises the exception."""
        if self.error is not None:
            raise self.error
        return self.value


def _together(calls: list[bytes]) -> list[Outcome]:
    """Runs calls in a worker, one after the other."""
    return [_outcome(call) for call in calls]


def _outcome(call: bytes) -> Outcome:
    start = time.perf_counter()
    try:
        function, args, settings = cloudpickle.loads(call)
        return Outcome(function(*args, **settings), None, time.perf_counter() - start)
    except Exception as error:  # noqa: BLE001 - the call's own exception is its result
        return Outcome(None, _sendable(error), time.perf_counter() - start)


def _sendable(error: Exception) -> Exception:
    """An exception, or its text if it cannot be sent, which would cost the other calls of the task their results."""
    try:
        cloudpickle.loads(cloudpickle.dumps(error))
    except Exception:  # noqa: BLE001 - exceptions of third-party code may hold anything
        return RuntimeError(reason_of(error))
    return error


def _at(values: list[Any] | None, place: int) -> Any:
    return (values or [])[place]


def _result(ended: Any) -> Any:
    """The result of a call that has ended; WorkerDied if every worker that tried it was lost."""
    from distributed import KilledWorker

    try:
        return ended.result(timeout=CONNECT_SECONDS)
    except KilledWorker as error:
        raise WorkerDied(" ".join(str(error).split())) from None
