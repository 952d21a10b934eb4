"""Families whose members disagree: the disagreement says how hard a row is, and which rows err together."""

from abc import abstractmethod

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.settings import settings
from invdesign.surrogates.checks import check_positive
from invdesign.surrogates.estimators import PropertyModel, Regressor


class EnsembleModel(PropertyModel):
    """A fitted ensemble: joint samples follow its members, and what they do not explain is drawn row by row."""

    @abstractmethod
    def members(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Every member's prediction, shape ``members x n``."""

    def sample(self, features: NDArray[np.float64], samples: int, rng: np.random.Generator) -> NDArray[np.float64]:
        """Normal samples with the members' covariance, filled up to the calibrated variance; ``samples x n``."""
        mean, std = self.predict(features)
        apart = self.members(features)
        apart -= apart.mean(axis=0)
        shared = apart.std(axis=0)
        # Where the members spread more than the calibration finds them to err, they are drawn together.
        apart *= np.minimum(1.0, std / np.maximum(shared, 1e-300))
        rest = np.sqrt(np.maximum(std**2 - np.minimum(shared, std) ** 2, 0.0))
        weights = rng.standard_normal((samples, len(apart))) / np.sqrt(len(apart))
        return mean + weights @ apart + rest * rng.standard_normal((samples, len(mean)))


@settings(frozen=False, kw_only=True)
class EnsembleRegressor(Regressor):
    """A family that can give joint samples."""

    def posterior(
        self, frame: pd.DataFrame, *, samples: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Draws values of all candidates together; see ``JointSurrogate.posterior``."""
        check_positive(samples=samples)
        features = self._matrix(frame)
        return {name: learned.sample(features, samples, rng) for name, learned in self._learned.items()}
