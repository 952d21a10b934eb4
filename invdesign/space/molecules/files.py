"""Files of molecules, read line by line: CSV, SMI, Parquet, SDF and .xlsx, the texts also compressed by gzip.

Each molecule comes with the line where it starts (in Parquet and .xlsx: its row), for messages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from invdesign.core.delimited import delimited_rows
from invdesign.core.errors import InputError, nearest
from invdesign.core.tables import read_table
from invdesign.core.text_files import DEFAULT_LIMITS, Limits, is_file, open_text
from invdesign.surrogates.features.smiles import MOST_ATOMS

if TYPE_CHECKING:
    from collections.abc import Mapping

DEFAULT_COLUMN = "smiles"
ROWS_AT_ONCE = 16_384
LONGEST_RECORD = 10 * MOST_ATOMS
"""Lines of one SDF record above which it is not read."""
Entry = tuple[int, str]


@dataclass(frozen=True)
class MoleculeFile:
    """The molecules of a file, read on demand.

    Attributes:
        path: of the file.
        column: the column of SMILES, in CSV, Parquet and .xlsx; ``smiles`` if None.
        limits: of the size and the number of rows.

    Raises:
        InputError: if the file does not exist, or its format is unknown.
    """

    path: Path
    column: str | None = None
    limits: Limits = DEFAULT_LIMITS

    def __post_init__(self) -> None:
        if not is_file(self.path):
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
        return "row" if self._kind in (".parquet", ".xlsx") else "line"

    def entries(self) -> Iterator[Entry]:
        """Line (or row) numbers and their SMILES, in the file's order.

        Blank lines are skipped. The text of the SMILES is not checked; a record of an
        SDF file that RDKit cannot read is an empty text.

        Raises:
            InputError: if the file cannot be read in its format, or the column is missing (the nearest is suggested).
        """
        yield from _READERS[self._kind](self)

    def open_text(self) -> IO[str]:
        """The file as text, decompressed where its name ends in ``.gz``."""
        return open_text(self.path, self.limits)

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
        rows = delimited_rows(text, file.path, file.limits)
        _, header = next(rows)
        place = header.index(file.column_of(header))
        for line, row in rows:
            yield line, row[place]


def _from_xlsx(file: MoleculeFile) -> Iterator[Entry]:
    table = read_table(file.path, limits=file.limits)
    column = table.frame[file.column_of(list(table.frame.columns))]
    for line, value in zip(table.lines, column, strict=True):
        yield line, value if isinstance(value, str) else ""


def _from_smi(file: MoleculeFile) -> Iterator[Entry]:
    """One SMILES per line, optionally followed by a name; ``#`` starts a comment."""
    with file.open_text() as text:
        for number, line in enumerate(text, start=1):
            file.limits.check_rows(number, file.path, number)
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
                file.limits.check_rows(number, file.path, number)
                yield number, value if isinstance(value, str) else ""


def _from_sdf(file: MoleculeFile) -> Iterator[Entry]:
    with file.open_text() as text:
        block: list[str] = []
        start = 1
        for number, line in enumerate(text, start=1):
            if not line.startswith("$$$$"):
                if len(block) <= LONGEST_RECORD:
                    block.append(line)
                continue
            yield start, _from_block(block)
            block, start = [], number + 1
        if "".join(block).strip():
            yield start, _from_block(block)


def _from_block(lines: list[str]) -> str:
    from rdkit import Chem

    molecule = Chem.MolFromMolBlock("".join(lines)) if len(lines) <= LONGEST_RECORD else None
    return Chem.MolToSmiles(molecule) if molecule is not None else ""


_READERS: Mapping[str, Callable[[MoleculeFile], Iterator[Entry]]] = {
    ".csv": _from_csv,
    ".tsv": _from_csv,
    ".smi": _from_smi,
    ".smiles": _from_smi,
    ".txt": _from_smi,
    ".xlsx": _from_xlsx,
    ".parquet": _from_parquet,
    ".sdf": _from_sdf,
}
_WITH_COLUMNS = frozenset({".csv", ".tsv", ".parquet", ".xlsx"})
