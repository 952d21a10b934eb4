"""The expected gain of a front against counted samples, where it is measured from, and its slopes."""

import numpy as np
import pandas as pd
import pytest
from moocore import hypervolume

import invdesign as ind
from invdesign.optimizers.base import History
from invdesign.optimizers.bayesian.acquisition import HitProbability, MomentAcquisition
from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.optimizers.bayesian.hypervolume import HypervolumeImprovement, reference_point
from invdesign.targets import Targets

TWO = Targets(ind.Maximize("a"), ind.Minimize("b"))
FRONT = np.array([[0.1, -0.2], [0.5, -0.5], [0.9, -1.0], [0.2, -0.9]])
TYPICAL = np.array([0.0, -1.5])
SQUARE = ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(0, 1))


@pytest.mark.parametrize("count", [2, 3, 4])
def test_it_is_the_mean_gain_of_samples(count, rng):
    targets = Targets(*(ind.Maximize(f"f{place}") for place in range(count)))
    front = rng.random((6, count))
    score = HypervolumeImprovement(targets, front, typical=np.full(count, -0.1))
    reference = -reference_point(front, np.full(count, -0.1))
    mean, std = np.full((1, count), 0.7), np.linspace(0.1, 0.3, count)[None]
    before = hypervolume(-front, ref=reference)
    drawn = rng.normal(mean, std, (4000, count))
    gains = [hypervolume(-np.vstack([front, one]), ref=reference) - before for one in drawn]
    assert np.exp(score.score(mean, std)[0]) == pytest.approx(np.mean(gains), rel=0.06)


def test_far_behind_the_front_nearer_is_still_better():
    score = HypervolumeImprovement(TWO, FRONT, TYPICAL)
    far = np.linspace(-60.0, -40.0, 21)
    scores = score.score(np.stack([far, 1.0 - far], axis=1), np.ones((21, 2)))
    assert np.isfinite(scores).all()
    assert (np.diff(scores) > 0).all()


def test_other_targets_count_by_their_probability(rng):
    targets = Targets(*TWO.items, ind.AtMost("c", 0.0))
    mean, std = rng.normal(size=(9, 3)), np.full((9, 3), 0.4)
    places = [targets.properties.index(name) for name in ("a", "b")]
    gained = HypervolumeImprovement(TWO, FRONT, TYPICAL).score(mean[:, places], std[:, places])
    whole = HypervolumeImprovement(targets, FRONT, TYPICAL).score(mean, std)
    np.testing.assert_allclose(whole, gained + HitProbability(targets).score(mean, std), rtol=1e-12)


def test_a_change_of_unit_moves_all_scores_alike(rng):
    mean, std = rng.normal(size=(9, 2)), np.full((9, 2), 0.4)
    units = np.array([1000.0, 0.1])
    plain = HypervolumeImprovement(TWO, FRONT, TYPICAL).score(mean, std)
    scaled = HypervolumeImprovement(TWO, FRONT * units, TYPICAL * units).score(mean * units, std * units)
    np.testing.assert_allclose(scaled - plain, np.log(units.prod()), rtol=1e-6)


@pytest.mark.parametrize(("count", "slack"), [(2, 1.0), (3, 0.5), (11, 0.1)])
def test_it_is_measured_from_a_gap_behind_the_front(count, slack):
    first = np.linspace(0.0, 1.0, count)
    front = np.vstack([np.stack([first, 1.0 - first], axis=1), [[-5.0, -5.0]]])
    np.testing.assert_allclose(reference_point(front, typical=np.array([0.5, 0.5])), [-slack, -slack])


def test_a_given_reference_point_is_where_it_is_measured_from(rng):
    targets = Targets(ind.Maximize("a", reference=0.3), ind.Minimize("b", reference=0.8))
    point = targets.reference
    np.testing.assert_allclose(point, [0.3, -0.8])
    for front in (FRONT, FRONT[[0]]):  # the second has nothing within
        score = HypervolumeImprovement(targets, front, TYPICAL)
        mean, std = np.array([[0.6, 0.4]]), np.array([[0.2, 0.2]])
        before = hypervolume(-front, ref=-point)
        drawn = rng.normal(mean, std, (4000, 2)) * [1.0, -1.0]
        gains = [hypervolume(-np.vstack([front, one]), ref=-point) - before for one in drawn]
        assert np.exp(score.score(mean, std)[0]) == pytest.approx(np.mean(gains), rel=0.06)


def test_a_far_reference_point_makes_the_ends_worth_as_much_as_they_are():
    near, far = (Targets(ind.Maximize("a", reference=r), ind.Maximize("b", reference=r)) for r in (0.0, -100.0))
    front = np.array([[0.4, 0.6], [0.6, 0.4]])
    end, middle = np.array([[1.0, 0.01]]), np.array([[0.55, 0.55]])
    better = []
    for targets in (near, far):
        score = HypervolumeImprovement(targets, front, np.zeros(2))
        better.append(score.score(end, np.full((1, 2), 0.01))[0] > score.score(middle, np.full((1, 2), 0.01))[0])
    assert better == [False, True]


def test_a_candidate_that_gains_a_hair_and_loses_much_does_not_move_it():
    front = np.array([[0.0, 1.0], [0.5, 0.5], [1.0, 0.0]])
    far = np.vstack([front, [[1.0 + 1e-6, -4.0]]])
    np.testing.assert_allclose(*(reference_point(gains, typical=np.array([0.5, 0.5])) for gains in (front, far)))


def test_a_front_at_one_end_leaves_the_other_end_in_sight():
    """All known candidates are best in one direction; candidates worse in it and better in the other must count."""
    end = np.array([[0.0, -1.0], [-1e-7, -1.0 + 1e-7], [0.0, -2.0]])
    score = HypervolumeImprovement(Targets(ind.Maximize("a"), ind.Maximize("b")), end, typical=np.array([-0.5, -5.0]))
    worse, traded = score.score(np.array([[-0.01, -1.2], [-0.3, -0.5]]), np.full((2, 2), 0.01))
    assert traded > np.log(0.05)
    assert traded > worse + 2.0


def test_slopes_are_those_of_the_score(rng):
    frame = SQUARE.sample(14, rng)
    values = pd.DataFrame({"a": frame["x"] * frame["y"], "b": (frame["x"] - 0.3) ** 2 + frame["y"]})
    model = ind.GaussianProcess().fit(frame, values, columns=SQUARE.columns)
    score = HypervolumeImprovement(TWO, TWO.gains(values), TWO.gains(values).mean(axis=0))
    ascent = GradientAscent.of(SQUARE, MomentAcquisition(model, score))
    features = model.transform(SQUARE.sample(5, rng))
    slopes = ascent.slopes(features)[1]
    for place in ascent.places:
        step = np.zeros(features.shape[1])
        step[place] = 1e-5
        up, down = ascent.slopes(features + step)[0], ascent.slopes(features - step)[0]
        np.testing.assert_allclose(slopes[:, place], (up - down) / 2e-5, rtol=0.02, atol=0.02 * np.abs(slopes).max())


@pytest.mark.parametrize("surrogate", [ind.GaussianProcess(), ind.RandomForest()])
def test_a_batch_fills_different_gaps_of_the_front(surrogate, rng):
    frame = SQUARE.sample(30, rng).assign(y=lambda drawn: 0.2 * drawn["y"])
    frame = frame[(frame["x"] < 0.2) | (frame["x"] > 0.8) | frame["x"].between(0.45, 0.55)].reset_index(drop=True)
    values = pd.DataFrame({"a": frame["x"] - frame["y"], "b": frame["x"] ** 2 + frame["y"]})
    history = History(frame, values, frame.iloc[:0])
    chosen = ind.BayesianOptimizer(surrogate=surrogate).propose(
        4, space=SQUARE, targets=TWO, history=history, seed=np.random.SeedSequence(3)
    )
    assert len(chosen) == 4
    assert chosen["y"].max() < 0.3
    assert np.ptp(chosen["x"]) > 0.2
