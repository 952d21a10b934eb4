"""Campaigns over two fidelities: what counts, what it cost, and that they go on exactly."""

from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.campaign.stage import Stage
from invdesign.core.errors import InputError
from invdesign.objectives.fidelity import MultiFidelityObjective
from invdesign.objectives.python import PythonObjective
from invdesign.report.console import status_table
from invdesign.report.findings import gather
from invdesign.report.sentences import sentences
from invdesign.space import Fidelity, Integer, SearchSpace
from invdesign.targets import Between, Targets

SPACE = SearchSpace(k=Integer(0, 59), fidelity=Fidelity({"cheap": 1, "dear": 20}))
TARGETS = Targets(Between("f", 500, 700, unit="mV"))


def dear(k: int) -> dict[str, float]:
    return {"f": (k % 40) / 40}


def cheap(k: int) -> dict[str, float]:
    if k == 7:
        raise ValueError("no convergence")
    return {"f": (k % 40) / 41 + 0.02}


OBJECTIVE = MultiFidelityObjective(
    {"cheap": PythonObjective(cheap, {"f": "V"}), "dear": PythonObjective(dear, {"f": "V"})}
)


def campaign(store=None, space=SPACE) -> Campaign:
    return Campaign(space, TARGETS, store=store, seed=3, initial=4)


def test_only_the_target_fidelity_counts_and_the_cost_is_kept():
    mine = campaign()
    mine.run(OBJECTIVE, evaluations=200, cost=300)
    frame = mine.frame()
    at_truth = frame["fidelity"] == "dear"
    hits = frame[at_truth & frame["f"].between(0.5, 0.7)]
    assert set(mine.hits().index) == set(hits.index)
    assert mine.status().hits == len(hits) > 0
    assert (mine.best(100)["fidelity"] == "dear").all()
    table = mine.by_fidelity()
    assert table.index.tolist() == ["cheap", "dear"]
    assert table["cost"].tolist() == [float((~at_truth).sum()), 20.0 * at_truth.sum()]
    assert table["cost"].sum() == mine.cost()
    assert 280 < mine.cost() <= 300
    assert mine.status().evaluated == table["evaluated"].sum()
    mine.run(OBJECTIVE, evaluations=200, cost=300)
    assert len(mine.frame()) == len(frame)


def test_evaluations_and_batches_stay_within_the_cost():
    mine = campaign()
    mine.run(OBJECTIVE, evaluations=7, cost=1000)
    assert len(mine.frame()) == 7
    mine.run(OBJECTIVE, evaluations=200, cost=310, batch=5)
    assert 290 < mine.cost() <= 310
    plain = Campaign(SearchSpace(k=Integer(0, 59)), TARGETS, seed=3, initial=4)
    plain.run(PythonObjective(dear, {"f": "V"}), evaluations=20, cost=6)
    assert (len(plain.frame()), plain.cost()) == (6, 6.0)
    assert plain.by_fidelity().empty


def test_a_cost_that_pays_for_nothing_proposes_nothing():
    mine = campaign()
    mine.run(OBJECTIVE, evaluations=200, cost=19)
    assert mine.frame().empty
    assert mine.cost() == 0.0


def test_the_report_says_what_each_fidelity_cost():
    mine = campaign()
    mine.run(OBJECTIVE, evaluations=18)
    found = gather(mine)
    reported = " ".join(sentences(found))
    counts, cost = mine.by_fidelity()["evaluated"] + mine.by_fidelity()["failed"], mine.by_fidelity()["cost"]
    assert f"Of these {counts['cheap']} at cheap and {counts['dear']} at dear." in reported
    assert f"cost {cost['cheap']:.0f} at cheap and {cost['dear']:.0f} at dear. Only values at dear count" in reported
    assert found.met.sum() == mine.status().hits
    assert found.judged["f"].notna().sum() == mine.by_fidelity().loc["dear", "evaluated"]
    assert "at dear" in list(status_table(mine).columns[0].cells)[3:5][1].plain


def test_a_laboratory_answers_at_both_fidelities():
    mine = campaign()
    asked = mine.ask(4)
    assert (asked["fidelity"] == "dear").all()
    mine.tell(asked.assign(f=[400.0, 600.0, 610.0, 900.0]))
    mine.tell(pd.DataFrame({"k": [1, 2], "fidelity": ["cheap", "dear"], "f": [600.0, 600.0]}))
    assert mine.status().hits == 3
    with pytest.raises(InputError, match="'deer' is not one of the fidelities"):
        mine.tell(pd.DataFrame({"k": [1], "fidelity": ["deer"], "f": [600.0]}))


def test_what_does_not_fit_is_refused_before_anything_runs():
    with pytest.raises(InputError, match="The space needs a fidelity column"):
        campaign(space=SearchSpace(k=Integer(0, 59))).run(OBJECTIVE, evaluations=4)
    with pytest.raises(InputError, match="A space with fidelities cannot have rounds"):
        campaign().run_rounds(OBJECTIVE, Stage("truth", OBJECTIVE, top=2, rounds=2), evaluations=9)


def test_other_costs_are_another_space(tmp_path):
    campaign(tmp_path / "c.db")
    with pytest.raises(InputError, match="with a different space"):
        campaign(tmp_path / "c.db", SearchSpace(k=Integer(0, 59), fidelity=Fidelity({"cheap": 2, "dear": 20})))


def test_a_killed_process_goes_on_exactly(tmp_path):
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, time
            from invdesign import *

            def dear(k):
                time.sleep(0.1)
                return {"f": (k % 40) / 40}

            def cheap(k):
                return {"f": (k % 40) / 41 + 0.02}

            objective = MultiFidelityObjective(
                {"cheap": PythonObjective(cheap, {"f": "V"}), "dear": PythonObjective(dear, {"f": "V"})}
            )
            space = SearchSpace(k=Integer(0, 59), fidelity=Fidelity({"cheap": 1, "dear": 20}))
            campaign = Campaign(space, Targets(Between("f", 500, 700, unit="mV")), store=sys.argv[1], seed=3, initial=4)
            campaign.run(objective, evaluations=16, batch=2, on_progress=lambda s: print(s, flush=True))
            """
        )
    )
    command = [sys.executable, "-W", "ignore", str(script)]
    whole, cut = str(tmp_path / "whole.db"), str(tmp_path / "cut.db")
    subprocess.run([*command, whole], check=True, capture_output=True)
    process = subprocess.Popen([*command, cut], stdout=subprocess.PIPE, text=True)
    for _ in range(11):
        process.stdout.readline()
    time.sleep(0.05)
    process.kill()
    process.communicate()
    assert campaign(cut).status().evaluated < 16
    subprocess.run([*command, cut], check=True, capture_output=True)
    pd.testing.assert_frame_equal(campaign(cut).frame(), campaign(whole).frame())
    assert set(campaign(cut).frame()["fidelity"]) == {"cheap", "dear"}
