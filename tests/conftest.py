"""Shared by all tests: generators, the folder of real datasets, hypothesis without a clock, Ctrl-C that works."""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from invdesign.core.trust import VARIABLE, TrustRecord

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C and hands that on to the campaigns that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture(scope="session", autouse=True)
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A record of consents of the tests' own: to campaign files that tests write, and to the examples."""
    before = os.environ.get(VARIABLE)
    record = TrustRecord(tmp_path_factory.mktemp("trust") / "trust.json")
    for folder in (tmp_path_factory.getbasetemp(), Path(__file__).parent.parent):
        record.allow_folder(folder)
    os.environ[VARIABLE] = str(record.place)
    yield record.place
    os.environ.pop(VARIABLE) if before is None else os.environ.update({VARIABLE: before})


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def examples() -> Path:
    return EXAMPLES


@pytest.fixture
def real_data() -> Path:
    """The folder of registered datasets; tests that need it are skipped where it is not provided."""
    folder = os.environ.get("INVDESIGN_DATA")
    if not folder:
        pytest.skip("INVDESIGN_DATA names no folder with the registered datasets")
    return Path(folder)


@pytest.fixture(scope="session")
def _postgresql() -> Iterator[Path]:
    """A private PostgreSQL server: its own folder, which holds its socket, and no port."""
    # Debian does not put the programs on the path.
    found = [*filter(None, [shutil.which("initdb")]), *Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not found or importlib.util.find_spec("psycopg") is None:
        pytest.skip("PostgreSQL's programs (Debian's package postgresql) or psycopg are not installed")
    programs = Path(found[-1]).resolve().parent
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir="/tmp"))
    user = []
    if os.geteuid() == 0:  # the server refuses to run as root
        user = ["runuser", "-u", "postgres", "--"]
        shutil.chown(folder, "postgres")

    def called(program: str, *words: str) -> None:
        command = [*user, str(programs / program), "-D", str(folder / "data"), *words]
        subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    called("initdb", "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync")
    options = f"-k {folder} -c listen_addresses= -c fsync=off"
    called("pg_ctl", "-l", str(folder / "log"), "-o", options, "-w", "start")
    yield folder
    called("pg_ctl", "-m", "immediate", "-w", "stop")
    shutil.rmtree(folder)


@pytest.fixture
def postgresql_url(_postgresql: Path) -> str:
    """The URL of a new, empty database on a real server."""
    import psycopg

    name = f"test_{uuid.uuid4().hex}"
    with psycopg.connect(host=str(_postgresql), user="postgres", dbname="postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return f"postgresql://postgres@/{name}?host={_postgresql}"


@pytest.fixture
def python_calls() -> Callable[[Callable[[], object]], int]:
    """Counts the Python functions that an action calls: a measure of work that depends on no clock and no machine."""

    def counted(action: Callable[[], object]) -> int:
        calls = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            action()
        finally:
            sys.setprofile(before)
        return calls

    return counted
