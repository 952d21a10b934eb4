"""BoTorch's models as surrogates: named ones, the user's own, and what the Bayesian optimizer makes of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from botorch.models import MultiTaskGP, SingleTaskGP
from botorch.models.transforms.outcome import Standardize
from gpytorch.kernels import RQKernel, ScaleKernel

from invdesign.campaign import Campaign
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import BayesianOptimizer, History
from invdesign.optimizers.bayesian.gradient_ascent import GradientAscent
from invdesign.space import Continuous, Fidelity, Integer, SearchSpace
from invdesign.surrogates.base import MultiFidelitySurrogate
from invdesign.surrogates.botorch import BotorchSurrogate
from invdesign.targets import AtLeast, Between, Maximize, Targets

SPACE = SearchSpace(x=Continuous(0, 1), y=Continuous(-5, 5))


def value(frame):
    points = SPACE.encode(frame)
    return pd.DataFrame({"f": 1000.0 - 500.0 * ((points - 0.3) ** 2).sum(axis=1), "g": np.sin(4 * points[:, 0])})


def searched(optimizer, evaluations):
    """The largest value that a campaign finds."""
    campaign = Campaign(SPACE, Targets(Maximize("f")), optimizer=optimizer, seed=2, initial=8)

    def of(x, y):
        return value(pd.DataFrame({"x": [x], "y": [y]})).iloc[0].to_dict()

    campaign.run(PythonObjective(of, {"f": "", "g": ""}), evaluations=evaluations)
    return campaign.frame()["f"].max()


def rational(features, values):
    return SingleTaskGP(features, values, covar_module=ScaleKernel(RQKernel()), outcome_transform=Standardize(m=1))


@pytest.mark.parametrize(
    ("model", "most"),
    [("SingleTaskGP", 5.0), ("SingleTaskVariationalGP", 60.0), (rational, 5.0)],
    ids=["exact", "variational", "own kernel"],
)
def test_models_of_any_kind_predict_held_out_rows(model, most):
    frame, test = SPACE.sample(40, np.random.default_rng(0)), SPACE.sample(50, np.random.default_rng(1))
    surrogate = BotorchSurrogate(model=model).fit(frame, value(frame), columns=SPACE.columns)
    mean, std = surrogate.predict(test, return_std=True)
    assert np.sqrt(((mean["f"] - value(test)["f"]) ** 2).mean()) < most
    assert (std["f"] > 0).all()


def test_a_fully_bayesian_model_averages_over_its_hyperparameters():
    frame = SPACE.sample(12, np.random.default_rng(0))
    surrogate = BotorchSurrogate(model="SaasFullyBayesianSingleTaskGP", warmup_steps=16, posterior_samples=32)
    surrogate.fit(frame, value(frame)[["f"]], columns=SPACE.columns)
    test = SPACE.sample(6, np.random.default_rng(1))
    mean, std = surrogate.predict(test, return_std=True)
    assert np.abs(mean["f"] - value(test)["f"]).max() < 150.0
    drawn = surrogate.posterior(test, samples=4000, rng=np.random.default_rng(2))["f"]
    np.testing.assert_allclose(drawn.mean(axis=0), mean["f"], atol=0.1 * float(std["f"].max()))
    np.testing.assert_allclose(drawn.std(axis=0), std["f"], rtol=0.15)
    (gradients,) = surrogate.moment_gradients(surrogate.transform(test), ["f"])
    np.testing.assert_allclose(gradients.mean, mean["f"], rtol=1e-6)


def test_values_of_several_tasks_are_learned_together():
    rng = np.random.default_rng(0)
    many, few = SPACE.sample(40, rng), SPACE.sample(5, rng)
    frame = pd.concat([many.assign(task=0), few.assign(task=1)], ignore_index=True)
    y = value(frame[["x", "y"]])[["f"]]
    y.loc[frame["task"] == 1, "f"] = 2.0 * y["f"] + 7.0

    def tasks(features, values):
        return MultiTaskGP(features, values, task_feature=2, outcome_transform=Standardize(m=1))

    columns = (*SPACE.columns, Column("task", "number", bounds=(0.0, 1.0)))
    test = SPACE.sample(40, np.random.default_rng(2))
    truth = 2.0 * value(test)["f"] + 7.0
    together = BotorchSurrogate(model=tasks).fit(frame, y, columns=columns).predict(test.assign(task=1))["f"]
    alone = BotorchSurrogate().fit(few, y[frame["task"] == 1].reset_index(drop=True), columns=SPACE.columns)
    assert np.abs(together - truth).mean() < 0.5 * np.abs(alone.predict(test)["f"] - truth).mean()


def test_the_bayesian_optimizer_follows_its_gradients_and_finds_the_top():
    frame = SPACE.sample(8, np.random.default_rng(3))
    surrogate = BotorchSurrogate().fit(frame, value(frame), columns=SPACE.columns)
    from invdesign.optimizers.bayesian.acquisition import HitProbability, MomentAcquisition

    targets = Targets(Between("f", 900.0, 1000.0))
    assert GradientAscent.of(SPACE, MomentAcquisition(surrogate, HitProbability(targets))) is not None
    assert searched(BayesianOptimizer(surrogate=BotorchSurrogate()), evaluations=16) > 999.0


def test_a_botorch_acquisition_works_on_it():
    optimizer = BayesianOptimizer(surrogate=BotorchSurrogate(), acquisition="qLogNoisyExpectedImprovement")
    assert searched(optimizer, evaluations=14) > 995.0


def test_a_file_can_name_a_model(tmp_path):
    from invdesign import read_campaign

    (tmp_path / "c.yaml").write_text(
        "campaign: c\nspace: {x: {type: continuous, low: 0, high: 1}}\ntargets: [{property: f, maximize: true}]\n"
        "surrogate: {type: botorch, model: SaasFullyBayesianSingleTaskGP, device: cpu}\n"
    )
    setting = read_campaign(tmp_path / "c.yaml")
    assert setting.optimizer.surrogate == BotorchSurrogate(model="SaasFullyBayesianSingleTaskGP", device="cpu")


def test_what_cannot_be_used_is_named():
    with pytest.raises(InputError, match=r"Unknown BoTorch model 'SingleTaskGp'\. Did you mean 'SingleTaskGP'"):
        BotorchSurrogate(model="SingleTaskGp")
    with pytest.raises(InputError, match="MultiTaskGP needs train_X, train_Y, task_feature"):
        BotorchSurrogate(model="MultiTaskGP")
    frame = SPACE.sample(5, np.random.default_rng(0))
    with pytest.raises(InputError, match="returned str, which is not a BoTorch model"):
        BotorchSurrogate(model=lambda features, values: "none").fit(frame, value(frame))
    with pytest.raises(InputError, match="Unknown column of numbers 'z'"):
        BotorchSurrogate().fit(frame, value(frame), columns=SPACE.columns).feature_index("z")


def given_noise(features, values):
    return SingleTaskGP(features, values, train_Yvar=torch.full_like(values, 4.0))


@pytest.mark.parametrize("model", ["SingleTaskVariationalGP", given_noise], ids=["variational", "given noise"])
def test_models_of_any_kind_take_further_values(model):
    frame, more = SPACE.sample(12, np.random.default_rng(0)), SPACE.sample(4, np.random.default_rng(1))
    before = BotorchSurrogate(model=model).fit(frame, value(frame), columns=SPACE.columns)
    mean = before.predict(more)
    wiser = before.condition_on(more, value(more)).predict(more)
    assert ((wiser - value(more))["f"].abs().mean()) < (mean - value(more))["f"].abs().mean()
    pd.testing.assert_frame_equal(before.predict(more), mean)


def test_given_noise_is_that_of_the_values():
    frame = SPACE.sample(12, np.random.default_rng(0))
    surrogate = BotorchSurrogate(model=given_noise).fit(frame, value(frame), columns=SPACE.columns)
    assert surrogate.noise_std()["f"] == pytest.approx(2.0)


def test_fidelities_are_told_apart_and_chosen_by_cost():
    space = SearchSpace(k=Integer(0, 40), fidelity=Fidelity({"cheap": 1, "dear": 20}))
    known = space.sample(12, np.random.default_rng(4))
    history = History(known, pd.DataFrame({"f": np.sin(known["k"] / 6.0)}), known.iloc[:0])
    new = BayesianOptimizer(surrogate=BotorchSurrogate()).propose(
        2, space=space, targets=Targets(AtLeast("f", 0.9)), history=history, seed=np.random.SeedSequence(1)
    )
    assert isinstance(BotorchSurrogate(), MultiFidelitySurrogate)
    assert (new["fidelity"] == "cheap").any()


def test_the_seed_decides_what_the_sampler_draws():
    frame = SPACE.sample(8, np.random.default_rng(0))
    means = [
        BotorchSurrogate(model="SaasFullyBayesianSingleTaskGP", warmup_steps=2, posterior_samples=16, seed=seed)
        .fit(frame, value(frame)[["f"]], columns=SPACE.columns)
        .predict(SPACE.sample(3, np.random.default_rng(1)))["f"]
        for seed in (1, 1, 2)
    ]
    assert means[0].equals(means[1])
    assert not means[0].equals(means[2])
