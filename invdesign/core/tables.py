"""Reads and writes tables: the one reader of every table that a user may hand in, CSV or .xlsx.

Delimiter, decimal comma, encoding and units in headers are recognized; what is ambiguous is refused where it is used,
with its place and what would be right.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from invdesign.core.delimited import delimited_rows
from invdesign.core.errors import InputError, nearest
from invdesign.core.spreadsheets import Cell, sheet_bytes, sheet_rows
from invdesign.core.text_files import DEFAULT_LIMITS, Limits, is_file, open_text
from invdesign.core.units import check_unit

MISSING = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-nan", "-NaN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null")
)
"""Text that stands for a missing number. In a column of text only an empty cell is missing: NA may be a name."""
_POINT = re.compile(r"\s*[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|Inf|infinity)\s*")
_COMMA = re.compile(r"\s*[+-]?(?:\d+,\d*|,\d+)(?:[eE][+-]?\d+)?\s*")
_GROUPED = re.compile(r"\s*[+-]?\d{1,3}(?:(?:,\d{3})+(?:\.\d*)?|(?:\.\d{3})+(?:,\d*)?)\s*")
"""Numbers with separators of thousands, and such as may be."""
_UNCERTAIN = re.compile(r"\s*[+-]?[1-9]\d{0,2}[.,]\d{3}\s*")
"""A number with three decimals, or one with a separator of thousands."""
_INTEGER = re.compile(r"\s*[+-]?\d{1,18}\s*")
_BOOLEANS = {"True": True, "TRUE": True, "true": True, "False": False, "FALSE": False, "false": False}
_HEADER_UNIT = re.compile(r"(?P<name>.*?\S)\s*(?:\((?P<round>[^()\[\]]+)\)|\[(?P<square>[^()\[\]]+)\])\s*")
_UNIT_TEXT = re.compile(r"(?:[A-Za-zµμ°ΩÅ%/*·\s.]|\^?-?\d(?![\d^]))+")
_RUNS = re.compile(r"[=+\-@\t\r\n]")
"""First characters that make a spreadsheet program run a cell as a formula."""
_DEFUSED = re.compile(r"'+[=+\-@\t\r\n]")


@dataclass(frozen=True)
class Table:
    """A table and where its rows are in the file.

    Attributes:
        frame: one row per row of the table, columns named as in the header; an unnamed column is ``Unnamed: 0``.
        lines: the number of the line (in .xlsx: the row) where each row starts, shape ``n``.
        source: the file in quotation marks, or what else the table is, for messages.
        place_word: the unit of ``lines``: line or row.
        ambiguous: for columns that cannot be used, the reason.
    """

    frame: pd.DataFrame
    lines: Sequence[int]
    source: str
    place_word: str = "row"
    ambiguous: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, frame: pd.DataFrame, source: str = "The table", *, first: int = 2) -> Table:
        """A frame as a table.

        Args:
            frame: its rows.
            source: what it is, for messages.
            first: number of the first row; 2 counts the header as a row.
        """
        named = frame.rename(columns=str)
        lines = range(first, len(frame) + first)
        return cls(named, lines, source, ambiguous=_repeated(source, list(named.columns)))

    def rows(self, chosen: Sequence[int]) -> Table:
        """The table with some of its rows."""
        frame = self.frame.iloc[list(chosen)].reset_index(drop=True)
        return replace(self, frame=frame, lines=[self.lines[row] for row in chosen])

    def place(self, row: int) -> str:
        """Where a row is, such as ``line 3``; counted from 0."""
        return f"{self.place_word} {self.lines[row]}"

    def find(self, column: str) -> str:
        """The column of a name, given with or without the unit of its header.

        Raises:
            InputError: if it is unknown (the nearest is suggested) or ambiguous.
        """
        names = [str(name) for name in self.frame.columns]
        plain = column.strip()
        found = [column] if column in names else [name for name in names if plain in (name.strip(), self._bare(name))]
        if not found:
            raise InputError(f"{self.source} has no column '{column}'.{nearest(column, names)}")
        if len(found) > 1:
            raise InputError(f"{self.source} has several columns '{column}': {', '.join(found)}. Remove all but one.")
        if found[0] in self.ambiguous:
            raise InputError(self.ambiguous[found[0]])
        return found[0]

    def unit(self, column: str) -> str | None:
        """The unit in the header of a column, given as ``find`` returns it; None if there is none."""
        return self._headers[column][1]

    def _bare(self, column: str) -> str:
        return self._headers[column][0].strip()

    @cached_property
    def _headers(self) -> dict[str, tuple[str, str | None]]:
        return {str(name): header_unit(str(name)) for name in self.frame.columns}


def read_table(path: str | Path, *, sheet: str | None = None, limits: Limits = DEFAULT_LIMITS) -> Table:
    """Reads a table from a file: .xlsx by its ending, else delimited text, also with ``.gz``.

    Args:
        path: of the file.
        sheet: of an .xlsx file; None if only one sheet has cells.
        limits: of the size and the number of rows.

    Raises:
        InputError: if the file cannot be read or a row does not fit the header; with line and column.
    """
    path = Path(path)
    if not is_file(path):
        raise InputError(f"The file '{path}' does not exist.")
    if path.suffix.lower() == ".xlsx":
        return _table(path, sheet_rows(path, sheet, limits), "row")
    if path.suffix.lower() in (".xls", ".xlsm", ".ods", ".numbers", ".docx"):
        raise InputError(f"'{path}' cannot be read as a table. Save it as .xlsx or CSV.")
    if sheet is not None:
        raise InputError(f"'{path}' has no sheets. Remove the name of the sheet ('{sheet}').")
    with open_text(path, limits) as text:
        return _table(path, list(delimited_rows(text, path, limits)), "line")


def header_unit(header: str) -> tuple[str, str | None]:
    """Splits a header such as ``capacity (mAh/g)`` or ``capacity [mAh g-1]`` into its name and its unit.

    Returns:
        The name and the unit as pint reads it; the header and None if no known unit ends it.
    """
    found = _HEADER_UNIT.fullmatch(header)
    text = (found["round"] or found["square"]).strip() if found else ""
    if found is None or len(text) > 40 or not _UNIT_TEXT.fullmatch(text) or "**" in text:
        return header, None
    unit = re.sub(r"(?<=[A-Za-zµμΩÅ])(-?\d)", r"^\1", text.replace("·", "*"))
    try:
        check_unit(unit)
    except InputError:
        return header, None
    return found["name"], unit


def write_table(frame: pd.DataFrame, path: str | Path) -> None:
    """Writes a new table, CSV or .xlsx by its ending, in whole or not at all; ``read_table`` reads it back.

    Text that a spreadsheet program would run as a formula (it begins with ``=``, ``+``, ``-``, ``@``, a tab or a line
    break) gets an apostrophe in front, which ``read_table`` removes. Text of digits in CSV reads as a number.

    Args:
        frame: the table; an index with a name becomes the first column.
        path: the file; its folder must exist, itself it must not.

    Raises:
        InputError: if the folder does not exist, the file exists or cannot be written.
    """
    path = Path(path)
    check_new_file(path)
    if path.suffix.lower() == ".xlsx":
        header, *rows = _written(frame)
        content = sheet_bytes([str(name) for name in header], rows)
    else:
        content = table_text(frame).encode("utf-8")
    try:
        with path.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
    except FileExistsError:
        check_new_file(path)
    except OSError as error:
        path.unlink(missing_ok=True)
        raise InputError(f"'{path}' cannot be written: {error.strerror}.") from None


def table_text(frame: pd.DataFrame) -> str:
    """A table as CSV, formulas defused; see ``write_table``."""
    return "".join(f"{','.join(map(_field, row))}\n" for row in _written(frame))


def check_new_file(path: Path) -> None:
    """Checks that a file can be created.

    Raises:
        InputError: if it exists (a free name is suggested), or its folder does not.
    """
    if not path.parent.is_dir():
        raise InputError(f"The folder '{path.parent}' of '{path}' does not exist. Create it first.")
    if path.exists() or path.is_symlink():
        number = 2
        while (free := path.with_name(f"{path.stem}-{number}{path.suffix}")).exists():
            number += 1
        raise InputError(f"'{path}' exists and is not overwritten. Choose another name, such as '{free}'.")
    if path.suffix.lower() in (".xls", ".ods"):
        raise InputError(f"'{path}' must end in .csv or .xlsx.")


def _table(path: Path, rows: Sequence[tuple[int, Sequence[Cell]]], place_word: str) -> Table:
    header = _named([str(name) if name is not None else "" for name in rows[0][1]])
    lines = [line for line, _ in rows[1:]]
    cells = list(zip(*(row for _, row in rows[1:]), strict=True)) or [()] * len(header)
    ambiguous = _repeated(f"'{path}'", header)
    names = [name if header.index(name) == place else f"{name}.{place}" for place, name in enumerate(header)]
    decimal_comma = any(map(_has_decimal_comma, cells))
    columns = {}
    for name, column in zip(names, cells, strict=True):
        columns[name], doubt = _column(column, decimal_comma=decimal_comma)
        if doubt is not None:
            row, text = doubt
            ambiguous.setdefault(name, f"'{path}', {place_word} {lines[row]}, column '{name}': {text}")
    return Table(pd.DataFrame(columns), lines, f"'{path}'", place_word, ambiguous)


def _named(header: Sequence[str]) -> list[str]:
    return [name if name.strip() else f"Unnamed: {place}" for place, name in enumerate(header)]


def _repeated(source: str, header: Sequence[str]) -> dict[str, str]:
    return {
        name: f"{source} has {header.count(name)} columns '{name}'. Rename or remove all but one."
        for name in header
        if header.count(name) > 1
    }


def _has_decimal_comma(cells: Sequence[Cell]) -> bool:
    """Whether a column consists of numbers, some of them certainly with a decimal comma."""
    words = _words(cells)
    return all(_POINT.fullmatch(word) or _COMMA.fullmatch(word) for word in words) and any(
        _COMMA.fullmatch(word) and not _UNCERTAIN.fullmatch(word) for word in words
    )


def _words(cells: Sequence[Cell]) -> list[str]:
    return [cell for cell in cells if isinstance(cell, str) and cell not in MISSING]


def _column(cells: Sequence[Cell], *, decimal_comma: bool) -> tuple[pd.Series, tuple[int, str] | None]:
    """The values of a column, and the row of a cell that is ambiguous with what is wrong."""
    words = _words(cells)
    points = [bool(_POINT.fullmatch(word)) for word in words]
    if all(points) and not (decimal_comma and any(map(_UNCERTAIN.fullmatch, words))):
        return _numbers(cells), None
    commas = [bool(_COMMA.fullmatch(word)) for word in words]
    if all(point or comma for point, comma in zip(points, commas, strict=True)):
        if not decimal_comma or any("." in word for word in words):
            return _text(cells), _doubt(cells, decimal_comma=decimal_comma)
        return _numbers([cell.replace(",", ".") if isinstance(cell, str) else cell for cell in cells]), None
    if all(_POINT.fullmatch(word) or _COMMA.fullmatch(word) or _GROUPED.fullmatch(word) for word in words):
        return _text(cells), _doubt(cells, decimal_comma=decimal_comma)
    return _text(cells), None


def _doubt(cells: Sequence[Cell], *, decimal_comma: bool) -> tuple[int, str]:
    """The first cell of a column of numbers that could mean two numbers or differs from the others' notation."""
    odd = _POINT if not decimal_comma else _COMMA
    for row, cell in enumerate(cells):
        if isinstance(cell, str) and cell not in MISSING:
            plain = _INTEGER.fullmatch(cell) or (odd.fullmatch(cell) and not _UNCERTAIN.fullmatch(cell))
            if not plain:
                return row, (
                    f"{cell.strip()!r} may have a decimal comma, a decimal point or a separator of thousands. Write "
                    "all numbers of the file with decimal points and without separators of thousands."
                )
    raise AssertionError("a column without an ambiguous cell")  # pragma: no cover - only called for one with


