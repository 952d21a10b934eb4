"""What a model of the stored values expects of candidates: means, 90 % ranges, chances to meet targets, distances."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.objectives.base import DISTANCE
from invdesign.surrogates.base import noise_argument
from invdesign.surrogates.distance import TrainingDistance

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invdesign.core.columns import Column
    from invdesign.optimizers.base import History
    from invdesign.surrogates.base import Surrogate
    from invdesign.targets import Targets

FEWEST_VALUES = 3
"""Values of each property below which nothing is expected."""
CHANCE = "chance"
Z90 = 1.6448536269514722
"""Half the width of a normal distribution's central 90 % interval, in standard deviations."""


@dataclass(frozen=True)
class Expectation:
    """A fitted model of the properties that targets refer to.

    Attributes:
        surrogate: fitted to all values.
        targets: in the units of the values.
        noise: standard deviation of measuring each property; 0 where the surrogate includes it.
        learned: the candidates that it was fitted to.
        columns: of these.
    """

    surrogate: Surrogate
    targets: Targets
    noise: dict[str, float]
    learned: pd.DataFrame
    columns: Sequence[Column]

    @classmethod
    def fitted(
        cls, surrogate: Surrogate, history: History, columns: Sequence[Column], targets: Targets
    ) -> Expectation | None:
        """Fits the surrogate's settings to a history; None if a property has fewer than three values."""
        history = history.with_outside()
        values = history.properties[list(targets.properties)]
        noise = None if history.noise_std is None else history.noise_std.reindex(columns=values.columns)
        if (values.notna().sum() < FEWEST_VALUES).any():
            return None
        known = values.notna().any(axis=1).to_numpy()
        learned = history.candidates[known].reset_index(drop=True)
        settings: Any = surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
        model: Surrogate = replace(settings).fit(
            learned,
            values[known].reset_index(drop=True),
            columns=columns,
            **noise_argument(None if noise is None else noise[known].reset_index(drop=True)),
        )
        return cls(model, targets, dict(model.noise_std()) if hasattr(model, "noise_std") else {}, learned, columns)

    @cached_property
    def distance(self) -> TrainingDistance:
        """How far candidates are from those that the model was fitted to."""
        return TrainingDistance.fitted(self.learned, self.columns)

    def of(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """What is expected of candidates.

        Args:
            candidates: one row each.

        Returns:
            With the index of ``candidates``: for each property ``NAME expected``, and ``NAME low`` and ``NAME high``,
            between which a measurement lies with 90 % probability; ``chance: TARGET`` for each target that can be met,
            and ``chance`` of meeting all of them, both of the property itself; ``distance`` to the candidates that the
            model was fitted to, where 1 is as far as these are from each other (see ``TrainingDistance``).
        """
        mean, std = self.surrogate.predict(candidates, return_std=True)
        found: dict[str, Any] = {}
        for name in self.targets.properties:
            width = Z90 * np.hypot(std[name], self.noise.get(name, 0.0))
            found |= {
                f"{name} expected": mean[name],
                f"{name} low": mean[name] - width,
                f"{name} high": mean[name] + width,
            }
        for target in self.targets.bounded:
            found[f"{CHANCE}: {target}"] = target.probability(mean[target.property], std[target.property])
        if len(self.targets.bounded) == len(self.targets):
            found[CHANCE] = self.targets.probability(mean, std)
        found[DISTANCE] = self.distance.of(candidates)
        return pd.DataFrame(found, index=candidates.index)


def demanded(expectation: Expectation | None) -> Expectation:
    """The expectation.

    Raises:
        InputError: if there is none, because there are too few values.
    """
    if expectation is None:
        raise InputError(
            f"A prediction needs at least {FEWEST_VALUES} values of each property. Tell more results first."
        )
    return expectation
