from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign import Campaign, RunSettings
from invdesign.campaign.failures import Failures
from invdesign.campaign.stage import Stage, due_counts
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import BayesianOptimizer, GeneticOptimizer, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import Between, Targets

SPACE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
TARGETS = Targets(Between("f", 1.0, 1.1))
UNITS = {"f": ""}


def cheap(x, y):
    return {"f": x + 0.5 * y * y}


def truth(x, y):
    return {"f": x + 0.5 * y * y + 0.4 + 0.01 * np.sin(40 * x)}


CHEAP, TRUTH = PythonObjective(cheap, UNITS), PythonObjective(truth, UNITS)


class Interrupting(PythonObjective):
    """Stops everything at the call whose number ``LEFT`` holds, as Ctrl-C would."""

    def evaluate(self, candidates):
        if not LEFT[0]:
            raise KeyboardInterrupt
        LEFT[0] -= 1
        return super().evaluate(candidates)


Interrupting.__name__ = Interrupting.__qualname__ = PythonObjective.__qualname__  # not another objective to the store
LEFT = [0]


def interrupting(function):
    return Interrupting(function, UNITS, isolated=False)


def campaign(place=None, *, optimizer=None, targets=TARGETS):
    return Campaign(SPACE, targets, optimizer=optimizer or BayesianOptimizer(), store=place, seed=4, initial=6)


def run(mine, *, low_fidelity=CHEAP, verifying=TRUTH, evaluations=18, rounds=3, top=4, failures=None):
    stage = Stage("truth", verifying, top, rounds)
    mine.run_rounds(
        low_fidelity, stage, evaluations=evaluations, batch=2, settings=RunSettings(failures=failures or Failures())
    )


@pytest.fixture(scope="module")
def whole():
    mine = campaign()
    run(mine)
    return mine


def test_the_evaluations_after_the_initial_ones_are_shared_equally():
    assert due_counts(60, initial=12, rounds=3) == [28, 44, 60]
    assert due_counts(13, initial=10, rounds=3) == [11, 12, 13]
    assert due_counts(20, initial=10, rounds=1) == [20]
    with pytest.raises(InputError, match="3 rounds need at least 3 evaluations after the 10 initial ones, not 2"):
        due_counts(12, initial=10, rounds=3)


def test_each_round_verifies_the_best_that_were_not_verified_before(whole):
    rounds = whole.rounds()
    assert [one.evaluations for one in rounds] == [10, 14, 18]
    numbers = [number for one in rounds for number in one.candidates]
    assert len(numbers) == len(set(numbers)) == 12
    assert sorted(numbers) == sorted(whole.verified().index)
    assert all(max(one.candidates) < one.evaluations for one in rounds)
    first = campaign()
    first.run(CHEAP, evaluations=10, batch=2)
    assert list(rounds[0].candidates) == first.different(4)


def test_the_search_goes_on_with_corrected_values_and_keeps_the_raw_ones(whole):
    frame = whole.frame()
    np.testing.assert_array_equal(frame["f"], frame["x"] + 0.5 * frame["y"] ** 2)
    correction = whole.corrections()["f"]
    assert correction.kind != "none"
    np.testing.assert_array_equal(whole.history().properties["f"], correction.apply(frame["f"].to_numpy()))
    best = whole.best(5)
    assert best["f"].tolist() == correction.apply(frame.loc[best.index, "f"].to_numpy()).tolist()
    assert whole.status().hits == len(whole.hits()) == whole.hits()["f"].between(1.0, 1.1).sum()
    verified = whole.verified()
    np.testing.assert_array_equal(verified["f_corrected"], correction.apply(verified["f_low_fidelity"].to_numpy()))


def test_a_constant_error_costs_the_first_round_only(whole):
    met = whole.verified()["all_met"]
    first, *later = [int(met.loc[list(one.candidates)].sum()) for one in whole.rounds()]
    assert first == 0
    assert sum(later) >= 6
    taught = [one.corrections["f"] for one in whole.taught_rounds()]
    assert [one.pairs for one in taught] == [4, 8, 12]
    assert all(one.errors[one.kind].mae < 0.05 < one.errors["none"].mae for one in taught)


