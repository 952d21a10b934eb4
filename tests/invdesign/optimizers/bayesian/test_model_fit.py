from __future__ import annotations

import numpy as np
import pandas as pd

import invdesign as ind
from invdesign.optimizers.base import without_duplicates
from invdesign.optimizers.bayesian.model_fit import ALWAYS_BELOW, ModelFits, rows_to_fit


def test_refits_become_rare_and_depend_on_the_count_alone():
    assert [rows_to_fit(count) for count in (2, 30, ALWAYS_BELOW - 1)] == [2, 30, ALWAYS_BELOW - 1]
    rows = [rows_to_fit(count) for count in range(ALWAYS_BELOW, 400)]
    assert all(fit <= count <= fit * 1.12 for fit, count in zip(rows, range(ALWAYS_BELOW, 400), strict=True))
    assert len(set(rows)) < 25


def test_kept_fits_change_nothing(rng):
    space = ind.SearchSpace(x=ind.Continuous(0, 1), z=ind.Continuous(0, 1))
    frame = space.sample(90, rng)
    y = pd.DataFrame({"f": np.sin(5 * frame["x"]) + frame["z"]})
    fits, asked = ModelFits(), space.sample(20, rng)
    for count in (40, 70, 71, 90, 70):
        kept = fits.fitted(ind.GaussianProcess(), frame[:count], y[:count], space.columns)
        fresh = ModelFits().fitted(ind.GaussianProcess(), frame[:count], y[:count], space.columns)
        pd.testing.assert_frame_equal(kept.predict(asked), fresh.predict(asked))
    error = (kept.predict(asked)["f"] - np.sin(5 * asked["x"]) - asked["z"]).abs().max()
    assert error < 0.05


def test_other_values_are_another_fit(rng):
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    frame = space.sample(70, rng)
    fits = ModelFits()
    up = fits.fitted(ind.GaussianProcess(), frame, pd.DataFrame({"f": frame["x"]}), space.columns)
    down = fits.fitted(ind.GaussianProcess(), frame, pd.DataFrame({"f": -frame["x"]}), space.columns)
    np.testing.assert_allclose(up.predict(frame)["f"], -down.predict(frame)["f"], atol=1e-3)


def test_unseen_drops_what_was_seen_and_repeats_in_one_column_and_in_two():
    pool = pd.DataFrame({"a": ["x", "y", "x", "z"], "b": [1, 2, 1, 3]})
    assert without_duplicates(pool[["a"]], pd.DataFrame({"a": ["z"]}))["a"].tolist() == ["x", "y"]
    assert without_duplicates(pool, pd.DataFrame({"a": ["z"], "b": [3]}))["a"].tolist() == ["x", "y"]
    assert without_duplicates(pool[["a"]], pool[["a"]]).empty
