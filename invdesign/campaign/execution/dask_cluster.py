"""Workers of a Dask cluster (www.dask.org): processes on this machine, or those of a scheduler that runs elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent import futures
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec, TypeVar

from invdesign.campaign.execution.remote import RemotePool, missing, settle
from invdesign.campaign.execution.workers import WorkerDied
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings

P = ParamSpec("P")
T = TypeVar("T")
CONNECT_SECONDS = 30.0


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

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        future = self.begin()
        remote = self.client.submit(fn, *args, pure=False, **kwargs)

        def done(ended: Any) -> None:
            if not future.cancelled() and future.set_running_or_notify_cancel():
                settle(future, lambda: _result(ended))
            ended.release()  # the worker need not keep the result

        future.add_done_callback(lambda ended: remote.cancel() if ended.cancelled() else None)
        remote.add_done_callback(done)
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``concurrent.futures.Executor.shutdown``."""
        left = self.end(cancel=cancel_futures)
        if wait:
            futures.wait(left)

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Waits for all calls; if an exception such as Ctrl-C leaves the block, cancels them instead."""
        self.shutdown(wait=error is None, cancel_futures=error is not None)


def _result(ended: Any) -> Any:
    """The result of a call that has ended; WorkerDied if every worker that tried it was lost."""
    from distributed import KilledWorker

    try:
        return ended.result(timeout=CONNECT_SECONDS)
    except KilledWorker as error:
        raise WorkerDied(" ".join(str(error).split())) from None
