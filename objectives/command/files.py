"""Files exchanged with a user's program: a new folder for each run with the candidate and the results."""

from __future__ import annotations

import csv
import hashlib
import json
import math
import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Self

from invdesign.core.errors import InputError, nearest

FileKind = Literal["csv", "json"]
PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")
SHOWN = 60


@dataclass(frozen=True)
class Exchange:
    """The files of one run.

    Attributes:
        folder: working directory of the program.
        candidate: the file with the candidate's parameters.
        results: the file that the program writes.
    """

    folder: Path
    candidate: Path
    results: Path

    @classmethod
    def fresh(cls, place: Path, label: object, row: Mapping[Any, Any], kind: FileKind) -> Self:
        """Creates a new folder, named after the candidate's number and its parameters.

        Args:
            place: the folder of all runs.
            label: the candidate's number.
            row: its parameters.
            kind: format of the files.

        Raises:
            OSError: if the folder cannot be created.
        """
        text = json.dumps({str(name): plain(value) for name, value in row.items()}, sort_keys=True)
        name = f"{re.sub(r'[^A-Za-z0-9-]', '_', str(label))}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        place.mkdir(parents=True, exist_ok=True)
        attempt = 1
        while True:
            folder = place / f"{name}-run{attempt}"
            try:
                folder.mkdir()
            except FileExistsError:
                attempt += 1
            else:
                return cls(folder, folder / f"candidate.{kind}", folder / f"results.{kind}")

    def filled(self, word: str, *, shell: bool) -> str:
        """An argument of the command with placeholders replaced by paths, quoted for a shell."""
        paths = {
            "candidate": str(self.candidate),
            "results": str(self.results),
            "folder": str(self.folder),
            "python": sys.executable,
        }

        def path(found: re.Match[str]) -> str:
            known = paths.get(found[1])
            if known is None:
                return found[0]
            return shlex.quote(known) if shell else known

        return PLACEHOLDER.sub(path, word)

    @staticmethod
    def check_word(word: str, known: Sequence[str], *, shell: bool) -> None:
        """Raises InputError for unknown placeholders; a shell command may contain other braces."""
        for name in PLACEHOLDER.findall(word):
            if name not in known and not shell:
                raise InputError(f"Unknown placeholder '{{{name}}}'.{nearest(name, known)}")


def write_candidate(file: Path, row: Mapping[Any, Any], kind: FileKind) -> None:
    """Writes a candidate's parameters as one object, or as a header and one row."""
    values = {str(name): plain(value) for name, value in row.items()}
    with file.open("w", encoding="utf-8", newline="") as stream:
        if kind == "json":
            json.dump(values, stream, indent=2)
        else:
            writer = csv.DictWriter(stream, list(values))
            writer.writeheader()
            writer.writerow(values)


def read_results(file: Path, properties: Sequence[str], kind: FileKind) -> tuple[dict[str, float], str | None]:
    """Reads the results of a program.

    Returns:
        The finite numbers among the properties, and why others are missing, or None.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        return {}, f"the program did not write {file.name}"
    except (OSError, UnicodeDecodeError) as error:
        return {}, f"{file.name} cannot be read: {error}"
    given = _object(text) if kind == "json" else _row(text)
    if isinstance(given, str):
        return {}, f"{file.name} {given}"
    values, problems = {}, []
    for name in properties:
        number, problem = _number(given, name)
        if problem is None:
            values[name] = number
        else:
            problems.append(problem)
    return values, f"{file.name}: {', '.join(problems)}" if problems else None


def plain(value: Any) -> Any:
    """Converts a numpy number to a Python number for JSON."""
    return value.item() if hasattr(value, "item") else value


def _object(text: str) -> dict[str, Any] | str:
    try:
        given = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        return f"is not valid JSON: {error}"
    return given if isinstance(given, dict) else 'must hold an object of properties, such as {"voltage": 3.7}'


def _row(text: str) -> dict[str, Any] | str:
    try:
        rows = [row for row in csv.reader(text.splitlines()) if row]
    except csv.Error as error:
        return f"is not valid CSV: {error}"
    if len(rows) != 2:
        return (
            f"holds {len(rows)} lines; it should have a header with the properties' names and one line with "
            f"their values"
        )
    header, numbers = rows
    if len(header) != len(numbers):
        return f"has {len(header)} names in its header, but {len(numbers)} values"
    return dict(zip((name.strip() for name in header), numbers, strict=True))


def _number(given: Mapping[str, Any], name: str) -> tuple[float, str | None]:
    if name not in given:
        return math.nan, f"'{name}' is missing"
    value = given[name]
    try:
        number = math.nan if isinstance(value, bool) else float(value)
    except (TypeError, ValueError, OverflowError):
        return math.nan, f"'{name}' is {str(value)[:SHOWN]!r}, not a number"
    return number, None if math.isfinite(number) else f"'{name}' is {str(value)[:SHOWN]!r}, not a finite number"
