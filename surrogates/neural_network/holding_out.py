"""What ensembles of networks share: who holds out which rows, the loss, and the errors on rows that were held out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

if TYPE_CHECKING:
    from numpy.typing import NDArray

PARTS = 5
"""Each member holds out one of so many parts of the rows."""
BETA = 0.5
"""Weight of the variance in the loss: 0 the plain likelihood, 1 the squared error (Seitzer et al. 2022)."""
LEAST_VARIANCE = 1e-6
"""On standardized values: keeps the likelihood finite."""
LEAST_SHARE = 0.3
"""Of the held-out squared error, that remains at least when all members are averaged."""


def split(rows: int, members: int, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """The rows that each member learns from and those that it holds out, two matrices with the members first."""
    out = rows // PARTS
    orders = [torch.randperm(rows, generator=generator) for _ in range(-(-members // PARTS))]
    turned = [orders[member // PARTS].roll(-(member % PARTS) * out) for member in range(members)]
    table = torch.stack(turned)
    return table[:, out:], table[:, :out]


def beta_likelihood(mean: torch.Tensor, variance: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """The beta-weighted negative log-likelihood of each value, of the shape of the means."""
    likelihood = 0.5 * (variance.log() + (y - mean).square() / variance)
    return variance.detach() ** BETA * likelihood


def held_out_errors(
    mean: torch.Tensor, variance: torch.Tensor, y: torch.Tensor, held: torch.Tensor
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Errors and standard deviations of rows by the members that held them out, those rows that any did.

    Args:
        mean: of each member for the rows that it held out, shape ``members x held``.
        variance: the same.
        y: all values, shape ``n``.
        held: the rows that each member held out, shape ``members x held``.
    """
    count, total, squares, own = (torch.zeros(len(y)) for _ in range(4))
    for values, into in ((torch.ones_like(mean), count), (mean, total), (mean.square(), squares), (variance, own)):
        into.index_put_((held.flatten(),), values.flatten(), accumulate=True)
    asked = count > 0
    count, total, squares, own = (part[asked] for part in (count, total, squares, own))
    errors = y[asked] - total / count
    # As in ensemble_moments, but the means are those of fewer members, and further off by a part of their spread.
    spread = (squares / count - (total / count).square()).clamp_min(0.0) * count / (count - 1.0).clamp_min(1.0)
    deviations = (own / count + spread * (1.0 + 1.0 / count)).sqrt()
    excess = (spread * (1.0 / count - 1.0 / len(mean))).sum() / errors.square().sum().clamp_min(1e-12)
    errors = errors * (1.0 - excess).clamp_min(LEAST_SHARE).sqrt()
    return errors.double().numpy(), deviations.double().numpy()


def ensemble_moments(
    mean: NDArray[np.float64], variance: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean and standard deviation of an ensemble, not calibrated, from those of its members, ``members x n``."""
    # The mean of finitely many members is itself off by a part of their spread.
    total = variance.mean(axis=0) + mean.var(axis=0, ddof=1) * (1.0 + 1.0 / len(mean))
    return mean.mean(axis=0), np.sqrt(total)
