"""Coordinates of molecules in the unit cube: ranks of their principal components, and the way back by the nearest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from invdesign.core.errors import InputError
from invdesign.surrogates.features.molecules import MoleculeFeatures

if TYPE_CHECKING:
    from numpy.typing import NDArray

AT_ONCE = 1000


@dataclass(frozen=True)
class MoleculeCoordinates:
    """Points of the unit cube, one per molecule, all different.

    A coordinate is the molecule's rank by one principal component of its RDKit descriptors, so that each coordinate is
    spread evenly over the cube whatever the component's distribution. Molecules of equal component follow each other
    in the list's order: every molecule has its own point, and the nearest one of a molecule's own point is itself.

    Attributes:
        points: shape ``n x components``.
    """

    points: NDArray[np.float64]
    _tree: Any = field(repr=False)

    @classmethod
    def of(cls, smiles: Sequence[str], components: int) -> Self:
        """Fits components on molecules (of many, on an even subset) and places all of them.

        Args:
            smiles: distinct canonical SMILES.
            components: how many at most.

        Raises:
            InputError: if the molecules are too few or too alike to span a single component.
        """
        from scipy.spatial import KDTree

        fitted = MoleculeFeatures(components=components).fit(smiles) if len(smiles) > 1 else None
        if fitted is None or not fitted.names:
            raise InputError(
                "These molecules are too few or too similar for principal components. Use coordinates: index."
            )
        blocks = [
            fitted.transform(smiles[start : start + AT_ONCE]).astype(np.float32)
            for start in range(0, len(smiles), AT_ONCE)
        ]
        values = np.concatenate(blocks)
        points = np.empty(values.shape)
        for place, column in enumerate(values.T):
            points[np.argsort(column, kind="stable"), place] = (np.arange(len(column)) + 0.5) / len(column)
        return cls(points, KDTree(points))

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """The place of the molecule nearest to each point, shape ``n``."""
        _, places = self._tree.query(points)
        return np.asarray(places, dtype=np.int64)

    def nearest_free(self, points: NDArray[np.float64], taken: set[int]) -> NDArray[np.int64]:
        """The place of the nearest molecule to each point that neither is taken nor was chosen by an earlier point."""
        used = set(taken)
        chosen = []
        for point in points:
            count = 8
            while True:
                _, places = self._tree.query(point, k=min(count, len(self.points)))
                free = [int(place) for place in np.atleast_1d(places) if int(place) not in used]
                if free:
                    break
                count *= 4
            chosen.append(free[0])
            used.add(free[0])
        return np.array(chosen, dtype=np.int64)
