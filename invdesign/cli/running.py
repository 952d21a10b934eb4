"""Shows on a console how a campaign file runs: the search, its rounds and stages, with progress bars."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Self

from invdesign.campaign_file.running import Listeners, Watch

if TYPE_CHECKING:
    from rich.console import Console

    from invdesign.campaign import Campaign, Status
    from invdesign.campaign.stage import Stage

Advance = Callable[[int, object], None]
"""Shows the number of completed evaluations, with a note."""


class ConsoleWatch(Watch):
    """Progress bars, failures as they come, and sentences between the parts of a run.

    Args:
        console: where to print.
    """

    def __init__(self, console: Console) -> None:
        self._console = console

    def message(self, text: str) -> None:
        self._console.print(text, markup=False)

    @contextmanager
    def search(self, campaign: Campaign, evaluations: int, stage: Stage | None) -> Iterator[Listeners]:
        with _progress(self._console) as task, FailureLog(self._console) as log:
            advance = task("Searching", evaluations)
            verified = _stage_bar(campaign, stage, task) if stage is not None else None

            def moved(state: Status) -> None:
                advance(state.evaluated + state.failed, f"{state.hits} hits")

            moved(campaign.status())
            yield Listeners(moved, verified, log.note)

    @contextmanager
    def verification(self, stage: Stage) -> Iterator[Listeners]:
        with _progress(self._console) as task, FailureLog(self._console) as log:
            yield Listeners(on_verified=task(f"Verifying ({stage.name})", stage.top), on_failure=log.note)


def _stage_bar(campaign: Campaign, stage: Stage, task: Callable[[str, int], Advance]) -> Advance:
    """A progress bar for all rounds of a stage, including candidates verified before."""
    done = int((campaign.verified()["stage"] == stage.name).sum())
    bar = task(f"Verifying ({stage.name})", max(done, stage.top * stage.rounds))
    bar(done, "")
    return bar


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
