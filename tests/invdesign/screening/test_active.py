"""Between passes the most informative candidates are evaluated; killed and resumed, the same ones."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.screening.pools import MaterialStream

FILES = ("results.parquet", "best.csv", "funnel.json", "rejected.csv", "evaluated.csv")
SETTINGS = {"block": 64, "top": 10, "budget": 24, "initial": 8, "passes": 3}


@pytest.fixture
def file(tmp_path) -> ind.MaterialFile:
    """300 materials with two descriptors, and one row that cannot be read."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {"id": [f"m{number}" for number in range(300)], **dict(zip("ab", rng.random((2, 300)), strict=True))}
    )
    frame["b"] = frame["b"].astype(object)
    frame.loc[7, "b"] = "wide"
    frame.to_csv(tmp_path / "pool.csv", index=False)
    return ind.MaterialFile(str(tmp_path / "pool.csv"), id="id", descriptors={"a": "a", "b": "b"})


def value(a: float, b: float) -> dict[str, float]:
    return {"f": float(np.exp(-((a - 0.7) ** 2 + (b - 0.2) ** 2) / 0.1))}


def objective_of(log: Path, function=value):
    def logged(a: float, b: float, **_: object) -> dict[str, float]:
        with log.open("a") as lines:
            lines.write(f"{a!r}\n")
        return function(a, b)

    return ind.PythonObjective(logged, {"f": ""}, isolated=False)


def screened(file, output, targets, objective, **more):
    settings = ind.ScreenSettings(**{**SETTINGS, **more})
    return ind.screen(MaterialStream("crystal", file), targets, objective=objective, output=output, settings=settings)


WINDOW = ind.Targets(ind.AtLeast("f", 0.8))


@pytest.mark.parametrize("targets", [WINDOW, ind.Targets(ind.Maximize("f"))])
def test_it_finds_the_best_with_few_evaluations(file, tmp_path, targets):
    log = tmp_path / "log"
    done = screened(file, tmp_path / "out", targets, objective_of(log))
    assert len(log.read_text().splitlines()) == SETTINGS["budget"]
    pool = pd.read_csv(file.pool).drop(index=7).astype({"b": float})
    truth = pool.assign(f=[value(a, b)["f"] for a, b in zip(pool["a"], pool["b"], strict=True)]).set_index("id")["f"]
    if targets is WINDOW:
        assert (truth[done.best["crystal"]] >= 0.8).all()
        return
    best = truth.nlargest(5).index
    assert set(best) <= set(done.best["crystal"])
    evaluated = pd.read_csv(tmp_path / "out" / "evaluated.csv")
    assert len(evaluated) == SETTINGS["budget"]
    assert evaluated["crystal"].is_unique
    assert set(best) <= set(evaluated["crystal"])  # what is best was measured
    assert truth[evaluated["crystal"][8:]].mean() > 2 * truth[evaluated["crystal"][:8]].mean()


def test_measured_values_stand_in_the_results(file, tmp_path):
    done = screened(file, tmp_path / "out", WINDOW, objective_of(tmp_path / "log"))
    results = pd.read_parquet(done.results).set_index("crystal")
    evaluated = pd.read_csv(tmp_path / "out" / "evaluated.csv").set_index("crystal")
    assert np.allclose(results.loc[evaluated.index, "f"], evaluated["f"])
    assert (results.loc[evaluated.index, "f_std"] == 0).all()
    assert set(results.loc[evaluated.index, "probability"]) <= {0.0, 1.0}
    assert len(results) == 299
    assert (results["f_std"].drop(evaluated.index) > 0).all()
    assert [count.name for count in done.funnel][-1] == "evaluated"


def test_every_pass_says_what_it_led_to(file, tmp_path):
    done = screened(file, tmp_path / "out", WINDOW, objective_of(tmp_path / "log"))
    first, *later = done.passes
    assert [len(one.evaluated) for one in done.passes] == [8, 5, 6, 5]
    assert (first.funnel, first.likely) == ((), None)
    evaluated = pd.read_csv(tmp_path / "out" / "evaluated.csv", index_col=0)
    assert np.concatenate([one.evaluated.index for one in done.passes]).tolist() == evaluated.index.tolist()
    for one in done.passes:
        assert one.met.tolist() == (evaluated.loc[one.evaluated.index, "f"] >= 0.8).tolist()
    assert [one.funnel[0].entered for one in later] == [300] * 3
    assert [one.funnel[0].left for one in later] == [done.funnel[0].left] * 3
    assert all(0 <= one.likely <= 299 for one in later)
    for one in (tmp_path / "out" / "active").glob("chosen-*.json"):  # as earlier versions wrote them
        given = json.loads(one.read_text())
        one.write_text(json.dumps({"places": given["places"], "rows": given["rows"]}))
    again = screened(file, tmp_path / "out", WINDOW, objective_of(tmp_path / "log"))
    assert [one.funnel for one in again.passes] == [()] * 4
    assert [one.met.tolist() for one in again.passes] == [one.met.tolist() for one in done.passes]


