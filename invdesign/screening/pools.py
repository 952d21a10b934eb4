"""Pools of candidates that are read or enumerated block by block, so that memory is bounded by the block.

Reading has two halves: ``blocks`` yields what is cheap to get, in the pool's order, in the process that distributes the
work; ``read`` turns one block into candidates, where it is screened.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

import numpy as np
import pandas as pd

from invdesign.campaign.identity import describe
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.text_files import digest_of_file
from invdesign.space import SearchSpace
from invdesign.space.materials import MaterialFile, MaterialPool, formula_quantity
from invdesign.space.molecules.files import MoleculeFile
from invdesign.space.molecules.library import MoleculeLibrary
from invdesign.surrogates.features.molecules import descriptor_values
from invdesign.surrogates.features.smiles import are_molecules, canonical_or_given, smiles_problem

if TYPE_CHECKING:
    from numpy.typing import NDArray

CHUNK = 1 << 20
EARLY = 100
"""Number of entries of which at least one must be readable, so that a file of another kind is refused early."""
LONGEST_GIVEN = 200
"""Characters of an unreadable entry that are shown."""
FEW_ROWS = 4


@dataclass(frozen=True)
class RawBlock:
    """Entries of a pool that follow each other, before they are read.

    Attributes:
        number: of the block, from 0.
        entries: how many entries it covers, those left out included.
        places: the number of each entry in its source: a line, a row, or the place in an enumeration from 0.
        cells: one value (a SMILES) or tuple of values per entry; None if the places say all.
        left_out: number of entries that were left out already, by reason.
    """

    number: int
    entries: int
    places: Sequence[int]
    cells: Sequence[Any] | None = None
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class BadRow:
    """An entry of a pool that cannot be read.

    Attributes:
        place: its line or row.
        given: what it holds.
        reason: why it cannot be read.
    """

    place: int
    given: str
    reason: str


@dataclass(frozen=True)
class ReadBlock:
    """The candidates of a block.

    Attributes:
        rows: one per candidate, indexed by their places in the source.
        bad: entries that cannot be read.
        left_out: number of further entries that are left out, by reason.
    """

    rows: pd.DataFrame
    bad: tuple[BadRow, ...] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)


@runtime_checkable
class Pool(Protocol):
    """Candidates in a fixed order, given block by block."""

    @property
    def columns(self) -> tuple[Column, ...]:
        """What the columns of its candidates are."""

    @property
    def identity(self) -> tuple[str, ...]:
        """The columns that distinguish candidates: rows with the same values are the same candidate."""

    @property
    def place_word(self) -> str:
        """What the number of an entry is: ``line``, ``row`` or ``number``."""

    def size(self) -> int | None:
        """Number of entries, for the progress only: it may be an estimate; None if unknown."""

    def check(self) -> None:
        """Raises InputError if the first entries show that the source is not what it should be."""

    def blocks(self, size: int) -> Iterator[RawBlock]:
        """All entries in order, ``size`` at a time."""

    def read(self, block: RawBlock) -> ReadBlock:
        """The candidates of a block."""

    def canonical(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Rows whose candidates are written in one form, so that equal ones are equal."""

    def quantity(self, column: str, part: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """A number derived from a column's values, as in ``column.part``; None if it is unknown."""

    def sample(self) -> pd.DataFrame:
        """A few candidates, to check expressions with."""

    def described(self) -> Mapping[str, str]:
        """What the candidates depend on, by name: settings, and hashes of files."""


@dataclass(frozen=True)
class SpacePool:
    """The candidates of a search space, enumerated on demand.

    Attributes:
        space: with countable parameters.

    Raises:
        InputError: if the space cannot be enumerated.
    """

    space: SearchSpace

    def __post_init__(self) -> None:
        for name, parameter in self.space.parameters.items():
            if not (np.isfinite(parameter.size) and parameter.size_is_exact):
                raise InputError(
                    f"'{name}' cannot be enumerated, because it has no countable values. Give a number a list of "
                    "values, the sites of a composition a step, or search the space with: invdesign run."
                )
        taken = [*self.space.names, *(name for one in self._materials.values() for name in one.descriptors.names)]
        for name in taken:
            if taken.count(name) > 1:
                raise InputError(f"'{name}' is the name of two columns of the pool. Rename the parameter.")

    @property
    def columns(self) -> tuple[Column, ...]:
        described = (one for pool in self._materials.values() for one in pool.descriptors.columns())
        return (*self.space.columns, *described)

    @property
    def identity(self) -> tuple[str, ...]:
        return self.space.names

    @property
    def place_word(self) -> str:
        return "number"

    def size(self) -> int | None:
        return int(self.space.size)

    def check(self) -> None:
        """Every candidate of a space is readable."""

    def blocks(self, size: int) -> Iterator[RawBlock]:
        total = int(self.space.size)
        for number, start in enumerate(range(0, total, size)):
            places = range(start, min(start + size, total))
            yield RawBlock(number, len(places), places)

    def read(self, block: RawBlock) -> ReadBlock:
        places = np.asarray(block.places, dtype=np.int64)
        rows = self.space.at(places).set_axis(places)
        good = self.space.feasible(rows)
        broken = int((~good).sum())
        return ReadBlock(self._described(rows[good]), left_out={"violates a constraint": broken} if broken else {})

    def canonical(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows

    def quantity(self, column: str, part: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        parameter = self.space.parameters.get(column)
        if parameter is None:
            return formula_quantity(part, list(values)) if column == "formula" else None
        found = parameter.derived(part, values)
        if found is None and parameter.column(column).kind == "molecule":
            return descriptor_values(part, list(values))
        return found

    def sample(self) -> pd.DataFrame:
        return self._described(self.space.at(np.arange(min(FEW_ROWS, int(self.space.size)))))

    def described(self) -> Mapping[str, str]:
        return {"space": json.dumps(describe(self.space), sort_keys=True)}

    @cached_property
    def _materials(self) -> dict[str, MaterialPool]:
        return {name: one for name, one in self.space.parameters.items() if isinstance(one, MaterialPool)}

    def _described(self, rows: pd.DataFrame) -> pd.DataFrame:
        """Candidates with the descriptors of their materials, as columns of their own."""
        parts = [pool.descriptors.frame(rows[name]).set_axis(rows.index) for name, pool in self._materials.items()]
        return pd.concat([rows, *parts], axis=1) if parts else rows


@dataclass(frozen=True)
class LibraryPool(SpacePool):
    """The molecules of a library, each choice of substituents a candidate of its own.

    SMILES stay as they are put together until the best are chosen: to write all in canonical form means to read each
    molecule twice.
    """

    def read(self, block: RawBlock) -> ReadBlock:
        [name] = self.space.names
        library = cast("MoleculeLibrary", self.space.parameters[name])  # see ``enumerated``
        return read_molecules(name, block.places, library.written_at(np.asarray(block.places, dtype=np.int64)))

    def canonical(self, rows: pd.DataFrame) -> pd.DataFrame:
        return canonical_molecules(rows, self.identity[0])


def enumerated(space: SearchSpace) -> SpacePool:
    """The candidates of a space; a library alone is read as a file of molecules is."""
    alone = len(space.parameters) == 1 and not space.constraints
    is_library = alone and isinstance(next(iter(space.parameters.values())), MoleculeLibrary)
    return LibraryPool(space) if is_library else SpacePool(space)


def read_molecules(name: str, places: Sequence[int], smiles: Sequence[str]) -> ReadBlock:
    """Candidates of SMILES as they are written, and those that RDKit cannot read.

    Args:
        name: of their column.
        places: in the source.
        smiles: one per place.
    """
    good = are_molecules(smiles)
    bad = tuple(
        BadRow(place, text[:LONGEST_GIVEN], smiles_problem(text))
        for place, text, is_good in zip(places, smiles, good, strict=True)
        if not is_good
    )
    rows = pd.Series(list(smiles), np.asarray(places, dtype=np.int64), dtype=object, name=name)[good]
    return ReadBlock(rows.to_frame(), bad)


def canonical_molecules(rows: pd.DataFrame, name: str) -> pd.DataFrame:
    """Rows with the molecules of a column in canonical form."""
    return rows.assign(**{name: pd.Series(canonical_or_given(rows[name]), rows.index, dtype=object)})


class _OfFile:
    """What pools of a file share, whose candidates are in the column ``name``."""

    name: str
    file: MoleculeFile | MaterialFile

    @property
    def identity(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def place_word(self) -> str:
        return self.file.place_word


@dataclass(frozen=True)
class MoleculeStream(_OfFile):
    """The molecules of a file, each row a candidate of its own; nothing but the current block is in memory.

    SMILES stay as the file writes them until the best are chosen: to rewrite all takes as long as to screen them.

    Attributes:
        name: the parameter's name, the column of the SMILES.
        file: the file and its column.
        canonical_file: whether the file holds RDKit's canonical SMILES, which are then used as they are.
    """

    name: str
    file: MoleculeFile
    canonical_file: bool = False

    @property
    def columns(self) -> tuple[Column, ...]:
        return (Column(self.name, "molecule"),)

    def size(self) -> int | None:
        return rows_of(self.file.path)

    def check(self) -> None:
        _check_first(self, f"'{self.file.path}'", "Choose a file, and a column, of SMILES.")

    def blocks(self, size: int) -> Iterator[RawBlock]:
        entries = self.file.entries()
        for number in itertools.count():
            batch = list(itertools.islice(entries, size))
            if not batch:
                return
            yield RawBlock(number, len(batch), [line for line, _ in batch], [smiles for _, smiles in batch])

    def read(self, block: RawBlock) -> ReadBlock:
        given = [str(text).strip() for text in block.cells or ()]
        if not self.canonical_file:
            return read_molecules(self.name, block.places, given)
        rows = pd.Series(given, np.asarray(block.places, dtype=np.int64), dtype=object, name=self.name)
        empty = rows == ""
        bad = tuple(BadRow(int(place), "", smiles_problem("")) for place in rows.index[empty])
        return ReadBlock(rows[~empty].to_frame(), bad)

    def canonical(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows if self.canonical_file else canonical_molecules(rows, self.name)

    def quantity(self, column: str, part: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        return descriptor_values(part, list(values)) if column == self.name else None

    def sample(self) -> pd.DataFrame:
        return _first_rows(self)

    def described(self) -> Mapping[str, str]:
        return {
            "pool": digest_of_file(self.file.path),
            "pool's settings": f"{self.name} {self.file.column} {self.canonical_file}",
        }


@dataclass(frozen=True)
class MaterialStream(_OfFile):
    """The rows of a table of materials; nothing but the current block and a hash of each id is in memory.

    Attributes:
        name: the parameter's name, the column of the ids.
        file: the table.
    """

    name: str
    file: MaterialFile

    def __post_init__(self) -> None:
        if self.name in self.file.names:
            raise InputError(f"'{self.name}' is the name of two columns of the pool. Rename the parameter.")

    @property
    def columns(self) -> tuple[Column, ...]:
        formula = (Column("formula", "formula"),) if self.file.formula is not None else ()
        return (Column(self.name, "material"), *formula, *(Column(one, "number") for one in self.file.numbers))

    def size(self) -> int | None:
        return rows_of(Path(self.file.pool))

    def check(self) -> None:
        _check_first(self, f"'{self.file.pool}'", "Choose columns of numbers as descriptors.")

    def blocks(self, size: int) -> Iterator[RawBlock]:
        entries = self.file.entries()
        seen = SeenHashes()
        for number in itertools.count():
            batch = list(itertools.islice(entries, size))
            if not batch:
                return
            new = seen.first([cells[0] for _, cells in batch])
            kept = [entry for entry, is_new in zip(batch, new, strict=True) if is_new]
            if len(kept) < len(batch) and self.file.duplicates == "error":
                place, cells = batch[new.index(False)]
                raise InputError(
                    f"'{self.file.pool}', {self.place_word} {place}: {cells[0]!r} repeats an earlier id. Remove the "
                    "repeated rows, or take each id once with duplicates: first."
                )
            left_out = {"repeats an earlier id": len(batch) - len(kept)} if len(kept) < len(batch) else {}
            places, texts = [place for place, _ in kept], [cells for _, cells in kept]
            yield RawBlock(number, len(batch), places, texts, left_out)

    def read(self, block: RawBlock) -> ReadBlock:
        rows, problems = self.file.frame(block.places, block.cells or (), self.name)
        bad = tuple(BadRow(place, given[:LONGEST_GIVEN], reason) for place, given, reason in problems)
        return ReadBlock(rows, bad)

    def canonical(self, rows: pd.DataFrame) -> pd.DataFrame:
        return rows

    def quantity(self, column: str, part: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        return formula_quantity(part, list(values)) if column == "formula" else None

    def sample(self) -> pd.DataFrame:
        return _first_rows(self)

    def described(self) -> Mapping[str, str]:
        return {"pool": self.file.described(), "pool's settings": f"{self.name} {self.file!r}"}


class SeenHashes:
    """Which texts came before, in 8 bytes each: sorted arrays of hashes that double in size as they merge."""

    def __init__(self) -> None:
        self._levels: list[NDArray[np.uint64]] = []

    def first(self, texts: Sequence[str]) -> list[bool]:
        """Whether each text comes for the first time, and adds them all."""
        hashes = np.array(
            [int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little") for text in texts],
            dtype=np.uint64,
        )
        fresh = np.zeros(len(texts), dtype=bool)
        fresh[np.unique(hashes, return_index=True)[1]] = True
        for level in self._levels:
            places = np.minimum(np.searchsorted(level, hashes), len(level) - 1)
            fresh &= level[places] != hashes
        added = np.sort(hashes[fresh])
        while self._levels and len(self._levels[-1]) <= len(added):
            added = np.sort(np.concatenate([self._levels.pop(), added]))
        self._levels += [added] if len(added) else []
        return [bool(one) for one in fresh]


def rows_of(path: Path) -> int | None:
    """About how many rows a file has: those of Parquet exactly, lines of text; None for a compressed file."""
    if path.suffix == ".parquet":
        from pyarrow import parquet

        return int(parquet.ParquetFile(path).metadata.num_rows)
    if path.suffix in (".gz", ".xlsx", ".zip"):
        return None
    if path.is_dir():
        return sum(1 for _ in path.iterdir())
    with path.open("rb") as stream:
        return sum(chunk.count(b"\n") for chunk in iter(lambda: stream.read(CHUNK), b""))


def _first_block(pool: Pool, size: int) -> RawBlock | None:
    return next(iter(pool.blocks(size)), None)


def _first_rows(pool: Pool) -> pd.DataFrame:
    block = _first_block(pool, EARLY)
    rows = pool.read(block).rows if block is not None else pd.DataFrame(columns=[one.name for one in pool.columns])
    return rows.iloc[:FEW_ROWS]


def _check_first(pool: Pool, source: str, cure: str) -> None:
    """Refuses a source without entries, or without a readable one among the first."""
    block = _first_block(pool, EARLY)
    if block is None:
        raise InputError(f"{source} has no entries. {cure}")
    read = pool.read(block)
    if read.rows.empty and read.bad:
        bad = read.bad[0]
        raise InputError(
            f"{source} has no readable entry among its first {block.entries}. {pool.place_word.capitalize()} "
            f"{bad.place}: {bad.given!r}: {bad.reason}. {cure}"
        )


def names_of(columns: Iterable[Column]) -> tuple[str, ...]:
    """The names of columns."""
    return tuple(column.name for column in columns)
