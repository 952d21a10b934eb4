"""The campaign file: read, checked as a whole before anything runs, and turned into the objects that it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from invdesign import datasets, yaml_lines
from invdesign.registry import REGISTRY, Section, builder, settings_model
from invdesign.space import Constraint, Parameter, SearchSpace
from invdesign.target_section import TargetSettings
from invdesign.targets import Target, Targets
from invdesign.yaml_lines import Document, FileError, Place, Problem
from objectives.base import Objective
from objectives.combined import CombinedObjective
from surrogates.errors import InputError, nearest
from surrogates.gaussian_process import GaussianProcess

if TYPE_CHECKING:
    from invdesign.campaign import Campaign
    from invdesign.optimizers import Optimizer
    from surrogates.base import Surrogate

Settings = TypeVar("Settings", bound=BaseModel)
SECTIONS = (
    "campaign",
    "seed",
    "space",
    "constraints",
    "targets",
    "objective",
    "surrogate",
    "optimizer",
    "budget",
    "store",
    "workers",
)
REQUIRED = ("campaign", "space", "targets")
STAGE_KEYS = ("verify", "name")
NAME_PATTERN = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"


class Budget(BaseModel):
    """How many candidates: at first, in all, and at once."""

    model_config = ConfigDict(extra="forbid")

    initial: int = Field(10, ge=1, description="Candidates spread over the space before the optimizer takes over.")
    evaluations: int = Field(50, ge=1, description="Candidates in all, the initial ones included.")
    batch: int = Field(1, ge=1, description="Candidates proposed at once.")


class Header(BaseModel):
    """The parts of a campaign file that are single values."""

    model_config = ConfigDict(extra="forbid")

    campaign: str = Field(pattern=NAME_PATTERN, max_length=100, description="Name: letters, digits and . _ -")
    seed: int = Field(0, ge=0, description="All randomness comes from it.")
    store: str | None = Field(None, description="File or database URL; NAME.db in the working folder where missing.")
    workers: int = Field(1, ge=1, description="Processes that evaluate candidates.")


@dataclass(frozen=True)
class Stage:
    """A verifying objective.

    Attributes:
        name: under which its values are kept.
        objective: the truer source of values.
        top: how many of the best candidates it evaluates.
    """

    name: str
    objective: Objective
    top: int


@dataclass(frozen=True)
class CampaignFile:
    """A checked campaign file.

    Attributes:
        document: the file itself.
        header: name, seed, store, workers.
        space: what can be searched.
        targets: what is wanted.
        objective: where property values come from; None where only a laboratory answers, by ask and tell.
        stages: objectives that verify the best candidates.
        surrogate: the model of the properties.
        optimizer: how candidates are proposed.
        budget: how many.
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

    def open(self, store: str | Path | None = None) -> Campaign:
        """Opens the campaign, in the store that the file names where no other is given; a new one where none is there.

        Raises:
            InputError: where the store holds another campaign of this name.
        """
        from invdesign.campaign import Campaign

        return Campaign(
            self.space,
            self.targets,
            optimizer=self.optimizer,
            store=store or self.store,
            seed=self.header.seed,
            name=self.header.campaign,
            initial=self.budget.initial,
        )

    @property
    def store(self) -> str:
        """Where the file keeps its campaign: the place that it names, or ``NAME.db`` in the working folder."""
        return self.header.store or f"{self.header.campaign}.db"


def read_campaign(path: str | Path) -> CampaignFile:
    """Reads and checks a campaign file.

    Raises:
        FileError: naming every problem with its line.
    """
    return _Reader(yaml_lines.read(path)).campaign()


def read_targets(path: str | Path) -> Targets:
    """Reads targets from a file of their own: a list, or a mapping with the key ``targets``.

    Raises:
        FileError: naming every problem with its line.
    """
    reader = _Reader(yaml_lines.read(path))
    data: Any = reader.document.data
    place: Place = ()
    if isinstance(data, dict):
        unknown = [key for key in data if key != "targets"]
        for key in unknown:
            reader.problem((key,), f"'{key}' is not known in a target file.{nearest(key, ['targets'])}")
        data, place = data.get("targets"), ("targets",)
    targets = reader.targets(data, place)
    if reader.problems or targets is None:
        raise FileError(path, reader.problems)
    return targets


