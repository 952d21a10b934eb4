"""Ends processes with the process that they work for, even if that one is killed or they hang."""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import time
from pathlib import Path

PATIENCE = 3.0
"""Seconds that a session has to end itself before it is killed."""
PASSES = 5
"""Number of times that a session's processes are listed at most."""


def end_with(process: int) -> None:
    """Kills the session of this process soon after another process has ended.

    A guard process waits for that, because this process may hold Python's lock in a step that never ends. It is
    not a child of this one, so that nobody waits for it. Needs Linux; does nothing elsewhere.

    Args:
        process: number of the process to watch.
    """
    if not hasattr(os, "pidfd_open"):
        return
    session = os.getsid(0)
    between = os.fork()
    if between:
        os.waitpid(between, 0)
    elif os.fork():
        os._exit(0)
    else:
        _watch(process, session)


def _watch(process: int, session: int) -> None:
    try:
        watched = os.pidfd_open(process)
        # Nothing of the guarded process stays open here: its pipe must break when it dies.
        os.closerange(0, watched)
        os.closerange(watched + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
        select.select([watched], [], [])
        time.sleep(PATIENCE)
    except OSError:
        pass  # it has ended already
    finally:
        kill_session(session)
        os._exit(0)


def kill_session(session: int) -> None:
    """Kills every process of a session but this one: those of all its process groups, if the system shows them.

    Args:
        session: number of its first process, which may have ended.
    """
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if session != os.getsid(0):
            os.killpg(session, signal.SIGKILL)
    for _ in range(PASSES):  # a process may fork while the others are listed
        members = [process for process in _members(session) if process != os.getpid()]
        if not members:
            return
        for process in members:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)


def _members(session: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            # The name of the program, in parentheses, may hold blanks.
            state, _, _, mine = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[:4]
            if int(mine) == session and state not in "ZX":
                found.append(int(stat.parent.name))
    return found
