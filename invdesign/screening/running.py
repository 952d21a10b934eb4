"""Runs a plan over a pool: blocks run here or on an executor, each is kept on disk, and then the best are chosen."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from invdesign.campaign.execution.executor import cancel, sendable
from invdesign.core.errors import InputError
from invdesign.core.settings import MaybeOutputFolder, bounded, settings
from invdesign.screening.best import SHORTLIST, Diverse, Shortlist, check_diverse, chosen
from invdesign.screening.checkpoints import RESULTS, Checkpoints
from invdesign.screening.funnel import LIKELY, StepCount
from invdesign.screening.measured_order import in_measured_order
from invdesign.screening.passes import Pass
from invdesign.screening.plan import PROBABILITY, BlockResult, Plan
from invdesign.screening.pools import RawBlock

ATTEMPTS = 3
"""How often a block is given to a worker before a worker's death counts as the block's."""
AHEAD = 2
"""Blocks per worker that are read and sent before the first of them is done."""


@settings
class ScreenSettings:
    """How a pool is screened and what is kept of it."""

    block: int = bounded(default=2048, ge=1)
    """Number of entries that are screened together; memory is bounded by it, and an interruption loses at most one."""
    top: int = bounded(default=50, ge=1)
    """Number of candidates to choose: those that most likely meet all targets."""
    diverse: Diverse = "none"
    """Whether the chosen candidates differ from each other: ``max-min`` or, for molecules, ``butina``, among the best
    twenty times as many."""
    order: Literal["cost", "measured"] = "cost"
    """Order of the steps: by the kind of their objective (``cost``), or by their cost and pass rate on the first
    entries of the pool (``measured``), which the output records for a resumed screen."""
    budget: int | None = bounded(default=None, ge=4)
    """Number of candidates that the objective evaluates: the first ones at random, then, between passes over the pool,
    those most likely to be among the best by a surrogate that is fitted to all values so far. None to evaluate every
    candidate."""
    initial: int = bounded(default=20, ge=3)
    """Number of candidates of the budget that are evaluated before the first pass."""
    passes: int = bounded(default=4, ge=1)
    """Number of passes over the pool between which the rest of the budget is evaluated; one more follows at the end."""
    output: MaybeOutputFolder = None
    """Folder for the results; NAME-screen in the working directory by default."""

    def __post_init__(self) -> None:
        if self.budget is not None and self.budget < self.initial + self.passes:
            raise InputError(
                f"A budget of {self.budget} is too low for {self.initial} initial candidates and {self.passes} passes. "
                "Set initial and passes to less."
            )


@dataclass(frozen=True)
class Progress:
    """How far a screen is.

    Attributes:
        entries: of the pool that were screened, also by earlier runs.
        total: number of entries of the pool, perhaps an estimate; None if unknown.
        hits: number of candidates that are likely to meet all targets.
        rate: entries per second in this run.
    """

    entries: int
    total: int | None
    hits: int
    rate: float


@dataclass(frozen=True)
class Screening:
    """A finished screen.

    Attributes:
        best: the chosen candidates, the best first, indexed by their places in the pool.
        funnel: how many candidates entered and left each step, and why.
        hits: number of candidates that are likely to meet all targets.
        plan: what was done.
        checkpoints: the folder of the results.
        passes: of an active screen, beginning with the first candidates, which are random; empty without a budget.
    """

    best: pd.DataFrame
    funnel: tuple[StepCount, ...]
    hits: int
    plan: Plan
    checkpoints: Checkpoints
    passes: tuple[Pass, ...] = ()

    @property
    def results(self) -> Path:
        """The Parquet file of all candidates that passed the funnel."""
        return self.checkpoints.folder / RESULTS


def run(
    plan: Plan,
    output: Path,
    settings: ScreenSettings,
    *,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
    beside: Sequence[str] = (),
) -> Screening:
    """Runs a checked plan; see ``screen``. ``beside`` are names of what else the folder may hold."""
    check_diverse(settings.diverse, plan.pool.columns)
    order = {} if settings.order == "cost" else {"order": settings.order}
    Checkpoints(output, {}).begin({**plan.described(), **order}, block=settings.block, beside=beside)
    if order:
        plan = in_measured_order(plan, output)
    kept = Checkpoints(output, plan.schema)
    if kept.finished:
        best, hits = _best(plan, kept, settings)
    else:
        _screen_blocks(plan, kept, settings.block, executor, on_progress)
        funnel = kept.merge(plan.pool.place_word)
        best, hits = _best(plan, kept, settings)
        kept.finish(funnel, best)
    return Screening(best, tuple(kept.funnel()), hits, plan, kept)


def _screen_blocks(
    plan: Plan,
    kept: Checkpoints,
    size: int,
    executor: Executor | None,
    on_progress: Callable[[Progress], None] | None,
) -> None:
    done = kept.done()
    total = plan.pool.size() if on_progress is not None else None
    notes = [kept.note(number) for number in done] if on_progress is not None else []
    before = entries = sum(note.entries for note in notes)
    hits, start = sum(note.hits for note in notes), time.perf_counter()
    missing = (block for block in plan.pool.blocks(size) if block.number not in done)
    for result in _results(plan, missing, executor):
        kept.keep(result)
        entries += result.entries
        hits += result.hits
        if on_progress is not None:
            seconds = max(1e-9, time.perf_counter() - start)
            on_progress(Progress(entries, total, hits, (entries - before) / seconds))


def _results(plan: Plan, blocks: Iterator[RawBlock], executor: Executor | None) -> Iterator[BlockResult]:
    """Screens blocks, a few per worker at a time; a block whose worker died is given to another."""
    if executor is None:
        yield from map(plan.screened, blocks)
        return
    sent = sendable(plan, executor)
    running: dict[Future[BlockResult], tuple[RawBlock, int]] = {}
    ahead = AHEAD * int(getattr(executor, "workers", 1))
    try:
        while True:
            for block in itertools.islice(blocks, ahead - len(running)):
                running[executor.submit(_screened, sent, block)] = (block, 1)
            if not running:
                return
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                block, attempt = running.pop(future)
                try:
                    yield future.result()
                except BrokenProcessPool as error:
                    if attempt == ATTEMPTS:
                        word = plan.pool.place_word
                        raise InputError(
                            f"The worker process died {ATTEMPTS} times while it screened {word} {block.places[0]} to "
                            f"{block.places[-1]}: {error}. Blocks that are done are kept. Use a smaller block, or "
                            "an objective with limits."
                        ) from None
                    running[executor.submit(_screened, sent, block)] = (block, attempt + 1)
    finally:
        cancel(running)


def _screened(plan: Plan, block: RawBlock) -> BlockResult:
    """Screens a block in a worker."""
    return plan.screened(block)


def _best(plan: Plan, kept: Checkpoints, settings: ScreenSettings) -> tuple[pd.DataFrame, int]:
    """The chosen candidates and the number of hits, from the results on disk."""
    many = settings.top if settings.diverse == "none" else SHORTLIST * settings.top
    shortlist = Shortlist(plan.targets, plan.pool, many)
    hits = 0
    for rows in kept.results():
        shortlist.add(rows)
        hits += int((rows[PROBABILITY] >= LIKELY).sum())
    if shortlist.rows.empty:
        return pd.DataFrame(columns=list(plan.schema), index=pd.Index([], name=plan.pool.place_word, dtype=np.int64)), 0
    best = chosen(shortlist.rows, settings.top, settings.diverse, plan.pool.columns)
    return plan.with_distance(best), hits