class _Reader:
    """Turns a document into objects, collecting problems instead of stopping at the first."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def problem(self, place: Place, message: str) -> None:
        """Notes what is wrong at a place."""
        self.problems.extend(Problem(self.document.line(place), line) for line in message.splitlines())

    def campaign(self) -> CampaignFile:
        """Reads every section; raises FileError at the end where anything was wrong."""
        data = self.document.data
        if not isinstance(data, dict):
            self.problem((), f"A campaign file is a mapping with the keys {', '.join(REQUIRED)} and more.")
            raise FileError(self.document.path, self.problems)
        for key in data:
            if key not in SECTIONS:
                self.problem((key,), f"'{key}' is not known here.{nearest(key, SECTIONS)}")
        for key in REQUIRED:
            if key not in data:
                self.problem((), f"The key '{key}' is missing.")
        header = self.settings(Header, {key: data[key] for key in Header.model_fields if key in data}, ())
        budget = self.settings(Budget, data.get("budget") or {}, ("budget",))
        space = self.space(data.get("space"), data.get("constraints")) if "space" in data else None
        targets = self.targets_section(data["targets"]) if "targets" in data else None
        objective, stages = self.objectives(data["objective"], space) if "objective" in data else (None, ())
        surrogate = self.built("surrogate", data.get("surrogate", {"type": "gaussian-process"}), ("surrogate",))
        optimizer = self.optimizer(data.get("optimizer", {"type": "bayesian"}), surrogate or GaussianProcess())
        if objective is not None and targets is not None:
            self.compare(targets, objective, stages)
        if budget is not None and budget.initial > budget.evaluations:
            self.problem(
                ("budget", "initial"),
                f"initial ({budget.initial}) is more than evaluations ({budget.evaluations}), which counts them too.",
            )
        if self.problems or not (header and budget and space and targets and optimizer):
            raise FileError(self.document.path, self.problems)
        return CampaignFile(self.document, header, space, targets, objective, stages, surrogate, optimizer, budget)

    def settings(self, model: type[Settings], data: Any, place: Place) -> Settings | None:
        """Checks a mapping against what it may say; None where it says something else."""
        if not isinstance(data, dict):
            self.problem(place, f"A mapping is needed here, such as {{{next(iter(model.model_fields))}: ...}}.")
            return None
        try:
            return model.model_validate(data, strict=None)
        except ValidationError as error:
            for detail in error.errors():
                where = (*place, *_within(data, detail["loc"]))
                self.problem(where, _words(detail, model))
            return None

    def built(self, section: Section, data: Any, place: Place) -> Any:
        """Builds the object that a mapping with a ``type`` names; None where that fails."""
        if not isinstance(data, dict) or "type" not in data:
            example = next(iter(REGISTRY[section]))
            self.problem(place, f"A mapping with a type is needed here, such as {{type: {example}, ...}}.")
            return None
        try:
            model = settings_model(section, str(data["type"]))
        except InputError as error:
            self.problem((*place, "type"), str(error))
            return None
        given = self.settings(model, data, place)
        if given is None:
            return None
        values = {name: getattr(given, name) for name in given.model_fields_set if name != "type"}
        if isinstance(values.get("surrogate"), dict):
            values["surrogate"] = self.built("surrogate", values["surrogate"], (*place, "surrogate"))
            if values["surrogate"] is None:
                return None
        try:
            made = builder(section, str(data["type"]))(**self._resolved(values))
            # What has paths of its own, such as a program's words, takes them from the file's folder itself.
            return made.beside(self.document.path.parent) if hasattr(made, "beside") else made
        except InputError as error:
            self.problem(place, str(error))
            return None

    def _resolved(self, values: dict[str, Any]) -> dict[str, Any]:
        """Datasets become paths, and relative paths of files are taken from the campaign file's folder."""
        resolved = dict(values)
        for name in ("data", "pool", "function", "seeds"):
            text = values.get(name)
            if isinstance(text, str) and text.startswith(datasets.PREFIX):
                resolved[name] = str(datasets.resolve(text))
            elif (isinstance(text, str) and (self.document.path.parent / text.rpartition(":")[0]).is_file()) or (
                isinstance(text, str) and (self.document.path.parent / text).is_file()
            ):
                resolved[name] = str(self.document.path.parent / text)
        for name, value in values.items():
            if is_dataclass(value) and not isinstance(value, type) and hasattr(value, "data"):
                resolved[name] = replace(value, **self._resolved({"data": value.data}))
        return resolved

    def space(self, data: Any, constraints: Any) -> SearchSpace | None:
        """Reads parameters and constraints."""
        if not isinstance(data, dict) or not data:
            self.problem(("space",), "space names the parameters, such as x: {type: continuous, low: 0, high: 1}.")
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
            self.problem(("constraints",), "constraints is a list of expressions, such as - x + y <= 1.")
            return []
        read: list[tuple[Place, Constraint]] = []
        for number, text in enumerate(data):
            try:
                read.append((("constraints", number), Constraint(text)))
            except InputError as error:
                self.problem(("constraints", number), str(error))
        return read

    def targets_section(self, data: Any) -> Targets | None:
        """Reads targets that stand in the file, or in the file that it names."""
        if not isinstance(data, str):
            return self.targets(data, ("targets",))
        try:
            return read_targets(self.document.path.parent / data)
        except FileError as error:
            for problem in error.problems:
                self.problem(("targets",), f"{error.path}:{problem.line}: {problem.message}")
            return None

    def targets(self, data: Any, place: Place) -> Targets | None:
        """Reads a list of targets."""
        if not isinstance(data, list) or not data:
            self.problem(place, "targets is a list, such as - {property: voltage, at_least: 3.7, unit: V}.")
            return None
        found: list[Target] = []
        for number, entry in enumerate(data):
            settings = self.settings(TargetSettings, entry, (*place, number))
            try:
                found += [settings.target()] if settings is not None else []
            except InputError as error:
                self.problem((*place, number), str(error))
        if len(found) < len(data):
            return None
        try:
            return Targets(*found)
        except InputError as error:
            self.problem(place, str(error))
            return None

    def objectives(self, data: Any, space: SearchSpace | None) -> tuple[Objective | None, tuple[Stage, ...]]:
        """Reads one objective, or a list of which some verify the others."""
        entries = data if isinstance(data, list) else [data]
        places: list[Place] = [
            ("objective", n) if isinstance(data, list) else ("objective",) for n in range(len(entries))
        ]
        searching: list[Objective] = []
        stages: list[Stage] = []
        for place, entry in zip(places, entries, strict=True):
            plain = {key: entry[key] for key in entry if key not in STAGE_KEYS} if isinstance(entry, dict) else entry
            objective = self.built("objective", plain, place)
            if objective is None:
                continue
            if space is not None:
                objective = objective.for_columns(space.columns)
                for problem in [*objective.check(space.columns), *space.clashes(objective.properties)]:
                    self.problem(place, problem)
            if isinstance(entry, dict) and "verify" in entry:
                top = self.top(entry["verify"], (*place, "verify"))
                name = str(entry.get("name", f"{entry['type']} {len(stages) + 1}"))
                stages.append(Stage(name, objective, top))
            else:
                searching.append(objective)
        if not searching:
            if not self.problems:
                self.problem(("objective",), "Every objective only verifies. One must give values to search by.")
            return None, ()
        try:
            return (searching[0] if len(searching) == 1 else CombinedObjective(tuple(searching))), tuple(stages)
        except InputError as error:
            self.problem(("objective",), str(error))
            return None, ()

    def top(self, text: Any, place: Place) -> int:
        """Reads ``top N``."""
        words = str(text).split()
        if len(words) == 2 and words[0] == "top" and words[1].isdecimal() and int(words[1]) > 0:
            return int(words[1])
        self.problem(place, f"verify says how many of the best candidates, such as 'top 10', not {text!r}.")
        return 1

    def optimizer(self, data: Any, surrogate: Any) -> Optimizer | None:
        """Reads the optimizer and gives it the surrogate, where it uses one."""
        optimizer: Optimizer | None = self.built("optimizer", data, ("optimizer",))
        if optimizer is not None and hasattr(optimizer, "surrogate"):
            optimizer = replace(optimizer, surrogate=surrogate)  # type: ignore[type-var]
        return optimizer

    def compare(self, targets: Targets, objective: Objective, stages: Sequence[Stage]) -> None:
        """Checks that every target's property is given, in a unit that fits."""
        in_file = not isinstance(self.document.data["targets"], str)
        for source in (objective, *(stage.objective for stage in stages)):
            for number, target in enumerate(targets):
                try:
                    Targets(target).in_units(source.properties)
                except InputError as error:
                    self.problem(("targets", number) if in_file else ("targets",), str(error))


