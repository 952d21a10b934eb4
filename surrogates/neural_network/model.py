"""The ensemble of networks behind ``NeuralNetwork``: all members at once, as products of batched matrices."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from invdesign.core.threads import single_thread
from invdesign.surrogates.conformal import calibrated_scale
from invdesign.surrogates.ensembles import EnsembleModel
from invdesign.surrogates.neural_network.holding_out import (
    LEAST_VARIANCE,
    beta_likelihood,
    ensemble_moments,
    held_out_errors,
    split,
)
from invdesign.surrogates.noise import MODEL_ERROR

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.noise import RowNoise

PATIENCE = 50
"""Epochs without a better member after which training ends."""
MOST_UPDATES = 2500
ROWS_AT_ONCE = 4096

Weights = tuple[torch.Tensor, ...]


@dataclass(frozen=True)
class Training:
    """How an ensemble is trained; the settings of ``NeuralNetwork``."""

    members: int
    width: int
    learning_rate: float
    weight_decay: float
    epochs: int
    seed: int


@dataclass(frozen=True)
class NetworkEnsemble(EnsembleModel):
    """Trained networks.

    Attributes:
        weights: matrices and offsets of the three layers, each with the members first; single precision.
        center: of each feature.
        spread: of each feature.
        scale: calibrated standard deviation over the predicted one.
        noise: standard deviation of the noise beside it; 0 if the networks predict it.
    """

    weights: tuple[NDArray[np.float32], ...]
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    scale: float
    noise: float = 0.0

    @classmethod
    def trained(
        cls,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        training: Training,
        noise: RowNoise | None = None,
    ) -> NetworkEnsemble:
        """Trains on standardized values, shapes ``n x d`` and ``n``, which may have known noise."""
        center, spread = features.mean(axis=0), features.std(axis=0)
        spread = np.where(spread > 1e-9 * (1.0 + np.abs(center)), spread, 1.0)
        x = torch.as_tensor((features - center) / spread, dtype=torch.float32)
        y = torch.as_tensor(values, dtype=torch.float32)
        known = None if noise is None else torch.as_tensor(noise.std**2, dtype=torch.float32)
        generator = torch.Generator().manual_seed(training.seed)
        with single_thread():
            kept, held = split(len(y), training.members, generator)
            weights = _trained(x, y, known, (kept, held), training=training, rng=generator)
            with torch.no_grad():
                errors, deviations = held_out_errors(*_forward(weights, x[held]), y, held)
        if noise is None:
            return cls(_arrays(weights), center, spread, calibrated_scale(errors, deviations))
        scale = calibrated_scale(errors, deviations, noise.std[np.unique(held.numpy())])
        return cls(_arrays(weights), center, spread, scale, noise.further)

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        mean, variance = self._outputs(features)
        middle, std = ensemble_moments(mean, variance)
        return middle, np.hypot(self.scale * std, self.noise)

    def members(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        return self._outputs(features)[0]

    def _outputs(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of every member, each of shape ``members x n``."""
        x = torch.as_tensor((features - self.center) / self.spread, dtype=torch.float32)
        weights = tuple(map(torch.from_numpy, self.weights))
        count = len(weights[0])
        means, variances = [np.empty((count, 0))], [np.empty((count, 0))]
        with single_thread(), torch.no_grad():
            for block in torch.split(x, ROWS_AT_ONCE) if len(x) else ():
                mean, variance = _forward(weights, block.expand(count, -1, -1))
                means.append(mean.double().numpy())
                variances.append(variance.double().numpy())
        return np.concatenate(means, axis=1), np.concatenate(variances, axis=1)


def _arrays(weights: Weights) -> tuple[NDArray[np.float32], ...]:
    return tuple(weight.numpy() for weight in weights)


def _initial(features: int, training: Training, generator: torch.Generator) -> Weights:
    """Normal weights that keep the size of signals (He et al. 2015, arXiv:1502.01852); offsets of zero."""
    sizes = (max(1, features), training.width, training.width, 2)
    weights: list[torch.Tensor] = []
    for layer, (wide, narrow) in enumerate(pairwise(sizes)):
        gain = (2.0 if layer < 2 else 0.1) / wide
        weights.append(torch.randn(training.members, wide, narrow, generator=generator) * gain**0.5)
        weights.append(torch.zeros(training.members, 1, narrow))
    if features == 0:
        weights[0] = weights[0][:, :0]
    return tuple(weight.requires_grad_() for weight in weights)


def _forward(weights: Weights, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Means and variances, ``members x rows``, of features ``members x rows x d``."""
    hidden = x
    for layer in (0, 2):
        hidden = functional.silu(torch.baddbmm(weights[layer + 1], hidden, weights[layer]))
    out = torch.baddbmm(weights[5], hidden, weights[4])
    return out[..., 0], functional.softplus(out[..., 1]) + LEAST_VARIANCE


def _trained(
    x: torch.Tensor,
    y: torch.Tensor,
    noise: torch.Tensor | None,
    parts: tuple[torch.Tensor, torch.Tensor],
    *,
    training: Training,
    rng: torch.Generator,
) -> Weights:
    """Trains all members; ``noise`` is the known variance of each value's noise."""
    kept, held = parts
    weights = _initial(x.shape[1], training, rng)
    optimizer = torch.optim.AdamW(
        [
            {"params": [weights[0], weights[2], weights[4]], "weight_decay": training.weight_decay},
            {"params": [weights[1], weights[3], weights[5]], "weight_decay": 0.0},
        ],
        lr=training.learning_rate,
    )
    count = kept.shape[1]
    batch = min(count, max(32, min(256, count // 6)))
    epochs = max(1, min(training.epochs, MOST_UPDATES // -(-count // batch)))
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, epochs, eta_min=0.02 * training.learning_rate)
    best = [weight.detach().clone() for weight in weights]
    least = torch.full((training.members,), torch.inf)
    waited = 0
    for _ in range(epochs):
        order = torch.rand(kept.shape, generator=rng).argsort(dim=1)
        for rows in torch.split(kept.gather(1, order), batch, dim=1):
            optimizer.zero_grad()
            mean, variance = _forward(weights, x[rows])
            loss = beta_likelihood(mean, variance if noise is None else variance + noise[rows], y[rows])
            # Summed over members, so that none slows another's steps.
            torch.autograd.backward(loss.mean(dim=1).sum())
            optimizer.step()
        schedule.step()
        with torch.no_grad():
            errors = (_forward(weights, x[held])[0] - y[held]).square()
            found = (errors if noise is None else errors / (MODEL_ERROR**2 + noise[held])).mean(dim=1)
            better = found < least
            least = torch.where(better, found, least)
            for kept_weight, weight in zip(best, weights, strict=True):
                kept_weight[better] = weight[better]
        waited = 0 if better.any() else waited + 1
        if waited >= PATIENCE:
            break
    return tuple(best)
