"""Several processes on one store: nothing is given out twice, nothing is lost, and the dead are replaced."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from collections.abc import Callable

import pandas as pd
import pytest

from invdesign.campaign import Campaign, RunSettings
from invdesign.campaign.lease import working
from invdesign.campaign.store import PENDING
from invdesign.campaign.workers import LABORATORY, Worker, dead_here, started
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets

SPACE, TARGETS = SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5))
HEAD = """
import os, sys, time
import pandas as pd
from invdesign.campaign import Campaign, RunSettings
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets

place, hands = sys.argv[1], int(sys.argv[2])
# The processes are copies of this one, which has imported everything once.
children = [] if hands > 1 else [None]
for who in range(hands if hands > 1 else 0):
    child = os.fork()
    if not child:
        break
    children.append(child)
if len(children) == hands > 1:
    sys.exit(max(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children))
campaign = Campaign(SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5)), optimizer=RandomOptimizer(),
                    store=place, seed=2, initial=4)
"""
RUN = """
def f(x):
    os.write(1, f"{x!r}\\n".encode())  # whole lines, whoever else writes
    return {"f": x * x}
campaign.run(PythonObjective(f, {"f": ""}), evaluations=60)
"""
ASK = """
for _ in range(6):
    os.write(1, "".join(f"{x!r}\\n" for x in campaign.ask(2)["x"]).encode())
"""
TELL = """
for part in range(5):
    rows = pd.DataFrame({"x": [(who + (part * 10 + row) / 50) / 8 for row in range(10)]})
    campaign.tell(rows.assign(f=rows["x"] ** 2))
"""
OPEN = """
from invdesign.campaign.store import Store
for number in range(30):
    Store(f"{place}-{number}", "c")
"""
HANG = """
def f(x):
    print("working", flush=True)
    time.sleep(600)
campaign.run(PythonObjective(f, {"f": ""}), evaluations=6)
"""
OBJECTIVE = PythonObjective(lambda x: {"f": x * x}, {"f": ""}, isolated=False)


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest, tmp_path) -> str:
    return str(tmp_path / "c.db") if request.param == "sqlite" else request.getfixturevalue("postgresql_url")


@pytest.fixture
def script(tmp_path) -> Callable[..., subprocess.Popen[str]]:
    def start(body: str, place: str, hands: int = 1) -> subprocess.Popen[str]:
        path = tmp_path / "hand.py"
        path.write_text(HEAD + textwrap.dedent(body))
        command = [sys.executable, "-W", "ignore", str(path), place, str(hands)]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start


def opened(place, seed=2) -> Campaign:
    return Campaign(SPACE, TARGETS, optimizer=RandomOptimizer(), store=place, seed=seed, initial=4)


def outputs(processes: list[subprocess.Popen[str]]) -> list[str]:
    lines: list[str] = []
    for process in processes:
        reported, error = process.communicate(timeout=120)
        assert process.returncode == 0, error
        lines += reported.split()
    return lines


def test_processes_that_run_together_share_the_candidates(place, script):
    evaluated = outputs([script(RUN, place, 8)])
    assert len(evaluated) == len(set(evaluated)) == 60
    frame = opened(place).frame()
    assert frame["state"].eq("done").all()
    assert sorted(evaluated) == sorted(map(repr, frame["x"]))
    pd.testing.assert_series_equal(frame["f"], frame["x"] ** 2, check_names=False)
    alone = opened(None)
    alone.run(OBJECTIVE, evaluations=60)
    pd.testing.assert_frame_equal(frame, alone.frame())


def test_processes_that_open_a_new_store_together_wait_for_each_other(tmp_path, script):
    outputs([script(OPEN, str(tmp_path / "c.db"), 8)])
    assert len(list(tmp_path.glob("c.db-??"))) == 20


def test_processes_that_ask_together_get_different_candidates(place, script):
    asked = outputs([script(ASK, place, 4)])
    assert len(asked) == len(set(asked)) == 48


def test_processes_that_tell_together_lose_nothing(place, script):
    outputs([script(TELL, place, 8)])
    frame = opened(place).frame()
    assert len(frame) == frame["x"].nunique() == 400
    assert frame["state"].eq("done").all()


def test_a_dead_process_of_this_machine_is_replaced_at_once(place, script):
    process = script(HANG, place)
    assert process.stdout is not None
    assert process.stdout.readline() == "working\n"
    mine = opened(place)
    assert mine.status().pending == 4
    process.kill()
    process.communicate()
    mine.run(OBJECTIVE, evaluations=6, settings=RunSettings(lease=3600))
    assert mine.frame()["state"].eq("done").all()


def test_a_living_process_keeps_its_candidate_and_others_do_the_rest(tmp_path):
    mine, other = opened(tmp_path / "c.db"), opened(tmp_path / "c.db")
    there = Worker("other", "another machine", 1, "", 3600.0)
    other.store.propose(pd.DataFrame({"x": [0.1, 0.2, 0.3]}), origins=["initial"] * 3, worker=there, held=0)
    with working(other.store, there):
        assert other.store.claim(there, most=1) == [0]
        with working(mine.store, Worker.this_process()) as worker:
            assert mine.store.claim(worker) == [1, 2]
            assert mine.store.held_by_others(worker)
    assert mine.store.columns().pending() == [0, 1, 2]


def test_an_expired_lease_frees_a_candidate_and_the_first_result_is_kept(tmp_path):
    mine = opened(tmp_path / "c.db")
    there = Worker("other", "another machine", 1, "", -1.0)
    mine.store.register(there)
    mine.store.propose(pd.DataFrame({"x": [0.5]}), origins=["initial"], worker=there, held=1)
    with working(mine.store, Worker.this_process()) as worker:
        assert mine.store.claim(worker) == [0]
        mine.store.finish([0], [{"f": 1.0}], [None], seconds=0.1)
        mine.store.finish([0], [{"f": 2.0}], [None], seconds=0.1)  # the other one was only slow
    assert mine.store.columns().property("f").tolist() == [1.0]


def test_run_leaves_the_candidates_of_the_laboratory_alone(tmp_path):
    mine = opened(tmp_path / "c.db")
    asked = mine.ask(2)
    mine.run(OBJECTIVE, evaluations=8)
    frame = mine.frame()
    assert frame.index[frame["state"] == PENDING].tolist() == asked.index.tolist()
    assert len(frame) == 8
    mine.tell(asked.assign(f=0.25))
    assert mine.status().pending == 0


def test_a_run_that_waits_begins_when_it_is_alone(place, script):
    process = script(HANG, place)
    assert process.stdout is not None
    process.stdout.readline()
    waiting = script(RUN.replace("=60", "=6, settings=RunSettings(wait=True)"), place)
    with pytest.raises(subprocess.TimeoutExpired):
        waiting.communicate(timeout=5)
    process.kill()
    process.communicate()
    assert len(outputs([waiting])) == 6


def test_a_process_is_known_to_be_dead_by_its_number_and_its_start():
    mine = Worker.this_process()
    assert not dead_here(mine.host, mine.pid, mine.started)
    assert dead_here(mine.host, mine.pid, mine.started + "1")
    assert not dead_here("another machine", mine.pid, mine.started + "1")
    gone = subprocess.Popen([sys.executable, "-c", ""])
    start = started(gone.pid)
    gone.wait()
    assert dead_here(mine.host, gone.pid, start or "")


def test_a_lease_must_be_at_least_a_second():
    with pytest.raises(InputError, match=r"at least 1 s, not 0\.5"):
        opened(None).run(OBJECTIVE, evaluations=3, settings=RunSettings(lease=0.5))
    assert LABORATORY not in Worker.this_process().name
