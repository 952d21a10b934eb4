"""A graph network learns from molecules what it is good for, and says what it needs."""

from __future__ import annotations

import importlib.util
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.validation import held_out_predictions, scores

SMALL = ind.GraphNetwork(width=24, updates=150, learning_rate=0.01)
GROUPS = ("O", "N", "F", "Cl", "C#N", "OC", "C=O", "S")
MOLECULES = [f"{'C' * length}C({first})C{second}" for length in range(1, 5) for first in GROUPS for second in GROUPS]
PAIR = (Column("salt", "molecule"), Column("solvent", "molecule"), Column("t", "number", bounds=(0.0, 1.0)))


def pairs(count: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    chosen = rng.choice(MOLECULES, (2, count))
    return pd.DataFrame({"salt": chosen[0], "solvent": chosen[1], "t": rng.random(count)})


def oxygens_apart(frame: pd.DataFrame) -> pd.DataFrame:
    """A property that depends on both molecules, and on which is which, and on the number."""
    return pd.DataFrame({"f": frame["salt"].str.count("O") - frame["solvent"].str.count("O") + 2.0 * frame["t"]})


def test_it_learns_from_several_molecules_and_numbers_with_sound_intervals():
    train, test = pairs(200, 0), pairs(150, 1)
    model = replace(SMALL, updates=200).fit(train, oxygens_apart(train), columns=PAIR)
    mean, std = model.predict(test, return_std=True)
    errors = oxygens_apart(test)["f"] - mean["f"]
    assert (errors**2).mean() < 0.1 * oxygens_apart(test)["f"].var()
    turned = model.predict(test.rename(columns={"salt": "solvent", "solvent": "salt"}))
    assert (turned["f"] - mean["f"]).abs().max() > 1.0, "which molecule is which must matter"
    covered = errors.abs() <= 1.645 * np.hypot(std["f"], model.noise_std()["f"])
    assert 0.8 <= covered.mean() <= 0.99


def test_nine_in_ten_potentials_of_ethers_lie_within_the_interval(real_data):
    table = pd.read_csv(real_data / "hbe" / "Oxidation-HBE-b3lyp-results-clean.csv").iloc[::5]
    frame, y = table[["canonSMILES"]], table[["Potential"]]
    found = held_out_predictions(
        SMALL, frame, y, columns=(Column("canonSMILES", "molecule"),), folds=2, rng=np.random.default_rng(0)
    )
    row = scores(found).iloc[0]
    assert row["r2"] > 0.3
    assert 0.85 <= row["coverage"] <= 0.96


def test_the_descriptors_beside_the_graphs_are_used():
    frame = pd.DataFrame({"m": MOLECULES[:60]})
    y = pd.DataFrame({"f": frame["m"].str.count("O").astype(float)})
    columns = (Column("m", "molecule"),)
    plain, both = (
        replace(SMALL, updates=20, descriptors=wanted).fit(frame, y, columns=columns).predict(frame)
        for wanted in (False, True)
    )
    assert (plain["f"] - both["f"]).abs().max() > 1e-3


def test_the_seed_decides_and_nothing_is_left_behind(tmp_path, monkeypatch, capfd):
    import torch

    monkeypatch.chdir(tmp_path)
    frame = pairs(30, 0)
    torch.manual_seed(5)
    before, threads = torch.get_rng_state(), torch.get_num_threads()
    first, again, other = (
        replace(SMALL, updates=10, seed=seed).fit(frame, oxygens_apart(frame), columns=PAIR).predict(frame)
        for seed in (0, 0, 1)
    )
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert (first["f"] - other["f"]).abs().max() > 1e-6
    assert torch.equal(before, torch.get_rng_state())
    assert torch.get_num_threads() == threads
    assert list(tmp_path.iterdir()) == []
    assert capfd.readouterr() == ("", "")


def test_a_saved_one_predicts_the_same_molecules(tmp_path):
    frame, test = pairs(30, 0), pairs(9, 1)
    fitted = replace(SMALL, updates=10).fit(frame, oxygens_apart(frame), columns=PAIR)
    ind.save_surrogate(fitted, tmp_path / "model.skops")
    loaded = ind.load_surrogate(tmp_path / "model.skops")
    pd.testing.assert_frame_equal(loaded.predict(test), fitted.predict(test), check_exact=True)


def test_an_unreadable_molecule_is_named():
    frame = pairs(12, 0)
    with pytest.raises(InputError, match="'C1CC' is not a molecule that RDKit can read"):
        replace(SMALL).fit(frame.assign(salt="C1CC"), oxygens_apart(frame), columns=PAIR)
    model = replace(SMALL, updates=5).fit(frame, oxygens_apart(frame), columns=PAIR)
    with pytest.raises(InputError, match="'C1CC' is not a molecule that RDKit can read"):
        model.predict(frame.assign(solvent="C1CC"))


def test_without_the_extra_its_installation_is_named(monkeypatch):
    found = importlib.util.find_spec
    module = sys.modules[ind.GraphNetwork.__module__]
    monkeypatch.setattr(module, "find_spec", lambda name: None if name == "chemprop" else found(name))
    with pytest.raises(InputError, match=r"needs chemprop. Install it: pip install 'invdesign\[graph-network\]'"):
        ind.GraphNetwork()
