"""Classifiers: the probability that a binary property is 1, or that a property is of each of several classes."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.classes import SIGN, class_property
from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.surrogates.checks import of_property
from invdesign.surrogates.estimators import Constant, FeatureSurrogate, Learned, PropertyModel, canonical_order

FEWEST_OF_A_CLASS = 2


@dataclass(frozen=True)
class ProbabilityModel(PropertyModel):
    """A fitted classifier of scikit-learn's kind.

    Attributes:
        classifier: with two classes or more.
        least: probability of a class that the classifier excludes.
        classes: how many classes share the rest.
        place: of the class among those of the classifier.
    """

    classifier: Any
    least: float
    classes: int = 2
    place: int = 1

    def predict(self, features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if not len(features):
            return np.empty(0), np.empty(0)
        # A mixture with the even chance, not a limit: rows of which the classifier is sure keep their order.
        share = self.classifier.predict_proba(features)[:, self.place]
        chance = self.least + (1.0 - self.classes * self.least) * share
        return chance, np.sqrt(chance * (1.0 - chance))


@settings(frozen=False, kw_only=True)
class Classifier(FeatureSurrogate):
    """A surrogate of properties that are 0 or 1: the mean is the probability of 1.

    So a target ``at_least: 0.5`` selects candidates that are more likely 1 than 0. The standard deviation is that of
    the 0 or 1, sqrt(p (1 - p)); a class is taken to be observed without noise. By Laplace's rule of succession n
    values with a share p of ones give the probability (n p + 1) / (n + 2), where p is the classifier's; so none is 0 or
    1, and the classifier's order remains. If fewer than two values are 0, or fewer than two are 1, the classes cannot
    be distinguished, and the probability is that of the rule of succession everywhere, (ones + 1) / (n + 2).

    Properties such as ``structure=layered`` and ``structure=spinel``, of which each row has exactly one, are the K
    classes of one property: one classifier learns them together, (n p + 1) / (n + K) is their probability, and these
    add up to 1. A class with fewer than two values has the least probability, 1 / (n + K), everywhere.
    """

    class_weight: Literal["none", "balanced"] = "none"
    """``balanced`` gives each class the same total weight, so that a rare one is not overlooked; its probability is
    then that among equally frequent classes."""

    def _learn_all(
        self, features: NDArray[np.float64], y: pd.DataFrame, noise: pd.DataFrame | None
    ) -> dict[str, Learned]:
        learned: dict[str, Learned] = {}
        for names in _by_property(y).values():
            if len(names) > 1 and _exclusive(y[names]):
                for name in names:
                    _refuse_noise(of_property(noise, name, np.arange(len(y))), name)
                learned |= self._learn_classes(features, y[names])
            else:
                learned |= super()._learn_all(features, y[names], noise)
        return {name: learned[name] for name in y.columns}

    def _learn_classes(self, features: NDArray[np.float64], y: pd.DataFrame) -> dict[str, Learned]:
        """Learns the classes of one property together; shapes ``n x d`` and ``n x K``."""
        known = y.notna().all(axis=1).to_numpy()
        numbers = y[known].to_numpy().argmax(axis=1)
        counts = np.bincount(numbers, minlength=len(y.columns))
        common = np.flatnonzero(counts >= FEWEST_OF_A_CLASS)
        rows, classes = features[known], len(y.columns)
        chosen = np.flatnonzero(np.isin(numbers, common))
        least = 1.0 / (len(chosen) + classes)
        if len(common) < 2:
            chances = (counts + 1.0) / (len(numbers) + classes)
            constants = [Constant(float(chance), float(np.sqrt(chance * (1.0 - chance)))) for chance in chances]
            return {str(name): Learned(model) for name, model in zip(y.columns, constants, strict=True)}
        chosen = chosen[canonical_order(rows[chosen], numbers[chosen].astype(np.float64))]
        classifier = self._classifier(int(counts[common].min()), len(common)).fit(rows[chosen], numbers[chosen])
        place = {int(number): position for position, number in enumerate(classifier.classes_)}
        return {
            str(name): Learned(
                ProbabilityModel(classifier, least, classes, place[number])
                if number in place
                else Constant(least, float(np.sqrt(least * (1.0 - least))))
            )
            for number, name in enumerate(y.columns)
        }

    @property
    def _weights(self) -> str | None:
        """The class weights in scikit-learn's words."""
        return None if self.class_weight == "none" else self.class_weight

    def _learn(
        self,
        name: str,
        features: NDArray[np.float64],
        values: NDArray[np.float64],
        noise: NDArray[np.float64] | None,
    ) -> Learned:
        _refuse_noise(noise, name)
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
        classifier = self._classifier(min(ones, count - ones), 2).fit(features, values.astype(np.int64))
        return Learned(ProbabilityModel(classifier, 1.0 / (count + 2.0)))

    def condition_on(self, frame: pd.DataFrame, y: pd.DataFrame, *, noise_std: pd.DataFrame | None = None) -> Self:
        """As that of all families; a probability, which an optimizer may believe, counts as the likelier class."""
        likely = (y >= 0.5).astype(np.float64)
        for names in _by_property(y).values():
            if len(names) > 1:
                likely[names] = np.eye(len(names))[y[names].fillna(0.0).to_numpy().argmax(axis=1)]
        return super().condition_on(frame, likely.where(y.notna()), noise_std=noise_std)

    @abstractmethod
    def _classifier(self, smaller: int, classes: int) -> Any:
        """An unfitted classifier of scikit-learn's kind; ``smaller`` is how many rows the rarest class has."""


