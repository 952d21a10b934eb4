"""Candidates are proposed as results arrive; what had arrived is recorded, so that each can be proposed again."""

from __future__ import annotations

import heapq
import os
import subprocess
import sys
import threading
from concurrent.futures import Executor, Future
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import invdesign as ind
from invdesign.campaign.in_flight import noted_proposals
from invdesign.core.errors import InputError
from invdesign.optimizers.base import History

TARGETS = ind.Targets(ind.Minimize("f"))
SPACE = ind.SearchSpace(x=ind.Continuous(-5, 10), y=ind.Continuous(0, 15))


def branin(x: float, y: float) -> dict[str, float]:
    bowl = y - 5.1 * x**2 / (4 * np.pi**2) + 5 * x / np.pi - 6
    return {"f": float(bowl**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10)}


OBJECTIVE = ind.PythonObjective(branin, {"f": ""}, isolated=False)


class OutOfOrder(Executor):
    """An executor whose calls take times that depend on their place only; results come when ``full`` calls are open.

    Args:
        full: number of open calls at which the campaign has submitted all that it wants.
        total: number of calls after which fewer are open.
    """

    def __init__(self, full: int, total: int) -> None:
        self.full, self.left = full, total
        self.most = 0
        self._open: list[tuple[float, int, Future[Any], Any]] = []
        self._count, self._now = 0, 0.0
        self._lock = threading.Lock()

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        with self._lock:
            duration = float(np.random.default_rng(self._count).lognormal(0.0, 1.0))
            heapq.heappush(self._open, (self._now + duration, self._count, future, lambda: fn(*args, **kwargs)))
            self._count += 1
            self.most = max(self.most, len(self._open))
            ready = []
            if len(self._open) >= min(self.full, self.left):
                ready = [heapq.heappop(self._open)]
                self._now = ready[0][0]
                self.left -= 1
                if self.left < self.full:  # nothing further is submitted
                    ready += [heapq.heappop(self._open) for _ in range(len(self._open))]
        for _, _, done, call in ready:
            done.set_result(call())
        return future


def campaign_of(store=None, **more):
    return ind.Campaign(SPACE, TARGETS, store=store, seed=3, initial=4, **more)


def test_as_many_as_wanted_are_in_evaluation():
    campaign, executor = campaign_of(), OutOfOrder(6, 24)
    campaign.run(OBJECTIVE, evaluations=24, in_flight=6, executor=executor)
    frame = campaign.frame()
    assert (frame["state"] == "done").all()
    assert len(frame) == 24
    assert executor.most == 6
    assert (frame["origin"] == "initial").sum() == 6  # one for each worker
    assert np.allclose(frame["f"], [branin(x, y)["f"] for x, y in frame[["x", "y"]].to_numpy()])
    # Each later candidate was proposed when one result had come, not when all of a batch had.
    assert [one.count for one in noted_proposals(campaign.store)] == [6] + [1] * 18


def test_every_candidate_can_be_proposed_again_from_what_had_arrived():
    campaign = campaign_of()
    campaign.run(OBJECTIVE, evaluations=20, in_flight=5, executor=OutOfOrder(5, 20))
    frame, arrived = campaign.frame(), []
    for proposal in noted_proposals(campaign.store)[1:]:
        arrived += proposal.arrived
        known = frame.loc[sorted(arrived)]
        pending = frame.loc[[number for number in range(proposal.first) if number not in arrived]]
        count = proposal.first
        history = History(
            known[["x", "y"]].reset_index(drop=True),
            known[["f"]].reset_index(drop=True),
            pending[["x", "y"]].reset_index(drop=True),
            given=np.array([number < 5 for number in [*known.index, *pending.index]]),
        )
        again = campaign.optimizer.propose(
            proposal.count,
            space=SPACE,
            targets=TARGETS,
            history=history,
            seed=np.random.SeedSequence(3),
        )
        assert np.array_equal(again[["x", "y"]], frame.loc[count : count + proposal.count - 1, ["x", "y"]])
    assert arrived != sorted(arrived)  # results did not come in the order of proposal


SCRIPT = """
import os, signal, sys
sys.path.insert(0, sys.argv[2])
import test_in_flight as t
left = int(sys.argv[3])
def seen(status):
    if status.evaluated == left:
        os.kill(os.getpid(), signal.SIGKILL)
t.campaign_of(sys.argv[1]).run(t.OBJECTIVE, evaluations=16, in_flight=4, executor=t.OutOfOrder(4, 16), on_progress=seen)
"""


def test_killed_and_resumed_it_goes_on_from_what_had_arrived(tmp_path):
    store = str(tmp_path / "c.db")
    for evaluated in (5, 6, 7, 9):  # candidates that were in flight at several deaths did not cause them
        words = [sys.executable, "-c", SCRIPT, store, os.path.dirname(__file__), str(evaluated)]  # noqa: PTH120
        killed = subprocess.run(words, check=False, capture_output=True, text=True)
        assert killed.returncode == -9, killed.stderr
    before = campaign_of(store).frame()
    campaign = campaign_of(store)
    campaign.run(OBJECTIVE, evaluations=16, in_flight=4, executor=OutOfOrder(4, 16 - 9))
    frame = campaign.frame()
    assert (frame["state"] == "done").all()
    assert len(frame) == 16
    assert np.array_equal(frame.loc[before.index, ["x", "y"]], before[["x", "y"]])
    proposals = noted_proposals(campaign.store)
    assert sum(one.count for one in proposals) == 16
    arrived = [number for one in proposals for number in one.arrived]
    assert len(arrived) == len(set(arrived))


def test_the_values_do_not_depend_on_the_number_in_flight_if_there_is_one():
    one, other = campaign_of(), campaign_of()
    one.run(OBJECTIVE, evaluations=10, in_flight=1, executor=OutOfOrder(1, 10))
    other.run(OBJECTIVE, evaluations=10)
    assert np.array_equal(one.frame()[["x", "y"]], other.frame()[["x", "y"]])


def test_real_workers_and_failures():
    def odd(x: float, y: float) -> dict[str, float]:
        if x > 5:
            raise ValueError("too large")
        return branin(x, y)

    campaign = campaign_of(optimizer=ind.RandomOptimizer())
    with ind.WorkerPool(3) as executor:
        campaign.run(replace(OBJECTIVE, function=odd), evaluations=20, in_flight=3, executor=executor)
    frame = campaign.frame()
    assert (frame["state"] == np.where(frame["x"] > 5, "failed", "done")).all()


@pytest.mark.parametrize(
    "settings", [{"in_flight": 0}, {"in_flight": 4, "batch": 2}, {"in_flight": 4, "executor": None}]
)
def test_what_cannot_be_meant(settings):
    with pytest.raises(InputError, match="in_flight must be at least 1"):
        campaign_of().run(OBJECTIVE, evaluations=8, **{"executor": OutOfOrder(4, 8), **settings})
