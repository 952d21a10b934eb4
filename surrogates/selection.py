"""Choosing among model families by what they predict of rows that they never saw.

Everything that is learned is learned inside the fold: features, imputation, settings and the choice of a family. The
choice itself is a surrogate (``Chosen``), so that holding rows out of it is nested cross-validation (Cawley and Talbot
2010, JMLR 11, 2079).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, Self, overload

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.surrogates.base import Surrogate, noise_argument
from invdesign.surrogates.validation import class_scores, held_out_predictions, scores

if TYPE_CHECKING:
    from invdesign.core.columns import Column

CHOICE = "the choice itself"
"""The row of a comparison in which each fold takes the family that was best on the other folds' rows."""


@dataclass
class Chosen:
    """A surrogate that chooses among others by cross-validation on the rows that it is fitted on.

    Attributes:
        among: unfitted surrogates.
        folds: of the inner cross-validation.
        seed: decides the folds.
    """

    among: tuple[Surrogate, ...]
    folds: int = 3
    seed: int = 0
    _model: Surrogate | None = field(default=None, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.among:
            raise InputError("There is nothing to choose among: give one surrogate or more.")

    @property
    def model(self) -> Surrogate:
        """The chosen surrogate, fitted.

        Raises:
            InputError: where it has not been fitted.
        """
        if self._model is None:
            raise InputError("This surrogate has not been fitted. Call fit first.")
        return self._model

    def fit(
        self,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        *,
        columns: Sequence[Column] | None = None,
        noise_std: pd.DataFrame | None = None,
    ) -> Self:
        """Chooses, and fits the chosen one on all rows; see ``Surrogate.fit``."""
        best = self.among[0]
        if len(self.among) > 1:
            errors = [self._error(surrogate, frame, y, columns, noise_std) for surrogate in self.among]
            best = self.among[int(np.argmin(errors))]
        self._model = _unfitted(best).fit(frame, y, columns=columns, **noise_argument(noise_std))
        return self

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...

    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        """Predicts by the chosen surrogate; see ``Surrogate.predict``."""
        return self.model.predict(frame, return_std=True) if return_std else self.model.predict(frame)

    def noise_std(self) -> Mapping[str, float]:
        """The noise that the chosen surrogate learned; see ``Surrogate.noise_std``."""
        return self.model.noise_std()

    def _error(
        self,
        surrogate: Surrogate,
        frame: pd.DataFrame,
        y: pd.DataFrame,
        columns: Sequence[Column] | None,
        noise_std: pd.DataFrame | None,
    ) -> float:
        rng = np.random.default_rng(self.seed)
        predictions = held_out_predictions(
            surrogate, frame, y, columns=columns, folds=self.folds, rng=rng, noise_std=noise_std
        )
        return relative_error(scores(predictions), y)


@dataclass(frozen=True)
class Comparison:
    """What cross-validation found of several families.

    Attributes:
        table: one row for each family, split and property: ``count``, ``rmse``, ``mae``, ``r2``, ``coverage`` of the
            90 % intervals, ``nll``, and ``seconds`` of one fit and prediction; for classifiers also the scores of
            ``class_scores``.
        predictions: held-out predictions by family and split; see ``held_out_predictions``.
        failed: families that could not be fitted, and why.
    """

    table: pd.DataFrame
    predictions: Mapping[tuple[str, str], pd.DataFrame]
    failed: Mapping[str, str]


def compare(
    families: Mapping[str, Surrogate],
    frame: pd.DataFrame,
    y: pd.DataFrame,
    *,
    columns: Sequence[Column] | None,
    splits: Mapping[str, Sequence[Hashable] | None],
    folds: int = 5,
    seed: int = 0,
    on_progress: Callable[[str, str], None] | None = None,
) -> Comparison:
    """Holds the same rows out of every family, by every way of splitting.

    Args:
        families: an unfitted surrogate by name.
        frame: candidates, one row each.
        y: property values; NaN where one is missing.
        columns: what the columns of ``frame`` are.
        splits: the groups of the rows by the split's name; None for a random split.
        folds: of the outer cross-validation.
        seed: decides the folds; all families get the same ones.
        on_progress: called with a family and a split before they are tried.

    Raises:
        InputError: where no family can be fitted; the reason of the first is given.
    """
    tables: list[pd.DataFrame] = []
    predictions: dict[tuple[str, str], pd.DataFrame] = {}
    failed: dict[str, str] = {}
    for name, surrogate in families.items():
        for split, groups in splits.items():
            if name in failed:
                continue
            if on_progress is not None:
                on_progress(name, split)
            start = time.perf_counter()
            rng = np.random.default_rng(seed)
            try:
                held = held_out_predictions(surrogate, frame, y, columns=columns, folds=folds, groups=groups, rng=rng)
            except InputError as error:
                failed[name] = str(error)
                continue
            seconds = (time.perf_counter() - start) / folds
            predictions[name, split] = held
            scored = scores(held)
            if _are_classes(held):
                scored = class_scores(held).join(scored.drop(columns="count"))
            scored = scored.reset_index()
            tables.append(scored.assign(family=name, split=split, seconds=seconds))
    if not tables:
        raise InputError(f"No family can be fitted: {next(iter(failed.values()), 'none was given')}")
    table = pd.concat(tables, ignore_index=True)
    leading = ["family", "split", "property"]
    return Comparison(table[[*leading, *(name for name in table.columns if name not in leading)]], predictions, failed)


@dataclass(frozen=True)
class Recommendation:
    """Which family to take.

    Attributes:
        family: its name.
        split: by which the families were compared.
        reason: in words, with the figures that decided.
    """

    family: str
    split: str
    reason: str


def recommend(comparison: Comparison, *, split: str, because: str = "it was asked for") -> Recommendation:
    """The family of the smallest error; among those as good to within the noise of the folds, the best calibrated.

    Two families are as good where their errors differ by less than the standard error of the difference of their
    squared errors, row by row (a paired comparison: the rows are the same).

    Args:
        comparison: of several families.
        split: which one decides: the one that is nearest to how the model will be used.
        because: why it is that one, as a clause.
    """
    table = comparison.table[(comparison.table["split"] == split) & (comparison.table["family"] != CHOICE)]
    errors = {name: _relative(comparison.predictions[str(name), split]) for name in table["family"].unique()}
    means = {name: float(error.mean()) for name, error in errors.items()}
    best = min(means, key=means.__getitem__)
    alike = []
    for name, error in errors.items():
        gap = error - errors[best]
        if name == best or gap.mean() <= gap.std(ddof=1) / np.sqrt(len(gap)):
            alike.append(name)
    classes = "log_loss" in table
    surprise = table.groupby("family")["log_loss" if classes else "nll"].mean()
    chosen = min(alike, key=lambda name: (np.nan_to_num(surprise[name], nan=np.inf), means[name]))
    own = table[table["family"] == chosen]
    everywhere = comparison.table[(comparison.table["family"] == chosen) & (comparison.table["split"] != split)]
    figures = "; ".join(
        f"{row.property}: F1 {row.f1:.2f}, balanced accuracy {row.balanced_accuracy:.2f}, Brier score {row.brier:.3g}"
        if classes
        else f"{row.property}: RMSE {row.rmse:.3g}{_beside(everywhere, str(row.property))}, R2 {row.r2:.3f}, "
        f"coverage {row.coverage:.2f}"
        for row in own.itertuples()
    )
    others = [name for name in alike if name != chosen]
    beside = (
        f" As good within the noise of the folds: {', '.join(others)}; it has the best likelihood." if others else ""
    )
    best_of = f"Smallest error on held-out rows of the {split} split: {figures}.{beside}"
    reason = f"{best_of} This split decides because {because}."
    return Recommendation(str(chosen), split, reason)


def _beside(other: pd.DataFrame, name: str) -> str:
    """The errors of the same family by the other splits, in words."""
    rows = other[other["property"] == name]
    found = ", ".join(f"{row.split} split {row.rmse:.3g}" for row in rows.itertuples())
    return f" ({found})" if found else ""


def _are_classes(predictions: pd.DataFrame) -> bool:
    """Whether all known values are 0 or 1 and all predictions are probabilities."""
    return bool(predictions["observed"].isin([0.0, 1.0]).all() and predictions["mean"].between(0.0, 1.0).all())


def relative_error(scored: pd.DataFrame, y: pd.DataFrame) -> float:
    """RMSE in units of each property's spread, over all properties (root of the mean square)."""
    spread = y.std(ddof=0)
    ratios = (scored["rmse"] / spread.reindex(scored.index)).replace([np.inf, -np.inf], np.nan).dropna()
    return float(np.sqrt(np.mean(np.square(ratios)))) if len(ratios) else 0.0


def _relative(predictions: pd.DataFrame) -> np.ndarray:
    """Squared errors row by row, each in units of its property's variance."""
    variance = predictions.groupby("property")["observed"].transform(lambda values: values.var(ddof=0) or 1.0)
    return (((predictions["mean"] - predictions["observed"]) ** 2) / variance).to_numpy(np.float64)


def _unfitted(surrogate: Surrogate) -> Surrogate:
    settings: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
    fresh: Surrogate = replace(settings)
    return fresh
