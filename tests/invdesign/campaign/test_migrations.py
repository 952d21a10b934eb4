"""Stores of every earlier format are read and go on exactly; those of a later one are refused in words."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign.identity import described
from invdesign.campaign.migrations import VERSION
from invdesign.core.errors import InputError

DUMPS = sorted((Path(__file__).parent / "stores").glob("format-*.sql"))
SPACE = ind.SearchSpace(
    porosity=ind.Continuous(0.2, 0.45), layers=ind.Integer(1, 8), binder=ind.Categorical(["PVDF", "CMC"])
)


def restored(dump: Path, folder: Path) -> Path:
    place = folder / "store.db"
    connection = sqlite3.connect(place)
    connection.executescript(dump.read_text())
    connection.close()
    return place


def dumped(place: Path) -> list[str]:
    connection = sqlite3.connect(place)
    lines = "\n".join(connection.iterdump()).splitlines()
    connection.close()
    return lines


def opened(place: Path, space=SPACE) -> ind.Campaign:
    targets = ind.Targets(ind.Between("voltage", 3.75, 3.85, unit="V"))
    return ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), store=place, seed=3, name="small", initial=4)


def test_there_is_a_store_of_every_format():
    assert [dump.stem for dump in DUMPS] == [f"format-{number}" for number in range(VERSION + 1)]


@pytest.mark.parametrize("dump", DUMPS, ids=lambda dump: dump.stem)
def test_a_store_of_any_format_is_read_and_goes_on_exactly(dump, tmp_path):
    place = restored(dump, tmp_path)
    campaign = opened(place)
    status = campaign.status()
    # Written by a fresh campaign of the same seed: 14 evaluated, two of eight layers failed, two asked for.
    assert (status.evaluated, status.failed, status.pending, status.hits) == (12, 2, 2, 5)
    assert campaign.verified()["stage"].tolist() == ["DFN", "DFN"]
    fresh = opened(tmp_path / "fresh.db")

    def voltage(porosity, layers, binder):
        if layers == 8:
            raise ValueError("no cell has eight layers")
        return {"voltage": 3.5 + porosity + 0.01 * layers}

    fresh.run(ind.PythonObjective(voltage, {"voltage": "V"}), evaluations=14)
    fresh.ask(1)
    fresh.ask(1)
    pd.testing.assert_frame_equal(campaign.frame()[:14], fresh.frame()[:14])
    # What was asked for had all digits then.
    pd.testing.assert_frame_equal(campaign.frame().round({"porosity": 4})[14:], fresh.frame()[14:])
    pd.testing.assert_frame_equal(campaign.ask(2), fresh.ask(2))
    assert opened(place).status() == campaign.status()


def test_a_store_with_measurements_of_a_laboratory_is_read(tmp_path):
    place = restored(DUMPS[0].with_name("laboratory-4.sql"), tmp_path)
    targets = ind.Targets(ind.AtLeast("q", 0.15, unit="A*h/g"))
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    campaign = ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), store=place, seed=1, name="laboratory")
    assert campaign.measurements()["q"].tolist() == [0.1, 0.16, "<0.05", 0.2]
    assert campaign.frame()["q"].tolist()[::2] == pytest.approx([0.13, 0.2])
    assert campaign.log()["action"].tolist() == ["amended"]


def test_a_measurement_of_an_older_store_becomes_the_first_of_several(tmp_path):
    place = restored(DUMPS[3], tmp_path)
    campaign = opened(place)
    asked = campaign.pending().iloc[[0]]
    assert campaign.tell(asked.assign(voltage=3.8)) == [14]
    connection = sqlite3.connect(place)
    connection.execute("DELETE FROM measurements")  # as a version before it would have stored the value
    connection.commit()
    connection.close()
    campaign = opened(place)
    assert campaign.tell(asked.assign(voltage=3.9), again=True) == [14]
    assert campaign.measurements()["voltage"].tolist() == [3.8, 3.9]
    assert campaign.frame()["voltage"][14] == pytest.approx(3.85)


def test_a_migrated_store_keeps_a_copy_of_what_it_was(tmp_path):
    place = restored(DUMPS[0], tmp_path)
    opened(place)
    assert dumped(tmp_path / "store.db.format-0") == DUMPS[0].read_text().splitlines()
    opened(place)
    assert sorted(path.name for path in tmp_path.iterdir() if path.suffix not in (".db-wal", ".db-shm")) == [
        "store.db",
        "store.db.format-0",
    ]


def test_a_migrated_store_still_refuses_another_space_and_seed(tmp_path):
    place = restored(DUMPS[0], tmp_path)
    with pytest.raises(InputError, match="with the parameters binder, layers, porosity, not x"):
        opened(place, ind.SearchSpace(x=ind.Continuous(0, 1)))
    opened(place)
    with pytest.raises(InputError, match="with a different seed"):
        ind.Campaign(
            SPACE, ind.Targets(ind.Maximize("voltage")), optimizer=ind.RandomOptimizer(), store=place, name="small"
        )
    wider = ind.SearchSpace({**SPACE.parameters, "layers": ind.Integer(1, 9)})
    with pytest.raises(InputError, match="with a different space"):
        opened(place, wider)


def test_a_store_of_a_later_format_is_refused_in_words(tmp_path):
    place = tmp_path / "store.db"
    opened(place)
    connection = sqlite3.connect(place)
    connection.execute("UPDATE store_format SET version = 99")
    connection.commit()
    connection.close()
    with pytest.raises(InputError, match=rf"has format 99, .*reads formats up to {VERSION}\. Upgrade invdesign"):
        opened(place)


def test_only_settings_that_differ_from_their_defaults_are_noted():
    assert described(ind.BayesianOptimizer()) == {"type": "BayesianOptimizer"}
    assert described(ind.BayesianOptimizer(surrogate=ind.RandomForest(n_estimators=20))) == {
        "type": "BayesianOptimizer",
        "surrogate": {"type": "RandomForest", "n_estimators": "20"},
    }
    members = (ind.RandomOptimizer(), ind.GeneticOptimizer(population=40))
    assert described(ind.PortfolioOptimizer(members=members))["members"] == [
        {"type": "RandomOptimizer"},
        {"type": "GeneticOptimizer", "population": "40"},
    ]
