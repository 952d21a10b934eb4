"""Reads and writes one sheet of an .xlsx workbook, by openpyxl."""

from __future__ import annotations

import datetime as dt
import io
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from invdesign.core.errors import InputError, nearest
from invdesign.core.text_files import Limits

UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError),  # the archive
    *(ParseError, ValueError, TypeError, LookupError, AttributeError),  # its content, read by openpyxl
)
"""Exceptions for a damaged, encrypted or invalid workbook: openpyxl has no class of its own for them."""
Cell = str | float | bool | None


def sheet_rows(path: Path, sheet: str | None, limits: Limits) -> list[tuple[int, list[Cell]]]:
    """The rows of a sheet that are not blank, the header first, each with its row number.

    Args:
        path: of the workbook.
        sheet: its name; None if only one sheet has cells.
        limits: of the decompressed size and the number of rows.

    Raises:
        InputError: naming row and column, if the workbook cannot be read, the sheet is unknown or ambiguous, or a cell
            holds an error or a formula without a value.
    """
    from openpyxl import load_workbook

    try:
        _check_archive(path, limits)
        values = load_workbook(path, read_only=True, data_only=True)
        name = _chosen(values, path, sheet)
        rows = _rows(values[name], path, limits)
        values.close()
        if any(cell is None for _, row in rows for cell in row):
            # Only a second reading distinguishes an empty cell from a formula that was never calculated.
            formulas = load_workbook(path, read_only=True, data_only=False)
            _check_formulas(formulas[name], dict(rows), path)
            formulas.close()
    except InputError:
        raise
    except UNREADABLE as error:
        raise InputError(f"'{path}' cannot be read as .xlsx: {error}. Save it again as .xlsx or CSV.") from None
    if not rows:
        raise InputError(f"The sheet '{name}' of '{path}' is empty. Its first row must name the columns.")
    return rows


def sheet_bytes(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> bytes:
    """A workbook of one sheet. Text is written as text, never as a formula.

    Raises:
        InputError: if a cell contains a control character, which .xlsx does not allow.
    """
    from openpyxl import Workbook
    from openpyxl.utils.exceptions import IllegalCharacterError

    book = Workbook()
    sheet: Any = book.active
    for number, row in enumerate([list(header), *rows], start=1):
        for place, value in enumerate(row, start=1):
            try:
                cell = sheet.cell(number, place, value)
            except IllegalCharacterError:
                raise InputError(
                    f"Row {number}, column '{header[place - 1]}' contains a control character ({value!r}), which .xlsx "
                    "does not allow. Write a CSV file."
                ) from None
            if isinstance(value, str):
                cell.data_type = "s"
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _check_archive(path: Path, limits: Limits) -> None:
    """Checks the size of a workbook before anything of it is decompressed, and its checksums."""
    with zipfile.ZipFile(path) as archive:
        if sum(part.file_size for part in archive.infolist()) > limits.size:
            raise InputError(
                f"'{path}' exceeds {limits.size:,} bytes decompressed. Split it, or raise the limit (in Python: "
                "limits)."
            )
        damaged = archive.testzip()
    if damaged:
        raise zipfile.BadZipFile(f"'{damaged}' in it is damaged")


def _chosen(book: Any, path: Path, sheet: str | None) -> str:
    names = [found.title for found in book.worksheets]
    if sheet is not None:
        if sheet not in names:
            raise InputError(f"'{path}' has no sheet '{sheet}'.{nearest(sheet, names)}")
        return sheet
    filled = [found.title for found in book.worksheets if any(any(_filled(row)) for row in _head(found))]
    if len(filled) > 1:
        listed = ", ".join(f"'{name}'" for name in filled)
        raise InputError(f"'{path}' has several sheets: {listed}. Name one of them, or remove the others.")
    return str((filled or names)[0])


def _head(sheet: Any) -> Iterable[tuple[Any, ...]]:
    rows: Iterable[tuple[Any, ...]] = sheet.iter_rows(max_row=100, values_only=True)
    return rows


def _filled(row: Sequence[Any]) -> list[bool]:
    return [value is not None and value != "" for value in row]


def _rows(sheet: Any, path: Path, limits: Limits) -> list[tuple[int, list[Cell]]]:
    sheet.reset_dimensions()  # programs write wrong ones
    rows: list[tuple[int, list[Cell]]] = []
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        filled = _filled([cell.value for cell in cells])
        if not any(filled):
            continue
        limits.check_rows(len(rows), path, number)
        row = [_value(cell, number, path) for cell in cells]
        width = len(rows[0][1]) if rows else max(place for place, is_filled in enumerate(filled) if is_filled) + 1
        if any(filled[width:]):
            raise InputError(
                f"'{path}', row {number}, has a value in column {filled.index(True, width) + 1}, which has no header. "
                "Name the column in the first row, or clear the cell."
            )
        rows.append((number, [*row[:width], *[None] * (width - len(row))]))
    return rows


def _value(cell: Any, number: int, path: Path) -> Cell:
    value = cell.value
    if isinstance(value, dt.date | dt.time | dt.timedelta):
        return str(value)
    if getattr(cell, "data_type", "") == "e":
        raise InputError(f"'{path}', row {number}, column {cell.column}, holds the error {value}. Correct the formula.")
    return value if isinstance(value, str | int | float) else None


def _check_formulas(sheet: Any, rows: dict[int, list[Cell]], path: Path) -> None:
    sheet.reset_dimensions()
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        for place, cell in enumerate(cells):
            known = rows.get(number, [])
            missing = place >= len(known) or known[place] is None
            if missing and getattr(cell, "data_type", "") == "f":
                raise InputError(
                    f"'{path}', row {number}, column {place + 1}, holds a formula without a stored value. Open the "
                    "file in a spreadsheet program and save it, or write the value."
                )
