"""Runs a campaign file: the search, its rounds, and the stages that verify the best candidates."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from invdesign.campaign.run_settings import RUN_SETTINGS, RunSettings
from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from concurrent.futures import Executor

    from invdesign.campaign import Campaign, Status
    from invdesign.campaign.execution.settings import ExecutorSettings
    from invdesign.campaign.stage import Stage
    from invdesign.campaign_file.header import Budget, Header
    from invdesign.campaign_file.lines import Document
    from invdesign.objectives.base import Objective


@dataclass(frozen=True)
class Listeners:
    """What is called while candidates are evaluated.

    Attributes:
        on_progress: with the status, after each result of the search.
        on_verified: with the number of candidates that the stage has verified and how many it confirmed, as text.
        on_failure: with the number and the reason of each candidate that has failed.
    """

    on_progress: Callable[[Status], None] | None = None
    on_verified: Callable[[int, str], None] | None = None
    on_failure: Callable[[int, str], None] | None = None


class Watch:
    """Shows how a run goes on; this one shows nothing."""

    def message(self, text: str) -> None:
        """Shows a sentence between two parts of a run."""

    @contextmanager
    def search(self, campaign: Campaign, evaluations: int, stage: Stage | None) -> Iterator[Listeners]:
        """Shows a search.

        Args:
            campaign: that searches.
            evaluations: total number of candidates.
            stage: that verifies in rounds of the search, or None.
        """
        yield Listeners()

    @contextmanager
    def verification(self, stage: Stage) -> Iterator[Listeners]:
        """Shows how a stage verifies the best candidates of the whole search."""
        yield Listeners()


SILENT = Watch()


class Runnable(Protocol):
    """What a run needs of a campaign file; see ``CampaignFile``."""

    @property
    def document(self) -> Document: ...
    @property
    def header(self) -> Header: ...
    @property
    def budget(self) -> Budget: ...
    @property
    def objective(self) -> Objective | None: ...
    @property
    def stages(self) -> tuple[Stage, ...]: ...
    @property
    def correcting(self) -> Stage | None: ...
    @property
    def executor(self) -> ExecutorSettings | None: ...


def run_file(
    setting: Runnable,
    campaign: Campaign,
    *,
    evaluations: int | None = None,
    retry_failed: bool = False,
    settings: RunSettings = RUN_SETTINGS,
    watch: Watch = SILENT,
) -> None:
    """Searches until the budget is spent and verifies the best, as the file says; run again, it continues.

    Args:
        setting: the campaign file.
        campaign: its campaign, open.
        evaluations: total number of candidates, earlier runs included, instead of the file's.
        retry_failed: whether failed candidates are evaluated again first.
        settings: see ``Campaign.run``.
        watch: shows how the run goes on.

    Raises:
        InputError: before anything runs, if the file has no objective, or the objective has changed and is refused.
        FailingObjectiveError: if nothing but failures comes; everything is stored.
    """
    if setting.objective is None:
        raise InputError(f"{setting.document.path} has no objective to run. Add one, or use ask and tell.")
    campaign.accept(setting.objective, changed=settings.objective_changed)
    last = [stage for stage in setting.stages if stage is not setting.correcting]
    if retry_failed:
        again = campaign.retry_failed(stages=[stage.name for stage in last])
        watch.message(f"{len(again)} failed candidates are evaluated again.")
    with executor_of(setting.executor, setting.header) as executor:
        _search(
            setting,
            campaign,
            evaluations=evaluations or setting.budget.evaluations,
            settings=settings,
            watch=watch,
            executor=executor,
        )
        if campaign.ended is not None:
            watch.message(f"The search ended: {campaign.ended}")
        for stage in last:
            with watch.verification(stage) as shown:
                campaign.verify(
                    stage.objective,
                    top=stage.top,
                    stage=stage.name,
                    executor=executor,
                    on_progress=shown.on_verified,
                    on_failure=shown.on_failure or settings.failures.on_failure,
                )


def _search(
    setting: Runnable,
    campaign: Campaign,
    *,
    evaluations: int,
    settings: RunSettings,
    watch: Watch,
    executor: Executor | None,
) -> None:
    """Searches up to a total number of candidates, in rounds if the file has them."""
    objective, stage, budget = setting.objective, setting.correcting, setting.budget
    if objective is None:
        return
    with watch.search(campaign, evaluations, stage) as shown:
        # The objective's change was accepted: it is not evaluated again where another process has begun to.
        settings = replace(
            settings,
            objective_changed="refuse",
            failures=replace(settings.failures, on_failure=shown.on_failure or settings.failures.on_failure),
        )
        if stage is None:
            campaign.run(
                objective,
                evaluations=evaluations,
                batch=budget.batch,
                in_flight=budget.in_flight,
                cost=budget.cost,
                executor=executor,
                on_progress=shown.on_progress,
                settings=settings,
            )
            return
        campaign.run_rounds(
            objective,
            stage,
            evaluations=evaluations,
            batch=budget.batch,
            in_flight=budget.in_flight,
            executor=executor,
            on_progress=shown.on_progress,
            on_verified=shown.on_verified,
            settings=settings,
        )


def executor_of(given: ExecutorSettings | None, header: Header) -> AbstractContextManager[Executor | None]:
    """Where the evaluations of a file run: its executor, or else as many processes as it says; None for this one."""
    from invdesign.campaign import WorkerPool

    if given is not None:
        return given.started(header.campaign)
    return WorkerPool(header.workers) if header.workers > 1 else nullcontext(None)
