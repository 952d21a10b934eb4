from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign, WorkerPool
from invdesign.campaign.execution.executor import evaluate_all
from invdesign.core.errors import InputError
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.python import PythonObjective
from invdesign.objectives.table import TableObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, Integer, SearchSpace
from invdesign.targets import AtLeast, Targets

ROWS = pd.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}, index=[4, 5, 6, 7])
FUNCTIONS = """
import os, signal, time

def trying(x):
    if x == 1.0:
        while True:
            time.sleep(60)
    if x == 2.0:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"f": 10.0 * x, "pid": os.getpid()}

def stubborn(x):  # hangs if no signal of Python's is seen to, as a compiled solver does
    if x == 1.0:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM})
        time.sleep(600)
    return {"f": 10.0 * x}
"""


@pytest.fixture
def functions(tmp_path):
    """The path of a file with functions that hang and die; a worker imports no more than it."""
    file = tmp_path / "functions.py"
    file.write_text(FUNCTIONS)
    return file


@pytest.fixture
def hard(functions):
    return PythonObjective(f"{functions}:trying", {"f": "V", "pid": ""}, time_limit=0.6)


def results(objective, executor=None, rows=ROWS):
    return pd.concat([result.values for result in evaluate_all(objective, rows, executor)]).sort_index()


def check_tried(frame):
    assert frame.index.tolist() == [4, 5, 6, 7]
    np.testing.assert_equal(frame["f"].tolist(), [0.0, np.nan, np.nan, 30.0])
    hung = "the time limit was exceeded within a step that did not end: the worker was stopped after 1 s"
    assert frame["reason"].tolist() == [None, hung, "the worker process died: SIGKILL", None]


def test_a_call_that_hangs_or_is_killed_is_a_record_without_an_executor(hard):
    frame = results(hard)
    check_tried(frame)
    assert os.getpid() not in frame["pid"].tolist()


def test_a_call_that_hangs_or_is_killed_leaves_the_other_workers_alone(hard):
    with WorkerPool(2) as pool:
        check_tried(results(hard, pool))


def test_of_a_batch_only_the_failing_rows_fail(hard):
    class InBatches(PythonObjective):
        @property
        def rows_per_call(self):
            return None

    check_tried(results(InBatches(hard.function, hard.units, time_limit=0.6)))


def test_a_step_that_heeds_no_signal_is_ended_too(functions):
    frame = results(PythonObjective(f"{functions}:stubborn", {"f": "V"}, time_limit=0.6), rows=ROWS.head(2))
    assert frame["f"].tolist()[0] == 0.0
    assert "the worker was stopped" in frame["reason"].tolist()[1]


def test_the_worker_is_kept_between_calls(hard):
    once, again = (results(hard, rows=ROWS.loc[[4, 7]]) for _ in range(2))
    assert len({*once["pid"], *again["pid"]}) == 1


def test_what_an_objective_has_loaded_stays_in_its_worker(tmp_path):
    file = tmp_path / "counted.py"
    file.write_text("calls = []\ndef f(x):\n    calls.append(x)\n    return {'f': len(calls)}\n")
    counted = PythonObjective(f"{file}:f", {"f": ""}, time_limit=10.0)
    assert results(counted)["f"].tolist() == [1.0, 2.0, 3.0, 4.0]
    with WorkerPool(1) as pool:
        assert results(counted, pool)["f"].tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_campaign_goes_on():
    campaign = Campaign(
        SearchSpace(x=Continuous(0, 2)),
        Targets(AtLeast("f", 0.5)),
        optimizer=RandomOptimizer(),
        seed=0,
        initial=3,
    )

    def rough(x: float) -> dict[str, float]:
        if x > 1.5:
            time.sleep(600)
        if x < 0.5:
            os.kill(os.getpid(), signal.SIGKILL)
        return {"f": x}

    campaign.run(PythonObjective(rough, {"f": ""}, time_limit=0.5), evaluations=8)
    frame = campaign.frame()
    assert frame.loc[frame["x"] > 1.5, "reason"].str.startswith("the time limit was exceeded").all()
    assert (frame.loc[frame["x"] < 0.5, "reason"] == "the worker process died: SIGKILL").all()
    assert frame.loc[frame["x"].between(0.5, 1.5), "f"].notna().all()
    assert frame["f"].isna().sum() >= 2
    assert campaign.status().evaluated >= 2


