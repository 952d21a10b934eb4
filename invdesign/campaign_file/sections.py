"""Reads one section of a file: checks its settings, builds the object and reports problems in plain words."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from invdesign import datasets
from invdesign.campaign_file.consent import Consent
from invdesign.campaign_file.lines import Document, Place, Problem
from invdesign.core.errors import InputError
from invdesign.core.plugins import Section, built, by_name, known_words, settings_class
from invdesign.core.settings import FileContext, faults, from_mapping, setting_names
from invdesign.core.text_files import is_file
from invdesign.core.trust import within

Settings = TypeVar("Settings")


class SectionReader:
    """Turns a document into objects, collecting problems instead of stopping at the first.

    Args:
        document: the file.
        consent: to what it would do with the user's rights.
    """

    def __init__(self, document: Document, consent: Consent) -> None:
        self.document = document
        self.consent = consent
        self.problems: list[Problem] = []
        self.context = FileContext(document.path.parent, self._resolve, consent.ask)

    def problem(self, place: Place, message: str) -> None:
        """Adds a problem at a place in the file."""
        self.problems.extend(Problem(self.document.line(place), line) for line in message.splitlines())

    def settings(self, cls: type[Settings], data: Any, place: Place) -> Settings | None:
        """Builds settings from a mapping; None if they are invalid."""
        if not isinstance(data, dict):
            self.problem(place, f"This must be a mapping, such as {{{next(iter(setting_names(cls)))}: ...}}.")
            return None
        try:
            return from_mapping(cls, data, self.context)
        except ValidationError as error:
            for fault in faults(error, cls, data):
                self.problem((*place, *fault.place), fault.message)
            return None

    def built(self, section: Section, data: Any, place: Place) -> Any:
        """Builds the object that a mapping with a ``type`` names, or several by name; None if that fails."""
        group = by_name(section, data)
        if group is not None:
            each = {str(name): self.built(section, entry, (*place, name)) for name, entry in data.items()}
            return group(each) if all(one is not None for one in each.values()) else None
        if not isinstance(data, dict) or "type" not in data:
            example = next(iter(known_words(section)))
            self.problem(place, f"This must be a mapping with a type, such as {{type: {example}, ...}}.")
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
        # Objects with paths of their own, such as a program's arguments, resolve them relative to the file's folder.
        return made.beside(self.document.path.parent) if hasattr(made, "beside") else made

    def _resolve(self, text: str) -> str:
        """Path of a file given as ``dataset:NAME`` or relative to the campaign file; others need consent."""
        if text.startswith(datasets.PREFIX):
            return str(datasets.resolve(text))
        beside = self.document.path.parent / text
        place = beside if is_file(beside) else Path(text)
        if not within(place, self.document.path.parent):
            self.consent.ask(f"reads '{place}', which is outside of its folder")
        return str(place)
