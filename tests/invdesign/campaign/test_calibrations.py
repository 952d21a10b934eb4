from __future__ import annotations

from typing import Any

import pytest

from invdesign.campaign import Campaign
from invdesign.campaign.calibrations import noted_calibrations
from invdesign.core.errors import InputError
from invdesign.core.settings import settings
from invdesign.objectives.base import failed
from invdesign.objectives.calibrated import CalibrationReport
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.report.console import status_table
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets

SPACE = SearchSpace(x=Continuous(0, 1))
TARGETS = Targets(AtLeast("f", 500, unit="mV"))
REPORT = CalibrationReport("f", "linear", 12, {"Xe": "no parameters"}, 0.31, 0.09, 0.12, 0.93, 0.8)


@settings
class Calibrating(PythonObjective):
    """An objective whose calibration is given to it."""

    basis: str = "table A"
    answer: Any = REPORT

    def calibration_basis(self):
        return {"f": self.basis} if self.basis else {}

    def calibration_reports(self):
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"f": self.answer} if self.basis else {}


def line(x):
    return {"f": x}


def objective(**settings):
    return Calibrating(line, {"f": "V"}, **settings)


def campaign(place=None):
    return Campaign(SPACE, TARGETS, optimizer=RandomOptimizer(), store=place, seed=1, initial=2)


def shown(mine):
    table = status_table(mine)
    return str(list(table.columns[1].cells)[-1])


def test_a_calibration_is_stored_with_the_campaign(tmp_path):
    campaign(tmp_path / "c.db").run(objective(), evaluations=3)
    mine = campaign(tmp_path / "c.db")
    (noted,) = noted_calibrations(mine.store)
    assert (noted.stage, noted.property, noted.unit, noted.report, noted.reason) == ("", "f", "V", REPORT, None)
    reported = shown(mine)
    assert "linear calibration of f was fitted" in reported
    assert "0.31 V raw, 0.09 V for values left out (root mean square 0.12 V)" in reported
    assert "straight line 0.93 × raw + 0.8 V. 1 known value could not be used (Xe: no parameters)." in reported


def test_stages_have_calibrations_of_their_own():
    mine = campaign()
    mine.run(PythonObjective(line, {"f": "V"}), evaluations=3)
    assert noted_calibrations(mine.store) == []
    mine.verify(objective(), top=2, stage="finer")
    (noted,) = noted_calibrations(mine.store)
    assert (noted.stage, noted.report) == ("finer", REPORT)


@pytest.mark.parametrize(
    ("answer", "words"),
    [("too few of its molecules", "too few of its molecules"), (RuntimeError("boom"), "RuntimeError: boom")],
)
def test_a_calibration_that_fails_is_a_reason(answer, words):
    mine = campaign()
    mine.run(objective(answer=answer), evaluations=3)
    assert mine.status().evaluated == 3
    (noted,) = noted_calibrations(mine.store)
    assert (noted.report, noted.reason) == (None, words)
    assert f"The calibration of f failed: {words}" in shown(mine)


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ("table A", "table B", "with another calibration"),
        ("", "table A", "without a calibration"),
        ("table A", "", "with a calibration, which is now missing"),
    ],
)
def test_values_by_another_calibration_are_not_mixed(tmp_path, before, now, words):
    campaign(tmp_path / "c.db").run(objective(basis=before), evaluations=3)
    mine = campaign(tmp_path / "c.db")
    with pytest.raises(InputError, match=rf"holds values of 'f' that the search computed {words}"):
        mine.run(objective(basis=now), evaluations=5)
    assert len(mine.frame()) == 3
    mine.run(objective(basis=before), evaluations=5)
    assert len(mine.frame()) == 5


def test_a_stage_with_another_calibration_is_refused_before_it_runs():
    mine = campaign()
    mine.run(objective(), evaluations=4)
    mine.verify(objective(), top=1, stage="finer")
    with pytest.raises(InputError, match="that the stage 'finer' computed with another"):
        mine.verify(objective(basis="table B"), top=2, stage="finer")
    assert len(mine.verified()) == 1


class Failing(Calibrating):
    def evaluate(self, candidates):
        return failed(candidates.index, self.properties, "the calibration failed")


def test_a_store_without_values_takes_another_calibration():
    mine = campaign()
    mine.run(Failing(line, {"f": "V"}, answer="too few"), evaluations=2)
    assert noted_calibrations(mine.store)[0].reason == "too few"
    mine.run(objective(basis="table B"), evaluations=3)
    assert noted_calibrations(mine.store)[0].report == REPORT
