"""One matrix from a candidate frame: each column by its kind, each feature by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from surrogates.columns import Column
from surrogates.errors import InputError, nearest
from surrogates.features.formulas import FormulaFeatures, elements_of
from surrogates.features.molecules import DescriptorComponents, pool_components

if TYPE_CHECKING:
    from numpy.typing import NDArray


class Featurizer:
    """Turns candidates into features.

    Numbers are scaled to their bounds, categories one-hot, molecules become components, and formulas shares of elements
    and statistics of the elements' properties.

    Args:
        components: principal components a molecule column.
    """

    def __init__(self, components: int = 15) -> None:
        self.components = components

    def fit(self, frame: pd.DataFrame, columns: Sequence[Column] | None = None) -> Featurizer:
        """Learns scales and components.

        Args:
            frame: the candidates that the model is fitted on.
            columns: what its columns are; guessed from their types where None. Bounds and values given there are used,
                so that nothing depends on which candidates happen to be known.
        """
        self.columns = tuple(columns) if columns is not None else guess_columns(frame)
        self._components: dict[str, DescriptorComponents] = {}
        self._formulas: dict[str, FormulaFeatures] = {}
        names: list[str] = []
        for column in self.columns:
            match column.kind:
                case "number":
                    names.append(column.name)
                case "category":
                    names += [f"{column.name}={value}" for value in column.values]
                case "molecule":
                    fitted = self._molecule_components(column, frame)
                    self._components[column.name] = fitted
                    names += [f"{column.name}:{name}" for name in fitted.names]
                case "formula":
                    formulas = FormulaFeatures(column.values or elements_of(frame[column.name]))
                    self._formulas[column.name] = formulas
                    names += [f"{column.name}:{name}" for name in formulas.names]
        self.names = tuple(names)
        return self

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Gives the features of candidates, shape ``n x len(names)``, rows in the frame's order.

        Raises:
            InputError: naming the column that is missing, holds no number, or a category that was never declared.
        """
        blocks = [self._block(column, frame) for column in self.columns]
        return np.concatenate(blocks, axis=1) if blocks else np.empty((len(frame), 0))

    def _block(self, column: Column, frame: pd.DataFrame) -> NDArray[np.float64]:
        if column.name not in frame:
            raise InputError(f"The frame lacks the column '{column.name}'.{nearest(column.name, frame.columns)}")
        values = frame[column.name]
        if column.kind == "number":
            return _scaled(column, values)[:, None]
        if column.kind == "category":
            return _one_hot(column, values)
        if column.kind == "formula":
            return self._formulas[column.name].transform(list(values))
        return self._components[column.name].transform(list(values))

    def _molecule_components(self, column: Column, frame: pd.DataFrame) -> DescriptorComponents:
        if len(column.values) > 1:
            return pool_components(column.values, self.components)
        return DescriptorComponents(self.components).fit(list(frame[column.name]))


def guess_columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Describes columns by their types: numbers by their observed bounds, words as categories.

    A molecule or a formula cannot be told from a word: say so by passing columns yourself.
    """
    guessed = []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            low, high = float(values.min()), float(values.max())
            guessed.append(Column(str(name), "number", bounds=(low, high if high > low else low + 1.0)))
        else:
            guessed.append(Column(str(name), "category", values=tuple(sorted(map(str, values.unique())))))
    return tuple(guessed)


def _scaled(column: Column, values: pd.Series) -> NDArray[np.float64]:
    try:
        numbers = values.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise InputError(f"Column '{column.name}' holds text where a number is needed.") from None
    if not np.isfinite(numbers).all():
        row = values.index[~np.isfinite(numbers)][0]
        raise InputError(f"Column '{column.name}' has no finite number in row {row}.")
    low, high = column.bounds or (0.0, 1.0)
    if column.log:
        numbers, low, high = np.log(numbers), float(np.log(low)), float(np.log(high))
    return (numbers - low) / (high - low)


def _one_hot(column: Column, values: pd.Series) -> NDArray[np.float64]:
    place = {value: position for position, value in enumerate(column.values)}
    unknown = [value for value in values if value not in place]
    if unknown:
        raise InputError(f"Column '{column.name}': {unknown[0]!r} is not known.{nearest(str(unknown[0]), place)}")
    block = np.zeros((len(values), len(place)))
    block[np.arange(len(values)), [place[value] for value in values]] = 1.0
    return block
