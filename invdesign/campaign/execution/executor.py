"""Evaluates candidates in this process, or on any ``concurrent.futures`` executor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache
from pathlib import Path
from queue import LifoQueue
from typing import Any, ParamSpec, TypeVar

import pandas as pd

from invdesign.campaign.execution.workers import Kept, Worker, WorkerDied, WorkerOverran, task_of
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective, failed
from invdesign.objectives.evaluation import Result, evaluate
from invdesign.objectives.limits import seconds_allowed

__all__ = ["Result", "WorkerPool", "evaluate", "evaluate_all"]

P = ParamSpec("P")
T = TypeVar("T")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def evaluate_all(objective: Objective, candidates: pd.DataFrame, executor: Executor | None) -> Iterator[Result]:
    """Evaluates candidates call by call and yields each result as soon as it is available.

    A call that takes longer than its objective allows (see ``limits``) is ended if a WorkerPool runs it, and a
    call whose process dies is repeated row by row, so that only the rows that cause it fail.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
        executor: where calls run; None for one after the other in this process, or, if a call may have to be ended, in
            a worker process that is reused.
    """
    size = objective.rows_per_call or max(1, -(-len(candidates) // _workers(executor)))
    chunks = [candidates.iloc[start : start + size] for start in range(0, len(candidates), size)]
    if executor is not None:
        yield from _spread(objective, chunks, executor)
    elif seconds_allowed(objective, size) is not None:
        yield from _one_by_one(objective, chunks)
    else:
        for chunk in chunks:
            yield evaluate(objective, chunk)


def _spread(objective: Objective, chunks: Sequence[pd.DataFrame], executor: Executor) -> Iterator[Result]:
    kept = Kept(objective) if isinstance(executor, WorkerPool) else None

    def submitted(rows: pd.DataFrame) -> Future[Result]:
        if isinstance(executor, WorkerPool):
            return executor.submit_within(seconds_allowed(objective, len(rows)), evaluate, kept, rows)
        return executor.submit(evaluate, objective, rows)

    spoiled: list[tuple[pd.DataFrame, Exception]] = []
    futures: dict[Future[Result], pd.DataFrame] = {}
    try:
        for chunk in chunks:
            futures[submitted(chunk)] = chunk
        for future in as_completed(futures):
            chunk = futures[future]
            try:
                yield future.result()
            except (WorkerOverran, BrokenProcessPool) as error:
                if _ends_here(chunk, error):
                    yield _lost(objective, chunk, error)
                else:
                    spoiled.append((chunk, error))
    finally:
        for future in futures:
            future.cancel()
    for chunk, failure in spoiled:
        yield from _again(objective, chunk, failure, lambda row: submitted(row).result())


def _one_by_one(objective: Objective, chunks: Sequence[pd.DataFrame]) -> Iterator[Result]:
    # The user's own thread settings apply here: no other worker runs at the same time.
    environment = {**ONE_THREAD, **os.environ}
    worker = _lone_worker(tuple(sorted(environment.items())), str(Path.cwd()), tuple(sys.path))
    kept = Kept(objective)

    def called(rows: pd.DataFrame) -> Result:
        result: Result = worker.call(task_of(evaluate, kept, rows), seconds=seconds_allowed(objective, len(rows)))
        return result

    for chunk in chunks:
        try:
            yield called(chunk)
        except (WorkerOverran, WorkerDied) as error:
            yield from _again(objective, chunk, error, called)


def _again(
    objective: Objective, chunk: pd.DataFrame, error: Exception, call: Callable[[pd.DataFrame], Result]
) -> Iterator[Result]:
    """Repeats a failed call row by row."""
    if _ends_here(chunk, error):
        yield _lost(objective, chunk, error)
        return
    for row in (chunk.iloc[[place]] for place in range(len(chunk))):
        try:
            yield call(row)
        except (WorkerOverran, BrokenProcessPool) as failure:
            yield _lost(objective, row, failure)


def _ends_here(chunk: pd.DataFrame, error: Exception) -> bool:
    """Whether a failed call is not repeated: a single row that reached the time limit would reach it again."""
    return isinstance(error, WorkerOverran) and len(chunk) == 1


def _lost(objective: Objective, row: pd.DataFrame, error: Exception) -> Result:
    reason, seconds = "the worker process died", 0.0
    if isinstance(error, WorkerDied):
        reason = f"{reason}: {error}"
    elif isinstance(error, WorkerOverran):
        seconds = error.seconds
        reason = (
            f"the time limit was exceeded within a step that did not end: the worker was stopped after {seconds:.0f} s"
        )
    return Result(failed(row.index, objective.properties, reason), seconds)


class WorkerPool(Executor):
    """Worker processes for simulations, one numerical thread each; one that dies does not affect the others.

    Args:
        workers: maximum number of processes; each starts when it is first needed.

    Raises:
        InputError: if fewer than one worker is asked for.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise InputError(f"At least one worker is needed, not {workers}.")
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="invdesign-worker")
        self._idle: LifoQueue[Worker] = LifoQueue()  # the last one used first: it has its model loaded
        for _ in range(workers):
            self._idle.put(Worker({**os.environ, **ONE_THREAD}))

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        return self.submit_within(None, fn, *args, **kwargs)

    def submit_within(
        self, seconds: float | None, fn: Callable[..., T], /, *args: object, **kwargs: object
    ) -> Future[T]:
        """Submits a call with a time limit; its future raises WorkerOverran if the call is ended.

        Args:
            seconds: time limit from its start; None for no limit.
            fn: the function to call.
            args: its positional arguments.
            kwargs: its keyword arguments.
        """
        return self._threads.submit(self._call, task_of(fn, *args, **kwargs), seconds)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``concurrent.futures.Executor.shutdown``."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        while not self._idle.empty():
            self._idle.get().end()

    def _call(self, task: bytes, seconds: float | None) -> Any:
        worker = self._idle.get()  # never waits: there are as many workers as threads
        try:
            return worker.call(task, seconds=seconds)
        finally:
            self._idle.put(worker)


@lru_cache(maxsize=1)
def _lone_worker(environment: tuple[tuple[str, str], ...], *surroundings: object) -> Worker:
    """The worker of campaigns without an executor: one for this process, replaced if the environment changes."""
    return Worker(dict(environment))


def _workers(executor: Executor | None) -> int:
    return int(getattr(executor, "workers", 1))
