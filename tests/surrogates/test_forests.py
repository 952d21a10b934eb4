"""Forests: each value predicted by the trees that had not drawn it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.surrogates.base import LeaveOneOutSurrogate
from invdesign.surrogates.forests import ExtraTrees, RandomForest

COLUMNS = (Column("x", "number", bounds=(0.0, 1.0)), Column("z", "number", bounds=(0.0, 1.0)))


def table(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Two properties; one of them is not known everywhere."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"x": rng.random(count), "z": rng.random(count)})
    y = pd.DataFrame({"a": np.sin(4.0 * frame["x"]) + frame["z"], "b": 100.0 * frame["z"] ** 2})
    y.loc[::4, "b"] = np.nan
    return frame, y


@pytest.mark.parametrize("forest", [RandomForest(n_estimators=80), ExtraTrees(n_estimators=80)])
def test_values_out_of_bag_are_close_to_those_of_forests_that_were_grown_without_each_row(forest):
    frame, y = table(16)
    assert isinstance(forest, LeaveOneOutSurrogate)
    means, stds = forest.leave_one_out(frame, y, columns=COLUMNS, rng=np.random.default_rng(0))
    assert (means.isna() == y.isna()).all().all()
    assert ((stds > 0.0) == y.notna()).all().all()
    without = pd.concat(
        [
            replace(forest).fit(frame.drop(row), y.drop(row), columns=COLUMNS).predict(frame.loc[[row]])
            for row in y.index
        ]
    )
    inside = replace(forest).fit(frame, y, columns=COLUMNS).predict(frame)
    apart = ((means - without) ** 2).mean() ** 0.5
    assert (apart < 0.7 * ((inside - without) ** 2).mean() ** 0.5).all()
    assert (apart < 0.15 * y.std()).all()


def test_values_out_of_bag_do_not_depend_on_the_order_of_the_rows():
    frame, y = table(30)
    order = np.random.default_rng(2).permutation(len(y))
    forest, rng = RandomForest(n_estimators=30), np.random.default_rng(0)
    means, stds = forest.leave_one_out(frame, y, columns=COLUMNS, rng=rng)
    shuffled = forest.leave_one_out(frame.iloc[order], y.iloc[order], columns=COLUMNS, rng=rng)
    pd.testing.assert_frame_equal(shuffled[0].sort_index(), means)
    pd.testing.assert_frame_equal(shuffled[1].sort_index(), stds)


def test_known_noise_is_part_of_the_deviation_of_a_value_out_of_bag():
    frame, y = table(40)
    noise = pd.DataFrame({"a": np.where(np.arange(40) < 20, 3.0, np.nan)})
    _, stds = RandomForest(n_estimators=30).leave_one_out(
        frame, y, columns=COLUMNS, noise_std=noise, rng=np.random.default_rng(0)
    )
    assert (stds["a"].iloc[:20] >= 3.0).all()


def test_a_row_that_every_tree_had_drawn_is_predicted_by_the_mean():
    frame, y = table(20)
    means, stds = RandomForest(n_estimators=4).leave_one_out(
        frame, y[["a"]], columns=COLUMNS, rng=np.random.default_rng(0)
    )
    assert np.isclose(means["a"], y["a"].mean()).sum() >= 3
    assert np.isfinite(stds["a"]).all()
