"""One matrix from a candidate frame: each column by its kind, each feature by name."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.surrogates.features.formulas import FormulaFeatures, elements_of
from invdesign.surrogates.features.materials import MaterialFeatures
from invdesign.surrogates.features.mixtures import MixtureFeatures
from invdesign.surrogates.features.molecules import MoleculeFeatures, pool_features
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.features.temperatures import is_temperature, reciprocal

if TYPE_CHECKING:
    from numpy.typing import NDArray

CITATIONS = {
    "number": "the number itself, scaled to its bounds (logarithms where it spans decades)",
    "temperature": "Arrhenius 1889, doi:10.1515/zpch-1889-0116; Vogel 1921; Fulcher 1925; Tammann and Hesse 1926, "
    "doi:10.1002/zaac.19261560121",
    "category": "one-hot",
    "fidelity": "the fidelity's place among all: 0 for the cheapest, 1 for the target fidelity",
    "molecule": "RDKit descriptors (www.rdkit.org), or components of them and of Morgan fingerprints",
    "fingerprint": "Rogers and Hahn 2010, doi:10.1021/ci100050t",
    "formula": "Ward et al. 2016, doi:10.1038/npjcompumats.2016.28; Pettifor 1984, doi:10.1016/0038-1098(84)90765-8",
    "amount": "the amount of a component, as a share of its largest",
    "total": "the sum of the amounts of a role, and its number of components",
    "mixture": "mean and spread of the components' properties, weighted by amount",
    "set": "the mean of the components' fingerprints, weighted by amount: Gärtner et al. 2002, Multi-Instance Kernels",
    "orbitals": "Bannwarth, Ehlert and Grimme 2019, doi:10.1021/acs.jctc.8b01176",
}


MOST_VALUES = 32
"""Values of a category up to which each has a length scale of its own: how unlike the others it is; and molecules of a
list up to which they may be such a category. Of a hundred values most are seen once or never, and one length scale for
all of them then finds more (categories measured at 15, 38 and 124)."""


@dataclass(frozen=True)
class Block:
    """Neighboring features that come from one column in one way.

    Attributes:
        column: its name.
        kind: of the column; ``temperature`` for its reciprocal, ``fingerprint`` for the counts and ``orbitals`` for the
            orbital energies of a molecule, ``amount`` for the amounts in a mixture, ``total`` for those of a role and
            ``set`` for the fingerprints of its components.
        names: the features'.
        start: place of the first one among all features.
    """

    column: str
    kind: str
    names: tuple[str, ...]
    start: int

    @property
    def places(self) -> slice:
        """Where the features stand in a row."""
        return slice(self.start, self.start + len(self.names))


class Featurizer:
    """Turns candidates into features.

    Numbers are scaled to their bounds, categories one-hot; molecules and formulas become what the settings say.

    Args:
        settings: which features.
    """

    def __init__(self, settings: Features | None = None) -> None:
        self.settings = settings or Features()

    def fit(self, frame: pd.DataFrame, columns: Sequence[Column] | None = None) -> Featurizer:
        """Learns scales, components and the imputation of missing values.

        Args:
            frame: the candidates that the model is fitted on.
            columns: what its columns are; guessed from their types if None. Bounds and values given there are used,
                so that nothing depends on which candidates happen to be known.

        Raises:
            InputError: naming a column that is missing or cannot be read.
        """
        given = tuple(columns) if columns is not None else guess_columns(frame)
        self.columns = tuple(_bounded(column, frame) for column in given)
        self._molecules: dict[str, MoleculeFeatures] = {}
        self._formulas: dict[str, FormulaFeatures] = {}
        self._materials: dict[str, MaterialFeatures] = {}
        self._mixtures: dict[str, MixtureFeatures] = {}
        blocks: list[Block] = []
        for column in self.columns:
            for kind, names in self._fitted(column, frame):
                blocks.append(Block(column.name, kind, names, sum(len(block.names) for block in blocks)))
        self.blocks = tuple(blocks)
        self._imputer: Any = None
        if self.settings.missing == "impute" and blocks:
            self._imputer = _imputer(self._raw(frame))
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names: the column's, and after a colon the feature's own where the column has several."""
        return tuple(name for block in self.blocks for name in block.names)

    @property
    def citations(self) -> dict[str, str]:
        """Where each feature comes from."""
        return {name: CITATIONS[block.kind] for block in self.blocks for name in block.names}

    def number_index(self, column: str) -> int | None:
        """The index among the features of a column of numbers; None if the feature is the reciprocal of a temperature.

        Raises:
            InputError: where there is no such column of numbers.
        """
        for block in self.blocks:
            if block.column == column and block.kind == "number":
                return block.start
            if block.column == column and block.kind == "temperature":
                return None
        raise InputError(f"Unknown column of numbers '{column}'.{nearest(column, [b.column for b in self.blocks])}")

    def transform(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        """Gives the features of candidates, shape ``n x len(names)``, rows in the frame's order.

        Raises:
            InputError: naming the column that is missing, holds no number, or a category that was never declared.
        """
        raw = self._raw(frame)
        gaps = np.isnan(raw)
        if not gaps.any():
            return raw
        if self.settings.missing == "error":
            row, place = np.argwhere(gaps)[0]
            column = next(block.column for block in self.blocks if block.places.start <= place < block.places.stop)
            raise InputError(
                f"Column '{column}' has no value in row {frame.index[row]}. Fill it, remove the row, or let "
                "it be imputed (features: {missing: impute})."
            )
        return np.where(gaps, self._imputer.transform(raw), raw)

    def _raw(self, frame: pd.DataFrame) -> NDArray[np.float64]:
        parts = [self._block(column, frame) for column in self.columns]
        if len(parts) == 1:  # without a copy: fingerprints of many molecules are large
            return parts[0]
        return np.concatenate(parts, axis=1) if parts else np.empty((len(frame), 0))

    def _fitted(self, column: Column, frame: pd.DataFrame) -> list[tuple[str, tuple[str, ...]]]:
        """What a column gives: the kinds of its blocks and the names of their features."""
        name = column.name
        match column.kind:
            case "number" | "fidelity":
                return [("temperature" if self._is_reciprocal(column) else column.kind, (name,))]
            case "category":
                return [("category", tuple(f"{name}={value}" for value in column.values))]
            case "molecule" if self._is_named(column):
                return [("category", tuple(f"{name}={value}" for value in column.values))]
            case "molecule":
                molecules = self._molecule_features(column, frame)
                self._molecules[name] = molecules
                blocks: list[tuple[str, tuple[str, ...]]] = [
                    (kind, tuple(f"{name}:{feature}" for feature in names)) for kind, names in molecules.blocks
                ]
                if self.settings.orbitals:
                    from invdesign.surrogates.features.orbitals import ORBITALS

                    blocks.append(("orbitals", tuple(f"{name}:{orbital}" for orbital in ORBITALS)))
                return blocks
            case "formula":
                formulas = FormulaFeatures(column.values or elements_of(_column(frame, name)), self.settings.formulas)
                self._formulas[name] = formulas
                return [("formula", tuple(f"{name}:{feature}" for feature in formulas.names))]
            case "material":
                self._materials[name] = MaterialFeatures(column, self.settings.formulas)
                return [
                    (kind, tuple(f"{name}:{feature}" for feature in names))
                    for kind, names in self._materials[name].blocks
                ]
            case "mixture":
                mixtures = MixtureFeatures(column.components, self.settings.mixtures)
                self._mixtures[name] = mixtures
                return [(kind, tuple(f"{name}:{feature}" for feature in names)) for kind, names in mixtures.blocks]

    def _block(self, column: Column, frame: pd.DataFrame) -> NDArray[np.float64]:
        values = _column(frame, column.name)
        if column.kind == "number":
            return self._number(column, values)[:, None]
        if self._is_named(column) or column.kind in ("category", "fidelity"):
            return _chosen(column, values)
        if column.kind == "formula":
            return self._formulas[column.name].transform(list(values))
        if column.kind == "material":
            return self._materials[column.name].transform(list(values))
        if column.kind == "mixture":
            return self._mixtures[column.name].transform(list(values))
        plain = self._molecules[column.name].transform(list(values))
        if not self.settings.orbitals:
            return plain
        from invdesign.surrogates.features.orbitals import orbital_energies

        return np.concatenate([plain, orbital_energies(list(values))], axis=1)

    def _number(self, column: Column, values: pd.Series) -> NDArray[np.float64]:
        if self._is_reciprocal(column):
            return reciprocal(column, _finite(column, values), self.settings.temperatures)
        return _scaled(column, values)

    def _is_reciprocal(self, column: Column) -> bool:
        return self.settings.temperatures != "linear" and is_temperature(column)

    def _is_named(self, column: Column) -> bool:
        short = column.kind == "molecule" and 1 < len(column.values) <= MOST_VALUES
        return short and self.settings.molecules == "names"

    def _molecule_features(self, column: Column, frame: pd.DataFrame) -> MoleculeFeatures:
        kind, components = self.settings.molecules, self.settings.components
        kind = "descriptors" if kind == "names" else kind
        # Fingerprints of a large pool are a matrix of their own size; without components nothing needs fitting on it.
        if len(column.values) > 1 and (components is not None or kind == "descriptors"):
            return pool_features(column.values, kind, components)
        return MoleculeFeatures(kind, components).fit(list(_column(frame, column.name)))


def guess_columns(frame: pd.DataFrame) -> tuple[Column, ...]:
    """Describes columns by their types: numbers by their observed bounds, words as categories.

    Molecules and formulas cannot be distinguished from words: pass their columns explicitly.
    """
    guessed = []
    for name in frame.columns:
        values = frame[name]
        if pd.api.types.is_numeric_dtype(values):
            guessed.append(Column(str(name), "number"))
        else:
            guessed.append(Column(str(name), "category", values=tuple(sorted(map(str, values.dropna().unique())))))
    return tuple(guessed)


def _column(frame: pd.DataFrame, name: str) -> pd.Series:
    if name not in frame:
        raise InputError(f"The frame has no column '{name}'.{nearest(name, frame.columns)}")
    return frame[name]


def _bounded(column: Column, frame: pd.DataFrame) -> Column:
    """A number's column with the bounds that its values have, if none were given."""
    if column.kind != "number" or column.bounds is not None:
        return column
    known = _numbers(column, _column(frame, column.name))
    known = known[np.isfinite(known)]
    low, high = (float(known.min()), float(known.max())) if known.size else (0.0, 1.0)
    return replace(column, bounds=(low, high if high > low else low + 1.0))


def _numbers(column: Column, values: pd.Series) -> NDArray[np.float64]:
    try:
        return values.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        odd = next((value for value in values if isinstance(value, str)), None)
        raise InputError(f"Column '{column.name}' contains {odd!r}, which is not a number.") from None


def _finite(column: Column, values: pd.Series) -> NDArray[np.float64]:
    """The numbers of a column, NaN where one is missing."""
    numbers = _numbers(column, values)
    if np.isinf(numbers).any():
        raise InputError(
            f"Column '{column.name}' has no finite number in row {values.index[np.isinf(numbers)][0]}. "
            "Leave the field empty if there is no value."
        )
    return numbers


def _scaled(column: Column, values: pd.Series) -> NDArray[np.float64]:
    numbers = _finite(column, values)
    low, high = column.bounds or (0.0, 1.0)
    if column.log:
        if (numbers <= 0).any():
            row = values.index[numbers <= 0][0]
            raise InputError(f"Column '{column.name}' is logarithmic; its value in row {row} is not positive.")
        numbers, low, high = np.log(numbers), float(np.log(low)), float(np.log(high))
    return (numbers - low) / (high - low)


def _chosen(column: Column, values: pd.Series) -> NDArray[np.float64]:
    """Which of the column's values each is; of molecules, others may have been measured, too."""
    if column.kind == "molecule":
        return np.nan_to_num(_one_hot(column, values.where(values.isin(list(column.values)))))
    hot = _one_hot(column, values)
    return hot @ np.linspace(0.0, 1.0, len(column.values))[:, None] if column.kind == "fidelity" else hot


def _one_hot(column: Column, values: pd.Series) -> NDArray[np.float64]:
    place = {value: position for position, value in enumerate(column.values)}
    gaps = values.isna().to_numpy()
    unknown = [value for value, gap in zip(values, gaps, strict=True) if not gap and value not in place]
    if unknown:
        raise InputError(f"Column '{column.name}': unknown value {unknown[0]!r}.{nearest(str(unknown[0]), place)}")
    block = np.zeros((len(values), len(place)))
    filled = np.flatnonzero(~gaps)
    block[filled, [place[value] for value in values[~gaps]]] = 1.0
    block[gaps] = np.nan
    return block


def _imputer(raw: NDArray[np.float64]) -> Any:
    """Chained equations with a linear model, as Liow et al. (2022) filled gaps; bounded by what was seen.

    Ten rounds: the values hardly move any more, whether or not they meet the library's tolerance. A feature that has no
    gap in ``raw`` takes its mean where it has one later.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.experimental import enable_iterative_imputer  # noqa: F401 - scikit-learn asks for this import
    from sklearn.impute import IterativeImputer

    seen = np.where(np.isnan(raw).all(axis=0), 0.0, raw)
    low, high = np.nanmin(seen, axis=0), np.nanmax(seen, axis=0)
    imputer = IterativeImputer(
        max_iter=10,
        skip_complete=True,
        keep_empty_features=True,
        min_value=low,
        max_value=np.where(high > low, high, low + 1.0),
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return imputer.fit(raw)
