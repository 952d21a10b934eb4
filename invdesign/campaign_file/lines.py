"""YAML with line numbers, and problems that refer to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.scalarbool import ScalarBoolean

from invdesign.core.errors import InputError

Place = tuple[str | int, ...]
LARGEST = 5_000_000


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
        if path.stat().st_size > LARGEST:
            raise FileError(path, [Problem(1, f"The file must not be larger than {LARGEST} bytes.")])
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise FileError(path, [Problem(1, f"The file cannot be read: {error.strerror}.")]) from None
    except UnicodeDecodeError as error:
        raise FileError(path, [Problem(1, f"The file is not UTF-8 text: {error.reason}.")]) from None
    reader = YAML(typ="rt", pure=True)
    try:
        loaded = reader.load(text)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        raise FileError(path, [Problem(mark.line + 1 if mark else 1, f"The file is not valid YAML: {what}.")]) from None
    except (YAMLError, ValueError, RecursionError) as error:
        raise FileError(path, [Problem(1, f"The file is not valid YAML: {error}.")]) from None
    lines: dict[Place, int] = {(): 1}
    try:
        return Document(path, text, _plain(loaded, (), lines, depth=0), lines)
    except RecursionError:
        raise FileError(path, [Problem(1, "The file refers to itself or is nested too deeply.")]) from None


def _plain(node: Any, place: Place, lines: dict[Place, int], *, depth: int) -> Any:
    if depth > 40:
        raise RecursionError
    if isinstance(node, CommentedMap):
        plain = {}
        for key, value in node.items():
            name = str(_plain(key, (), {}, depth=depth + 1))
            position = (node.lc.data or {}).get(key)
            lines[(*place, name)] = position[0] + 1 if position else lines[place]
            plain[name] = _plain(value, (*place, name), lines, depth=depth + 1)
        return plain
    if isinstance(node, CommentedSeq):
        items = []
        for number, value in enumerate(node):
            position = (node.lc.data or {}).get(number)
            lines[(*place, number)] = position[0] + 1 if position else lines[place]
            items.append(_plain(value, (*place, number), lines, depth=depth + 1))
        return items
    if isinstance(node, bool | ScalarBoolean):
        return bool(node)
    for kind in (int, float, str):
        if isinstance(node, kind):
            return kind(node)
    return None if node is None else str(node)