@pytest.mark.parametrize("calls", [3, 8, 10, 12, 14, 17, 19, 21, 27, 29])
def test_interrupted_anywhere_it_goes_on_exactly(whole, tmp_path, calls):
    """10 calls of the search and 4 of the stage, then 4 and 4, then 4 and 4: the moments lie in all of them."""
    cut = campaign(tmp_path / "c.db")
    LEFT[0] = calls
    with pytest.raises(KeyboardInterrupt):
        run(cut, low_fidelity=interrupting(cheap), verifying=interrupting(truth))
    resumed = campaign(tmp_path / "c.db")
    run(resumed)
    pd.testing.assert_frame_equal(resumed.frame(), whole.frame())
    pd.testing.assert_frame_equal(resumed.verified(), whole.verified())
    assert resumed.rounds() == whole.rounds()
    assert resumed.corrections() == whole.corrections()


@pytest.mark.parametrize("optimizer", [RandomOptimizer(), GeneticOptimizer(), ParticleSwarmOptimizer()])
def test_every_optimizer_goes_on_exactly(tmp_path, optimizer):
    together = campaign(optimizer=optimizer)
    run(together, evaluations=30)
    cut = campaign(tmp_path / "c.db", optimizer=optimizer)
    LEFT[0] = 25
    with pytest.raises(KeyboardInterrupt):
        run(cut, low_fidelity=interrupting(cheap), verifying=interrupting(truth), evaluations=30)
    resumed = campaign(tmp_path / "c.db", optimizer=optimizer)
    run(resumed, evaluations=30)
    pd.testing.assert_frame_equal(resumed.frame(), together.frame())
    pd.testing.assert_frame_equal(resumed.verified(), together.verified())


def test_a_half_verified_round_corrects_nothing_yet(tmp_path):
    cut = campaign(tmp_path / "c.db")
    LEFT[0] = 12
    with pytest.raises(KeyboardInterrupt):
        run(cut, low_fidelity=interrupting(cheap), verifying=interrupting(truth))
    assert len(cut.verified()) == 2
    assert cut.corrections() == {}
    np.testing.assert_array_equal(cut.best(10).sort_index()["f"], cut.frame()["f"])


SCRIPT = """
import sys, time
from invdesign import Between, Campaign, Continuous, PythonObjective, RandomOptimizer, SearchSpace, Stage, Targets

def slow(shift):
    def value(x):
        print("called", flush=True)
        time.sleep(0.05)
        return {"f": x * x + shift}
    return PythonObjective(value, {"f": ""})

campaign = Campaign(SearchSpace(x=Continuous(0, 1)), Targets(Between("f", 0.5, 0.6)), store=sys.argv[1],
                    seed=2, initial=8, optimizer=RandomOptimizer())
campaign.run_rounds(slow(0.0), Stage("truth", slow(0.2), 4, 2), evaluations=14, batch=2)
"""


@pytest.fixture(scope="module")
def killable(tmp_path_factory):
    """The command that runs a campaign in a store, and that campaign run undisturbed."""
    folder = tmp_path_factory.mktemp("killable")
    (folder / "run.py").write_text(SCRIPT)
    command = [sys.executable, "-W", "ignore", str(folder / "run.py")]
    subprocess.run([*command, str(folder / "whole.db")], check=True, capture_output=True)
    return command, opened(folder / "whole.db")


def opened(place):
    space, targets = SearchSpace(x=Continuous(0, 1)), Targets(Between("f", 0.5, 0.6))
    return Campaign(space, targets, store=place, seed=2, initial=8, optimizer=RandomOptimizer())


@pytest.mark.parametrize("steps", [13, 17])
def test_a_killed_process_goes_on_exactly(killable, tmp_path, steps):
    """The process is killed outright, while it verifies the first round or searches in the second."""
    command, whole = killable
    store = tmp_path / "cut.db"
    process = subprocess.Popen([*command, str(store)], stdout=subprocess.PIPE, text=True)
    for _ in range(steps):
        process.stdout.readline()
    process.kill()
    process.communicate()
    assert len(opened(store).verified()) < len(whole.verified()) == 8
    subprocess.run([*command, str(store)], check=True, capture_output=True)
    pd.testing.assert_frame_equal(opened(store).frame(), whole.frame())
    pd.testing.assert_frame_equal(opened(store).verified(), whole.verified())


def test_run_again_it_does_nothing_and_a_larger_budget_goes_on(tmp_path):
    mine = campaign(tmp_path / "c.db")
    run(mine)
    frame, verified = mine.frame(), mine.verified()
    run(mine)
    pd.testing.assert_frame_equal(mine.frame(), frame)
    pd.testing.assert_frame_equal(mine.verified(), verified)
    run(mine, evaluations=30)
    assert [one.evaluations for one in mine.rounds()] == [10, 14, 18, 22, 30]
    assert len(mine.verified()) == 20


