"""Settings chosen by cross-validation where a family depends on them too much for a default."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5
LARGEST = 1000
"""Rows on which settings are chosen; of more, that many drawn at random."""


def tuned(
    estimator: Any,
    choices: Mapping[str, Sequence[Any]],
    features: NDArray[np.float64],
    values: NDArray[np.float64],
    *,
    seed: int,
) -> Any:
    """Chooses settings by the mean squared error on held-out rows.

    Args:
        estimator: unfitted, of scikit-learn's kind.
        choices: values to try for each of its settings; all combinations are tried.
        features: shape ``n x d``.
        values: shape ``n``.
        seed: decides which rows are used and which are held out together.

    Returns:
        An unfitted estimator with the best settings.
    """
    from sklearn.base import clone
    from sklearn.model_selection import GridSearchCV, KFold

    if all(len(tried) == 1 for tried in choices.values()):
        return clone(estimator).set_params(**{name: tried[0] for name, tried in choices.items()})
    chosen = np.sort(np.random.default_rng(seed).permutation(len(values))[:LARGEST])
    parts = KFold(min(FOLDS, len(chosen)), shuffle=True, random_state=seed)
    search = GridSearchCV(estimator, dict(choices), cv=parts, scoring="neg_mean_squared_error", refit=False, n_jobs=1)
    search.fit(features[chosen], values[chosen])
    return clone(estimator).set_params(**search.best_params_)
