"""What is cached on disk is computed once; a failure too, unless it is transient. A damaged file costs no result."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing

import numpy as np
import pytest

from invdesign.core import disk_cache
from invdesign.core.disk_cache import DiskCache
from invdesign.core.failures import CandidateFailure, TransientFailure

CACHE = DiskCache("test")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    return tmp_path


def never() -> dict[str, float]:
    raise AssertionError("computed though it is cached")


def failing(error: Exception):
    def compute() -> dict[str, float]:
        raise error

    return compute


def test_a_result_is_computed_once():
    assert CACHE.result(("CO", "xTB"), lambda: {"energy": -1.25}) == {"energy": -1.25}
    assert CACHE.result(("CO", "xTB"), never) == {"energy": -1.25}


def test_other_settings_another_name_and_another_order_are_other_results():
    CACHE.result(("a", "b"), lambda: {"energy": 1.0})
    for other, key in ((CACHE, ("a", "c")), (CACHE, ("b", "a")), (CACHE, ("ab",)), (DiskCache("other"), ("a", "b"))):
        assert other.result(key, lambda: {"energy": 2.0}) == {"energy": 2.0}
    assert CACHE.result(("a", "b"), never) == {"energy": 1.0}


def test_arrays_come_back_as_they_were():
    for key, array in (("single", np.arange(6, dtype=np.float32).reshape(2, 3)), ("none", np.empty((0, 4)))):
        CACHE.result((key,), lambda array=array: array)
        again = CACHE.result((key,), never)
        np.testing.assert_array_equal(again, array)
        assert again.dtype == array.dtype


def test_what_would_need_a_pickle_is_refused():
    with pytest.raises(ValueError, match="allow_pickle=False"):
        CACHE.result(("objects",), lambda: np.array([object()]))
    with pytest.raises(TypeError, match="not JSON serializable"):
        CACHE.result(("objects",), lambda: {"a": object()})


def test_a_failure_is_cached_with_its_reason():
    for compute in (failing(CandidateFailure("it fell apart")), never):
        with pytest.raises(CandidateFailure, match="it fell apart"):
            CACHE.result(("CC", "xTB"), compute)


def test_a_transient_failure_is_tried_again():
    with pytest.raises(TransientFailure, match="time"):
        CACHE.result(("C", "xTB"), failing(TransientFailure("no time")))
    assert CACHE.result(("C", "xTB"), lambda: {"energy": 0.5}) == {"energy": 0.5}


def filled(rows: int = 300) -> None:
    for row in range(rows):
        CACHE.result((str(row),), lambda row=row: {"energy": float(row), "padding": "x" * 100})


def garbled() -> None:
    CACHE.path.write_bytes(b"this is not a database" * 100)


def truncated() -> None:
    CACHE.path.write_bytes(CACHE.path.read_bytes()[: CACHE.path.stat().st_size // 2])


def damaged_value() -> None:
    with closing(sqlite3.connect(CACHE.path)) as connection:
        connection.execute("UPDATE results SET value = ?", (b'{"energy": 1',))
        connection.commit()


def another_layout() -> None:
    CACHE.path.unlink()
    with closing(sqlite3.connect(CACHE.path)) as connection:
        connection.execute("CREATE TABLE results (key TEXT, kind INTEGER, value TEXT)")
        connection.execute("INSERT INTO results VALUES (?, ?, ?)", ('["299"]', 1, "old"))
        connection.commit()


@pytest.mark.parametrize("damage", [garbled, truncated, damaged_value, another_layout])
def test_a_damaged_file_is_set_aside_with_a_warning_and_begun_anew(folder, damage):
    filled()
    damage()
    before = CACHE.path.read_bytes()
    with pytest.warns(UserWarning, match=r"test\.db' is damaged: .*It was renamed to 'test\.db\.damaged-\d+'"):
        assert CACHE.result(("299",), lambda: {"energy": 299.0}) == {"energy": 299.0}
    (aside,) = folder.glob("test.db.damaged-*")
    assert aside.read_bytes() == before
    assert CACHE.result(("299",), never) == {"energy": 299.0}


def test_a_stale_journal_leaves_together_with_its_damaged_file(folder):
    garbled()
    journal = CACHE.path.with_name("test.db-journal")
    journal.write_bytes(b"no journal either")
    with pytest.warns(UserWarning, match="is damaged"):
        CACHE.result(("CO",), lambda: {"energy": 1.0})
    assert CACHE.result(("CO",), never) == {"energy": 1.0}
    assert not journal.exists()


def test_a_file_that_another_process_has_replaced_is_not_set_aside(folder):
    garbled()
    damaged = CACHE.path.stat().st_ino
    CACHE.path.replace(folder / "elsewhere")  # what the other process did
    CACHE.result(("CO",), lambda: {"energy": 1.0})
    disk_cache._set_aside(CACHE.path, damaged)
    assert CACHE.result(("CO",), never) == {"energy": 1.0}


def test_a_cache_that_cannot_be_used_costs_no_result(folder, monkeypatch):
    (folder / "file").write_text("no folder")
    with monkeypatch.context() as patch:
        patch.setenv("INVDESIGN_CACHE", str(folder / "file"))
        with pytest.warns(UserWarning, match=r"'test\.db' cannot be used: .*INVDESIGN_CACHE"):
            assert CACHE.result(("CO",), lambda: {"energy": 1.0}) == {"energy": 1.0}
    monkeypatch.setattr(disk_cache, "SECONDS_TO_WAIT", 0.01)
    filled(1)
    with closing(sqlite3.connect(CACHE.path)) as other:
        other.execute("BEGIN EXCLUSIVE")
        with pytest.warns(UserWarning, match="cannot be used: database is locked"):
            assert CACHE.result(("CO",), lambda: {"energy": 2.0}) == {"energy": 2.0}
    with pytest.raises(AssertionError, match="though it is cached"):
        CACHE.result(("CO",), never)


def test_many_processes_may_write_at_once():
    code = (
        "import sys; from invdesign.core.disk_cache import DiskCache; cache = DiskCache('test')\n"
        "for row in range(60):\n"
        "    assert cache.result((str(row),), lambda: {'row': row})['row'] == row\n"
        "    cache.result((sys.argv[1], str(row)), lambda: {'row': row})\n"
    )
    running = [subprocess.Popen([sys.executable, "-W", "error", "-c", code, str(number)]) for number in range(4)]
    assert [process.wait(timeout=120) for process in running] == [0] * 4
    for row in range(60):
        assert CACHE.result((str(row),), never)["row"] == row
        assert CACHE.result(("3", str(row)), never)["row"] == row
