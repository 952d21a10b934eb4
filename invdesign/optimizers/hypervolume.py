"""Improvement of the front of several Maximize and Minimize targets."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.optimizers.botorch_acquisition import NoisyImprovement
    from surrogates.gaussian_process import GaussianProcess


@dataclass(frozen=True)
class HypervolumeImprovement:
    """Expected improvement of the front of Maximize and Minimize targets, among candidates that meet the others.

    This is BoTorch's qLogNEHVI (Daulton et al. 2021, Ament et al. 2023); the other targets enter as constraints, by
    their probability.

    Attributes:
        surrogate: a fitted Gaussian process.
        targets: in the units of the properties; at least two are directions.
        known: candidates with values.
        values: their property values.
        pending: candidates that are under way.
        seed: of the quasi-random samples.
    """

    surrogate: GaussianProcess
    targets: Targets
    known: pd.DataFrame
    values: pd.DataFrame
    pending: pd.DataFrame
    seed: int
    _improvement: NoisyImprovement = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        from invdesign.optimizers.botorch_acquisition import NoisyImprovement

        # Building it is the dear part (the baseline's samples); a frozen object may still keep what it derived.
        object.__setattr__(self, "_improvement", NoisyImprovement(self))

    def __call__(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        return self._improvement.scores(self.surrogate.transform(candidates))

    def slopes(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores ``n`` of features ``n x d``, and their gradients ``n x d``."""
        return self._improvement.slopes(features)
