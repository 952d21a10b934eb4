"""A saved surrogate predicts what it predicted, and a file runs no code."""

from __future__ import annotations

import os
import zipfile
from typing import Any

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.surrogates import saving
from invdesign.surrogates.base import ConditionalSurrogate

ROWS = 24
NUMBERS: Any = pd.DataFrame(np.random.default_rng(5).uniform(size=(ROWS, 2)), columns=["x", "z"])
REGRESSORS = [
    ind.DecisionTree(),
    ind.ExtraTrees(n_estimators=10),
    ind.GaussianProcess(),
    ind.GradientBoosting(),
    ind.GraphNetwork(width=8, updates=5),
    ind.KNearestNeighbors(),
    ind.KernelRidge(),
    ind.Lasso(),
    ind.LightGBM(),
    ind.NeuralNetwork(epochs=5),
    ind.PerProperty({"f": ind.Ridge()}),
    ind.RandomForest(n_estimators=10),
    ind.Ridge(),
    ind.Stacked(),
    ind.SupportVector(),
    ind.Transformed(),
    ind.XGBoost(),
]
CLASSIFIERS = [
    ind.GaussianNaiveBayes(),
    ind.LogisticRegression(),
    ind.RandomForestClassifier(n_estimators=10),
    ind.SupportVectorClassifier(),
]


def smooth(frame):
    return pd.DataFrame({"f": np.sin(3.0 * frame["x"]) + frame["z"] ** 2 + 1.0})


def check_alike(before, after, frame):
    for one, other in zip(before.predict(frame, return_std=True), after.predict(frame, return_std=True), strict=True):
        pd.testing.assert_frame_equal(one, other, check_exact=True)


@pytest.mark.parametrize("surrogate", REGRESSORS, ids=lambda one: type(one).__name__)
def test_a_regressor_predicts_the_same_and_learns_further_values(surrogate, tmp_path):
    fitted = surrogate.fit(NUMBERS, smooth(NUMBERS))
    ind.save_surrogate(fitted, tmp_path / "model.skops")
    loaded = ind.load_surrogate(tmp_path / "model.skops")
    check_alike(fitted, loaded, NUMBERS + 0.1)
    assert loaded.noise_std() == fitted.noise_std()
    assert loaded == surrogate, "the settings are the same"
    if isinstance(fitted, ConditionalSurrogate):
        more = NUMBERS.iloc[:3] + 0.05
        check_alike(fitted.condition_on(more, smooth(more)), loaded.condition_on(more, smooth(more)), NUMBERS)


@pytest.mark.parametrize("surrogate", CLASSIFIERS, ids=lambda one: type(one).__name__)
def test_a_classifier_predicts_the_same(surrogate, tmp_path):
    stable = (smooth(NUMBERS) > smooth(NUMBERS).median()).astype(float)
    fitted = surrogate.fit(NUMBERS, stable)
    ind.save_surrogate(fitted, tmp_path / "model.skops")
    check_alike(fitted, ind.load_surrogate(tmp_path / "model.skops"), NUMBERS)


SPACE = ind.SearchSpace(
    x=ind.Continuous(0.0, 1.0),
    z=ind.Continuous(0.0, 1.0),
    salt=ind.Categorical(["LiPF6", "LiFSI"]),
    solvent=ind.MoleculePool([f"{'C' * n}O" for n in range(1, 12)]),
    cathode=ind.Composition(
        {"M": {"elements": ["Ni", "Mn", "Co"], "amount": 1}, "O": {"elements": ["O"], "amount": 2}}
    ),
)


@pytest.mark.parametrize(
    "features",
    [
        ind.Features(),
        ind.Features(components=3),
        ind.Features(molecules="fingerprints"),
        ind.Features(molecules="quick"),
    ],
)
@pytest.mark.parametrize("family", [ind.GaussianProcess, ind.RandomForest])
def test_every_kind_of_column_is_saved(family, features, tmp_path):
    frame = SPACE.sample(ROWS, np.random.default_rng(3))
    fitted = family(features=features).fit(frame, smooth(frame), columns=SPACE.columns)
    ind.save_surrogate(fitted, tmp_path / "model.skops")
    check_alike(fitted, ind.load_surrogate(tmp_path / "model.skops"), SPACE.sample(9, np.random.default_rng(4)))


class Evil:
    def __reduce__(self):
        return os.system, ("touch hacked",)


def test_a_file_runs_no_code(tmp_path, monkeypatch):
    from skops.io import dumps

    monkeypatch.chdir(tmp_path)
    fitted = ind.Ridge().fit(NUMBERS, smooth(NUMBERS))
    for held in (Evil(), os.system, pd.DataFrame.to_csv, saving.save_surrogate):
        vars(fitted)["seed"] = held
        try:
            data = dumps({"format": saving.FORMAT, "surrogate": fitted})
        except TypeError:  # skops holds none of it
            continue
        (tmp_path / "evil.skops").write_bytes(data)
        with pytest.raises(InputError, match=r"(needs classes that are not known to be safe|is not a saved surrogate)"):
            ind.load_surrogate(tmp_path / "evil.skops")
    assert not (tmp_path / "hacked").exists()


def test_other_files_are_refused(tmp_path):
    from skops.io import dumps

    path = tmp_path / "model.skops"
    with pytest.raises(InputError, match=r"cannot be read: No such file"):
        ind.load_surrogate(path)
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="is not a saved surrogate, or it is damaged"):
        ind.load_surrogate(path)
    path.write_bytes(dumps({"format": 1}))
    with pytest.raises(InputError, match="is not a saved surrogate"):
        ind.load_surrogate(path)
    ind.save_surrogate(ind.Ridge().fit(NUMBERS, smooth(NUMBERS)), path)
    with zipfile.ZipFile(path) as archive:
        held = {name: archive.read(name) for name in archive.namelist()}
    held.pop(next(name for name in held if name.endswith(".npy")))
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in held.items():
            archive.writestr(name, content)
    with pytest.raises(InputError, match="is not a saved surrogate, or it is damaged"):
        ind.load_surrogate(path)


def test_other_formats_and_versions_are_noticed(tmp_path, monkeypatch):
    path, fitted = tmp_path / "model.skops", ind.Ridge().fit(NUMBERS, smooth(NUMBERS))
    monkeypatch.setattr(saving, "version", lambda name: "1.0")
    ind.save_surrogate(fitted, path)
    monkeypatch.setattr(saving, "version", lambda name: "2.0" if name == "scikit-learn" else "1.0")
    with pytest.warns(UserWarning, match=r"was saved with scikit-learn 1\.0, and this is 2\.0"):
        check_alike(fitted, ind.load_surrogate(path), NUMBERS)
    monkeypatch.setattr(saving, "FORMAT", 2)
    with pytest.raises(InputError, match="has the format 1; this version reads 2"):
        ind.load_surrogate(path)


def test_a_model_of_botorch_is_refused_with_the_remedy(tmp_path):
    fitted = ind.BotorchSurrogate().fit(NUMBERS, smooth(NUMBERS))
    with pytest.raises(InputError, match=r"A fitted BotorchSurrogate cannot be saved: .* fit it again"):
        ind.save_surrogate(fitted, tmp_path / "model.skops")
    with pytest.raises(InputError, match="cannot be written"):
        ind.save_surrogate(ind.Ridge().fit(NUMBERS, smooth(NUMBERS)), tmp_path / "missing" / "model.skops")
