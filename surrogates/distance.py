"""Distance of candidates to training data: where a model interpolates, and where it guesses.

A model's own standard deviation does not always grow away from its data (a forest's does not), so the distance is
measured in features that are the same for every family. It is the applicability domain by nearest neighbors
of Sheridan et al. (2004, doi:10.1021/ci049782w), in units of how far the training rows are from each other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.surrogates.features.featurizer import Featurizer, guess_columns
from invdesign.surrogates.features.fingerprints import bit_fingerprints
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.features.smiles import canonical_or_given

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
MOST_WEIGHED = 200
"""Molecules whose distances from each other give the weight of their column."""
SQUARED_DIFFERENCE = 2.0
"""Mean squared difference of two random values of a number that is divided by its standard deviation."""
TINY = 1e-12
UNIFORM_STD = 12.0**-0.5
"""Scale of a feature that is the same in all training rows: the standard deviation of a uniform one of range 1."""


@dataclass(frozen=True)
class KnownMolecules:
    """The molecules of a column of the training rows.

    Attributes:
        fingerprints: one per training row.
        weight: of one minus the Tanimoto similarity in the squared distance.
    """

    fingerprints: Sequence[Any]
    weight: float

    @classmethod
    def of(cls, smiles: Sequence[str]) -> KnownMolecules:
        """Weighs a column so that two of its molecules are on average as far apart as two values of a number."""
        fingerprints = bit_fingerprints(smiles)
        few = _spaced(fingerprints, MOST_WEIGHED)
        apart = [1.0 - one for place in range(1, len(few)) for one in _similarities(few[place], few[:place])]
        return cls(fingerprints, SQUARED_DIFFERENCE / max(TINY, float(np.mean(apart)) if apart else 1.0))

    def squared_distances(self, fingerprint: Any) -> NDArray[np.float64]:
        """Squared distances of a molecule to those of the training rows, shape ``n``; their roots are a metric."""
        return self.weight * (1.0 - _similarities(fingerprint, self.fingerprints))


@dataclass(frozen=True)
class TrainingDistance:
    """The mean distance of candidates to their three nearest training rows.

    Every column of the candidates counts alike: its features, each divided by its standard deviation over the training
    rows, contribute the mean of their squared differences; molecules one minus their Tanimoto similarity by Morgan
    fingerprints. The unit is the 95 % quantile of the same distance of training rows to the other ones: 1 is as far as
    training rows are from each other, and above 1 a prediction is an extrapolation.

    Attributes:
        featurizer: of the columns other than molecules, fitted to the training rows.
        scale: divisor of each feature.
        rows: scaled features of the training rows.
        molecules: the columns of molecules by name.
        unit: the quantile.
    """

    featurizer: Featurizer
    scale: NDArray[np.float64]
    rows: NDArray[np.float64]
    molecules: Mapping[str, KnownMolecules]
    unit: float

    @classmethod
    def fitted(cls, frame: pd.DataFrame, columns: Sequence[Column] | None) -> TrainingDistance:
        """Learns scales and the unit from training rows.

        Args:
            frame: the training rows.
            columns: what its columns are; guessed from their types if None.
        """
        known = tuple(columns) if columns is not None else guess_columns(frame)
        names = [column.name for column in known if column.kind == "molecule"]
        featurizer = Featurizer(Features(formulas="compact", missing="impute")).fit(
            frame, [column for column in known if column.name not in names]
        )
        features = featurizer.transform(frame)
        scale = _scales(featurizer, features)
        codes = [pd.factorize(pd.Series(canonical_or_given(frame[name])))[0] for name in names]
        _, places = np.unique(np.column_stack([features / scale, *codes]), axis=0, return_index=True)
        molecules = {name: KnownMolecules.of(list(frame[name].iloc[places])) for name in names}
        plain = cls(featurizer, scale, features[places] / scale, molecules, unit=1.0)
        if len(places) == 1:
            return plain
        judged = frame.iloc[_spaced(places, MOST_JUDGED)]
        others = plain.nearest(judged, min(NEAREST + 1, len(places)))[:, 1:]
        return replace(plain, unit=float(np.quantile(others.mean(axis=1), QUANTILE)))

    def of(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        """Distances of candidates to their nearest training rows, shape ``n``, in the unit."""
        if not len(candidates):
            return np.empty(0)
        mean: NDArray[np.float64] = self.nearest(candidates, min(NEAREST, len(self.rows))).mean(axis=1)
        return mean / self.unit

    def nearest(self, candidates: pd.DataFrame, count: int) -> NDArray[np.float64]:
        """Distances to the nearest training rows in rising order, shape ``n x count``, in scaled features."""
        features = self.featurizer.transform(candidates) / self.scale
        if not self.molecules:
            found: NDArray[np.float64] = self._neighbors.kneighbors(features, count)[0]
            return found
        fingerprints = {name: bit_fingerprints(list(candidates[name])) for name in self.molecules}
        rows = []
        for place, row in enumerate(features):
            squares = ((self.rows - row) ** 2).sum(axis=1)
            for name, known in self.molecules.items():
                squares += known.squared_distances(fingerprints[name][place])
            rows.append(np.sqrt(np.sort(np.partition(squares, count - 1)[:count])))
        return np.array(rows)

    @cached_property
    def _neighbors(self) -> Any:
        from sklearn.neighbors import NearestNeighbors

        return NearestNeighbors().fit(self.rows)


def _scales(featurizer: Featurizer, features: NDArray[np.float64]) -> NDArray[np.float64]:
    """What each feature is divided by, so that every column counts alike."""
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
    return np.where(still, UNIFORM_STD * largest, spread) * share


def _similarities(fingerprint: Any, others: Sequence[Any]) -> NDArray[np.float64]:
    from rdkit.DataStructs import BulkTanimotoSimilarity

    return np.array(BulkTanimotoSimilarity(fingerprint, others))


def _spaced(values: Any, most: int) -> Any:
    """All values, or evenly spaced ones if there are more."""
    if len(values) <= most:
        return values
    return [values[int(place)] for place in np.linspace(0, len(values) - 1, most)]
