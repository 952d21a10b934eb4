"""Which features a Gaussian process takes of its candidates where the user does not say: those that predict best.

Of a molecule, all descriptors with one length scale tell similar molecules apart, those with length scales of their own
find the few that matter, and fingerprints (MinMax kernel), added to the descriptors with a learned weight, find the
fragments. Of several molecules from short lists it may only count which they are. Which serves best depends on the
property, and the known values say it: each is predicted from all the others (leave one out, in closed form), and the
features are taken that give these values the greatest density. This is the score by which Vehtari, Gelman and Gabry
(2017, doi:10.1007/s11222-016-9696-4) compare models. For mixtures, the fingerprints of the components are features or
not, and a temperature beside them is the number itself or 1/(T - T0).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from invdesign.surrogates.features.featurizer import MOST_VALUES
from invdesign.surrogates.features.mixtures import compared
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.features.temperatures import is_temperature
from invdesign.surrogates.gaussian_process.inducing_points import InducingPointModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.core.columns import Column
    from invdesign.surrogates.gaussian_process.model import PropertyModel

COMPACT = Features(formulas="compact")
"""Features that tell candidates apart, and no more: each is a dimension in which the process has to be learned."""
CLEAR = 1.0
"""Standard errors by which a view has to be better than the first one to be taken."""
MOST_JUDGED, FEWEST_JUDGED = 200, 50
"""Rows by which the views of mixtures are compared, and the fewest values among them of each property."""
LARGEST_POOL = 20_000
"""Molecules up to which fingerprints are a view: as many as are kept in memory."""


@dataclass(frozen=True)
class View:
    """What a process sees of its candidates.

    Attributes:
        features: of them.
        ard: whether each feature has a length scale of its own; see ``GaussianProcess``.
    """

    features: Features
    ard: bool | None = None


MOLECULE_VIEWS = (View(COMPACT), View(COMPACT, ard=True), View(replace(COMPACT, molecules="both")))
"""Descriptors with length scales of their own found 54 hits of 60 where one for all found 37, and 47 for 42, on pools
for development; as many on one subset of reduction potentials, 29 for 34 on another, and 53.5 for 55.5 on hbe
(``benchmarks/optimizers/molecule_pools.py``, ``pools.py``)."""
NAMES = View(replace(COMPACT, molecules="names"))
"""Which molecule of a short list it is, where several columns have molecules."""


def views(columns: Sequence[Column] | None, *, ard: bool | None = None) -> tuple[View, ...]:
    """What to choose from; the first is taken where none is clearly better.

    Args:
        columns: what the candidates consist of; guessed ones are never molecules.
        ard: whether each feature has a length scale of its own in every view; None leaves it to each.
    """
    found = _views(columns or ())
    return found if ard is None else tuple(dict.fromkeys(replace(view, ard=ard) for view in found))


def _views(described: Sequence[Column]) -> tuple[View, ...]:
    pools = [len(column.values) for column in described if column.kind == "molecule"]
    if pools:
        found = MOLECULE_VIEWS if max(pools) <= LARGEST_POOL else MOLECULE_VIEWS[:-1]
        # Names first: of a dozen molecules in each of three columns the descriptors fit what single ones do by chance
        # (hits of 60 among the best hundredth of electrolytes, four seeds: 39.3 with names first, 37.3 with them last,
        # 36.7 without on three of the seeds, where names have 44.0).
        return (NAMES, *found) if len(pools) > 1 and any(1 < count <= MOST_VALUES for count in pools) else found
    mixtures = [column for column in described if column.kind == "mixture"]
    features: tuple[Features, ...] = (COMPACT,)
    if any(compared(column.components) for column in mixtures):
        # Fingerprints first: where few values choose nothing, they predict components that were not measured best.
        features = (replace(COMPACT, mixtures="both"), *features)
    if mixtures and any(map(is_temperature, described)):
        # The law first: of electrolytes it predicts other papers, salts and temperatures better, which the known values
        # may not show.
        features = (*(replace(one, temperatures="vogel-fulcher-tammann") for one in features), *features)
    return tuple(map(View, features))


def judged_rows(y: pd.DataFrame, columns: Sequence[Column] | None) -> NDArray[np.int64]:
    """The places of the rows by which views are compared: of many mixtures some at random, else all.

    Args:
        y: known values; all rows are taken if a property has few values among those drawn.
        columns: what the candidates consist of.
    """
    everything = np.arange(len(y))
    if len(y) <= MOST_JUDGED or not any(column.kind == "mixture" for column in columns or ()):
        return everything
    drawn = np.sort(np.random.default_rng(0).choice(len(y), MOST_JUDGED, replace=False))
    return everything if (y.iloc[drawn].notna().sum() < FEWEST_JUDGED).any() else drawn


def best_view(fits: Sequence[Iterable[PropertyModel | InducingPointModel]]) -> int:
    """The place of the view that predicts known values best, or of the first where none is clearly better.

    Args:
        fits: for each view the models of the properties.
    """
    densities = np.array([left_out_density(models) for models in fits])
    gained = densities - densities[0]
    error = gained.std(axis=1) * np.sqrt(gained.shape[1])
    clear = gained.sum(axis=1) - CLEAR * error
    return int(np.argmax(clear))


def left_out_density(models: Iterable[PropertyModel | InducingPointModel]) -> NDArray[np.float64]:
    """Logarithm of the density of each known value where it is predicted from the others, shape ``n``.

    Args:
        models: of the properties, whose values follow each other. Of one by inducing points, the rows that its
            hyperparameters were fitted on count.
    """
    found = []
    for fitted in models:
        model = fitted.core if isinstance(fitted, InducingPointModel) else fitted
        means, deviations = model.left_out()
        errors = (model.standard * model.spread + model.centre - means) / deviations
        found.append(-0.5 * errors**2 - np.log(deviations / model.spread))
    return np.concatenate(found)
