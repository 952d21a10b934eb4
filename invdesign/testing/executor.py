"""The contract of an executor, as a test that any ``concurrent.futures`` executor can run."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, as_completed
from typing import Any

import numpy as np
import pandas as pd

from invdesign.campaign.execution.executor import evaluate_all
from invdesign.objectives.python import PythonObjective

LIMIT = 120.0
"""Seconds after which a call counts as lost."""


def check_executor(executor: Executor, *, own_functions: bool = True) -> None:
    """Checks that campaigns can evaluate by an executor; raises AssertionError with what it does not keep.

    Each future gives the result of its own call in whatever order calls end; an exception comes back as what it was and
    ends nothing else; arguments and frames arrive unchanged; a call that was cancelled never gives a result; an
    objective with functions of the user's own script arrives; and after ``shutdown`` all calls are done and no further
    one is taken. The executor is shut down.

    Args:
        executor: with its workers.
        own_functions: False for an executor that pickles functions by their names alone, such as
            ProcessPoolExecutor: campaigns can then use it for objectives without functions of a script or notebook.
    """
    _check_results(executor)
    _check_exceptions(executor)
    _check_frames(executor)
    if own_functions:
        _check_objectives(executor)
    _check_cancelling(executor)
    _check_shutdown(executor)


def _result(future: Future[Any], what: str) -> Any:
    try:
        return future.result(timeout=LIMIT)
    except TimeoutError:
        raise AssertionError(f"{what} gave no result within {LIMIT:g} s.") from None


def _submitted(executor: Executor, function: Callable[..., Any], *args: Any, **settings: Any) -> Future[Any]:
    future: Any = executor.submit(function, *args, **settings)
    assert isinstance(future, Future), (
        f"submit returns a concurrent.futures.Future, not {type(future).__name__}: campaigns wait for several at once."
    )
    return future


def slow_square(number: int, seconds: float) -> int:
    """Returns the square of a number after a while."""
    time.sleep(seconds)
    return number * number


def failing(message: str) -> None:
    """Raises ValueError."""
    raise ValueError(message)


def doubled(frame: pd.DataFrame, *, factor: int = 1) -> pd.DataFrame:
    """Returns a frame times two times a factor."""
    return frame * (2 * factor)


def _check_results(executor: Executor) -> None:
    """The first calls take longest, so that with several workers they end last."""
    count = 6
    futures = {_submitted(executor, slow_square, n, 0.02 * (count - n)): n for n in range(count)}
    ended = list(as_completed(futures, timeout=LIMIT))
    assert len(ended) == count, f"Of {count} calls {len(ended)} ended."
    for future, number in futures.items():
        found = _result(future, "A call")
        assert found == number * number, f"The call for {number} gave {found} instead of {number * number}."
    assert list(executor.map(abs, [-3, 2, -1])) == [3, 2, 1], "map gives results in the order of its arguments."


def _check_exceptions(executor: Executor) -> None:
    bad, good = _submitted(executor, failing, "on purpose"), _submitted(executor, slow_square, 3, 0.0)
    try:
        error = bad.exception(timeout=LIMIT)
    except TimeoutError:
        raise AssertionError(f"A call that raises gave nothing within {LIMIT:g} s.") from None
    assert type(error) is ValueError, f"A call raised ValueError, but its future has {type(error).__name__}."
    assert str(error) == "on purpose", f"The exception's message became {str(error)!r}."
    assert _result(good, "A call beside one that raises") == 9, "An exception spoiled the call beside it."


def _check_frames(executor: Executor) -> None:
    frame = pd.DataFrame({"x": np.arange(5.0)}, index=[3, 1, 4, 15, 9])
    found = _result(_submitted(executor, doubled, frame, factor=3), "A call with a frame")
    assert isinstance(found, pd.DataFrame), f"A frame came back as {type(found).__name__}."
    assert found.equals(frame * 6), "A frame came back as another one."
    assert frame["x"].tolist() == [0.0, 1.0, 2.0, 3.0, 4.0], "The caller's frame was changed."


def _check_objectives(executor: Executor) -> None:
    offset = 0.5

    def own(x: float) -> dict[str, float]:
        if x > 3:
            raise ValueError("too large")
        return {"f": x + offset}

    objective = PythonObjective(own, {"f": "V"})
    rows = pd.DataFrame({"x": [1.0, 2.0, 4.0, 3.0]}, index=[5, 2, 7, 1])
    try:
        found = pd.concat([result.values for result in evaluate_all(objective, rows, executor)])
    except Exception as error:
        raise AssertionError(
            f"An objective with a function of the user's own cannot be evaluated: {type(error).__name__}: {error}. The "
            "executor has to pickle calls by cloudpickle; where it does not, pass own_functions=False."
        ) from error
    assert sorted(found.index) == sorted(rows.index), f"Candidates {list(rows.index)} came back as {list(found.index)}."
    values = found.loc[rows.index, "f"].tolist()
    assert np.allclose(values, [1.5, 2.5, np.nan, 3.5], equal_nan=True), f"The objective's values became {values}."
    assert found.loc[7, "reason"] == "ValueError: too large", "The reason of a candidate that failed was lost."


def _check_cancelling(executor: Executor) -> None:
    """Whether a call can still be cancelled depends on the workers; that it is then cancelled does not."""
    futures = [_submitted(executor, slow_square, number, 0.02) for number in range(8)]
    cancelled = [future.cancel() for future in reversed(futures)][::-1]
    for number, (future, was) in enumerate(zip(futures, cancelled, strict=True)):
        assert future.cancelled() == was, "cancel says something else than cancelled."
        try:
            found = _result(future, "A call that was not cancelled")
        except CancelledError:
            assert was, "A call that was not cancelled was lost."
        else:
            assert not was, "A call that was cancelled gave a result."
            assert found == number * number, "A call beside cancelled ones gave a wrong result."
    assert _result(_submitted(executor, slow_square, 5, 0.0), "A call after cancelled ones") == 25


def _check_shutdown(executor: Executor) -> None:
    last = [_submitted(executor, slow_square, number, 0.02) for number in range(4)]
    executor.shutdown(wait=True)
    assert all(future.done() for future in last), "shutdown(wait=True) returned before all calls were done."
    found = [_result(future, "A call before shutdown") for future in last]
    assert found == [0, 1, 4, 9], f"Calls before shutdown gave {found} instead of [0, 1, 4, 9]."
    try:
        executor.submit(slow_square, 1, 0.0)
    except RuntimeError:
        return
    raise AssertionError("After shutdown submit raises RuntimeError, as the executors of concurrent.futures do.")
