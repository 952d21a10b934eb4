"""Jobs of Slurm (slurm.schedmd.com) by submitit: each call is a job, and its result a file."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Annotated, Any, Literal, ParamSpec, TypeVar

from pydantic import Field

from invdesign.campaign.execution.remote import RemotePool, missing, settle
from invdesign.campaign.execution.workers import WorkerDied, WorkerOverran
from invdesign.core.errors import InputError
from invdesign.core.settings import MaybeOutputFolder, bounded, settings

P = ParamSpec("P")
T = TypeVar("T")
TIME = re.compile(r"(?:(\d+)-)?(\d{1,2}):(\d{2}):(\d{2})")
LOOKS_PER_STATE = 12
"""Looks for results after which Slurm's accounting is asked for the states of jobs, which is slower."""


@settings
class SlurmCluster:
    """Jobs of Slurm. A job that exceeds its time or memory fails its candidates with that reason.

    Raises:
        InputError: if the time is not written as Slurm does.
    """

    partition: str | None = None
    """Partition of the jobs; Slurm's default where missing."""
    time: str = "01:00:00"
    """Time limit of a job, as ``HH:MM:SS`` or ``D-HH:MM:SS``."""
    cores: int = bounded(default=1, ge=1)
    """Number of cores per job."""
    memory: Annotated[str, Field(pattern=r"^\d+ ?[KMGT]B?$")] = "4GB"
    """Memory per job, such as ``4GB``."""
    jobs: int = bounded(default=50, ge=1)
    """Number of jobs that are submitted at the same time."""
    account: str | None = None
    """Account that pays for the jobs."""
    folder: MaybeOutputFolder = None
    """Folder for the jobs' files, which all nodes must see; NAME-jobs in the working directory by default."""
    cluster: Literal["slurm", "local"] = "slurm"
    """``local`` runs the jobs as processes of this machine, to try a file without Slurm."""
    poll: float = bounded(default=5.0, gt=0)
    """Seconds between two looks for results."""

    def __post_init__(self) -> None:
        _ = self.minutes

    @property
    def minutes(self) -> int:
        """The time limit in whole minutes, at least one."""
        found = TIME.fullmatch(self.time)
        if found is None:
            raise InputError(f"The time limit '{self.time}' must be written as HH:MM:SS, such as 01:30:00.")
        days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
        return max(1, (days * 24 + hours) * 60 + minutes + (seconds > 0))

    @property
    def requests(self) -> tuple[str, ...]:
        return ("submits jobs to Slurm",) if self.cluster == "slurm" else ()

    def started(self, name: str) -> AbstractContextManager[Executor]:
        return self._started(Path(self.folder or f"{name}-jobs"))

    @contextmanager
    def _started(self, folder: Path) -> Iterator[Executor]:
        try:
            import submitit
        except ImportError:
            raise missing("submitit", "An executor of type slurm") from None
        try:
            submitter = submitit.AutoExecutor(folder=folder, cluster=self.cluster)
        except RuntimeError:
            raise InputError(
                "Slurm was not found: 'srun' is not on the PATH. Run this on a login node of the cluster, or try it "
                "with cluster: local."
            ) from None
        shared = {"timeout_min": self.minutes, "cpus_per_task": self.cores, "name": "invdesign"}
        own = {
            "slurm_partition": self.partition,
            "slurm_account": self.account,
            "slurm_mem": self.memory.replace(" ", ""),
        }
        submitter.update_parameters(**shared, **{key: value for key, value in own.items() if value is not None})
        with SlurmPool(submitter, self.jobs, poll=self.poll, seconds=60.0 * self.minutes) as pool:
            yield pool


