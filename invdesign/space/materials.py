"""Materials as a parameter: the rows of a table, with an id and what is known of each."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BeforeValidator

from invdesign import datasets
from invdesign.core.columns import Column
from invdesign.core.delimited import delimited_rows
from invdesign.core.errors import InputError, quoted
from invdesign.core.failures import CandidateFailure
from invdesign.core.settings import InputFile, bounded, settings
from invdesign.core.tables import MISSING, Table, read_table
from invdesign.core.text_files import DEFAULT_LIMITS, digest_of_file, is_file, open_text
from invdesign.space.cube_moves import from_either
from invdesign.space.molecules.packed_strings import PackedStrings
from invdesign.space.parameters import PlainParameter, each_or_given
from invdesign.space.structure_files import digest_of_files, holds_files, structure_files, structure_text
from invdesign.surrogates.features.elements import element_symbols
from invdesign.surrogates.features.formulas import element_amounts
from invdesign.surrogates.features.structures import NAMES as STRUCTURE_NAMES
from invdesign.surrogates.features.structures import StructureKind, structure_values

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

METALS = "transition_metals"
METAL_NUMBERS = frozenset([*range(21, 31), *range(39, 49), 57, *range(72, 81), 89, *range(104, 113)])
"""Atomic numbers of the elements of groups 3 to 12."""
STRUCTURE = "structure"
MOST_SHOWN = 3
ROWS_AT_ONCE = 16_384
Cells = tuple[str, ...]
Entry = tuple[int, Cells]


def _by_name(given: Any) -> Any:
    """A list of columns as a mapping from names to columns."""
    return {str(name): str(name) for name in given} if isinstance(given, list | tuple) else given


@settings
class MaterialFile:
    """A table of materials, read row by row: an id, and a formula, a structure, descriptors or several of them."""

    pool: InputFile
    """Table of materials: CSV (also with ``.gz``), Parquet or .xlsx by its ending; a folder or .zip of structure files
    (CIF, POSCAR or pymatgen's JSON), each a material whose id is the file's name; or ``dataset:NAME``."""
    id: str | None = None
    """Column that identifies a material, such as that of Materials Project ids; the formula where missing."""
    formula: str | None = None
    """Column of formulas, from which features are computed; none where missing."""
    descriptors: Annotated[dict[str, str], BeforeValidator(_by_name)] = field(default_factory=dict)
    """Columns of numbers that describe a material: a list, or a mapping from names to columns whose names are not
    plain words."""
    structure: str | None = None
    """Column of crystal structures: the text of a CIF, a POSCAR or pymatgen's JSON, or the path of such a file in the
    table's folder."""
    structure_descriptors: list[StructureKind] = field(default_factory=lambda: ["density", "sites"])
    """What is computed of each structure: ``density`` (with volume, packing and space group), ``sites`` (nearest
    neighbors and coordination), ``sendek`` (the five descriptors of Sendek et al. 2017, doi:10.1039/C6EE02697D), or
    ``sendek-cell`` (the same without periodic images, as in the dataset ``sendek-training``)."""
    duplicates: Literal["first", "error"] = "first"
    """What to do with rows of one id: take the first, or refuse them."""

    def __post_init__(self) -> None:
        of_files = holds_files(self._path)
        if of_files and (self.id or self.formula or self.structure or self.descriptors):
            raise InputError(
                f"'{self._path}' is not a table, so it has no columns. Remove 'id', 'formula', 'structure' and "
                "'descriptors', or use a table with a column of structures."
            )
        if self.id is None and self.formula is None and not of_files:
            raise InputError("A pool of materials needs the column of its ids ('id') or of its formulas ('formula').")
        if not (self.descriptors or self.formula or self.structure or of_files):
            raise InputError(
                "A pool of materials needs 'descriptors' (columns of numbers), a 'formula', a 'structure' or several "
                "of them."
            )
        computed = [name for kind in self.structure_descriptors for name in STRUCTURE_NAMES[kind]]
        if self.has_structures and not computed:
            raise InputError("'structure_descriptors' must name at least one kind. Use, for example, [density, sites].")
        taken = [*self.descriptors, *(computed if self.has_structures else ())]
        for name in taken:
            if taken.count(name) > 1:
                raise InputError(f"'{name}' is the name of two descriptors. Rename one, or remove one of their kinds.")
        for name in self.descriptors:
            if not name.isidentifier():
                raise InputError(
                    f"The descriptor '{name}' is not a plain word. Name it, as in descriptors: {{gap: {name}}}."
                )
        if not of_files and not is_file(self._path):
            raise InputError(f"The file '{self._path}' does not exist.")

    @property
    def has_structures(self) -> bool:
        """Whether each material has a structure."""
        return self.structure is not None or holds_files(self._path)

    @property
    def numbers(self) -> tuple[str, ...]:
        """The descriptors: those of the table, and those computed of structures."""
        kinds = self.structure_descriptors if self.has_structures else ()
        return (*self.descriptors, *(name for kind in kinds for name in STRUCTURE_NAMES[kind]))

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that a row has besides its id."""
        return (*(("formula",) if self.formula is not None else ()), *self.numbers)

    @property
    def place_word(self) -> str:
        """The unit of a row's number: line, row or file."""
        if holds_files(self._path):
            return "file"
        return "row" if self._path.suffix in (".parquet", ".xlsx") else "line"

    def entries(self) -> Iterator[Entry]:
        """The number of each line (or row) and its cells: id, formula and structure if there are, descriptors.

        Raises:
            InputError: if the file cannot be read, or a column is missing (the nearest is suggested).
        """
        if holds_files(self._path):
            yield from enumerate(structure_files(self._path), start=1)
            return
        columns_of_text = [name for name in (self.formula, self.structure) if name is not None]
        wanted = [self.id or self.formula or "", *columns_of_text, *self.descriptors.values()]
        if self._path.suffix == ".parquet":
            yield from self._parquet(wanted)
        elif self._path.suffix == ".xlsx":
            table = read_table(self._path)
            columns = [table.frame[table.find(name)] for name in wanted]
            rows = zip(table.lines, zip(*columns, strict=True), strict=True)
            yield from ((line, tuple(map(_cell, row))) for line, row in rows)
        else:
            with open_text(self._path) as text:
                lines = delimited_rows(text, self._path, DEFAULT_LIMITS)
                _, header = next(lines)
                places = [header.index(name) for name in self._found(header, wanted)]
                yield from ((line, tuple(row[place].strip() for place in places)) for line, row in lines)

    def frame(
        self, places: Sequence[int], cells: Sequence[Cells], name: str
    ) -> tuple[pd.DataFrame, list[tuple[int, str, str]]]:
        """Rows as a frame indexed by their places, and those that cannot be read: place, what it holds, and why.

        Args:
            places: line or row of each.
            cells: from ``entries``.
            name: of the column of ids.
        """
        given = (name, *(("formula",) if self.formula else ()), *((STRUCTURE,) if self.has_structures else ()))
        keys = (*given, *self.descriptors)
        columns: dict[str, Sequence[Any]] = dict(
            zip(keys, zip(*cells, strict=True) if cells else [()] * len(keys), strict=True)
        )
        wrong: dict[int, tuple[str, str]] = {}
        for row, text in enumerate(columns[name]):
            if not text:
                wrong.setdefault(row, ("", f"the id is missing in column '{self.id or self.formula}'"))
        if self.formula is not None:
            for row, problem in formula_problems(columns["formula"]).items():
                wrong.setdefault(row, (columns["formula"][row], problem))
        numbers: dict[str, NDArray[np.float64]] = {}
        for descriptor, column in self.descriptors.items():
            numbers[descriptor], odd = _numbers(columns[descriptor])
            for row in odd:
                given = columns[descriptor][row]
                wrong.setdefault(row, (given, f"column '{column}' holds {quoted(given)}, which is not a finite number"))
        if self.has_structures:
            texts = columns.pop(STRUCTURE)
            computed, unreadable = self._of_structures(texts, [row for row in range(len(texts)) if row not in wrong])
            numbers |= dict(zip(self.numbers[len(self.descriptors) :], computed.T, strict=True))
            for row, reason in unreadable.items():
                wrong.setdefault(row, (texts[row].partition("\n")[0], reason))
        frame = pd.DataFrame({**columns, **numbers}, index=pd.Index(list(places), dtype=np.int64))
        good = np.ones(len(frame), dtype=bool)
        good[list(wrong)] = False
        return frame[good], [(places[row], *wrong[row]) for row in sorted(wrong)]

    def pooled(self) -> MaterialPool:
        """The whole table as a pool.

        Raises:
            InputError: naming the row, if one cannot be read or an id is repeated and must not be.
        """
        entries = list(self.entries())
        frame, problems = self.frame([place for place, _ in entries], [cells for _, cells in entries], "id")
        source = f"'{self._path}'"
        repeated = frame["id"].duplicated()
        if self.duplicates == "error" and repeated.any():
            place = frame.index[repeated][0]
            raise InputError(
                f"{source}, {self.place_word} {place}: {frame['id'][place]!r} repeats an earlier id. Remove the "
                "repeated rows, or take each id once with duplicates: first."
            )
        if frame.empty:
            first = f" {self.place_word.capitalize()} {problems[0][0]}: {problems[0][2]}." if problems else ""
            raise InputError(f"{source} has no readable row of a material.{first}")
        once = frame[~repeated]
        shown = "; ".join(f"{self.place_word} {place}: {reason}" for place, _, reason in problems[:MOST_SHOWN])
        counts = [f"{len(problems):,} unreadable ({shown})"] if problems else []
        counts += [f"{int(repeated.sum()):,} repeated"] if repeated.any() else []
        remark = f"{source}: rows left out of {len(entries):,}: {'; '.join(counts)}." if counts else ""
        formulas = tuple(once["formula"]) if self.formula is not None else ()
        described = Descriptors(
            PackedStrings(once["id"]), self.numbers, once[list(self.numbers)].to_numpy(float), formulas
        )
        return MaterialPool(described, remark=remark)

    def described(self) -> str:
        """A digest of the table, and of the structure files that it names or that the folder holds."""
        if holds_files(self._path):
            return digest_of_files(self._path)
        digest = hashlib.sha256(digest_of_file(self._path).encode())
        if self.structure is not None:
            place = 2 if self.formula is not None else 1
            for _, cells in self.entries():
                try:
                    text = structure_text(cells[place], self._path.parent)
                except CandidateFailure as failure:
                    text = str(failure)
                digest.update(hashlib.sha256(text.encode()).digest())
        return digest.hexdigest()

    def _of_structures(self, texts: Sequence[str], rows: Sequence[int]) -> tuple[NDArray[np.float64], dict[int, str]]:
        """Descriptors of structures, shape ``n x descriptors``, and why those of some rows cannot be computed."""
        width = len(self.numbers) - len(self.descriptors)
        found, wrong = np.full((len(texts), width), np.nan), {}
        for row in rows:
            try:
                text = structure_text(texts[row], self._path.parent) if self.structure is not None else texts[row]
                found[row] = structure_values(text, self.structure_descriptors)
            except CandidateFailure as failure:
                wrong[row] = str(failure)
        return found, wrong

    @property
    def _path(self) -> Path:
        return datasets.resolve(self.pool)

    def _found(self, header: Sequence[str], wanted: Sequence[str]) -> list[str]:
        """The columns as the header writes them, which may add their unit."""
        table = Table.of(pd.DataFrame(columns=list(header)), f"'{self._path}'")
        return [table.find(name) for name in wanted]

    def _parquet(self, wanted: Sequence[str]) -> Iterator[Entry]:
        from pyarrow import ArrowInvalid, parquet

        try:
            table = parquet.ParquetFile(self._path)
        except ArrowInvalid as error:
            raise InputError(f"'{self._path}' cannot be read as PARQUET: {error}.") from None
        with table:
            found = self._found(list(table.schema_arrow.names), wanted)
            number = 0
            for batch in table.iter_batches(batch_size=ROWS_AT_ONCE, columns=list(dict.fromkeys(found))):
                columns = [batch.column(name).to_pylist() for name in found]
                for row in zip(*columns, strict=True):
                    number += 1
                    yield number, tuple(map(_cell, row))


@dataclass(frozen=True, eq=False)
class Descriptors:
    """What is known of the materials of a pool; see ``invdesign.core.columns.Described``.

    Attributes:
        ids: each once.
        names: of the descriptors.
        matrix: shape ``n x len(names)``; NaN where one is missing.
        formulas: shape ``n``; empty if they have none.
    """

    ids: PackedStrings
    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    formulas: tuple[str, ...] = ()

    def places(self, ids: Sequence[object]) -> NDArray[np.int64]:
        found = self.ids.places(list(ids))
        if (found < 0).any():
            unknown = ids[int(np.argmax(found < 0))]
            raise InputError(f"{unknown!r} is not in the pool of {len(self.ids):,} materials.")
        return found

    def columns(self) -> tuple[Column, ...]:
        """The descriptors, and the formula if there is one, as columns of their own."""
        formula = (Column("formula", "formula"),) if self.formulas else ()
        return (*formula, *(Column(name, "number") for name in self.names))

    def frame(self, ids: ArrayLike) -> pd.DataFrame:
        """The values of these columns for some materials."""
        places = self.places(list(np.asarray(ids, dtype=object)))
        values = pd.DataFrame(self.matrix[places], columns=list(self.names))
        if self.formulas:
            values.insert(0, "formula", [self.formulas[place] for place in places.tolist()])
        return values


@dataclass(frozen=True, eq=False)
class MaterialPool(PlainParameter):
    """A list of materials to choose from, with their descriptors and formulas.

    Surrogates learn from the descriptors, standardized over the pool, and from features of the formulas. In the unit
    cube a material is at its ranks by the principal components of these, so that materials alike are near each other.

    Example:
        >>> pool = MaterialPool.from_file("crystals.csv", id="mp_id", descriptors=["volume", "band_gap"])
        >>> space = SearchSpace(crystal=pool)

    Attributes:
        descriptors: ids, descriptors and formulas.
        components: largest number of principal components.
        remark: what was left out of the source; empty if nothing was.

    Raises:
        InputError: if an id is repeated.
    """

    descriptors: Descriptors = field(repr=False)
    components: int = 5
    remark: str = field(default="", repr=False)

    def __post_init__(self) -> None:
        if self.descriptors.ids.repeated():
            raise InputError("A pool of materials must contain each id once.")

    @classmethod
    def from_file(
        cls,
        pool: str | Path,
        *,
        id: str | None = None,  # noqa: A002 - the word of the campaign file
        formula: str | None = None,
        descriptors: Sequence[str] | Mapping[str, str] = (),
        structure: str | None = None,
        structure_descriptors: Sequence[StructureKind] = ("density", "sites"),
        duplicates: Literal["first", "error"] = "first",
    ) -> MaterialPool:
        """Reads a pool from a table; arguments as the settings of ``MaterialFile``.

        Raises:
            InputError: if the file or a column is missing, no row can be read, or an id is repeated and must not be.
        """
        named = descriptors if isinstance(descriptors, Mapping) else {name: name for name in descriptors}
        kinds = list(structure_descriptors)
        return MaterialFile(pool, id, formula, dict(named), structure, kinds, duplicates).pooled()

    @property
    def ids(self) -> PackedStrings:
        """The ids of the materials, each once."""
        return self.descriptors.ids

    @property
    def dimension(self) -> int:
        return self._points.shape[1]

    @property
    def is_even(self) -> bool:
        return False

    @property
    def size(self) -> float:
        return len(self.ids)

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        return self._points[self._places(values)]

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        return self.at(np.asarray(self._tree.query(points)[1], dtype=np.int64))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self._points[rng.integers(len(self.ids), size=n)]

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return self.ids.taken(np.asarray(places, dtype=np.int64))

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        """Another material each: one of the nearest, the farther the larger the step."""
        places = self._places(values)
        count = len(self.ids)
        if count == 1:
            return self.at(places)
        near = min(count, 1 + math.ceil(step * math.sqrt(count) * 10))
        found = np.asarray(self._tree.query(self._points[places], k=max(2, near))[1])
        return self.at(found[np.arange(len(places)), rng.integers(1, found.shape[1], len(places))])

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        return from_either(np.asarray(first, dtype=object), np.asarray(second, dtype=object), rng)

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """A descriptor of each material, such as ``crystal.band_gap``."""
        if name not in self.descriptors.names:
            return None
        return self.descriptors.matrix[self._places(values), self.descriptors.names.index(name)]

    def column(self, name: str) -> Column:
        return Column(name, "material", values=self.ids, described=self.descriptors)

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        """Ids as text: a table without quotation marks has the number 2 for '2'."""
        return each_or_given(values, _cell)

    def source_remark(self) -> str:
        return self.remark

    def _places(self, values: ArrayLike) -> NDArray[np.int64]:
        return self.descriptors.places(list(np.asarray(values, dtype=object)))

    @cached_property
    def _points(self) -> NDArray[np.float64]:
        """Ranks by principal components; materials with the same ones follow each other in the list's order."""
        from invdesign.surrogates.features.materials import MaterialFeatures

        features = MaterialFeatures(self.column("material")).transform(list(self.ids))
        centered = np.nan_to_num(features - np.nanmean(features, axis=0))
        left, singular, _ = np.linalg.svd(centered, full_matrices=False)
        count = max(1, int((singular[: self.components] > 1e-9 * max(1.0, singular[0])).sum()))
        points = np.empty((len(features), count))
        for place in range(count):
            # The sign of a singular vector is arbitrary: fix it, so that a pool has the same points everywhere.
            column = left[:, place] * np.sign(left[np.abs(left[:, place]).argmax(), place] or 1.0)
            order = np.argsort(np.round(column, 9), kind="stable")
            points[order, place] = (np.arange(len(column)) + 0.5) / len(column)
        return points

    @cached_property
    def _tree(self) -> Any:
        from scipy.spatial import KDTree

        return KDTree(self._points)


@settings
class MaterialPoolFile(MaterialFile):
    """A pool of materials in a campaign file, read when the space is built."""

    components: int = bounded(default=5, ge=1)
    """Largest number of principal components of descriptors and formulas, the coordinates in the unit cube."""

    def build(self) -> MaterialPool:
        """Reads the table; see ``MaterialPool.from_file``."""
        found = self.pooled()
        return MaterialPool(found.descriptors, self.components, found.remark)


def formula_quantity(part: str, formulas: Sequence[str]) -> NDArray[np.float64] | None:
    """Atoms of an element in formulas as they are written, or of all transition metals; None for another word.

    Args:
        part: a symbol, or ``transition_metals`` (groups 3 to 12).
        formulas: such as ``LiFePO4``.
    """
    symbols = element_symbols()
    wanted = [
        place for place, one in enumerate(symbols) if one == part or (part == METALS and place + 1 in METAL_NUMBERS)
    ]
    if not wanted:
        return None
    return element_amounts(formulas, symbols)[:, wanted].sum(axis=1) if len(formulas) else np.empty(0)


def formula_problems(texts: Sequence[str]) -> dict[int, str]:
    """Why texts are not formulas, by their places; found by halves, because few are invalid."""
    try:
        _ = element_amounts(texts, element_symbols()) if len(texts) else None
    except InputError as error:
        if len(texts) == 1:
            return {0: str(error)}
        half = len(texts) // 2
        second = formula_problems(texts[half:])
        return formula_problems(texts[:half]) | {half + row: reason for row, reason in second.items()}
    return {}


def _numbers(cells: Sequence[str]) -> tuple[NDArray[np.float64], list[int]]:
    """Cells as numbers, NaN for missing ones, and the rows of those that are not finite numbers."""
    numbers, odd = np.full(len(cells), np.nan), []
    for row, cell in enumerate(cells):
        if cell in MISSING:
            continue
        try:
            numbers[row] = float(cell)
        except ValueError:
            odd.append(row)
        else:
            if not math.isfinite(numbers[row]):
                odd.append(row)
    return numbers, odd


def _cell(value: object) -> str:
    """A cell as text; a missing one is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return f"{int(value)}" if isinstance(value, float) and value.is_integer() else str(value).strip()
