"""The Gaussian process of one property, on a matrix of features: gpytorch and BoTorch are loaded here."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import gpytorch
import numpy as np
import torch
from botorch.exceptions import InputDataWarning, OptimizationWarning
from botorch.fit import fit_gpytorch_mll
from botorch.models import ModelListGP, SingleTaskGP
from botorch.models.transforms.outcome import Standardize
from botorch.models.utils.gpytorch_modules import get_covar_module_with_dim_scaled_prior
from gpytorch.constraints import GreaterThan
from gpytorch.kernels import MaternKernel, RBFKernel
from gpytorch.likelihoods import GaussianLikelihood
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.priors import GammaPrior, LogNormalPrior
from linear_operator.utils.cholesky import psd_safe_cholesky
from linear_operator.utils.warnings import NumericalWarning

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from surrogates.gaussian_process import KernelName

ROWS_AT_ONCE = 4096
"""Rows predicted together: bounds the memory by the batch, whatever the pool."""
FIT_OPTIONS = {"maxiter": 150, "ftol": 1e-6}
"""Where the fit stops: the likelihood is flat long before the hyperparameters stand still."""
LEAST_NOISE = 1e-5
"""Smallest noise variance on standardized values: keeps the covariance well conditioned."""


@dataclass(frozen=True)
class PropertyModel:
    """A fitted Gaussian process of one property.

    Predictions are the textbook formulas (Rasmussen and Williams 2006, algorithm 2.1) on gpytorch's fitted kernel: over
    a pool they cost one product of matrices a block of rows.

    Attributes:
        model: BoTorch model of the standardized values, with the fitted kernel, mean and noise.
        centre: mean of the values it was fitted on, in the property's unit.
        spread: their standard deviation.
        kernel: name of the covariance function.
        ard: whether each feature has a lengthscale of its own.
    """

    model: SingleTaskGP
    centre: float
    spread: float
    kernel: KernelName
    ard: bool

    @classmethod
    def fitted(
        cls, features: NDArray[np.float64], values: NDArray[np.float64], *, kernel: KernelName, ard: bool
    ) -> PropertyModel:
        """Fits hyperparameters by the marginal likelihood (and its priors), shapes ``n x d`` and ``n``."""
        centre = float(values.mean())
        deviation = float(values.std())
        # A constant property leaves nothing to scale by; its own size keeps the numbers near one.
        spread = deviation if deviation > 1e-12 * max(1.0, abs(centre)) else max(1.0, abs(centre))
        with single_thread():
            model = _untrained(features, (values - centre) / spread, kernel=kernel, ard=ard)
            with warnings.catch_warnings():
                # A line search that gives up is retried inside; the best point reached is kept either way.
                warnings.simplefilter("ignore", OptimizationWarning)
                warnings.simplefilter("ignore", RuntimeWarning)
                warnings.simplefilter("ignore", NumericalWarning)
                fit_gpytorch_mll(
                    ExactMarginalLogLikelihood(model.likelihood, model), optimizer_kwargs={"options": FIT_OPTIONS}
                )
        return cls(model.eval().requires_grad_(False), centre, spread, kernel, ard)

    @property
    def noise_std(self) -> float:
        """Learned standard deviation of the noise, in the property's unit."""
        return float(self.model.likelihood.noise.mean().sqrt()) * self.spread

    @cached_property
    def _known(self) -> tuple[torch.Tensor, torch.Tensor]:
        """The features and standardized values that it knows."""
        return self.model.train_inputs[0], self.model.train_targets

    @cached_property
    def _factors(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Cholesky factor of the known covariance, and the weights of the known values."""
        x, y = self._known
        covariance = self.model.covar_module(x).to_dense() + self.model.likelihood.noise * torch.eye(
            len(x), dtype=x.dtype
        )
        factor = psd_safe_cholesky(covariance)
        residual = (y - self.model.mean_module(x)).unsqueeze(-1)
        return factor, torch.cholesky_solve(residual, factor)

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Mean and standard deviation of the property, each of shape ``n``, for features of shape ``n x d``."""
        means, deviations = [np.empty(0)], [np.empty(0)]
        with single_thread(), torch.no_grad():
            factor, weights = self._factors
            for start in range(0, len(features), ROWS_AT_ONCE):
                rows = torch.as_tensor(features[start : start + ROWS_AT_ONCE], dtype=torch.float64)
                cross = self.model.covar_module(rows, self._known[0]).to_dense()
                prior = self.model.covar_module(rows, diag=True)
                explained = torch.linalg.solve_triangular(factor, cross.mT, upper=False).square().sum(dim=0)
                means.append((self.model.mean_module(rows) + (cross @ weights).squeeze(-1)).numpy())
                deviations.append((prior - explained).clamp_min(0.0).sqrt().numpy())
        return np.concatenate(means) * self.spread + self.centre, np.concatenate(deviations) * self.spread

    def conditioned(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> PropertyModel:
        """The same Gaussian process with further values, hyperparameters unchanged; shapes ``n x d`` and ``n``."""
        x, y = self._known
        standard = (values - self.centre) / self.spread
        return replace(self, model=self._copy(np.concatenate([x, features]), np.concatenate([y, standard])))

    def botorch_model(self) -> SingleTaskGP:
        """A copy whose posterior is in the property's own unit."""
        x, y = self._known
        model = self._copy(x.numpy(), y.numpy())
        model.outcome_transform = _fixed_scale(self.centre, self.spread)
        return model

    def _copy(self, features: NDArray[np.float64], standard: NDArray[np.float64]) -> SingleTaskGP:
        model = _untrained(features, standard, kernel=self.kernel, ard=self.ard)
        model.load_state_dict(self.model.state_dict())
        return model.eval().requires_grad_(False)


def botorch_model(models: Sequence[PropertyModel]) -> ModelListGP:
    """Models of several properties as one, whose posterior is in the properties' own units."""
    return ModelListGP(*(item.botorch_model() for item in models))


def _fixed_scale(centre: float, spread: float) -> Standardize:
    """BoTorch's standardization with given numbers instead of learned ones."""
    transform = Standardize(m=1)
    transform.means = torch.tensor([[centre]], dtype=torch.float64)
    transform.stdvs = torch.tensor([[spread]], dtype=torch.float64)
    transform._stdvs_sq = transform.stdvs**2  # noqa: SLF001 - there is no public way to set its scale
    transform._is_trained = torch.tensor(True)  # noqa: SLF001
    return transform.eval()


def _untrained(
    features: NDArray[np.float64], standard: NDArray[np.float64], *, kernel: KernelName, ard: bool
) -> SingleTaskGP:
    x = torch.as_tensor(features, dtype=torch.float64)
    y = torch.as_tensor(standard, dtype=torch.float64).unsqueeze(-1)
    with warnings.catch_warnings():
        # BoTorch asks for features in the unit cube; components of molecules are of order one but not in it.
        warnings.simplefilter("ignore", InputDataWarning)
        return SingleTaskGP(
            x,
            y,
            likelihood=_likelihood(),
            covar_module=_covariance(kernel, x.shape[-1], ard=ard),
            outcome_transform=None,
        ).double()


def _covariance(kernel: KernelName, dimension: int, *, ard: bool) -> Any:
    """A kernel with the dimension-scaled lengthscale prior (Hvarfner et al. 2024) and a free output scale."""
    lengthscale = get_covar_module_with_dim_scaled_prior(ard_num_dims=dimension)
    settings = {
        "ard_num_dims": dimension if ard else None,
        "lengthscale_prior": LogNormalPrior(
            loc=lengthscale.lengthscale_prior.loc, scale=lengthscale.lengthscale_prior.scale
        ),
        "lengthscale_constraint": GreaterThan(2.5e-2, transform=None, initial_value=lengthscale.lengthscale_prior.mode),
    }
    base = RBFKernel(**settings) if kernel == "rbf" else MaternKernel(nu=float(kernel.split("-")[1]), **settings)
    return gpytorch.kernels.ScaleKernel(base, outputscale_prior=GammaPrior(2.0, 0.15))


def _likelihood() -> GaussianLikelihood:
    """Gaussian noise, expected small against the spread of the values but learned from them."""
    prior = LogNormalPrior(loc=-4.0, scale=1.0)
    return GaussianLikelihood(
        noise_prior=prior, noise_constraint=GreaterThan(LEAST_NOISE, transform=None, initial_value=prior.mode)
    )


@contextmanager
def single_thread() -> Iterator[None]:
    """Runs torch on one thread: small matrices gain nothing from more, and results do not depend on their number."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
