"""Maximizes an acquisition function along its gradient in the continuous parameters, from many starts at once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.optimizers.bayesian.acquisition import MomentAcquisition, MomentScore
from invdesign.space.parameters import is_smooth
from invdesign.surrogates.base import DifferentiableSurrogate

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.optimizers.bayesian.acquisition import Acquisition
    from invdesign.space import SearchSpace

    Slopes = Callable[[NDArray[np.float64]], tuple[NDArray[np.float64], NDArray[np.float64]]]

MOST_STEPS = 60
NUDGE = 1e-4
"""Change of a moment, in standard deviations, by which a score's derivative is taken."""


@dataclass(frozen=True)
class GradientAscent:
    """A gradient ascent in the coordinates of continuous parameters, all others held.

    Off: regret 1.9 times as large on development.

    Attributes:
        space: what is searched.
        model: the fitted surrogate that gives the features and the gradients of its moments.
        coordinates: of the cube, those of continuous parameters.
        places: of the features that are these coordinates.
        slopes: the acquisition and its gradient on features.
    """

    space: SearchSpace
    model: DifferentiableSurrogate
    coordinates: NDArray[np.int64]
    places: NDArray[np.int64]
    slopes: Slopes

    @classmethod
    def of(cls, space: SearchSpace, acquisition: Acquisition) -> GradientAscent | None:
        """The ascent that an acquisition function allows; None where it has no gradient or nothing is continuous."""
        if not isinstance(acquisition, MomentAcquisition):
            return None
        if not isinstance(acquisition.surrogate, DifferentiableSurrogate):
            return None
        model, slopes = acquisition.surrogate, _moment_slopes(acquisition.surrogate, acquisition.scorer)
        coordinates, places, start = [], [], 0
        for name, parameter in space.parameters.items():
            place = model.feature_index(name) if is_smooth(parameter) else None
            if place is not None:
                coordinates.append(start)
                places.append(place)
            start += parameter.dimension
        if not places:
            return None
        return cls(space, model, np.array(coordinates), np.array(places), slopes)

    def __call__(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Where the ascents from points of the cube (shape ``n x dimension``) end; constraints are not looked at."""
        features = self.model.transform(self.space.decode(points))
        shape = (len(points), len(self.coordinates))
        before, _ = self.slopes(features)
        from scipy.optimize import minimize  # loaded where it is used: most commands never do

        # All ascend in one problem, whose value is their sum: one that starts far below must not outweigh the others.
        weights = 1.0 / (1.0 + before.max() - before)

        def downhill(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
            features[:, self.places] = flat.reshape(shape)
            scores, slopes = self.slopes(features)
            return -float(weights @ scores), -(weights[:, None] * slopes[:, self.places]).ravel()

        start = points[:, self.coordinates].ravel()
        found = minimize(
            downhill,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, 1.0)] * len(start),
            options={"maxiter": MOST_STEPS},
        )
        ends = points.copy()
        ends[:, self.coordinates] = found.x.reshape(shape)
        features[:, self.places] = ends[:, self.coordinates]
        after, _ = self.slopes(features)
        return np.where((after > before)[:, None], ends, points)


def _moment_slopes(model: DifferentiableSurrogate, scorer: MomentScore) -> Slopes:
    """A score of moments as a function of features, by the chain rule; its own derivatives are taken by differences."""
    properties = scorer.targets.properties

    def slopes(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        found = model.moment_gradients(features, properties)
        mean, std = np.stack([item.mean for item in found], axis=1), np.stack([item.std for item in found], axis=1)
        rows, count = mean.shape
        # Every moment a little up and a little down, in one call of the score: 4 changes a property.
        step = NUDGE * np.maximum(std, 1e-12)
        moved = np.zeros((2, 2, count, rows, count))
        for place in range(count):
            moved[:, 0, place, :, place], moved[:, 1, place, :, place] = step[:, place], -step[:, place]
        means = np.concatenate(
            [mean[None], (mean + moved[0]).reshape(-1, rows, count), np.tile(mean, (2 * count, 1, 1))]
        )
        stds = np.concatenate([std[None], np.tile(std, (2 * count, 1, 1)), (std + moved[1]).reshape(-1, rows, count)])
        scores = scorer.score(means.reshape(-1, count), stds.reshape(-1, count))
        changed = scores[rows:].reshape(2, 2, count, rows)
        to_mean, to_std = (changed[:, 0] - changed[:, 1]) / (2.0 * step.T)
        gradient = np.zeros_like(features)
        for place, item in enumerate(found):
            gradient += to_mean[place][:, None] * item.mean_gradient + to_std[place][:, None] * item.std_gradient
        return scores[:rows], np.nan_to_num(gradient)

    return slopes