class SlurmPool(RemotePool):
    """Jobs as an executor of ``concurrent.futures``.

    Args:
        submitter: an executor of submitit.
        jobs: number of jobs at the same time; further calls wait here.
        poll: seconds between two looks for results.
        seconds: time limit of a job.
    """

    def __init__(self, submitter: Any, jobs: int, *, poll: float, seconds: float) -> None:
        super().__init__(jobs)
        self._submitter = submitter
        self._poll, self._seconds, self._looks = poll, seconds, 0
        self._waiting: list[tuple[Future[Any], Callable[..., Any], tuple[Any, ...], dict[str, Any]]] = []
        self._jobs: dict[Future[Any], Any] = {}
        self._news = Event()
        self._thread = Thread(target=self._watch, name="invdesign-slurm", daemon=True)
        self._thread.start()

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See ``concurrent.futures.Executor.submit``."""
        future = self.begin()
        with self._lock:
            self._waiting.append((future, fn, args, kwargs))
        self._news.set()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """See ``concurrent.futures.Executor.shutdown``."""
        self.end(cancel=cancel_futures)
        self._news.set()
        if wait:
            self._thread.join()

    def __exit__(self, error: type[BaseException] | None, *_: object) -> None:
        """Waits for all jobs; if an exception such as Ctrl-C leaves the block, cancels them instead."""
        self.shutdown(wait=False, cancel_futures=error is not None)
        if error is not None:
            for job in list(self._jobs.values()):
                job.cancel()
        self.shutdown(wait=error is None)

    def _watch(self) -> None:
        """Submits waiting calls and collects results, until the executor was shut down and nothing is left."""
        while not self._finished():
            try:
                self._submit_waiting()
                self._collect()
            except Exception as error:  # noqa: BLE001 - without this thread no future would ever end: all have the error
                for future in (*self._jobs, *(waiting[0] for waiting in self._waiting)):
                    settle(future, functools.partial(_raised, error))
                self._jobs.clear()
                self._waiting.clear()
            self._news.wait(self._poll if self._jobs else None if not self._waiting and not self._ended else 0.0)
            self._news.clear()

    def _finished(self) -> bool:
        with self._lock:
            return self._ended and not (self._waiting or self._jobs)

    def _collect(self) -> None:
        """Gives futures the results of the jobs that have ended."""
        self._looks += 1
        for place, (future, job) in enumerate(list(self._jobs.items())):
            # One question to Slurm's accounting answers for all jobs.
            if job.done(force_check=place == 0 and self._looks % LOOKS_PER_STATE == 0):
                settle(future, functools.partial(_result, job, self._seconds))
                del self._jobs[future]

    def _submit_waiting(self) -> None:
        while len(self._jobs) < self.workers:
            with self._lock:
                if not self._waiting:
                    return
                future, fn, args, kwargs = self._waiting.pop(0)
            if not future.set_running_or_notify_cancel():
                continue
            try:
                self._jobs[future] = self._submitter.submit(_outcome, fn, args, kwargs)
            except Exception as error:  # noqa: BLE001 - sbatch may fail for many reasons: the future has it
                future.set_exception(InputError(f"A job cannot be submitted: {' '.join(str(error).split())}"))


def _outcome(fn: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, Exception | None]:
    """The value of a call or its exception, which submitit would return as text."""
    try:
        return fn(*args, **kwargs), None
    except Exception as error:  # noqa: BLE001 - the caller is informed
        return None, error


def _raised(error: Exception) -> None:
    raise error


def _result(job: Any, seconds: float) -> Any:
    """The result of a job that has ended.

    Raises:
        WorkerOverran: if it exceeded its time limit.
        WorkerDied: if it ended without a result for another reason; with Slurm's state.
        Exception: what the call raised.
    """
    from submitit.core.utils import UncompletedJobError

    try:
        value, error = job.result()
    except UncompletedJobError as failure:
        state = str(job.state)
        if state.startswith("TIMEOUT") or "timed-out" in str(failure):
            raise WorkerOverran(seconds) from None
        raise WorkerDied(f"job {job.job_id} ended in the state {state}") from None
    if error is not None:
        raise error
    return value
