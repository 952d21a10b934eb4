"""Molecules as a parameter: a pool to choose from."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Self, cast

import numpy as np

from invdesign import datasets
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.settings import InputFile, bounded, settings
from invdesign.core.text_files import DEFAULT_LIMITS, Limits
from invdesign.space.cube_moves import from_either, polynomial_mutation
from invdesign.space.molecules.coordinates import MoleculeCoordinates
from invdesign.space.molecules.files import Entry, MoleculeFile
from invdesign.space.molecules.packed_strings import PackedStrings
from invdesign.space.parameters import PlainParameter
from invdesign.surrogates.features.smiles import are_molecules, canonical_or_given, canonical_smiles, smiles_problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

AT_ONCE = 4096
"""Number of molecules to canonicalize at a time."""
MOST_REMARKS = 1000
MOST_SHOWN = 3
LONGEST_REMARK = 2_000
MOST_UNREADABLE = 0.9
"""Share of entries that are not molecules above which a source is refused, once a block of it was read."""
EARLY = 100
"""Number of entries of which at least one must be a molecule, so that a file of another kind is refused early."""
LEAPS = 0.2
"""Share of mutations that choose any molecule of the pool."""
Coordinates = Literal["index", "components"]
Duplicates = Literal["first", "error"]


@dataclass(frozen=True)
class LeftOut:
    """Entries of a source that did not become molecules of a pool.

    Attributes:
        source: in quotation marks, or what else it is.
        entries: number of all its entries.
        unreadable: number of entries that are not molecules.
        repeated: number of entries that repeat an earlier molecule.
        first: the first of them, with their lines and the reasons.
    """

    source: str
    entries: int
    unreadable: int
    repeated: int
    first: tuple[str, ...]

    def __str__(self) -> str:
        if not self.first:
            return ""
        counts = [f"{self.unreadable:,} not molecules"] if self.unreadable else []
        counts += [f"{self.repeated:,} repeated"] if self.repeated else []
        more = "; and more" if len(self.first) < self.unreadable + self.repeated else ""
        left_out = self.unreadable + self.repeated
        return (
            f"{self.source}: {left_out:,} of {self.entries:,} entries {'was' if left_out == 1 else 'were'} left out "
            f"({', '.join(counts)}): {'; '.join(self.first)}{more}."
        )


@dataclass(frozen=True)
class MoleculePool(PlainParameter):
    """A list of molecules to choose from.

    In the unit cube a molecule is at its position in the list (``index``, for optimizers that score the pool
    itself), or at its principal components, so that molecules alike are near each other (``components``, for particle
    swarms and other searches of the cube). Components take about 10 ms per molecule of the whole pool, once.

    Attributes:
        smiles: canonical SMILES, each once. Any sequence of strings; it is stored packed.
        remarks: problems of the source: invalid molecules and duplicates.
        coordinates: how molecules are encoded in the unit cube.
        components: how many principal components, where these are the coordinates; fewer where the pool spans fewer.
        left_out: entries of the source that are not in the pool; None if the pool has no source.

    Raises:
        InputError: if the pool is empty or the SMILES are not distinct; use ``from_smiles`` to remove duplicates.
    """

    smiles: Sequence[str] = field(repr=False)
    remarks: tuple[str, ...] = ()
    coordinates: Coordinates = "index"
    components: int = 5
    # Not part of what identifies the pool in a store.
    left_out: LeftOut | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        packed = self.smiles if isinstance(self.smiles, PackedStrings) else PackedStrings(self.smiles)
        object.__setattr__(self, "smiles", packed)
        if not packed:
            raise InputError(_emptiness(self.remarks))
        if packed.repeated():
            raise InputError(
                "A molecule pool must contain each molecule once. Use MoleculePool.from_smiles to remove duplicates."
            )
        if self.coordinates not in ("index", "components"):
            raise InputError(f"The coordinates of a pool must be 'index' or 'components', not '{self.coordinates}'.")
        if self.components < 1:
            raise InputError(f"A pool needs at least one component, not {self.components}.")

    @classmethod
    def from_smiles(
        cls,
        smiles: Iterable[object],
        *,
        first_line: int = 1,
        canonical: bool = False,
        coordinates: Coordinates = "index",
        components: int = 5,
        duplicates: Duplicates = "first",
    ) -> Self:
        """Creates a pool of any SMILES: canonical, each once, with problems listed in ``remarks``.

        Args:
            smiles: one per molecule.
            first_line: the line of the first one in its source, for the remarks.
            canonical: True if they are RDKit's canonical SMILES already: they are then used without parsing.
            coordinates: as of the class.
            components: as of the class.
            duplicates: ``first`` takes each molecule once, ``error`` refuses repeated ones.

        Raises:
            InputError: if no entry is a molecule, or none of the first hundred, or one is repeated and must not be.
        """
        entries = enumerate(smiles, start=first_line)
        strings, remarks, left_out = _sorted_out(entries, "line", "The list", canonical=canonical)
        _check_duplicates(left_out, duplicates)
        return cls(strings, remarks, coordinates, components, left_out)

    @classmethod
    def from_file(
        cls,
        pool: str | Path,
        smiles: str | None = None,
        *,
        canonical: bool = False,
        coordinates: Coordinates = "index",
        components: int = 5,
        duplicates: Duplicates = "first",
        limits: Limits = DEFAULT_LIMITS,
    ) -> Self:
        """Reads a pool from a file by its ending: CSV, SMI, Parquet, SDF or .xlsx, the texts also with ``.gz``.

        Args:
            pool: the file's path, or ``dataset:NAME`` for a registered dataset.
            smiles: the column that holds SMILES, in CSV, Parquet and .xlsx; ``smiles`` where None.
            canonical: True if the file holds RDKit's canonical SMILES already: they are then used
                without parsing, which saves about 0.15 ms per molecule.
            coordinates: as of the class.
            components: as of the class.
            duplicates: ``first`` takes each molecule once, ``error`` refuses repeated ones.
            limits: of the file's size and number of rows.

        Raises:
            InputError: if the file or the column is missing (the nearest column is suggested), exceeds a limit, none of
                its first hundred entries is a molecule, or one is repeated and must not be.
        """
        file = MoleculeFile(datasets.resolve(pool), smiles, limits)
        strings, remarks, left_out = _sorted_out(file.entries(), file.place_word, f"'{file.path}'", canonical=canonical)
        _check_duplicates(left_out, duplicates)
        return cls(strings, remarks, coordinates, components, left_out)

    @classmethod
    def from_csv(cls, pool: str | Path, smiles: str = "smiles") -> Self:
        """Reads a pool from a column of a CSV file, as ``from_file`` does."""
        return cls.from_file(pool, smiles)

    @property
    def dimension(self) -> int:
        return self._coordinates.points.shape[1] if self.coordinates == "components" else 1

    @property
    def is_even(self) -> bool:
        return self.coordinates == "index"

    @property
    def size(self) -> float:
        return len(self.smiles)

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        places = self._places(values)
        if self.coordinates == "components":
            return self._coordinates.points[places]
        return ((places + 0.5) / len(self.smiles))[:, None]

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        if self.coordinates == "components":
            return self.at(self._coordinates.nearest(points))
        places = np.floor(points[:, 0] * len(self.smiles)).astype(np.int64)
        return self.at(np.clip(places, 0, len(self.smiles) - 1))

    def decode_distinct(self, points: NDArray[np.float64], without: Iterable[str] = ()) -> NDArray[np.object_]:
        """Decodes points to different molecules: one that is already taken is replaced by the next nearest.

        Args:
            points: shape ``n x dimension``; earlier ones have priority.
            without: molecules to exclude, such as those already evaluated.

        Raises:
            InputError: if too few molecules are left.
        """
        taken = set(self._places(list(without)).tolist())
        if len(points) > len(self.smiles) - len(taken):
            raise InputError(f"Only {len(self.smiles) - len(taken)} molecules of the pool are left, not {len(points)}.")
        if self.coordinates == "components":
            return self.at(self._coordinates.nearest_free(points, taken))
        chosen = []
        for wanted in self._places(self.decode(points)).tolist():
            ring = (place for step in itertools.count() for place in (wanted + step, wanted - step))
            chosen.append(next(at for at in ring if 0 <= at < len(self.smiles) and at not in taken))
            taken.add(chosen[-1])
        return self.at(np.array(chosen, dtype=np.int64))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        if self.coordinates == "components":
            return self._coordinates.points[rng.integers(len(self.smiles), size=n)]
        return super().draw(n, rng)

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._packed.taken(np.asarray(places, dtype=np.int64))

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        """Another molecule each: one nearby in the pool's coordinates, or sometimes any.

        Any molecule is chosen sometimes, because the order of a list may be arbitrary and components are incomplete.
        """
        places = self._places(values)
        count = len(self.smiles)
        if count == 1:
            return self.at(places)
        near = self._places(self.decode(polynomial_mutation(self.encode(self.at(places)), rng, step)))
        leap = (near == places) | (rng.random(len(places)) < LEAPS)
        return self.at(np.where(leap, (places + rng.integers(1, count, len(places))) % count, near))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        return from_either(np.asarray(first, dtype=object), np.asarray(second, dtype=object), rng)

    def column(self, name: str) -> Column:
        return Column(name, "molecule", values=self.smiles)

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        """SMILES in the pool's form: as they are if they are in the pool, else canonical."""
        given = np.array(values, dtype=object)
        unknown = np.flatnonzero(self._packed.places(list(given)) < 0)
        given[unknown] = canonical_or_given(given[unknown])
        return given

    @property
    def learnable(self) -> bool:
        """The features of a molecule do not depend on the pool."""
        return True

    def unlisted(self, values: ArrayLike) -> list[str]:
        molecules = list(np.asarray(values, dtype=object))
        found = [""] * len(molecules)
        for row in np.flatnonzero(self._packed.places(molecules) < 0).tolist():
            if not are_molecules([molecules[row]])[0]:
                raise InputError(
                    f"{molecules[row]!r} is not in the pool of {len(self.smiles)} molecules, and not a molecule that "
                    f"RDKit can read: {smiles_problem(molecules[row])}."
                )
            found[row] = f"{molecules[row]!r} is not in the pool of {len(self.smiles)} molecules."
        return found

    def source_remark(self) -> str:
        return str(self.left_out or "")

    def _places(self, values: ArrayLike) -> NDArray[np.int64]:
        molecules = list(np.asarray(values, dtype=object))
        places = self._packed.places(molecules)
        if (places < 0).any():
            unknown = molecules[int(np.argmax(places < 0))]
            raise InputError(f"{unknown!r} is not in the pool of {len(self.smiles)} molecules.")
        return places

    @property
    def _packed(self) -> PackedStrings:
        return cast("PackedStrings", self.smiles)  # __post_init__ packs the given sequence

    @cached_property
    def _coordinates(self) -> MoleculeCoordinates:
        return MoleculeCoordinates.of(self.smiles, self.components)