def _numbers(cells: Sequence[Cell]) -> pd.Series:
    whole = all(
        (isinstance(cell, int) and not isinstance(cell, bool)) or (isinstance(cell, str) and _INTEGER.fullmatch(cell))
        for cell in cells
    )
    if any(isinstance(cell, bool) for cell in cells):
        only = all(isinstance(cell, bool) for cell in cells)
        return pd.Series(list(cells), dtype=bool if only else object)
    if whole and cells and all(abs(int(cell or 0)) < 2**63 for cell in cells):
        return pd.Series([int(cell or 0) for cell in cells], dtype=np.int64)
    values = [math.nan if cell is None or cell in MISSING else float(cell) for cell in cells]
    return pd.Series(values, dtype=np.float64)


def _text(cells: Sequence[Cell]) -> pd.Series:
    words = _words(cells)
    if words and all(cell in _BOOLEANS for cell in cells):
        return pd.Series([_BOOLEANS[str(cell)] for cell in cells], dtype=bool)
    # In a column with numbers, such as one with censored values, the words for a missing number are missing.
    numeric = any(_POINT.fullmatch(word) for word in words) or not all(isinstance(cell, str | None) for cell in cells)
    missing = MISSING if numeric else frozenset(("",))
    values: list[Any] = [math.nan if cell is None or cell in missing else _restored(cell) for cell in cells]
    return pd.Series(values, dtype=object)


def _restored(cell: Any) -> Any:
    return cell[1:] if isinstance(cell, str) and _DEFUSED.match(cell) else cell


def _written(frame: pd.DataFrame) -> list[list[Cell]]:
    """The header and the rows of a frame, an index with a name first; formulas are defused, None is missing."""
    whole = frame.reset_index() if frame.index.name is not None else frame
    cells: list[list[Any]] = whole.astype(object).where(whole.notna(), None).to_numpy().tolist()
    return [[_defused(value) for value in row] for row in [list(whole.columns), *cells]]


def _defused(value: Any) -> Cell:
    if isinstance(value, str):
        return f"'{value}" if _RUNS.match(value) or _DEFUSED.match(value) else value
    plain: Cell = value.item() if hasattr(value, "item") else value
    return plain


def _field(value: Cell) -> str:
    """A cell in CSV; Python's own writer leaves a carriage return without quotation marks."""
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if re.search(r'[,;\t"\r\n]|^ ', text) else text
