"""Improvement of a Pareto front by BoTorch; torch is loaded here."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
import torch
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.exceptions import NumericsWarning
from botorch.sampling import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from linear_operator.utils.warnings import NumericalWarning

from surrogates.threads import single_thread

if TYPE_CHECKING:
    from botorch.acquisition import AcquisitionFunction
    from numpy.typing import NDArray

    from invdesign.optimizers.hypervolume import HypervolumeImprovement
    from invdesign.targets import Target, Targets

SAMPLES = 64
ROWS_AT_ONCE = 512


class NoisyImprovement:
    """The acquisition on features.

    Args:
        setting: the fitted surrogate, the targets, and what is known and pending.
    """

    def __init__(self, setting: HypervolumeImprovement) -> None:
        with single_thread():
            self._acquisition = _acquisition(setting)

    def scores(self, features: NDArray[np.float64]) -> NDArray[np.float64]:
        """Scores ``n`` of features ``n x d``."""
        rows = torch.as_tensor(features, dtype=torch.float64).unsqueeze(-2)
        with _quiet(), torch.no_grad():
            blocks = [self._acquisition(rows[at : at + ROWS_AT_ONCE]) for at in range(0, len(rows), ROWS_AT_ONCE)]
        return np.nan_to_num(torch.cat(blocks).numpy(), nan=-1e300, neginf=-1e300)

    def slopes(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Scores ``n`` of features ``n x d``, and their gradients ``n x d``."""
        rows = torch.tensor(features, dtype=torch.float64, requires_grad=True)
        with _quiet():
            scores = self._acquisition(rows.unsqueeze(-2))
            (slopes,) = torch.autograd.grad(scores.sum(), rows)
        return np.nan_to_num(scores.detach().numpy(), nan=-1e300, neginf=-1e300), np.nan_to_num(slopes.numpy())


@contextmanager
def _quiet() -> Iterator[None]:
    """One thread, and no word on the jitter that nearly equal rows need; BoTorch adds it and says so at every block."""
    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericalWarning)
        yield


def _acquisition(setting: HypervolumeImprovement) -> AcquisitionFunction:
    targets, surrogate = setting.targets, setting.surrogate
    names = list(targets.properties)
    baseline = torch.as_tensor(surrogate.transform(setting.known), dtype=torch.float64)
    shared = {
        "model": surrogate.botorch_model(names),
        "X_baseline": baseline,
        "sampler": SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=setting.seed),
        "constraints": _constraints(targets, names) or None,
        "X_pending": (
            torch.as_tensor(surrogate.transform(setting.pending), dtype=torch.float64) if len(setting.pending) else None
        ),
        "prune_baseline": True,
    }
    signs = torch.tensor([float(target.direction) for target in targets.directed], dtype=torch.float64)
    places = [names.index(target.property) for target in targets.directed]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NumericsWarning)
        warnings.simplefilter("ignore", NumericalWarning)
        gains = torch.as_tensor(targets.gains(setting.values), dtype=torch.float64)
        return qLogNoisyExpectedHypervolumeImprovement(
            **shared,
            ref_point=infer_reference_point(gains[~gains.isnan().any(dim=1)]),
            objective=GenericMCMultiOutputObjective(lambda y, X=None: signs * y[..., places]),
        )


def _constraints(targets: Targets, names: list[str]) -> list[Callable[[torch.Tensor], torch.Tensor]]:
    """Functions of sampled properties that are negative where a target is met."""

    def below(target: Target, place: int) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda y: target.interval[0] - y[..., place]

    def above(target: Target, place: int) -> Callable[[torch.Tensor], torch.Tensor]:
        return lambda y: y[..., place] - target.interval[1]

    found = []
    for target in targets.bounded:
        place = names.index(target.property)
        if np.isfinite(target.interval[0]):
            found.append(below(target, place))
        if np.isfinite(target.interval[1]):
            found.append(above(target, place))
    return found