def test_what_a_hanging_call_started_is_ended_with_it(tmp_path):
    place = tmp_path / "child"

    def starts(x: float) -> dict[str, float]:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        place.write_text(str(child.pid))
        return {"f": float(child.wait())}

    results(PythonObjective(starts, {"f": ""}, time_limit=1.0), rows=ROWS.head(1))
    assert gone(int(place.read_text()))


def test_functions_run_in_a_worker_and_what_cannot_be_sent_in_this_process():
    isolated = PythonObjective(lambda x: {"pid": os.getpid()}, {"pid": ""})
    assert os.getpid() not in results(isolated)["pid"].tolist()
    assert results(replace(isolated, isolated=False))["pid"].tolist() == [os.getpid()] * 4
    lock = threading.Lock()
    locks = PythonObjective(lambda x: {"pid": os.getpid() + lock.locked()}, {"pid": ""})
    assert results(locks)["pid"].tolist() == [os.getpid()] * 4
    # A frame of numbers is looked up where it is.
    table = TableObjective(pd.DataFrame({"x": [0.0], "f": [5.0]}), key={"x": "x"}, values={"f": "f"})
    assert results(table)["f"].tolist()[0] == 5.0


DYING = """
import ctypes, os, sys

def dying(x):
    if x == 0.0:
        os._exit(0)
    if x == 1.0:
        ctypes.string_at(0)
    if x == 2.0:
        sys.exit()
    return {"f": x}

def forking(x):
    if os.fork():
        os.wait()
    return {"f": 10.0 * x}

def forgetful(x):
    if x == 1.0 and not os.fork():
        os.setsid()
        import time
        time.sleep(60)
    if x == 1.0:
        os._exit(3)
    return {"f": x}

def strange(x):
    class Mute(Exception):
        def __str__(self):
            raise ValueError
    raise Mute if x else ValueError("half of a character: \\udc80")

def hungry(x):
    import numpy as np
    return {"f": float(np.ones(int(x * 125_000_000)).sum())}
"""


@pytest.fixture
def dying(tmp_path):
    file = tmp_path / "dying.py"
    file.write_text(DYING)
    return lambda name, **settings: PythonObjective(f"{file}:{name}", {"f": ""}, **settings)


def test_code_that_ends_its_process_is_a_failure_with_its_reason(dying):
    frame = results(dying("dying"))
    assert frame["reason"].tolist() == [
        "the worker process died: exit code 0",
        "the worker process died: SIGSEGV",
        "the code called sys.exit()",
        None,
    ]
    with WorkerPool(2) as pool:
        pd.testing.assert_frame_equal(results(dying("dying"), pool), frame)


def test_a_forked_child_that_returns_writes_no_result(dying):
    assert results(dying("forking"))["f"].tolist() == [0.0, 10.0, 20.0, 30.0]
    here = dying("forking", isolated=False)
    script = [here, ROWS]
    child = "import pickle, sys; from invdesign.campaign.execution.executor import evaluate_all\n"
    child += "objective, rows = pickle.load(sys.stdin.buffer)\n"
    child += "for result in evaluate_all(objective, rows, None): print(*result.values['f'], flush=True)"
    command = [sys.executable, "-W", "ignore", "-c", child]
    done = subprocess.run(command, check=True, capture_output=True, input=pickle.dumps(script), env=environment())
    assert done.stdout.split() == [b"0.0", b"10.0", b"20.0", b"30.0"]


def test_a_worker_that_dies_is_noticed_though_a_child_holds_its_pipe(dying):
    assert results(dying("forgetful"))["reason"].tolist()[1] == "the worker process died: exit code 3"


def test_strange_messages_are_reasons_and_are_stored_escaped(dying):
    campaign = Campaign(
        SearchSpace(x=Integer(0, 1)), Targets(AtLeast("f", 0.5)), optimizer=RandomOptimizer(), seed=0, initial=2
    )
    campaign.run(dying("strange"), evaluations=2)
    assert sorted(campaign.frame()["reason"]) == [
        "Mute: (its message raises ValueError)",
        "ValueError: half of a character: \\udc80",
    ]


