from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process.kernels import Covariance
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

COLUMNS = (
    Column("x", "number", bounds=(0.0, 2.0)),
    Column("rate", "number", bounds=(1e-3, 1e3), log=True),
    Column("word", "category", values=("p", "q")),
)


def rows(n: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {"x": rng.uniform(0, 2, n), "rate": 10 ** rng.uniform(-3, 3, n), "word": rng.choice(["p", "q"], n)}
    )


def truth(frame: pd.DataFrame) -> pd.DataFrame:
    f = np.sin(3 * frame["x"]) + 0.3 * np.log10(frame["rate"]) + (frame["word"] == "p")
    return pd.DataFrame({"f": f, "g": 100 * frame["x"] ** 2})


@pytest.mark.parametrize("kernel", ["matern-1.5", "matern-2.5", "rbf"])
def test_it_predicts_held_out_rows_and_knows_its_error(kernel):
    train, test = rows(50), rows(400, seed=1)
    model = GaussianProcess(kernel=kernel).fit(train, truth(train), columns=COLUMNS)
    mean, std = model.predict(test, return_std=True)
    for name, limit in (("f", 0.15), ("g", 10.0)):
        error = mean[name] - truth(test)[name]
        assert np.sqrt((error**2).mean()) < limit
        assert (error.abs() < 3 * std[name] + 1e-3 * truth(test)[name].std()).mean() > 0.95
    pd.testing.assert_frame_equal(model.predict(test), mean)


def test_it_is_certain_where_it_knows_and_not_elsewhere():
    train = pd.DataFrame({"x": [0.0, 0.2, 0.4, 0.6, 0.8]})
    model = GaussianProcess().fit(train, np.sin(3 * train).rename(columns={"x": "f"}), columns=COLUMNS[:1])
    _, std = model.predict(pd.DataFrame({"x": [0.2, 2.0]}), return_std=True)
    assert std["f"][1] > 10 * std["f"][0]


def test_order_and_unit_of_values_do_not_matter():
    train, test = rows(30), rows(20, seed=1)
    plain = GaussianProcess().fit(train, truth(train), columns=COLUMNS).predict(test)
    mixed = train.sample(frac=1, random_state=0)
    shuffled = GaussianProcess().fit(mixed, truth(mixed), columns=COLUMNS).predict(test)
    assert ((plain - shuffled).abs() < 0.02 * truth(train).std()).all().all()
    scaled = GaussianProcess().fit(train, 1000 * truth(train) + 7, columns=COLUMNS).predict(test)
    assert ((plain - (scaled - 7) / 1000).abs() < 0.02 * truth(train).std()).all().all()


def test_values_may_be_missing_property_by_property():
    train = rows(30)
    values = truth(train)
    values.loc[:14, "f"] = np.nan
    model = GaussianProcess().fit(train, values, columns=COLUMNS)
    alone = GaussianProcess().fit(train[15:], truth(train[15:])[["f"]], columns=COLUMNS)
    np.testing.assert_allclose(model.predict(rows(5))["f"], alone.predict(rows(5))["f"])


def test_conditioning_adds_what_is_known_without_a_new_fit():
    train, more = rows(20), rows(6, seed=2)
    model = GaussianProcess().fit(train, truth(train), columns=COLUMNS)
    before, std = model.predict(more, return_std=True)
    wiser = model.condition_on(more, truth(more))
    mean, less = wiser.predict(more, return_std=True)
    assert (less < std).all().all()
    assert ((mean - truth(more)).abs().mean() < 0.6 * (before - truth(more)).abs().mean()).all()
    pd.testing.assert_frame_equal(model.predict(more), before)
    assert wiser.noise_std() == model.noise_std()


