"""Improvement of a Pareto front by BoTorch; torch is loaded here."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective.logei import qLogNoisyExpectedHypervolumeImprovement
from botorch.acquisition.multi_objective.objective import GenericMCMultiOutputObjective
from botorch.acquisition.objective import GenericMCObjective
from botorch.exceptions import NumericsWarning
from botorch.sampling import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from linear_operator.utils.warnings import NumericalWarning

from surrogates.threads import single_thread

if TYPE_CHECKING:
    from botorch.acquisition import AcquisitionFunction
    from numpy.typing import NDArray

    from invdesign.optimizers.acquisition import HypervolumeImprovement
    from invdesign.targets import Target, Targets

SAMPLES = 64
ROWS_AT_ONCE = 512


def noisy_improvement(setting: HypervolumeImprovement) -> Callable[[NDArray[np.float64]], NDArray[np.float64]]:
    """Builds the acquisition on features.

    Args:
        setting: the fitted surrogate, the targets, and what is known and pending.

    Returns:
        A function from features ``n x d`` to scores ``n``.
    """
    with single_thread():
        acquisition = _acquisition(setting)

    def score(features: NDArray[np.float64]) -> NDArray[np.float64]:
        rows = torch.as_tensor(features, dtype=torch.float64).unsqueeze(-2)
        with single_thread(), torch.no_grad(), warnings.catch_warnings():
            # Nearly equal rows need a jitter on the covariance; BoTorch adds it and says so at every block.
            warnings.simplefilter("ignore", NumericalWarning)
            blocks = [acquisition(rows[start : start + ROWS_AT_ONCE]) for start in range(0, len(rows), ROWS_AT_ONCE)]
        return np.nan_to_num(torch.cat(blocks).numpy(), nan=-1e300, neginf=-1e300)

    return score


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
        if len(places) == 1:
            return qLogNoisyExpectedImprovement(
                **shared, objective=GenericMCObjective(lambda y, X=None: signs[0] * y[..., places[0]])
            )
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
