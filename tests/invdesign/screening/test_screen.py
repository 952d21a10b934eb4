"""A screen gives the same bytes whatever interrupts it and wherever its blocks run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.screening.pools import MoleculeStream
from invdesign.space import Constraint
from invdesign.space.molecules.files import MoleculeFile

FILES = ("results.parquet", "best.csv", "funnel.json", "rejected.csv")
TARGETS = ind.Targets(ind.Between("level", 1.5, 3.5, unit="V"))


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def screened(smi, table, output, **more):
    objective = ind.TableObjective(str(table), {"molecule": "smiles"}, {"level": "level"})
    given = {"settings": ind.ScreenSettings(block=7, top=4), "steps": [ind.Step("light", keep=LIGHT)], **more}
    return ind.screen(
        MoleculeStream("molecule", MoleculeFile(smi)), TARGETS, objective=objective, output=output, **given
    )


LIGHT = Constraint("molecule.MolWt <= 100")


def test_results_funnel_and_rejected_entries(smi, table, tmp_path):
    done = screened(smi, table, tmp_path / "out")
    counts = {count.name: (count.entered, count.passed) for count in done.funnel}
    # Of 90 entries 9 are no molecules; the anisole on 4 lines weighs 108, and CCCO on 5 is not in the table.
    heavy, unknown = 4, 5
    assert counts == {"read": (90, 81), "light": (81, 81 - heavy), "objective": (77, 77 - unknown)}
    assert done.funnel[1].left == {"not molecule.MolWt <= 100": heavy}
    results = pd.read_parquet(done.results)
    assert len(results) == 72
    met = results["level"].between(1.5, 3.5)
    assert np.array_equal(results["probability"], met.astype(float))
    assert np.array_equal(results["probability: level between 1.5 and 3.5 V"], met.astype(float))
    assert done.hits == met.sum()
    rejected = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert rejected[0] == "line,given,reason"
    assert [line.split(",")[:2] for line in rejected[1:]] == [[f"{10 * n + 1}", f"bad{10 * n}"] for n in range(9)]
    assert done.best["molecule"].tolist() == results[met]["molecule"].drop_duplicates().tolist()[:4]
    assert not (tmp_path / "out" / "blocks").exists()


@pytest.mark.parametrize("make", [lambda: ThreadPoolExecutor(2), lambda: ind.WorkerPool(2)])
def test_an_executor_changes_nothing(smi, table, tmp_path, make):
    screened(smi, table, tmp_path / "one")
    with make() as executor:
        screened(smi, table, tmp_path / "two", executor=executor)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")


def test_the_block_changes_the_row_groups_alone(smi, table, tmp_path):
    small = screened(smi, table, tmp_path / "a", settings=ind.ScreenSettings(block=1, top=4))
    large = screened(smi, table, tmp_path / "b", settings=ind.ScreenSettings(block=1000, top=4))
    assert pd.read_parquet(small.results).equals(pd.read_parquet(large.results))
    for name in FILES[1:]:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_what_can_be_screened_from_python(smi, table, tmp_path):
    settings = ind.ScreenSettings(block=20, top=3)
    objective = ind.TableObjective(str(table), {"molecule": "smiles"}, {"level": "level"})
    bests = []
    for number, pool in enumerate([smi, str(smi), ind.MoleculeFile(smi), ind.MoleculePool.from_file(smi)]):
        done = ind.screen(pool, TARGETS, objective=objective, output=tmp_path / f"{number}", settings=settings)
        bests.append(done.best["molecule"].tolist())
    assert all(best == bests[0] for best in bests)
    (tmp_path / "m.csv").write_text("id,gap\nx,3\ny,1\n")
    crystals = ind.MaterialFile(str(tmp_path / "m.csv"), id="id", descriptors={"gap": "gap"})
    wide = ind.Step(
        "wide", ind.TableObjective(pd.DataFrame({"i": ["x", "y"], "v": [1.0, 2.0]}), {"material": "i"}, {"v": "v"})
    )
    rule = ind.Step("gap", keep=Constraint("gap >= 2"))
    pool = ind.MaterialPool.from_file(tmp_path / "m.csv", id="id", descriptors=["gap"])
    for number, source in enumerate([crystals, pool]):
        found = ind.screen(
            source, ind.Targets(ind.AtLeast("v", 0.0)), steps=[wide, rule], output=tmp_path / f"m{number}"
        )
        assert found.best["material"].tolist() == ["x"]
    with pytest.raises(InputError, match="is not a pool"):
        ind.screen(7, TARGETS, output=tmp_path / "out")


class StopError(Exception):
    pass


def test_stopped_after_any_block_it_goes_on(smi, table, tmp_path):
    whole = screened(smi, table, tmp_path / "whole")
    for stop in (1, 5, 12):
        seen = []

        def note(progress, stop=stop, seen=seen):
            seen.append(progress)
            if len(seen) == stop:
                raise StopError

        with pytest.raises(StopError):
            screened(smi, table, tmp_path / f"cut{stop}", on_progress=note)
        again = []
        screened(smi, table, tmp_path / f"cut{stop}", on_progress=again.append)
        assert len(again) == 13 - stop
        assert again[-1].entries == again[-1].total == 90
        assert again[-1].hits == whole.hits
        assert contents(tmp_path / f"cut{stop}") == contents(tmp_path / "whole")


def test_finished_it_is_only_read(smi, table, tmp_path):
    done = screened(smi, table, tmp_path / "out")
    before = contents(tmp_path / "out")
    progress = []
    again = screened(smi, table, tmp_path / "out", on_progress=progress.append)
    assert not progress
    assert again.best.equals(done.best)
    assert again.hits == done.hits
    assert contents(tmp_path / "out") == before


def test_another_screen_does_not_mix_with_it(smi, table, tmp_path):
    screened(smi, table, tmp_path / "out")
    with pytest.raises(InputError, match="holds another screen, which differs in: step 'light'"):
        screened(smi, table, tmp_path / "out", steps=[ind.Step("light", keep=Constraint("molecule.MolWt <= 90"))])
    with pytest.raises(InputError, match="differs in: the block"):
        screened(smi, table, tmp_path / "out", settings=ind.ScreenSettings(block=8, top=4))
    smi.write_text("CCC\n")
    with pytest.raises(InputError, match="differs in: pool"):
        screened(smi, table, tmp_path / "out")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")
    with pytest.raises(InputError, match=r"holds other files, such as 'notes.txt'"):
        screened(smi, table, tmp_path / "mine")


def test_what_does_not_fit_is_refused_before_anything_is_written(smi, table, tmp_path):
    wrong = [
        ([ind.Step("light", keep=Constraint("molecule.MolWeight <= 90"))], "not a quantity of 'molecule'"),
        ([ind.Step("light", keep=Constraint("molecule <= 90"))], "words cannot be ordered"),
        ([ind.Step("light", keep=Constraint("weight <= 90"))], "unknown 'weight'"),
        ([ind.Step("objective", keep=LIGHT), ind.Step("objective", keep=LIGHT)], "Two steps have the name 'objective'"),
    ]
    for steps, message in wrong:
        with pytest.raises(InputError, match=message):
            screened(smi, table, tmp_path / "out", steps=steps)
    with pytest.raises(InputError, match="Neither a step nor the objective gives the property 'level'"):
        ind.screen(ind.MoleculePool.from_smiles(["C", "CC"]), TARGETS, output=tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_properties_of_a_step_feed_the_model_after_it(tmp_path):
    known = pd.DataFrame({"x": range(10), "a": [float(n % 3) for n in range(10)]})
    learned = pd.DataFrame({"a": [0.0, 1.0, 2.0] * 4, "f": [0.0, 10.0, 20.0] * 4})
    join = ind.Step("join", ind.TableObjective(known, {"x": "x"}, {"a": "a"}))
    model = ind.SurrogateObjective(learned, {"a": "a"}, {"f": "f"}, surrogate=ind.Ridge())
    done = ind.screen(
        ind.SearchSpace(x=ind.Integer(0, 9)),
        ind.Targets(ind.AtLeast("f", 15.0)),
        objective=model,
        steps=[join],
        output=tmp_path / "out",
        settings=ind.ScreenSettings(block=4, top=3),
    )
    assert done.best["x"].tolist() == [2, 5, 8]
    assert done.hits == 3


SCRIPT = """
import sys, time
import invdesign as ind
from invdesign.screening.pools import MoleculeStream
from invdesign.space import Constraint
from invdesign.space.molecules.files import MoleculeFile

