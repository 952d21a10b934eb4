"""A worker process that runs one call at a time and can be ended during a call.

``concurrent.futures`` cannot end a call that hangs, and a process that dies breaks the whole pool. Its processes also
run an unguarded main script again; these do not.
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
from io import TextIOWrapper
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from queue import SimpleQueue
from threading import Lock, Thread
from typing import Any, NoReturn

from invdesign.core.errors import InputError
from invdesign.core.guard import kill_session
from invdesign.core.memory import data_size, limited_memory
from invdesign.objectives.limits import Limits

BOOT = (
    "import json, sys; pipe, parent, sys.path[:], sys.argv[:] = json.loads(sys.argv[1]); "
    "from invdesign.core.guard import end_with; end_with(parent); "
    "from invdesign.campaign.execution.workers import serve; serve(pipe)"
)
"""Code of a worker's process: it has the import path and arguments of the process that sends the calls."""
START = 300.0
"""Seconds to start a process and import the modules of its call. It may take a minute on a busy disk."""
PATIENCE = 2.0
"""Seconds that a process has to end itself and its own child processes before it is killed."""
SWOLLEN = 0.5
"""Share of its memory limit that a process may keep after a call; above it, the next call gets a new process."""


NO_LIMITS = Limits()


class WorkerDied(BrokenProcessPool):
    """A worker's process ended during a call; the message says how."""


class WorkerOverran(Exception):  # noqa: N818 - not an error of the program: a result of the call
    """A call exceeded its time limit, and its process was ended.

    Attributes:
        seconds: the time limit.
    """

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.seconds = seconds


