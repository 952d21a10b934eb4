"""Standard deviations for models that have none: cross-conformal prediction, wider if nothing was seen.

A model is fitted without each part of the rows in turn, and its errors on them say how far it is off (Vovk 2015,
doi:10.1007/s10472-013-9368-4). Each error is taken relative to a difficulty (Papadopoulos, Vovk and Gammerman 2011,
doi:10.1613/jair.3198), here the distance to the nearest rows that the model had seen.
"""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import settings
from invdesign.surrogates.estimators import LEAST_SHARE, PropertyModel, Regressor
from invdesign.surrogates.noise import RowNoise
from invdesign.surrogates.validation import Z90

FOLDS = 5
CONFIDENCE = 0.9
FEWEST_FOR_RANKS = 20
"""Errors from which their 90 % quantile is read; fewer are taken for normal, with Student's t."""
LEAST_SCALE = 1e-3
"""Least factor of difficulties that is looked at, in parts of the largest one that an error asks for."""
NEIGHBORS = 3
"""Known rows whose mean distance counts."""
NEAR_ERRORS = 10
"""Known rows whose mean error counts."""
PRIOR_ERRORS = 5.0
"""Errors of the usual size that are counted besides."""


def calibrated_scale(
    errors: NDArray[np.float64], difficulties: NDArray[np.float64], noise: NDArray[np.float64] | None = None
) -> float:
    """The factor that makes difficulties standard deviations: nine in ten errors lie within 1.645 of them.

    Args:
        errors: of predictions of rows that the model had not seen, shape ``n``.
        difficulties: of these rows, all positive, shape ``n``.
        noise: standard deviation of the noise of each row's value, if it is known. The factor is then that of the
            property alone, by maximum likelihood, because few ranks are left of errors that are mostly noise.
    """
    if noise is not None:
        return _likeliest_scale(errors, difficulties, noise)
    relative = errors / difficulties
    if len(errors) < FEWEST_FOR_RANKS:
        from scipy.stats import t

        return float(np.sqrt(np.mean(relative**2)) * t.ppf(0.5 + CONFIDENCE / 2, len(errors)) / Z90)
    from crepes import ConformalRegressor as Ranks

    interval = Ranks().fit(errors, sigmas=difficulties).predict_int(np.zeros(1), np.ones(1), confidence=CONFIDENCE)
    return float(interval[0, 1]) / Z90


def _likeliest_scale(
    errors: NDArray[np.float64], difficulties: NDArray[np.float64], noise: NDArray[np.float64]
) -> float:
    """The factor of difficulties under which normal errors with this noise beside are likeliest."""
    from scipy.optimize import minimize_scalar

    def surprise(logarithm: float) -> float:
        variance = (np.exp(logarithm) * difficulties) ** 2 + noise**2
        return float(np.sum(np.log(variance) + errors**2 / variance))

    largest = float(np.max(np.abs(errors) / difficulties)) or 1e-9
    # No less than a part of the noise of the best values: errors that are all noise do not show how small it is.
    best = 1.0 / np.sqrt(np.mean(1.0 / np.maximum(noise, 1e-12) ** 2))
    least = max(LEAST_SCALE * largest, LEAST_SHARE * best / float(np.median(difficulties)))
    if least >= largest:
        return least
    return float(np.exp(minimize_scalar(surprise, bounds=np.log([least, largest]), method="bounded").x))


