"""Which features a Gaussian process takes of its candidates where the user does not say: those that predict best.

Of a molecule, all descriptors with one length scale tell similar molecules apart, those with length scales of their own
find the few that matter, and fingerprints (MinMax kernel), added to the descriptors with a learned weight, find the
fragments; beside two dozen quick descriptors with length scales of their own they find what both make together. Of
several molecules from short lists it may only count which they are. Which serves best depends on the property, and the
known values say it: each is predicted from all the others (leave one out, in closed form), and the features are taken
that give these values the greatest density. This is the score by which Vehtari, Gelman and Gabry (2017,
doi:10.1007/s11222-016-9696-4) compare models. It is too kind to many length scales: in a search these have to win by a
margin, elsewhere the hyperparameters are fitted again without the values that are predicted. For mixtures, the
fingerprints of the components are features or not, and a temperature beside them is the number itself or 1/(T - T0).
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
from invdesign.surrogates.gaussian_process.kernels import prior_covariance
from invdesign.surrogates.gaussian_process.model import CALIBRATION_FOLDS, PropertyModel

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pandas as pd
    from numpy.typing import NDArray

    from invdesign.core.columns import Column

COMPACT = Features(formulas="compact")
"""Features that tell candidates apart, and no more: each is a dimension in which the process has to be learned."""
CLEAR = 1.0
"""Standard errors by which a view has to be better than the first one to be taken, leaving out one."""
MOST_JUDGED, FEWEST_JUDGED = 200, 50
"""Rows by which views are compared by refits, and those of mixtures, and the fewest values among them of each
property."""
LARGEST_POOL = 20_000
"""Molecules up to which fingerprints are a view: as many as are kept in memory."""


@dataclass(frozen=True)
class View:
    """What a process sees of its candidates.

    Attributes:
        features: of them.
        ard: whether each feature has a length scale of its own; see ``GaussianProcess``.
        margin: by how much the logarithm of the density, leaving out one, has to be greater for each value on average,
            beside what is in doubt by its standard error.
        only_by_margin: whether it is taken only where it wins by its margin, also where views are compared by refits.
    """

    features: Features
    ard: bool | None = None
    margin: float = 0.0
    only_by_margin: bool = False


OVERFITTING = 1.0
"""What two hundred length scales may gain in a search without a law behind it.

