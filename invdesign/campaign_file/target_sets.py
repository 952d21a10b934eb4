"""Sets of targets: a list, or several lists by name, in a campaign file or in a file of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from invdesign.campaign_file import lines as yaml_lines
from invdesign.campaign_file.consent import Consent
from invdesign.campaign_file.lines import FileError, Place
from invdesign.campaign_file.sections import SectionReader
from invdesign.campaign_file.target_section import TargetSettings, with_long_words
from invdesign.core.errors import InputError, nearest
from invdesign.targets import Target, Targets

ONLY = ""
"""Name of the targets of a file that has a single list."""


def read_targets(path: str | Path, targets_set: str | None = None) -> Targets:
    """Reads targets from a separate file; see ``read_target_sets``.

    Args:
        path: of the file.
        targets_set: name of the set; the first, or the only one, if None.

    Raises:
        FileError: naming every problem with its line.
        InputError: if the set is unknown.
    """
    return chosen(read_target_sets(path), targets_set)


def chosen(sets: Mapping[str, Targets], name: str | None) -> Targets:
    """Returns the targets of a name, or the first ones for None.

    Raises:
        InputError: if the name is unknown.
    """
    if name is None:
        return next(iter(sets.values()))
    if name not in sets:
        what = "The file has a single list of targets." if list(sets) == [ONLY] else nearest(name, sets).strip()
        raise InputError(f"Unknown set of targets '{name}'. {what}".rstrip())
    return sets[name]


def read_target_sets(path: str | Path) -> dict[str, Targets]:
    """Reads all targets of a separate file: a list, a mapping from names to lists, or either under ``targets``.

    Returns:
        The sets by name, in their order; a single list has the name ''.

    Raises:
        FileError: naming every problem with its line.
    """
    document = yaml_lines.read(path)
    reader = TargetReader(document, Consent(document, everything=False))
    data: Any = reader.document.data
    place: Place = ()
    if isinstance(data, dict) and "targets" in data:
        unknown = [key for key in data if key != "targets"]
        for key in unknown:
            reader.problem((key,), f"'{key}' is unknown in a target file.{nearest(key, ['targets'])}")
        data, place = data["targets"], ("targets",)
    sets = reader.target_sets(data, place)
    if reader.problems or sets is None:
        raise FileError(path, reader.problems)
    return sets


class TargetReader(SectionReader):
    """Reads targets of a file."""

    def targets_section(self, data: Any) -> dict[str, Targets] | None:
        """Reads the sets of targets from the file itself, or from the file that it refers to."""
        if not isinstance(data, str):
            return self.target_sets(data, ("targets",))
        try:
            return read_target_sets(self._resolve(data))
        except FileError as error:
            for problem in error.problems:
                self.problem(("targets",), f"{error.path}:{problem.line}: {problem.message}")
        except InputError as error:
            self.problem(("targets",), str(error))
        return None

    def target_sets(self, data: Any, place: Place) -> dict[str, Targets] | None:
        """Reads a list of targets, whose name is '', or a mapping from names to lists."""
        if not isinstance(data, dict) or not data:
            only = self.targets(data, place)
            return None if only is None else {ONLY: only}
        sets = {str(name): self.targets(listed, (*place, name)) for name, listed in data.items()}
        whole = {name: found for name, found in sets.items() if found is not None}
        return whole if len(whole) == len(sets) else None

    def targets(self, data: Any, place: Place) -> Targets | None:
        """Reads a list of targets."""
        if not isinstance(data, list) or not data:
            self.problem(place, "targets must be a list, such as - {property: voltage, at_least: 3.7, unit: V}.")
            return None
        found: list[Target] = []
        for number, entry in enumerate(data):
            settings = self.settings(TargetSettings, with_long_words(entry), (*place, number))
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
