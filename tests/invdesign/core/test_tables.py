from __future__ import annotations

import csv
import io

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invdesign.core.errors import InputError
from invdesign.core.tables import Table, header_unit, read_table, table_text, write_table


@pytest.fixture
def table(tmp_path):
    def read(text: str | bytes, name: str = "t.csv") -> Table:
        (tmp_path / name).write_bytes(text.encode() if isinstance(text, str) else text)
        return read_table(tmp_path / name)

    return read


def test_columns_have_the_types_of_their_cells(table):
    found = table("k,x,w,b,e,mixed\n1,0.5,NA,True,,<1E-10\n2,1e3,p,False,NA,3\n-3,,q,True,,NA\n")
    frame = found.frame
    assert frame["k"].tolist() == [1, 2, -3]
    assert frame["k"].dtype == np.int64
    assert frame["x"].tolist()[:2] == [0.5, 1000.0]
    assert np.isnan(frame["x"][2])
    assert frame["w"].tolist() == ["NA", "p", "q"]
    assert frame["b"].tolist() == [True, False, True]
    assert frame["e"].isna().all()
    assert frame["mixed"].tolist()[:2] == ["<1E-10", "3"]
    assert frame["mixed"].isna().tolist() == [False, False, True]
    assert [found.place(row) for row in range(3)] == ["line 2", "line 3", "line 4"]


def test_an_unnamed_first_column_never_shifts_the_others(table):
    frame = table(",x,y\n0,1,2\n1,3,4\n").frame
    assert frame.columns.tolist() == ["Unnamed: 0", "x", "y"]
    assert frame["x"].tolist() == [1, 3]
    with pytest.raises(InputError, match="line 2, has 3 fields"):
        table("x,y\n0,1,2\n1,3,4\n")


@pytest.mark.parametrize(
    "text",
    ["x;f\n0,5;12\n,25;1,5e3\n", "x\tf\n0,5\t12\n0,25\t1500,0\n", 'x,f\n"0,5",12\n"0,25","1500,"\n'],
)
def test_decimal_commas_are_recognized(table, text):
    frame = table(text).frame
    assert frame["x"].tolist() == [0.5, 0.25]
    assert frame["f"].tolist() == [12.0, 1500.0]


def test_three_decimals_are_sure_where_the_file_has_other_decimal_commas(table):
    assert table("x;f\n1,234;0,5\n").frame["x"].tolist() == [1.234]
    assert table("x,f\n1.234,0.5\n").frame["x"].tolist() == [1.234]


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("x;f\n1;1\n1,234;2\n", "x", "line 3, column 'x': '1,234' may have a decimal comma"),
        ("x;f\n0,5;1\n0.5;2\n", "x", "column 'x': '0"),
        ("x;f\n0,5;1.234\n", "f", "line 2, column 'f': '1.234' may have"),
        ("x;f\n1.234,5;1\n", "x", "line 2, column 'x': '1.234,5' may have"),
        ('x;f\n"1,234,567";1\n', "x", "line 2, column 'x': '1,234,567' may have"),
        ("x,f,x\n1,2,3\n", "x", "has 2 columns 'x'. Rename or remove"),
        ("f (V),f (mV)\n1,2\n", "f", r"several columns 'f': f \(V\), f \(mV\)"),
        ("voltage,f\n1,2\n", "voltag", "no column 'voltag'. Did you mean 'voltage'"),
    ],
)
def test_what_is_ambiguous_is_refused_where_it_is_used(table, text, column, words):
    found = table(text)
    with pytest.raises(InputError, match=words):
        found.find(column)


def test_text_with_commas_remains_text(table):
    assert table("name;f\n1,2-dimethoxyethane;1\n3,4;2\n").frame["name"].tolist() == ["1,2-dimethoxyethane", "3,4"]


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("capacity (mAh/g)", ("capacity", "mAh/g")),
        ("capacity [mAh g-1]", ("capacity", "mAh g^-1")),
        ("Voltage(V)", ("Voltage", "V")),
        ("density (g/cm3)", ("density", "g/cm^3")),
        ("T (°C)", ("T", "°C")),
        ("share (%)", ("share", "%")),
        ("sample (first)", ("sample (first)", None)),
        ("x (9**9**9 m)", ("x (9**9**9 m)", None)),
        ("x (9^9^9 m)", ("x (9^9^9 m)", None)),
        ("(V)", ("(V)", None)),
        ("x ()", ("x ()", None)),
    ],
)
def test_units_of_headers(header, expected):
    assert header_unit(header) == expected


