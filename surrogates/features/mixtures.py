"""Mixtures as numbers that do not depend on the order of their components.

They are the amount of each component, the total and the number of components of each role, and the mean and the spread
of the components' properties, weighted by their amounts: the first moments of a mixture as a distribution over
components.
The properties are principal components of RDKit's descriptors over the components of a role, or the statistics of a
formula where no molecule is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.columns import Component
from invdesign.surrogates.features.formulas import FormulaFeatures, elements_of
from invdesign.surrogates.features.mixture_text import mixture_amounts
from invdesign.surrogates.features.molecules import pool_features

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROPERTIES = 6
"""Principal components of the properties of a role's components."""


class MixtureFeatures:
    """Turns mixtures into features.

    Args:
        components: that can occur, by role.
    """

    def __init__(self, components: Sequence[Component]) -> None:
        self._units = {component.name: component.unit for component in components}
        self._largest = np.array([component.largest for component in components])
        self._roles: dict[str, list[int]] = {}
        for place, component in enumerate(components):
            self._roles.setdefault(component.role, []).append(place)
        self._properties = {
            role: properties
            for role, places in self._roles.items()
            if (properties := role_properties(tuple(components[place] for place in places))).size
        }
        self.amount_names = tuple(f"amount_{name}" for name in self._units)

    @property
    def moment_names(self) -> tuple[str, ...]:
        """The names of the features besides the amounts."""
        names: list[str] = []
        for role in self._roles:
            names += [f"total_{role}", f"count_{role}"]
            width = self._properties[role].shape[1] if role in self._properties else 0
            names += [f"{what}_{role}_{number + 1}" for what in ("mean", "spread") for number in range(width)]
        return tuple(names)

    def transform(self, mixtures: Sequence[object]) -> NDArray[np.float64]:
        """Features of mixtures, shape ``n x (amounts + moments)``; amounts are shares of the largest.

        Raises:
            InputError: if a mixture cannot be read or contains an unknown component.
        """
        amounts = mixture_amounts(mixtures, self._units)
        blocks = [amounts / self._largest]
        for role, places in self._roles.items():
            own = amounts[:, places]
            total = own.sum(axis=1, keepdims=True)
            count = (own > 0).sum(axis=1, keepdims=True)
            blocks += [total / self._largest[places].max(), count / 3.0]
            if role in self._properties:
                shares = np.divide(own, total, out=np.zeros_like(own), where=total > 0)
                mean = shares @ self._properties[role]
                square = shares @ self._properties[role] ** 2
                blocks += [mean, np.sqrt(np.maximum(square - mean**2, 0.0))]
        return np.concatenate(blocks, axis=1)


@lru_cache(maxsize=32)
def role_properties(components: tuple[Component, ...]) -> NDArray[np.float64]:
    """Properties of the components of a role, shape ``components x at most 6``; none if they cannot be compared.

    A component of which nothing is known has the mean of the others.
    """
    known = [place for place, component in enumerate(components) if component.smiles]
    if len({components[place].smiles for place in known}) > 1:
        smiles = tuple(components[place].smiles for place in known)
        found = pool_features(tuple(dict.fromkeys(smiles)), "descriptors", PROPERTIES).transform(smiles)
    else:
        known = [place for place, component in enumerate(components) if component.formula]
        formulas = [components[place].formula for place in known]
        if len(set(formulas)) < 2:
            return np.empty((len(components), 0))
        raw = FormulaFeatures(elements_of(formulas), "compact").transform(formulas)
        centered = raw - raw.mean(axis=0)
        left, singular, _ = np.linalg.svd(centered, full_matrices=False)
        count = min(PROPERTIES, int((singular > 1e-6 * singular[0]).sum()))
        found = left[:, :count] * singular[:count] / (singular[0] / np.sqrt(len(raw)))
    properties = np.tile(found.mean(axis=0), (len(components), 1))
    properties[known] = found
    return properties
