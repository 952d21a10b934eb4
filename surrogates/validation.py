"""How good a surrogate is on candidates that it never saw: held-out predictions and their scores."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd

from invdesign.core.classes import class_property
from invdesign.core.errors import InputError
from invdesign.surrogates.base import NoiseAtCandidates, Surrogate, noise_argument
from invdesign.surrogates.checks import known_noise
from invdesign.surrogates.scikit_learn import as_frame

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from numpy.typing import NDArray

    from invdesign.core.columns import Column

AnySurrogate = TypeVar("AnySurrogate", bound=Surrogate)
Z90 = 1.6448536269514722
"""Half the width of a normal distribution's central 90 % interval, in standard deviations."""


def held_out_predictions(
    surrogate: Surrogate,
    frame: pd.DataFrame,
    y: pd.DataFrame | pd.Series,
    *,
    columns: Sequence[Column] | None = None,
    folds: int = 5,
    groups: Sequence[Hashable] | None = None,
    rng: np.random.Generator,
    noise_std: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Predicts every known value by a model that was fitted without it (k-fold cross-validation).

    Rows that are alike, such as those of one paper or one family of compositions, make a random split flatter a model:
    it has seen the row's sibling. Give them as groups, and each is held out as a whole.

    Args:
        surrogate: its settings are used; it is not fitted itself.
        frame: candidates, one row each.
        y: property values, one column a property, same rows as ``frame``; NaN if a value is missing.
        columns: what the columns of ``frame`` are; guessed from their types if None.
        folds: into how many parts the rows are cut; each part is predicted from all the others.
        groups: for each row what it belongs to; the rows of one group are always in the same part. None: each row for
            itself.
        rng: decides which row falls into which part.
        noise_std: known standard deviation of each value, NaN where it is unknown; see ``Surrogate.fit``.

    Returns:
        One row for each known value, properties one after the other, with the index of ``frame`` (repeated for each
        property) and the columns ``property``, ``fold``, ``observed``, ``mean``, ``std`` (of the property itself) and
        ``noise`` (the standard deviation of measuring it, known or learned).

    Raises:
        InputError: if a property has values in fewer rows, or groups, than there are folds, or the surrogate cannot
            be fitted.
    """
    y = as_frame(y)
    if folds < 2:
        raise InputError(f"Cross-validation needs two folds or more, not {folds}.")
    if len(frame) != len(y):
        raise InputError(f"There are {len(frame)} candidates and {len(y)} rows of values.")
    group_of = np.arange(len(y)) if groups is None else _numbered(groups, len(y))
    for name in y.columns:
        known = group_of[y[name].notna().to_numpy()]
        count = len(np.unique(known))
        if count < folds:
            what = f"{count} values" if groups is None else f"values in {count} groups"
            raise InputError(f"Property '{name}' has {what}; {folds}-fold cross-validation needs {folds} or more.")
    fold_of = random_folds(y, folds, rng) if groups is None else _group_folds(y, group_of, folds, rng)
    noise = known_noise(noise_std, y)
    pieces = [
        _one_fold(surrogate, frame, y, columns, noise, inside=fold_of == fold).assign(fold=fold)
        for fold in range(folds)
    ]
    everything = pd.concat(pieces)
    # Back in the order of the rows, whatever fold they fell into.
    place = everything.pop("place").to_numpy()
    rank = {name: number for number, name in enumerate(y.columns)}
    order = np.lexsort((place, everything["property"].map(rank).to_numpy()))
    return everything.iloc[order]


def total_std(predictions: pd.DataFrame) -> NDArray[np.float64]:
    """Standard deviation of a new measurement: that of the property and the noise together."""
    return np.hypot(predictions["std"].to_numpy(np.float64), predictions["noise"].to_numpy(np.float64))


def scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Scores held-out predictions, property by property.

    Args:
        predictions: as ``held_out_predictions`` returns them.

    Returns:
        One row a property: ``count`` of values; ``rmse`` and ``mae`` in the property's unit; ``r2``, the share of the
        variance explained (NaN if all values are equal); ``coverage``, the share of values within the 90 % interval,
        which counts the learned noise; ``nll``, the mean negative log-likelihood (NaN if one claims certainty).
    """
    rows = {str(name): _scores(part) for name, part in predictions.groupby("property", sort=False)}
    names = ["count", "rmse", "mae", "r2", "coverage", "nll"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).astype({"count": int}).rename_axis("property")


def class_scores(predictions: pd.DataFrame) -> pd.DataFrame:
    """Scores held-out predictions of properties that are 0 or 1, whose means are probabilities of 1.

    Args:
        predictions: as ``held_out_predictions`` returns them.

    Returns:
        One row a property: ``count`` of values; ``accuracy``, the share on the right side of 0.5;
        ``balanced_accuracy``, the mean of the two classes' own; ``roc_auc``, the chance that a 1 is ranked above a 0
        (both NaN if there is one class); ``f1``, the harmonic mean of precision and recall of the ones;
        ``log_loss``, the mean negative log-likelihood; ``brier``, the mean squared error of the probability. For each
        property with several classes, such as ``structure=layered``, one more row ``structure``: the class of the
        highest probability is the prediction, ``balanced_accuracy`` and ``f1`` are means over the classes (macro),
        ``roc_auc`` is that of one class against the rest, and ``brier`` adds up the classes' errors.

    Raises:
        InputError: if an observed value is neither 0 nor 1, or a mean is not a probability.
    """
    rows: dict[str, list[float]] = {}
    groups: dict[str, dict[str, pd.DataFrame]] = {}
    for name, part in predictions.groupby("property", sort=False):
        rows[str(name)] = _class_scores(str(name), part)
        groups.setdefault(class_property(str(name)), {})[str(name)] = part
    rows |= {owner: _many_class_scores(parts) for owner, parts in groups.items() if len(parts) > 1}
    names = ["count", "accuracy", "balanced_accuracy", "roc_auc", "f1", "log_loss", "brier"]
    return pd.DataFrame.from_dict(rows, orient="index", columns=names).astype({"count": int}).rename_axis("property")


def _class_scores(name: str, part: pd.DataFrame) -> list[float]:
    from sklearn import metrics

    observed, chance = part["observed"].to_numpy(np.float64), part["mean"].to_numpy(np.float64)
    if not np.isin(observed, (0.0, 1.0)).all():
        raise InputError(f"Property '{name}' has values other than 0 and 1; class scores are not for it.")
    if ((chance < 0.0) | (chance > 1.0)).any():
        raise InputError(f"The predictions of '{name}' are not probabilities; class scores need a classifier.")
    guessed = (chance >= 0.5).astype(np.float64)
    both = len(np.unique(observed)) == 2
    return [
        len(part),
        float(metrics.accuracy_score(observed, guessed)),
        float(metrics.balanced_accuracy_score(observed, guessed)) if both else np.nan,
        float(metrics.roc_auc_score(observed, chance)) if both else np.nan,
        float(metrics.f1_score(observed, guessed, zero_division=0.0)),
        float(metrics.log_loss(observed, chance, labels=[0.0, 1.0])),
        float(metrics.brier_score_loss(observed, chance, pos_label=1.0)),
    ]


def _many_class_scores(parts: Mapping[str, pd.DataFrame]) -> list[float]:
    """The scores of one property of several classes; see ``class_scores``."""
    from sklearn import metrics

    ones = np.column_stack([part["observed"].to_numpy(np.float64) for part in parts.values()])
    chance = np.column_stack([part["mean"].to_numpy(np.float64) for part in parts.values()])
    chance = chance / chance.sum(axis=1, keepdims=True)
    observed, guessed = ones.argmax(axis=1), chance.argmax(axis=1)
    present = np.unique(observed)
    areas = [metrics.roc_auc_score(ones[:, place], chance[:, place]) for place in present if len(present) > 1]
    return [
        len(observed),
        float(metrics.accuracy_score(observed, guessed)),
        float(metrics.balanced_accuracy_score(observed, guessed)) if len(present) > 1 else np.nan,
        float(np.mean(areas)) if areas else np.nan,
        float(metrics.f1_score(observed, guessed, average="macro", labels=present, zero_division=0.0)),
        float(metrics.log_loss(observed, chance, labels=np.arange(len(parts)))),
        float(np.mean(np.sum((chance - ones) ** 2, axis=1))),
    ]


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


def random_folds(y: pd.DataFrame, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """The fold of each row: random, but with rows that lack the same values spread evenly over the folds."""
    shuffled = rng.permutation(len(y))
    pattern = [tuple(row) for row in y.notna().to_numpy()[shuffled]]
    dealt = shuffled[sorted(range(len(y)), key=pattern.__getitem__)]
    fold_of = np.empty(len(y), dtype=np.int64)
    fold_of[dealt] = np.arange(len(y)) % folds
    return fold_of


def _numbered(groups: Sequence[Hashable], rows: int) -> NDArray[np.int64]:
    """The number of each row's group."""
    if len(groups) != rows:
        raise InputError(f"There are {len(groups)} groups for {rows} candidates; each row needs one.")
    for row, group in enumerate(groups):
        if group is None or group != group:  # noqa: PLR0124 - true of NaN alone
            raise InputError(f"Row {row} has no group. Give it one of its own where it belongs to none.")
    numbers: dict[Hashable, int] = {}
    return np.array([numbers.setdefault(group, len(numbers)) for group in groups])


def _group_folds(
    y: pd.DataFrame, group_of: NDArray[np.int64], folds: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """The fold of each row, by groups: in random order, the large ones first, each to the fold that needs it most."""
    known = y.notna().to_numpy(np.float64)
    held = np.zeros((group_of.max() + 1, known.shape[1]))
    np.add.at(held, group_of, known / known.sum(axis=0))
    shuffled = rng.permutation(len(held))
    filled = np.zeros((folds, known.shape[1]))
    fold_of_group = np.empty(len(held), dtype=np.int64)
    for group in shuffled[np.argsort(-held[shuffled].sum(axis=1), kind="stable")]:
        fold = int(np.argmin(filled @ held[group]))
        fold_of_group[group] = fold
        filled[fold] += held[group]
    return fold_of_group[group_of]


def _one_fold(
    surrogate: Surrogate,
    frame: pd.DataFrame,
    y: pd.DataFrame,
    columns: Sequence[Column] | None,
    known: pd.DataFrame | None,
    *,
    inside: NDArray[np.bool_],
) -> pd.DataFrame:
    """Predictions of the rows inside a fold from those outside, one row for each known value."""
    given = noise_argument(None if known is None else known[~inside])
    model = _unfitted(surrogate).fit(frame[~inside], y[~inside], columns=columns, **given)
    asked = frame[inside]
    means, deviations = model.predict(asked, return_std=True)
    noise = model.noise_std()
    at = model.noise_std_at(asked) if isinstance(model, NoiseAtCandidates) else pd.DataFrame(noise, index=asked.index)
    own = at if known is None else known[inside].fillna(at)
    pieces = [
        pd.DataFrame(
            {
                "property": name,
                "observed": y.loc[inside, name].to_numpy(np.float64),
                "mean": means[name].to_numpy(np.float64),
                "std": deviations[name].to_numpy(np.float64),
                "noise": own[name].to_numpy(np.float64),
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