They overfit the corner of a pool that a search has seen: leaving out one value, or a third of them with the length
scales fitted again, shows log densities 0.3-1.2 greater, while the rest of the pool is predicted worse, or with
deviations that are several times too small (reduction potentials, drug-likeness, hbe). Where a few descriptors
determine the property they are 1-5 greater. Hits of 60 on development with the margin, without it, and without the
view: hbe 55.5, 51.9, 55.5 (20 seeds; 53.7 with 0.6); three subsets of reduction potentials 32.0, 33.2, 32.0; five
properties that few descriptors determine 54.2, 55.1, 42.5; refractivity 42.3, 46.7, 42.3 (three seeds each);
drug-likeness with and without the margin 12.4, 16.6 (five seeds; it was no descriptor yet)."""
MOLECULE_VIEWS = (
    View(COMPACT),
    View(COMPACT, ard=True, margin=OVERFITTING),
    View(replace(COMPACT, molecules="both")),
    # Refits do not take it: of random molecules it is the best view only where it wins by the margin (development).
    View(replace(COMPACT, molecules="quick"), ard=True, margin=OVERFITTING, only_by_margin=True),
)
NAMES = View(replace(COMPACT, molecules="names"))
"""Which molecule of a short list it is, where several columns have molecules."""


def views(columns: Sequence[Column] | None, *, ard: bool | None = None) -> tuple[View, ...]:
    """What to choose from; the first is taken where none is clearly better.

    Args:
        columns: what the candidates consist of; guessed ones are never molecules.
        ard: whether each feature has a length scale of its own in every view; None leaves it to each.
    """
    found = _views(columns or ())
    if ard is None:
        return found
    return tuple(dict.fromkeys(replace(view, ard=ard, margin=0.0, only_by_margin=False) for view in found))


def _views(described: Sequence[Column]) -> tuple[View, ...]:
    pools = [len(column.values) for column in described if column.kind == "molecule"]
    if pools:
        found: tuple[View, ...] = MOLECULE_VIEWS
        if max(pools) > LARGEST_POOL:
            found = tuple(view for view in found if view.features.molecules == "descriptors")
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


def enough_for_refits(y: pd.DataFrame) -> bool:
    """Whether every property has enough known values to be predicted by fits on parts of them."""
    return bool((y.notna().sum() >= 2 * CALIBRATION_FOLDS).all())


def judged_rows(y: pd.DataFrame, columns: Sequence[Column] | None, *, by_refits: bool) -> NDArray[np.int64]:
    """The places of the rows by which views are compared: by refits, and of many mixtures, some at random, else all.

    Args:
        y: known values; all rows are taken if a property has few values among those drawn.
        columns: what the candidates consist of.
        by_refits: as for ``best_view``.
    """
    everything = np.arange(len(y))
    some = by_refits or any(column.kind == "mixture" for column in columns or ())
    if not some or len(y) <= MOST_JUDGED:
        return everything
    drawn = np.sort(np.random.default_rng(0).choice(len(y), MOST_JUDGED, replace=False))
    return everything if (y.iloc[drawn].notna().sum() < FEWEST_JUDGED).any() else drawn


def best_view(
    choice: Sequence[View], fits: Sequence[Iterable[PropertyModel | InducingPointModel]], *, by_refits: bool = False
) -> int:
    """The place of the view that predicts known values best; leaving out one, the first where none is clearly better.

    Args:
        choice: the views.
        fits: for each of them the models of the properties.
        by_refits: whether, where no view wins by its margin, that one is taken which predicts values best by
            hyperparameters that were fitted without them. Two thirds of the values may not show a law that all do.
    """
    densities = np.array([left_out_density(models) for models in fits])
    gained = densities - densities[0]
    error = gained.std(axis=1) * np.sqrt(gained.shape[1])
    margins = np.array([view.margin for view in choice]) * gained.shape[1]
    best = int(np.argmax(gained.sum(axis=1) - CLEAR * error - margins))
    if not by_refits or choice[best].margin:
        return best
    # The sum decides: asking for a standard error more made the errors of none of twelve development cases smaller, and
    # those of six larger (six pools, 60 and 200 molecules learned).
    places = [place for place, view in enumerate(choice) if not view.only_by_margin]
    return max(places, key=lambda place: float(refitted_density(fits[place]).sum()))


def left_out_density(models: Iterable[PropertyModel | InducingPointModel]) -> NDArray[np.float64]:
    """Logarithm of the density of each known value where it is predicted from the others, shape ``n``.

    Args:
        models: of the properties, whose values follow each other. Of one by inducing points, the rows that its
            hyperparameters were fitted on count.
    """
    found = []
    for model in map(_core, models):
        means, deviations = model.left_out()
        errors = (model.standard * model.spread + model.centre - means) / deviations
        found.append(-0.5 * errors**2 - np.log(deviations / model.spread))
    return np.concatenate(found)


def refitted_density(models: Iterable[PropertyModel | InducingPointModel]) -> NDArray[np.float64]:
    """The same where hyperparameters are fitted again on the others, a third of the values left out at a time.

    Args:
        models: as for ``left_out_density``.
    """
    found = []
    for model in map(_core, models):
        # From the prior's mode: the fitted hyperparameters know what is to be predicted.
        means, deviations = model.refitted(prior_covariance(model.covariance.name, model.covariance.terms))
        found.append(-0.5 * ((model.standard - means) / deviations) ** 2 - np.log(deviations))
    return np.concatenate(found)


def _core(fitted: PropertyModel | InducingPointModel) -> PropertyModel:
    return fitted.core if isinstance(fitted, InducingPointModel) else fitted