def test_a_call_that_uses_too_much_memory_fails_and_the_next_one_succeeds(dying):
    frame = results(dying("hungry", memory_limit="1.5 GB"), rows=ROWS.assign(x=[0.1, 2.0, 0.2, 8.0]))
    used = "used more than 1.5 GB of memory"
    assert frame["reason"].tolist() == [None, used, None, used]
    assert frame["f"].tolist()[0] == 12_500_000.0


def test_an_objective_that_cannot_travel_is_refused():
    lock = threading.Lock()
    locks = PythonObjective(lambda x: {"f": float(lock.locked())}, {"f": ""}, time_limit=5.0)
    with pytest.raises(InputError, match="cannot be sent to another process: TypeError"):
        results(locks)


def test_a_pool_is_an_executor():
    with WorkerPool(2) as pool:
        assert list(pool.map(abs, [-1, -2])) == [1, 2]
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result()
    with pytest.raises(InputError, match="At least one worker"):
        WorkerPool(0)


def test_a_combination_takes_the_time_of_its_parts_together():
    quick = PythonObjective("m:f", {"f": ""}, time_limit=3.0)
    other = PythonObjective("m:f", {"g": ""}, time_limit=4.0)
    endless = PythonObjective("m:f", {"h": ""})
    assert CombinedObjective((quick, other)).seconds_allowed(2) == pytest.approx(14.0)
    assert CombinedObjective((quick, endless)).seconds_allowed(2) is None


SCRIPT = """
    import os, sys, time
    import invdesign as ind

    def slow(x):
        open(sys.argv[1], "w").write(str(os.getpid()))
        time.sleep(float(sys.argv[2]))
        return {"f": x}

    campaign = ind.Campaign(
        ind.SearchSpace(x=ind.Continuous(0, 1)), ind.Targets(ind.AtLeast("f", 0)), initial=2
    )
    campaign.run(ind.PythonObjective(slow, {"f": ""}, time_limit=60), evaluations=2)
    print(campaign.frame()["f"].notna().sum())
"""


def script(tmp_path, seconds, text=SCRIPT):
    file = tmp_path / "script.py"
    file.write_text(textwrap.dedent(text))
    return [sys.executable, "-W", "ignore", str(file), str(tmp_path / "pid"), str(seconds)]


def test_a_script_needs_no_guard_and_its_own_functions_travel(tmp_path):
    done = subprocess.run(script(tmp_path, 0), check=False, capture_output=True, text=True, env=environment())
    assert done.stdout.split() == ["2"], done.stderr
    assert gone(int((tmp_path / "pid").read_text()))


LOCKING = SCRIPT.replace("time.sleep(float(sys.argv[2]))", "sum(range(10**11))")  # holds Python's lock
POOLED = SCRIPT.replace("campaign.run(", "with ind.WorkerPool(2) as pool: campaign.run(").replace(
    "evaluations=2)", "evaluations=2, executor=pool)"
)


@pytest.mark.parametrize("text", [SCRIPT, LOCKING, POOLED], ids=["sleeping", "locking", "pooled"])
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_campaign_that_is_stopped_leaves_no_worker_behind(tmp_path, number, text):
    with subprocess.Popen(script(tmp_path, 50, text), stderr=subprocess.DEVNULL, env=environment()) as process:
        worker = appeared(tmp_path / "pid")
        process.send_signal(number)
        process.wait(10)
    assert gone(worker)


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(Path(__file__).parents[4])}


def appeared(file: Path) -> int:
    for _ in range(300):
        if file.exists() and file.read_text():
            return int(file.read_text())
        time.sleep(0.1)
    raise AssertionError("no worker has started")


def gone(pid: int) -> bool:
    for _ in range(100):
        status = Path(f"/proc/{pid}/stat")
        if not status.exists() or status.read_text().split(")")[-1].split()[0] == "Z":
            return True
        time.sleep(0.1)
    return False