class Difficulty:
    """How hard rows are to predict: far from the known ones, or near ones on which the model erred.

    Features are standardized by the known rows. The distance is relative to its median over them; the error is the mean
    over the nearest known rows, drawn toward that over all, so that a handful of errors is not taken at its word.

    Args:
        known: features of the rows, shape ``n x d``.
        errors: of predictions of these rows by models that had not seen them, shape ``n``.
    """

    def __init__(self, known: NDArray[np.float64], errors: NDArray[np.float64]) -> None:
        from sklearn.neighbors import NearestNeighbors

        self._center = known.mean(axis=0)
        spread = known.std(axis=0)
        self._spread = np.where(spread > 1e-9 * (1.0 + np.abs(self._center)), spread, 1.0)
        self._errors = np.abs(errors)
        # Errors that are all zero leave the distance alone.
        self._usual_error = float(self._errors.mean()) or 1.0
        self._typical = 1.0
        self._search = NearestNeighbors(n_neighbors=min(NEAR_ERRORS, len(known) - 1)).fit(self._standard(known))
        distances, places = self._search.kneighbors()
        nearest = distances[:, :NEIGHBORS].mean(axis=1)
        # Where most rows have a twin the median is zero, and where all have one so is the mean.
        self._typical = float(np.median(nearest)) or float(nearest.mean()) or 1.0
        self.of_known = self._from(distances, places)
        """Of the known rows, each as if it were not known itself; shape ``n``."""

    def __call__(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """The difficulty of rows, shape ``n``; 1 for a usual one, always positive."""
        return self._from(*self._search.kneighbors(self._standard(features)))

    def _from(self, distances: NDArray[np.float64], places: NDArray[np.int64]) -> NDArray[np.float64]:
        remoteness = 0.5 + 0.5 * distances[:, :NEIGHBORS].mean(axis=1) / self._typical
        count = places.shape[1]
        near = (self._errors[places].sum(axis=1) / self._usual_error + PRIOR_ERRORS) / (count + PRIOR_ERRORS)
        return remoteness * near

    def _standard(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return (features - self._center) / self._spread


@dataclass(frozen=True)
class ConformalModel(PropertyModel):
    """A fitted estimator of scikit-learn's kind with calibrated standard deviations.

    Attributes:
        estimator: fitted on all rows.
        difficulty: of any row.
        scale: standard deviation of a row of difficulty one.
        noise: standard deviation of the noise beside it; 0 if the scale contains it.
    """

    estimator: Any
    difficulty: Difficulty
    scale: float
    noise: float = 0.0

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not len(features):
            return np.empty(0), np.empty(0)
        mean = np.asarray(self.estimator.predict(features), dtype=np.float64).ravel()
        return mean, np.hypot(self.scale * self.difficulty(features), self.noise)


def calibrated(
    estimator: Any,
    features: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    seed: int,
    folds: int = FOLDS,
    noise: RowNoise | None = None,
) -> ConformalModel:
    """Fits an estimator on all rows, and its standard deviations by fits without each part of them.

    Args:
        estimator: unfitted, of scikit-learn's kind.
        features: shape ``n x d``.
        values: shape ``n``.
        seed: decides which row falls into which part.
        folds: how many parts; as many as rows where there are fewer.
        noise: of each value, if some of it is known.
    """
    fold_of = np.random.default_rng(seed).permutation(len(values)) % min(folds, len(values))
    errors = np.empty(len(values))
    for fold in range(fold_of.max() + 1):
        inside = fold_of == fold
        partial = _weighted_fit(
            estimator, features[~inside], values[~inside], None if noise is None else noise[~inside]
        )
        errors[inside] = values[inside] - np.ravel(partial.predict(features[inside]))
    difficulty = Difficulty(features, errors)
    scale = calibrated_scale(errors, difficulty.of_known, None if noise is None else noise.std)
    fitted = _weighted_fit(estimator, features, values, noise)
    return ConformalModel(fitted, difficulty, scale, 0.0 if noise is None else noise.further)


def _weighted_fit(
    estimator: Any, features: NDArray[np.float64], values: NDArray[np.float64], noise: RowNoise | None
) -> Any:
    """A fitted copy of an estimator; rows of known noise weigh by their inverse variance."""
    from sklearn.base import clone

    fresh = clone(estimator)
    if noise is None:
        return fresh.fit(features, values)
    steps = getattr(fresh, "steps", None)
    prefix = "" if steps is None else f"{steps[-1][0]}__"
    return fresh.fit(features, values, **{f"{prefix}sample_weight": noise.weights})


@settings(frozen=False, kw_only=True)
class ConformalRegressor(Regressor):
    """A family of scikit-learn's kind that predicts no standard deviation of its own."""

    _folds: ClassVar[int] = FOLDS

    def _fitted(
        self, features: NDArray[np.float64], values: NDArray[np.float64], noise: RowNoise | None
    ) -> PropertyModel:
        estimator = self._estimator(features, values)
        return calibrated(estimator, features, values, seed=self.seed, folds=self._folds, noise=noise)

    @abstractmethod
    def _estimator(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        """An unfitted estimator with settings that suit these standardized rows, shapes ``n x d`` and ``n``."""