def test_what_the_stage_verified_before_is_learned_from_and_not_verified_again():
    mine = campaign()
    mine.run(CHEAP, evaluations=8)
    before = mine.verify(TRUTH, top=3, stage="truth").index
    assert mine.corrections() == {}
    run(mine, rounds=2)
    first = mine.rounds()[0]
    assert set(before) < set(first.candidates)
    assert mine.taught_rounds()[0].corrections["f"].pairs == 7
    assert not mine.verified().index.duplicated().any()


def test_a_stage_that_fails_teaches_nothing_and_ends_nothing():
    def failing(x, y):
        raise ValueError("does not converge")

    mine = campaign(optimizer=RandomOptimizer())
    run(mine, verifying=PythonObjective(failing, UNITS))
    assert mine.status().evaluated == 18
    assert mine.corrections()["f"].pairs == 0
    assert mine.verified()["reason"].eq("ValueError: does not converge").all()


def test_a_search_without_values_has_nothing_to_verify():
    def failing(x, y):
        raise ValueError("does not converge")

    mine = campaign(optimizer=RandomOptimizer())
    run(mine, low_fidelity=PythonObjective(failing, UNITS), failures=Failures(stop_after=None))
    assert mine.verified().empty
    assert len(mine.rounds()) == 3


def test_a_finite_space_is_verified_to_its_end():
    space = SearchSpace(k=ind.Integer(1, 9))
    mine = Campaign(space, Targets(Between("f", 3, 5)), optimizer=RandomOptimizer(), initial=4)
    stage = Stage("truth", PythonObjective(lambda k: {"f": k + 2.0}, UNITS), top=4, rounds=3)
    mine.run_rounds(PythonObjective(lambda k: {"f": float(k)}, UNITS), stage, evaluations=40)
    assert len(mine.frame()) == len(mine.verified()) == 9


def test_objectives_that_do_not_fit_are_refused_before_anything_runs():
    mine = campaign()
    with pytest.raises(InputError, match="No objective gives the property 'f'"):
        run(mine, verifying=PythonObjective(truth, {"g": ""}))
    with pytest.raises(InputError, match="30 rounds need"):
        run(mine, rounds=30)
    assert mine.frame().empty
    with pytest.raises(InputError, match="'rounds' must be at least 1, not 0"):
        run(mine, rounds=0)


def test_another_stage_cannot_go_on_with_the_corrections_of_the_first():
    mine = campaign(optimizer=RandomOptimizer())
    run(mine)
    with pytest.raises(InputError, match="corrects its search with the stage 'truth', not 'other'"):
        mine.run_rounds(CHEAP, Stage("other", TRUTH, 2, 2), evaluations=30)


def test_a_small_model_is_corrected_by_what_was_verified(real_data):
    """Homobenzylic ethers: a model of 40 that are easily oxidized steers, the published table verifies."""
    table = pd.read_csv(next((real_data / "hbe").glob("*.csv")))
    easily = table[table["Potential"] < 1.1].sample(40, random_state=3)
    said = {"key": {"molecule": "canonSMILES"}, "values": {"potential": "Potential"}, "units": {"potential": "V"}}
    space = SearchSpace(molecule=ind.MoleculePool(table["canonSMILES"].tolist()))
    low_fidelity = ind.SurrogateObjective(easily, **said, surrogate=ind.GaussianProcess())
    verifying = ind.TableObjective(table, **said)
    targets = Targets(Between("potential", 1.40, 1.70, unit="V"))
    mine = Campaign(space, targets, optimizer=RandomOptimizer(), seed=1)
    mine.run_rounds(low_fidelity, Stage("B3LYP", verifying, top=15, rounds=2), evaluations=120, batch=55)
    correction = mine.corrections()["potential"]
    chosen = correction.errors[correction.kind]
    assert correction.pairs == 30
    assert chosen.rmse < 0.5 * correction.errors["none"].rmse

    held_out = mine.frame().drop(index=mine.verified().index)
    raw = held_out["potential"].to_numpy()
    known = verifying.for_columns(space.columns).evaluate(held_out)["potential"].to_numpy()
    before, after = np.abs(raw - known).mean(), np.abs(correction.apply(raw) - known).mean()
    assert after < 0.5 * before
    first, second = (int(mine.verified()["all_met"].loc[list(one.candidates)].sum()) for one in mine.rounds())
    assert second > first
