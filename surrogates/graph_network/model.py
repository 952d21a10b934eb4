"""The ensemble behind ``GraphNetwork``: chemprop's message passing, trained here, so that no file is written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from chemprop.data import BatchMolGraph, MolGraph
from chemprop.featurizers import SimpleMoleculeMolGraphFeaturizer
from chemprop.nn import BondMessagePassing, NormAggregation
from torch.nn import functional

from invdesign.core.threads import single_thread
from invdesign.surrogates.conformal import calibrated_scale
from invdesign.surrogates.ensembles import EnsembleModel
from invdesign.surrogates.features.smiles import molecule_of
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

LARGEST_BATCH, SMALLEST_BATCH = 64, 16
PATIENCE = 0.5
"""Share of the passes without a better member after which training ends."""
WARM_UP = 0.1
"""Share of the updates in which the learning rate rises; it falls in the others."""
LEAST_CYCLE = 20
"""Updates below which a cycle has no warm-up to divide."""
LARGEST_GRADIENT = 1.0
"""Norm to which gradients are cut."""
ROWS_AT_ONCE = 256
GRAPHS = 20_000
"""Molecules whose graphs are held in memory."""

State = Mapping[str, "NDArray[Any]"]


@dataclass(frozen=True)
class Training:
    """How an ensemble is trained; the settings of ``GraphNetwork``."""

    members: int
    width: int
    depth: int
    learning_rate: float
    updates: int
    seed: int


@dataclass(frozen=True)
class Rows:
    """What a network reads of candidates.

    Attributes:
        smiles: shape ``n x columns of molecules``.
        numbers: standardized features beside the molecules, shape ``n x d``.
    """

    smiles: NDArray[Any]
    numbers: torch.Tensor

    def batch(self, rows: torch.Tensor) -> tuple[list[BatchMolGraph], torch.Tensor]:
        """The graphs of some rows, column by column, and their numbers."""
        columns = self.smiles[rows.numpy()].T
        return [BatchMolGraph([_graph(text) for text in column]) for column in columns], self.numbers[rows]


class Network(torch.nn.Module):
    """Message passing over directed bonds, then one hidden layer to mean and variance.

    Args:
        molecules: number of columns of molecules, all read by the same weights.
        numbers: number of features beside them.
        training: width and depth.
    """

    def __init__(self, molecules: int, numbers: int, training: Training) -> None:
        super().__init__()
        width = training.width
        self.passing = BondMessagePassing(d_h=width, depth=training.depth) if molecules else None
        self.sum = NormAggregation()
        self.normalized = torch.nn.BatchNorm1d(width * molecules) if molecules else torch.nn.Identity()
        self.hidden = torch.nn.Linear(width * molecules + numbers, width)
        self.output = torch.nn.Linear(width, 2)

    def forward(self, graphs: list[BatchMolGraph], numbers: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and variance of standardized values, each of shape ``n``."""
        parts = [numbers]
        if self.passing is not None:
            learned = [self.sum(self.passing(graph), graph.batch) for graph in graphs]
            parts.insert(0, self.normalized(torch.cat(learned, dim=1)))
        out = self.output(functional.relu(self.hidden(torch.cat(parts, dim=1))))
        return out[:, 0], functional.softplus(out[:, 1]) + LEAST_VARIANCE


