"""Writes what a benchmark measured, together with what one needs to measure it again."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RESULTS = Path(__file__).parent / "results"


def commit() -> str:
    """Returns the commit that was measured, with ``-dirty`` where the tree differs from it."""
    commit = _git("rev-parse", "--short=12", "HEAD") or "unknown"
    # What other benchmarks of the same run have written changes nothing that is measured. A script that git does not
    # know yet is in no commit, whatever the tree says.
    changed = _git("status", "--porcelain", "--untracked-files=no", "--", ":/", ":!/benchmarks/results")
    new = _git("ls-files", "--others", "--exclude-standard", "--", "*.py")
    return f"{commit}-dirty" if changed or new else commit


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()


def versions(packages: Sequence[str]) -> dict[str, str]:
    """Returns the versions of packages that are installed."""
    found = {}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def read_result(name: str) -> dict[str, Any]:
    """Reads what a benchmark has written, or nothing where it has not."""
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}


def write_result(
    name: str, payload: Mapping[str, Any], *, packages: Sequence[str] = ("numpy", "scipy", "pandas")
) -> Path:
    """Writes ``benchmarks/results/<name>.json``.

    Args:
        name: of the benchmark.
        payload: what it measured.
        packages: whose versions matter.

    Returns:
        The file.
    """
    RESULTS.mkdir(exist_ok=True)
    record = {
        "benchmark": name,
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "commit": commit(),
        "python": platform.python_version(),
        "machine": {"system": platform.platform(), "processor": platform.machine(), "cores": os.cpu_count()},
        "versions": versions(packages),
        **payload,
    }
    file = RESULTS / f"{name}.json"
    file.write_text(json.dumps(record, indent=2, sort_keys=False) + "\n", encoding="utf-8")
    return file
