"""YAML with line numbers, and problems that refer to them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq, TaggedScalar
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from invdesign.core.errors import InputError

Place = tuple[str | int, ...]
LARGEST = 300_000
"""Bytes; the parser takes some seconds for as many."""
MOST_VALUES = 50_000
"""Values of a file, aliases expanded."""
DEEPEST = 40
LARGEST_INTEGER = 2**63
DEEP = f"The file is nested more than {DEEPEST} levels deep."


@dataclass(frozen=True, order=True)
class Problem:
    """A problem in a file.

    Attributes:
        line: its line number, from 1.
        message: what is wrong, and what would be right.
    """

    line: int
    message: str


class FileError(InputError):
    """An invalid file; the message lists every problem.

    Attributes:
        path: of the file.
        problems: in the order of their lines.
    """

    def __init__(self, path: str | Path, problems: Sequence[Problem]) -> None:
        self.path = Path(path)
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(f"{self.path}:{problem.line}: {problem.message}" for problem in self.problems))


@dataclass(frozen=True)
class Document:
    """The content of a YAML file, as plain values, and the line of each.

    Attributes:
        path: of the file.
        text: as it was read.
        data: dicts, lists, strings, numbers, booleans and None.
        lines: the line of every key and item, by its place.
    """

    path: Path
    text: str
    data: Any
    lines: Mapping[Place, int]

    def line(self, place: Place) -> int:
        """The line of a place, or of the nearest one around it."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines.get(place, 1)


def read(path: str | Path) -> Document:
    """Reads a YAML 1.2 file; only plain values, no tags.

    Raises:
        FileError: if it is missing, too large, not UTF-8 or not YAML.
    """
    path = Path(path)
    try:
        # Devices such as /dev/zero have no size, and no end.
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise FileError(
                path, [Problem(1, f"The file must not be larger than {LARGEST:,} bytes. Move long lists to a table.")]
            )
        text = content.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except OSError as error:
        raise FileError(path, [Problem(1, f"The file cannot be read: {error.strerror}.")]) from None
    except UnicodeDecodeError as error:
        raise FileError(path, [Problem(1, f"The file is not UTF-8 text: {error.reason}.")]) from None
    except ValueError as error:  # a null character in the file's name
        raise FileError(path, [Problem(1, f"The file cannot be read: {error}.")]) from None
    _check_brackets(path, text)
    try:
        loaded = YAML(typ="rt", pure=True).load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise FileError(path, [Problem(mark.line + 1 if mark else 1, f"The file is not valid YAML: {what}.")]) from None
    except RecursionError:
        raise FileError(path, [Problem(1, DEEP)]) from None
    # The constructors of tags and numbers raise these for text that they cannot convert, such as a date in month 13.
    except (YAMLError, ValueError, TypeError, AttributeError, ArithmeticError, LookupError) as error:
        raise FileError(path, [Problem(1, f"The file is not valid YAML: {error}.")]) from None
    plain = _Plain(path)
    return Document(path, text, plain.value(loaded, ()), plain.lines)


def _check_brackets(path: Path, text: str) -> None:
    """Refuses deep flow collections before they are parsed, which takes quadratic time."""
    depth = 0
    for number, line in enumerate(text.splitlines(), start=1):
        for bracket in re.findall(r"[\[{\]}]", line):
            depth = depth + 1 if bracket in "[{" else max(0, depth - 1)
            if depth > DEEPEST:
                raise FileError(path, [Problem(number, DEEP)])


@dataclass(frozen=True)
class _Plain:
    """Turns nodes of ruamel's into plain values, within limits: an alias is written once, but expanded where it stands.

    Attributes:
        path: of the file.
        lines: the line of each place so far, the file itself included.
    """

    path: Path
    lines: dict[Place, int] = field(default_factory=lambda: {(): 1})

    def value(self, node: Any, place: Place) -> Any:
        """The plain value of a node, whose place is in ``lines``."""
        if len(place) > DEEPEST:
            raise self._refused(place, DEEP)
        if len(self.lines) > MOST_VALUES:
            raise self._refused(place[:1], f"The file has more than {MOST_VALUES:,} values, aliases (*) expanded.")
        if isinstance(node, CommentedMap):
            plain = {}
            for key, item in node.items():
                name = str(self._scalar(key, place))
                plain[name] = self._item(node, key, item, (*place, name))
            return plain
        if isinstance(node, CommentedSeq):
            return [self._item(node, number, item, (*place, number)) for number, item in enumerate(node)]
        return self._scalar(node, place)

    def _item(self, parent: Any, key: Any, node: Any, place: Place) -> Any:
        position = (parent.lc.data or {}).get(key)
        self.lines[place] = position[0] + 1 if position else self.lines[place[:-1]]
        return self.value(node, place)

    def _scalar(self, node: Any, place: Place) -> str | int | float | bool | None:
        if isinstance(node, bool | ScalarBoolean):
            return bool(node)
        if isinstance(node, int) and abs(node) >= LARGEST_INTEGER:
            raise self._refused(place, "A whole number must be smaller than 2^63.")
        for kind in (int, float, str):
            if isinstance(node, kind):
                return kind(node)
        if node is None:
            return None
        if isinstance(node, dt.date | TaggedScalar):
            return str(node)
        raise self._refused(place, "This must be text, a number, true, false, a list or a mapping with such keys.")

    def _refused(self, place: Place, message: str) -> FileError:
        return FileError(self.path, [Problem(self.lines[place], message)])
