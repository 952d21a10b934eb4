"""An objective at several levels as a file writes it: the column of levels that the space gets, and the objective."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from invdesign.campaign_file.lines import Place
from invdesign.campaign_file.sections import SectionReader
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.objectives.fidelity import LevelsObjective
from invdesign.space import Level, SearchSpace

WORD = "levels"


class LevelSettings(BaseModel):
    """One level."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="Name of the level, as it stands in the candidates' column of levels.")
    cost: float = Field(gt=0, allow_inf_nan=False, description="What one evaluation costs, in any unit.")
    objective: dict[str, Any] = Field(description="Where values of this level come from.")


class LevelsSettings(BaseModel):
    """The same properties at several levels, the cheapest first and the truest last; the latter's values count.

    The space gets a column of levels. A Gaussian process learns all levels together, and the Bayesian optimizer chooses
    the level of each candidate by cost; other optimizers ask for the truest level.
    """

    model_config = ConfigDict(extra="forbid")

    type: str = Field(pattern=f"^{WORD}$")
    levels: list[LevelSettings] = Field(min_length=2)
    column: str = Field("level", description="Name of the column that tells the level.")


def is_levels(data: Any) -> bool:
    """Whether an objective section is one of several levels."""
    return isinstance(data, dict) and data.get("type") == WORD


def with_levels(reader: SectionReader, data: Any, space: SearchSpace) -> SearchSpace | None:
    """The space with the column of levels that an objective section asks for.

    Args:
        reader: of the file; what is wrong is noted in it.
        data: the objective section.
        space: what the file's own section says.

    Returns:
        The space itself where the section has no levels; None where something is wrong with them.
    """
    entries = data if isinstance(data, list) else [data]
    if not any(map(is_levels, entries)):
        return space
    if isinstance(data, list):
        place: Place = ("objective", next(number for number, entry in enumerate(data) if is_levels(entry)))
        reader.problem(place, "An objective by levels stands alone: the truest level verifies what the others tell.")
        return None
    settings = reader.settings(LevelsSettings, data, ("objective",))
    if settings is None:
        return None
    names = [level.name for level in settings.levels]
    for number, name in enumerate(names):
        if name in names[:number]:
            reader.problem(("objective", "levels", number, "name"), f"Two levels are called '{name}'.")
            return None
    if settings.column in space.parameters:
        reader.problem(
            ("space", settings.column),
            f"'{settings.column}' is a parameter, and the name of the column of levels. Give one of them another name, "
            "such as column: theory in the objective.",
        )
        return None
    try:
        level = Level({one.name: one.cost for one in settings.levels})
        return SearchSpace({**space.parameters, settings.column: level}, constraints=space.constraints)
    except InputError as error:
        reader.problem(("objective", "levels"), str(error))
        return None


def built_levels(reader: SectionReader, data: Any) -> LevelsObjective | None:
    """The objective by levels, once ``with_levels`` has found nothing wrong; what else is wrong is noted."""
    try:
        settings = LevelsSettings.model_validate(data)
    except ValidationError:
        return None
    places: list[Place] = [("objective", "levels", number, "objective") for number in range(len(settings.levels))]
    made: list[Objective | None] = [
        reader.built("objective", one.objective, place) for one, place in zip(settings.levels, places, strict=True)
    ]
    whole = {one.name: found for one, found in zip(settings.levels, made, strict=True) if found is not None}
    if len(whole) < len(settings.levels):
        return None
    try:
        return LevelsObjective(whole, settings.column)
    except InputError as error:
        reader.problem(("objective", "levels"), str(error))
        return None
