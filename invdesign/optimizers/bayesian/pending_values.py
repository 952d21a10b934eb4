"""What the Bayesian optimizer takes for the values of pending candidates while it chooses the others of a batch.

Given their predicted means, the model only becomes surer (the kriging believer of Ginsbourger, Le Riche and Carraro
2010, doi:10.1007/978-3-642-10701-6_6). Where all targets are bounds, a batch of eight then finds less than eight
evaluations in turn, in part because it begins with eight candidates that are promising for the same reason. So until a
candidate that meets the targets is known, pending ones are taken to miss: their values are a standard deviation farther
from the targets, and the next candidate is promising all the same. Afterwards they are drawn from their predictions, so
that no mistake of the model is repeated in the whole batch.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.optimizers.bayesian.acquisition import predicted
from invdesign.optimizers.success import without_success

if TYPE_CHECKING:
    import pandas as pd

    from invdesign.surrogates.base import Surrogate
    from invdesign.targets import Targets


def pending_values(
    model: Surrogate, pending: pd.DataFrame, *, targets: Targets, reached: bool, seed: int
) -> pd.DataFrame:
    """Values of pending candidates by which a model is conditioned; same rows, one column for each property.

    Off (means only), hits of 60 in batches of 8 on development (hbe and three subsets of reduction potentials, 20
    seeds): 46.8, 30.0, 28.9, 27.5 for 48.7, 31.4, 29.7, 31.1.

    Args:
        model: fitted.
        pending: the candidates.
        targets: in the units of the properties; where a property is optimized, means are taken.
        reached: whether a candidate that meets all targets is known.
        seed: of the draws, those of the first candidates do not depend on how many follow.
    """
    if targets.optimized:
        return model.predict(pending)
    mean, std = predicted(model, pending)
    bounded = [name for name in mean.columns if name in without_success(targets).properties]
    drawn = np.random.default_rng(seed).standard_normal((len(pending), len(bounded)))
    values = mean.copy()
    for place, name in enumerate(bounded):
        window = targets.window(name)
        if window is None:
            continue
        # Away from the target, so that a property and its negative are searched alike.
        away = np.where(mean[name] < sum(window.interval) / 2.0, -1.0, 1.0)
        values[name] += away * (drawn[:, place] if reached else 1.0) * std[name]
    return values