@dataclass(frozen=True)
class GraphEnsemble(EnsembleModel):
    """Trained networks.

    Attributes:
        states: weights of each member by name.
        training: width and depth of the networks.
        molecules: number of columns of molecules, the last ones of the features.
        places: those columns of the features that are read as numbers.
        center: of each of these.
        spread: of each of these.
        scale: calibrated standard deviation over the predicted one.
        noise: standard deviation of the noise beside it; 0 if the networks predict it.
    """

    states: tuple[State, ...]
    training: Training
    molecules: int
    places: NDArray[np.int64]
    center: NDArray[np.float64]
    spread: NDArray[np.float64]
    scale: float
    noise: float = 0.0

    @classmethod
    def trained(
        cls,
        features: NDArray[Any],
        values: NDArray[np.float64],
        training: Training,
        noise: RowNoise | None,
        *,
        numbers: NDArray[np.int64],
        molecules: int,
    ) -> GraphEnsemble:
        """Trains on standardized values, shape ``n``, which may have known noise.

        Args:
            features: shape ``n x d``; the last columns are SMILES.
            values: standardized.
            training: how.
            noise: of each value, if some of it is known.
            numbers: columns of ``features`` that are read as numbers.
            molecules: number of columns of SMILES.
        """
        plain = features[:, numbers].astype(np.float64)
        center, spread = plain.mean(axis=0), plain.std(axis=0)
        spread = np.where(spread > 1e-9 * (1.0 + np.abs(center)), spread, 1.0)
        rows = _rows(features, molecules, (plain - center) / spread)
        y = torch.as_tensor(values, dtype=torch.float32)
        known = None if noise is None else torch.as_tensor(noise.std**2, dtype=torch.float32)
        with single_thread(), torch.random.fork_rng(devices=[]):
            torch.manual_seed(training.seed)
            generator = torch.Generator().manual_seed(training.seed)
            kept, held = split(len(y), training.members, generator)
            states, moments = [], []
            for learn, test in zip(kept, held, strict=True):
                network = Network(molecules, len(numbers), training)
                states.append(_trained(network, rows, y, known, (learn, test), training=training, rng=generator))
                network.load_state_dict(states[-1])
                moments.append(_moments(network, rows, test))
        mean, variance = (torch.stack(part) for part in zip(*moments, strict=True))
        errors, deviations = held_out_errors(mean, variance, y, held)
        own = None if noise is None else noise.std[np.unique(held.numpy())]
        scale = calibrated_scale(errors, deviations, own)
        arrays = tuple({name: tensor.numpy() for name, tensor in state.items()} for state in states)
        further = 0.0 if noise is None else noise.further
        return cls(arrays, training, molecules, numbers, center, spread, scale, further)

    def predict(self, features: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        middle, std = ensemble_moments(*self._outputs(features))
        return middle, np.hypot(self.scale * std, self.noise)

    def members(self, features: NDArray[Any]) -> NDArray[np.float64]:
        return self._outputs(features)[0]

    def _outputs(self, features: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and variance of every member, each of shape ``members x n``."""
        plain = features[:, self.places].astype(np.float64)
        rows = _rows(features, self.molecules, (plain - self.center) / self.spread)
        everything = torch.arange(len(features))
        found = []
        with single_thread(), torch.random.fork_rng(devices=[]):  # new networks draw weights before they get their own
            for state in self.states:
                network = Network(self.molecules, len(self.places), self.training)
                network.load_state_dict({name: torch.from_numpy(array) for name, array in state.items()})
                found.append(torch.stack(_moments(network, rows, everything)).double().numpy())
        means, variances = np.stack(found, axis=1)
        return means, variances


def _rows(features: NDArray[Any], molecules: int, numbers: NDArray[np.float64]) -> Rows:
    first = features.shape[1] - molecules
    return Rows(features[:, first:], torch.as_tensor(numbers, dtype=torch.float32))


@lru_cache(maxsize=GRAPHS)
def _graph(smiles: str) -> MolGraph:
    return SimpleMoleculeMolGraphFeaturizer()(molecule_of(smiles))


def _moments(network: Network, rows: Rows, which: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of some rows, each of shape ``n``."""
    network.eval()
    with torch.no_grad():
        blocks = [network(*rows.batch(block)) for block in torch.split(which, ROWS_AT_ONCE) if len(block)]
    mean, variance = zip(*blocks, strict=True) if blocks else ((), ())
    return torch.cat([torch.empty(0), *mean]), torch.cat([torch.empty(0), *variance])


def _trained(
    network: Network,
    rows: Rows,
    y: torch.Tensor,
    noise: torch.Tensor | None,
    parts: tuple[torch.Tensor, torch.Tensor],
    *,
    training: Training,
    rng: torch.Generator,
) -> dict[str, torch.Tensor]:
    """The weights with which a network predicts the held-out rows best; ``noise`` is the variance of known noise."""
    kept, held = parts
    steps = max(1, len(kept) // min(LARGEST_BATCH, max(SMALLEST_BATCH, len(kept) // 8)))
    passes = -(-training.updates // steps)
    optimizer = torch.optim.AdamW(network.parameters(), lr=training.learning_rate)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, training.learning_rate, total_steps=max(LEAST_CYCLE, passes * steps), pct_start=WARM_UP
    )
    best, least, waited = _copy(network), float("inf"), 0
    for _ in range(passes):
        network.train()
        for block in torch.tensor_split(kept[torch.randperm(len(kept), generator=rng)], steps):
            optimizer.zero_grad()
            mean, variance = network(*rows.batch(block))
            loss = beta_likelihood(mean, variance if noise is None else variance + noise[block], y[block]).mean()
            torch.autograd.backward(loss)
            torch.nn.utils.clip_grad_norm_(network.parameters(), LARGEST_GRADIENT)
            optimizer.step()
            schedule.step()
        errors = (_moments(network, rows, held)[0] - y[held]).square()
        found = float((errors if noise is None else errors / (MODEL_ERROR**2 + noise[held])).mean())
        waited += 1
        if found < least:
            best, least, waited = _copy(network), found, 0
        if waited > PATIENCE * passes:
            break
    return best


def _copy(network: Network) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
