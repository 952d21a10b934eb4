from __future__ import annotations

import datetime as dt

import pytest
from openpyxl import Workbook

from invdesign.core.errors import InputError
from invdesign.core.spreadsheets import sheet_bytes, sheet_rows
from invdesign.core.text_files import Limits


def saved(path, *rows, more=None):
    book = Workbook()
    for row in rows:
        book.active.append(row)
    for name, others in (more or {}).items():
        sheet = book.create_sheet(name)
        for row in others:
            sheet.append(row)
    book.save(path)
    return path


def test_blank_rows_and_columns_are_left_out(tmp_path):
    path = saved(tmp_path / "t.xlsx", [], ["x", "w"], [1, "a"], [], [0.5, None, None])
    assert sheet_rows(path, None, Limits()) == [(2, ["x", "w"]), (3, [1, "a"]), (5, [0.5, None])]


def test_the_only_sheet_with_cells_is_taken(tmp_path):
    path = saved(tmp_path / "t.xlsx", more={"data": [["x"], [1]], "empty": []})
    assert sheet_rows(path, None, Limits()) == [(1, ["x"]), (2, [1])]
    several = saved(tmp_path / "s.xlsx", ["x"], [1], more={"data": [["x"], [2]]})
    assert sheet_rows(several, "data", Limits())[1] == (2, [2])
    with pytest.raises(InputError, match=r"several sheets: 'Sheet', 'data'\. Name one"):
        sheet_rows(several, None, Limits())
    with pytest.raises(InputError, match=r"no sheet 'dta'\. Did you mean 'data'"):
        sheet_rows(several, "dta", Limits())


def test_dates_are_text(tmp_path):
    path = saved(tmp_path / "t.xlsx", ["x"], [dt.datetime(2024, 5, 1)])
    assert sheet_rows(path, None, Limits())[1] == (2, ["2024-05-01 00:00:00"])


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ([["x", "f"], [1, "=A2*2"]], "row 2, column 2, holds a formula without a stored value"),
        ([["x", "f"], [1, "#DIV/0!"]], "row 2, column 2, holds the error #DIV/0!"),
        ([["x", "f"], [1, 2, 3]], "row 2, has a value in column 3, which has no header"),
        ([], "is empty"),
    ],
)
def test_cells_without_a_value_are_refused(tmp_path, rows, words):
    path = saved(tmp_path / "t.xlsx", *rows)
    with pytest.raises(InputError, match=words):
        sheet_rows(path, None, Limits())


def test_limits_and_damage(tmp_path):
    path = saved(tmp_path / "t.xlsx", ["x"], *([number] for number in range(50)))
    with pytest.raises(InputError, match="exceeds 20 rows at line 22"):
        sheet_rows(path, None, Limits(rows=20))
    with pytest.raises(InputError, match="exceeds 100 bytes decompressed"):
        sheet_rows(path, None, Limits(size=100))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(InputError, match=r"cannot be read as \.xlsx"):
        sheet_rows(path, None, Limits())


def test_text_is_never_a_formula(tmp_path):
    (tmp_path / "t.xlsx").write_bytes(sheet_bytes(["=x"], [["=1+1"], ["#N/A"], [3]]))
    assert sheet_rows(tmp_path / "t.xlsx", None, Limits()) == [(1, ["=x"]), (2, ["=1+1"]), (3, ["#N/A"]), (4, [3])]
    with pytest.raises(InputError, match="Row 2, column 'x' contains a control character"):
        sheet_bytes(["x"], [["\x01"]])


def test_a_damaged_workbook_is_read_right_or_refused(tmp_path, rng):
    whole = saved(tmp_path / "t.xlsx", ["x", "w"], *([number / 7, f"word {number}"] for number in range(40)))
    known, content = sheet_rows(whole, None, Limits()), whole.read_bytes()
    refused = 0
    for _ in range(200):
        damaged = bytearray(content)
        damaged[rng.integers(len(damaged))] = rng.integers(256)
        whole.write_bytes(bytes(damaged))
        try:
            assert sheet_rows(whole, None, Limits()) == known
        except InputError:
            refused += 1
    assert refused > 50