@settings
class MoleculePoolFile:
    """A molecule pool in a campaign file, read when the space is built."""

    pool: InputFile
    """File of molecules: CSV, SMI, Parquet, SDF or .xlsx by its ending, the texts also with ``.gz``; or
    ``dataset:NAME``."""
    smiles: str | None = None
    """Column that holds SMILES, in CSV, Parquet and .xlsx; ``smiles`` where missing."""
    canonical: bool = False
    """Whether the file holds RDKit's canonical SMILES already; they are then not parsed, which saves time."""
    coordinates: Coordinates = "index"
    """Encoding in the unit cube: position in the list (``index``) or principal components (``components``)."""
    components: int = bounded(default=5, ge=1)
    """Number of principal components, where these are the coordinates."""
    duplicates: Duplicates = "first"
    """What to do with repeated molecules: take each once (``first``) or refuse them (``error``)."""

    def build(self) -> MoleculePool:
        """Reads the file; see ``MoleculePool.from_file``."""
        return MoleculePool.from_file(
            self.pool,
            self.smiles,
            canonical=self.canonical,
            coordinates=self.coordinates,
            components=self.components,
            duplicates=self.duplicates,
        )


def _sorted_out(
    entries: Iterable[tuple[int, object]], place_word: str, source: str, *, canonical: bool
) -> tuple[PackedStrings, tuple[str, ...], LeftOut]:
    """Canonical SMILES, each once, and remarks on the rest: the first ones and the total number."""
    strings = PackedStrings()
    lines = np.empty(0, dtype=np.int64)
    blocks: list[NDArray[np.int64]] = []
    wrong: list[tuple[int, str]] = []
    reasons: dict[int, str] = {}
    count = failures = 0
    stream = iter(entries)
    while batch := list(itertools.islice(stream, AT_ONCE if count else EARLY)):
        good, bad = _read(batch, canonical=canonical)
        if not count and len(batch) == EARLY:
            _demand_molecules(batch, good, place_word, source)
        count += len(batch)
        strings.extend(smiles for _, smiles in good)
        blocks.append(np.array([line for line, _ in good], dtype=np.int64))
        failures += len(bad)
        if count > AT_ONCE and failures > MOST_UNREADABLE * count:
            line, given = bad[-1]
            raise InputError(
                f"{source}: {failures:,} of the first {count:,} entries are not molecules. {place_word.capitalize()} "
                f"{line}: {_cut(given)!r}: {smiles_problem(given)}. Choose a file, and a column, of SMILES."
            )
        reasons |= {line: smiles_problem(given) for line, given in bad[: MOST_SHOWN - len(reasons)]}
        wrong += [
            (line, f"{_cut(given, LONGEST_REMARK)!r} is not a molecule that RDKit can read")
            for line, given in bad[: MOST_REMARKS - len(wrong)]
        ]
    lines = np.concatenate([lines, *blocks])
    repeats = strings.repeated()
    for again in sorted(repeats)[:MOST_REMARKS]:
        repeat = f"{strings[again]!r} repeats the molecule of {place_word} {lines[repeats[again]]}"
        wrong.append((int(lines[again]), repeat))
    shown = sorted(wrong)[:MOST_REMARKS]
    remarks = [f"{place_word} {line}: {text}" for line, text in shown]
    first = tuple(
        f"{_cut(remark)}: {reasons[line]}" if line in reasons else str(_cut(remark))
        for (line, _), remark in zip(shown[:MOST_SHOWN], remarks, strict=False)
    )
    left_out = failures + len(repeats) - len(remarks)
    if left_out:
        remarks.append(f"and {left_out} more: {failures} unreadable and {len(repeats)} repeated in all")
    return strings.without(repeats), tuple(remarks), LeftOut(source, count, failures, len(repeats), first)


