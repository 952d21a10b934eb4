"""Distance of candidates to training data: where a model interpolates, and where it guesses.

A model's own standard deviation does not always grow away from its data (a forest's does not), so the distance is
measured in the candidates' features, the same for every family. It is the applicability domain by nearest neighbors
of Sheridan et al. (2004, doi:10.1021/ci049782w), in units of how far the training rows are from each other.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column

NEAREST = 3
"""Training rows whose mean distance counts: what surrounds a single odd row, such as one with a misprinted temperature,
is not known."""
QUANTILE = 0.95
"""Share of the training rows whose nearest other rows are within the unit of the distance."""
MOST_JUDGED = 2_000
"""Training rows that the unit is taken from; evenly spaced ones if there are more."""
UNIFORM_STD = 12.0**-0.5
"""Scale of a feature that is the same in all training rows: the standard deviation of a uniform one of range 1."""


@dataclass(frozen=True)
class TrainingDistance:
    """The mean distance of candidates to their three nearest training rows.

    Every column of the candidates counts alike: its features, each divided by its standard deviation over the training
    rows, contribute the mean of their squared differences. The unit is the 95 % quantile of the same
    distance of training rows to the other ones: 1 is as far as training rows are from each other, and above 1 a
    prediction is an extrapolation.

    Attributes:
        featurizer: fitted to the training rows.
        scale: divisor of each feature.
        neighbors: the training rows, for searching the nearest.
        unit: the quantile, in scaled features.
    """

    featurizer: Featurizer
    scale: NDArray[np.float64]
    neighbors: Any
    unit: float

    @classmethod
    def fitted(cls, frame: pd.DataFrame, columns: Sequence[Column] | None) -> TrainingDistance:
        """Learns scales and the unit from training rows.

        Args:
            frame: the training rows.
            columns: what its columns are; guessed from their types if None.
        """
        from sklearn.neighbors import NearestNeighbors

        featurizer = Featurizer(Features(molecules="descriptors", formulas="compact", missing="impute")).fit(
            frame, columns
        )
        features = featurizer.transform(frame)
        spread = features.std(axis=0)
        largest = np.maximum(1.0, np.abs(features).max(axis=0, initial=0.0))
        still = spread <= 1e-12 * largest
        share = np.ones(features.shape[1])
        for column in featurizer.columns:
            own = [
                place
                for block in featurizer.blocks
                if block.column == column.name
                for place in range(block.places.start, block.places.stop)
            ]
            share[own] = np.sqrt(max(1, int((~still[own]).sum())))
        scale = np.where(still, UNIFORM_STD * largest, spread) * share
        rows = np.unique(features / scale, axis=0)
        neighbors = NearestNeighbors(n_neighbors=min(NEAREST, len(rows))).fit(rows)
        unit = 1.0
        if len(rows) > 1:
            judged = rows[np.linspace(0, len(rows) - 1, min(len(rows), MOST_JUDGED)).astype(int)]
            others = neighbors.kneighbors(judged, min(NEAREST + 1, len(rows)))[0][:, 1:]
            unit = float(np.quantile(others.mean(axis=1), QUANTILE))
        return cls(featurizer, scale, neighbors, unit)

    def of(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        """Distances of candidates to their nearest training rows, shape ``n``, in the unit."""
        if not len(candidates):
            return np.empty(0)
        nearest: NDArray[np.float64] = self.neighbors.kneighbors(self.featurizer.transform(candidates) / self.scale)[0]
        return nearest.mean(axis=1) / self.unit
