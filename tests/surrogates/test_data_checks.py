from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.surrogates.data_checks import check_data, cleaned


@pytest.fixture
def clean(rng):
    frame = pd.DataFrame({"temperature": rng.uniform(700, 900, 60), "dopant": rng.choice(["Al", "Mg"], 60)})
    return frame, pd.DataFrame({"capacity": rng.normal(180, 10, 60)})


def kinds(findings):
    return {(finding.kind, finding.column) for finding in findings}


def test_clean_data_have_no_findings(clean):
    assert check_data(*clean) == []


def test_a_value_in_another_unit_is_suspected_and_the_unit_named(clean):
    frame, y = clean
    frame.loc[5, "temperature"] = 80.0
    frame.loc[9, "temperature"] = 801 + 273.15
    (finding,) = [item for item in check_data(frame, y) if item.kind == "unit"]
    assert finding.rows == (5,)
    assert "times 10" in finding.message
    assert "row 5" in finding.message


def test_censored_values_are_found_and_the_choice_is_the_users(clean):
    frame, y = clean
    texts = y.astype(object)
    texts.loc[3, "capacity"] = "<1E2"
    (finding,) = check_data(frame, texts)
    assert finding.kind == "censored"
    assert "'<1E2' in row 3" in finding.message
    with pytest.raises(InputError, match="censored: drop"):
        cleaned(frame, texts)
    _, limited, reported = cleaned(frame, texts, censored="limit")
    assert limited.loc[3, "capacity"] == 100.0
    assert reported == ["Used the limit for 1 values of 'capacity'."]
    _, dropped, _ = cleaned(frame, texts, censored="drop")
    assert np.isnan(dropped.loc[3, "capacity"])
    assert len(dropped) == 60


def test_other_text_is_an_error(clean):
    frame, y = clean
    texts = y.astype(object)
    texts.loc[3, "capacity"] = "high"
    with pytest.raises(InputError, match="contains 'high' in row 3, which is not a number"):
        cleaned(frame, texts, censored="drop")


def test_equal_candidates_with_different_values_are_found_and_averaged_on_demand(clean):
    frame, y = clean
    frame.iloc[7] = frame.iloc[8]
    y.loc[7, "capacity"], y.loc[8, "capacity"] = 170.0, 190.0
    (finding,) = check_data(frame, y)
    assert finding.kind == "duplicate"
    assert set(finding.rows) == {7, 8}
    assert "20 apart" in finding.message
    merged, values, reported = cleaned(frame, y, duplicates="mean")
    assert len(merged) == len(values) == 59
    assert values.loc[7, "capacity"] == pytest.approx(180.0)
    assert reported == ["Replaced 1 repeated rows by their mean."]
    assert len(cleaned(frame, y, duplicates="drop")[0]) == 58


def test_constants_outliers_and_gaps_are_found(clean):
    frame, y = clean
    frame = frame.assign(cutoff=4.3)
    frame.loc[2, "dopant"] = None
    y.loc[4, "capacity"] = 900.0
    found = kinds(check_data(frame, y))
    assert {("constant", "cutoff"), ("gap", "dopant"), ("outlier", "capacity")} <= found
    _, values, reported = cleaned(frame, y, outliers="drop")
    assert np.isnan(values.loc[4, "capacity"])
    assert reported == ["Left out 1 values of 'capacity' far from all others."]


def test_values_that_span_decades_are_no_outliers(rng):
    frame = pd.DataFrame({"x": rng.random(80)})
    y = pd.DataFrame({"conductivity": 10 ** rng.uniform(-10, -2, 80)})
    assert check_data(frame, y) == []


def test_the_defects_of_real_data_are_found(real_data):
    table = pd.read_csv(real_data / "obelix" / "data_downloads_all.csv")
    y = table[["Ionic conductivity (S cm-1)"]]
    found = check_data(table[["a", "b", "c"]], y)
    assert any(finding.kind == "censored" for finding in found)
    ncm = pd.read_csv(real_data / "ncm-table-csv" / "liow_raw_table_from_docx.csv")
    found = check_data(ncm.drop(columns=["Discharge", "Citation"]), ncm[["Discharge"]])
    assert {"duplicate", "unit"} <= {finding.kind for finding in found}


def test_equal_candidates_are_one_row_or_refused_as_asked():
    frame = pd.DataFrame({"x": [1.0, 2.0, 1.0]}, index=[2, 3, 7])
    y = pd.DataFrame({"f": [1.0, 5.0, 3.0]}, index=frame.index)
    first = cleaned(frame, y, duplicates="first")
    assert (first[0]["x"].tolist(), first[1]["f"].tolist()) == ([1.0, 2.0], [1.0, 5.0])
    with pytest.raises(InputError, match=r"equal candidates with different 'f'.*They are the rows 2, 7\."):
        cleaned(frame, y, duplicates="error")
    same = y.assign(f=[1.0, 5.0, 1.0])
    assert len(cleaned(frame, same, duplicates="error")[0]) == 3
