"""Monotone transforms of a property's values, and which of them makes values likeliest given the features.

A model takes errors and noise to be alike everywhere. Where they grow with the value they are alike in its logarithm;
near a bound in its log-odds; and a long tail may be shortened by a power. A transform is judged by the density of the
values in their own unit (with the Jacobian, Box and Cox 1964, doi:10.1111/j.2517-6161.1964.tb00553.x), each value
predicted from all others by a Gaussian process on the features: what counts is the distribution given the features,
not that of all values together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from invdesign.core.errors import InputError
from invdesign.surrogates.gaussian_process.kernels import prior_covariance
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.gaussian_process.parts import Part

if TYPE_CHECKING:
    from numpy.typing import NDArray

TransformName = Literal["none", "log", "logit", "yeo-johnson", "rank"]
FEWEST = 10
"""Values from which a likelihood says something of a transform."""
MOST_ROWS = 200
"""Rows by which transforms are judged; of more, that many at random."""
CLEARLY = 3.3
"""Gain of the log likelihood from which a transform is taken: a likelihood ratio test at the level of 1 %."""
BEYOND = 1.0
"""How far transformed values may lie beyond the known ones, in ranges of these: inverses explode farther out."""
FARTHEST = 3.0
"""How far values from a power may lie beyond the known ones, in ranges of these."""
NODES = 32
"""Nodes of the Gauss-Hermite quadrature by which moments are taken back."""


@dataclass(frozen=True)
class Transform:
    """A monotone map of a property and its inverse.

    Attributes:
        name: which one.
        forward: of values in the property's unit.
        backward: of transformed values.
        slope: derivative of ``forward`` at values in the property's unit.
        span: least and greatest transformed value that is taken back; beyond them the end is.
    """

    name: TransformName
    forward: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    backward: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    slope: Callable[[NDArray[np.float64]], NDArray[np.float64]]
    span: tuple[float, float] = (-np.inf, np.inf)

    def inverse(self, transformed: NDArray[np.float64]) -> NDArray[np.float64]:
        """Values in the property's unit, any shape."""
        return self.backward(np.clip(transformed, *self.span))

    def moments(
        self, mean: NDArray[np.float64], std: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation in the property's unit of normal transformed values, each of shape ``n``."""
        if self.name == "none":
            return mean, std
        nodes, weights = np.polynomial.hermite_e.hermegauss(NODES)
        weights = weights / weights.sum()
        drawn = self.inverse(mean[:, None] + std[:, None] * nodes)
        center = drawn @ weights
        return center, np.sqrt(np.maximum((drawn - center[:, None]) ** 2 @ weights, 0.0))


def transform(name: TransformName, values: NDArray[np.float64], bounds: tuple[float, float] | None) -> Transform:
    """The transform of a name for the known values of a property.

    Args:
        name: ``none``; ``log`` of positive values; ``logit``, the log-odds between bounds; ``yeo-johnson``, the
            likeliest power (Yeo and Johnson 2000, doi:10.1093/biomet/87.4.954); ``rank``, normal scores,
            linear in between.
        values: shape ``n``, in the property's unit.
        bounds: of the property, for ``logit``.

    Raises:
        InputError: if the values do not allow it.
    """
    made = _MAKERS[name](values, bounds)
    if name == "none":
        return made
    known = made.forward(values)
    low, high = float(known.min()), float(known.max())
    return Transform(
        name, made.forward, made.backward, made.slope, (low - BEYOND * (high - low), high + BEYOND * (high - low))
    )


def likeliest(
    features: NDArray[np.float64], values: NDArray[np.float64], bounds: tuple[float, float] | None
) -> Transform:
    """The transform under which values are likeliest given the features; none unless one is clearly likelier.

    ``rank`` is not among them: it has as many parameters as values.

    Args:
        features: shape ``n x d``.
        values: shape ``n``.
        bounds: of the property; None if it has none, and no ``logit`` is tried.
    """
    plain = transform("none", values, None)
    if len(values) < FEWEST or np.ptp(values) <= 1e-12 * np.abs(values).max():
        return plain
    if len(values) > MOST_ROWS:
        rows = np.sort(np.random.default_rng(0).choice(len(values), MOST_ROWS, replace=False))
        features, values = features[rows], values[rows]
    names: list[TransformName] = ["yeo-johnson"]
    names += ["log"] if (values > 0.0).all() else []
    names += ["logit"] if bounds is not None else []
    tried = [plain, *(transform(name, values, bounds) for name in names)]
    densities = np.array([_left_out_density(features, values, one) for one in tried])
    gained = densities - densities[0]
    # A gain that a few values make is not clear, however large.
    error = gained.std(axis=1) * np.sqrt(len(values))
    best = int(np.argmax(gained.sum(axis=1) - error))
    return tried[best] if gained[best].sum() - error[best] > CLEARLY else plain


def _left_out_density(
    features: NDArray[np.float64], values: NDArray[np.float64], one: Transform
) -> NDArray[np.float64]:
    """Log density of each value in the property's unit, predicted from all others after a transform; shape ``n``."""
    center, spread = features.mean(axis=0), features.std(axis=0)
    varied = spread > 1e-9 * (1.0 + np.abs(center))
    standard = (features[:, varied] - center[varied]) / spread[varied]
    start = prior_covariance("matern-2.5", [[Part("stationary", tuple(range(standard.shape[1])))]])
    moved = one.forward(values)
    mean, std = PropertyModel.fitted(standard, moved, start=start).left_out()
    return -0.5 * ((moved - mean) / std) ** 2 - np.log(std) + np.log(one.slope(values))


def _none(values: NDArray[np.float64], bounds: tuple[float, float] | None) -> Transform:
    return Transform("none", lambda y: y, lambda z: z, np.ones_like)


def _log(values: NDArray[np.float64], bounds: tuple[float, float] | None) -> Transform:
    if not (values > 0.0).all():
        raise InputError(f"A logarithm needs positive values, not {values.min():g}. Use another transform.")
    return Transform("log", np.log, np.exp, lambda y: 1.0 / y)


def _logit(values: NDArray[np.float64], bounds: tuple[float, float] | None) -> Transform:
    from scipy.special import expit, logit

    if bounds is None:
        raise InputError(
            "The transform 'logit' needs the bounds of the property. Add 'bounds: {property: [low, high]}'."
        )
    low, high = bounds
    wrong = values[(values < low) | (values > high)]
    if len(wrong):
        raise InputError(f"The value {wrong[0]:g} is outside of the bounds {low:g} to {high:g} of the property.")
    width, count = high - low, len(values)

    def inner(y: NDArray[np.float64]) -> NDArray[np.float64]:
        # Values on a bound are moved inward by half a rank (Smithson and Verkuilen 2006).
        return ((y - low) / width * (count - 1.0) + 0.5) / count

    return Transform(
        "logit",
        lambda y: np.asarray(logit(inner(y))),
        lambda z: np.clip(low + width * (count * expit(z) - 0.5) / (count - 1.0), low, high),
        lambda y: (count - 1.0) / (count * width) / (inner(y) * (1.0 - inner(y))),
    )


def _yeo_johnson(values: NDArray[np.float64], bounds: tuple[float, float] | None) -> Transform:
    from sklearn.preprocessing import PowerTransformer

    center, spread = float(np.median(values)), float(values.std()) or 1.0
    power = PowerTransformer(standardize=False).fit(((values - center) / spread)[:, None])
    exponent = float(power.lambdas_[0])

    def forward(y: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(power.transform(((y - center) / spread).reshape(-1, 1))).reshape(np.shape(y))

    far = FARTHEST * np.ptp(values)
    ends = forward(np.array([values.min() - far, values.max() + far]))

    def backward(z: NDArray[np.float64]) -> NDArray[np.float64]:
        # A power may have an end, beyond which there is no value and before which values explode.
        inside = np.clip(z, *ends).reshape(-1, 1)
        return center + spread * np.asarray(power.inverse_transform(inside)).reshape(np.shape(z))

    def slope(y: NDArray[np.float64]) -> NDArray[np.float64]:
        away = (y - center) / spread
        return np.exp((exponent - 1.0) * np.sign(away) * np.log1p(np.abs(away))) / spread

    return Transform("yeo-johnson", forward, backward, slope)


def _rank(values: NDArray[np.float64], bounds: tuple[float, float] | None) -> Transform:
    from scipy.stats import norm, rankdata

    ranks = rankdata(values)
    known, places = np.unique(values, return_index=True)
    scores = norm.ppf((ranks[places] - 0.5) / len(values))
    if len(known) < 2:
        return _none(values, bounds)

    def slope(y: NDArray[np.float64]) -> NDArray[np.float64]:
        piece = np.clip(np.searchsorted(known, y) - 1, 0, len(known) - 2)
        return np.asarray((scores[piece + 1] - scores[piece]) / (known[piece + 1] - known[piece]))

    return Transform("rank", lambda y: np.interp(y, known, scores), lambda z: np.interp(z, scores, known), slope)


_MAKERS: dict[TransformName, Callable[[NDArray[np.float64], tuple[float, float] | None], Transform]] = {
    "none": _none,
    "log": _log,
    "logit": _logit,
    "yeo-johnson": _yeo_johnson,
    "rank": _rank,
}
