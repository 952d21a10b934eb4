"""Runs a campaign file on a console: the search, its rounds and stages, with progress bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from rich.console import Console

    from invdesign.campaign import Campaign, RunSettings, Status
    from invdesign.campaign.execution.settings import ExecutorSettings
    from invdesign.campaign.stage import Stage
    from invdesign.campaign_file.file import CampaignFile, Header

Advance = Callable[[int, object], None]
"""Shows the number of completed evaluations, with a note."""


def search(
    setting: CampaignFile,
    campaign: Campaign,
    console: Console,
    evaluations: int,
    *,
    settings: RunSettings,
) -> None:
    """Searches up to a total number of candidates, in rounds if the file has them; see ``Campaign.run``."""
    objective, stage = setting.objective, setting.correcting
    if objective is None:
        return
    with (
        _progress(console) as task,
        FailureLog(console) as log,
        executor_of(setting.executor, setting.header) as executor,
    ):
        settings = replace(settings, failures=replace(settings.failures, on_failure=log.note))
        advance = task("Searching", evaluations)
        verified = _stage_bar(campaign, stage, task) if stage is not None else None

        def moved(state: Status) -> None:
            advance(state.evaluated + state.failed, f"{state.hits} hits")

        moved(campaign.status())
        if stage is None:
            batch = setting.budget.batch
            cost = setting.budget.cost
            campaign.run(
                objective,
                evaluations=evaluations,
                batch=batch,
                in_flight=setting.budget.in_flight,
                cost=cost,
                executor=executor,
                on_progress=moved,
                settings=settings,
            )
            return
        campaign.run_rounds(
            objective,
            stage,
            evaluations=evaluations,
            batch=setting.budget.batch,
            in_flight=setting.budget.in_flight,
            executor=executor,
            on_progress=moved,
            on_verified=verified,
            settings=settings,
        )


def _stage_bar(campaign: Campaign, stage: Stage, task: Callable[[str, int], Advance]) -> Advance:
    """A progress bar for all rounds of a stage, including candidates verified before."""
    done = int((campaign.verified()["stage"] == stage.name).sum())
    bar = task(f"Verifying ({stage.name})", max(done, stage.top * stage.rounds))
    bar(done, "")
    return bar


def verify(setting: CampaignFile, campaign: Campaign, console: Console) -> None:
    """Verifies the best candidates of the whole search with every stage without rounds."""
    for stage in setting.stages:
        if stage is setting.correcting:
            continue
        with (
            _progress(console) as task,
            FailureLog(console) as log,
            executor_of(setting.executor, setting.header) as executor,
        ):
            advance = task(f"Verifying ({stage.name})", stage.top)
            campaign.verify(
                stage.objective,
                top=stage.top,
                stage=stage.name,
                executor=executor,
                on_progress=advance,
                on_failure=log.note,
            )


class FailureLog:
    """Prints the first failure of each kind when it comes, and at the end how many there were of each.

    Args:
        console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._counts: Counter[str] = Counter()
        self._first: dict[str, tuple[int, str]] = {}

    def note(self, number: int, reason: str) -> None:
        """Notes a failed candidate."""
        from invdesign.campaign.failures import kind_of

        kind = kind_of(reason)
        self._counts[kind] += 1
        if kind not in self._first:
            self._first[kind] = (number, reason)
            self._print(f"Candidate {number} failed: {reason}")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Prints the counts of the kinds that came more than once."""
        for kind, count in self._counts.most_common():
            number, reason = self._first[kind]
            if count > 1:
                self._print(f"{count} candidates failed as candidate {number} did: {reason}")

    def _print(self, text: str) -> None:
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)


def executor_of(given: ExecutorSettings | None, header: Header) -> AbstractContextManager[Executor | None]:
    """Where the evaluations of a file run: its executor, or else as many processes as it says; None for this one."""
    from invdesign.campaign import WorkerPool

    if given is not None:
        return given.started(header.campaign)
    return WorkerPool(header.workers) if header.workers > 1 else nullcontext(None)


@contextmanager
def _progress(console: Console) -> Iterator[Callable[[str, int], Advance]]:
    """Progress bars on the console: called with a title and a total, it returns a function that advances the bar."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[note]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as progress:

        def begin(title: str, total: int) -> Advance:
            task = progress.add_task(title, total=total, note="")
            return lambda done, note: progress.update(task, completed=done, note=str(note))

        yield begin
