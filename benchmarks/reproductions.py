"""Collects what the notebooks reproduce: published systems, and campaigns beside the same number of random candidates.

    python benchmarks/reproductions.py

Each notebook ends with a list of what it reproduced, and is committed with the outputs of its full run; nothing is run
here. Execute a notebook again (jupyter nbconvert --execute --inplace) before collecting it.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from _record import write_result

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
MIME = "application/json"


def reproduced(path: Path) -> list[dict[str, Any]] | None:
    """The last JSON output of a notebook; None if it has none."""
    found = None
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        for output in cell.get("outputs", ()):
            found = output.get("data", {}).get(MIME, found)
    return found


def main() -> None:
    """Writes the result."""
    systems = {path.stem: reproduced(path) for path in sorted(NOTEBOOKS.glob("*.ipynb"))}
    payload = {name: rows for name, rows in systems.items() if rows is not None}
    for name, rows in payload.items():
        for row in rows:
            print(f"{name}: " + ", ".join(f"{key} {value}" for key, value in row.items()))
    print(write_result("reproductions", payload, packages=("numpy", "scikit-learn", "torch", "rdkit")))


if __name__ == "__main__":
    main()
