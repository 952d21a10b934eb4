"""Evaluating candidates: in this process, or spread over any ``concurrent.futures`` executor."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import pandas as pd

from objectives.base import REASON, Objective, failed
from surrogates.errors import InputError

P = ParamSpec("P")
T = TypeVar("T")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMEXPR_NUM_THREADS")


@dataclass(frozen=True)
class Result:
    """What one call of an objective gave.

    Attributes:
        values: as ``Objective.evaluate`` returns it, indexed by candidate number.
        seconds: how long the call took.
    """

    values: pd.DataFrame
    seconds: float


def evaluate(objective: Objective, candidates: pd.DataFrame) -> Result:
    """Calls an objective; whatever it raises becomes the reason of its candidates.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
    """
    start = time.perf_counter()
    try:
        values = objective.evaluate(candidates)
        missing = [name for name in (*objective.properties, REASON) if name not in values]
        if missing or not values.index.equals(candidates.index):
            what = f"without '{missing[0]}'" if missing else "with other rows than it was given"
            values = failed(candidates.index, objective.properties, f"the objective answered {what}")
    except Exception as error:  # noqa: BLE001 - foreign code: its failure is a record, not the end of the campaign
        values = failed(candidates.index, objective.properties, f"{type(error).__name__}: {error}")
    return Result(values, time.perf_counter() - start)


def evaluate_all(objective: Objective, candidates: pd.DataFrame, executor: Executor | None) -> Iterator[Result]:
    """Evaluates candidates call by call and gives each result as soon as it is there.

    Args:
        objective: the source of values.
        candidates: one row each, indexed by candidate number.
        executor: where calls run; None for this process, one after the other.
    """
    size = objective.rows_per_call or max(1, -(-len(candidates) // _workers(executor)))
    chunks = [candidates.iloc[start : start + size] for start in range(0, len(candidates), size)]
    if executor is None:
        for chunk in chunks:
            yield evaluate(objective, chunk)
        return
    broken: list[pd.DataFrame] = []
    futures: dict[Future[Result], pd.DataFrame] = {}
    try:
        for chunk in chunks:
            futures[executor.submit(evaluate, objective, chunk)] = chunk
        for future in as_completed(futures):
            try:
                yield future.result()
            except BrokenProcessPool:
                broken.append(futures[future])
    finally:
        for future in futures:
            future.cancel()
    # A worker that dies takes its neighbours' work along: each is tried once more alone, so that only the guilty fails.
    for chunk in broken:
        yield _alone(objective, chunk, executor)


def _alone(objective: Objective, chunk: pd.DataFrame, executor: Executor) -> Result:
    try:
        return executor.submit(evaluate, objective, chunk).result()
    except BrokenProcessPool:
        return Result(failed(chunk.index, objective.properties, "its worker process died"), 0.0)


class WorkerPool(Executor):
    """Worker processes for simulations, one numerical thread each; a pool that broke is replaced by a fresh one.

    Args:
        workers: how many processes.

    Raises:
        InputError: where fewer than one worker is asked for.
    """

    def __init__(self, workers: int) -> None:
        if workers < 1:
            raise InputError(f"At least one worker is needed, not {workers}.")
        self.workers = workers
        self._pool = self._fresh()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        try:
            return self._pool.submit(fn, *args, **kwargs)
        except BrokenProcessPool:
            self._pool = self._fresh()
            return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``concurrent.futures.Executor.shutdown``."""
        self._pool.shutdown(wait=wait, cancel_futures=cancel_futures)

    def _fresh(self) -> ProcessPoolExecutor:
        # Spawned, not forked: torch and the solvers do not survive a fork with threads running.
        context = multiprocessing.get_context("spawn")
        return ProcessPoolExecutor(self.workers, mp_context=context, initializer=_begin_worker)


def _begin_worker() -> None:
    # Ctrl-C reaches the whole group of processes: the campaign answers it, its workers end their call in peace.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for variable in THREAD_VARIABLES:
        os.environ[variable] = "1"


def _workers(executor: Executor | None) -> int:
    return int(getattr(executor, "workers", 1))
