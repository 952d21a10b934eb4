"""Gaussian process: a smooth model that knows how unsure it is, strong from a handful of values on."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import field, replace
from typing import TYPE_CHECKING, Annotated, Literal, Self, overload

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.settings import STATE, settings
from invdesign.surrogates.base import MomentGradients
from invdesign.surrogates.checks import check_values, known_noise, of_property
from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process.inducing_points import InducingPointModel, fitted_model
from invdesign.surrogates.gaussian_process.kernel_terms import Combination, kernel_terms
from invdesign.surrogates.gaussian_process.kernels import KernelName, prior_covariance
from invdesign.surrogates.gaussian_process.left_out import left_out_predictions
from invdesign.surrogates.gaussian_process.model import PropertyModel
from invdesign.surrogates.gaussian_process.views import View, best_view, enough_for_refits, judged_rows, views
from invdesign.surrogates.scikit_learn import ScikitLearnEstimator, as_frame

if TYPE_CHECKING:
    from botorch.models import ModelListGP
    from numpy.typing import NDArray


FEWEST_VALUES = 2


@settings(frozen=False)
class GaussianProcess(ScikitLearnEstimator):
    """A Gaussian process a property, on features built from the candidates' columns.

    Numbers are scaled to their bounds, categories one-hot, molecules their standardized RDKit descriptors, with one
    length scale or with one for each, or descriptors and fingerprints, whichever predict the known values best (see
    ``views``), unless ``features`` says otherwise; mixtures likewise with or without the fingerprints of their
    components, and a temperature beside them as it is or as 1/(T - T0), to which a line is then added whose slope
    depends on everything else (Vogel, Fulcher and Tammann).

    Plain fingerprints (``features: {molecules: fingerprints}``) get the MinMax kernel on counts, for each molecule one
    with a scale of its own; orbital energies a linear trend, on which the rest builds, and more weight than all
    descriptors in it.

    Where a column tells the fidelity at which each value was computed, all fidelities are learned together: the target
    fidelity is the cheapest times a factor, plus a difference with a kernel of its own, plus an offset (autoregressive
    co-kriging, Kennedy and O'Hagan 2000, doi:10.1093/biomet/87.1.1). Fidelities in between lie on the way, at equal
    steps.

    Up to 1,000 rows everything is exact. From more, the hyperparameters are fitted on 1,000 of them; above 3,000 rows
    all are learned from by way of 2,000 inducing points (see ``inducing_points``).

    Lengthscales have the dimension-scaled prior of Hvarfner, Hellsten and Nardi (2024), so that it works from a few
    values on; noise is learned, or given value by value.
    """

    kernel: KernelName = "matern-2.5"
    """Covariance function; ``matern-2.5`` suits most properties."""
    ard: bool | None = None
    """Whether each feature has a length scale of its own, each value of a category too, up to 32 of them. None: up to
    20 numbers and categories (averaged with one for all if ``calibrate``); one for all beyond, and one for all features
    of a rich formula, since a search that has seen but one corner of the space would trust what it learned there too
    far; for a molecule's features whichever predicts the known values better. True: each its own; where numbers and
    categories are more than 20, or there are a molecule's features, they are pooled: alike unless the values say
    otherwise. False: one for all."""
    features: Features | None = None
    """Which features. None: compact ones, and of molecules and mixtures those that predict the known values best."""
    combine: Combination = "joint"
    """How kinds of columns go together: one kernel on all features (``joint``), or a kernel for each kind, added
    (``sum``: each kind has an effect of its own) or multiplied (``product``)."""
    calibrate: bool = True
    """Whether predictions are made reliable where values are few: the standard deviations are scaled so that the known
    values, each predicted by a fit on others, lie within their 90 % intervals nine times of ten, and a kernel with a
    length scale for each number is averaged with one that has one for all. Searches leave both out."""
    warm_start: bool = False
    """True to start a further fit from the hyperparameters of the one before."""
    _featurizer: Annotated[Featurizer | None, STATE] = field(default=None, init=False, repr=False, compare=False)
    _models: Annotated[dict[str, PropertyModel | InducingPointModel], STATE] = field(
        default_factory=dict, init=False, repr=False, compare=False
    )

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame | pd.Series,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | pd.Series | None = None,
    ) -> Self:
        """Learns every column of ``y``; see ``Surrogate.fit``.

        Known noise stands on the diagonal of the covariance, row by row; one number is learned for all other rows.

        Raises:
            InputError: where a property has fewer than two values, an infinite one, or a column cannot be read; where
                ``noise_std`` is invalid.
        """
        y = as_frame(y)
        check_values(frame, y, fewest=FEWEST_VALUES)
        noise = known_noise(noise_std, y)
        choice = views(columns, ard=self.ard) if self.features is None else (View(self.features, self.ard),)
        if len(choice) > 1:
            by_refits = self.calibrate and any(view.margin for view in choice) and enough_for_refits(y)
            judged = judged_rows(y, columns, by_refits=by_refits)
            few, values, own = frame.iloc[judged], y.iloc[judged], None if noise is None else noise.iloc[judged]
            drafts = [self._fitted(one, few, values, own, columns, calibrate=False) for one in choice]
            best = best_view(choice, [models.values() for _, models in drafts], by_refits=by_refits)
            if len(judged) == len(y) and not self.calibrate:
                self._featurizer, self._models = drafts[best]
                return self
            choice = (choice[best],)
        self._featurizer, self._models = self._fitted(choice[0], frame, y, noise, columns, calibrate=self.calibrate)
        return self

    def _fitted(
        self,
        view: View,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        noise: pd.DataFrame | None,
        columns: Sequence[Column] | None,
        *,
        calibrate: bool,
    ) -> tuple[Featurizer, dict[str, PropertyModel | InducingPointModel]]:
        """The processes of all properties by one view of the candidates."""
        featurizer = Featurizer(view.features).fit(frame, columns)
        points = featurizer.transform(frame)
        terms = kernel_terms(featurizer.blocks, combine=self.combine, ard=view.ard, averaged=self.calibrate)
        start = prior_covariance(self.kernel, terms)
        models = {}
        for name in y.columns:
            values = y[name].to_numpy(dtype=np.float64)
            known = ~np.isnan(values)
            before = self._models.get(name)
            warm = self.warm_start and before is not None and before.covariance.terms == start.terms
            models[name] = fitted_model(
                points[known],
                values[known],
                start=before.covariance if warm and before is not None else start,
                noise=of_property(noise, name, known),
                calibrate=calibrate,
            )
        return featurizer, models

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts every property; see ``Surrogate.predict``."""
        features = self.transform(frame)
        if not return_std:
            means = {name: model.mean_of(features) for name, model in self._models.items()}
            return pd.DataFrame(means, index=frame.index)
        moments = {name: model.predict(features) for name, model in self._models.items()}
        mean = pd.DataFrame({name: pair[0] for name, pair in moments.items()}, index=frame.index)
        return mean, pd.DataFrame({name: pair[1] for name, pair in moments.items()}, index=frame.index)

    def posterior(
        self, frame: pd.DataFrame, *, samples: int, rng: np.random.Generator
    ) -> dict[str, NDArray[np.float64]]:
        """Draws properties of all candidates together; see ``JointSurrogate.posterior``."""
        features = self.transform(frame)
        drawn = {}
        for name, model in self._models.items():
            mean, covariance = model.joint(features)
            drawn[name] = rng.multivariate_normal(mean, covariance, size=samples, check_valid="ignore", method="eigh")
        return drawn

    def noise_std(self) -> dict[str, float]:
        """The learned standard deviation of measuring each property, in its unit; see ``Surrogate.noise_std``."""
        self._fitted_featurizer()
        return {name: model.noise_std for name, model in self._models.items()}

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """Returns a Gaussian process that also knows these values; see ``ConditionalSurrogate.condition_on``."""
        features, noise = self.transform(frame), known_noise(noise_std, y)
        wiser = copy(self)
        models = {}
        for name, model in self._models.items():
            values = y[name].to_numpy(dtype=np.float64)
            known = ~np.isnan(values)
            if known.any():
                models[name] = model.conditioned(features[known], values[known], of_property(noise, name, known))
            else:
                models[name] = model
        vars(wiser)["_models"] = models
        return wiser

    def leave_one_out(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | None = None,
        folds: int = 5,
        rng: np.random.Generator,
    ) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Each value from all others by inverse covariance; see ``LeaveOneOutSurrogate.leave_one_out``."""
        return left_out_predictions(self, frame, y, columns=columns, noise_std=noise_std, folds=folds, rng=rng)

    def posterior_covariance(self, first: pd.DataFrame, second: pd.DataFrame) -> dict[str, NDArray[np.float64]]:
        """Covariances between candidates; see ``CovarianceSurrogate.posterior_covariance``."""
        left, right = self.transform(first), self.transform(second)
        return {name: model.shared(left, right) for name, model in self._models.items()}

    def moment_gradients(self, features: NDArray[np.float64], properties: Sequence[str]) -> list[MomentGradients]:
        """Moments and their gradients; see ``DifferentiableSurrogate.moment_gradients``.

        Counts of fingerprints have no gradient; what depends on them is taken as constant.
        """
        return [MomentGradients(*model.slopes(features)) for model in self.models(properties)]

    def learns_fidelities(self) -> bool:
        """True: a column of fidelities is recognized, and all its fidelities are learned together."""
        return True

    def uncalibrated(self) -> Self:
        """An unfitted copy whose standard deviations are not calibrated; see ``CalibratedSurrogate``."""
        return replace(self, calibrate=False)

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """The features of candidates, shape ``n x d``.

        Raises:
            InputError: where the surrogate has not been fitted, or a column cannot be read.
        """
        return self._fitted_featurizer().transform(frame)

    @property
    def chosen_features(self) -> Features:
        """The features that it takes: those of its settings, or those that predict the known values best.

        Raises:
            InputError: where the surrogate has not been fitted.
        """
        return self._fitted_featurizer().settings

    def models(self, properties: Sequence[str]) -> list[PropertyModel | InducingPointModel]:
        """The fitted processes of properties, on features."""
        return [self._models[name] for name in properties]

    def feature_index(self, column: str) -> int | None:
        """The index of a column of numbers among the features; None if its feature is not the number scaled.

        Raises:
            InputError: where the surrogate has not been fitted, or there is no such column of numbers.
        """
        return self._fitted_featurizer().number_index(column)

    def _fitted_featurizer(self) -> Featurizer:
        if self._featurizer is None:
            raise InputError("This Gaussian process has not been fitted. Call fit first.")
        return self._featurizer

    def botorch_model(self, properties: Sequence[str]) -> ModelListGP:
        """The properties as one BoTorch model over features, in the properties' own units, for its acquisitions.

        Of more than 3,000 values it knows those on which the hyperparameters were fitted and those conditioned on.
        """
        from invdesign.surrogates.gaussian_process.botorch_model import botorch_model

        models = self.models(properties)
        return botorch_model([model.core if isinstance(model, InducingPointModel) else model for model in models])
