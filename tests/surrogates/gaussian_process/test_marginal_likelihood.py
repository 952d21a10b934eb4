from __future__ import annotations

import numpy as np
import pytest

from invdesign.surrogates.gaussian_process.kernels import prior_covariance, tanimoto
from invdesign.surrogates.gaussian_process.marginal_likelihood import _Problem, fitted_covariance
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.gaussian_process.parts import Part

KERNELS = ("matern-1.5", "matern-2.5", "rbf")
NUMBERS = Part("stationary", (0, 1, 2), (0, 1, 2))
CATEGORY = Part("stationary", (0, 1, 2, 3), (0, 1, 1, 2), dimension=3)
POOLED = Part("stationary", (0, 1, 2, 3), (0, 1, 2, 3), pooled=True)
SHARED = Part("stationary", (1, 3))
WEIGHED = Part("stationary", (0, 1, 3), weights=(1.0, 2.0, 5.0))
COUNTS = Part("tanimoto", tuple(range(4, 16)))
TREND = Part("linear", (0,))
FACTOR, RISE = Part("factor", (3,)), Part("linear", (3,))
TERMS = (
    ((NUMBERS,),),
    ((NUMBERS,), (COUNTS,)),
    ((CATEGORY,),),
    ((POOLED,), (TREND,)),
    ((NUMBERS, SHARED), (TREND,)),
    ((WEIGHED,), (SHARED,)),
    ((SHARED, COUNTS), (NUMBERS,), (TREND,)),
    ((FACTOR, NUMBERS), (RISE, NUMBERS), (FACTOR, TREND), (RISE, TREND), (RISE,)),
)


@pytest.fixture
def data(rng):
    features = np.concatenate([rng.random((40, 4)), rng.integers(0, 4, (40, 12))], axis=1)
    values = np.sin(3 * features[:, 0]) + features[:, 1] + 0.1 * features[:, 5] + 0.1 * rng.standard_normal(40)
    return features, (values - values.mean()) / values.std()


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("terms", TERMS)
def test_the_gradient_is_that_of_the_likelihood(name, terms, data, rng):
    covariance = prior_covariance(name, terms)
    problem = _Problem(covariance, *data, None)
    at = covariance.logarithms() + 0.3 * rng.standard_normal(len(covariance.logarithms()))
    _, gradient = problem(at)
    numeric = [(problem(at + 1e-5 * e)[0] - problem(at - 1e-5 * e)[0]) / 2e-5 for e in np.eye(len(at))]
    np.testing.assert_allclose(gradient, numeric, atol=1e-7)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("terms", TERMS)
@pytest.mark.parametrize("given_noise", [False, True])
def test_botorch_predicts_the_same(name, terms, given_noise, data, rng):
    import torch

    from invdesign.surrogates.gaussian_process.botorch_model import botorch_model

    features, values = data
    noise = rng.uniform(0.1, 0.3, 40) if given_noise else None
    fitted = PropertyModel.fitted(features, 3.0 + 7.0 * values, start=prior_covariance(name, terms), noise=noise)
    asked = np.concatenate([rng.random((9, 4)), rng.integers(0, 4, (9, 12))], axis=1)
    mean, std = fitted.predict(asked)
    with torch.no_grad():
        posterior = botorch_model([fitted]).posterior(torch.as_tensor(asked))
    scale = 1e-3 if given_noise else 1e-6  # LEAST_NOISE comes on top of a given noise here, not in BoTorch
    np.testing.assert_allclose(mean, posterior.mean.squeeze(-1), rtol=scale, atol=7 * scale)
    np.testing.assert_allclose(std, posterior.variance.sqrt().squeeze(-1), rtol=10 * scale, atol=7 * scale)


def test_the_likelihood_is_that_of_gpytorch(data):
    import gpytorch
    import torch

    from invdesign.surrogates.gaussian_process.botorch_model import botorch_model

    features, values = data
    fitted = PropertyModel.fitted(features, values, start=prior_covariance("matern-2.5", ((NUMBERS,), (COUNTS,))))
    model = botorch_model([fitted]).models[0]
    model.train()
    likelihood = gpytorch.mlls.ExactMarginalLogLikelihood(model.likelihood, model)
    with torch.no_grad():
        expected = float(likelihood(model(*model.train_inputs), model.train_targets))
    problem = _Problem(fitted.covariance, features, fitted.standard, None)
    at = fitted.covariance.logarithms()
    ours = -problem(at)[0] - problem._prior(fitted.covariance, at)[0] / len(values)
    assert ours == pytest.approx(expected, abs=1e-6)


def test_a_fit_finds_what_matters(rng):
    features = rng.random((120, 3))
    values = np.sin(6 * features[:, 0])
    start = prior_covariance("matern-2.5", ((NUMBERS,),))
    found = fitted_covariance(start, features, values / values.std())
    assert found.lengthscales[0][0] < 0.3 * found.lengthscales[0][1:].min()
    again = fitted_covariance(found, features, values / values.std())
    np.testing.assert_allclose(again.logarithms(), found.logarithms(), atol=0.2)


