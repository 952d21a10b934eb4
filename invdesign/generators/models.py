"""The two models of molecules: a language model that reads wanted ranges, and a variational autoencoder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import pandas as pd
import torch

from invdesign.generators.conditions import Conditions
from invdesign.generators.network import Autoencoder, Shape, Writer, with_start, writing_loss
from invdesign.surrogates.forests import RandomForest
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

LATENT = 48
"""Length of latent vectors."""
FREE = 0.25
"""Nats of information in each latent number that the autoencoder is not charged for (Kingma et al. 2016,
arXiv:1606.04934): a strong writer would otherwise ignore the latent vector."""
DRAWS = 50
"""Latent points that are weighed for each that is kept."""
ROWS = 1024
"""Molecules that are encoded at once."""
Sampler = Callable[[int, np.random.Generator], torch.Tensor]
"""Draws the vectors of so many molecules."""


@dataclass(frozen=True)
class Rows:
    """What a network learns from.

    Attributes:
        codes: of the molecules, shape ``n x length``.
        properties: known values, same rows.
        conditions: of the properties.
    """

    codes: NDArray[np.int64]
    properties: pd.DataFrame
    conditions: Conditions


class MoleculeModel(Protocol):
    """What the generator needs of a model."""

    def network(self) -> nn.Module:
        """An untrained network."""

    def loss(
        self, network: Any, codes: torch.Tensor, rows: Rows, chosen: NDArray[np.int64], rng: np.random.Generator
    ) -> torch.Tensor:
        """The loss of chosen rows, in nats a molecule."""

    def sampler(self, network: Any, targets: Targets | None, rows: Rows) -> Sampler:
        """Draws the vectors that molecules are written from; what all draws share is computed once."""


@dataclass(frozen=True)
class LanguageModel:
    """Writes molecules given wanted ranges (as Segler et al. 2018, doi:10.1021/acscentsci.7b00512, with conditions).

    Attributes:
        shape: of the network.
    """

    shape: Shape

    def network(self) -> Writer:
        """An untrained network."""
        return Writer(self.shape)

    def loss(
        self, network: Writer, codes: torch.Tensor, rows: Rows, chosen: NDArray[np.int64], rng: np.random.Generator
    ) -> torch.Tensor:
        """Negative log-likelihood given random ranges around the known values."""
        ranges = rows.conditions.drawn(rows.properties.iloc[chosen], rng)
        given = torch.as_tensor(ranges, dtype=torch.float32, device=codes.device)
        return writing_loss(network(with_start(codes), given), codes)

    def sampler(self, network: Writer, targets: Targets | None, rows: Rows) -> Sampler:
        """The targets' ranges, for every molecule the same."""
        vector = torch.as_tensor(rows.conditions.of_targets(targets), dtype=torch.float32)
        return lambda n, _: vector.expand(n, -1)


@dataclass(frozen=True)
class LatentModel:
    """Writes molecules from a latent space, where properties are learned and sampled by Bayes' rule.

    As in Tagade et al. (2019, doi:10.1038/s41524-019-0263-3) and Gomez-Bombarelli et al. (2018): the probability of a
    latent point given a range is proportional to the probability of the range there, by a forest, times the density of
    the known molecules.

    Attributes:
        shape: of the network.
    """

    shape: Shape

    def network(self) -> Autoencoder:
        """An untrained network."""
        return Autoencoder(self.shape)

    def loss(
        self, network: Autoencoder, codes: torch.Tensor, rows: Rows, chosen: NDArray[np.int64], rng: np.random.Generator
    ) -> torch.Tensor:
        """The negative evidence lower bound, with free bits."""
        mean, logarithm = network.encode(codes)
        noise = torch.as_tensor(rng.standard_normal(mean.shape), dtype=torch.float32, device=codes.device)
        point = mean + torch.exp(0.5 * logarithm) * noise
        information = 0.5 * (mean.square() + logarithm.exp() - 1.0 - logarithm)
        charged = information.mean(dim=0).clamp_min(FREE).sum()
        return writing_loss(network.writer(with_start(codes), point), codes) + charged

    def sampler(self, network: Autoencoder, targets: Targets | None, rows: Rows) -> Sampler:
        """Latent points by Bayes' rule."""
        mean, std = self.latent(network, rows)
        model = None if targets is None else self._properties(mean, rows, list(targets.properties))

        def drawn(n: int, rng: np.random.Generator) -> torch.Tensor:
            count = n if model is None else DRAWS * n
            origin = rng.integers(0, len(mean), count)
            points = mean[origin] + std[origin] * rng.standard_normal((count, mean.shape[1]))
            if model is not None and targets is not None:
                found, spread = model.predict(_frame(points), return_std=True)
                likelihood = np.asarray(targets.log_probability(found, spread))
                weights = np.exp(likelihood - likelihood.max())
                points = points[rng.choice(count, n, p=weights / weights.sum())]
            return torch.as_tensor(points, dtype=torch.float32)

        return drawn

    def latent(self, network: Autoencoder, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the latent vector of each molecule, both ``n x latent``."""
        means, deviations = [], []
        device = next(network.parameters()).device
        with torch.no_grad():
            for start in range(0, len(rows.codes), ROWS):
                block = torch.as_tensor(rows.codes[start : start + ROWS], device=device)
                mean, logarithm = network.encode(block)
                means.append(mean.cpu().double().numpy())
                deviations.append(torch.exp(0.5 * logarithm).cpu().double().numpy())
        return np.concatenate(means), np.concatenate(deviations)

    def _properties(self, latent: NDArray[np.float64], rows: Rows, names: list[str]) -> RandomForest:
        known = rows.properties[names].notna().any(axis=1).to_numpy()
        values = rows.properties.loc[known, names].reset_index(drop=True)
        return RandomForest(n_estimators=100, min_samples_leaf=3).fit(_frame(latent[known]), values)


def _frame(points: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame(points, columns=[f"z{place}" for place in range(points.shape[1])])
