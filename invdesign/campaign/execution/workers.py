"""A process of our own that does one call at a time, and that can be ended in the middle of it.

``concurrent.futures`` has no way to end a call that hangs, and a process that dies takes the whole pool along. Nor can
its processes be started by a script that does not guard its main part, for they run it again; these do not.
"""

from __future__ import annotations

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import time
import weakref
from collections.abc import Callable, Mapping
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import lru_cache
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NoReturn

from invdesign.core.errors import InputError

BOOT = (
    "import json, sys; pipe, sys.path[:], sys.argv[:] = json.loads(sys.argv[1]); "
    "from invdesign.campaign.execution.workers import serve; serve(pipe)"
)
"""What a worker's process runs: functions find what they would find in the process that sends them."""
START = 300.0
"""Seconds in which a process must have started and imported what its call needs. A busy disk takes a minute."""
PATIENCE = 2.0
"""Seconds that a process has to end in peace, and to end what it started, before it is killed."""


class WorkerDied(BrokenProcessPool):
    """A worker's process ended in the middle of a call; the message says how."""


class WorkerOverran(Exception):  # noqa: N818 - no fault of the program: a result of the call
    """A call took longer than it was allowed, and its process was ended.

    Attributes:
        seconds: that it was allowed.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Worker:
    """A process that does one call at a time. It starts at the first call, and anew after it has ended.

    Args:
        environment: its environment variables.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: _Running | None = None
        self._free = Lock()

    def call(self, task: bytes, *, seconds: float | None) -> Any:
        """Does a call and waits for what it returns; calls from several threads wait for each other.

        Args:
            task: from ``task_of``.
            seconds: that it may take, from when it has started; None for any time.

        Raises:
            WorkerOverran: where it took longer.
            WorkerDied: where the process ended before the call did.
            Exception: what the call itself raised.
        """
        with self._free:
            try:
                outcome = self._exchange(task, seconds)
            except BaseException:  # an interrupt too: whatever is still going on there is of no use to anybody
                self.end()
                raise
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def end(self) -> None:
        """Ends the process with all that it started; without effect where there is none."""
        if self._running is not None:
            self._running.end()
            self._running = None

    def _exchange(self, task: bytes, seconds: float | None) -> _Outcome:
        if self._running is None:
            self._running = _Running.started(self._environment)
        self._running.send(task)
        try:
            self._running.answer(START)
        except WorkerOverran:
            raise WorkerDied(f"it did not begin within {START:g} s") from None
        outcome: _Outcome = self._running.answer(seconds)
        return outcome


@dataclass(frozen=True)
class _Outcome:
    """What a call returned or raised."""

    value: Any = None
    error: Exception | None = None


class _Running:
    """A process that runs, and our end of the pipe to it."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: Connection[Any, Any]) -> None:
        self._process = process
        self._pipe = pipe
        self.end: Callable[[], object] = weakref.finalize(self, _end, process, pipe)  # at the latest when we exit

    @classmethod
    def started(cls, environment: Mapping[str, str]) -> _Running:
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and our own words
                [sys.executable, "-c", BOOT, json.dumps([theirs.fileno(), [*map(str, sys.path)], sys.argv])],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # A group of its own: it can be ended with all that it started, and Ctrl-C reaches the campaign alone.
                start_new_session=True,
            )
        return cls(process, ours)

    def send(self, task: bytes) -> None:
        try:
            self._pipe.send_bytes(task)
        except OSError:
            raise self._died() from None

    def answer(self, seconds: float | None) -> Any:
        try:
            if not self._pipe.poll(seconds):
                raise WorkerOverran(seconds or 0.0)
            return self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None

    def _died(self) -> WorkerDied:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return WorkerDied("its pipe is closed")
        return WorkerDied(_signal_name(-code) if code < 0 else f"exit code {code}")


class Kept:
    """Something that a worker keeps: sent again it is the one that is there, with all that it has loaded or fitted.

    Args:
        value: what a call in the worker gets in the place of this.

    Raises:
        InputError: where it cannot travel, such as an open file.
    """

    def __init__(self, value: object) -> None:
        self._packed = _packed(value)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        return _kept, (self._packed,)


def task_of(function: Callable[..., Any], *args: Any, **settings: Any) -> bytes:
    """Packs a call for a worker; functions of a script or a notebook too, which pickle would leave out.

    Raises:
        InputError: where something in it cannot travel, such as an open file.
    """
    return _packed((function, args, settings))


def serve(descriptor: int) -> NoReturn:
    """Does calls until it is ended: what a worker's process runs.

    Args:
        descriptor: of its end of the pipe.
    """
    signal.signal(signal.SIGTERM, _leave)
    pipe: Connection[Any, Any] = Connection(descriptor)
    tasks: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    while True:
        outcome = _done(tasks.get(), pipe)
        try:
            answer = _packed(outcome)
        except InputError as error:
            answer = _packed(_Outcome(error=error))
        pipe.send_bytes(answer)


def _done(task: bytes, pipe: Connection[Any, Any]) -> _Outcome:
    try:
        function, args, settings = pickle.loads(task)  # noqa: S301 - from the process that started us, by its own pipe
    except Exception as error:  # noqa: BLE001 - an import may raise anything; who called is told
        pipe.send(None)
        return _Outcome(error=error)
    pipe.send(None)  # imports are over: from here on the time counts
    try:
        return _Outcome(function(*args, **settings))
    except Exception as error:  # noqa: BLE001 - foreign code; who called is told
        return _Outcome(error=error)


@lru_cache(maxsize=4)
def _kept(packed: bytes) -> Any:
    return pickle.loads(packed)  # noqa: S301 - a part of a task


def _packed(value: object) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(value))
    except Exception as error:  # noqa: BLE001 - pickling foreign objects raises anything
        raise InputError(
            f"What is to travel between processes cannot: {type(error).__name__}: {error}. It should be made of plain "
            "settings and numbers, and open its files and connections where it is called."
        ) from None


def _receive(pipe: Connection[Any, Any], tasks: SimpleQueue[bytes]) -> None:
    """Hands tasks on; ends this process where the one that started it is gone, even in the middle of a call."""
    try:
        while True:
            tasks.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE)
        os.killpg(os.getpgrp(), signal.SIGKILL)


def _leave(number: int, frame: object) -> NoReturn:
    raise SystemExit(128 + number)  # and not at once: what the call has started is ended on the way out


def _end(process: subprocess.Popen[bytes], pipe: Connection[Any, Any]) -> None:
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    pipe.close()


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
