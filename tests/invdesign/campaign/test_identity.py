"""What a store notes of an optimizer is the same in the next process."""

from __future__ import annotations

from functools import partial

from invdesign.campaign.identity import described
from invdesign.optimizers import BayesianOptimizer
from invdesign.surrogates.botorch import BotorchSurrogate


def build(features, values, nu=2.5):
    raise NotImplementedError


def test_functions_are_named_not_addressed():
    noted = described(BayesianOptimizer(surrogate=BotorchSurrogate(model=build)))
    assert noted["surrogate"]["model"].endswith("test_identity.build")
    smooth, rough = (described(partial(build, nu=nu)) for nu in (2.5, 0.5))
    assert smooth != rough
    assert "0x" not in repr((noted, smooth))
