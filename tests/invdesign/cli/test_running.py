from __future__ import annotations

import pytest

from invdesign import read_campaign
from invdesign.campaign.in_flight import noted_proposals

FILE = """\
campaign: staged
seed: 1
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, between: [0.7, 0.8], unit: V}
objective:
  - {type: python, function: mine.py:cheap, units: {f: V}}
  - {type: python, function: mine.py:dear, units: {f: V}, name: dear {1}, verify: {top: 3, rounds: 2}}
  - {type: python, function: mine.py:dear, units: {f: V}, name: dearest, verify: top 2}
optimizer: {type: random}
budget: {initial: 6, evaluations: 20, batch: 2}
"""
FUNCTIONS = "def cheap(x):\n    return {'f': x}\n\ndef dear(x):\n    return {'f': x + 0.25}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    (tmp_path / "s.yaml").write_text(FILE.replace("dear {1}", "'dear {1}'"))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


def opened():
    return read_campaign("s.yaml").open()


def test_a_file_with_rounds_runs_verifies_and_reports(invdesign, folder):
    reported = invdesign("run", "s.yaml")
    for words in ("20/20", "Verifying (dear {1})", "6/6", "Verifying (dearest)", "2/2", "Round by round,"):
        assert words in reported
    assert "corrected by an offset learned from 6 verified candidates" in " ".join(reported.split())
    mine = opened()
    assert [one.evaluations for one in mine.rounds()] == [13, 20]
    stages = mine.verified()["stage"].value_counts().to_dict()
    assert stages == {"dear {1}": 6, "dearest": 2}
    assert "Round by round," in " ".join(invdesign("status", "s.yaml").split())
    verified = mine.verified()
    invdesign("run", "s.yaml")
    assert opened().verified().equals(verified)


def test_too_small_a_budget_for_its_rounds_is_refused_before_anything_runs(invdesign, folder):
    assert "2 rounds need at least 2 evaluations" in invdesign("run", "s.yaml", "--evaluations", "7", code=2)
    assert opened().frame().empty


def test_other_targets_are_judged_by_corrected_values(invdesign, folder):
    invdesign("run", "s.yaml")
    (folder / "other.yaml").write_text("- {property: f, at_least: 1.1, unit: V}\n")
    assert "nothing was evaluated" in invdesign("run", "s.yaml", "--targets", "other.yaml")
    hits = int((opened().frame()["x"] >= 0.85).sum())
    assert hits > 0
    assert f"the best {hits} of {hits}" in invdesign("status", "s.yaml", "--targets", "other.yaml")


def test_a_file_that_does_not_wait_for_the_slowest(invdesign, folder):
    text = FILE[: FILE.index("  - {type: python, function: mine.py:dear")].replace(
        "between: [0.7, 0.8]", "at_least: 0.5"
    )
    (folder / "s.yaml").write_text(
        text + "workers: 2\noptimizer: {type: random}\nbudget: {initial: 2, evaluations: 9, in_flight: 3}\n"
    )
    assert "9/9" in invdesign("run", "s.yaml")
    frame = opened().frame()
    assert (frame["f"] == frame["x"]).all()
    assert max(one.count for one in noted_proposals(opened().store)) == 3
