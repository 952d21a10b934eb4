"""Evaluates candidates in this process, or on any ``concurrent.futures`` executor."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from functools import lru_cache
from itertools import chain
from pathlib import Path
from pickle import PicklingError
from queue import LifoQueue, SimpleQueue
from typing import Any, ParamSpec, Self, TypeVar

import pandas as pd

from invdesign.campaign.execution.workers import Kept, Worker, WorkerDied, WorkerOverran, task_of
from invdesign.core.errors import InputError
from invdesign.core.failures import reason_of
from invdesign.core.memory import written
from invdesign.objectives.base import Objective, failed
from invdesign.objectives.evaluation import Result, evaluate
from invdesign.objectives.limits import Limits, is_foreign, limits_of

__all__ = ["InFlight", "Result", "WorkerPool", "evaluate", "evaluate_all", "evaluate_together"]

P = ParamSpec("P")
T = TypeVar("T")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS"), "1")


def evaluate_all(objective: Objective, candidates: pd.DataFrame, executor: Executor | None) -> Iterator[Result]:
    """Evaluates candidates call by call and yields each result when it comes; see ``evaluate_together``."""
    return chain.from_iterable(evaluate_together(objective, candidates, executor))


def evaluate_together(
    objective: Objective, candidates: pd.DataFrame, executor: Executor | None
) -> Iterator[list[Result]]:
    """Evaluates candidates call by call and yields results as soon as they are available, all that are at once.

    A call that takes longer than its objective allows (see ``limits``) is ended if a WorkerPool runs it, and a
    call whose process dies is repeated row by row, so that only the rows that cause it fail. Code of the user runs in a
    worker process if it can be sent to one.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
        executor: where calls run; None for one after the other in this process, or, if a call may have to be ended or
            runs code of the user, in a worker process that is reused.
    """
    size = objective.rows_per_call or max(1, -(-len(candidates) // _workers(executor)))
    chunks = [candidates.iloc[start : start + size] for start in range(0, len(candidates), size)]
    if executor is not None:
        yield from _spread(objective, chunks, executor)
    elif is_foreign(objective) or limits_of(objective, size).any:
        for result in _one_by_one(objective, chunks):
            yield [result]
    else:
        for chunk in chunks:
            yield [evaluate(objective, chunk)]


class InFlight:
    """Calls of an objective that run at the same time, one candidate each; their results come as they are ready.

    A call whose process dies is repeated once. As a context, it cancels what still waits for a worker at its end.

    Args:
        objective: the source of values.
        executor: where the calls run.

    Raises:
        InputError: if the objective cannot be sent to another process.
    """

    def __init__(self, objective: Objective, executor: Executor) -> None:
        self._objective = objective
        self._submitted = _submitter(objective, executor)
        self._open: dict[Future[Result], pd.DataFrame] = {}
        self._repeated: set[Future[Result]] = set()
        self._ended: SimpleQueue[Future[Result]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        cancel(self._open)

    def __len__(self) -> int:
        return len(self._open)

    def __contains__(self, number: object) -> bool:
        return any(number in row.index for row in self._open.values())

    def submit(self, candidates: pd.DataFrame) -> None:
        """Submits a call for each candidate."""
        for place in range(len(candidates)):
            self._begin(candidates.iloc[[place]])

    def completed(self) -> list[Result]:
        """Waits for a call to end, and returns the results of all that have ended, in that order."""
        found = []
        for future in _taken(self._ended):
            row = self._open.pop(future)
            try:
                found.append(future.result())
            except (WorkerOverran, BrokenProcessPool) as error:
                if future in self._repeated or _ends_here(row, error):
                    found.append(_lost(self._objective, row, error))
                else:
                    self._repeated.add(self._begin(row))
        return found

    def _begin(self, row: pd.DataFrame) -> Future[Result]:
        future = self._submitted(row)
        self._open[future] = row
        future.add_done_callback(self._ended.put)
        return future


def cancel(futures: Iterable[Future[Any]]) -> None:
    """Cancels calls that have not begun, on executors that can."""
    for future in futures:
        if not future.done():
            with suppress(NotImplementedError):  # Parsl's
                future.cancel()


def _taken(ended: SimpleQueue[Future[Result]]) -> Iterator[Future[Result]]:
    """Waits for a call that has ended, and yields all that have."""
    yield ended.get()
    while not ended.empty():
        yield ended.get()


def _submitter(objective: Objective, executor: Executor) -> Callable[[pd.DataFrame], Future[Result]]:
    """A function that submits the evaluation of rows."""
    sent = sendable(objective, executor)

    def submitted(rows: pd.DataFrame) -> Future[Result]:
        if isinstance(executor, WorkerPool):
            return executor.submit_within(limits_of(objective, len(rows)), evaluate, sent, rows)
        # The executor of a cluster cannot end a call: its worker runs it in a process of its own where that is needed.
        return executor.submit(_evaluated_here if isinstance(sent, Kept) else evaluate, sent, rows)

    return submitted


def _spread(objective: Objective, chunks: Sequence[pd.DataFrame], executor: Executor) -> Iterator[list[Result]]:
    submitted = _submitter(objective, executor)
    spoiled: list[tuple[pd.DataFrame, Exception]] = []
    futures: dict[Future[Result], pd.DataFrame] = {}
    ended: SimpleQueue[Future[Result]] = SimpleQueue()
    try:
        for chunk in chunks:
            future = submitted(chunk)
            futures[future] = chunk
            future.add_done_callback(ended.put)
        left = len(futures)
        while left:
            found = []
            for future in _taken(ended):
                left -= 1
                chunk = futures[future]
                try:
                    found.append(future.result())
                except (WorkerOverran, BrokenProcessPool) as error:
                    if _ends_here(chunk, error):
                        found.append(_lost(objective, chunk, error))
                    else:
                        spoiled.append((chunk, error))
            if found:
                yield found
    finally:
        cancel(futures)
    for chunk, failure in spoiled:
        for result in _again(objective, chunk, failure, lambda row: submitted(row).result()):
            yield [result]


def sendable(value: Any, executor: Executor) -> Any:
    """A value as an argument of many calls: sent once per worker and kept there, if the executor pickles calls.

    Args:
        value: an objective, or whatever else all calls share.
        executor: where the calls run; its attribute ``pickles`` is true if arguments are pickled one by one.

    Raises:
        InputError: if it cannot be sent to another process.
    """
    return Kept(value) if getattr(executor, "pickles", False) else value


def _evaluated_here(objective: Objective, rows: pd.DataFrame) -> Result:
    """Evaluates rows in a worker of a cluster as a campaign without executor does."""
    results = list(evaluate_all(objective, rows, None))
    if len(results) == 1:
        return results[0]
    values = pd.concat([result.values for result in results]).loc[rows.index]
    return Result(values, sum(result.seconds for result in results))


def _one_by_one(objective: Objective, chunks: Sequence[pd.DataFrame]) -> Iterator[Result]:
    # The user's own thread settings apply here: no other worker runs at the same time.
    environment = {**ONE_THREAD, **os.environ}
    worker = _lone_worker(tuple(sorted(environment.items())), str(Path.cwd()), tuple(sys.path), os.getpid())
    kept = _sendable(objective)

    def called(rows: pd.DataFrame) -> Result:
        limits = limits_of(objective, len(rows))
        if kept is None:
            return evaluate(objective, rows)
        try:
            result: Result = worker.call(task_of(evaluate, kept, rows), limits)
        except (ImportError, AttributeError, PicklingError) as error:  # ``evaluate`` raises nothing itself
            if limits.any:
                raise InputError(
                    f"The objective cannot be loaded in a worker process, which its limits need: {reason_of(error)}. "
                    "Move its code to a file or a module that can be imported, or remove the limits."
                ) from None
            return evaluate(objective, rows)
        return result

    for chunk in chunks:
        try:
            yield called(chunk)
        except (WorkerOverran, WorkerDied) as error:
            yield from _again(objective, chunk, error, called)


def _sendable(objective: Objective) -> Kept | None:
    """The objective for a worker; None if it cannot be sent to one and has no limits that need it."""
    try:
        return Kept(objective)
    except InputError:
        if limits_of(objective, 1).any:
            raise
        return None


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
    memory = limits_of(objective, len(row)).memory
    if isinstance(error, WorkerDied):
        reason = f"{reason}: {error}{f' (its memory was limited to {written(memory)})' if memory else ''}"
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

    pickles = True

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise InputError(f"At least one worker is needed, not {workers}.")
        self.workers = workers
        self._threads = ThreadPoolExecutor(workers, thread_name_prefix="invdesign-worker")
        self._workers = tuple(Worker({**os.environ, **ONE_THREAD}) for _ in range(workers))
        self._idle: LifoQueue[Worker] = LifoQueue()  # the last one used first: it has its model loaded
        for worker in self._workers:
            self._idle.put(worker)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        return self.submit_within(Limits(), fn, *args, **kwargs)

    def submit_within(self, limits: Limits, fn: Callable[..., T], /, *args: object, **kwargs: object) -> Future[T]:
        """Submits a call with limits; its future raises WorkerOverran if the call is ended.

        Args:
            limits: of its time, from its start, and of its process's memory.
            fn: the function to call.
            args: its positional arguments.
            kwargs: its keyword arguments.
        """
        return self._threads.submit(self._call, task_of(fn, *args, **kwargs), limits)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``concurrent.futures.Executor.shutdown``."""
        self._threads.shutdown(wait=wait, cancel_futures=cancel_futures)
        while not self._idle.empty():
            self._idle.get().end()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Waits for all calls; if an exception such as Ctrl-C leaves the block, ends them instead."""
        if error is not None:
            self._threads.shutdown(wait=False, cancel_futures=True)
            for worker in self._workers:
                worker.stop()
        self.shutdown()

    def _call(self, task: bytes, limits: Limits) -> Any:
        worker = self._idle.get()  # never waits: there are as many workers as threads
        try:
            return worker.call(task, limits)
        finally:
            self._idle.put(worker)


@lru_cache(maxsize=1)
def _lone_worker(environment: tuple[tuple[str, str], ...], *surroundings: object) -> Worker:
    """The worker of campaigns without an executor: one for this process, replaced if the environment changes."""
    return Worker(dict(environment))


def _workers(executor: Executor | None) -> int:
    return int(getattr(executor, "workers", 1))
