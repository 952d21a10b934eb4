"""Blocks on disk: each is a file of its own that appears whole, so that an interrupted screen loses at most a block."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.tables import table_text
from invdesign.screening.funnel import StepCount
from invdesign.screening.plan import PLACE, BlockResult
from invdesign.screening.pools import BadRow

FORMAT = 1
PARTS, BLOCKS = "screen.json", "blocks"
RESULTS, FUNNEL, REJECTED, BEST = "results.parquet", "funnel.json", "rejected.csv", "best.csv"
META = b"invdesign"


@dataclass(frozen=True)
class BlockNote:
    """What is noted with the rows of a block.

    Attributes:
        entries: of the pool that it covers.
        hits: number of candidates that are likely to meet all targets.
        counts: of each step.
        bad: entries that cannot be read.
    """

    entries: int
    hits: int
    counts: tuple[StepCount, ...]
    bad: tuple[BadRow, ...]


@dataclass(frozen=True)
class Checkpoints:
    """The folder of a screen.

    Attributes:
        folder: where everything is written.
        schema: the columns of the results, and whether each holds numbers.
    """

    folder: Path
    schema: Mapping[str, bool]

    def begin(self, parts: Mapping[str, str], *, block: int, beside: Sequence[str] = ()) -> None:
        """Creates the folder, or checks that it belongs to the same screen.

        Args:
            parts: what the results depend on, by name.
            block: number of entries per block.
            beside: names of what else the folder may hold.

        Raises:
            InputError: if the folder holds another screen (what differs is named), other files, or cannot be written.
        """
        noted = {name: hashlib.sha256(text.encode()).hexdigest()[:16] for name, text in parts.items()}
        now = {"format": FORMAT, "block": block, "parts": noted}
        try:
            if not self.finished:
                self.blocks.mkdir(parents=True, exist_ok=True)
            if (place := self.folder / PARTS).exists():
                self._check_same(json.loads(place.read_text(encoding="utf-8")), now)
                return
            others = [one.name for one in self.folder.iterdir() if one.name not in (BLOCKS, *beside)]
            if others:
                raise InputError(
                    f"The folder '{self.folder}' of the screen's output holds other files, such as '{others[0]}'. "
                    "Choose another folder (output)."
                )
            self._write(place, json.dumps(now, indent=1).encode())
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"The folder '{self.folder}' of the screen cannot be used: {error}.") from None

    @property
    def blocks(self) -> Path:
        """The folder of the blocks."""
        return self.folder / BLOCKS

    @property
    def finished(self) -> bool:
        """Whether the whole pool was screened."""
        return (self.folder / FUNNEL).exists()

    def done(self) -> set[int]:
        """The numbers of the blocks on disk."""
        return {int(one.stem) for one in self.blocks.glob("[0-9]*.parquet")}

    def keep(self, result: BlockResult) -> None:
        """Writes a block."""
        from pyarrow import BufferOutputStream, parquet

        about = {
            "entries": result.entries,
            "hits": result.hits,
            "counts": [count.as_json() for count in result.counts],
            "bad": [[one.place, one.given, one.reason] for one in result.bad],
        }
        table = self._table(result.rows)
        sink = BufferOutputStream()
        parquet.write_table(table.replace_schema_metadata({META: json.dumps(about)}), sink)
        self._write(self.blocks / f"{result.number:08d}.parquet", sink.getvalue().to_pybytes())

    def note(self, number: int) -> BlockNote:
        """What is noted with a block."""
        from pyarrow import parquet

        noted = json.loads(parquet.read_schema(self._place(number)).metadata[META])
        return BlockNote(
            noted["entries"],
            noted["hits"],
            tuple(StepCount.from_json(one) for one in noted["counts"]),
            tuple(BadRow(*one) for one in noted["bad"]),
        )

    def results(self) -> Iterator[pd.DataFrame]:
        """The rows of the results, block by block, indexed by their places."""
        from pyarrow import parquet

        with parquet.ParquetFile(self.folder / RESULTS) as file:
            for group in range(file.num_row_groups):
                yield _frame(file.read_row_group(group))

    def merge(self, place_word: str) -> list[StepCount]:
        """Writes the results and the unreadable entries of all blocks, in the pool's order, and sums up the funnel.

        Args:
            place_word: what the number of an entry is, the first column of the results.
        """
        from pyarrow import parquet

        numbers = sorted(self.done())
        funnel: list[StepCount] = []
        results, rejected = self.folder / f".{RESULTS}", self.folder / f".{REJECTED}"
        with (
            parquet.ParquetWriter(results, self._schema(place_word)) as writer,
            rejected.open("w", encoding="utf-8", newline="") as bad_rows,
        ):
            bad_rows.write(f"{place_word},given,reason\n")
            for number in numbers:
                note = self.note(number)
                funnel = funnel or [StepCount(count.name) for count in note.counts]
                for total, count in zip(funnel, note.counts, strict=True):
                    total.add(count)
                if note.bad:
                    rows = pd.DataFrame([[one.place, one.given, one.reason] for one in note.bad])
                    bad_rows.write(table_text(rows).partition("\n")[2])
                table = parquet.read_table(self._place(number))
                if table.num_rows:
                    writer.write_table(table.rename_columns([place_word, *self.schema]).replace_schema_metadata())
        results.replace(self.folder / RESULTS)
        rejected.replace(self.folder / REJECTED)
        return funnel

    def finish(self, funnel: Sequence[StepCount], best: pd.DataFrame) -> None:
        """Writes the best candidates and the funnel, and removes the blocks; the screen is then finished."""
        self._write(self.folder / BEST, table_text(best).encode())
        self._write(self.folder / FUNNEL, json.dumps([count.as_json() for count in funnel], indent=1).encode())
        shutil.rmtree(self.blocks, ignore_errors=True)

    def funnel(self) -> list[StepCount]:
        """The funnel of a finished screen."""
        given: list[dict[str, Any]] = json.loads((self.folder / FUNNEL).read_text(encoding="utf-8"))
        return [StepCount.from_json(one) for one in given]

    def _place(self, number: int) -> Path:
        return self.blocks / f"{number:08d}.parquet"

    def _schema(self, place_word: str) -> Any:
        import pyarrow as pa

        fields = [(name, pa.float64() if number else pa.string()) for name, number in self.schema.items()]
        return pa.schema([(place_word, pa.int64()), *fields])

    def _table(self, rows: pd.DataFrame) -> Any:
        """Rows with the types of the schema, whatever a block happens to hold."""
        import pyarrow as pa

        schema = self._schema(PLACE)
        arrays = [pa.array(np.asarray(rows.index, dtype=np.int64))]
        for name, number in self.schema.items():
            column = rows[name]
            arrays.append(
                pa.array(column.to_numpy(dtype=np.float64))
                if number
                else pa.array([None if value is None else str(value) for value in column], pa.string())
            )
        return pa.Table.from_arrays(arrays, schema=schema)

    def _check_same(self, noted: Any, now: Mapping[str, Any]) -> None:
        before, after = noted.get("parts", {}), now["parts"]
        changed = [name for name in dict.fromkeys([*before, *after]) if before.get(name) != after.get(name)]
        changed += [f"the {name}" for name in ("format", "block") if noted.get(name) != now[name]]
        if changed:
            raise InputError(
                f"The folder '{self.folder}' holds another screen, which differs in: {', '.join(changed)}. Choose "
                "another folder (output), or delete this one."
            )

    def _write(self, place: Path, content: bytes) -> None:
        """Writes a file that appears whole or not at all."""
        hidden = place.with_name(f".{place.name}")
        with hidden.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        hidden.replace(place)


def _frame(table: Any) -> pd.DataFrame:
    frame: pd.DataFrame = table.to_pandas()
    return frame.set_index(frame.columns[0])
