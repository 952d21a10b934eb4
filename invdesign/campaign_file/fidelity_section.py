"""The multi-fidelity objective of a campaign file: the fidelity column of the space, and the objective itself."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, ValidationError

from invdesign.campaign_file.lines import Place
from invdesign.campaign_file.sections import SectionReader
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, from_mapping, settings
from invdesign.objectives.base import Objective
from invdesign.objectives.fidelity import MultiFidelityObjective
from invdesign.space import Fidelity, SearchSpace

WORD = "multi-fidelity"


@settings
class FidelitySettings:
    """One fidelity."""

    name: Annotated[str, Field(min_length=1)]
    """Name of the fidelity, as it appears in the candidates' fidelity column."""
    objective: dict[str, Any]
    """Objective that gives the values of this fidelity."""
    cost: float = bounded(gt=0)
    """Cost of one evaluation, in any unit."""


@settings
class MultiFidelitySettings:
    """The same properties at several fidelities, from the cheapest to the target fidelity.

    The space gets a fidelity column. A Gaussian process learns all fidelities together, and the Bayesian optimizer
    chooses the fidelity of each candidate by cost; other optimizers ask for the target fidelity.
    """

    type: Annotated[str, Field(pattern=f"^{WORD}$")]
    """The word ``multi-fidelity``."""
    fidelities: Annotated[list[FidelitySettings], Field(min_length=2)]
    """The fidelities, cheapest first."""
    column: str = "fidelity"
    """Name of the fidelity column."""


def is_multi_fidelity(data: Any) -> bool:
    """Whether an objective section describes a multi-fidelity objective."""
    return isinstance(data, dict) and data.get("type") == WORD


def with_fidelities(reader: SectionReader, data: Any, space: SearchSpace) -> SearchSpace | None:
    """Adds the fidelity column of an objective section to the space.

    Args:
        reader: of the file; it collects the problems.
        data: the objective section.
        space: what the file's own section says.

    Returns:
        The space itself if the section has no fidelities; None if something is wrong with them.
    """
    entries = data if isinstance(data, list) else [data]
    if not any(map(is_multi_fidelity, entries)):
        return space
    if isinstance(data, list):
        place: Place = ("objective", next(number for number, entry in enumerate(data) if is_multi_fidelity(entry)))
        reader.problem(
            place,
            "A multi-fidelity objective cannot be combined with others: its target fidelity verifies the lower ones.",
        )
        return None
    settings = reader.settings(MultiFidelitySettings, data, ("objective",))
    if settings is None:
        return None
    names = [fidelity.name for fidelity in settings.fidelities]
    for number, name in enumerate(names):
        if name in names[:number]:
            reader.problem(("objective", "fidelities", number, "name"), f"Two fidelities have the name '{name}'.")
            return None
    if settings.column in space.parameters:
        reader.problem(
            ("space", settings.column),
            f"'{settings.column}' is both a parameter and the name of the fidelity column. Rename one of them, "
            "such as column: theory in the objective.",
        )
        return None
    try:
        fidelity = Fidelity({one.name: one.cost for one in settings.fidelities})
        return SearchSpace({**space.parameters, settings.column: fidelity}, constraints=space.constraints)
    except InputError as error:
        reader.problem(("objective", "fidelities"), str(error))
        return None


def build_multi_fidelity(reader: SectionReader, data: Any) -> MultiFidelityObjective | None:
    """Builds the multi-fidelity objective after ``with_fidelities`` has found no problem; notes further problems."""
    try:
        settings = from_mapping(MultiFidelitySettings, data)
    except ValidationError:
        return None
    places: list[Place] = [
        ("objective", "fidelities", number, "objective") for number in range(len(settings.fidelities))
    ]
    made: list[Objective | None] = [
        reader.built("objective", one.objective, place) for one, place in zip(settings.fidelities, places, strict=True)
    ]
    whole = {one.name: found for one, found in zip(settings.fidelities, made, strict=True) if found is not None}
    if len(whole) < len(settings.fidelities):
        return None
    try:
        return MultiFidelityObjective(whole, settings.column)
    except InputError as error:
        reader.problem(("objective", "fidelities"), str(error))
        return None
