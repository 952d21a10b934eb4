"""Reading one section of a file: its settings checked, the object that it names built, what is wrong put in words."""

from __future__ import annotations

from typing import Any, TypeVar

from pydantic import ValidationError

from invdesign import datasets
from invdesign.campaign_file.lines import Document, Place, Problem
from invdesign.core.errors import InputError
from invdesign.core.plugins import Section, built, known_words, settings_class
from invdesign.core.settings import FileContext, faults, from_mapping, setting_names

Settings = TypeVar("Settings")


class SectionReader:
    """Turns a document into objects, collecting problems instead of stopping at the first.

    Args:
        document: the file.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.problems: list[Problem] = []
        self.context = FileContext(document.path.parent, self._resolve)

    def problem(self, place: Place, message: str) -> None:
        """Notes what is wrong at a place."""
        self.problems.extend(Problem(self.document.line(place), line) for line in message.splitlines())

    def settings(self, cls: type[Settings], data: Any, place: Place) -> Settings | None:
        """Builds settings from a mapping; None where something does not fit."""
        if not isinstance(data, dict):
            self.problem(place, f"A mapping is needed here, such as {{{next(iter(setting_names(cls)))}: ...}}.")
            return None
        try:
            return from_mapping(cls, data, self.context)
        except ValidationError as error:
            for fault in faults(error, cls, data):
                self.problem((*place, *fault.place), fault.message)
            return None

    def built(self, section: Section, data: Any, place: Place) -> Any:
        """Builds the object that a mapping with a ``type`` names; None where that fails."""
        if not isinstance(data, dict) or "type" not in data:
            example = next(iter(known_words(section)))
            self.problem(place, f"A mapping with a type is needed here, such as {{type: {example}, ...}}.")
            return None
        try:
            cls = settings_class(section, str(data["type"]))
        except InputError as error:
            self.problem((*place, "type"), str(error))
            return None
        try:
            made = built(section, data, self.context)
        except ValidationError as error:
            for fault in faults(error, cls, data):
                self.problem((*place, *fault.place), fault.message)
            return None
        except InputError as error:
            self.problem(place, str(error))
            return None
        # What has paths of its own, such as a program's words, takes them from the file's folder itself.
        return made.beside(self.document.path.parent) if hasattr(made, "beside") else made

    def _resolve(self, text: str) -> str:
        """The path of a file that is named as ``dataset:NAME`` or relative to the campaign file."""
        if text.startswith(datasets.PREFIX):
            return str(datasets.resolve(text))
        beside = self.document.path.parent / text
        return str(beside) if beside.is_file() else text
