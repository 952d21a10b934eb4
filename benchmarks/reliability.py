"""What a campaign survives: kills, faults of the disk, concurrent processes, altered databases, fuzzing; with outcomes.

Each section is a function that returns its counts by outcome; further ones are added to ``SECTIONS``. Processes are
copies of this one (fork), so that a case takes a fraction of a second:
``python benchmarks/reliability.py [SECTION ...]``
"""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sqlite3
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _record import read_result, write_result
from fuzz import fuzz
from sqlalchemy import Engine, event

import invdesign as ind
from invdesign.campaign.database import DamagedStoreError
from invdesign.core.errors import InputError

OBJECTIVE = ind.PythonObjective(lambda x: {"f": x * x}, {"f": ""}, isolated=False)
ROWS = pd.DataFrame({"x": np.arange(12) / 12.0, "f": (np.arange(12) / 12.0) ** 2})
KILLS = 40
"""Kills of each kind of command, evenly spread over the statements that it sends."""
COPIES = 200
HUNG = 60.0
"""Seconds after which a case counts as hung and is ended."""


def opened(place: Path | None) -> ind.Campaign:
    space, targets = ind.SearchSpace(x=ind.Continuous(0, 1)), ind.Targets(ind.AtLeast("f", 0.5))
    return ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), store=place, seed=1, initial=4)


ACTIONS: Mapping[str, Callable[[ind.Campaign], object]] = {
    "creation": lambda campaign: None,
    "run": lambda campaign: campaign.run(OBJECTIVE, evaluations=8),
    "tell": lambda campaign: campaign.tell(ROWS),
    "ask": lambda campaign: campaign.ask(6),
}


