"""The objective section of a campaign file: one objective, several for different properties, or verifying stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from invdesign.campaign.binding import Bindings
from invdesign.campaign.stage import Stage, due_counts
from invdesign.campaign_file.fidelity_section import build_multi_fidelity, is_multi_fidelity
from invdesign.campaign_file.lines import Place
from invdesign.campaign_file.sections import SectionReader
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.objectives.base import DISTANCE, Objective
from invdesign.objectives.chain import beside, input_names, with_hints
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

    If one that gives values of the search cannot be read, nothing is returned: what the others do not give may be its
    properties, which is then no problem of its own.

    Args:
        reader: of the file.
        data: the section.
        bindings: of the space that is searched; None if it could not be read.
        evaluations: of the budget.
        initial: of the budget.
    """
    entries = data if isinstance(data, list) else [data]
    searching: list[tuple[Place, Objective]] = []
    verifying: list[tuple[Place, Objective, str, VerifySettings | None]] = []
    unread = 0
    for number, entry in enumerate(entries):
        place: Place = ("objective", number) if isinstance(data, list) else ("objective",)
        plain = {key: entry[key] for key in entry if key not in STAGE_KEYS} if isinstance(entry, dict) else entry
        objective = _built(reader, plain, place)
        verifies = isinstance(entry, dict) and "verify" in entry and not is_multi_fidelity(entry)
        if objective is None:
            unread += not verifies
        elif verifies:
            name = str(entry.get("name", f"{entry['type']} {len(verifying) + 1}"))
            verifying.append((place, objective, name, _verification(reader, entry["verify"], (*place, "verify"))))
        else:
            searching.append((place, objective))
    whole = len(searching) + len(verifying) == len(entries)
    if not searching:
        if not reader.problems:
            reader.problem(
                ("objective",),
                "Every objective is a verifying stage. At least one must be "
                "without verify, to give the values of the search.",
            )
        return None, ()
    bound = _bound(reader, searching, bindings, whole=whole)
    if bound is None or unread:
        return None, ()
    stages: list[tuple[Place, Stage]] = []
    known = {name for part in bound for name in part.properties if name != DISTANCE}
    for place, objective, name, wanted in verifying:
        if known.isdisjoint(objective.properties):
            reader.problem(
                place,
                f"The stage '{name}' verifies nothing: it gives {_listed(objective.properties)}, the search "
                f"{_listed(sorted(known))}. Use the same property.",
            )
            continue
        # A stage replaces the objectives that give its properties; the others give theirs as in the search.
        givers = beside(objective, bound)
        parts = [*((place, part) for part in givers), (place, objective)]
        made = _bound(reader, parts, bindings, whole=whole, reported=len(givers))
        if wanted is not None and made is not None:
            stages.append((place, Stage(name, _joined(made, bindings), wanted.top, wanted.rounds)))
    search = _joined(bound, bindings)
    _check_stages(reader, stages, search.properties, evaluations=evaluations, initial=initial)
    return search, tuple(stage for _, stage in stages)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(map(repr, names))


def _built(reader: SectionReader, data: Any, place: Place) -> Objective | None:
    objective: Objective | None = (
        build_multi_fidelity(reader, data) if is_multi_fidelity(data) else reader.built("objective", data, place)
    )
    return objective


def _bound(
    reader: SectionReader,
    placed: Sequence[tuple[Place, Objective]],
    bindings: Bindings | None,
    *,
    whole: bool,
    reported: int = 0,
) -> tuple[Objective, ...] | None:
    """The objectives bound to the space and to each other's properties; None if they do not fit together.

    Args:
        reader: of the file.
        placed: the objectives, each with its place in the file.
        bindings: of the space; None if it could not be read.
        whole: whether every entry of the section could be read; if not, inputs from the others are unknown.
        reported: how many of the first ones were bound before, so that their problems are reported already.
    """
    objectives = tuple(objective for _, objective in placed)
    try:
        chain = CombinedObjective(objectives)
    except InputError as error:
        reader.problem(("objective",), str(error))
        return None
    if bindings is None:
        return objectives
    bound = []
    for number, (place, objective) in enumerate(placed):
        columns = chain.columns_of(number, bindings.space.columns)
        binding = bindings.of(objective, columns)
        bound.append(binding.objective)
        if number >= reported and (whole or set(input_names(objective)) <= {column.name for column in columns}):
            for problem in with_hints(binding.problems, objective, columns, chain.properties):
                reader.problem(place, problem)
    return tuple(bound)


def _joined(parts: tuple[Objective, ...], bindings: Bindings | None) -> Objective:
    """The objective itself, or a combination of several, whose binding is noted."""
    if len(parts) == 1:
        return parts[0]
    combined = CombinedObjective(parts)
    if bindings is not None:
        bindings.joined(combined, parts)
    return combined


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