def test_the_botorch_model_agrees():
    import torch

    train, test = rows(20), rows(7, seed=1)
    model = GaussianProcess().fit(train, truth(train), columns=COLUMNS)
    mean, std = model.predict(test, return_std=True)
    posterior = model.botorch_model(["g", "f"]).posterior(torch.as_tensor(model.transform(test)))
    np.testing.assert_allclose(posterior.mean.numpy(), mean[["g", "f"]], rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(posterior.variance.sqrt().numpy(), std[["g", "f"]], rtol=1e-4, atol=1e-5)


MULTI_FIDELITY = (COLUMNS[0], Column("fidelity", "fidelity", values=("cheap", "dear")))


def at_fidelity(x: np.ndarray, fidelity: str) -> pd.DataFrame:
    return pd.DataFrame({"x": x, "fidelity": fidelity})


def two_fidelities(frame: pd.DataFrame) -> pd.DataFrame:
    """The dear fidelity is twice the cheap one, less 3, and with a slight trend of its own."""
    dear = (frame["fidelity"] == "dear").to_numpy()
    x = frame["x"].to_numpy()
    return pd.DataFrame({"f": (1 + dear) * np.sin(3 * x) + dear * (0.1 * x - 3.0)}, index=frame.index)


def test_fidelities_are_learned_together():
    many, few, test = np.linspace(0, 2, 15), np.linspace(0.1, 1.9, 4), at_fidelity(np.linspace(0, 2, 41), "dear")
    both = pd.concat([at_fidelity(many, "cheap"), at_fidelity(few, "dear")], ignore_index=True)
    dear = both[15:].reset_index(drop=True)
    off = {}
    for name, known in (("both", both), ("dear", dear)):
        model = GaussianProcess().fit(known, two_fidelities(known), columns=MULTI_FIDELITY)
        mean, std = model.predict(test, return_std=True)
        error = (mean - two_fidelities(test))["f"].abs()
        off[name] = error.mean()
        assert (error < 4 * std["f"] + 0.05).all()
    assert off["both"] < 0.03
    assert off["dear"] > 3 * off["both"]


def test_fidelities_agree_with_gpytorch_gradients_included():
    """The kernel is written out with gpytorch's Matern kernels, the posterior by its textbook formula in torch."""
    import torch
    from gpytorch.kernels import MaternKernel

    rng = np.random.default_rng(0)
    known = pd.concat([at_fidelity(rng.uniform(0, 2, 9), "cheap"), at_fidelity(rng.uniform(0, 2, 5), "dear")])
    model = GaussianProcess(calibrate=False).fit(known, two_fidelities(known), columns=MULTI_FIDELITY)
    (fitted,) = model.models(["f"])
    covariance = fitted.covariance
    factor, *lengthscales = [numbers[0] for numbers in covariance.lengthscales if len(numbers)]
    cheapest, apart = (MaternKernel(nu=2.5, active_dims=[0]).double() for _ in range(2))
    for kernel, lengthscale in zip((cheapest, apart), lengthscales, strict=True):
        kernel.initialize(lengthscale=lengthscale)
    scales = [float(scale) for scale in covariance.scales]

    def total(a, b):
        rising = [1.0 + (factor - 1.0) * rows[:, 1:] for rows in (a, b)]
        dear = a[:, 1:] @ b[:, 1:].T
        shared = rising[0] @ rising[1].T * cheapest(a, b).to_dense()
        return scales[0] * shared + scales[1] * dear * apart(a, b).to_dense() + scales[2] * dear

    x, y = torch.as_tensor(fitted.features), torch.as_tensor(fitted.standard)
    noisy = total(x, x) + covariance.noise * torch.eye(len(x))
    for fidelity in ("cheap", "dear"):
        rows = at_fidelity(rng.uniform(0, 2, 6), fidelity)
        new = torch.tensor(model.transform(rows), requires_grad=True)
        cross = total(new, x)
        mean = fitted.mean + cross @ torch.linalg.solve(noisy, y - fitted.mean)
        prior = total(new, new).diagonal()
        std = (prior - (cross * torch.linalg.solve(noisy, cross.T).T).sum(dim=1)).sqrt()
        (by_mean,) = torch.autograd.grad(mean.sum(), new, retain_graph=True)
        (by_std,) = torch.autograd.grad(std.sum(), new)
        reported = fitted.slopes(model.transform(rows))
        wanted = (mean * fitted.spread + fitted.centre, std * fitted.spread, by_mean * fitted.spread)
        for mine, theirs in zip(reported, (*wanted, by_std * fitted.spread), strict=True):
            np.testing.assert_allclose(mine, theirs.detach().numpy(), rtol=1e-5, atol=1e-6)
        posterior = model.botorch_model(["f"]).posterior(new.detach())
        np.testing.assert_allclose(posterior.mean[:, 0].numpy(), reported[0], rtol=1e-6)
        np.testing.assert_allclose(posterior.variance[:, 0].sqrt().numpy(), reported[1], rtol=1e-4, atol=1e-6)


def test_a_fidelity_that_is_none_is_named():
    known = at_fidelity(np.linspace(0, 2, 4), "dear")
    with pytest.raises(InputError, match=r"Column 'fidelity': unknown value 'deer'\. Did you mean 'dear'"):
        GaussianProcess().fit(known.assign(fidelity="deer"), two_fidelities(known), columns=MULTI_FIDELITY)


def test_a_large_frame_is_predicted_in_blocks():
    train = rows(10)
    model = GaussianProcess().fit(train, truth(train), columns=COLUMNS)
    many = rows(9000, seed=3)
    whole = model.predict(many)
    assert whole.index.equals(many.index)
    np.testing.assert_allclose(whole.iloc[5000:5003], model.predict(many.iloc[5000:5003]))


@pytest.mark.parametrize("n", [2, 3, 5])
def test_it_works_from_a_few_values(n):
    train = rows(n)
    mean, std = GaussianProcess().fit(train, truth(train), columns=COLUMNS).predict(rows(9), return_std=True)
    assert np.isfinite(mean).all().all()
    assert (std > 0).all().all()


def test_a_constant_property_is_predicted_as_such():
    train = rows(8)
    mean, std = (
        GaussianProcess().fit(train, pd.DataFrame({"f": [3.7] * 8}), columns=COLUMNS).predict(rows(4), return_std=True)
    )
    np.testing.assert_allclose(mean["f"], 3.7, atol=0.05)
    assert np.isfinite(std["f"]).all()


def test_settings_are_kept_apart_from_what_was_learned():
    train = rows(8)
    fitted = GaussianProcess(features=Features(components=3)).fit(train, truth(train), columns=COLUMNS)
    fresh = dataclasses.replace(fitted)
    assert fresh == fitted
    with pytest.raises(InputError, match="Call fit first"):
        fresh.predict(train)


def test_columns_are_guessed_where_none_are_told():
    train = rows(20)
    model = GaussianProcess().fit(train, truth(train))
    assert model.transform(train).shape == (20, 4)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": lambda y: y[:5]}, "candidates but 5 rows"),
        ({"y": lambda y: y * np.nan}, "'f' has 0 values"),
        ({"y": lambda y: y.assign(f=np.inf)}, "'f' is infinite in row 0"),
        ({"y": lambda y: y.assign(f="<1E-10")}, "'f' contains"),
        ({"y": lambda y: y[[]]}, "no columns"),
        ({"x": lambda x: x.assign(x="thick")}, "'x' contains"),
        ({"x": lambda x: x.assign(x=np.nan)}, "'x' has no value in row 0"),
        ({"x": lambda x: x.assign(word="r")}, "Column 'word': unknown value 'r'"),
        ({"x": lambda x: x.drop(columns="word")}, "has no column 'word'"),
    ],
)
def test_bad_input_is_named(change, words):
    train = rows(8)
    x = change.get("x", lambda x: x)(train)
    y = change.get("y", lambda y: y)(truth(train))
    with pytest.raises(InputError, match=words):
        GaussianProcess().fit(x, y, columns=COLUMNS)


