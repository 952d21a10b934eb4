"""Each known value predicted from all others, by hyperparameters that were fitted without its part of the rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd

from invdesign.surrogates.base import ConditionalSurrogate, noise_argument
from invdesign.surrogates.checks import known_noise
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.validation import random_folds

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from invdesign.core.columns import Column
    from invdesign.surrogates.gaussian_process.inducing_points import InducingPointModel


class Process(ConditionalSurrogate, Protocol):
    """A surrogate with a process for each property, as ``GaussianProcess`` is."""

    def models(self, properties: Sequence[str]) -> list[PropertyModel | InducingPointModel]:
        """The fitted processes of properties, on features."""


def left_out_predictions(
    process: Process,
    frame: pd.DataFrame,
    y: pd.DataFrame,
    *,
    columns: Sequence[Column] | None,
    noise_std: pd.DataFrame | None,
    folds: int,
    rng: np.random.Generator,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Means and standard deviations, noise included; see ``LeaveOneOutSurrogate.leave_one_out``.

    Hyperparameters that a value itself has shaped predict it too well, all the more where each number has a length
    scale. A process by inducing points predicts each part as it is: of so many rows a fifth matters little.
    """
    settings: Any = process  # by the Surrogate protocol a dataclass, which typing cannot say
    fold_of, noise = random_folds(y, folds, rng), known_noise(noise_std, y)
    means, deviations = (pd.DataFrame(np.nan, index=y.index, columns=y.columns) for _ in range(2))
    for fold in range(folds):
        inside = fold_of == fold
        given, own = (noise_argument(None if noise is None else noise[rows]) for rows in (~inside, inside))
        others: Process = replace(settings).fit(frame[~inside], y[~inside], columns=columns, **given)
        everyone = others.condition_on(frame[inside], y[inside], **own)
        for place, name in enumerate(y.columns):
            rows = np.flatnonzero(inside & y[name].notna().to_numpy())
            (model,) = everyone.models([name])
            if isinstance(model, PropertyModel):
                mean, std = model.left_out()
                # Values conditioned on come last.
                mean, std = mean[len(mean) - len(rows) :], std[len(std) - len(rows) :]
            else:
                mean, std = _predicted(others, frame.iloc[rows], name, None if noise is None else noise.iloc[rows])
            means.iloc[rows, place], deviations.iloc[rows, place] = mean, std
    return means, deviations


def _predicted(
    process: Process, asked: pd.DataFrame, name: str, noise: pd.DataFrame | None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of one property, noise included, each of shape ``n``."""
    mean, std = process.predict(asked, return_std=True)
    learned = np.full(len(asked), process.noise_std()[name])
    own = learned if noise is None else noise[name].fillna(learned[0] if len(learned) else 0.0).to_numpy(np.float64)
    return mean[name].to_numpy(np.float64), np.hypot(std[name].to_numpy(np.float64), own)
