from __future__ import annotations

import subprocess
import sys
import textwrap
import time

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign, Failures, RunSettings, WorkerPool
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Categorical, Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Between, Minimize, Targets

SPACE = SearchSpace(x=Continuous(0, 1), k=Integer(1, 4), w=Categorical(["p", "q"]))
TARGETS = Targets(Between("f", 400, 700, unit="mV"))


def wave(x: float, k: int, w: str) -> dict[str, float]:
    if x > 0.9:
        raise ValueError("too much x")
    return {"f": float(np.sin(3 * x) * k / 4 + 0.2 * (w == "p"))}


OBJECTIVE = PythonObjective(wave, {"f": "V"})


class Interrupted(PythonObjective):
    """Stops the campaign at its n-th evaluation, as Ctrl-C would."""

    def evaluate(self, candidates):
        if len(COUNT) == 11:
            raise KeyboardInterrupt
        COUNT.append(1)
        return super().evaluate(candidates)


COUNT: list[int] = []


def campaign(store=None, *, targets=TARGETS, seed=3, space=SPACE, optimizer=None, name="campaign"):
    return Campaign(space, targets, store=store, seed=seed, optimizer=optimizer, initial=6, name=name)


def test_a_campaign_keeps_every_value_and_finds_hits(tmp_path):
    mine = campaign(tmp_path / "c.db")
    seen = []
    mine.run(OBJECTIVE, evaluations=16, batch=2, on_progress=seen.append)
    frame = mine.frame()
    assert len(frame) == 16
    assert [status.evaluated + status.failed for status in seen] == list(range(1, 17))
    assert frame["origin"].tolist() == ["initial"] * 6 + ["BayesianOptimizer"] * 10
    for _, row in frame.iterrows():
        if row["x"] > 0.9:
            assert (row["state"], row["reason"]) == ("failed", "ValueError: too much x")
        else:
            assert row["f"] == wave(row["x"], row["k"], row["w"])["f"]
    hits = mine.hits()
    assert hits["f"].between(0.4, 0.7).all()
    assert len(hits) == mine.status().hits == frame["f"].between(0.4, 0.7).sum()
    assert mine.best(1)["f"].iloc[0] == pytest.approx(0.55, abs=0.05)
    assert campaign(tmp_path / "c.db").frame().equals(frame)


def test_an_interrupted_campaign_goes_on_exactly(tmp_path):
    whole = campaign()
    whole.run(OBJECTIVE, evaluations=14, batch=3)
    cut = campaign(tmp_path / "c.db")
    COUNT.clear()
    with pytest.raises(KeyboardInterrupt):
        cut.run(Interrupted(wave, {"f": "V"}, isolated=False), evaluations=14, batch=3)
    assert cut.status().pending == 1
    resumed = campaign(tmp_path / "c.db")
    resumed.run(OBJECTIVE, evaluations=14, batch=3, settings=RunSettings(objective_changed="keep"))
    pd.testing.assert_frame_equal(resumed.frame(), whole.frame())


