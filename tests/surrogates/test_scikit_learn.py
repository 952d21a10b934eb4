"""scikit-learn's own tools take surrogates."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_regressor
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score

import invdesign as ind
from invdesign.core.errors import InputError

SURROGATES = {
    "gaussian process": ind.GaussianProcess(ard=False, calibrate=False),
    "forest": ind.RandomForest(n_estimators=20, min_samples_leaf=2),
    "ridge": ind.Ridge(),
    "botorch": ind.BotorchSurrogate(),
}


def table(rows: int = 40) -> tuple[pd.DataFrame, pd.Series]:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"a": rng.random(rows), "b": rng.random(rows), "kind": rng.choice(["x", "y"], rows)})
    return frame, (np.sin(3.0 * frame["a"]) + frame["b"] + (frame["kind"] == "x")).rename("f")


@pytest.mark.parametrize("surrogate", SURROGATES.values(), ids=SURROGATES)
def test_a_clone_has_the_settings_and_not_what_was_learned(surrogate):
    frame, y = table()
    fitted = clone(surrogate).fit(frame, y)
    again = clone(fitted)
    assert again.get_params() == surrogate.get_params()
    assert again == surrogate
    with pytest.raises(InputError, match="fit"):
        again.predict(frame)


@pytest.mark.parametrize("surrogate", SURROGATES.values(), ids=SURROGATES)
def test_cross_validation_gives_what_fitting_by_hand_gives(surrogate):
    frame, y = table()
    assert is_regressor(surrogate)
    folds = KFold(3, shuffle=True, random_state=0)
    found = cross_val_score(surrogate, frame, y, cv=folds, scoring="neg_mean_absolute_error")
    train, test = next(folds.split(frame))
    predicted = clone(surrogate).fit(frame.iloc[train], y.iloc[train]).predict(frame.iloc[test])["f"]
    assert found[0] == pytest.approx(-(predicted - y.iloc[test]).abs().mean())
    assert cross_val_score(surrogate, frame, y, cv=folds).mean() > 0.5


def test_molecules_are_described_by_columns():
    space = ind.SearchSpace(solvent=ind.MoleculePool.from_smiles(["C" * n + "O" for n in range(1, 21)]))
    frame = pd.DataFrame({"solvent": ["C" * n + "O" for n in range(1, 21)]})
    y = pd.Series(np.arange(20.0))
    folds = KFold(4, shuffle=True, random_state=0)
    found = cross_val_score(ind.Ridge(), frame, y, cv=folds, params={"columns": space.columns})
    assert found.min() > 0.9


def test_settings_are_searched_and_checked():
    frame, y = table()
    search = GridSearchCV(ind.KNearestNeighbors(), {"n_neighbors": [1, 3]}, cv=3).fit(frame, y)
    assert search.best_params_["n_neighbors"] in (1, 3)
    assert ind.RandomForest().set_params(n_estimators=7).n_estimators == 7
    with pytest.raises(InputError, match="'n_estimators' must be at least 1"):
        ind.RandomForest().set_params(n_estimators=0)


@pytest.mark.parametrize("name", ["f", None])
def test_y_may_be_a_series(name):
    frame, y = table()
    series = y.rename(name)
    both = [ind.Ridge().fit(frame, values).predict(frame) for values in (series, series.to_frame(name or "y"))]
    pd.testing.assert_frame_equal(*both)
    held_out = ind.held_out_predictions(ind.Ridge(), frame, series, columns=None, rng=np.random.default_rng(0))
    assert set(held_out["property"]) == {name or "y"}
    fitted = ind.Ridge().fit(frame, series)
    found = ind.permutation_importance(fitted, frame, series, rng=np.random.default_rng(0))
    assert set(found["property"]) == {name or "y"}
    assert fitted.score(frame, series) == fitted.score(frame, series.to_frame(name or "y"))