def _demand_molecules(batch: list[tuple[int, object]], good: list[Entry], place_word: str, source: str) -> None:
    """Refuses a source whose first entries contain no molecule; canonical ones, which were not parsed, included."""
    if any(canonical_smiles(smiles for _, smiles in good)):
        return
    line, given = batch[0]
    raise InputError(
        f"{source} has no molecule in its first {len(batch)} entries. {place_word.capitalize()} {line}: "
        f"{_cut(given)!r}: {smiles_problem(given)}. Choose a file, and a column, of SMILES."
    )


def _check_duplicates(left_out: LeftOut, duplicates: Duplicates) -> None:
    if duplicates not in ("first", "error"):
        raise InputError(f"'duplicates' of a pool must be 'first' or 'error', not '{duplicates}'.")
    if duplicates == "error" and left_out.repeated:
        raise InputError(f"{left_out} Remove the repeated ones, or take each once with duplicates: first.")


def _cut(given: object, length: int = 120) -> object:
    return f"{given[:length]}..." if isinstance(given, str) and len(given) > length else given


def _read(batch: list[tuple[int, object]], *, canonical: bool) -> tuple[list[Entry], list[tuple[int, object]]]:
    """The molecules of a batch and the rest, each with its line."""
    if canonical:
        read: list[str | None] = [text.strip() or None if isinstance(text, str) else None for _, text in batch]
    else:
        read = canonical_smiles(text for _, text in batch)
    good = [(line, smiles) for (line, _), smiles in zip(batch, read, strict=True) if smiles is not None]
    bad = [entry for entry, smiles in zip(batch, read, strict=True) if smiles is None]
    return good, bad


def _emptiness(remarks: tuple[str, ...]) -> str:
    cause = f" The source's {remarks[0]}." if remarks else ""
    return f"A molecule pool needs at least one valid molecule.{cause}"
