"""The folder of a screen: a half-written file is as if it had never been begun."""

from __future__ import annotations

from collections import Counter

import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.screening.checkpoints import Checkpoints
from invdesign.screening.funnel import StepCount
from invdesign.screening.plan import BlockResult
from invdesign.screening.pools import BadRow

SCHEMA = {"name": False, "f": True, "probability": True}


def block(number, rows):
    frame = pd.DataFrame({"name": [f"c{n}" for n in rows], "f": 1.0, "probability": 0.7}, index=list(rows))
    bad = (BadRow(number, '=cmd "x"', "it is, strange"),)
    return BlockResult(number, 5, frame, (StepCount("read", 5, Counter({"cannot be read": 1})),), bad)


def begun(folder):
    kept = Checkpoints(folder, SCHEMA)
    kept.begin({"pool": "a"}, block=5)
    return kept


def test_blocks_are_merged_in_the_pools_order(tmp_path):
    kept = begun(tmp_path / "out")
    for number in (2, 0, 1):
        kept.keep(block(number, range(5 * number, 5 * number + 2)))
    funnel = kept.merge("line")
    assert (funnel[0].entered, funnel[0].passed) == (15, 12)
    results = pd.read_parquet(tmp_path / "out" / "results.parquet")
    assert results["line"].tolist() == [0, 1, 5, 6, 10, 11]
    assert results["name"].tolist() == ["c0", "c1", "c5", "c6", "c10", "c11"]
    lines = (tmp_path / "out" / "rejected.csv").read_text().splitlines()
    assert lines == ["line,given,reason", *(f'{n},"\'=cmd ""x""","it is, strange"' for n in range(3))]


def test_a_half_written_block_is_missing(tmp_path):
    kept = begun(tmp_path / "out")
    kept.keep(block(0, range(2)))
    (kept.blocks / ".00000001.parquet").write_bytes(b"PAR1 cut")
    assert kept.done() == {0}
    kept.keep(block(1, range(5, 7)))
    assert kept.done() == {0, 1}
    assert kept.note(1).hits == 2


def test_empty_blocks_leave_no_trace_but_their_counts(tmp_path):
    kept = begun(tmp_path / "out")
    kept.keep(block(0, range(0)))
    kept.keep(block(1, range(5, 6)))
    assert kept.merge("line")[0].entered == 10
    assert [len(part) for part in kept.results()] == [1]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be used"):
        begun(tmp_path / "file" / "out")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "screen.json").write_text("not json")
    with pytest.raises(InputError, match="cannot be used"):
        begun(tmp_path / "out")
