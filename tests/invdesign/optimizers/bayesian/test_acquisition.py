from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import invdesign as ind
from invdesign.optimizers.bayesian.acquisition import (
    ExpectedImprovement,
    HitProbability,
    MomentAcquisition,
    ScalarizedImprovement,
    ShortfallReduction,
    log_expected_excess,
    property_scales,
    summed_shortfall,
)
from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.optimizers.bayesian.look_ahead import FAR, NEAR, LookAhead, evaluations_ahead
from invdesign.optimizers.bayesian.optimize import GeneticSearch
from invdesign.optimizers.bayesian.policy import Policy


@pytest.fixture
def learned(rng):
    space = ind.SearchSpace(
        x=ind.Continuous(-1, 3), rate=ind.Continuous(1e-3, 1e3, log=True), word=ind.Categorical(["p", "q"])
    )
    frame = space.sample(30, rng)
    y = pd.DataFrame({"f": np.sin(2 * frame["x"]) + 0.2 * np.log10(frame["rate"]) + (frame["word"] == "p")})
    return space, frame, y, ind.GaussianProcess().fit(frame, y, columns=space.columns)


def test_the_expected_excess_is_exact_and_smooth_far_out():
    z = np.array([-8.0, -3.0, -1.0, 0.0, 2.0, 30.0])
    np.testing.assert_allclose(log_expected_excess(z), np.log(norm.pdf(z) + z * norm.cdf(z)), rtol=1e-4)
    far = np.linspace(-60.0, -40.0, 41)
    assert (np.diff(log_expected_excess(far)) > 0).all()
    assert np.isfinite(log_expected_excess(np.array([-1e300, 1e300]))).all()


def test_the_expected_excess_far_out_is_its_asymptotic_series():
    """Abramowitz and Stegun 26.2.12: ``phi(z) / z**2 * (1 - 3 / z**2 + ...)`` below, ``z`` itself above."""
    z = np.array([-49.0, -51.0, -60.0, -200.0])
    np.testing.assert_allclose(
        log_expected_excess(z), norm.logpdf(z) - 2.0 * np.log(-z) + np.log1p(-3.0 / z**2), atol=2e-3
    )
    np.testing.assert_allclose(log_expected_excess(np.array([26.0, 1e6])), np.log([26.0, 1e6]), rtol=1e-9)


def test_shortfalls_are_summed_in_standard_deviations_of_each_property():
    values = pd.DataFrame({"f": [0.0, 2.0, np.nan], "g": [10.0, 10.0, 10.0]})
    targets = ind.Targets(ind.AtLeast("f", 3.0), ind.AtMost("g", 8.0), ind.Minimize("f"))
    scales = property_scales(targets, values)
    assert scales == {"f": 1.0, "g": 1.0}  # the deviation of 0 and 2, and one where values do not differ
    np.testing.assert_array_equal(summed_shortfall(targets, values, scales), [3.0 + 2.0, 1.0 + 2.0, np.nan])
    np.testing.assert_array_equal(summed_shortfall(targets, values, {"f": 2.0, "g": 4.0}), [2.0, 1.0, np.nan])


def test_expected_improvement_weighs_other_targets_by_their_probability():
    targets = ind.Targets(ind.Maximize("f"), ind.AtMost("g", 0.0))
    scorer = ExpectedImprovement(targets, best=1.0)
    mean, std = np.array([[1.5, -9.0], [1.5, 0.0]]), np.full((2, 2), 0.5)
    sure, even = scorer.score(mean, std)
    assert sure - even == pytest.approx(np.log(2.0), abs=1e-6)


def test_scalarized_improvement_serves_any_number_of_directions():
    targets = ind.Targets(*(ind.Minimize(f"f{place}") for place in range(5)))
    scorer = ScalarizedImprovement(targets, np.full(5, -1.0), np.ones(5), np.full(5, 0.2), best=0.0)
    worse, better = scorer.score(np.array([[2.0] * 5, [0.2] * 5]), np.full((2, 5), 0.1))
    assert better > worse


