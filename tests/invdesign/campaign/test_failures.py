from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign.evaluation_store import LOST
from invdesign.campaign.failures import FailingObjectiveError, Failures
from invdesign.campaign.run_settings import RunSettings
from invdesign.campaign.store import Store
from invdesign.campaign.workers import Worker
from invdesign.core.errors import InputError


def opened(store=None, optimizer=None):
    return ind.Campaign(
        ind.SearchSpace(x=ind.Continuous(0, 1)),
        ind.Targets(ind.AtLeast("f", 0.5)),
        optimizer=optimizer or ind.RandomOptimizer(),
        store=store,
        seed=5,
        initial=4,
    )


def objective(function):
    return ind.PythonObjective(function, {"f": ""}, isolated=False)


def same(x):
    return {"f": x}


def raising(x):
    raise ValueError(f"x = {x} is wrong")


def test_a_run_stops_after_equal_failures_from_the_start():
    campaign, seen = opened(), []
    with pytest.raises(FailingObjectiveError, match=r"5 evaluations failed for one reason, and none has succeeded: Va"):
        campaign.run(
            objective(raising),
            evaluations=40,
            settings=RunSettings(failures=Failures(on_failure=lambda *one: seen.append(one))),
        )
    assert [number for number, _ in seen] == [0, 1, 2, 3, 4]
    assert campaign.frame()["reason"].tolist() == [reason for _, reason in seen]
    with pytest.raises(FailingObjectiveError, match="2 evaluations failed"):
        opened().run(objective(raising), evaluations=40, settings=RunSettings(failures=Failures(stop_after=2)))
    campaign.run(objective(raising), evaluations=12, settings=RunSettings(failures=Failures(stop_after=None)))
    assert campaign.status().failed == 12
    with pytest.raises(InputError, match="stop_after must be at least 1"):
        Failures(stop_after=0)


def test_different_reasons_or_a_success_do_not_stop_a_run():
    kinds = iter("abcd" * 10)

    def changing(x):
        raise ValueError(next(kinds))

    opened().run(objective(changing), evaluations=20)
    once = iter([1.0])
    opened().run(objective(lambda x: {"f": next(once)}), evaluations=20)


@pytest.mark.parametrize("function", [lambda x: x, lambda x: {"g": x}])
def test_a_wrong_return_value_stops_a_run_after_the_first_evaluation(function):
    campaign = opened()
    with pytest.raises(FailingObjectiveError, match=r"The first evaluation failed, .*: wrong return value: the func"):
        campaign.run(objective(function), evaluations=40)
    assert campaign.status().failed == 1


def test_failed_candidates_are_evaluated_again_and_their_reasons_stay():
    campaign, fresh = opened(), opened()
    campaign.run(objective(lambda x: {"f": 1.0 / (x > 0.5)}), evaluations=8)
    lost = campaign.frame().query("state == 'failed'")
    assert 0 < len(lost) < 8
    assert campaign.retry_failed() == lost.index.tolist()
    campaign.run(objective(lambda x: {"f": x}), evaluations=8, settings=RunSettings(objective_changed="re-evaluate"))
    fresh.run(objective(lambda x: {"f": x}), evaluations=8)
    pd.testing.assert_frame_equal(campaign.frame(), fresh.frame())
    attempts = campaign.attempts()
    assert attempts["candidate"].tolist() == lost.index.tolist()
    assert set(attempts["reason"]) == {"ZeroDivisionError: float division by zero"}
    assert set(attempts["attempt"]) == {1}


def test_failures_of_a_laboratory_are_not_evaluated_again():
    campaign = opened()
    asked = campaign.ask(1)
    campaign.tell(asked.assign(f=None, reason="the cell leaked"))
    assert campaign.retry_failed() == []


def test_failures_of_a_stage_are_verified_again():
    campaign = opened()
    campaign.run(objective(lambda x: {"f": x}), evaluations=4)
    campaign.verify(objective(raising), stage="fine", top=2)
    assert campaign.verified()["f"].isna().all()
    assert campaign.retry_failed(stages=["fine"]) == []
    campaign.verify(objective(lambda x: {"f": 2 * x}), stage="fine", top=2)
    assert campaign.verified()["f"].notna().all()
    assert campaign.attempts()["stage"].tolist() == ["fine", "fine"]


def dead():
    """A worker whose process has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(Worker.this_process(), pid=process.pid, started="")


def died_with(place, candidates, times):
    """A store in which a process died while it evaluated candidates."""
    for _ in range(times):
        store = Store(place, "campaign")
        worker = dead()
        store.register(worker)
        assert set(candidates) <= set(store.claim(worker))
        store.close()


def test_after_two_deaths_of_its_process_a_candidate_has_failed(tmp_path):
    place = tmp_path / "c.db"
    opened(place).store.propose(pd.DataFrame({"x": [0.25, 0.75]}), origins=["initial"] * 2, held=0)
    died_with(place, [0, 1], 1)
    store = Store(place, "campaign")
    mine = Worker.this_process()
    store.register(mine)
    assert store.claim(mine) == [0]  # alone: the other may not be to blame
    assert store.claim(mine) == [0]
    store.leave(mine)  # in order: counts as no death
    store.register(mine)
    assert store.claim(mine) == [0]
    store.finish([0], [{"f": 1.0}], [None], seconds=0.0)
    assert store.claim(mine) == [1]
    store.leave(mine)
    died_with(place, [1], 1)
    campaign = opened(place)
    seen = []
    failures = Failures(on_failure=lambda *one: seen.append(one))
    campaign.run(objective(same), evaluations=3, settings=RunSettings(failures=failures))
    assert campaign.frame()["reason"].tolist() == [None, LOST, None]
    assert seen == [(1, LOST)]
    assert campaign.retry_failed() == [1]
    campaign.run(objective(same), evaluations=3)
    assert campaign.status().failed == 0


def test_after_two_deaths_a_verification_has_failed(tmp_path):
    place = tmp_path / "c.db"
    opened(place).run(objective(lambda x: {"f": x}), evaluations=4)
    for _ in range(2):
        store = Store(place, "campaign")
        worker = dead()
        store.register(worker)
        assert store.claim(worker, "fine", among=[2]) == [2]
    campaign = opened(place)
    campaign.verify(objective(lambda x: {"f": x}), stage="fine", candidates=[2, 3])
    assert campaign.verified()["reason"].tolist() == [LOST, None]


KILLED = """
import os, sys
import invdesign as ind

def killing(x):
    if x > 0.5:
        os.kill(os.getpid(), 9)
    return {"f": x}

campaign = ind.Campaign(
    ind.SearchSpace(x=ind.Continuous(0, 1)), ind.Targets(ind.AtLeast("f", 0.4)),
    optimizer=ind.RandomOptimizer(), store=sys.argv[1], seed=5, initial=4,
)
campaign.run(ind.PythonObjective(killing, {"f": ""}, isolated=False), evaluations=4)
"""


def test_a_campaign_whose_process_dies_at_a_candidate_goes_on_at_last(tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", KILLED, str(tmp_path / "c.db")]
    codes = []
    while not codes or codes[-1] == -9:
        codes.append(subprocess.run(command, check=False).returncode)
        assert len(codes) < 10
    frame = opened(tmp_path / "c.db").frame()
    assert codes == [-9] * 2 * int((frame["x"] > 0.5).sum()) + [0]
    assert (frame.loc[frame["x"] > 0.5, "reason"] == LOST).all()
    assert frame.loc[frame["x"] < 0.5, "f"].notna().all()
