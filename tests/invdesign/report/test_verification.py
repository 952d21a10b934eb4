from __future__ import annotations

import re
from io import StringIO

import pandas as pd
import pytest
from rich.console import Console

import invdesign as ind
from invdesign.objectives.base import valued
from invdesign.objectives.calibrated import CalibrationReport
from invdesign.report import write_report
from invdesign.report.console import hits_table, status_table
from invdesign.report.page import report_html

SPACE = ind.SearchSpace(x=ind.Continuous(0.0, 1.0, unit="mm"))
TARGETS = ind.Targets(ind.Between("voltage", 3400, 3700, unit="mV"))
UNITS = {"voltage": "V"}


class LowFidelity(ind.PythonObjective):
    """Half a volt too low, unsure of itself, and calibrated."""

    def evaluate(self, candidates):
        values = pd.DataFrame({"voltage": 2.7 + candidates["x"], "voltage_std": 0.125})
        return valued(values, [None] * len(values))

    def calibration_basis(self):
        return {"voltage": "a table"}

    def calibration_reports(self):
        return {"voltage": CalibrationReport("voltage", "linear", 24, {"<Xe>": "no"}, 0.31, 0.09, 0.12, 0.93, 0.8)}


def truth(x):
    return {"voltage": 3.2 + x}


LOW_FIDELITY, TRUTH = LowFidelity(lambda x: {"voltage": x}, UNITS), ind.PythonObjective(truth, UNITS)


@pytest.fixture(scope="module")
def campaign() -> ind.Campaign:
    mine = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), seed=2, name="staged", initial=10)
    mine.run_rounds(LOW_FIDELITY, ind.Stage("dear <1>", TRUTH, top=5, rounds=2), evaluations=30)
    return mine


@pytest.fixture(scope="module")
def tables(campaign, tmp_path_factory) -> dict[str, pd.DataFrame]:
    page = write_report(campaign, tmp_path_factory.mktemp("report") / "report.html").read_text(encoding="utf-8")
    found = {}
    for html in re.findall(r"<table.*?</table>", page, flags=re.DOTALL):
        caption = re.search(r"<caption>(.*?)</caption>", html).group(1)
        found[caption] = pd.read_html(StringIO(html))[0]
    return found


def table(tables, words):
    return next(found for caption, found in tables.items() if words in caption)


def test_every_verified_candidate_stands_with_both_values(campaign, tables):
    pairs = table(tables, "Every candidate that")
    verified = campaign.verified()
    pairs.columns = [" ".join(str(part) for part in names if "Unnamed" not in str(part)) for names in pairs.columns]
    assert pairs["candidate"].tolist() == verified.index.tolist()
    group = "voltage (V)"
    assert pairs[f"{group} search"].tolist() == pytest.approx(verified["voltage_low_fidelity"].tolist(), abs=1e-3)
    assert (pairs[f"{group} ± std"] == 0.125).all()
    assert pairs[f"{group} corrected"].tolist() == pytest.approx(verified["voltage"].tolist(), abs=1e-3)
    assert pairs[f"{group} dear <1>"].tolist() == pytest.approx(verified["voltage"].tolist(), abs=1e-3)
    assert pairs[f"{group} dear <1> − search"].tolist() == pytest.approx([0.5] * 10)
    met = {"yes": True, "no": False}
    assert [met[word] for word in pairs["Meets all targets by dear <1>"]] == verified["all_met"].tolist()
    assert [met[word] for word in pairs["Meets all targets by search"]] == verified["low_fidelity_met"].tolist()


def test_the_agreement_is_summed_up(campaign, tables):
    row = table(tables, "Disagreement").iloc[0]
    assert row["property"] == "voltage"
    assert (row["pairs"], row["mean disagreement"], row["mean absolute"]) == (10, "0.5 V", "0.5 V")
    assert (row["correlation"], row["rank correlation"]) == (1.0, 1.0)
    by_search, corrected = table(tables, "Hits of the search").to_dict("records")
    verified = campaign.verified()
    assert by_search["verified that meet them"] == verified["low_fidelity_met"].sum()
    assert by_search["confirmed"] == (verified["low_fidelity_met"] & verified["all_met"]).sum()
    assert corrected["verified that meet them"] == corrected["confirmed"] == verified["all_met"].sum()
    assert corrected["share"] == "100%"