def test_a_killed_process_goes_on_exactly(tmp_path):
    """The process is killed outright, in the middle of an evaluation."""
    script = tmp_path / "run.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys, time
            from invdesign import *

            def slow(x):
                time.sleep(0.15)
                return {"f": x * x}

            campaign = Campaign(
                SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5)), store=sys.argv[1], seed=2, initial=4
            )
            objective = PythonObjective(slow, {"f": ""})
            campaign.run(objective, evaluations=9, batch=2, on_progress=lambda s: print(s, flush=True))
            """
        )
    )
    command = [sys.executable, "-W", "ignore", str(script)]
    whole, cut = str(tmp_path / "whole.db"), str(tmp_path / "cut.db")
    subprocess.run([*command, whole], check=True, capture_output=True)
    process = subprocess.Popen([*command, cut], stdout=subprocess.PIPE, text=True)
    for _ in range(6):
        process.stdout.readline()
    time.sleep(0.05)
    process.kill()
    process.communicate()
    space, targets = SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5))
    stopped = Campaign(space, targets, store=cut, seed=2, initial=4)
    assert stopped.status().evaluated < 9
    subprocess.run([*command, cut], check=True, capture_output=True)
    pd.testing.assert_frame_equal(
        Campaign(space, targets, store=cut, seed=2, initial=4).frame(),
        Campaign(space, targets, store=whole, seed=2, initial=4).frame(),
    )


def test_workers_give_the_same_candidates():
    alone, together = campaign(), campaign()
    alone.run(OBJECTIVE, evaluations=10, batch=4)
    with WorkerPool(2) as pool:
        together.run(OBJECTIVE, evaluations=10, batch=4, executor=pool)
    pd.testing.assert_frame_equal(alone.frame(), together.frame())


def test_a_function_of_a_file_reaches_the_workers(tmp_path):
    (tmp_path / "mine.py").write_text("def value(x, k, w):\n    return {'f': x * k}\n")
    objective = PythonObjective(f"{tmp_path / 'mine.py'}:value", {"f": "V"})
    mine = campaign()
    with WorkerPool(2) as pool:
        mine.run(objective, evaluations=6, executor=pool)
    frame = mine.frame()
    assert frame["reason"].isna().all()
    np.testing.assert_allclose(frame["f"], frame["x"] * frame["k"])


def dies(x: float, k: int, w: str) -> dict[str, float]:
    import os

    if k == 4:
        os._exit(9)
    return wave(x, k, w)


def test_a_worker_that_dies_costs_only_its_own_candidate():
    mine = campaign()
    with WorkerPool(2) as pool:
        mine.run(PythonObjective(dies, {"f": "V"}), evaluations=6, executor=pool)
    frame = mine.frame()
    assert (frame.loc[frame["k"] == 4, "reason"] == "the worker process died: exit code 9").all()
    assert (frame["k"] == 4).any()
    assert frame.loc[(frame["k"] < 4) & (frame["x"] <= 0.9), "state"].eq("done").all()


class Broken:
    """An objective that breaks its promise not to raise."""

    rows_per_call = 1

    @property
    def properties(self):
        return {"f": "V"}

    def for_columns(self, columns):
        return self

    def check(self, columns):
        return []

    def evaluate(self, candidates):
        raise RuntimeError("boom")


def test_an_objective_that_raises_is_a_record():
    mine = campaign()
    mine.run(Broken(), evaluations=8, settings=RunSettings(failures=Failures(stop_after=None)))
    assert mine.frame()["reason"].unique().tolist() == ["RuntimeError: boom"]
    assert mine.status().failed == 8
    assert mine.hits().empty


def test_other_targets_reread_the_same_values(tmp_path):
    campaign(tmp_path / "c.db").run(OBJECTIVE, evaluations=10)
    other = campaign(tmp_path / "c.db", targets=Targets(AtLeast("f", 0.2), Minimize("f")))
    values = other.frame()["f"]
    assert other.status().hits == (values >= 0.2).sum()
    assert other.hits().query("pareto_rank == 0")["f"].tolist() == [values[values >= 0.2].min()]


def test_a_finite_space_ends_the_campaign():
    mine = campaign(space=SearchSpace(k=Integer(1, 3), w=Categorical(["p", "q"])), optimizer=RandomOptimizer())
    mine.run(PythonObjective(lambda k, w: {"f": float(k)}, {"f": "V"}), evaluations=20)
    assert mine.status().evaluated == 6


def test_the_laboratory_asks_and_tells():
    mine = campaign()
    batch = mine.ask(8)
    assert batch.index.tolist() == list(range(8))
    assert mine.status().pending == 8
    assert len(mine.ask(2)) == 2
    reported = batch.assign(f=[0.5, 0.1, None, 0.6, 0.2, 0.3, 0.4, 0.9], reason=[None, None, "spilt", *[None] * 5])
    mine.tell(reported)
    assert mine.units == {"f": "mV"}
    frame = mine.frame()
    assert frame["state"].value_counts().to_dict() == {"done": 7, "pending": 2, "failed": 1}
    assert frame.loc[2, "reason"] == "spilt"
    own = pd.DataFrame({"x": [0.25], "k": [2], "w": ["q"], "f": [500.0]})
    assert mine.tell(own) == [10]
    assert mine.frame().loc[10, "origin"] == "laboratory"
    assert mine.status().hits == 1


def test_results_survive_a_csv_file(tmp_path):
    mine = campaign()
    path = tmp_path / "batch.csv"
    mine.ask(3).assign(f=[1.0, 2.0, 3.0]).to_csv(path)
    assert mine.tell(pd.read_csv(path)) == [0, 1, 2]
    assert mine.frame()["f"].tolist() == [1.0, 2.0, 3.0]


def test_what_was_really_made_is_kept():
    mine = campaign()
    mine.tell(mine.ask(1).assign(x=0.125, f=500.0))
    assert mine.frame().loc[0, "x"] == 0.125


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"f": ["0.5 V", "0.6"]}, r"row 1: f is '0.5 V', which is not a finite number"),
        ({"w": ["p", "Q"]}, r"row 2: Column 'w': 'Q' is not one"),
        ({"candidate": [0, 55]}, r"row 2: candidate 55 was not proposed"),
        ({"candidate": [0, 0]}, r"row 2: candidate 0 appears twice"),
    ],
)
def test_bad_results_are_refused_whole(change, words):
    mine = campaign()
    results = mine.ask(2).reset_index().assign(f=[0.5, 0.6]).assign(**change)
    with pytest.raises(InputError, match=words):
        mine.tell(results)
    assert mine.status().evaluated == 0


def test_results_are_taken_once():
    mine = campaign()
    batch = mine.ask(2).assign(f=[0.5, 0.6])
    mine.tell(batch)
    with pytest.raises(InputError, match=r"2 of 2 rows are already stored with the same values: row 1 \(candidate 0\)"):
        mine.tell(batch)
    with pytest.raises(InputError, match="has no column 'f'"):
        mine.tell(batch.drop(columns="f"))


def test_a_store_of_another_campaign_is_refused(tmp_path):
    place = tmp_path / "c.db"
    campaign(place).run(OBJECTIVE, evaluations=3)
    with pytest.raises(InputError, match="with a different seed"):
        campaign(place, seed=4)
    with pytest.raises(InputError, match="with a different space"):
        campaign(place, space=SearchSpace(x=Continuous(0, 2)))
    assert campaign(place, seed=4, name="another").status().evaluated == 0
    with pytest.raises(InputError, match="holds the properties"):
        campaign(place).run(PythonObjective(wave, {"f": "mV"}), evaluations=4)


def test_bad_stores_are_refused(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        campaign(tmp_path / "none" / "c.db")
    (tmp_path / "text.db").write_text("this is not a database, and long enough to be taken for none" * 50)
    with pytest.raises(InputError, match="cannot be used as a store"):
        campaign(tmp_path / "text.db")


def test_an_objective_that_does_not_fit_is_refused_before_anything_runs():
    mine = campaign()
    with pytest.raises(InputError, match="No objective gives the property 'f'"):
        mine.run(PythonObjective(wave, {"g": "V"}), evaluations=5)
    with pytest.raises(InputError, match="cannot be converted"):
        mine.run(PythonObjective(wave, {"f": "kg"}), evaluations=5)
    with pytest.raises(InputError, match="'x' is both a parameter and a property"):
        mine.run(PythonObjective(wave, {"f": "V", "x": ""}), evaluations=5)
    with pytest.raises(InputError, match="batch must be"):
        mine.run(OBJECTIVE, evaluations=5, batch=0)
    assert mine.status().pending == 0


def test_the_best_are_verified_once_by_a_more_accurate_objective(tmp_path):
    mine = campaign(tmp_path / "c.db")
    mine.run(OBJECTIVE, evaluations=12, batch=3)
    calls = []

    def accurate(x, k, w):
        calls.append(x)
        return {"f": wave(x, k, w)["f"] + 0.12}

    stage = PythonObjective(accurate, {"f": "V"}, isolated=False)
    verified = mine.verify(stage, top=4, stage="accurate")
    assert sorted(verified.index) == sorted(mine.best(4).index)
    shifted = mine.frame().loc[verified.index, "f"] + 0.12
    np.testing.assert_allclose(verified["f"], shifted)
    assert verified["all_met"].tolist() == shifted.between(0.4, 0.7).tolist()
    mine.verify(stage, top=4, stage="accurate")
    assert len(calls) == 4


def test_nothing_is_pending_if_the_sheet_cannot_be_written(tmp_path):
    mine = campaign(tmp_path / "c.db")

    def full(batch):
        raise OSError("No space left on device")

    with pytest.raises(OSError, match="No space left"):
        mine.ask(3, before_commit=full)
    assert campaign(tmp_path / "c.db").status().pending == 0
    sheets = []
    asked = mine.ask(8, before_commit=sheets.append)
    pd.testing.assert_frame_equal(sheets[0], asked)
    assert asked.index.tolist() == list(range(8))
    assert mine.frame()["origin"].tolist() == ["initial"] * 6 + ["BayesianOptimizer"] * 2


def test_candidates_are_proposed_on_one_thread():
    from threadpoolctl import ThreadpoolController, threadpool_limits

    import invdesign as ind

    seen = []

    class Looking(ind.RandomOptimizer):
        def propose(self, n, **given):
            seen.extend(library["num_threads"] for library in ThreadpoolController().select(user_api="blas").info())
            return super().propose(n, **given)

    space = ind.SearchSpace(x=ind.Continuous(0.0, 1.0))
    campaign = ind.Campaign(space, ind.Targets(ind.AtLeast("f", 0.5)), optimizer=Looking(), initial=0)
    with threadpool_limits(2, user_api="blas"):
        campaign.ask(2)
    assert set(seen) == {1}
