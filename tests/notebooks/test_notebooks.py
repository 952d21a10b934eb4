"""Every notebook runs from top to bottom."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path):
    namespace: dict[str, object] = {}
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    assert all(cell["outputs"] == [] for cell in cells)
    for cell in cells:
        exec("".join(cell["source"]), namespace)  # noqa: S102 - the project's own notebooks
    campaign = namespace["campaign"]
    assert campaign.status().evaluated == 26
    assert not campaign.hits().empty