def _within(data: Mapping[str, Any], location: tuple[str | int, ...]) -> Place:
    """The part of an error's location that exists in the data: pydantic adds words of its own for unions."""
    place: list[str | int] = []
    here: Any = data
    step: Any
    for step in location:
        in_list = isinstance(here, list) and isinstance(step, int) and step < len(here)
        if in_list or (isinstance(here, dict) and step in here):
            place.append(step)
            here = here[step]
    return tuple(place)


def _words(detail: Any, model: type[BaseModel]) -> str:
    """An error of pydantic's in our words: what is wrong and what would be right."""
    where = ".".join(str(step) for step in detail["loc"])
    if detail["type"] in ("extra_forbidden", "unexpected_keyword_argument"):
        word = str(detail["loc"][-1])
        return f"'{word}' is not known here.{nearest(word, _known_at(model, detail['loc']))}"
    if detail["type"] == "missing":
        return f"The key '{where}' is missing."
    message = detail["msg"].removeprefix("Value error, ")
    if not where:
        return f"{message[0].upper()}{message[1:]}."
    if detail["type"] == "value_error":  # said by our own classes, in whole sentences
        return f"{where}: {message}"
    return f"{where}: {message[0].lower()}{message[1:]}, not {detail['input']!r}."


def _known_at(model: type[BaseModel], location: tuple[str | int, ...]) -> list[str]:
    """The names that may stand at a place: the model's, or those of settings nested in it."""
    owner: Any = model
    for step in location[:-1]:
        field = getattr(owner, "model_fields", {}).get(step)
        owner = field.annotation if field is not None else owner
    return [item.name for item in fields(owner)] if is_dataclass(owner) else list(owner.model_fields)