def slow(progress):
    print(progress.entries, flush=True)
    time.sleep(0.3)

objective = ind.TableObjective(sys.argv[2], {"molecule": "smiles"}, {"level": "level"})
ind.screen(MoleculeStream("molecule", MoleculeFile(__import__("pathlib").Path(sys.argv[1]))),
    ind.Targets(ind.Between("level", 1.5, 3.5, unit="V")), objective=objective, output=sys.argv[3],
    steps=[ind.Step("light", keep=Constraint("molecule.MolWt <= 100"))],
    settings=ind.ScreenSettings(block=7, top=4), on_progress=slow)
"""


def test_killed_and_run_again_it_gives_the_same_bytes(smi, table, tmp_path):
    screened(smi, table, tmp_path / "whole")
    command = [sys.executable, "-c", SCRIPT, str(smi), str(table), str(tmp_path / "killed")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for _ in range(4):
            process.stdout.readline()
        os.kill(process.pid, signal.SIGKILL)
    kept = sorted(one.name for one in (tmp_path / "killed" / "blocks").glob("[0-9]*.parquet"))
    assert kept == [f"{number:08d}.parquet" for number in range(len(kept))]
    assert 4 <= len(kept) < 13
    screened(smi, table, tmp_path / "killed")
    assert contents(tmp_path / "killed") == contents(tmp_path / "whole")


def test_a_worker_that_dies_costs_its_block_alone(smi, table, tmp_path):
    """The worker is killed from outside in the middle; its block is screened again, the others are not."""
    screened(smi, table, tmp_path / "whole")
    entries = []
    with ind.WorkerPool(2) as executor:

        def note(progress):
            entries.append(progress.entries)
            if len(entries) == 3:
                running = [one._running for one in executor._workers if one._running is not None]
                os.kill(running[0]._process.pid, signal.SIGKILL)
                time.sleep(0.2)

        screened(smi, table, tmp_path / "out", executor=executor, on_progress=note)
    assert entries[-1] == 90
    assert len(entries) == len(set(entries)) == 13
    assert contents(tmp_path / "out") == contents(tmp_path / "whole")


def test_the_funnel_is_json_that_others_can_read(smi, table, tmp_path):
    screened(smi, table, tmp_path / "out")
    found = json.loads((tmp_path / "out" / "funnel.json").read_text())
    assert [one["step"] for one in found] == ["read", "light", "objective"]
    assert found[0]["left"] == {"cannot be read": 9}
