"""The objective section of a campaign file: one objective, several for different properties, or verifying stages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from invdesign.campaign.binding import Bindings
from invdesign.campaign.stage import Stage, due_counts
from invdesign.campaign_file.fidelity_section import build_multi_fidelity, is_multi_fidelity
from invdesign.campaign_file.lines import Place
from invdesign.campaign_file.sections import SectionReader
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.objectives.base import Objective
from invdesign.objectives.combined import CombinedObjective

STAGE_KEYS = ("verify", "name")
TOP_PATTERN = "^top [1-9][0-9]*$"


@settings
class VerifySettings:
    """How a stage verifies. The text ``top N`` means one round of N."""

    top: int = bounded(ge=1)
    """Number of the best candidates that each round evaluates again."""
    rounds: int = bounded(default=1, ge=1)
    """How often the search stops to verify its best candidates. With more than one round, the verified values
    correct the values that the search continues with."""


def read_objectives(
    reader: SectionReader, data: Any, bindings: Bindings | None, *, evaluations: int, initial: int
) -> tuple[Objective | None, tuple[Stage, ...]]:
    """Reads one objective, or a list of which some verify the others; the reader collects the problems.

    Args:
        reader: of the file.
        data: the section.
        bindings: of the space that is searched; None if it could not be read.
        evaluations: of the budget.
        initial: of the budget.
    """
    entries = data if isinstance(data, list) else [data]
    searching: list[Objective] = []
    stages: list[tuple[Place, Stage]] = []
    for number, entry in enumerate(entries):
        place: Place = ("objective", number) if isinstance(data, list) else ("objective",)
        plain = {key: entry[key] for key in entry if key not in STAGE_KEYS} if isinstance(entry, dict) else entry
        objective = _built(reader, plain, place, bindings)
        if objective is None:
            continue
        if isinstance(entry, dict) and "verify" in entry and not is_multi_fidelity(entry):
            settings = _verification(reader, entry["verify"], (*place, "verify"))
            name = str(entry.get("name", f"{entry['type']} {len(stages) + 1}"))
            stages += [(place, Stage(name, objective, settings.top, settings.rounds))] if settings else []
        else:
            searching.append(objective)
    if not searching:
        if not reader.problems:
            reader.problem(
                ("objective",),
                "Every objective is a verifying stage. At least one must be "
                "without verify, to give the values of the search.",
            )
        return None, ()
    try:
        search = searching[0] if len(searching) == 1 else CombinedObjective(tuple(searching))
    except InputError as error:
        reader.problem(("objective",), str(error))
        return None, ()
    if bindings is not None and len(searching) > 1:
        bindings.joined(search, tuple(searching))
    _check_stages(reader, stages, search.properties, evaluations=evaluations, initial=initial)
    return search, tuple(stage for _, stage in stages)


def _built(reader: SectionReader, data: Any, place: Place, bindings: Bindings | None) -> Objective | None:
    objective: Objective | None = (
        build_multi_fidelity(reader, data) if is_multi_fidelity(data) else reader.built("objective", data, place)
    )
    if objective is None or bindings is None:
        return objective
    binding = bindings.of(objective)
    for problem in binding.problems:
        reader.problem(place, problem)
    return binding.objective


def _verification(reader: SectionReader, data: Any, place: Place) -> VerifySettings | None:
    if isinstance(data, dict):
        return reader.settings(VerifySettings, data, place)
    words = str(data).split()
    if len(words) == 2 and words[0] == "top" and words[1].isdecimal() and int(words[1]) > 0:
        return VerifySettings(top=int(words[1]))
    reader.problem(
        place,
        "verify must be the number of the best candidates, such as 'top 10', or {top: 10, rounds: 3} to "
        "correct the search "
        f"three times, not {data!r}.",
    )
    return None


def _check_stages(
    reader: SectionReader,
    stages: Sequence[tuple[Place, Stage]],
    units: Mapping[str, str],
    *,
    evaluations: int,
    initial: int,
) -> None:
    """Notes stages that share a name, have incompatible units, or ask for rounds that are not possible."""
    names: set[str] = set()
    correcting = ""
    for place, stage in stages:
        if stage.name in names:
            reader.problem((*place, "name"), f"Two stages have the name '{stage.name}'. Rename one of them.")
        names.add(stage.name)
        for name, unit in stage.objective.properties.items():
            if units.get(name, unit) != unit:
                message = f"'{name}' is in '{unit}' here and in '{units[name]}' in the search. Use the same unit."
                reader.problem(place, message)
        if stage.rounds == 1:
            continue
        if correcting:
            message = f"The stage '{correcting}' already corrects the search. Only one stage may have rounds."
            reader.problem((*place, "verify", "rounds"), message)
        correcting = stage.name
        try:
            due_counts(evaluations, initial=initial, rounds=stage.rounds)
        except InputError as error:
            reader.problem((*place, "verify", "rounds"), str(error))
