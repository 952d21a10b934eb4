"""The fitted Gaussian processes as BoTorch models, for its acquisitions; gpytorch and torch are loaded here."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from botorch.exceptions import InputDataWarning
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.transforms.outcome import Standardize
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import Kernel, LinearKernel, MaternKernel, ProductKernel, RBFKernel, ScaleKernel
from gpytorch.likelihoods import FixedNoiseGaussianLikelihood, GaussianLikelihood
from gpytorch.means import ConstantMean

from invdesign.surrogates.gaussian_process.kernels import tanimoto
from invdesign.surrogates.gaussian_process.marginal_likelihood import diagonal_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.gaussian_process.kernels import Covariance
    from invdesign.surrogates.gaussian_process.model import PropertyModel
    from invdesign.surrogates.gaussian_process.parts import Part


class TanimotoKernel(Kernel):  # type: ignore[misc] # gpytorch is untyped
    """The MinMax kernel on counts, for gpytorch. It has no gradient by the counts, which are whole numbers."""

    def forward(self, x1: torch.Tensor, x2: torch.Tensor, diag: bool = False, **_: Any) -> torch.Tensor:
        """Similarities of rows, shapes ``... x n x d`` and ``... x m x d`` to ``... x n x m``."""
        if diag:
            return torch.ones(x1.shape[:-1], dtype=x1.dtype)
        shape = np.broadcast_shapes(tuple(x1.shape[:-2]), tuple(x2.shape[:-2]))
        first = x1.expand(*shape, *x1.shape[-2:]).reshape(-1, *x1.shape[-2:]).numpy()
        second = x2.expand(*shape, *x2.shape[-2:]).reshape(-1, *x2.shape[-2:]).numpy()
        blocks = np.stack([tanimoto(a, b) for a, b in zip(first, second, strict=True)])
        return torch.as_tensor(blocks, dtype=x1.dtype).reshape(*shape, x1.shape[-2], x2.shape[-2])


class FactorKernel(Kernel):  # type: ignore[misc] # gpytorch is untyped
    """A product of numbers that go from one to a factor while the feature goes from 0 to 1, for gpytorch.

    Args:
        factor: at 1.
        place: of the feature.
    """

    def __init__(self, factor: float, place: int) -> None:
        super().__init__(active_dims=(place,))
        self.factor = factor

    def forward(self, x1: torch.Tensor, x2: torch.Tensor, diag: bool = False, **_: Any) -> torch.Tensor:
        """Products of rows, shapes ``... x n x 1`` and ``... x m x 1`` to ``... x n x m``."""
        first, second = (1.0 + (self.factor - 1.0) * x for x in (x1, x2))
        return (first * second).squeeze(-1) if diag else first @ second.transpose(-1, -2)


def botorch_model(models: Sequence[PropertyModel]) -> ModelListGP:
    """Models of several properties as one, whose posterior is in the properties' own units."""
    return ModelListGP(*(_single(model) for model in models))


def _single(fitted: PropertyModel) -> SingleTaskGP:
    x = torch.as_tensor(fitted.features, dtype=torch.float64)
    y = torch.as_tensor(fitted.standard, dtype=torch.float64).unsqueeze(-1)
    with warnings.catch_warnings():
        # BoTorch asks for features in the unit cube; components of molecules are of order one but not in it.
        warnings.simplefilter("ignore", InputDataWarning)
        model = SingleTaskGP(
            x,
            y,
            likelihood=_likelihood(fitted),
            covar_module=gpytorch_kernel(fitted.covariance),
            mean_module=ConstantMean(),
            outcome_transform=None,
        ).double()
    model.mean_module.initialize(constant=fitted.mean)
    model.outcome_transform = _fixed_scale(fitted.centre, fitted.spread)
    return model.eval().requires_grad_(False)


def gpytorch_kernel(covariance: Covariance) -> Kernel:
    """The same kernel in gpytorch, with the same hyperparameters."""
    lengthscales = iter(covariance.lengthscales)
    total: Kernel | None = None
    for scale, term in zip(covariance.scales, covariance.terms, strict=True):
        parts = [_kernel(covariance.name, part, next(lengthscales)) for part in term]
        scaled = ScaleKernel(parts[0] if len(parts) == 1 else ProductKernel(*parts))
        scaled.initialize(outputscale=float(scale))
        total = scaled if total is None else total + scaled
    if total is None:
        raise ValueError("A covariance has at least one term.")
    return total.double()


def _kernel(name: str, part: Part, lengthscale: NDArray[np.float64]) -> Kernel:
    if part.kind == "tanimoto":
        return TanimotoKernel(active_dims=part.places)
    if part.kind == "factor":
        return FactorKernel(float(lengthscale[0]), part.places[0])
    if part.kind == "linear":
        linear = LinearKernel(active_dims=part.places)
        linear.initialize(variance=1.0)
        return linear
    apart = bool(part.groups or part.weights)
    settings = {"ard_num_dims": len(part.places) if apart else None, "active_dims": part.places}
    kernel = RBFKernel(**settings) if name == "rbf" else MaternKernel(nu=float(name.split("-")[1]), **settings)
    kernel = kernel.double()
    kernel.initialize(lengthscale=torch.as_tensor(part.spread_out(lengthscale), dtype=torch.float64))
    return kernel


def _likelihood(fitted: PropertyModel) -> GaussianLikelihood | FixedNoiseGaussianLikelihood:
    if fitted.row_noise is not None:
        noise = diagonal_noise(fitted.row_noise, fitted.covariance.noise)
        return FixedNoiseGaussianLikelihood(noise=torch.as_tensor(noise, dtype=torch.float64))
    likelihood = GaussianLikelihood().double()
    likelihood.noise_covar.register_constraint("raw_noise", GreaterThan(1e-8))
    likelihood.initialize(noise=fitted.covariance.noise)
    return likelihood


def _fixed_scale(centre: float, spread: float) -> Standardize:
    """BoTorch's standardization with given numbers instead of learned ones."""
    transform = Standardize(m=1)
    transform.means = torch.tensor([[centre]], dtype=torch.float64)
    transform.stdvs = torch.tensor([[spread]], dtype=torch.float64)
    transform._stdvs_sq = transform.stdvs**2  # noqa: SLF001 - there is no public way to set its scale
    transform._is_trained = torch.tensor(True)  # noqa: SLF001
    return transform.eval()
