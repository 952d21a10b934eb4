"""Each value predicted from all others by a Gaussian process."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.surrogates.base import LeaveOneOutSurrogate, measurement_std
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.validation import held_out_predictions, random_folds, total_std

COLUMNS = (Column("x", "number", bounds=(0.0, 1.0)), Column("z", "number", bounds=(0.0, 1.0)))


def table(count: int) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A smooth property and one that is not known everywhere, with noise."""
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"x": rng.random(count), "z": rng.random(count)})
    y = pd.DataFrame({"a": np.sin(4.0 * frame["x"]) + frame["z"], "b": 50.0 * frame["z"] + rng.standard_normal(count)})
    y.loc[::3, "b"] = np.nan
    return frame, y


@pytest.mark.parametrize("ard", [True, False])
def test_with_a_part_for_each_row_it_is_cross_validation(ard):
    frame, y = table(12)
    process = GaussianProcess(ard=ard, calibrate=False)
    assert isinstance(process, LeaveOneOutSurrogate)
    means, stds = process.leave_one_out(frame, y[["a"]], columns=COLUMNS, folds=12, rng=np.random.default_rng(0))
    held = held_out_predictions(process, frame, y[["a"]], columns=COLUMNS, folds=12, rng=np.random.default_rng(0))
    np.testing.assert_allclose(means["a"], held["mean"], rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(stds["a"], total_std(held), rtol=1e-5)


def test_hyperparameters_come_from_other_parts_and_everything_else_from_all_other_rows():
    frame, y = table(20)
    noise = pd.DataFrame({"b": np.where(np.arange(20) % 2 == 0, 2.0, np.nan)})
    process = GaussianProcess(ard=True, calibrate=False)
    means, stds = process.leave_one_out(
        frame, y, columns=COLUMNS, noise_std=noise, folds=4, rng=np.random.default_rng(5)
    )
    assert (means.isna() == y.isna()).all().all()
    inside = random_folds(y, 4, np.random.default_rng(5)) == 2
    known = noise.reindex(columns=y.columns)
    others = process.fit(frame[~inside], y[~inside], columns=COLUMNS, noise_std=known[~inside])
    for row in np.flatnonzero(inside):
        rest = inside & (np.arange(20) != row)
        model = others.condition_on(frame[rest], y[rest], noise_std=known[rest])
        mean, std = model.predict(frame.iloc[[row]], return_std=True)
        total = measurement_std(model, std)
        for name in y.columns[y.iloc[row].notna()]:
            own = known[name].iloc[row]
            expected = total[name].iloc[0] if np.isnan(own) else np.hypot(std[name].iloc[0], own)
            assert means[name].iloc[row] == pytest.approx(mean[name].iloc[0], rel=1e-4)
            assert stds[name].iloc[row] == pytest.approx(expected, rel=1e-4)
