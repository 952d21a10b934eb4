"""A process is killed at each statement that it sends to the database; what is stored is whole."""

from __future__ import annotations

import subprocess
import sys

import pytest

SCRIPT = """
import os, pathlib, signal, sys
import pandas as pd
from sqlalchemy import Engine, event
from invdesign.campaign import Campaign
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets

folder, what, stride = pathlib.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
OBJECTIVE = PythonObjective(lambda x: {"f": x * x}, {"f": ""}, isolated=False)
ROWS = pd.DataFrame({"x": [0.125, 0.25, 0.5], "f": [1.0, 2.0, 3.0]})
REPLICATES = pd.DataFrame({"x": [0.125, 0.125, 0.25], "f": [1.0, 2.0, 3.0], "replicate": [1, 2, 1]})

def opened(place):
    return Campaign(SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5)), optimizer=RandomOptimizer(),
                    store=place, seed=2, initial=4)

def begin(place):
    mine = opened(place)
    if what == "run":
        mine.run(OBJECTIVE, evaluations=3)
    elif what == "tell":
        mine.tell(ROWS)
    elif what == "replicate":
        mine.tell(REPLICATES)
    elif what == "ask":
        mine.ask(3)
    return mine

def killed(place, statements):
    seen = 0
    def count(*_):
        nonlocal seen
        seen += 1
        if seen > statements:
            os.kill(os.getpid(), signal.SIGKILL)
    event.listen(Engine, "before_cursor_execute", count)
    event.listen(Engine, "commit", count)
    begin(place)

def in_child(action, *arguments):
    child = os.fork()
    if not child:
        try:
            action(*arguments)
        except BaseException as error:
            print("failed", repr(error), flush=True)
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

def whole(place):
    frame = opened(place).frame()
    if what == "tell":
        assert len(frame) in (0, 3) and frame["f"].notna().all(), frame
    if what == "replicate":
        assert (len(frame), len(opened(place).measurements())) in ((0, 0), (2, 3)), frame
    if what == "ask":
        assert len(frame) in (0, 3), frame
    if what == "creation":
        return
    mine = begin(place) if what not in ("tell", "replicate") or frame.empty else opened(place)
    mine.run(OBJECTIVE, evaluations=9)
    fresh = begin(None)
    if what == "ask" and len(frame):
        fresh.ask(3)
    fresh.run(OBJECTIVE, evaluations=9)
    pd.testing.assert_frame_equal(mine.frame(), fresh.frame())

begin(None).run(OBJECTIVE, evaluations=9)  # loads what every child would load again
statements = 0
while True:
    place = folder / f"{statements}.db"
    ended = in_child(killed, place, statements)
    assert in_child(whole, place) == 0
    if not ended:
        break
    assert ended == -signal.SIGKILL
    statements += stride
print(statements)
"""


@pytest.mark.parametrize(
    ("what", "stride", "fewest"),
    [("creation", 2, 14), ("run", 13, 60), ("tell", 7, 25), ("replicate", 7, 28), ("ask", 7, 25)],
)
def test_a_kill_at_any_statement_leaves_a_whole_store(what, stride, fewest, tmp_path):
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT, str(tmp_path), what, str(stride)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert int(done.stdout) >= fewest
