"""Reads a campaign file, checks it as a whole, and builds the objects that it describes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from invdesign.campaign.binding import Bindings
from invdesign.campaign.stage import Stage
from invdesign.campaign.stop import Stop
from invdesign.campaign_file import lines as yaml_lines
from invdesign.campaign_file.consent import Consent, ConsentError
from invdesign.campaign_file.fidelity_section import with_fidelities
from invdesign.campaign_file.file import CampaignFile
from invdesign.campaign_file.header import VERSION, Budget, Header
from invdesign.campaign_file.lines import FileError, Place
from invdesign.campaign_file.objective_section import read_objectives
from invdesign.campaign_file.sections import SectionReader
from invdesign.campaign_file.target_sets import ONLY, TargetReader, chosen
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import setting_names
from invdesign.core.text_files import is_file
from invdesign.objectives.base import DISTANCE, Objective
from invdesign.objectives.predicted import predicted_properties
from invdesign.space import Constraint, Parameter, SearchSpace
from invdesign.surrogates.classifiers import Classifier
from invdesign.surrogates.gaussian_process.surrogate import FEWEST_VALUES, GaussianProcess
from invdesign.surrogates.per_property import PerProperty
from invdesign.targets import Targets

if TYPE_CHECKING:
    from invdesign.campaign.execution.settings import ExecutorSettings
    from invdesign.optimizers import Optimizer
    from invdesign.surrogates.base import Surrogate

Read = TypeVar("Read")
SECTIONS = (
    "campaign",
    "version",
    "seed",
    "space",
    "constraints",
    "targets",
    "objective",
    "surrogate",
    "optimizer",
    "budget",
    "data",
    "stop",
    "store",
    "workers",
    "executor",
    "screen",
)
REQUIRED = ("campaign", "space", "targets")
MOST_CONSTRAINTS = 100
"""So that a feasible candidate is found, or missing, within some ten seconds."""


def read_campaign(
    path: str | Path, *, allow_code: bool = False, store: str | Path | None = None, targets_set: str | None = None
) -> CampaignFile:
    """Reads and checks a campaign file, which imports the code that it names.

    Code (functions, programs, calculators), and files and stores outside of the file's folder, need the user's consent:
    ``allow_code``, or an earlier ``invdesign allow``. Without it nothing of them is run or read.

    Args:
        path: of the file.
        allow_code: whether the caller consents to all that the file does.
        store: place of the campaign's store, instead of the one that the file names.
        targets_set: name of the targets to search, if the file has several sets; the first if None.

    Raises:
        FileError: naming every problem with its line.
        ConsentError: a FileError; names what the file would do without consent.
    """
    document = yaml_lines.read(path)
    reader = CampaignReader(document, Consent(document, allow_code))
    return with_consent(reader, lambda: reader.campaign(None if store is None else str(store), targets_set))


def with_consent(reader: SectionReader, read: Callable[[], Read]) -> Read:
    """Reads a file; if consent was missing for anything in it, that is the problem, whatever else there is.

    Args:
        reader: of the file.
        read: reads it by the reader.

    Raises:
        FileError: naming every problem with its line.
        ConsentError: a FileError; names what the file would do without consent.
    """
    try:
        found = read()
    except FileError:
        if not reader.consent.refused:
            raise
    else:
        if not reader.consent.refused:
            return found
    raise ConsentError(reader.document.path, reader.problems, reader.consent.refused)


class CampaignReader(TargetReader):
    """Reads a whole campaign file."""

    def campaign(self, store: str | None, targets_set: str | None) -> CampaignFile:
        """Reads every section, with a store instead of the file's own; raises FileError if there was any problem."""
        data = self.begin(REQUIRED)
        header = self.header(data)
        if header is not None:
            header = replace(header, store=store) if store is not None else header
            if store is None:
                self.check_store(header.store or f"{header.campaign}.db")
        executor = self.executor(data)
        budget = self.settings(Budget, data.get("budget") or {}, ("budget",))
        space = self.space(data.get("space"), data.get("constraints")) if "space" in data else None
        space = with_fidelities(self, data.get("objective"), space) if space is not None else None
        sets = self.targets_section(data["targets"]) if "targets" in data else None
        bindings = Bindings(space) if space is not None else None
        objective, stages = (
            self.objectives(data["objective"], bindings, budget or Budget()) if "objective" in data else (None, ())
        )
        surrogate = self.built("surrogate", data.get("surrogate", {"type": "gaussian-process"}), ("surrogate",))
        if surrogate is not None and sets:
            self.check_surrogate(surrogate, sets, objective)
        optimizer = self.optimizer(data.get("optimizer", {"type": "bayesian"}), surrogate or GaussianProcess(), space)
        measured = self.data_files(data.get("data"))
        stop = self.settings(Stop, data.get("stop") or {}, ("stop",))
        for name, one in (sets or {}).items():
            self.compare(one, ("targets", name) if name else ("targets",), objective, stages)
        if budget is not None and budget.initial > budget.evaluations:
            self.problem(
                ("budget", "initial"),
                f"initial ({budget.initial}) exceeds evaluations ({budget.evaluations}), which includes the "
                f"initial candidates.",
            )
        if budget is not None and budget.cost is not None and space is not None:
            self.check_cost(budget, space)
        if budget is not None and budget.in_flight is not None and header is not None:
            self.check_in_flight(budget, alone=executor is None and header.workers == 1)
        targets = None
        try:
            targets = chosen(sets, targets_set) if sets else None
        except InputError as error:
            self.problem(("targets",), str(error))
        if self.problems or not (header and budget and space and bindings and sets and targets and optimizer):
            raise FileError(self.document.path, self.problems)
        named = {} if ONLY in sets else sets
        return CampaignFile(
            self.document,
            header,
            space,
            targets,
            objective,
            stages,
            surrogate,
            optimizer,
            budget,
            bindings,
            executor,
            measured,
            named,
            stop,
        )

    def begin(self, required: Sequence[str]) -> dict[str, Any]:
        """The file as a mapping of known sections in a known version, with those that are required.

        Raises:
            FileError: if it is not a mapping, or of a later version.
        """
        data = self.document.data
        if not isinstance(data, dict):
            self.problem((), f"A campaign file must be a mapping with the keys {', '.join(required)} and others.")
            raise FileError(self.document.path, self.problems)
        written = data.get("version")
        if isinstance(written, int) and written > VERSION:
            message = (
                f"This file has version {written}; this invdesign reads versions up to {VERSION}. Upgrade invdesign."
            )
            self.problem(("version",), message)
            raise FileError(self.document.path, self.problems)
        for key in data:
            if key not in SECTIONS:
                self.problem((key,), f"Unknown section '{key}'.{nearest(key, SECTIONS)}")
        for key in required:
            if key not in data:
                self.problem((), f"The section '{key}' is missing.")
        return data

    def header(self, data: dict[str, Any]) -> Header | None:
        """Reads the entries that are single values."""
        return self.settings(Header, {key: data[key] for key in setting_names(Header) if key in data}, ())

    def executor(self, data: dict[str, Any]) -> ExecutorSettings | None:
        """Reads where evaluations run; None for the processes of ``workers``."""
        if "executor" not in data:
            return None
        if "workers" in data:
            self.problem(("workers",), "The executor has its own number of workers. Remove 'workers'.")
        found: ExecutorSettings | None = self.built("executor", data["executor"], ("executor",))
        try:
            for request in found.requests if found is not None else ():
                self.consent.ask(request)
        except InputError as error:
            self.problem(("executor",), str(error))
        return found

    def check_store(self, store: str) -> None:
        """Checks that the store is in the file's folder or the working directory, or that the user consents."""
        try:
            self.consent.ask_store(store)
        except InputError as error:
            self.problem(("store",), str(error))

    def space(self, data: Any, constraints: Any) -> SearchSpace | None:
        """Reads parameters and constraints."""
        if not isinstance(data, dict) or not data:
            self.problem(
                ("space",), "space must be a mapping of parameters, such as x: {type: continuous, low: 0, high: 1}."
            )
            return None
        parameters = {name: self.built("parameter", entry, ("space", name)) for name, entry in data.items()}
        whole: dict[str, Parameter] = {name: found for name, found in parameters.items() if found is not None}
        listed = self.constraints(constraints)
        if len(whole) < len(parameters):
            return None
        try:
            return SearchSpace(whole, constraints=[constraint for _, constraint in listed])
        except InputError as error:
            for line in str(error).splitlines():
                named = [place for place, constraint in listed if f"'{constraint}'" in line]
                about = [("space", name) for name in whole if line.startswith(f"'{name}'")]
                self.problem(next(iter([*named, *about]), ("constraints",) if listed else ("space",)), line)
            return None

    def constraints(self, data: Any) -> list[tuple[Place, Constraint]]:
        """Reads the list of constraints."""
        if data is None:
            return []
        if not isinstance(data, list):
            self.problem(("constraints",), "constraints must be a list of expressions, such as - x + y <= 1.")
            return []
        if len(data) > MOST_CONSTRAINTS:
            self.problem(("constraints",), f"A space takes at most {MOST_CONSTRAINTS} constraints, not {len(data)}.")
            return []
        read: list[tuple[Place, Constraint]] = []
        for number, text in enumerate(data):
            try:
                read.append((("constraints", number), Constraint(text)))
            except InputError as error:
                self.problem(("constraints", number), str(error))
        return read

    def data_files(self, data: Any) -> tuple[Path, ...]:
        """Reads the names of one or several files with results that were measured before."""
        listed = data if isinstance(data, list) else [] if data is None else [data]
        found = []
        for number, text in enumerate(listed):
            place: Place = ("data", number) if isinstance(data, list) else ("data",)
            try:
                path = Path(self._resolve(text)) if isinstance(text, str) else None
            except InputError as error:
                self.problem(place, str(error))
                continue
            if path is None or not is_file(path):
                self.problem(
                    place, f"data must name a table of results, such as measured.csv; {text!r} does not exist."
                )
            else:
                found.append(path)
        return tuple(found)

    def objectives(
        self, data: Any, bindings: Bindings | None, budget: Budget
    ) -> tuple[Objective | None, tuple[Stage, ...]]:
        """Reads the objective of the search, and the stages that verify."""
        return read_objectives(self, data, bindings, evaluations=budget.evaluations, initial=budget.initial)

    def optimizer(self, data: Any, surrogate: Any, space: SearchSpace | None) -> Optimizer | None:
        """Reads the optimizer, gives it the surrogate if it uses one, and checks it against the space."""
        from invdesign.optimizers.base import optimizer_problems, with_surrogate

        optimizer: Optimizer | None = self.built("optimizer", data, ("optimizer",))
        if optimizer is None:
            return None
        optimizer = with_surrogate(optimizer, surrogate)
        if space is not None:
            for problem in optimizer_problems(optimizer, space):
                self.problem(("optimizer",), problem)
        return optimizer

    def check_in_flight(self, budget: Budget, *, alone: bool) -> None:
        """Compares ``in_flight`` with the batch and with where evaluations run.

        Args:
            budget: with ``in_flight``.
            alone: whether they run one after the other in this process.
        """
        if budget.batch > 1:
            self.problem(("budget", "batch"), "batch and in_flight exclude each other. Remove one of them.")
        if alone:
            message = "in_flight needs processes to evaluate in. Set workers, or an executor."
            self.problem(("budget", "in_flight"), message)

    def check_surrogate(self, surrogate: Surrogate, sets: Mapping[str, Targets], objective: Objective | None) -> None:
        """Checks that surrogates by name are for properties of targets, and that classifiers get classes to learn.

        A campaign that searches a model learns its predictions, which are probabilities instead of 0 and 1.
        """
        names = list(dict.fromkeys(name for targets in sets.values() for name in targets.properties))
        if isinstance(surrogate, PerProperty):
            try:
                surrogate.check_names(names)
            except InputError as error:
                self.problem(("surrogate",), str(error))
        predicted = predicted_properties(objective)
        for name in names:
            own = surrogate.surrogate_of(name) if isinstance(surrogate, PerProperty) else surrogate
            if isinstance(own, Classifier) and name in predicted:
                self.problem(
                    ("surrogate",),
                    f"The objective predicts '{name}' as a probability, but {type(own).__name__} learns only 0 and 1. "
                    "Use a regression here, such as gaussian-process; the classifier belongs to the objective.",
                )

    def check_cost(self, budget: Budget, space: SearchSpace) -> None:
        """Checks that a cost is only given for several fidelities, and that it pays for enough values to learn from."""
        place = ("budget", "cost")
        if space.fidelity is None:
            self.problem(place, "cost needs an objective with several fidelities. Use evaluations instead.")
            return
        target_cost = space.fidelity[1].costs[space.fidelity[1].target]
        if budget.cost is not None and budget.cost < FEWEST_VALUES * target_cost:
            least = f"at least {FEWEST_VALUES} evaluations at the target fidelity ({FEWEST_VALUES * target_cost:g})"
            self.problem(place, f"cost ({budget.cost:g}) is too low: a model needs {least}.")

    def compare(self, targets: Targets, place: Place, objective: Objective | None, stages: Sequence[Stage]) -> None:
        """Checks that the objective gives every target's property in a compatible unit, and no two exclude each other.

        Args:
            targets: one set of the file.
            place: of the set in the file.
            objective: of the search; None if a laboratory gives the values, in the units of the targets.
            stages: of the search.
        """
        before = len(self.problems)
        in_file = not isinstance(self.document.data["targets"], str)
        searched = {} if objective is None else objective.properties
        # The distance to the data of the search's model remains that of the search.
        kept = {DISTANCE: ""} if DISTANCE in searched else {}
        verified = [{**kept, **stage.objective.properties} for stage in stages]
        for properties in (searched, *verified) if objective is not None else ():
            for number, target in enumerate(targets):
                try:
                    Targets(target).in_units(properties)
                except InputError as error:
                    self.problem((*place, number) if in_file else ("targets",), str(error))
        if len(self.problems) > before:
            return
        try:
            targets.in_units(targets.units if objective is None else objective.properties)
        except InputError as error:
            self.problem(place if in_file else ("targets",), str(error))