SCORERS = {
    "window": lambda: HitProbability(ind.Targets(ind.Between("f", 0.9, 1.1))),
    "nearer": lambda: ShortfallReduction(ind.Targets(ind.AtLeast("f", 5.0)), best=3.0, scales={"f": 1.0}),
    "direction": lambda: ExpectedImprovement(ind.Targets(ind.Maximize("f")), best=1.5),
}


@pytest.mark.parametrize("name", SCORERS)
def test_slopes_are_those_of_the_acquisition(name, learned, rng):
    space, _, _, model = learned
    acquisition = MomentAcquisition(model, SCORERS[name]())
    ascent = GradientAscent.of(space, acquisition)
    features = model.transform(space.sample(5, rng))
    scores, slopes = ascent.slopes(features)
    names = list(acquisition.scorer.targets.properties)
    assert names == ["f"]
    for place in ascent.places:
        step = np.zeros(features.shape[1])
        step[place] = 1e-5
        up, down = ascent.slopes(features + step)[0], ascent.slopes(features - step)[0]
        np.testing.assert_allclose(slopes[:, place], (up - down) / 2e-5, rtol=0.02, atol=0.02 * np.abs(slopes).max())
    assert np.isfinite(scores).all()


def test_a_climb_ends_higher_than_it_started(learned, rng):
    space, _, _, model = learned
    acquisition = MomentAcquisition(model, SCORERS["direction"]())
    points = space.encode(space.sample(6, rng))
    ends = GradientAscent.of(space, acquisition)(points)
    before, after = acquisition(space.decode(points)), acquisition(space.decode(ends))
    assert (after >= before - 1e-6).all()
    assert after.max() > before.max()
    np.testing.assert_array_equal(ends[:, 2:], points[:, 2:])  # the category is held


def test_a_reciprocal_temperature_is_held(rng):
    """Its feature is not its coordinate, so that the gradient by the one is not that by the other."""
    space = ind.SearchSpace(t=ind.Continuous(250.0, 350.0, unit="K"), x=ind.Continuous(0.0, 1.0))
    frame = space.sample(20, rng)
    y = pd.DataFrame({"f": frame["x"] * 500.0 / frame["t"]})
    model = ind.GaussianProcess(features=ind.Features(temperatures="arrhenius")).fit(frame, y, columns=space.columns)
    ascent = GradientAscent.of(space, MomentAcquisition(model, SCORERS["direction"]()))
    assert ascent.coordinates.tolist() == [1]
    points = space.encode(space.sample(6, rng))
    ends = ascent(points)
    np.testing.assert_array_equal(ends[:, 0], points[:, 0])
    assert (ends[:, 1] > points[:, 1]).any()


def test_no_climb_where_nothing_is_continuous(learned, rng):
    _, frame, y, _ = learned
    space = ind.SearchSpace(word=ind.Categorical(["p", "q"]), count=ind.Integer(1, 9))
    own = frame[["word"]].assign(count=rng.integers(1, 10, len(frame)))
    model = ind.GaussianProcess().fit(own, y, columns=space.columns)
    assert GradientAscent.of(space, MomentAcquisition(model, SCORERS["window"]())) is None
    forest = ind.RandomForest().fit(own, y, columns=space.columns)
    assert GradientAscent.of(space, MomentAcquisition(forest, SCORERS["window"]())) is None


def test_a_search_finds_what_scoring_everything_finds(learned):
    space, frame, _, model = learned
    acquisition = MomentAcquisition(model, SCORERS["direction"]())
    found = GeneticSearch(space, np.random.default_rng(0), around=frame[:4]).ranked(acquisition, frame, 3)
    dense = space.sample(20_000, np.random.default_rng(1))
    assert acquisition(found)[0] >= acquisition(dense).max() - 1e-6
    assert len(found) == 3
    assert (np.diff(acquisition(found)) <= 1e-9).all()