class Worker:
    """A process that runs one call at a time. It starts at the first call, and again after it has ended.

    Args:
        environment: its environment variables.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._running: _Running | None = None
        self._free = Lock()
        self._stopped = False

    def call(self, task: bytes, limits: Limits = NO_LIMITS) -> Any:
        """Runs a call and waits for its result; calls from several threads wait for each other.

        Args:
            task: from ``task_of``.
            limits: of time, from its start, and of the process's memory.

        Raises:
            WorkerOverran: if it exceeded the limit.
            WorkerDied: if the process ended before the call did.
            Exception: whatever the call raised.
        """
        with self._free:
            try:
                outcome = self._exchange(task, limits)
            except BaseException:  # including interrupts: the rest of the call is of no use
                self.end()
                raise
        if outcome.swollen:
            self.end()
        if outcome.error is not None:
            raise outcome.error
        return outcome.value

    def stop(self) -> None:
        """Ends the process for good, even during a call of another thread: that call and all later ones fail."""
        self._stopped = True
        self.end()

    def end(self) -> None:
        """Ends the process and its child processes; does nothing if there is none."""
        running, self._running = self._running, None
        if running is not None:
            running.end()

    def _exchange(self, task: bytes, limits: Limits) -> _Outcome:
        if self._running is not None and self._running.ended:  # between two calls
            self.end()
        running = self._running or _Running.started(self._environment)
        self._running = running
        if self._stopped:
            raise WorkerDied("it was stopped")
        running.send(pickle.dumps((task, limits.memory)))
        try:
            running.answer(START)
        except WorkerOverran:
            raise WorkerDied(f"it did not start within {START:g} s") from None
        outcome: _Outcome = running.answer(limits.seconds)
        return outcome


@dataclass(frozen=True)
class _Outcome:
    """The result or the exception of a call, and whether the process uses too much memory for another one."""

    value: Any = None
    error: Exception | None = None
    swollen: bool = False


class _Running:
    """A running process, and our end of the pipe to it."""

    def __init__(self, process: subprocess.Popen[bytes], pipe: Connection[Any, Any]) -> None:
        self._process = process
        self._pipe = pipe
        # A forked child of the worker may hold the other end of the pipe, so that its end shows nothing.
        self._death: list[int] = [os.pidfd_open(process.pid)] if hasattr(os, "pidfd_open") else []
        # At exit at the latest, but not when a forked child of this process exits.
        self.end: Callable[[], object] = weakref.finalize(self, _end, process, pipe, self._death, os.getpid())

    @classmethod
    def started(cls, environment: Mapping[str, str]) -> _Running:
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(  # noqa: S603 - our own interpreter and arguments
                [
                    sys.executable,
                    "-c",
                    BOOT,
                    json.dumps([theirs.fileno(), os.getpid(), [*map(str, sys.path)], sys.argv]),
                ],
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                # A session of its own: it can be ended with its children, and Ctrl-C reaches only the campaign.
                start_new_session=True,
            )
        return cls(process, ours)

    @property
    def ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self._process.poll() is not None

    def send(self, task: bytes) -> None:
        try:
            self._pipe.send_bytes(task)
        except OSError:
            raise self._died() from None

    def answer(self, seconds: float | None) -> Any:
        try:
            if not wait([self._pipe, *self._death], seconds):
                raise WorkerOverran(seconds or 0.0)
            if not self._pipe.poll(0):
                raise self._died()
            return self._pipe.recv()
        except (EOFError, OSError):
            raise self._died() from None

    def _died(self) -> WorkerDied:
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            return WorkerDied("its pipe was closed")
        return WorkerDied(_signal_name(-code) if code < 0 else f"exit code {code}")


class Kept:
    """A value that a worker caches: when it is sent again, the worker uses its own, with whatever it has loaded.

    Args:
        value: the object that a call in the worker receives instead of this.

    Raises:
        InputError: if it cannot be sent to another process, such as an open file.
    """

    def __init__(self, value: object) -> None:
        self._packed = _packed(value)

    def __reduce__(self) -> tuple[Callable[[bytes], Any], tuple[bytes]]:
        return _kept, (self._packed,)


def task_of(function: Callable[..., Any], *args: Any, **settings: Any) -> bytes:
    """Serializes a call for a worker, including functions of a script or notebook, which pickle does not.

    Raises:
        InputError: if part of it cannot be sent to another process, such as an open file.
    """
    return _packed((function, args, settings))


def serve(descriptor: int) -> NoReturn:
    """Runs calls until it is ended: the main function of a worker's process.

    Args:
        descriptor: of its end of the pipe.
    """
    signal.signal(signal.SIGTERM, _leave)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # what a function prints appears when it does
            stream.reconfigure(line_buffering=True)
    pipe: Connection[Any, Any] = Connection(descriptor)
    tasks: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_receive, args=(pipe, tasks), daemon=True).start()
    process = os.getpid()
    try:
        while True:
            outcome = _done(tasks.get(), pipe)
            if os.getpid() != process:  # a child that the call forked, and that returned
                os._exit(0)
            try:
                answer = _packed(outcome)
            except InputError as error:
                answer = _packed(_Outcome(error=error))
            pipe.send_bytes(answer)
    except _Leaving:
        sys.exit(128 + signal.SIGTERM)


def _done(task: bytes, pipe: Connection[Any, Any]) -> _Outcome:
    try:
        call, memory = pickle.loads(task)  # noqa: S301 - from the parent process, through its own pipe
        function, args, settings = pickle.loads(call)  # noqa: S301
    except Exception as error:  # noqa: BLE001 - an import may raise anything; the caller is informed
        pipe.send(None)
        return _Outcome(error=error)
    pipe.send(None)  # imports are done: the time limit starts here
    try:
        with limited_memory(memory):
            value = function(*args, **settings)
        return _Outcome(value, swollen=memory is not None and data_size() > SWOLLEN * memory)
    except Exception as error:  # noqa: BLE001 - third-party code; the caller is informed
        return _Outcome(error=error)


@lru_cache(maxsize=4)
def _kept(packed: bytes) -> Any:
    return pickle.loads(packed)  # noqa: S301 - a part of a task


def _packed(value: object) -> bytes:
    import cloudpickle

    try:
        return bytes(cloudpickle.dumps(value))
    except Exception as error:  # noqa: BLE001 - pickling third-party objects may raise anything
        raise InputError(
            f"An object cannot be sent to another process: {type(error).__name__}: {error}. It should consist of plain "
            "settings and numbers, and open its files and connections when it is called."
        ) from None


def _receive(pipe: Connection[Any, Any], tasks: SimpleQueue[bytes]) -> None:
    """Passes tasks on; ends this process if its parent has ended, even during a call."""
    try:
        while True:
            tasks.put(pipe.recv_bytes())
    except (EOFError, OSError):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(PATIENCE)
        kill_session(os.getsid(0))
        os.kill(os.getpid(), signal.SIGKILL)


class _Leaving(BaseException):
    """Ends a worker. Not SystemExit: that of an objective is a failure of its candidate."""


def _leave(number: int, frame: object) -> NoReturn:
    raise _Leaving  # not os._exit: the children of the call are ended on the way out


def _end(process: subprocess.Popen[bytes], pipe: Connection[Any, Any], death: list[int], owner: int) -> None:
    if os.getpid() != owner:
        return
    process.terminate()
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(PATIENCE)
    kill_session(process.pid)
    process.wait()
    pipe.close()
    for descriptor in death:
        os.close(descriptor)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