def test_a_candidate_that_fails_leaves_with_a_reason(file, tmp_path):
    def odd(a: float, b: float) -> dict[str, float]:
        if a < 0.3:
            raise ValueError("does not converge")
        return value(a, b)

    done = screened(file, tmp_path / "out", WINDOW, objective_of(tmp_path / "log", odd))
    evaluated = pd.read_csv(tmp_path / "out" / "evaluated.csv")
    failed = evaluated[evaluated["f"].isna()]
    assert len(failed) > 0
    assert failed["reason"].str.contains("does not converge").all()
    assert done.funnel[-1].left == {"evaluation failed": len(failed)}
    assert not set(failed["crystal"]) & set(pd.read_parquet(done.results)["crystal"])


SCRIPT = """
import os, pathlib, signal, sys
sys.path.insert(0, sys.argv[1])
import test_active as t
import invdesign as ind
folder, left = pathlib.Path(sys.argv[2]), int(sys.argv[3])
def stop(a, b):
    if len((folder / "log").read_text().splitlines()) > left:
        os.kill(os.getpid(), signal.SIGKILL)
    return t.value(a, b)
blocks = 0
def seen(progress):
    global blocks
    blocks += 1
    if blocks == -left:
        os.kill(os.getpid(), signal.SIGKILL)
file = ind.MaterialFile(str(folder / "pool.csv"), id="id", descriptors={"a": "a", "b": "b"})
objective = t.objective_of(folder / "log", stop if left > 0 else t.value)
ind.screen(t.MaterialStream("crystal", file), t.WINDOW, objective=objective, output=folder / "out",
           settings=ind.ScreenSettings(**t.SETTINGS), on_progress=seen)
"""


def test_killed_and_resumed_the_results_are_the_same_bytes(file, tmp_path):
    """Killed before the fourth and the thirteenth value, and after a block of the first and of a later pass."""
    done = screened(file, tmp_path / "whole", WINDOW, objective_of(tmp_path / "other"))
    for left in (3, -2, 12, -7):
        words = [sys.executable, "-c", SCRIPT, str(Path(__file__).parent), str(tmp_path), str(left)]
        killed = subprocess.run(words, check=False, capture_output=True, text=True)
        assert killed.returncode == -9, killed.stderr
    again = objective_of(tmp_path / "log")
    ind.screen(
        MaterialStream("crystal", file),
        WINDOW,
        objective=ind.PythonObjective(again.function, {"f": ""}, isolated=False),
        output=tmp_path / "out",
        settings=ind.ScreenSettings(**SETTINGS),
    )
    for name in FILES:
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert done.hits > 0
    # Only the two values that were being computed when the process was killed were computed twice.
    assert len((tmp_path / "log").read_text().splitlines()) == SETTINGS["budget"] + 2


def test_another_screen_is_refused_in_its_folder(file, tmp_path):
    objective = objective_of(tmp_path / "log")
    screened(file, tmp_path / "out", WINDOW, objective)
    screened(file, tmp_path / "out", WINDOW, objective)  # finished: nothing is evaluated
    assert len((tmp_path / "log").read_text().splitlines()) == SETTINGS["budget"]
    with pytest.raises(InputError, match=r"another screen, which differs in: budget"):
        screened(file, tmp_path / "out", WINDOW, objective, budget=30)


@pytest.mark.parametrize(
    ("objective", "more", "message"),
    [
        (None, {}, "A budget needs an objective"),
        (ind.PythonObjective(value, {"f": ""}, isolated=False), {"budget": 10}, "A budget of 10 is too low"),
    ],
)
def test_what_cannot_be_meant(file, tmp_path, objective, more, message):
    with pytest.raises(InputError, match=message):
        screened(file, tmp_path / "out", WINDOW, objective, **more)


def test_objectives_that_always_fail_are_an_error(file, tmp_path):
    def never(a: float, b: float) -> dict[str, float]:
        raise ValueError("out of licenses")

    with pytest.raises(InputError, match=r"Only 0 of 8 evaluated candidates.*out of licenses"):
        screened(file, tmp_path / "out", WINDOW, objective_of(tmp_path / "log", never))
    assert json.loads((tmp_path / "out" / "active" / "chosen-0.json").read_text())["places"]
