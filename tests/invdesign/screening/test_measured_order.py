"""Steps in the order of their measured cost and pass rate; a resumed screen keeps the recorded one."""

from __future__ import annotations

import json
import shutil
import time

import pandas as pd
import pytest

import invdesign as ind
from invdesign.screening.measured_order import ORDER, Measured
from invdesign.screening.pools import MaterialStream
from invdesign.space import Constraint

FILES = ("results.parquet", "best.csv", "funnel.json", "rejected.csv")
TARGETS = ind.Targets(ind.AtLeast("f", 10.0))


def slow(a: float, **_: object) -> dict[str, float]:
    time.sleep(0.002)
    return {"g": a}


@pytest.fixture
def pool(tmp_path) -> MaterialStream:
    rows = {"id": [f"m{number}" for number in range(120)], "a": range(120)}
    pd.DataFrame(rows).to_csv(tmp_path / "pool.csv", index=False)
    return MaterialStream("crystal", ind.MaterialFile(str(tmp_path / "pool.csv"), id="id", descriptors={"a": "a"}))


def screened(pool, output, order="measured"):
    """Three simulations: a slow one that keeps nearly all, a fast one that keeps few, a rule on the slow one."""
    fast = ind.PythonObjective(lambda a, **_: {"h": a % 4}, {"h": ""}, isolated=False)
    steps = [
        ind.Step("slow", ind.PythonObjective(slow, {"g": ""}, isolated=False), keep=Constraint("g >= 1")),
        ind.Step("fast", fast, keep=Constraint("h <= 0")),
        ind.Step("rule", keep=Constraint("g <= 100")),
    ]
    objective = ind.PythonObjective(lambda a, **_: {"f": a}, {"f": ""}, isolated=False)
    settings = ind.ScreenSettings(block=50, top=5, order=order)
    return ind.screen(pool, TARGETS, objective=objective, steps=steps, output=output, settings=settings)


def test_what_costs_much_and_keeps_much_comes_late(pool, tmp_path):
    written = screened(pool, tmp_path / "cost", "cost")
    assert [count.name for count in written.funnel] == ["read", "slow", "rule", "fast", "objective"]
    done = screened(pool, tmp_path / "out")
    names = [count.name for count in done.funnel]
    assert names.index("fast") < names.index("slow") < names.index("rule") < names.index("objective")
    columns = sorted(pd.read_parquet(written.results))
    assert pd.read_parquet(done.results)[columns].equals(pd.read_parquet(written.results)[columns])
    noted = json.loads((tmp_path / "out" / ORDER).read_text())
    assert noted["order"] == names[1:]
    assert noted["measured"]["slow"]["seconds"] > 0.002


def test_a_resumed_screen_keeps_the_recorded_order(pool, tmp_path):
    screened(pool, tmp_path / "cost", "cost")
    screened(pool, tmp_path / "whole")
    other = tmp_path / "out"
    other.mkdir()
    for name in ("screen.json", ORDER):  # as after a kill before the first block
        shutil.copy(tmp_path / "whole" / name, other / name)
    order = json.loads((other / ORDER).read_text())
    screened(pool, other)
    assert json.loads((other / ORDER).read_text()) == order
    for name in FILES:
        assert (other / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    # An order that was recorded stands, even if it would be measured differently.
    order["order"] = ["slow", "rule", "fast", "objective"]
    third = tmp_path / "third"
    third.mkdir()
    shutil.copy(other / "screen.json", third / "screen.json")
    (third / ORDER).write_text(json.dumps(order))
    assert [count.name for count in screened(pool, third).funnel][1:] == order["order"]


def test_the_rank_is_the_cost_of_a_candidate_that_leaves():
    assert Measured(2.0, 0.5).rank == 4.0
    assert Measured(1.0, 0.9).rank > Measured(2.0, 0.5).rank
    assert Measured(1e-9, 1.0).rank == float("inf")
