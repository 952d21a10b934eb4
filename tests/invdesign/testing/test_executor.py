"""Executors that campaigns can use keep to the contract, and the contract finds those that do not."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor

import pytest

from invdesign.campaign import WorkerPool
from invdesign.testing import check_executor


@pytest.mark.parametrize("workers", [1, 2])
def test_our_worker_pool_keeps_to_the_contract(workers):
    check_executor(WorkerPool(workers))


def test_threads_keep_to_the_contract():
    check_executor(ThreadPoolExecutor(2))


def test_processes_of_the_standard_library_cannot_take_functions_of_a_script():
    spawn = multiprocessing.get_context("spawn")
    with pytest.raises(AssertionError, match="cloudpickle; where it does not, pass own_functions=False"):
        check_executor(ProcessPoolExecutor(1, mp_context=spawn))
    check_executor(ProcessPoolExecutor(1, mp_context=spawn), own_functions=False)


def test_dask_keeps_to_the_contract():
    distributed = pytest.importorskip("distributed")
    local = {"n_workers": 1, "threads_per_worker": 2, "processes": False, "dashboard_address": None}
    with distributed.LocalCluster(**local) as cluster, distributed.Client(cluster) as client:
        check_executor(client.get_executor())


class Immediate(Executor):
    """Calls at once, in this process; what is wrong with it is said by a word."""

    def __init__(self, wrong: str = "") -> None:
        self.wrong = wrong
        self.ended = False

    def submit(self, fn, /, *args, **settings):
        if self.ended and self.wrong != "goes on":
            raise RuntimeError("cannot schedule new futures after shutdown")
        future: Future = Future()
        try:
            future.set_result(fn(*args, **settings))
        except ValueError as error:
            future.set_exception(RuntimeError(str(error)) if self.wrong == "exception" else error)
        if self.wrong == "swapped" and fn.__name__ == "slow_square" and args[0] == 3:
            future = Future()
            future.set_result(16)
        return (future,) if self.wrong == "no future" else future

    def shutdown(self, wait=True, *, cancel_futures=False):
        self.ended = True


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ("no future", "submit returns a concurrent.futures.Future, not tuple"),
        ("swapped", "The call for 3 gave 16 instead of 9"),
        ("exception", "raised ValueError, but its future has RuntimeError"),
        ("goes on", "After shutdown submit raises RuntimeError"),
    ],
)
def test_what_an_executor_does_not_keep_is_named(wrong, words):
    check_executor(Immediate())
    with pytest.raises(AssertionError, match=words):
        check_executor(Immediate(wrong))
