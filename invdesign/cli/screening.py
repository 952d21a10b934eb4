"""Runs the screen of a file on a console: a progress bar, the funnel, the best candidates, and their verification."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

    from invdesign.campaign_file.screen_section import ScreenFile
    from invdesign.screening.running import Progress, Screening

MOST_REASONS = 3
MOST_SHOWN = 10


def screen_file(
    setting: ScreenFile, output: Path | None, console: Console
) -> tuple[Screening, dict[str, pd.DataFrame]]:
    """Screens the pool of a file, or goes on with it, and verifies the chosen candidates by the file's stages.

    Returns:
        The screen, and what each stage found, by its name.
    """
    from invdesign.campaign_file.running import executor_of
    from invdesign.screening.active import EVALUATED
    from invdesign.screening.verification import verified

    with executor_of(setting.executor, setting.header) as executor:
        with _bar(console) as show:
            done = setting.run(output, executor=executor, on_progress=show)
        if setting.active is not None:
            console.print(
                f"The values of evaluated candidates are in '{done.checkpoints.folder / EVALUATED}'.", markup=False
            )
        found = {}
        for stage in setting.stages:
            with console.status(f"Verifying ({stage.name})"):
                found[stage.name] = values = verified(done, stage, executor)
            failed, met = int(values["reason"].notna().sum()), int(values["meets_targets"].sum())
            console.print(
                f"{stage.name}: verified {len(values) - failed} of the best, of which {met} meet the targets; {failed} "
                "failed.",
                markup=False,
            )
    return done, found


def print_screening(done: Screening, console: Console) -> None:
    """Prints the funnel and the first of the chosen candidates."""
    from rich.table import Table

    from invdesign.screening.plan import PROBABILITY

    funnel = Table("step", "entered", "left", "passed", "why candidates left", title="Funnel", title_justify="left")
    for count in done.funnel:
        reasons = [f"{number:,} {reason}" for reason, number in count.left.most_common(MOST_REASONS)]
        more = f"; {len(count.left) - MOST_REASONS} more reasons" if len(count.left) > MOST_REASONS else ""
        left = count.entered - count.passed
        funnel.add_row(count.name, f"{count.entered:,}", f"{left:,}", f"{count.passed:,}", "; ".join(reasons) + more)
    console.print(funnel, markup=False)
    console.print(f"{done.hits:,} candidates are likely to meet all targets.")
    for number, one in enumerate(done.passes):
        before = "First, at random" if number == 0 else f"After pass {number}"
        console.print(f"{before}: {len(one.evaluated):,} evaluated, of which {one.met.sum():,} meet the targets.")
    formulas = [column.name for column in done.plan.pool.columns if column.kind == "formula"]
    shown = [*dict.fromkeys([*done.plan.pool.identity, *formulas]), *done.plan.targets.properties, PROBABILITY]
    table = Table(
        *map(str, (done.plan.pool.place_word, *shown)), title=f"Best of {len(done.best)}", title_justify="left"
    )
    for place, row in done.best.head(MOST_SHOWN).iterrows():
        cells = (row[name] for name in shown)
        table.add_row(str(place), *(f"{one:.4g}" if isinstance(one, float) else str(one) for one in cells))
    console.print(table, markup=False)


@contextmanager
def _bar(console: Console) -> Iterator[Callable[[Progress], None]]:
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("Screening"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f} rows, {task.fields[rate]:,.0f} per second, {task.fields[hits]:,} hits;"),
        TextColumn("time left:"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=None, rate=0.0, hits=0)

        def show(state: object) -> None:
            from invdesign.screening.running import Progress as State

            if isinstance(state, State):
                progress.update(task, completed=state.entries, total=state.total, rate=state.rate, hits=state.hits)

        yield show
