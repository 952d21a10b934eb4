"""The distance to a model's data: of the best candidates, or of all where a target or a step needs it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.space import Constraint
from invdesign.surrogates.distance import TrainingDistance

X = np.linspace(0.0, 1.0, 12)
MODEL = ind.SurrogateObjective(pd.DataFrame({"x": X, "f": X**2}), {"x": "x"}, {"f": "f"}, surrogate=ind.Ridge())
SPACE = ind.SearchSpace(x=ind.Continuous(0.0, 3.0, step=0.25))
TARGETS = ind.Targets(ind.AtLeast("f", 1.0))
SETTINGS = ind.ScreenSettings(top=3)


def screened(tmp_path, *, targets=TARGETS, steps=()):
    return ind.screen(SPACE, targets, objective=MODEL, steps=steps, output=tmp_path / "out", settings=SETTINGS)


def test_only_the_best_get_their_distance(tmp_path):
    done = screened(tmp_path)
    assert "distance" not in pd.read_parquet(done.results)
    assert done.best["x"].tolist() == [3.0, 2.75, 2.5]
    expected = TrainingDistance.fitted(pd.DataFrame({"x": X}), SPACE.columns).of(done.best[["x"]])
    np.testing.assert_allclose(done.best["distance"], expected)
    assert (pd.read_csv(tmp_path / "out" / "best.csv")["distance"] > 1.0).all()


@pytest.mark.parametrize("by", ["target", "step"])
def test_a_target_or_a_step_may_keep_a_screen_where_there_is_data(tmp_path, by):
    inside = ind.Targets(*TARGETS, ind.AtMost("distance", 1.0)) if by == "target" else TARGETS
    steps = [ind.Step("known", MODEL, keep=Constraint("distance <= 1"))] if by == "step" else []
    objective = MODEL if by == "target" else None
    done = ind.screen(SPACE, inside, objective=objective, steps=steps, output=tmp_path / "out", settings=SETTINGS)
    results = pd.read_parquet(done.results)
    assert (results["distance"] > 1.0).any() == (by == "target")
    assert done.best["distance"].max() <= 1.0
    assert done.best["x"].max() <= 1.25


def test_two_models_do_not_clash(tmp_path):
    narrow = ind.SurrogateObjective(pd.DataFrame({"x": X / 4, "g": X}), {"x": "x"}, {"g": "g"}, surrogate=ind.Ridge())
    done = screened(tmp_path, steps=[ind.Step("narrow", narrow)])
    far = TrainingDistance.fitted(pd.DataFrame({"x": X / 4}), SPACE.columns).of(done.best[["x"]])
    np.testing.assert_allclose(done.best["distance"], far)
