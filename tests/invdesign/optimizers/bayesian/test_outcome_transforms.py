"""Tails are drawn in for the model alone: what is met stays met, and properties without a tail stay as they are."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import invdesign as ind
from invdesign.optimizers.base import History
from invdesign.optimizers.bayesian.outcome_transforms import arcsinh_warped, power_warped, warped_noise

LONG = [0.1, -0.2, 0.3, 0.2, -0.1, 1.5, 400.0, -90.0]
BOUNDED = [ind.AtMost("stress", 0.25), ind.AtLeast("stress", -0.15)]
WINDOWS = [ind.Between("stress", -0.3, 0.25), ind.CloseTo("stress", 0.1, 0.12), ind.Equals("stress", 0.2)]


@pytest.mark.parametrize("target", BOUNDED, ids=str)
@given(values=st.lists(st.floats(-1e4, 1e4), min_size=1, max_size=20))
def test_what_meets_a_target_still_meets_it_and_order_is_kept(target, values):
    given_ = pd.DataFrame({"stress": [*LONG, *LONG, *LONG[:4], *values]})
    targets, moved = arcsinh_warped(ind.Targets(target), given_)
    assert targets.properties == ("stress",)
    np.testing.assert_array_equal(targets.all_met(moved), ind.Targets(target).all_met(given_))
    order = np.argsort(given_["stress"].to_numpy(), kind="stable")
    assert (np.diff(moved["stress"].to_numpy()[order]) >= 0.0).all()
    assert moved["stress"].iloc[6] < 100.0


@pytest.mark.parametrize("target", WINDOWS, ids=str)
def test_a_property_with_bounds_on_both_sides_stays_as_it_is(target):
    frame = pd.DataFrame({"stress": LONG})
    assert arcsinh_warped(ind.Targets(target), frame)[1] is frame


def test_several_bounds_on_one_side_move_together():
    frame = pd.DataFrame({"stress": LONG})
    wishes = ind.Targets(ind.AtMost("stress", 0.25), ind.AtMost("stress", 200.0))
    targets, moved = arcsinh_warped(wishes, frame)
    assert len(list(targets)) == 2
    np.testing.assert_array_equal(targets.all_met(moved), wishes.all_met(frame))


def test_without_a_tail_nothing_changes():
    values = pd.DataFrame({"voltage": np.linspace(0.0, 5.0, 20), "capacity": LONG + 12 * [np.nan]})
    targets = ind.Targets(ind.Between("voltage", 1.0, 3.0), ind.Maximize("capacity"))
    same, still = arcsinh_warped(targets, values)
    assert same is targets
    assert still is values


def test_later_values_near_the_target_make_no_tail():
    spread = np.linspace(-3.0, 3.0, 20)
    values = pd.DataFrame({"voltage": np.concatenate([spread, np.full(200, 0.01)])})
    targets = ind.Targets(ind.AtMost("voltage", 0.0))
    assert arcsinh_warped(targets, values)[1] is values


def test_missing_and_equal_values_are_no_tail():
    targets = ind.Targets(ind.AtMost("stress", 0.0))
    for values in ([np.nan] * 5, [0.0] * 5, [2.0, np.nan, 2.0]):
        frame = pd.DataFrame({"stress": values})
        assert arcsinh_warped(targets, frame)[1] is frame


def test_targets_that_exclude_each_other_stay_so():
    targets = ind.Targets(ind.AtMost("stress", -1.0), ind.AtLeast("stress", 1.0))
    frame = pd.DataFrame({"stress": LONG})
    assert arcsinh_warped(targets, frame)[0].window("stress") is None


def test_units_change_nothing():
    targets, frame = ind.Targets(ind.AtMost("stress", 0.25)), pd.DataFrame({"stress": LONG})
    one, other = (
        arcsinh_warped(targets, frame),
        arcsinh_warped(ind.Targets(ind.AtMost("stress", 250.0)), 1000.0 * frame),
    )
    np.testing.assert_allclose(1000.0 * one[1]["stress"], other[1]["stress"], rtol=1e-12)


def test_a_bound_among_values_of_all_sizes_is_found():
    """Stress goes with the inverse cube of a thickness: the least thickness that bears it is asked for."""
    space = ind.SearchSpace(x=ind.Continuous(0.02, 1.0), y=ind.Continuous(0.02, 1.0))
    targets = ind.Targets(ind.Minimize("mass"), ind.AtMost("stress", 1.0))
    optimizer, seed = ind.BayesianOptimizer(), np.random.SeedSequence(1)

    def value(frame: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame({"mass": frame["x"] + frame["y"], "stress": 0.02 / (frame["x"] ** 3 * frame["y"])})

    done = optimizer.initial_design.propose(
        6, space=space, targets=targets, history=History(*_nothing(space, targets)), seed=seed
    )
    while len(done) < 26:
        history = History(done, value(done), done.iloc[:0])
        asked = optimizer.propose(1, space=space, targets=targets, history=history, seed=seed)
        done = pd.concat([done, asked], ignore_index=True)
    values = value(done)
    line = np.linspace(0.02, 1.0, 20_000)
    least = float((line + np.clip(0.02 / line**3, 0.02, None))[0.02 / line**3 <= 1.0].min())
    assert float(values.loc[values["stress"] <= 1.0, "mass"].min()) < 1.01 * least


def _nothing(space: ind.SearchSpace, targets: ind.Targets) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    empty = space.sample(0, np.random.default_rng(0))
    return empty, pd.DataFrame(columns=list(targets.properties), dtype=float), empty


@pytest.mark.parametrize("target", [ind.Maximize("f"), ind.Minimize("f")], ids=str)
@given(values=st.lists(st.floats(0.001, 1e5), min_size=8, max_size=30, unique=True))
def test_a_power_keeps_the_order_of_what_is_optimized(target, values):
    frame = pd.DataFrame({"f": values})
    targets, moved = power_warped(ind.Targets(target), frame)
    assert targets == ind.Targets(target)
    order = np.argsort(values)
    assert (np.diff(moved["f"].to_numpy()[order]) >= 0.0).all()


def test_values_over_decades_become_nearly_normal():
    frame = pd.DataFrame({"f": np.exp(np.random.default_rng(0).standard_normal(60))})
    _, moved = power_warped(ind.Targets(ind.Minimize("f")), frame)
    assert abs(scipy.stats.skew(moved["f"])) < 0.5 < scipy.stats.skew(frame["f"])
    assert scipy.stats.shapiro(moved["f"]).pvalue > 0.01 > scipy.stats.shapiro(frame["f"]).pvalue


def test_a_power_moves_bounds_along():
    values = np.exp(3.0 * np.random.default_rng(0).standard_normal(60))
    frame = pd.DataFrame({"f": values, "g": values})
    wishes = ind.Targets(ind.Minimize("f"), ind.Between("f", 0.5, 20.0), ind.AtLeast("f", 0.1), ind.AtMost("g", 1.0))
    targets, moved = power_warped(wishes, frame)
    np.testing.assert_array_equal(targets.all_met(moved), wishes.all_met(frame))
    assert moved["g"].equals(frame["g"])


def test_normal_few_and_constant_values_stay_as_they_are():
    targets = ind.Targets(ind.Maximize("f"))
    for values in (np.random.default_rng(1).standard_normal(40), [1.0, 10.0, 1e4, 1e8, 1.0], [3.0] * 12):
        frame = pd.DataFrame({"f": values})
        assert power_warped(targets, frame)[1] is frame


def test_several_directions_stay_as_they_are():
    values = np.exp(np.random.default_rng(0).standard_normal(60))
    frame = pd.DataFrame({"f": values, "g": values})
    targets = ind.Targets(ind.Minimize("f"), ind.Maximize("g"))
    assert power_warped(targets, frame)[1] is frame


def test_known_noise_is_warped_by_the_slope_at_its_value():
    stress = pd.DataFrame({"stress": np.tile(LONG, 3), "f": np.exp(np.linspace(0.0, 6.0, 24))})
    targets = ind.Targets(ind.AtMost("stress", 0.25), ind.Minimize("f"))
    noise = pd.DataFrame({"stress": np.full(24, 1e-5), "f": np.where(np.arange(24) < 4, np.nan, 1e-5)})
    _, moved = power_warped(*arcsinh_warped(targets, stress))
    assert not moved.equals(stress)
    warped = warped_noise(targets, stress, noise)
    order = np.argsort(stress["f"].to_numpy())
    slope = np.gradient(moved["f"].to_numpy()[order], stress["f"].to_numpy()[order])
    np.testing.assert_allclose(warped["f"].to_numpy()[order][6:-1] / 1e-5, slope[6:-1], rtol=0.2)
    assert warped["f"].isna().sum() == 4
    # Where a tail is drawn in by the logarithm, so is its noise.
    assert warped["stress"].iloc[6] < 0.01 * warped["stress"].iloc[1]
    assert warped_noise(targets, stress, noise * np.nan) is None
    assert warped_noise(targets, stress, None) is None


def test_the_power_of_the_first_values_serves_all():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.uniform(1.0, 8.5, 20), 8.9 - 0.2 * np.abs(rng.standard_normal(40))])
    frame = pd.DataFrame({"f": values})
    targets = ind.Targets(ind.Maximize("f"))
    by_all = power_warped(targets, frame)[1]["f"]
    assert by_all.iloc[:20].std() / by_all.iloc[20:].std() < 0.2 * values[:20].std() / values[20:].std()
    assert power_warped(targets, frame, first=20)[1] is frame
    noise = pd.DataFrame({"f": np.full(60, 0.1)})
    np.testing.assert_allclose(warped_noise(targets, frame, noise, first=20), noise)
