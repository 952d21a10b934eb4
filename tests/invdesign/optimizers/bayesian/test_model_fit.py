from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.optimizers.bayesian.model_fit import ALWAYS_BELOW, ModelFits, rows_to_fit, rows_to_learn
from invdesign.space.duplicates import without_duplicates


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


@pytest.fixture
def fits_made(monkeypatch):
    """Counts the fits of Gaussian processes."""
    made = []
    original = ind.GaussianProcess.fit

    def counted(self, frame, y, *, columns=None, noise_std=None):
        made.append(len(frame))
        return original(self, frame, y, columns=columns, noise_std=noise_std)

    monkeypatch.setattr(ind.GaussianProcess, "fit", counted)
    return made


def with_category(values: tuple[str, ...]) -> tuple[Column, ...]:
    return Column("x", "number", (0.0, 1.0)), Column("w", "category", values=values)


@pytest.mark.parametrize("changed", ["settings", "candidates", "values", "bounds", "name", "categories"])
def test_a_fit_is_taken_from_before_only_where_nothing_differs(rng, fits_made, changed):
    frame = pd.DataFrame({"x": rng.random(70), "w": rng.choice(["p", "q"], 70)})
    y = pd.DataFrame({"f": np.sin(5 * frame["x"]) + (frame["w"] == "p")})
    columns = with_category(("p", "q"))
    fits, same = ModelFits(), (ind.GaussianProcess(), frame, y, columns)
    fits.fitted(*same)
    fits.fitted(*same)
    moved = np.arange(100, 170)  # labels of rows are no content
    fits.fitted(ind.GaussianProcess(), frame.set_axis(moved), y.set_axis(moved), columns)
    assert len(fits_made) == 1
    renamed = frame.rename(columns={"x": "z"})
    other = {
        "settings": (ind.GaussianProcess(kernel="rbf"), frame, y, columns),
        "candidates": (ind.GaussianProcess(), frame.assign(x=1.0 - frame["x"]), y, columns),
        "values": (ind.GaussianProcess(), frame, y + frame[["x"]].to_numpy(), columns),
        "bounds": (ind.GaussianProcess(), frame, y, (replace(columns[0], bounds=(0.0, 9.0)), columns[1])),
        "name": (ind.GaussianProcess(), renamed, y, (replace(columns[0], name="z"), columns[1])),
        "categories": (ind.GaussianProcess(), frame, y, with_category(("p", "q", "r"))),
    }[changed]
    found = fits.fitted(*other)
    assert len(fits_made) == 2
    pd.testing.assert_frame_equal(found.predict(other[1]), ModelFits().fitted(*other).predict(other[1]))


def test_what_follows_the_rows_of_the_fit_is_no_reason_for_another(rng, fits_made):
    frame = pd.DataFrame({"x": rng.random(71)})
    y = pd.DataFrame({"f": np.sin(5 * frame["x"])})
    fits = ModelFits()
    for count in (70, 71):  # hyperparameters come from the first 66
        fits.fitted(ind.GaussianProcess(), frame[:count], y[:count], with_category(("p", "q"))[:1])
    assert fits_made == [rows_to_fit(70)]
    assert rows_to_fit(70) == rows_to_fit(71) < 70


def test_only_the_last_few_fits_take_memory(rng):
    frame = pd.DataFrame({"x": rng.random(62)})
    fits = ModelFits()
    for slope in range(6):
        fits.fitted(ind.GaussianProcess(), frame, pd.DataFrame({"f": slope * frame["x"]}), with_category(())[:1])
    assert len(fits._kept) == 4


def test_unseen_drops_what_was_seen_and_repeats_in_one_column_and_in_two():
    pool = pd.DataFrame({"a": ["x", "y", "x", "z"], "b": [1, 2, 1, 3]})
    assert without_duplicates(pool[["a"]], pd.DataFrame({"a": ["z"]}))["a"].tolist() == ["x", "y"]
    assert without_duplicates(pool, pd.DataFrame({"a": ["z"], "b": [3]}))["a"].tolist() == ["x", "y"]
    assert without_duplicates(pool[["a"]], pool[["a"]]).empty


@pytest.mark.parametrize("count", [40, 75])
def test_known_noise_weighs_values_also_of_those_conditioned_on(rng, count):
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    frame = space.sample(count, rng)
    truth = np.sin(5 * frame["x"])
    wrong = np.arange(count) % 5 == 4
    y = pd.DataFrame({"f": truth + 3.0 * wrong})
    noise = pd.DataFrame({"f": np.where(wrong, 30.0, np.nan)})
    fits = ModelFits()
    plain = fits.fitted(ind.GaussianProcess(), frame, y, space.columns)
    weighed = fits.fitted(ind.GaussianProcess(), frame, y, space.columns, noise)
    assert (weighed.predict(frame)["f"] - truth).abs().max() < 0.1
    assert (plain.predict(frame)["f"] - truth).abs().mean() > 0.3
    same = fits.fitted(ind.GaussianProcess(), frame, y, space.columns, noise * np.nan)
    pd.testing.assert_frame_equal(same.predict(frame), plain.predict(frame))


def test_of_many_rows_the_best_and_an_even_choice_of_the_others_are_learned(rng):
    targets, values = ind.Targets(ind.Maximize("f")), pd.DataFrame({"f": rng.permutation(500).astype(float)})
    values.iloc[::50] = np.nan
    np.testing.assert_array_equal(rows_to_learn(targets, values.head(90), 100), np.arange(90))
    rows = rows_to_learn(targets, values, 100)
    first = rows_to_fit(500)
    early, late = rows[:100], rows[100:]
    np.testing.assert_array_equal(late, np.arange(first, 500))
    assert (np.diff(rows) > 0).all()
    assert set(values["f"].head(first).nlargest(50).index) <= set(early)
    assert np.diff(early).max() < 30, "the others are from everywhere"


def test_the_choice_of_rows_changes_only_with_a_new_fit(rng):
    targets, values = ind.Targets(ind.Maximize("f")), pd.DataFrame({"f": rng.random(700)})
    first = rows_to_fit(600)
    same = [rows_to_learn(targets, values.head(count), 100)[:100] for count in range(first, int(first * 1.09), 7)]
    assert len(same) > 5
    for rows in same[1:]:
        np.testing.assert_array_equal(rows, same[0])