def test_columns_are_found_without_their_unit(table):
    found = table("capacity (mAh/g),x\n1,2\n")
    assert found.find("capacity") == found.find("capacity (mAh/g)") == "capacity (mAh/g)"
    assert found.unit("capacity (mAh/g)") == "mAh/g"
    assert found.unit("x") is None


@pytest.mark.parametrize(
    ("name", "words"), [("t.xls", "Save it as .xlsx or CSV"), ("none.csv", "'.*none.csv' does not exist")]
)
def test_other_files_are_refused(tmp_path, name, words):
    (tmp_path / "t.xls").write_bytes(b"x")
    with pytest.raises(InputError, match=words):
        read_table(tmp_path / name)
    (tmp_path / "t.csv").write_text("x\n1\n")
    with pytest.raises(InputError, match="has no sheets"):
        read_table(tmp_path / "t.csv", sheet="data")


CELLS = st.text(st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=("Cs",)), max_size=6)


@given(st.lists(st.sampled_from(["", "=", "+", "-", "@", "\t", "\r", "\n", "'", "'="]), min_size=1), CELLS)
def test_text_reads_back_unchanged_and_never_runs(tmp_path_factory, starts, rest):
    texts = [f"{start}{rest}a" for start in starts]
    frame = pd.DataFrame({"w": texts, "x": np.arange(len(texts)) - 0.5})
    written = list(csv.reader(io.StringIO(table_text(frame), newline="")))
    assert all(not row[0].startswith(("=", "+", "-", "@", "\t", "\r", "\n")) for row in written)
    folder = tmp_path_factory.mktemp("tables")
    write_table(frame, folder / "t.csv")
    pd.testing.assert_frame_equal(read_table(folder / "t.csv").frame, frame)


def test_a_spreadsheet_reads_back_unchanged(tmp_path):
    frame = pd.DataFrame({"w": ["=1+1", "-x", "", "CCO"], "x": [0.1, -2.0, np.nan, 1e-300], "k": [1, 2, 3, 4]})
    write_table(frame.rename_axis("candidate"), tmp_path / "t.xlsx")
    read = read_table(tmp_path / "t.xlsx")
    assert read.frame["candidate"].tolist() == [0, 1, 2, 3]
    assert read.frame["w"].fillna("").tolist() == frame["w"].tolist()
    pd.testing.assert_frame_equal(read.frame[["x", "k"]], frame[["x", "k"]])
    assert read.place(0) == "row 2"


def test_a_file_is_never_overwritten(tmp_path):
    frame = pd.DataFrame({"x": [1]})
    write_table(frame, tmp_path / "t.csv")
    (tmp_path / "t-2.csv").write_text("mine")
    with pytest.raises(InputError, match=r"exists and is not overwritten.*t-3\.csv"):
        write_table(frame, tmp_path / "t.csv")
    with pytest.raises(InputError, match=r"The folder .* does not exist"):
        write_table(frame, tmp_path / "none" / "t.csv")
    assert (tmp_path / "t-2.csv").read_text() == "mine"


def test_every_registered_table_is_read_as_by_pandas(real_data):
    files = sorted([*real_data.glob("*/*.csv"), *real_data.glob("lithium-ce/*.xlsx")])
    assert len(files) > 10
    for path in files:
        found = read_table(path).frame
        separator = "\t" if path.parent.name == "li-features" else ","
        known = (
            pd.read_excel(path)
            if path.suffix == ".xlsx"
            else pd.read_csv(
                path, sep=separator, encoding="utf-8-sig", float_precision="round_trip", skipinitialspace=True
            )
        )
        pd.testing.assert_frame_equal(found, known, check_exact=True)


@given(st.binary(max_size=200), st.sampled_from(["a,b\n1,2\n", "a;b\n1,5;2\n", "a (V)\tb\n1\t2\n"]), st.integers(0, 30))
def test_any_file_is_a_table_or_a_message(tmp_path_factory, noise, start, place):
    path = tmp_path_factory.mktemp("noise") / "t.csv"
    path.write_bytes(start.encode()[:place] + noise + start.encode()[place:])
    try:
        found = read_table(path)
    except InputError:
        return
    assert len(found.frame) == len(found.lines)


def test_names_of_columns_may_be_surrounded_by_spaces(table):
    found = table("x , f (V) ,w\n1,2, a\n")
    assert found.frame[found.find("x")].tolist() == [1]
    assert found.unit(found.find("f")) == "V"
    assert found.frame["w"].tolist() == ["a"]


def test_a_frame_is_a_table():
    found = Table.of(pd.DataFrame([[1, 2, 3]], columns=[0, "f", "f"]))
    assert found.find("0") == "0"
    assert found.place(0) == "row 2"
    with pytest.raises(InputError, match="The table has 2 columns 'f'"):
        found.find("f")
