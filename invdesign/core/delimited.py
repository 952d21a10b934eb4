"""Rows of delimited text (CSV): the delimiter is recognized, and every row has the fields of the header."""

from __future__ import annotations

import csv
import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from invdesign.core.errors import InputError
from invdesign.core.text_files import Limits

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
SAMPLE = 200
"""Lines from which the delimiter is recognized."""
_ANNOUNCED = re.compile(r"sep=([,;\t])\s*")
"""First line by which some spreadsheet programs announce the delimiter."""
Row = tuple[int, list[str]]


def delimited_rows(text: IO[str], path: Path, limits: Limits) -> Iterator[Row]:
    """The header and the rows, each with the number of the line where it starts; blank rows are skipped.

    Args:
        text: the file, opened with its newlines unchanged.
        path: of the file, for messages.
        limits: of the number of rows.

    Raises:
        InputError: naming the line, if the file is empty, its delimiter is ambiguous, a quoted field does not end or
            a row has more or fewer fields than the header.
    """
    sample = list(itertools.islice(text, SAMPLE))
    announced = _ANNOUNCED.fullmatch(sample[0]) if sample else None
    skipped = 1 if announced else 0
    delimiter = announced[1] if announced else _delimiter(sample, path)
    lines = itertools.chain(sample[skipped:], text)
    reader = csv.reader(lines, delimiter=delimiter, strict=True, skipinitialspace=True)
    width = count = 0
    while True:
        line = reader.line_num + 1 + skipped
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise InputError(
                f"'{path}', line {line}, cannot be read as CSV: {error}. Close quoted fields, and double a quotation "
                "mark within one."
            ) from None
        if row is None:
            break
        if not any(row):
            continue
        if width and len(row) != width:
            raise InputError(_misfit(path, line, len(row), width, delimiter))
        width = len(row)
        limits.check_rows(count, path, line)
        count += 1
        yield line, row
    if not count:
        raise InputError(f"'{path}' cannot be read as CSV: it is empty. Its first line must name the columns.")


def _delimiter(sample: list[str], path: Path) -> str:
    """The delimiter that splits the header, and all rows alike."""
    columns: dict[str, int] = {}
    even: list[str] = []
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(sample, delimiter=delimiter, skipinitialspace=True) if any(row)]
        except csv.Error:
            continue
        if len(sample) == SAMPLE:
            rows = rows[:-1]  # the sample may end within a quoted field
        if rows and len(rows[0]) > 1:
            columns[delimiter] = len(rows[0])
            even += [delimiter] if {len(row) for row in rows} == {len(rows[0])} else []
    if "\t" in even:  # a tab is hardly part of a name
        return "\t"
    if len(even) > 1:
        choices = " or ".join(f"{DELIMITERS[one]} ({columns[one]} columns)" for one in even)
        raise InputError(
            f"'{path}', line 1: the delimiter may be {choices}. Remove the others from the header, or put fields that "
            "contain them in double quotes."
        )
    if even:
        return even[0]
    # Some row does not fit, whatever the delimiter: it is reported with its line.
    return max(columns, key=lambda one: columns[one]) if columns else ","


def _misfit(path: Path, line: int, fields: int, width: int, delimiter: str) -> str:
    message = f"'{path}', line {line}, has {fields} field{'s' * (fields != 1)} separated by {DELIMITERS[delimiter]}, "
    message += f"but the header has {width}. Correct the row, or put a field that contains a {DELIMITERS[delimiter]} "
    message += "in double quotes."
    if delimiter == "," and fields > width:
        message += " If these are decimal commas, write decimal points or separate the columns by semicolons."
    return message