def test_bad_settings_are_named():
    with pytest.raises(InputError, match="Unknown kernel 'matern'"):
        GaussianProcess(kernel="matern")
    with pytest.raises(InputError, match="'components' must be at least 1"):
        GaussianProcess(features=Features(components=0))


def test_many_features_of_their_own_lengthscales_are_pooled():
    smiles = ["C" * length + end for length in range(1, 9) for end in ("O", "N", "F", "C#N")]
    frame = pd.DataFrame({"molecule": smiles})
    values = pd.DataFrame({"carbons": [float(text.count("C")) for text in smiles]})
    molecules = [Column("molecule", "molecule")]
    one = GaussianProcess(ard=False).fit(frame, values, columns=molecules)
    own = GaussianProcess(ard=True).fit(frame, values, columns=molecules)
    lengthscales = [model.models(["carbons"])[0].covariance.lengthscales[0] for model in (one, own)]
    assert len(lengthscales[0]) == 1
    assert len(lengthscales[1]) == own.transform(frame).shape[1]
    assert np.log(lengthscales[1]).std() > 0.01


def _fitted_on_salts(count: int) -> Covariance:
    """Learned from salts that all behave alike but for the last, which goes its own way."""
    rng = np.random.default_rng(0)
    salts = [f"salt{place}" for place in range(count)]
    frame = pd.DataFrame({"salt": np.repeat(salts, 6), "molarity": rng.random(6 * count)})
    slope = np.where(frame["salt"] == salts[-1], -3.0, 3.0)
    values = pd.DataFrame({"y": np.sin(slope * frame["molarity"])})
    columns = [Column("salt", "category", values=tuple(salts)), Column("molarity", "number", bounds=(0.0, 1.0))]
    return GaussianProcess().fit(frame, values, columns=columns).models(["y"])[0].covariance


def test_a_value_of_a_category_that_is_unlike_the_others_is_told_from_them():
    lengthscales, shared = _fitted_on_salts(5).lengthscales
    assert len(shared) == 1
    assert len(lengthscales) == 6
    assert lengthscales[4] < 0.5 * lengthscales[:4].min()


def test_values_of_a_large_category_share_a_lengthscale():
    (part,), _ = _fitted_on_salts(40).terms
    assert part.lengthscales == part.varied == 2
