"""A table of molecules that a generator is trained on: once, and kept in the cache folder."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pandas as pd
from pydantic import Field

from invdesign.core.disk_cache import cache_folder
from invdesign.core.errors import InputError
from invdesign.core.settings import InputFile, bounded, settings
from invdesign.core.tables import Table, read_table
from invdesign.generators.molecules import FEWEST, MoleculeGenerator
from invdesign.generators.vocabulary import written
from invdesign.space.molecules.files import MoleculeFile
from invdesign.space.molecules.rules import MoleculeRules, constitution

FOLDER = "generators"
"""Folder of the cache with trained generators."""
MOST_SHOWN = 3


@settings
class TrainingTable:
    """Molecules with known properties, and how a generator learns from them.

    The generator is trained when it is first needed and kept in the cache folder, also between epochs: a run that was
    interrupted continues with the next epoch, and a later one with the same data and settings does not train.

    Stereochemistry is left out, and rows that differ in nothing else are averaged. Rows without one whole molecule that
    can be written as SELFIES (salts, mixtures, unreadable text) are left out and counted in the remarks.

    Raises:
        InputError: if a file or a column is missing (the nearest column is named).
    """

    data: InputFile
    """Path of a CSV or .xlsx file, or in a campaign file ``dataset:NAME``."""
    smiles: str
    """The table's column of molecules."""
    values: Annotated[dict[str, str], Field(min_length=1)]
    """For each property, the table's column with its values, in the unit of the campaign's targets."""
    language: InputFile | None = None
    """File of further molecules without properties (SMI, CSV, SDF, Parquet), to learn the language from."""
    language_smiles: str | None = None
    """Column of molecules in the file of the language; ``smiles`` if None."""
    most_language: int = bounded(default=10_000, ge=1)
    """Most molecules of the language; the first ones of the file."""
    network: MoleculeGenerator = field(default_factory=MoleculeGenerator)
    """Settings of the generator, such as its width, epochs or a guide."""

    def __post_init__(self) -> None:
        for column in (self.smiles, *self.values.values()):
            self._table.find(column)
        if self.language is not None:
            MoleculeFile(Path(self.language), self.language_smiles)

    @property
    def remarks(self) -> list[str]:
        """What is left out of the data, and whether the generator has still to be trained."""
        frame, language, left_out = self._learned_from
        found = left_out.copy()
        if not self.file.exists():
            further = f" and the language of {len(language):,} more" if language else ""
            found.append(
                f"A generator is trained on {len(frame):,} molecules{further} when it is first needed, which takes "
                f"minutes; it is kept as '{self.file}'."
            )
        return found

    @property
    def file(self) -> Path:
        """Where the generator is kept once it is trained; another place for other data or settings."""
        frame, language, _ = self._learned_from
        digest = self.network.digest(frame["molecule"].tolist(), frame.drop(columns="molecule"), language)
        return cache_folder() / FOLDER / f"{digest[:32]}.safetensors"

    def fitted(self, rules: MoleculeRules | None = None) -> MoleculeGenerator:
        """The trained generator.

        Args:
            rules: for the molecules that it writes; those of ``network`` if None.

        Raises:
            InputError: if there are too few molecules.
        """
        place = self.file
        if not place.exists():
            self._train(place)
        return _loaded(place, self.network, rules or self.network.rules)

    def _train(self, place: Path) -> None:
        frame, language, _ = self._learned_from
        place.parent.mkdir(parents=True, exist_ok=True)
        checkpoint = place.with_suffix(".training")
        network = replace(self.network, guide=None)
        network.fit(frame["molecule"], frame.drop(columns="molecule"), language=language, checkpoint=checkpoint)
        network.save(place)
        for part in place.parent.glob(f"{checkpoint.name}*"):
            part.unlink(missing_ok=True)

    @cached_property
    def _table(self) -> Table:
        return read_table(self.data)

    @cached_property
    def _learned_from(self) -> tuple[pd.DataFrame, list[str], list[str]]:
        """Molecules with their mean properties; molecules of the language; what was left out."""
        table = self._table
        columns = {name: table.find(column) for name, column in self.values.items()}
        molecules, problems = _whole(table.frame[table.find(self.smiles)].tolist(), table.place)
        values = pd.DataFrame({name: _numbers(table, column) for name, column in columns.items()})
        frame = values.assign(molecule=pd.Series(molecules, dtype=object)).dropna(subset="molecule")
        frame = frame[frame[list(columns)].notna().any(axis=1)].groupby("molecule", as_index=False).mean()
        if len(frame) < FEWEST:
            raise InputError(f"{table.source} has {len(frame)} molecules with values. A generator needs {FEWEST}.")
        left_out = _left_out(table.source, problems, len(table.frame))
        language: list[str] = []
        if self.language is not None:
            file = MoleculeFile(Path(self.language), self.language_smiles)
            entries = [entry for entry, _ in zip(file.entries(), range(self.most_language), strict=False)]
            whole, problems = _whole([text for _, text in entries], lambda row: f"{file.place_word} {entries[row][0]}")
            language = [text for text in whole if text is not None]
            left_out += _left_out(f"'{file.path}'", problems, len(entries))
        return frame, language, left_out


def _whole(texts: list[Any], place: Callable[[int], str]) -> tuple[list[str | None], list[str]]:
    """Constitutions of single molecules that SELFIES can write, None for others; where these are."""
    found: list[str | None] = []
    problems = []
    for row, text in enumerate(texts):
        plain = constitution(text)
        usable = plain is not None and "." not in plain and written(plain) is not None
        found.append(plain if usable else None)
        if not usable:
            problems.append(f"{place(row)} ({str(text)[:60]})")
    return found, problems


def _left_out(source: str, problems: list[str], rows: int) -> list[str]:
    if not problems:
        return []
    shown = ", ".join(problems[:MOST_SHOWN]) + (", and more" if len(problems) > MOST_SHOWN else "")
    return [f"{source}: {len(problems):,} of {rows:,} rows are not one whole molecule and are left out: {shown}."]


def _numbers(table: Table, column: str) -> pd.Series:
    """A column as numbers; missing where a cell is empty."""
    cells = table.frame[column]
    numbers = pd.to_numeric(cells, errors="coerce").replace([np.inf, -np.inf], np.nan)
    wrong = np.flatnonzero(numbers.isna() & cells.notna())
    if len(wrong):
        row = int(wrong[0])
        raise InputError(
            f"{table.source}, {table.place(row)}, column '{column}': {cells.iloc[row]!r} is not a finite number. "
            f"Correct it, or leave the cell empty."
        )
    return numbers.astype(float)


@lru_cache(maxsize=4)
def _loaded(place: Path, network: MoleculeGenerator, rules: MoleculeRules | None) -> MoleculeGenerator:
    settings = {name: getattr(network, name) for name in ("guide", "oversample", "emphasis", "temperature", "device")}
    return MoleculeGenerator.load(place, rules=rules, **settings)