def in_child(action: Callable[[], str]) -> str:
    """The word that an action returns in a copy of this process, or how the copy ended."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        signal.alarm(int(HUNG))
        try:
            word = action()
        except InputError as error:
            word = "a message: damaged" if isinstance(error, DamagedStoreError) else "a message"
        except BaseException as error:  # noqa: BLE001 - what else comes out is what is counted
            word = f"TRACEBACK {type(error).__name__}: {error}"[:200]
        os.write(write, word.encode())
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        word = stream.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return "HUNG" if code == -signal.SIGALRM else word or f"ended by {signal.Signals(-code).name}"


def statements_of(action: Callable[[ind.Campaign], object], folder: Path) -> int:
    def counted() -> str:
        seen: list[int] = []
        event.listen(Engine, "before_cursor_execute", lambda *_: seen.append(1))
        action(opened(folder / "whole.db"))
        return str(len(seen))

    return int(in_child(counted))


def kills() -> dict[str, dict[str, int]]:
    """SIGKILL at a statement; then the campaign is opened, completed and compared with an undisturbed one."""
    outcomes = {}
    for what, action in ACTIONS.items():
        counts: Counter[str] = Counter()
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            total = statements_of(action, folder)
            for number, at in enumerate(np.linspace(0, total - 1, min(KILLS, total)).astype(int)):
                place = folder / f"{number}.db"
                ended = in_child(lambda place=place, at=at, action=action: _killed(place, int(at), action))
                counts["killed" if ended == "ended by SIGKILL" else f"not killed ({ended})"] += 1
                counts[in_child(lambda place=place, what=what: _whole(place, what))] += 1
        outcomes[what] = dict(counts)
    return outcomes


def _killed(place: Path, at: int, action: Callable[[ind.Campaign], object]) -> str:
    seen: list[int] = []

    def kill(*_: object) -> None:
        seen.append(1)
        if len(seen) > at:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(Engine, "before_cursor_execute", kill)
    action(opened(place))
    return "completed"


def _whole(place: Path, what: str) -> str:
    campaign, fresh = opened(place), opened(None)
    before = len(campaign.frame())
    if what in ("tell", "ask") and before not in (0, len(ROWS) if what == "tell" else 6):
        return f"HALF: {before} rows"
    for one in (campaign, fresh):
        if not (one is campaign and before and what in ("tell", "ask")):
            ACTIONS[what](one)
        one.run(OBJECTIVE, evaluations=16)
    pd.testing.assert_frame_equal(campaign.frame(), fresh.frame())
    return "whole, and continued exactly"


def faults() -> dict[str, dict[str, int]]:
    """A file that cannot grow, a full file system, a read-only folder, a lock, a truncated file."""
    counts: dict[str, Counter[str]] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for number, limit in enumerate(np.geomspace(50_000, 3_000_000, 12).astype(int)):
            place = folder / f"full-{number}.db"
            said = in_child(lambda place=place, limit=limit: _without_space(place, int(limit)))
            counts.setdefault("full disk", Counter())[f"{said}; {in_child(lambda place=place: _kept(place))}"] += 1
        whole = folder / "whole.db"
        campaign = opened(whole)
        campaign.run(OBJECTIVE, evaluations=40)
        campaign.store.close()
        for share in np.linspace(0.02, 0.99, 24):
            copy = shutil.copy(whole, folder / "cut.db")
            os.truncate(copy, int(whole.stat().st_size * share))
            counts.setdefault("truncated", Counter())[in_child(lambda copy=copy: _read(Path(copy), whole))] += 1
        counts["read-only folder"] = Counter([in_child(lambda: _read_only(whole))])
    return {name: dict(found) for name, found in counts.items()}


def _without_space(place: Path, limit: int) -> str:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    opened(place).run(OBJECTIVE, evaluations=400)
    return "completed"


def _kept(place: Path) -> str:
    campaign = opened(place)
    campaign.run(OBJECTIVE, evaluations=len(campaign.frame()) + 2)
    fresh = opened(None)
    fresh.run(OBJECTIVE, evaluations=len(campaign.frame()))
    pd.testing.assert_frame_equal(campaign.frame(), fresh.frame())
    return "then continued exactly"


def _read_only(place: Path) -> str:
    folder = Path(tempfile.mkdtemp())
    shutil.copy(place, folder / "c.db").chmod(0o444)
    folder.chmod(0o555)
    if os.geteuid() == 0:
        os.seteuid(65534)
    opened(folder / "c.db")
    return "OPENED"


def hands_on_sqlite() -> dict[str, dict[str, int]]:
    """Processes at work on one file: nothing may be lost or doubled."""
    with tempfile.TemporaryDirectory() as name:
        return _hands(Path(name) / "hands.db")


def hands_on_postgresql() -> dict[str, dict[str, int]]:
    """The same on the empty database whose URL ``INVDESIGN_POSTGRESQL`` holds."""
    url = os.environ.get("INVDESIGN_POSTGRESQL")
    return _hands(url) if url else {}


def _hands(place: Path | str) -> dict[str, dict[str, int]]:
    outcomes = {}
    for what, count, total in (("telling", 8, 800), ("running", 4, 400), ("running, eight", 8, 2_000)):
        began = time.perf_counter()
        campaign = _named(place, what)
        campaign.store.close()
        children = []
        for who in range(count):
            child = os.fork()
            if not child:
                status = 1
                try:
                    _hand(place, what, who, total)
                    status = 0
                finally:
                    os._exit(status)
            children.append(child)
        failed = sum(os.waitpid(child, 0)[1] != 0 for child in children)
        frame = campaign.frame()
        outcomes[what] = {
            "processes": count,
            "expected": total,
            "stored": len(frame),
            "doubled": int(frame["x"].duplicated().sum()),
            "without a value": int((frame["state"] != "done").sum()),
            "failed processes": failed,
            "seconds": round(time.perf_counter() - began),
        }
        print(what, outcomes[what], flush=True)
        campaign.store.close()
    return outcomes


def _named(place: Path | str, name: str) -> ind.Campaign:
    space, targets = ind.SearchSpace(x=ind.Continuous(0, 1)), ind.Targets(ind.AtLeast("f", 0.5))
    return ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), store=str(place), seed=1, initial=4, name=name)


def _hand(place: Path | str, what: str, who: int, total: int) -> None:
    campaign = _named(place, what)
    if what != "telling":
        campaign.run(OBJECTIVE, evaluations=total)
        return
    for part in range(10):
        x = (who + (part * 10 + np.arange(10)) / 100) / 8
        campaign.tell(pd.DataFrame({"x": x, "f": x * x}))


def altered() -> dict[str, dict[str, int]]:
    """Random bytes of copies are replaced; a copy is refused in words or gives exactly the same values."""
    rng = np.random.default_rng(0)
    counts: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        whole = Path(name) / "whole.db"
        campaign = opened(whole)
        campaign.run(OBJECTIVE, evaluations=60)
        campaign.verify(OBJECTIVE, stage="again", top=5)
        campaign.store.close()
        content = whole.read_bytes()
        for number in range(COPIES):
            changed = bytearray(content)
            for place in rng.integers(0, len(content), size=1 + number % 40):
                changed[place] = int(rng.integers(0, 256))
            copy = Path(name) / "copy.db"
            for ending in ("", "-wal", "-shm"):
                Path(f"{copy}{ending}").unlink(missing_ok=True)
            copy.write_bytes(changed)
            counts[in_child(lambda copy=copy: _read(copy, whole))] += 1
    return {"random bytes": dict(counts)}


def _read(copy: Path, whole: Path) -> str:
    campaign = opened(copy)
    right = opened(whole)
    same = campaign.frame().equals(right.frame()) and campaign.verified().equals(right.verified())
    return "the same values" if same else "OTHER VALUES"


SECTIONS: Mapping[str, Callable[[], dict[str, dict[str, int]]]] = {
    "kills": kills,
    "faults": faults,
    "hands on SQLite": hands_on_sqlite,
    "hands on PostgreSQL": hands_on_postgresql,
    "altered": altered,
    "fuzz": lambda: fuzz(report=lambda *case: print(*case, flush=True)),
}


def main() -> None:
    kept: dict[str, Any] = read_result("reliability").get("sections", {})
    for name in sys.argv[1:] or list(SECTIONS):
        began = time.perf_counter()
        kept[name] = {"outcomes": SECTIONS[name](), "seconds": round(time.perf_counter() - began)}
        print(name, kept[name], flush=True)
        payload = {"sqlite": sqlite3.sqlite_version, "sections": kept}
        write_result("reliability", payload, packages=("SQLAlchemy", "pandas", "psycopg"))


if __name__ == "__main__":
    main()
