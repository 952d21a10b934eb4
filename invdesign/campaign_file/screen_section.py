"""A campaign file with a section ``screen``: its pool, funnel and targets, checked as a whole before anything runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from invdesign.campaign.stage import Stage
from invdesign.campaign_file import lines as yaml_lines
from invdesign.campaign_file.consent import Consent
from invdesign.campaign_file.header import Header
from invdesign.campaign_file.lines import Document, FileError, Place
from invdesign.campaign_file.objective_section import read_objectives
from invdesign.campaign_file.reader import CampaignReader, with_consent
from invdesign.campaign_file.target_sets import chosen
from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import bounded, settings
from invdesign.objectives.base import Objective
from invdesign.objectives.surrogate import SurrogateObjective
from invdesign.screening.active import ActiveScreen
from invdesign.screening.funnel import Step
from invdesign.screening.plan import Plan, bound, planned
from invdesign.screening.pools import MaterialStream, MoleculeStream, Pool, enumerated
from invdesign.screening.running import Progress, Screening, ScreenSettings, run
from invdesign.space import Constraint
from invdesign.space.materials import MaterialPoolFile
from invdesign.space.molecules.files import MoleculeFile
from invdesign.space.molecules.pool import MoleculePoolFile
from invdesign.surrogates.base import Surrogate
from invdesign.targets import Targets

if TYPE_CHECKING:
    from invdesign.campaign.execution.settings import ExecutorSettings

REQUIRED = ("campaign", "space", "targets", "screen")
STREAMS: Mapping[str, type] = {"molecule": MoleculePoolFile, "material-pool": MaterialPoolFile}
"""Types of parameters whose file is read block by block if the parameter is the only one."""


@settings
class StepSettings:
    """One step of the funnel: a rule, an objective, or an objective and a rule on its properties."""

    keep: str | None = None
    """Rule that candidates must satisfy to go on, over columns, properties and derived quantities, such as
    ``molecule.MolWt <= 250`` (any RDKit descriptor) or ``band_gap >= 1``."""
    objective: Annotated[Objective, ByWord("objective")] | None = None
    """Source of properties: a table to join, a surrogate, a simulation. Candidates without a value leave."""
    probability: float | None = bounded(default=None, gt=0, lt=1)
    """Candidates that are less likely to meet the targets on the objective's properties leave."""
    name: str | None = None
    """Name of the step in the funnel; its rule or the type of its objective where missing."""


