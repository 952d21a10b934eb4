"""Runs a user's program: stores its output, limits its time, ends its child processes."""

from __future__ import annotations

import contextlib
import json
import os
import resource
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from invdesign.core.memory import written

LAST_WORDS = 200
"""Characters of the program's error output that a reason quotes."""


def run(
    words: Sequence[str], folder: Path, *, time_limit: float | None, memory: int | None = None, shell: bool
) -> str | None:
    """Runs a program in a folder and waits for it.

    Args:
        words: the program and its arguments; one text if ``shell``.
        folder: working directory, where its output and exit status are stored.
        time_limit: seconds; None for no limit.
        memory: bytes that each of its processes may use; None for no limit.
        shell: whether ``/bin/sh`` runs the text.

    Returns:
        None if the program ended with exit code 0, or why its results are invalid.
    """
    start = time.monotonic()
    code: int | None
    reason: str | None
    with (folder / "stdout.txt").open("wb") as out, (folder / "stderr.txt").open("wb") as err:
        try:
            process = subprocess.Popen(  # noqa: S603 - running the user's program is the purpose; no shell by default
                ["/bin/sh", "-c", words[0]] if shell else list(words),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                process_group=0,  # in the session of the worker that calls it, with which it ends
            )
        except (OSError, ValueError) as error:
            code, reason = None, f"the program cannot start: {error}"
        else:
            if memory is not None:
                with contextlib.suppress(ProcessLookupError):  # it has ended already
                    resource.prlimit(process.pid, resource.RLIMIT_DATA, (memory, memory))
            code = _waited(process, time_limit)
            reason = _reason(code, folder, time_limit)
            if reason is not None and memory is not None and code is not None:
                reason += f" (its memory was limited to {written(memory)})"
    ended = {"exit_code": code, "seconds": round(time.monotonic() - start, 3), "reason": reason}
    (folder / "ended.json").write_text(json.dumps(ended, indent=2) + "\n", encoding="utf-8")
    return reason


def _waited(process: subprocess.Popen[bytes], time_limit: float | None) -> int | None:
    """The exit code; None after the time limit. The process group is ended unless the program ends normally."""
    try:
        return process.wait(timeout=time_limit)
    except subprocess.TimeoutExpired:
        return None
    finally:
        if process.returncode is None:
            # The program has its own process group, so that its child processes are ended too.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _reason(code: int | None, folder: Path, time_limit: float | None) -> str | None:
    if code == 0:
        return None
    if code is None:
        return f"the program exceeded its time limit of {time_limit:g} s"
    if code < 0:
        return f"the program was killed by {_signal_name(-code)}"
    errors = (folder / "stderr.txt").read_bytes()[-4 * LAST_WORDS :].decode("utf-8", errors="replace").strip()
    last = f": {errors[-LAST_WORDS:].splitlines()[-1].strip()}" if errors else ""
    return f"the program ended with exit code {code}{last}"


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
