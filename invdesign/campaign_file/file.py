"""A campaign file: what it describes, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from invdesign.campaign.binding import Bindings
from invdesign.campaign.run_settings import RUN_SETTINGS, RunSettings
from invdesign.campaign.stage import Stage
from invdesign.campaign.stop import Stop
from invdesign.campaign_file.header import Budget, Header
from invdesign.campaign_file.lines import Document
from invdesign.campaign_file.running import SILENT, Watch, run_file
from invdesign.objectives.base import Objective
from invdesign.space import SearchSpace
from invdesign.targets import Targets

if TYPE_CHECKING:
    from invdesign.campaign import Campaign
    from invdesign.campaign.execution.settings import ExecutorSettings
    from invdesign.optimizers import Optimizer
    from invdesign.surrogates.base import Surrogate


@dataclass(frozen=True)
class CampaignFile:
    """A checked campaign file.

    Attributes:
        document: the file itself.
        header: name, seed, store, workers.
        space: the search space.
        targets: the targets.
        objective: source of property values; None if a laboratory gives them, by ask and tell.
        stages: objectives that verify the best candidates; at most one of them in rounds.
        surrogate: the model of the properties.
        optimizer: how candidates are proposed.
        budget: how many.
        bindings: the objectives, bound to the space and checked.
        executor: where evaluations run; None for ``workers`` processes of this machine.
        data: files with results that were measured before.
        target_sets: all sets of targets of the file by name; empty if it has a single list.
        stop: when the campaign ends before its budget is spent.
    """

    document: Document
    header: Header
    space: SearchSpace
    targets: Targets
    objective: Objective | None
    stages: tuple[Stage, ...]
    surrogate: Surrogate
    optimizer: Optimizer
    budget: Budget
    bindings: Bindings
    executor: ExecutorSettings | None = None
    data: tuple[Path, ...] = ()
    target_sets: Mapping[str, Targets] = field(default_factory=dict)
    stop: Stop | None = None

    def open(self, store: str | Path | None = None) -> Campaign:
        """Opens or creates the campaign, in the given store or else the one that the file names.

        Rows of ``data`` that are not stored yet are added.

        Raises:
            InputError: if the store holds another campaign of this name, or a row of ``data`` is invalid.
        """
        return self._opened(store or self.store)

    def run(
        self,
        store: str | Path | None = None,
        *,
        evaluations: int | None = None,
        retry_failed: bool = False,
        settings: RunSettings = RUN_SETTINGS,
        watch: Watch = SILENT,
    ) -> Campaign:
        """Runs the file as ``invdesign run`` does: searches until its budget is spent, then verifies the best.

        Run again with the same store, it continues.

        Example:
            >>> campaign = read_campaign("cell.yaml").run()
            >>> campaign.hits()

        Args:
            store: place of the campaign's store, instead of the one that the file names.
            evaluations: total number of candidates, earlier runs included, instead of the file's.
            retry_failed: whether failed candidates are evaluated again first.
            settings: see ``Campaign.run``.
            watch: shows how the run goes on; by default nothing is shown.

        Returns:
            The campaign, with its values; its ``ended`` says why a search ended before its budget was spent.

        Raises:
            InputError: before anything runs, if the file has no objective, or the store does not fit.
            FailingObjectiveError: if nothing but failures comes; everything is stored.
        """
        campaign = self.open(store)
        run_file(self, campaign, evaluations=evaluations, retry_failed=retry_failed, settings=settings, watch=watch)
        return campaign

    def check_data(self) -> Campaign | None:
        """Checks every row of ``data`` without storing any; returns a campaign with them, None if there are no files.

        Raises:
            InputError: naming each invalid row.
        """
        return self._opened(None) if self.data else None

    def _opened(self, store: str | Path | None) -> Campaign:
        from invdesign.campaign import Campaign

        campaign = Campaign(
            self.space,
            self.targets,
            optimizer=self.optimizer,
            store=store,
            seed=self.header.seed,
            name=self.header.campaign,
            initial=self.budget.initial,
            bindings=self.bindings,
            stop=self.stop,
        )
        if self.data and self.objective is not None:
            campaign.use_units_of(self.objective)
        for path in self.data:
            campaign.add_file(path)
        return campaign

    @property
    def correcting(self) -> Stage | None:
        """The stage whose values correct the search in rounds; None if there is none."""
        return next((stage for stage in self.stages if stage.rounds > 1), None)

    @property
    def remarks(self) -> list[str]:
        """What to know before a run: entries of sources that were left out, candidates without a value."""
        from invdesign.optimizers.base import optimizer_remarks

        objectives = [] if self.objective is None else [self.objective, *(stage.objective for stage in self.stages)]
        sets = [name for name, targets in self.target_sets.items() if targets is self.targets]
        others = ", ".join(f"'{name}'" for name in self.target_sets if name not in sets)
        chosen = [
            f"Targets of the set '{name}'; choose another with --targets-set: {others}." for name in sets if others
        ]
        remarks = (remark for one in objectives for remark in self.bindings.of(one).remarks)
        return [*self.space.remarks, *chosen, *remarks, *optimizer_remarks(self.optimizer)]

    @property
    def store(self) -> str:
        """Store of the file's campaign: the one that it names, or ``NAME.db`` in the working directory."""
        return self.header.store or f"{self.header.campaign}.db"
