"""Ends processes with the process that they work for, even if that one is killed or they hang."""

from __future__ import annotations

import ctypes
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
PATIENCE = 3.0
"""Seconds that a process group has to end itself before it is killed."""


def end_with(process: int) -> None:
    """Kills the process group of this process soon after another process has ended.

    A guard process waits for that, because this process may hold Python's lock in a step that never ends. It is
    not a child of this one, so that nobody waits for it. Needs Linux; does nothing elsewhere.

    Args:
        process: number of the process to watch.
    """
    if not hasattr(os, "pidfd_open"):
        return
    group = os.getpgrp()
    between = os.fork()
    if between:
        os.waitpid(between, 0)
    elif os.fork():
        os._exit(0)
    else:
        _watch(process, group)


def _watch(process: int, group: int) -> None:
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
        os.killpg(group, signal.SIGKILL)
        os._exit(0)


def child_set_up(memory: int | None) -> Callable[[], None]:
    """A function for ``preexec_fn``: the child is killed with its parent, and its memory is limited (Linux).

    Args:
        memory: limit of its data in bytes; None for no limit.
    """
    call = ctypes.CDLL(None).prctl if sys.platform == "linux" else None  # found before the fork

    def set_up() -> None:
        if call is not None:
            call(PR_SET_PDEATHSIG, signal.SIGKILL)
        if memory is not None:
            resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))

    return set_up