def test_rounds_stand_with_what_they_taught(campaign, tables):
    rounds = table(tables, "Rounds").to_dict("records")
    assert [one["evaluations"] for one in rounds] == [20, 30]
    assert [one["pairs"] for one in rounds] == [5, 10]
    assert {one["correction"] for one in rounds} == {"an offset"}
    assert {one["intercept"] for one in rounds} == {"0.5 V"}
    assert {one["raw MAE"] for one in rounds} == {"0.5 V"}
    met = campaign.verified()["all_met"]
    counts = [int(met.loc[list(one.candidates)].sum()) for one in campaign.rounds()]
    assert [one["that meet all targets"] for one in rounds] == counts
    assert f"Round by round, {counts[0]} and {counts[1]} of the verified candidates" in report_html(campaign)


def test_the_calibration_stands_with_its_left_out_error(tables):
    row = table(tables, "Calibrations").iloc[0]
    assert (row["property"], row["of"], row["kind"], row["known values"], row["failed"]) == (
        ("voltage", "search", "linear", 24, 1)
    )
    assert (row["raw MAE"], row["left-out MAE"], row["left-out RMSE"]) == ("0.31 V", "0.09 V", "0.12 V")
    assert row["line"] == "0.93 × raw + 0.8 V"
    assert table(tables, "could not be used")["known value"].tolist() == ["<Xe>"]


def test_figures_and_counts_go_by_corrected_values(campaign):
    page = report_html(campaign)
    assert f"{campaign.status().hits} candidates meet the target" in page
    assert campaign.status().hits == campaign.frame()["x"].between(0.2, 0.5).sum()


def test_the_console_shows_it_too(campaign):
    console = Console(width=3000, record=True, file=StringIO())
    console.print(status_table(campaign))
    console.print(hits_table(campaign))
    text = console.export_text()
    assert "linear calibration of voltage was fitted to 24 known values: mean absolute error 0.31 V" in text
    assert "corrected by an offset learned from 10 verified candidates: mean absolute error 0.5 V raw" in text
    assert "differ by 0.5 V on average (mean absolute difference), with a mean difference of +0.5 V" in text


def test_a_campaign_without_stages_has_no_such_sections():
    mine = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), initial=3)
    assert 'id="verification"' not in report_html(mine)
    mine.run(TRUTH, evaluations=3)
    page = report_html(mine)
    assert 'id="verification"' not in page
    assert 'id="calibration"' not in page


def test_a_stage_without_values_is_reported():
    def failing(x):
        raise ValueError("does not converge")

    mine = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), initial=3)
    mine.run(TRUTH, evaluations=3)
    mine.verify(ind.PythonObjective(failing, UNITS), top=2, stage="dear")
    assert "No verified candidate has a value yet." in report_html(mine)


def test_what_a_stage_does_not_compute_anew_is_not_compared():
    def cheap(x):
        return {"voltage": 3.2 + x, "height": 10.0 * x}

    def dear(x):
        return {"voltage": 3.3 + x, "height": 10.0 * x}

    units = {"voltage": "V", "height": "um"}
    mine = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), initial=4)
    mine.run(ind.PythonObjective(cheap, units, isolated=False), evaluations=4)
    mine.verify(ind.PythonObjective(dear, units, isolated=False), top=2, stage="dear")
    console = Console(width=300, record=True, file=StringIO())
    console.print(hits_table(mine))
    console.print(status_table(mine))
    text = console.export_text()
    assert "voltage (V), dear" in text
    assert "In voltage “dear” and the search differ by 0.1 V" in text
    assert "height (um), dear" not in text
    assert "In height" not in text
    page = report_html(mine)
    assert 'data-key="voltage by dear"' in page
    assert 'data-key="height by dear"' not in page
