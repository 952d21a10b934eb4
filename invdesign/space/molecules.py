"""Molecules as a parameter: a pool to choose from."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self

import numpy as np
import pandas as pd

from invdesign import datasets
from invdesign.space.parameters import PlainParameter
from surrogates.columns import Column
from surrogates.errors import InputError, nearest
from surrogates.features.smiles import canonical_smiles

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class MoleculePool(PlainParameter):
    """A list of molecules, of which a candidate is one.

    In the unit cube a molecule stands at its place in the list.

    Attributes:
        smiles: canonical SMILES, each once.
        remarks: what was wrong with the source: lines that hold no molecule, molecules that stand there twice.

    Raises:
        InputError: where the pool is empty or the SMILES are not canonical and distinct; use ``from_smiles`` for those.
    """

    smiles: tuple[str, ...] = field(repr=False)
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.smiles:
            raise InputError("A molecule pool needs at least one molecule that can be read.")
        if len(set(self.smiles)) != len(self.smiles):
            raise InputError("A molecule pool holds each molecule once. Use MoleculePool.from_smiles to sort them out.")

    @classmethod
    def from_smiles(cls, smiles: Iterable[object], *, first_line: int = 1) -> Self:
        """Makes a pool of any SMILES: canonical, each once, the rest named in ``remarks``.

        Args:
            smiles: one a molecule.
            first_line: the line of the first one in its source, for the remarks.
        """
        kept: dict[str, int] = {}
        remarks = []
        for line, (given, canonical) in enumerate(zip(*_read_twice(smiles), strict=True), start=first_line):
            if canonical is None:
                remarks.append(f"line {line}: {given!r} is no molecule that RDKit can read")
            elif canonical in kept:
                remarks.append(f"line {line}: {given!r} is the molecule of line {kept[canonical]} again")
            else:
                kept[canonical] = line
        return cls(tuple(kept), tuple(remarks))

    @classmethod
    def from_csv(cls, pool: str | Path, smiles: str = "smiles") -> Self:
        """Reads a pool from a column of a CSV file.

        Args:
            pool: the file's path, or ``dataset:NAME`` for a registered dataset.
            smiles: name of the column that holds SMILES.

        Raises:
            InputError: where the file or the column is missing (the nearest column is named), or no line can be read.
        """
        path = datasets.resolve(pool)
        if not path.is_file():
            raise InputError(f"There is no file '{path}'.")
        try:
            frame = pd.read_csv(path, usecols=lambda name: name == smiles, dtype=object)
        except (pd.errors.ParserError, UnicodeDecodeError, pd.errors.EmptyDataError) as error:
            raise InputError(f"'{path}' cannot be read as CSV: {error}.") from None
        if smiles not in frame:
            header = pd.read_csv(path, nrows=0).columns
            raise InputError(f"'{path}' has no column '{smiles}'.{nearest(smiles, header)}")
        return cls.from_smiles(frame[smiles], first_line=2)

    @property
    def dimension(self) -> int:
        return 1

    @property
    def size(self) -> float:
        return len(self.smiles)

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        molecules = list(np.asarray(values, dtype=object))
        unknown = [molecule for molecule in molecules if molecule not in self._position]
        if unknown:
            raise InputError(f"{unknown[0]!r} is not in the pool of {len(self.smiles)} molecules.")
        places = np.array([self._position[molecule] for molecule in molecules], dtype=np.float64)
        return ((places + 0.5) / len(self.smiles))[:, None]

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        places = np.floor(points[:, 0] * len(self.smiles)).astype(np.int64)
        return self._array[np.clip(places, 0, len(self.smiles) - 1)]

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._array[places]

    def column(self, name: str) -> Column:
        return Column(name, "molecule", values=self.smiles)

    @cached_property
    def _position(self) -> dict[str, int]:
        return {molecule: place for place, molecule in enumerate(self.smiles)}

    @cached_property
    def _array(self) -> NDArray[np.object_]:
        return np.asarray(self.smiles, dtype=object)


def _read_twice(smiles: Iterable[object]) -> tuple[list[object], list[str | None]]:
    given = list(smiles)
    return given, canonical_smiles(given)
