"""Materials of a pool as numbers: their descriptors, standardized over the pool, and features of their formulas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np

from invdesign.core.errors import InputError
from invdesign.surrogates.features.formulas import FormulaFeatures, elements_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column
    from invdesign.surrogates.features.settings import FormulaKind

SPREAD = 12.0**0.5
"""Standard deviations that count as one, so that descriptors vary as much as numbers between their bounds do."""


class MaterialFeatures:
    """Features of the materials of a column.

    Args:
        column: of kind ``material``, with descriptors or formulas.
        formulas: which features of the formulas.

    Raises:
        InputError: if the column has neither descriptors nor formulas.
    """

    def __init__(self, column: Column, formulas: FormulaKind = "compact") -> None:
        if column.described is None or not (column.described.names or len(column.described.formulas)):
            raise InputError(
                f"Nothing is known of the materials of '{column.name}' to learn from. Give their pool descriptors or a "
                "formula."
            )
        self._described = column.described
        matrix = column.described.matrix
        known = ~np.isnan(matrix)
        count = np.maximum(known.sum(axis=0), 1)
        center = np.where(known, matrix, 0.0).sum(axis=0) / count
        spread = np.sqrt(np.where(known, (matrix - center) ** 2, 0.0).sum(axis=0) / count)
        self._scaled = (matrix - center) / (SPREAD * np.where(spread > 0.0, spread, 1.0))
        texts = column.described.formulas
        self._formulas = FormulaFeatures(elements_of(texts), formulas) if len(texts) else None

    @property
    def blocks(self) -> list[tuple[Literal["number", "formula"], tuple[str, ...]]]:
        """The kinds of the features and their names, in their order: each descriptor is a number of its own."""
        numbers: list[tuple[Literal["number", "formula"], tuple[str, ...]]] = [
            ("number", (name,)) for name in self._described.names
        ]
        return numbers if self._formulas is None else [*numbers, ("formula", self._formulas.names)]

    def transform(self, ids: Sequence[object]) -> NDArray[np.float64]:
        """Features of materials, shape ``n x features``; NaN where a descriptor is missing.

        Raises:
            InputError: if an id is unknown.
        """
        places = self._described.places(ids)
        numbers = self._scaled[places]
        if self._formulas is None:
            return numbers
        texts = [self._described.formulas[place] for place in places.tolist()]
        return np.concatenate([numbers, self._formulas.transform(texts)], axis=1)
