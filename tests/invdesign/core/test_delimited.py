from __future__ import annotations

import io
from pathlib import Path

import pytest

from invdesign.core.delimited import delimited_rows
from invdesign.core.errors import InputError
from invdesign.core.text_files import Limits


def rows(text: str, limits: Limits | None = None):
    return list(delimited_rows(io.StringIO(text, newline=""), Path("t.csv"), limits or Limits()))


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_recognized(delimiter, newline):
    text = newline.join(["a-b", "1-2", "", "-", "3-4"]).replace("-", delimiter)
    assert rows(text) == [(1, ["a", "b"]), (2, ["1", "2"]), (5, ["3", "4"])]


def test_decimal_commas_and_lists_do_not_hide_the_delimiter():
    assert rows("x;f\n0,5;1,5\n")[1] == (2, ["0,5", "1,5"])
    assert rows("name\tx,y\n1,2-dimethoxyethane\t3\n")[1] == (2, ["1,2-dimethoxyethane", "3"])
    assert rows('name,note\na,"x; y, z"\n')[1] == (2, ["a", "x; y, z"])


def test_a_quoted_cell_may_hold_lines_beyond_the_sample():
    cell = "line\n" * 300
    assert rows(f'a,b\n1,2\n3,"{cell}"\n5,6\n')[2:] == [(3, ["3", cell]), (304, ["5", "6"])]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("x,y\n0,6,0,7\n", r"line 2, has 4 fields separated by comma, but the header has 2.*decimal commas"),
        ("x,y\n1,2\n3\n", r"line 3, has 1 field separated by comma, but the header has 2"),
        ("x;y\n1;2\n1;2;3\n", r"line 3, has 3 fields separated by semicolon"),
        ("x\n0,5\n", r"line 2, has 2 fields.*decimal commas"),
        ("a,b;c\n1,2;3\n", r"line 1: the delimiter may be comma \(2 columns\) or semicolon \(2 columns\)"),
        ('a,b\n1,"2\n', r"line 2, cannot be read as CSV: unexpected end of data"),
        ('a,b\n"1"x,2\n', r"line 2, cannot be read as CSV"),
        ("", "it is empty"),
        ("\n \n".replace(" ", ""), "it is empty"),
    ],
)
def test_rows_that_do_not_fit_are_named(text, words):
    with pytest.raises(InputError, match=words):
        rows(text)


def test_too_many_rows_are_refused():
    with pytest.raises(InputError, match="exceeds 2 rows at line 4"):
        rows("a\n1\n2\n3\n", Limits(rows=2))


def test_spaces_after_delimiters_and_an_announced_delimiter_are_read():
    assert rows('a, b\n1, "x, y"\n') == [(1, ["a", "b"]), (2, ["1", "x, y"])]
    assert rows("sep=;\r\na,b;c\r\n1,5;2\r\n") == [(2, ["a,b", "c"]), (3, ["1,5", "2"])]