@dataclass(frozen=True)
class ScreenFile:
    """A checked campaign file with a section ``screen``.

    Attributes:
        document: the file itself.
        header: name, seed, workers.
        plan: pool, steps and targets.
        settings: size of the blocks, number of chosen candidates, output.
        stages: objectives that verify the chosen candidates.
        executor: where blocks run; None for ``workers`` processes of this machine.
        active: passes between which candidates are evaluated; None without a budget.
    """

    document: Document
    header: Header
    plan: Plan
    settings: ScreenSettings
    stages: tuple[Stage, ...] = ()
    executor: ExecutorSettings | None = None
    active: ActiveScreen | None = None

    @property
    def output(self) -> Path:
        """Folder of the results: the one that the file names, or ``NAME-screen`` in the working directory."""
        return Path(self.settings.output or f"{self.header.campaign}-screen")

    def run(
        self,
        output: str | Path | None = None,
        *,
        executor: Executor | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Screening:
        """Screens the pool; see ``invdesign.screening.screen.screen``."""
        place = Path(output) if output is not None else self.output
        if self.active is not None:
            return self.active.run(place, executor=executor, on_progress=on_progress)
        return run(self.plan, place, self.settings, executor=executor, on_progress=on_progress)


def read_screen(path: str | Path, *, allow_code: bool = False) -> ScreenFile:
    """Reads and checks a campaign file with a section ``screen``, and fits the surrogates of its steps.

    Args:
        path: of the file.
        allow_code: whether the caller consents to all that the file does; see ``read_campaign``.

    Raises:
        FileError: naming every problem with its line.
        ConsentError: a FileError; names what the file would do without consent.
    """
    document = yaml_lines.read(path)
    reader = ScreenReader(document, Consent(document, allow_code))
    return with_consent(reader, reader.screen_file)


class ScreenReader(CampaignReader):
    """Reads a campaign file as a screen."""

    def screen_file(self) -> ScreenFile:
        """Reads every section; raises FileError if there was any problem."""
        data = self.begin(REQUIRED)
        header, executor = self.header(data), self.executor(data)
        pool = self._pool(data.get("space"), data.get("constraints")) if "space" in data else None
        sets = self.targets_section(data["targets"]) if "targets" in data else None
        targets = chosen(sets, None) if sets else None
        section = data.get("screen") or {}
        steps, settings = self._section(section) if isinstance(section, dict) else ([], None)
        if not isinstance(section, dict):
            self.problem(("screen",), "screen must be a mapping, such as {top: 50, steps: [...]}.")
        objective: Objective | None = None
        stages: tuple[Stage, ...] = ()
        if "objective" in data:
            objective, stages = read_objectives(self, data["objective"], None, evaluations=1, initial=1)
            for stage in stages:
                if stage.rounds > 1:
                    self.problem(("objective",), f"The stage '{stage.name}' has rounds, which a screen has not.")
        surrogate = None
        if "surrogate" in data:
            surrogate = self.built("surrogate", data["surrogate"], ("surrogate",))
            steps = [(place, replace(step, objective=_with(step.objective, surrogate))) for place, step in steps]
            objective = _with(objective, surrogate)
        if self.problems or pool is None or targets is None or header is None or settings is None:
            raise FileError(self.document.path, self.problems)
        plan = self._planned(pool, steps, objective, targets)
        active = None
        if plan is not None and settings.budget is not None:
            active = self._active(
                pool, [step for _, step in steps], objective, surrogate, targets, settings=settings, seed=header.seed
            )
        stages = tuple(self._bound(stage, pool, targets) for stage in stages)
        if self.problems or plan is None:
            raise FileError(self.document.path, self.problems)
        return ScreenFile(self.document, header, plan, settings, stages, executor, active)

    def _pool(self, data: Any, constraints: Any) -> Pool | None:
        """The file of a single pool as a stream, or the enumerated space."""
        only = next(iter(data.items())) if isinstance(data, dict) and len(data) == 1 else None
        word = only[1].get("type") if only is not None and isinstance(only[1], dict) else None
        try:
            if only is not None and word in STREAMS and constraints is None:
                return self._stream(*only)
            space = self.space(data, constraints)
            return enumerated(space) if space is not None else None
        except InputError as error:
            place = next((("space", name) for name in data if f"'{name}'" in str(error)), ("space",))
            self.problem(place, str(error))
            return None

    def _stream(self, name: str, data: dict[str, Any]) -> Pool | None:
        plain = {key: value for key, value in data.items() if key != "type"}
        found: Any = self.settings(STREAMS[data["type"]], plain, ("space", name))
        if found is None:
            return None
        try:
            pool: Pool = (
                MoleculeStream(name, MoleculeFile(Path(found.pool), found.smiles), found.canonical)
                if isinstance(found, MoleculePoolFile)
                else MaterialStream(name, found)
            )
            pool.check()
        except InputError as error:
            self.problem(("space", name), str(error))
            return None
        return pool

    def _section(self, data: dict[str, Any]) -> tuple[list[tuple[Place, Step]], ScreenSettings | None]:
        """The steps with their places, and the settings."""
        found = self.settings(
            ScreenSettings, {key: value for key, value in data.items() if key != "steps"}, ("screen",)
        )
        listed = data.get("steps") or []
        if not isinstance(listed, list):
            self.problem(("screen", "steps"), "steps must be a list, such as - keep: molecule.MolWt <= 250.")
            listed = []
        steps: list[tuple[Place, Step]] = []
        for number, entry in enumerate(listed):
            place: Place = ("screen", "steps", number)
            step = self._step(entry, place, [one.name for _, one in steps])
            steps += [(place, step)] if step is not None else []
        return steps, found

    def _step(self, data: Any, place: Place, taken: Sequence[str]) -> Step | None:
        plain = {key: value for key, value in data.items() if key != "objective"} if isinstance(data, dict) else data
        found = self.settings(StepSettings, plain, place)
        objective: Objective | None = None
        word = ""
        if isinstance(data, dict) and data.get("objective") is not None:
            objective = self.built("objective", data["objective"], (*place, "objective"))
            if objective is None:
                return None
            word = str(data["objective"]["type"])
        if found is None:
            return None
        default = word or str(found.keep)
        numbered = (default if number == 1 else f"{default} {number}" for number in range(1, len(taken) + 2))
        name = found.name or next(one for one in numbered if one not in taken)
        try:
            keep = Constraint(found.keep) if found.keep is not None else None
        except InputError as error:
            self.problem((*place, "keep"), str(error))
            return None
        try:
            return Step(name, objective, keep, found.probability)
        except InputError as error:
            self.problem(place, str(error))
            return None

    def _planned(
        self, pool: Pool, steps: list[tuple[Place, Step]], objective: Objective | None, targets: Targets
    ) -> Plan | None:
        """The checked plan; problems of objectives and rules are those of their lines."""
        whole: list[Step] = []
        where = [*((*place, "objective") for place, _ in steps), ("objective",)]
        for count, place in enumerate(where, start=1):
            # Step by step, so that each problem has its line; what is bound already is not bound again.
            rest = objective if count > len(steps) else None
            whole, problems = bound(pool, [*whole, *(step for _, step in steps[len(whole) : count])], rest)
            for problem in problems:
                self.problem(place, problem)
            if problems:
                return None
        objective = whole.pop().objective if objective is not None else None
        places = {f"The step '{step.name}'": place for place, step in steps}
        places |= {f"The rule of the step '{step.name}'": (*place, "keep") for place, step in steps}
        try:
            return planned(pool, whole, objective, targets)
        except InputError as error:
            for line in str(error).splitlines():
                starts = next((place for text, place in places.items() if line.startswith(text)), None)
                about = ("targets",) if "gives the property" in line or line.startswith("Target") else ("screen",)
                self.problem(starts or about, line)
            return None

    def _active(
        self,
        pool: Pool,
        steps: Sequence[Step],
        objective: Objective | None,
        surrogate: Surrogate | None,
        targets: Targets,
        *,
        settings: ScreenSettings,
        seed: int,
    ) -> ActiveScreen | None:
        try:
            return ActiveScreen.planned(pool, steps, objective, surrogate, targets, settings=settings, seed=seed)
        except InputError as error:
            self.problem(("screen", "budget"), str(error))
            return None

    def _bound(self, stage: Stage, pool: Pool, targets: Targets) -> Stage:
        knowing = stage.objective.for_columns(pool.columns)
        for problem in knowing.check(pool.columns):
            self.problem(("objective",), problem)
        known = [target for target in targets if target.property in knowing.properties]
        try:
            _ = Targets(*known).in_units(knowing.properties) if known else None
        except InputError as error:
            self.problem(("objective",), str(error))
        return replace(stage, objective=knowing)


def _with(objective: Objective | None, surrogate: Any) -> Any:
    """A surrogate objective without a model of its own with that of the file; any other unchanged."""
    if isinstance(objective, SurrogateObjective) and objective.surrogate is None and surrogate is not None:
        return replace(objective, surrogate=surrogate)
    return objective
