"""Full disks, read-only, locked, truncated and altered databases: a message, and never other values."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign, database
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets

OBJECTIVE = PythonObjective(lambda x: {"f": x * x}, {"f": ""}, isolated=False)


def campaign(place) -> Campaign:
    space, targets = SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5))
    return Campaign(space, targets, optimizer=RandomOptimizer(), store=place, seed=1, initial=2)


@pytest.fixture
def stored(tmp_path) -> Path:
    mine = campaign(tmp_path / "c.db")
    mine.run(OBJECTIVE, evaluations=40)
    mine.verify(OBJECTIVE, stage="again", top=3)
    mine.store.close()
    return tmp_path / "c.db"


def altered(place: Path, statement: str) -> None:
    connection = sqlite3.connect(place)
    connection.execute(statement)
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE evaluations SET properties = '{\"f\": 0.75}' WHERE candidate = 7", "candidate 7 .* was altered"),
        ("UPDATE evaluations SET state = 'failed' WHERE candidate = 8", "candidate 8 .* was altered"),
        ("UPDATE evaluations SET parameters = NULL WHERE candidate = 9", "candidate 9 .* was altered"),
        ("UPDATE evaluations SET campaign = 'other' WHERE candidate = 39", "40 candidates were proposed, but 39"),
        ("DELETE FROM evaluations WHERE candidate = 11", "candidate 11 is missing"),
        ("UPDATE verifications SET reason = 'none'", "candidate .* was altered"),
        ("UPDATE facts SET value = '{\"f\": \"V\"}' WHERE name = 'units'", "the fact 'units' .* was altered"),
        ("DROP TABLE claims", "no such table"),
    ],
)
def test_an_altered_record_is_named(stored, statement, words):
    altered(stored, statement)
    with pytest.raises(InputError, match=words):
        campaign(stored).run(OBJECTIVE, evaluations=41)


def test_no_altered_copy_gives_other_values(stored, tmp_path, rng):
    """Random bytes of 60 copies are replaced."""
    right = campaign(stored)
    frame, verified = right.frame(), right.verified()
    right.store.close()
    content = stored.read_bytes()
    refused = 0
    for number in range(60):
        copy = tmp_path / f"copy-{number}.db"
        changed = bytearray(content)
        for place in rng.integers(0, len(content), size=int(rng.integers(1, 40))):
            changed[place] = rng.integers(0, 256)
        copy.write_bytes(changed)
        try:
            mine = campaign(copy)
            pd.testing.assert_frame_equal(mine.frame(), frame)
            pd.testing.assert_frame_equal(mine.verified(), verified)
        except InputError:
            refused += 1
    assert refused >= 20


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_database_is_refused_or_empty(stored, share):
    os.truncate(stored, int(stored.stat().st_size * share))
    if share:
        with pytest.raises(InputError, match=r"content is damaged .* Nothing was changed\. Restore it from a backup"):
            campaign(stored)
    else:
        assert campaign(stored).frame().empty  # a file of no bytes is a new database


def test_a_locked_database_is_waited_for_and_then_refused(stored, monkeypatch):
    monkeypatch.setattr(database, "SECONDS_TO_WAIT", 0.2)
    mine = campaign(stored)
    other = sqlite3.connect(stored, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(InputError, match=r"was locked by another process for more than 0\.2 s.*are safe\. End that"):
        mine.run(OBJECTIVE, evaluations=41)
    other.execute("ROLLBACK")
    mine.run(OBJECTIVE, evaluations=41)
    assert mine.status().evaluated == 41
    other.close()


FULL = """
import resource, sys
from invdesign.campaign import Campaign
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import Continuous, SearchSpace
from invdesign.targets import AtLeast, Targets
mine = Campaign(SearchSpace(x=Continuous(0, 1)), Targets(AtLeast("f", 0.5)), optimizer=RandomOptimizer(),
                store=sys.argv[1], seed=1, initial=2)
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, 2_000_000))
try:
    mine.run(PythonObjective(lambda x: {"f": x * x}, {"f": ""}, isolated=False), evaluations=4000)
except ValueError as error:
    print(type(error).__name__, error)
"""


def test_a_full_disk_is_a_message_and_loses_nothing(tmp_path):
    """No file may grow beyond a limit, which SQLite meets as it meets a full disk."""
    place = tmp_path / "c.db"
    command = [sys.executable, "-W", "ignore", "-c", FULL, str(place)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.stdout.startswith("UnavailableStoreError The store"), done.stderr
    assert "All results that were stored before are safe. Free space on its disk" in done.stdout
    frame = campaign(place).frame()
    assert len(frame) > 20
    finished = frame[frame["state"] == "done"]
    assert len(finished) >= len(frame) - 1
    np.testing.assert_array_equal(finished["f"], finished["x"] ** 2)


def test_a_read_only_folder_is_a_message(stored):
    folder = Path(tempfile.mkdtemp())  # everybody may enter it, unlike the tests' own folders
    shutil.copy(stored, folder / "c.db")
    (folder / "c.db").chmod(0o444)
    folder.chmod(0o555)
    root = os.geteuid() == 0
    if root:  # may write everywhere
        os.seteuid(65534)
    try:
        with pytest.raises(InputError, match=r"Nothing was changed\. Make the file and its folder writable"):
            campaign(folder / "c.db")
    finally:
        if root:
            os.seteuid(0)
        folder.chmod(0o755)
        shutil.rmtree(folder)