def test_looking_ahead_counts_the_hits_that_may_follow():
    space = ind.SearchSpace(x=ind.Continuous(0, 10))
    known = pd.DataFrame({"x": [0.0, 4.0, 10.0]})
    model = ind.GaussianProcess(kernel="rbf").fit(known, pd.DataFrame({"f": [0.0, 1.0, 0.0]}), columns=space.columns)
    targets = ind.Targets(ind.AtLeast("f", 0.9))
    likely = MomentAcquisition(model, HitProbability(targets))
    crowd = pd.DataFrame({"x": np.concatenate([[7.0, 1.0], np.linspace(6.9, 7.1, 40)])})
    order = np.argsort(-likely(crowd), kind="stable")
    ranked = crowd.iloc[order].reset_index(drop=True)
    scores = LookAhead(model, targets, ahead=3).scores(ranked)
    own = LookAhead(model, targets, ahead=0).scores(ranked)
    np.testing.assert_allclose(own, np.exp(likely(ranked)), atol=1e-6)
    assert (scores >= own).all()
    assert (scores <= own + 3.0).all()
    # What lies far away is as likely afterwards as before, and a candidate follows no candidate but another.
    far = pd.DataFrame({"x": [7.0, 1.0]})
    chances = np.exp(likely(far))
    np.testing.assert_allclose(LookAhead(model, targets, ahead=3).scores(far), chances.sum(), atol=0.15 * chances.sum())


def test_what_is_believed_of_pending_candidates_makes_no_other_a_likelier_hit():
    space = ind.SearchSpace(x=ind.Integer(0, 120))
    done = pd.DataFrame({"x": [0, 24, 36, 60, 84, 96, 120]})
    values = pd.DataFrame({"f": [0.0, 0.9, 0.9, 0.0, 0.8, 0.8, 0.0]})
    targets = ind.Targets(ind.AtLeast("f", 0.85))
    model = ind.GaussianProcess(calibrate=False).fit(done, values, columns=space.columns)
    pool = pd.DataFrame({"x": np.setdiff1d(np.arange(121), done["x"])})
    before = np.exp(MomentAcquisition(model, HitProbability(targets))(pool))
    for place, sign in ((30, 1.0), (105, -1.0)):  # believed a hit, and a miss
        chosen = pd.DataFrame({"x": [place]})
        believing = model.condition_on(chosen, model.predict(chosen))
        after = np.exp(MomentAcquisition(believing, HitProbability(targets))(pool))
        assert (sign * (after - before) > 0.001).any()
        own = LookAhead(believing, targets, model, ahead=0).scores(pool)
        np.testing.assert_allclose(own, np.minimum(before, after)[: len(own)], atol=1e-6)


def test_a_batch_takes_no_advantage_of_hits_that_are_only_believed():
    """Candidates rise by nothing but what was believed of others: the second of a batch keeps its probability."""
    space = ind.SearchSpace(x=ind.Integer(0, 120))
    done = pd.DataFrame({"x": [0, 24, 36, 60, 84, 96, 120]})
    values = pd.DataFrame({"f": [0.0, 0.9, 0.9, 0.0, 0.8, 0.8, 0.0]})
    targets = ind.Targets(ind.AtLeast("f", 0.85))
    model = ind.GaussianProcess(calibrate=False).fit(done, values, columns=space.columns)
    policy = Policy(model, space, targets, done, values, seed=0)
    shown: list[np.ndarray] = []

    class Watched:
        def ranked(self, acquisition, seen, count):
            pool = pd.DataFrame({"x": np.setdiff1d(np.arange(121), seen["x"])})
            shown.append(acquisition(pool))
            likely = MomentAcquisition(model, HitProbability(targets))(pool)
            assert (shown[-1] <= likely + 1e-9).all()
            return pool.iloc[np.argsort(-shown[-1])[:count]].reset_index(drop=True)

    chosen = pd.DataFrame({"x": [30]})
    assert len(policy.best(Watched(), chosen, pd.concat([done, chosen]), look_ahead=True)) == 1
    assert len(shown) == 1


def test_it_looks_farther_while_no_hit_is_sure_and_many_may_follow():
    assert evaluations_ahead(np.array([0.9, *np.full(100, 0.5)])) == NEAR
    assert evaluations_ahead(np.full(100, 0.6)) == FAR
    assert evaluations_ahead(np.full(24, 0.75)) == round(24 * 0.75 / 4)
    assert evaluations_ahead(np.full(10, 1e-9)) == NEAR
