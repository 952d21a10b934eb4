from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from numpy.typing import NDArray

from invdesign.surrogates.ensembles import EnsembleModel


@dataclass(frozen=True)
class Lines(EnsembleModel):
    """Members are lines through the origin of random slope; the calibrated deviation is given."""

    std: float
    count: int = 200

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        return self.members(features).mean(axis=0), np.full(len(features), self.std)

    def members(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        slopes = np.random.default_rng(0).standard_normal(self.count)
        return slopes[:, None] * features[:, 0]


@pytest.mark.parametrize("std", [0.5, 2.0])
def test_samples_follow_the_members_and_have_the_calibrated_variance(std):
    features = np.array([[1.0], [1.0], [-1.0], [0.0]])
    drawn = Lines(std).sample(features, 40_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.std(axis=0), std, rtol=0.02)
    together = np.corrcoef(drawn.T)
    spread = float(Lines(std).members(features).std(axis=0)[0])
    shared = min(1.0, spread / std) ** 2
    assert together[0, 1] == pytest.approx(shared, abs=0.02)
    assert together[0, 2] == pytest.approx(-shared, abs=0.02)
    assert together[0, 3] == pytest.approx(0.0, abs=0.02), "where all members agree, only noise is left"


def test_no_rows_give_no_samples():
    assert Lines(1.0).sample(np.empty((0, 1)), 5, np.random.default_rng(0)).shape == (5, 0)
