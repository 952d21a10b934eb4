from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.surrogates.explain import partial_dependence, permutation_importance, shapley_values
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess


@pytest.fixture
def learned(rng):
    frame = pd.DataFrame({"x": rng.random(80), "idle": rng.random(80), "word": rng.choice(["p", "q"], 80)})
    y = pd.DataFrame({"f": 4 * frame["x"] + (frame["word"] == "p")})
    return GaussianProcess().fit(frame[:50], y[:50]), frame[50:], y[50:]


def test_importance_ranks_columns_as_they_matter(learned, rng):
    found = permutation_importance(*learned, rng=rng)
    assert found["column"].tolist() == ["x", "word", "idle"]
    importance = found.set_index("column")["importance"]
    assert importance["idle"] < 0.05 < importance["word"] < importance["x"]


def test_partial_dependence_follows_the_truth(learned):
    model, frame, _ = learned
    found = partial_dependence(model, frame, "x", points=5)
    slope = np.polyfit(found["x"], found["f"], 1)[0]
    assert slope == pytest.approx(4.0, abs=0.3)
    assert (found["f_low"] < found["f"]).all()
    words = partial_dependence(model, frame, "word").set_index("word")["f"]
    assert words["p"] - words["q"] == pytest.approx(1.0, abs=0.2)
    with pytest.raises(InputError, match="Did you mean 'word'"):
        partial_dependence(model, frame, "words")


def test_shapley_values_add_up(learned):
    pytest.importorskip("shap")
    model, frame, _ = learned
    found = shapley_values(model, frame[:4], frame[4:12], property_name="f")
    base = model.predict(frame[4:12])["f"].mean()
    np.testing.assert_allclose(found.sum(axis=1) + base, model.predict(frame[:4])["f"], atol=1e-6)
    assert found["x"].abs().mean() > 5 * found["idle"].abs().mean()


def test_without_shap_it_says_what_to_install(learned, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "shap", None)
    model, frame, _ = learned
    with pytest.raises(InputError, match=r"pip install 'invdesign\[explain\]'"):
        shapley_values(model, frame[:4], frame[4:12], property_name="f")
