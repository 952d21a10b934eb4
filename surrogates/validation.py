"""How good a surrogate is on candidates that it never saw: held-out predictions and their scores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from surrogates.base import Surrogate
from surrogates.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from surrogates.columns import Column

AnySurrogate = TypeVar("AnySurrogate", bound=Surrogate)
Z90 = 1.6448536269514722
"""Half the width of a normal distribution's central 90 % interval, in standard deviations."""


def held_out_predictions(
    surrogate: Surrogate,
    frame: pd.DataFrame,
    y: pd.DataFrame,
    *,
    columns: Sequence[Column] | None,
    folds: int = 5,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Predicts every known value by a model that was fitted without it (k-fold cross-validation).

    Args:
        surrogate: its settings are used; it is not fitted itself.
        frame: candidates, one row each.
        y: property values, one column a property, same rows as ``frame``; NaN where a value is missing.
        columns: what the columns of ``frame`` are; guessed from their types where None.
        folds: into how many parts the rows are cut; each part is predicted from all the others.
        rng: decides which row falls into which part.

    Returns:
        One row for each known value, properties one after the other, with the index of ``frame`` (repeated for each
        property) and the columns ``property``, ``fold``, ``observed``, ``mean``, ``std`` (of the property itself) and
        ``noise`` (the learned standard deviation of observing it; 0 where the surrogate learns none).

    Raises:
        InputError: where a property has fewer values than there are folds, or the surrogate cannot be fitted.
    """
    if folds < 2:
        raise InputError(f"Cross-validation needs two folds or more, not {folds}.")
    if len(frame) != len(y):
        raise InputError(f"There are {len(frame)} candidates and {len(y)} rows of values.")
    for name, count in y.notna().sum().items():
        if count < folds:
            raise InputError(
                f"Property '{name}' has {count} values; {folds}-fold cross-validation needs {folds} or more."
            )
    fold_of = _folds(y, folds, rng)
    pieces = [
        _one_fold(surrogate, frame, y, columns, inside=fold_of == fold).assign(fold=fold) for fold in range(folds)
    ]
    everything = pd.concat(pieces)
    # Back in the order of the rows, whatever fold they fell into.
    place = everything.pop("place").to_numpy()
    rank = {name: number for number, name in enumerate(y.columns)}
    order = np.lexsort((place, everything["property"].map(rank).to_numpy()))
    return everything.iloc[order]


def total_std(predictions: pd.DataFrame) -> NDArray[np.float64]:
    """Standard deviation of the value that would be observed: that of the property and the noise together."""
    return np.hypot(predictions["std"].to_numpy(np.float64), predictions["noise"].to_numpy(np.float64))


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Scores held-out predictions, property by property.

    Args:
        predictions: as ``held_out_predictions`` returns them.

    Returns:
        One row a property: ``count`` of values; ``rmse`` and ``mae`` in the property's unit; ``r2``, the share of the
        variance explained (NaN where all values are equal); ``coverage``, the share of values within the 90 % interval,
        which counts the learned noise; ``nll``, the mean negative log-likelihood (NaN where one claims certainty).
    """
    rows = {str(name): _scores(part) for name, part in predictions.groupby("property", sort=False)}
    names = ["count", "rmse", "mae", "r2", "coverage", "nll"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).astype({"count": int}).rename_axis("property")


def _scores(part: pd.DataFrame) -> list[float]:
    error = part["mean"].to_numpy(np.float64) - part["observed"].to_numpy(np.float64)
    deviation = total_std(part)
    variance = float(part["observed"].var(ddof=0))
    squared = float(np.mean(error**2))
    with np.errstate(divide="ignore", invalid="ignore"):
        surprise = 0.5 * np.log(2.0 * np.pi * deviation**2) + 0.5 * (error / deviation) ** 2
    return [
        len(part),
        np.sqrt(squared),
        float(np.mean(np.abs(error))),
        1.0 - squared / variance if variance > 0.0 else np.nan,
        float(np.mean(np.abs(error) <= Z90 * deviation)),
        float(np.mean(surprise)) if (deviation > 0.0).all() else np.nan,
    ]


def _folds(y: pd.DataFrame, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row: random, but with rows that lack the same values spread evenly over the folds."""
    shuffled = rng.permutation(len(y))
    pattern = [tuple(row) for row in y.notna().to_numpy()[shuffled]]
    dealt = shuffled[sorted(range(len(y)), key=pattern.__getitem__)]
    fold_of = np.empty(len(y), dtype=np.int64)
    fold_of[dealt] = np.arange(len(y)) % folds
    return fold_of


def _one_fold(
    surrogate: Surrogate,
    frame: pd.DataFrame,
    y: pd.DataFrame,
    columns: Sequence[Column] | None,
    *,
    inside: NDArray[np.bool_],
) -> pd.DataFrame:
    """Predictions of the rows inside a fold from those outside, one row for each known value."""
    model = _unfitted(surrogate).fit(frame[~inside], y[~inside], columns=columns)
    asked = frame[inside]
    means, deviations = model.predict(asked, return_std=True)
    noise = model.noise_std() if hasattr(model, "noise_std") else {}
    pieces = [
        pd.DataFrame(
            {
                "property": name,
                "observed": y.loc[inside, name].to_numpy(np.float64),
                "mean": means[name].to_numpy(np.float64),
                "std": deviations[name].to_numpy(np.float64),
                "noise": float(noise.get(name, 0.0)),
                "place": np.flatnonzero(inside),
            },
            index=asked.index,
        )
        for name in y.columns
    ]
    predicted = pd.concat(pieces)
    return predicted[predicted["observed"].notna()]


def _unfitted(surrogate: AnySurrogate) -> AnySurrogate:
    settings: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
    fresh: AnySurrogate = replace(settings)
    return fresh