def test_pooled_lengthscales_tell_the_few_features_that_matter_from_many(rng):
    places = tuple(range(60))
    features = rng.standard_normal((70, 60))
    values = np.sin(features[:, 3]) + 0.5 * features[:, 7]
    asked = rng.standard_normal((200, 60))
    wanted = np.sin(asked[:, 3]) + 0.5 * asked[:, 7]
    parts = {
        "one": Part("stationary", places),
        "pooled": Part("stationary", places, places, pooled=True),
    }
    error = {}
    for word, part in parts.items():
        fitted = PropertyModel.fitted(features, values, start=prior_covariance("matern-2.5", ((part,),)))
        error[word] = float(np.sqrt(np.mean((fitted.mean_of(asked) - wanted) ** 2)))
    assert error["pooled"] < 0.8 * error["one"]
    lengthscales = fitted.covariance.lengthscales[0]
    assert set(np.argsort(lengthscales)[:2]) == {3, 7}


def test_pooled_lengthscales_begin_at_their_common_one(data):
    start = prior_covariance("matern-2.5", ((POOLED,), (TREND,)))
    tied = start.tied()
    assert tied is not None
    assert tied.terms[0][0].lengthscales == 1
    found = fitted_covariance(tied, *data)
    again = start.untied(found)
    assert again.terms == start.terms
    assert (again.lengthscales[0] == found.lengthscales[0]).all()
    assert prior_covariance("matern-2.5", ((NUMBERS,),)).tied() is None
    assert fitted_covariance(start, *data).tied() is None  # a warm start keeps what was learned


def test_the_mean_of_two_kernels_is_that_of_their_own_fits(rng):
    features = rng.random((60, 4))
    values = np.sin(6 * features[:, 0]) + 0.1 * rng.standard_normal(60)
    values = (values - values.mean()) / values.std()
    each, one = Part("stationary", (0, 1, 2, 3), (0, 1, 2, 3)), Part("stationary", (0, 1, 2, 3))
    mean = fitted_covariance(prior_covariance("matern-2.5", ((each,), (one,))), features, values)
    alone = [
        fitted_covariance(prior_covariance("matern-2.5", ((part,),)), features, values, starts=1)
        for part in (each, one)
    ]
    for found, expected in zip(mean.alternatives(), alone, strict=True):
        np.testing.assert_allclose(found.scales, expected.scales, rtol=1e-6)
        np.testing.assert_allclose(found.lengthscales[0], expected.lengthscales[0], rtol=1e-6)
    halves = [0.5 * kernel.between(features, features) for kernel in alone]
    np.testing.assert_allclose(mean.between(features, features), halves[0] + halves[1], rtol=1e-6)
    assert mean.noise == pytest.approx(np.sqrt(alone[0].noise * alone[1].noise))


def test_terms_on_other_features_or_of_other_kinds_are_fitted_together():
    for terms in (((NUMBERS,),), ((NUMBERS,), (TREND,)), ((NUMBERS, SHARED), (SHARED,))):
        start = prior_covariance("matern-2.5", terms)
        assert start.alternatives() == [start]


def test_exact_values_overrule_the_prior_of_the_noise(rng):
    features = rng.random((40, 2))
    values = np.sin(3 * features[:, 0]) + features[:, 1]
    start = prior_covariance("matern-2.5", ((Part("stationary", (0, 1), (0, 1)),),))
    exact = fitted_covariance(start, features, values / values.std()).noise
    noisy = fitted_covariance(start, features, (values + 0.3 * rng.standard_normal(40)) / values.std()).noise
    assert exact < 1e-5
    assert noisy > 0.02


def test_leaving_one_out_is_what_it_says(data):
    features, values = data
    fitted = PropertyModel.fitted(features, values, start=prior_covariance("rbf", ((NUMBERS,),)))
    means, deviations = fitted.left_out()
    for row in (0, 17):
        rest = np.arange(40) != row
        without = PropertyModel.fitted(features[rest], values[rest], start=fitted.covariance, starts=0)
        mean, std = without.predict(features[[row]])
        assert means[row] == pytest.approx(mean[0], abs=0.02)  # the constant mean is taken from all values
        assert deviations[row] == pytest.approx(np.hypot(std[0], without.noise_std), rel=0.05)


def test_conditioning_is_fitting_with_more_rows(data):
    features, values = data
    fitted = PropertyModel.fitted(features[:30], values[:30], start=prior_covariance("matern-1.5", ((NUMBERS,),)))
    more = fitted.conditioned(features[30:], values[30:])
    matrix = fitted.covariance.between(features, features) + fitted.covariance.noise * np.eye(40)
    np.testing.assert_allclose(more.factor @ more.factor.T, matrix, atol=1e-10)


def test_tanimoto_counts_shared_fragments():
    a = np.array([[2.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    b = np.array([[1.0, 3.0, 1.0], [0.0, 0.0, 0.0]])
    np.testing.assert_allclose(tanimoto(a, b), [[2.0 / 6.0, 0.0], [0.0, 1.0]])
    np.testing.assert_allclose(np.diag(tanimoto(a, a)), 1.0)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("terms", [TERMS[0], TERMS[2], TERMS[3], TERMS[5], ((NUMBERS, SHARED), (SHARED,), (TREND,))])
def test_slopes_are_those_of_the_moments(name, terms, data, rng):
    features, values = data
    fitted = PropertyModel.fitted(features, 5.0 + 3.0 * values, start=prior_covariance(name, terms))
    asked = rng.random((6, 16))
    _, _, by_mean, by_std = fitted.slopes(asked)
    for place in range(4):
        step = np.zeros(16)
        step[place] = 1e-6
        (up, up_std), (down, down_std) = fitted.predict(asked + step), fitted.predict(asked - step)
        np.testing.assert_allclose(by_mean[:, place], (up - down) / 2e-6, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(by_std[:, place], (up_std - down_std) / 2e-6, rtol=1e-3, atol=1e-3)
