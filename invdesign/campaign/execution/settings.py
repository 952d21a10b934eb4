"""Where evaluations and blocks of a screen run: what the section ``executor`` of a campaign file describes."""

from __future__ import annotations

from concurrent.futures import Executor
from contextlib import AbstractContextManager
from typing import Protocol

from invdesign.campaign.execution.executor import WorkerPool
from invdesign.core.settings import bounded, settings


class ExecutorSettings(Protocol):
    """Settings of an executor, as a campaign file has them."""

    @property
    def requests(self) -> tuple[str, ...]:
        """What needs the user's consent if a file asks for it, such as ``submits jobs to Slurm``."""

    def started(self, name: str) -> AbstractContextManager[Executor]:
        """Starts the executor, which ends with the context.

        Args:
            name: of the campaign.

        Raises:
            InputError: if it cannot be started.
        """


@settings
class LocalProcesses:
    """Worker processes on this machine."""

    workers: int = bounded(default=1, ge=1)
    """Number of processes."""

    @property
    def requests(self) -> tuple[str, ...]:
        return ()

    def started(self, name: str) -> AbstractContextManager[Executor]:
        return WorkerPool(self.workers)
