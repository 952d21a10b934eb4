"""Classifiers: the probability that a binary property is 1."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.surrogates.estimators import Constant, FeatureSurrogate, Learned, PropertyModel

FEWEST_OF_A_CLASS = 2


@dataclass(frozen=True)
class ProbabilityModel(PropertyModel):
    """A fitted classifier of scikit-learn's kind.

    Attributes:
        classifier: with the classes 0 and 1.
        least: probability where the classifier is sure of 0, and one minus that where it is sure of 1.
    """

    classifier: Any
    least: float

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not len(features):
            return np.empty(0), np.empty(0)
        # A mixture with the even chance, not a limit: rows of which the classifier is sure keep their order.
        chance = self.least + (1.0 - 2.0 * self.least) * self.classifier.predict_proba(features)[:, 1]
        return chance, np.sqrt(chance * (1.0 - chance))


@settings(frozen=False, kw_only=True)
class Classifier(FeatureSurrogate):
    """A surrogate of properties that are 0 or 1: the mean is the probability of 1.

    So a target ``at_least: 0.5`` selects candidates that are more likely 1 than 0. The standard deviation is that of
    the 0 or 1, sqrt(p (1 - p)); a class is taken to be observed without noise. By Laplace's rule of succession n
    values with a share p of ones give the probability (n p + 1) / (n + 2), where p is the classifier's; so none is 0 or
    1, and the classifier's order remains. If fewer than two values are 0, or fewer than two are 1, the classes cannot
    be distinguished, and the probability is that of the rule of succession everywhere, (ones + 1) / (n + 2).
    """

    def _learn(
        self,
        name: str,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        noise: NDArray[np.float64] | None,
    ) -> Learned:
        if noise is not None:
            raise InputError(
                f"noise_std gives noise of '{name}', but a classifier takes classes as certain. Leave it out, or use "
                "a regression such as gaussian-process."
            )
        odd = values[(values != 0.0) & (values != 1.0)]
        if len(odd):
            raise InputError(
                f"Property '{name}' contains {odd[0]:g}, but a classifier needs values of 0 (no) and 1 (yes). "
                "Convert it with a threshold, or use a regression such as random-forest."
            )
        ones, count = int(values.sum()), len(values)
        if min(ones, count - ones) < FEWEST_OF_A_CLASS:
            chance = (ones + 1.0) / (count + 2.0)
            return Learned(Constant(chance, float(np.sqrt(chance * (1.0 - chance)))))
        classifier = self._classifier(min(ones, count - ones)).fit(features, values.astype(np.int64))
        return Learned(ProbabilityModel(classifier, 1.0 / (count + 2.0)))

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """As that of all families; a probability, which an optimizer may believe, counts as the likelier class."""
        return super().condition_on(frame, (y >= 0.5).astype(np.float64).where(y.notna()), noise_std=noise_std)

    @abstractmethod
    def _classifier(self, smaller: int) -> Any:
        """An unfitted classifier of scikit-learn's kind; ``smaller`` is how many rows the rarer class has."""


@settings(frozen=False, kw_only=True)
class LogisticRegression(Classifier):
    """Logistic regression on standardized features (scikit-learn; Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x)."""

    penalty: float = bounded(default=1.0, gt=0)
    """Weight of the squared weights."""

    def _classifier(self, smaller: int) -> Any:
        from sklearn import linear_model
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), linear_model.LogisticRegression(C=1.0 / self.penalty, max_iter=5000))


@settings(frozen=False, kw_only=True)
class GaussianNaiveBayes(Classifier):
    """Each feature normal within a class, and independent of the others (scikit-learn; Hand and Yu 2001).

    Paper: doi:10.2307/1403452.
    """

    smoothing: float = bounded(default=1e-3, gt=0)
    """Variance added to every feature, as a share of the largest one."""

    def _classifier(self, smaller: int) -> Any:
        from sklearn.naive_bayes import GaussianNB
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(StandardScaler(), GaussianNB(var_smoothing=self.smoothing))


@settings(frozen=False, kw_only=True)
class RandomForestClassifier(Classifier):
    """A random forest that votes (scikit-learn; Breiman 2001, doi:10.1023/A:1010933404324)."""

    n_estimators: int = bounded(default=300, ge=1)
    """Number of trees."""
    min_samples_leaf: int = bounded(default=2, ge=1)
    """Smallest number of rows in a leaf."""

    def _classifier(self, smaller: int) -> Any:
        from sklearn import ensemble

        return ensemble.RandomForestClassifier(
            n_estimators=self.n_estimators, min_samples_leaf=self.min_samples_leaf, random_state=self.seed, n_jobs=1
        )


@settings(frozen=False, kw_only=True)
class SupportVectorClassifier(Classifier):
    """A support vector machine with a Gaussian kernel (scikit-learn; Cortes and Vapnik 1995, doi:10.1007/BF00994018).

    Its distance to the border becomes a probability by Platt's sigmoid, fitted on rows that were held out.
    """

    cost: float = bounded(default=1.0, gt=0)
    """Penalty of a row on the wrong side."""

    def _classifier(self, smaller: int) -> Any:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        parts = StratifiedKFold(min(5, smaller), shuffle=True, random_state=self.seed)
        machine = make_pipeline(StandardScaler(), SVC(C=self.cost))
        return CalibratedClassifierCV(machine, method="sigmoid", cv=parts, ensemble=False)
