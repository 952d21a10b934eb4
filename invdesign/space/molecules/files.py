"""Files of molecules, read line by line: CSV, SMI, Parquet and SDF, the texts also compressed by gzip.

Each molecule comes with the line where it starts (in Parquet: its row), for messages.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING, cast

from invdesign.core.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_COLUMN = "smiles"
ROWS_AT_ONCE = 16_384
Entry = tuple[int, str]


@dataclass(frozen=True)
class MoleculeFile:
    """The molecules of a file, read on demand.

    Attributes:
        path: of the file.
        column: the column of SMILES, in CSV and Parquet; ``smiles`` if None.

    Raises:
        InputError: if the file does not exist, or its format is unknown.
    """

    path: Path
    column: str | None = None

    def __post_init__(self) -> None:
        if not self.path.is_file():
            raise InputError(f"The file '{self.path}' does not exist.")
        if self._kind not in _READERS:
            raise InputError(
                f"'{self.path}' has an unknown format. Its name must end in one of {', '.join(_READERS)} "
                f"(text formats also "
                "with .gz). Rename it."
            )
        if self.column is not None and self._kind not in _WITH_COLUMNS:
            raise InputError(f"'{self.path}' has no columns. Remove the name of the SMILES column ('{self.column}').")

    @property
    def place_word(self) -> str:
        """The unit of an entry's number: line or row."""
        return "row" if self._kind == ".parquet" else "line"

    def entries(self) -> Iterator[Entry]:
        """Line (or row) numbers and their SMILES, in the file's order.

        Blank lines are skipped. The text of the SMILES is not checked; a record of an
        SDF file that RDKit cannot read is an empty text.

        Raises:
            InputError: if the file cannot be read in its format, or the column is missing (the nearest is suggested).
        """
        try:
            yield from _READERS[self._kind](self)
        except (csv.Error, UnicodeDecodeError, gzip.BadGzipFile, zlib.error, EOFError) as error:
            raise InputError(f"'{self.path}' cannot be read as {self._kind[1:].upper()}: {error}.") from None

    def open_text(self) -> IO[str]:
        """The file as text, decompressed where its name ends in ``.gz``."""
        if self.path.suffix.lower() == ".gz":
            return cast("IO[str]", gzip.open(self.path, "rt", encoding="utf-8-sig", newline=""))
        return self.path.open(encoding="utf-8-sig", newline="")

    def column_of(self, header: list[str]) -> str:
        """The column of SMILES.

        Raises:
            InputError: if it is missing from the header.
        """
        column = self.column or DEFAULT_COLUMN
        if column not in header:
            raise InputError(f"'{self.path}' has no column '{column}'.{nearest(column, header)}")
        return column

    @property
    def _kind(self) -> str:
        endings = [ending.lower() for ending in self.path.suffixes]
        compressed = len(endings) > 1 and endings[-1] == ".gz" and endings[-2] != ".parquet"
        return endings[-2] if compressed else (endings or [""])[-1]


def _from_csv(file: MoleculeFile) -> Iterator[Entry]:
    with file.open_text() as text:
        rows = csv.reader(text)
        header = next(rows, None)
        if not header:
            raise InputError(f"'{file.path}' cannot be read as CSV: its first line, the header, is empty.")
        place = header.index(file.column_of(header))
        line = rows.line_num + 1
        for row in rows:
            if row:
                yield line, row[place] if place < len(row) else ""
            line = rows.line_num + 1


def _from_smi(file: MoleculeFile) -> Iterator[Entry]:
    """One SMILES per line, optionally followed by a name; ``#`` starts a comment."""
    with file.open_text() as text:
        for number, line in enumerate(text, start=1):
            words = line.split(maxsplit=1)
            header = number == 1 and bool(words) and words[0].lower() == DEFAULT_COLUMN
            if words and not words[0].startswith("#") and not header:
                yield number, words[0]


def _from_parquet(file: MoleculeFile) -> Iterator[Entry]:
    try:
        from pyarrow import ArrowInvalid, parquet
    except ImportError:
        raise InputError(
            f"'{file.path}' is a Parquet file, which needs pyarrow: run 'pip install pyarrow', or write it as CSV."
        ) from None
    try:
        table = parquet.ParquetFile(file.path)
    except ArrowInvalid as error:
        raise InputError(f"'{file.path}' cannot be read as PARQUET: {error}.") from None
    with table:
        column = file.column_of(list(table.schema_arrow.names))
        number = 0
        for batch in table.iter_batches(batch_size=ROWS_AT_ONCE, columns=[column]):
            for value in batch.column(0).to_pylist():
                number += 1
                yield number, value if isinstance(value, str) else ""


def _from_sdf(file: MoleculeFile) -> Iterator[Entry]:
    from rdkit import Chem

    with file.open_text() as text:
        block: list[str] = []
        start = 1
        for number, line in enumerate(text, start=1):
            if not line.startswith("$$$$"):
                block.append(line)
                continue
            yield start, _from_block(Chem.MolFromMolBlock("".join(block)))
            block, start = [], number + 1
        if "".join(block).strip():
            yield start, _from_block(Chem.MolFromMolBlock("".join(block)))


def _from_block(molecule: object) -> str:
    from rdkit import Chem

    return Chem.MolToSmiles(molecule) if molecule is not None else ""


_READERS: Mapping[str, Callable[[MoleculeFile], Iterator[Entry]]] = {
    ".csv": _from_csv,
    ".smi": _from_smi,
    ".smiles": _from_smi,
    ".parquet": _from_parquet,
    ".sdf": _from_sdf,
}
_WITH_COLUMNS = frozenset({".csv", ".parquet"})