@settings(frozen=False, kw_only=True)
class LogisticRegression(Classifier):
    """Logistic regression on standardized features (scikit-learn; Cox 1958, doi:10.1111/j.2517-6161.1958.tb00292.x)."""

    penalty: float = bounded(default=1.0, gt=0)
    """Weight of the squared weights."""

    def _classifier(self, smaller: int, classes: int) -> Any:
        from sklearn import linear_model
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        return make_pipeline(
            StandardScaler(),
            linear_model.LogisticRegression(C=1.0 / self.penalty, max_iter=5000, class_weight=self._weights),
        )


@settings(frozen=False, kw_only=True)
class GaussianNaiveBayes(Classifier):
    """Each feature normal within a class, and independent of the others (scikit-learn; Hand and Yu 2001).

    Paper: doi:10.2307/1403452.
    """

    smoothing: float = bounded(default=1e-3, gt=0)
    """Variance added to every feature, as a share of the largest one."""

    def _classifier(self, smaller: int, classes: int) -> Any:
        from sklearn.naive_bayes import GaussianNB
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        priors = None if self.class_weight == "none" else np.full(classes, 1.0 / classes)
        return make_pipeline(StandardScaler(), GaussianNB(priors=priors, var_smoothing=self.smoothing))


@settings(frozen=False, kw_only=True)
class RandomForestClassifier(Classifier):
    """A random forest that votes (scikit-learn; Breiman 2001, doi:10.1023/A:1010933404324)."""

    n_estimators: int = bounded(default=300, ge=1)
    """Number of trees."""
    min_samples_leaf: int = bounded(default=2, ge=1)
    """Smallest number of rows in a leaf."""

    def _classifier(self, smaller: int, classes: int) -> Any:
        from sklearn import ensemble

        return ensemble.RandomForestClassifier(
            n_estimators=self.n_estimators,
            min_samples_leaf=self.min_samples_leaf,
            random_state=self.seed,
            n_jobs=1,
            class_weight=self._weights,
        )


@settings(frozen=False, kw_only=True)
class SupportVectorClassifier(Classifier):
    """A support vector machine with a Gaussian kernel (scikit-learn; Cortes and Vapnik 1995, doi:10.1007/BF00994018).

    Its distance to the border becomes a probability by Platt's sigmoid, fitted on rows that were held out.
    """

    cost: float = bounded(default=1.0, gt=0)
    """Penalty of a row on the wrong side."""

    def _classifier(self, smaller: int, classes: int) -> Any:
        from sklearn.calibration import CalibratedClassifierCV
        from sklearn.model_selection import StratifiedKFold
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler
        from sklearn.svm import SVC

        parts = StratifiedKFold(min(5, smaller), shuffle=True, random_state=self.seed)
        machine = make_pipeline(StandardScaler(), SVC(C=self.cost, class_weight=self._weights))
        return CalibratedClassifierCV(machine, method="sigmoid", cv=parts, ensemble=False)


def _refuse_noise(noise: NDArray[np.float64] | None, name: str) -> None:
    if noise is not None:
        raise InputError(
            f"noise_std gives noise of '{name}', but a classifier takes classes as certain. Leave it out, or use "
            "a regression such as gaussian-process."
        )


def _by_property(y: pd.DataFrame) -> dict[str, list[str]]:
    """The columns of each property: several if it has classes."""
    groups: dict[str, list[str]] = {}
    for name in map(str, y.columns):
        groups.setdefault(class_property(name), []).append(name)
    return groups


def _exclusive(y: pd.DataFrame) -> bool:
    """Whether each known row is of exactly one class."""
    known = y[y.notna().any(axis=1)]
    return bool(known.isin([0.0, 1.0]).all(axis=None) and (known.sum(axis=1) == 1.0).all()) and all(
        SIGN in str(name) for name in y.columns
    )
