"""What the executors of clusters share: results as futures of ``concurrent.futures``, and a lost worker as one word."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from threading import RLock
from typing import Any

from invdesign.core.errors import InputError

EXTRA = "pip install 'invdesign[cluster]'"


class RemotePool(Executor):
    """An executor whose calls are pickled and run elsewhere.

    Args:
        workers: about how many calls run at the same time.
    """

    pickles = True

    def __init__(self, workers: int) -> None:
        self.workers = workers
        self._lock = RLock()
        self._ended = False
        self._open: set[Future[Any]] = set()

    def begin(self) -> Future[Any]:
        """A new future of a call; RuntimeError after shutdown."""
        with self._lock:
            if self._ended:
                raise RuntimeError("cannot schedule new futures after shutdown")
            future: Future[Any] = Future()
            self._open.add(future)
        future.add_done_callback(self._closed)
        return future

    def end(self, *, cancel: bool) -> list[Future[Any]]:
        """Takes no further calls; the futures that are still open, cancelled on request."""
        with self._lock:
            self._ended = True
            left = list(self._open)
        for future in left if cancel else ():
            future.cancel()
        return [future for future in left if not future.done()]

    def _closed(self, future: Future[Any]) -> None:
        with self._lock:
            self._open.discard(future)


def settle(future: Future[Any], result: Callable[[], Any]) -> None:
    """Gives a future the result of its call, or its exception.

    Args:
        future: of the call; nothing happens if it was cancelled.
        result: returns the result or raises.
    """
    if future.cancelled():
        return
    try:
        value = result()
    except BaseException as error:  # noqa: BLE001 - whatever the call raised belongs to its future
        future.set_exception(error)
    else:
        future.set_result(value)


def missing(package: str, what: str) -> InputError:
    """The error for an extra that is not installed."""
    return InputError(f"{what} needs the package '{package}', which is not installed. Install it with: {EXTRA}")
