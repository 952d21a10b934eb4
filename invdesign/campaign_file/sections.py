"""Reading one section of a file: its settings checked, the object that it names built, what is wrong put in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from invdesign import datasets
from invdesign.campaign_file.lines import Document, Place, Problem
from invdesign.campaign_file.registry import REGISTRY, Section, builder, settings_model
from invdesign.core.errors import InputError, nearest

Settings = TypeVar("Settings", bound=BaseModel)


class SectionReader:
    """Turns a document into objects, collecting problems instead of stopping at the first.

    Args:
        document: the file.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []

    def problem(self, place: Place, message: str) -> None:
        """Notes what is wrong at a place."""
        self.problems.extend(Problem(self.document.line(place), line) for line in message.splitlines())

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
        owner = get_args(owner)[0] if get_origin(owner) is list else owner
    return [item.name for item in fields(owner)] if is_dataclass(owner) else list(owner.model_fields)
