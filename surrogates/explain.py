"""What a fitted surrogate goes by: importance of columns, and how a prediction moves with one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError, nearest
from invdesign.surrogates.scikit_learn import as_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invdesign.surrogates.base import Surrogate


def permutation_importance(
    surrogate: Surrogate,
    frame: pd.DataFrame,
    y: pd.DataFrame | pd.Series,
    *,
    rng: np.random.Generator,
    repeats: int = 5,
) -> pd.DataFrame:
    """By how much the error grows when one column is shuffled (Breiman 2001; Fisher, Rudin and Dominici 2019).

    Columns are shuffled as the user knows them, not feature by feature: a formula is one column.

    Args:
        surrogate: fitted on other rows; on its own rows the importance would be that of what it remembers.
        frame: candidates, one row each.
        y: their property values; NaN where one is missing.
        rng: shuffles.
        repeats: shuffles of each column.

    Returns:
        One row for each property and column: ``importance``, the growth of the RMSE in the property's unit (mean over
        the repeats), and ``spread``, its standard deviation.
    """
    y = as_frame(y)
    base = _errors(surrogate.predict(frame), y)
    rows = []
    for column in frame.columns:
        grown = []
        for _ in range(repeats):
            shuffled = frame.copy()
            shuffled[column] = frame[column].to_numpy()[rng.permutation(len(frame))]
            grown.append(_errors(surrogate.predict(shuffled), y) - base)
        table = pd.DataFrame(grown)
        rows += [
            {"property": name, "column": column, "importance": table[name].mean(), "spread": table[name].std(ddof=0)}
            for name in y.columns
        ]
    found = pd.DataFrame(rows)
    return found.sort_values(["property", "importance"], ascending=[True, False], kind="stable", ignore_index=True)


def partial_dependence(
    surrogate: Surrogate, frame: pd.DataFrame, column: str, *, points: int = 25, values: Sequence[Any] | None = None
) -> pd.DataFrame:
    """The mean prediction over all candidates as one column takes each of some values (Friedman 2001).

    Args:
        surrogate: fitted.
        frame: candidates over which is averaged.
        column: which one is varied.
        points: values of a number, evenly between its smallest and its largest in ``frame``.
        values: other values; of words, those in ``frame`` where None.

    Returns:
        One row a value: the column itself, the mean of each property, and ``<property>_low`` and ``<property>_high``,
        the 10 and 90 % quantiles of the predictions over the candidates.

    Raises:
        InputError: where there is no such column.
    """
    if column not in frame:
        raise InputError(f"Unknown column '{column}'.{nearest(column, map(str, frame.columns))}")
    if values is None and pd.api.types.is_numeric_dtype(frame[column]):
        values = np.linspace(frame[column].min(), frame[column].max(), points).tolist()
    elif values is None:
        values = sorted(frame[column].unique())
    rows = []
    for value in values:
        predicted = surrogate.predict(frame.assign(**{column: value}))
        row = {column: value}
        for name in predicted.columns:
            row[str(name)] = float(predicted[name].mean())
            row[f"{name}_low"], row[f"{name}_high"] = predicted[name].quantile([0.1, 0.9])
        rows.append(row)
    return pd.DataFrame(rows)


def shapley_values(
    surrogate: Surrogate, frame: pd.DataFrame, background: pd.DataFrame, *, property_name: str, seed: int = 0
) -> pd.DataFrame:
    """Each column's share in each prediction (Lundberg and Lee 2017), by the shap library's permutation explainer.

    Args:
        surrogate: fitted.
        frame: candidates to explain.
        background: candidates that stand for "not knowing" a column; some ten are enough.
        property_name: which property.
        seed: of the permutations.

    Returns:
        One row a candidate, one column a column of ``frame``, in the property's unit; with the mean prediction over the
        background they add up to the prediction.

    Raises:
        InputError: where shap is not installed, or the property is unknown.
    """
    try:
        import shap
    except ImportError:
        raise InputError("Shapley values need shap. Install it: pip install 'invdesign[explain]'") from None
    if property_name not in surrogate.predict(frame.iloc[:1]):
        known = surrogate.predict(frame.iloc[:1]).columns
        raise InputError(f"Unknown property '{property_name}'.{nearest(property_name, map(str, known))}")
    # The library knows numbers only: rows of the two frames are named by their places, column by column.
    both = pd.concat([background, frame], ignore_index=True)

    def predicted(places: np.ndarray) -> np.ndarray:
        rows = {name: both[name].to_numpy()[places[:, at].astype(int)] for at, name in enumerate(both.columns)}
        return surrogate.predict(pd.DataFrame(rows))[property_name].to_numpy()

    numbered = np.repeat(np.arange(len(both))[:, None], len(both.columns), axis=1).astype(float)
    explainer = shap.PermutationExplainer(predicted, numbered[: len(background)], seed=seed)
    found = explainer(numbered[len(background) :], silent=True)
    return pd.DataFrame(found.values, columns=frame.columns, index=frame.index)


def _errors(predicted: pd.DataFrame, y: pd.DataFrame) -> pd.Series:
    return np.sqrt(((predicted[list(y.columns)] - y.set_axis(predicted.index)) ** 2).mean())
