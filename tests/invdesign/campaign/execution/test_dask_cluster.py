"""Dask's workers are processes of a real scheduler on this machine; one that is killed loses its calls alone."""

from __future__ import annotations

import os
import signal
import threading
import time

import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign.execution.dask_cluster import DaskCluster, DaskPool
from invdesign.core.errors import InputError
from invdesign.testing import check_executor

distributed = pytest.importorskip("distributed")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
    pytest.mark.xdist_group("dask"),
]


def test_it_keeps_to_the_contract():
    with DaskCluster(workers=2).started("test") as executor:
        check_executor(executor)


def test_a_killed_worker_loses_nothing():
    """Two workers, of which one is killed in the middle: every candidate has its value once."""
    space = ind.SearchSpace(x=ind.Integer(0, 1000))
    campaign = ind.Campaign(space, ind.Targets(ind.AtLeast("f", 0.0)), optimizer=ind.RandomOptimizer(), initial=40)

    def objective(x: float) -> dict[str, float]:
        time.sleep(0.02)
        return {"f": float(x) ** 2}

    killed = []
    with DaskCluster(workers=2).started("test") as executor:
        assert isinstance(executor, DaskPool)
        workers = executor.client.run(os.getpid)

        def kill(status):
            if status.evaluated >= 10 and not killed:
                killed.append(next(iter(workers.values())))
                os.kill(killed[0], signal.SIGKILL)

        campaign.run(
            ind.PythonObjective(objective, {"f": ""}, isolated=False),
            evaluations=40,
            executor=executor,
            on_progress=kill,
        )
    found = campaign.frame()
    assert killed
    assert len(found) == 40
    assert (found["f"] == found["x"].astype(float) ** 2).all()


def test_short_calls_that_wait_are_sent_together():
    class UnsendableError(Exception):
        pass

    def task(number: int, seconds: float) -> tuple[int, str]:
        time.sleep(seconds)
        if number == 150:
            raise UnsendableError(threading.Lock())
        return number, str(distributed.get_worker().get_current_task())

    with DaskCluster(workers=2).started("test") as executor:
        long = [executor.submit(task, number, 0.3).result(timeout=60) for number in range(3)]
        assert len({key for _, key in long}) == 3
        futures = [executor.submit(task, number, 0.0) for number in range(400)]
        with pytest.raises(RuntimeError, match="UnsendableError"):  # and its neighbors have their results
            futures.pop(150).result(timeout=60)
        found = [future.result(timeout=60) for future in futures]
    assert [number for number, _ in found] == [number for number in range(400) if number != 150]
    assert len({key for _, key in found}) < 200


def test_a_scheduler_elsewhere_is_reached_by_its_address():
    with (
        distributed.LocalCluster(n_workers=1, threads_per_worker=1, dashboard_address=":0") as cluster,
        DaskCluster(address=cluster.scheduler_address).started("test") as executor,
    ):
        assert executor.submit(pow, 3, 2).result(timeout=60) == 9


def test_a_screen_runs_on_it_even_if_a_worker_is_killed(tmp_path):
    pool = ind.MoleculePool.from_smiles(["C" * n for n in range(1, 41)])
    targets = ind.Targets(ind.AtLeast("x", 10.0))
    table = pd.DataFrame({"smiles": ["C" * n for n in range(1, 41)], "x": range(1, 41)})
    given = {
        "objective": ind.TableObjective(table, {"molecule": "smiles"}, {"x": "x"}),
        "settings": ind.ScreenSettings(block=4, top=5),
    }
    ind.screen(pool, targets, output=tmp_path / "here", **given)
    entries = []
    with DaskCluster(workers=2).started("test") as executor:
        workers = executor.client.run(os.getpid)

        def kill(progress):
            entries.append(progress.entries)
            if len(entries) == 2:
                os.kill(next(iter(workers.values())), signal.SIGKILL)

        ind.screen(pool, targets, output=tmp_path / "there", executor=executor, on_progress=kill, **given)
    assert entries == sorted(set(entries))
    for name in ("results.parquet", "best.csv", "funnel.json"):
        assert (tmp_path / "there" / name).read_bytes() == (tmp_path / "here" / name).read_bytes()


def test_settings():
    with pytest.raises(InputError, match="needs either 'workers' or 'address'"):
        DaskCluster()
    with pytest.raises(InputError, match="needs either 'workers' or 'address'"):
        DaskCluster(workers=2, address="tcp://127.0.0.1:1")
    assert DaskCluster(address="tcp://h:1").requests == ("sends calls to the Dask scheduler 'tcp://h:1'",)


def test_a_scheduler_that_is_not_there_is_named(monkeypatch):
    monkeypatch.setattr("invdesign.campaign.execution.dask_cluster.CONNECT_SECONDS", 0.5)
    with (
        pytest.raises(InputError, match=r"'tcp://127\.0\.0\.1:9' cannot be reached"),
        DaskCluster(address="tcp://127.0.0.1:9").started("test"),
    ):
        pass
