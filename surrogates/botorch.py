"""Any BoTorch or GPyTorch model as a surrogate: SingleTaskGP, fully Bayesian, variational, or the user's own."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import field, replace
from functools import partial
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, overload

import numpy as np
import pandas as pd
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import STATE, bounded, settings
from invdesign.core.threads import single_thread
from invdesign.surrogates.base import MomentGradients
from invdesign.surrogates.checks import check_values, known_noise, of_property
from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process.views import COMPACT
from invdesign.surrogates.known_rows import KnownRows
from invdesign.surrogates.scikit_learn import ScikitLearnEstimator, as_frame

if TYPE_CHECKING:
    import torch
    from botorch.models import ModelListGP
    from numpy.typing import NDArray

FEWEST_VALUES = 3
ROWS_AT_ONCE = 2048
LEAST_NOISE = 1e-6
"""Least variance of known noise, in variances of the property: keeps the covariance well conditioned."""
VARIATIONAL_STEPS = 200
"""Steps of the fit of a variational model, which has many parameters and no end in sight."""


@settings(frozen=False, kw_only=True)
class BotorchSurrogate(ScikitLearnEstimator):
    """A model of BoTorch's, one a property, fitted by BoTorch on features built from the candidates' columns.

    It has the capabilities of our own Gaussian process: gradients of its moments, joint posterior, conditioning. So the
    Bayesian optimizer follows gradients and looks ahead with it, and BoTorch's acquisition functions can be used on it.

    Example:
        >>> BotorchSurrogate(model="SaasFullyBayesianSingleTaskGP")
        >>> BotorchSurrogate(model=lambda X, Y: SingleTaskGP(X, Y, covar_module=MyKernel()))
    """

    model: str | SkipJsonSchema[Callable[..., Any]] = "SingleTaskGP"
    """A class of ``botorch.models`` by name, which gets a standardizing outcome transform; or a function of training
    features ``n x d`` and values ``n x 1``, in the property's unit, that returns an unfitted model. If noise is known,
    its variances ``n x 1`` are given as ``train_Yvar``, which the class or function must take."""
    features: Features = COMPACT
    """Features of the candidates; compact ones by default."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the model is fitted and evaluated; ``auto`` takes a GPU where there is one."""
    seed: int = bounded(default=0, ge=0)
    """Seed of what is random in the fit, such as the sampler of a fully Bayesian model."""
    warmup_steps: int = bounded(default=128, ge=1)
    """Warm-up steps of the sampler (NUTS) of a fully Bayesian model."""
    posterior_samples: int = bounded(default=128, ge=2)
    """Samples of the hyperparameters of a fully Bayesian model, of which every sixteenth is used."""
    _featurizer: Annotated[Featurizer | None, STATE] = field(default=None, init=False, repr=False, compare=False)
    _models: Annotated[dict[str, Any], STATE] = field(default_factory=dict, init=False, repr=False, compare=False)
    _known: Annotated[KnownRows | None, STATE] = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.model, str):
            _named(self.model)

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame | pd.Series,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | pd.Series | None = None,
    ) -> Self:
        """Learns every column of ``y``; see ``Surrogate.fit``.

        BoTorch takes the noise of all values or of none. If that of some is unknown, it is learned by a first fit.

        Raises:
            InputError: where a property has fewer than three values, an infinite one, or a column cannot be read; where
                the function gives no BoTorch model; where a GPU is asked for and there is none.
        """
        y = as_frame(y)
        check_values(frame, y, fewest=FEWEST_VALUES)
        noise = known_noise(noise_std, y)
        self._featurizer = Featurizer(self.features).fit(frame, columns)
        features = self._featurizer.transform(frame)
        models = {}
        for name in y.columns:
            values = y[name].to_numpy(dtype=np.float64)
            known = ~np.isnan(values)
            with _seeded(self.seed):
                models[str(name)] = self._fitted(features[known], values[known], of_property(noise, name, known))
        self._models, self._known = models, KnownRows.of(frame, y, columns, noise)
        return self

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property; see ``Surrogate.predict``."""
        features = self.transform(frame)
        means, stds = {}, {}
        for name, model in self._models.items():
            blocks = [
                _moments(model, self._tensor(features[start : start + ROWS_AT_ONCE]))
                for start in range(0, len(features), ROWS_AT_ONCE)
            ]
            means[name] = np.concatenate([np.empty(0), *(_array(mean) for mean, _ in blocks)])
            stds[name] = np.sqrt(np.concatenate([np.empty(0), *(_array(variance) for _, variance in blocks)]))
        mean = pd.DataFrame(means, index=frame.index)
        return (mean, pd.DataFrame(stds, index=frame.index)) if return_std else mean

    def posterior(
        self, frame: pd.DataFrame, *, samples: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Draws properties of all candidates together; see ``JointSurrogate.posterior``."""
        features = self._tensor(self.transform(frame))
        drawn = {}
        for name, model in self._models.items():
            mean, covariance = _joint(model, features)
            drawn[name] = rng.multivariate_normal(mean, covariance, size=samples, check_valid="ignore", method="eigh")
        return drawn

    def posterior_covariance(self, first: pd.DataFrame, second: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        """Covariances between candidates; see ``CovarianceSurrogate.posterior_covariance``."""
        both = self._tensor(np.concatenate([self.transform(first), self.transform(second)]))
        count = len(first)
        return {name: _joint(model, both)[1][:count, count:] for name, model in self._models.items()}

    def noise_std(self) -> dict[str, float]:
        """The learned standard deviation of measuring each property, in its unit; see ``Surrogate.noise_std``."""
        self._fitted_featurizer()
        return {name: _noise_std(model) for name, model in self._models.items()}

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """Returns a surrogate that also knows these values; see ``ConditionalSurrogate.condition_on``.

        A model that BoTorch cannot condition, such as a variational one, is fitted anew on all values, and so is any
        if the noise of the further values is known.
        """
        features, noise = self.transform(frame), known_noise(noise_std, y)
        able = all(hasattr(model, "get_fantasy_model") for model in self._models.values())
        if self._known is not None and (noise is not None or not able):
            return replace(self).fit(**self._known.with_more(frame, y, noise_std).arguments())
        wiser = copy(self)
        models = {}
        for name, model in self._models.items():
            values = y[name].to_numpy(dtype=np.float64)
            known = ~np.isnan(values)
            models[name] = self._conditioned(model, features[known], values[known]) if known.any() else model
        vars(wiser)["_models"] = models
        return wiser

    def learns_fidelities(self) -> bool:
        """True: the fidelity is a feature, over which the model's kernel tells how values vary together."""
        return True

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The features of candidates, shape ``n x d``.

        Raises:
            InputError: where the surrogate has not been fitted, or a column cannot be read.
        """
        return self._fitted_featurizer().transform(frame)

    def feature_index(self, column: str) -> int | None:
        """The index among the features of a column of numbers; see ``DifferentiableSurrogate.feature_index``."""
        return self._fitted_featurizer().number_index(column)

    def _fitted_featurizer(self) -> Featurizer:
        if self._featurizer is None:
            raise InputError("This BotorchSurrogate has not been fitted. Call fit first.")
        return self._featurizer

    def moment_gradients(self, features: NDArray[np.float64], properties: Sequence[str]) -> list[MomentGradients]:
        """Moments and their gradients by automatic differentiation; see ``DifferentiableSurrogate``."""
        import torch

        found = []
        for name in properties:
            x = self._tensor(features).requires_grad_(True)
            mean, variance = _moments(self._models[name], x)
            std = variance.clamp_min(1e-16).sqrt()
            (by_mean,) = torch.autograd.grad(mean.sum(), x, retain_graph=True)
            (by_std,) = torch.autograd.grad(std.sum(), x)
            found.append(MomentGradients(_array(mean), _array(std), _array(by_mean), _array(by_std)))
        return found

    def botorch_model(self, properties: Sequence[str]) -> ModelListGP | Any:
        """The properties as one BoTorch model over features, in the properties' own units."""
        from botorch.models import ModelListGP

        return ModelListGP(*(self._models[name] for name in properties))

    def _fitted(
        self, features: NDArray[np.float64], values: NDArray[np.float64], noise: NDArray[np.float64] | None = None
    ) -> Any:
        x, y = self._tensor(features), self._tensor(values[:, None])
        build = _named(self.model) if isinstance(self.model, str) else self.model
        given: dict[str, torch.Tensor] = {}
        if noise is not None:
            if "train_Yvar" not in signature(build).parameters:
                name = self.model if isinstance(self.model, str) else "The function given as 'model'"
                raise InputError(
                    f"{name} does not take known noise. Leave out noise_std, or use a model with the argument "
                    "'train_Yvar', such as SingleTaskGP."
                )
            if np.isnan(noise).any():
                learned = _noise_std(self._fitted(features, values))
                noise = np.where(np.isnan(noise), learned, noise)
            given["train_Yvar"] = self._tensor(np.maximum(noise**2, LEAST_NOISE * values.var())[:, None])
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # that values are not standardized: an outcome transform does it
                model = build(x, y, **given)
        except ImportError as error:
            raise InputError(f"{error} Or: pip install 'invdesign[fully-bayesian]'.") from None
        if not (hasattr(model, "posterior") and hasattr(model, "likelihood")):
            raise InputError(
                f"The function given as 'model' returned {type(model).__name__}, which is not a BoTorch model. Return "
                "one such as SingleTaskGP(X, Y, outcome_transform=Standardize(1))."
            )
        model = model.to(x)
        _fit(model, len(values), warmup_steps=self.warmup_steps, samples=self.posterior_samples, seed=self.seed)
        return model.eval().requires_grad_(False)

    def _conditioned(self, model: Any, features: NDArray[np.float64], values: NDArray[np.float64]) -> Any:
        x, y = self._tensor(features), self._tensor(values[:, None])
        with single_thread(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.posterior(x)  # conditioning starts from what a prediction has cached
            return model.condition_on_observations(x, y, **_further_noise(model, y)).requires_grad_(False)

    def _tensor(self, array: NDArray[np.float64]) -> torch.Tensor:
        import torch

        gpu = torch.cuda.is_available()
        if self.device == "cuda" and not gpu:
            raise InputError("No GPU is available. Use device 'auto' or 'cpu'.")
        return torch.as_tensor(array, dtype=torch.float64, device="cuda" if gpu and self.device != "cpu" else "cpu")


def _named(name: str) -> Callable[..., Any]:
    """A constructor of the class of ``botorch.models`` with a standardizing outcome transform, where it takes one."""
    import botorch.models as home
    from botorch.models.transforms.outcome import Standardize

    known = {word: getattr(home, word) for word in home.__all__ if word.endswith("GP")}
    known |= {word: one for word, one in vars(home.fully_bayesian).items() if word.endswith("SingleTaskGP")}
    if name not in known:
        raise InputError(f"Unknown BoTorch model '{name}'.{nearest(name, known)}")
    cls = known[name]
    taken = signature(cls).parameters
    needed = [word for word, one in taken.items() if one.default is Parameter.empty]
    if set(needed) - {"train_X", "train_Y"} or "train_Y" not in taken:
        raise InputError(
            f"{name} needs {', '.join(needed)}, not training features and values alone. Give a function that builds it."
        )
    return partial(cls, outcome_transform=Standardize(m=1)) if "outcome_transform" in taken else cls


def _fit(model: Any, count: int, *, warmup_steps: int, samples: int, seed: int) -> None:
    """Fits a model as its kind asks: by the marginal likelihood, its variational bound, or by sampling."""
    from botorch.fit import fit_fully_bayesian_model_nuts, fit_gpytorch_mll
    from botorch.models.approximate_gp import ApproximateGPyTorchModel
    from botorch.models.fully_bayesian import AbstractFullyBayesianSingleTaskGP
    from gpytorch.mlls import ExactMarginalLogLikelihood, VariationalELBO

    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of restarts, and of features outside of the unit cube
        if isinstance(model, AbstractFullyBayesianSingleTaskGP):
            fit_fully_bayesian_model_nuts(
                model, warmup_steps=warmup_steps, num_samples=samples, thinning=16, disable_progbar=True, seed=seed
            )
        elif isinstance(model, ApproximateGPyTorchModel):
            bound = VariationalELBO(model.likelihood, model.model, num_data=count)
            fit_gpytorch_mll(bound, optimizer_kwargs={"options": {"maxiter": VARIATIONAL_STEPS}})
        else:
            fit_gpytorch_mll(ExactMarginalLogLikelihood(model.likelihood, model))


def _moments(model: Any, features: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean and variance of each row by itself, each of shape ``n``; of a mixture over hyperparameters its own."""
    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        posterior = model.posterior(features.unsqueeze(-2))
        mean = getattr(posterior, "mixture_mean", posterior.mean)
        variance = getattr(posterior, "mixture_variance", posterior.variance)
    return mean.reshape(len(features)), variance.reshape(len(features))


def _joint(model: Any, features: torch.Tensor) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean ``n`` and covariance ``n x n`` of rows together; of a mixture the covariances within and between."""
    with single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        posterior = model.posterior(features)
        means = _array(posterior.mean.squeeze(-1)).reshape(-1, len(features))
        covariances = _array(posterior.distribution.covariance_matrix).reshape(-1, len(features), len(features))
    mean = means.mean(axis=0)
    apart = means - mean
    return mean, covariances.mean(axis=0) + apart.T @ apart / len(means)


def _further_noise(model: Any, y: torch.Tensor) -> dict[str, torch.Tensor]:
    """The variance of further values, as BoTorch asks for it where that of the known ones was given: their mean."""
    from gpytorch.likelihoods import FixedNoiseGaussianLikelihood

    if not isinstance(model.likelihood, FixedNoiseGaussianLikelihood):
        return {}
    return {"noise": model.likelihood.noise.mean().expand_as(y)}


def _noise_std(model: Any) -> float:
    noise = getattr(model.likelihood, "noise", None)
    if noise is None:
        return 0.0
    deviations = getattr(getattr(model, "outcome_transform", None), "stdvs", None)
    scale = 1.0 if deviations is None else float(deviations.mean())
    return float(noise.mean().sqrt()) * scale


def _array(tensor: torch.Tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().numpy().astype(np.float64)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """The global random states of torch follow from a seed within, and are what they were afterwards."""
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield
