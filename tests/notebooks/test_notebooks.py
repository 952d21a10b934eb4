"""Every notebook runs from top to bottom; those of published systems, in their small form, by ``make notebooks``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
FIRST = "first_campaign"


def cells(path: Path) -> list[dict]:
    found = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert found
    return found


def run(path: Path) -> dict[str, object]:
    namespace: dict[str, object] = {}
    for cell in cells(path):
        exec("".join(cell["source"]), namespace)  # noqa: S102 - the project's own notebooks
    return namespace


def test_the_first_campaign_finds_hits():
    campaign = run(NOTEBOOKS[[path.stem for path in NOTEBOOKS].index(FIRST)])["campaign"]
    assert campaign.status().evaluated == 26
    assert not campaign.hits().empty


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_ran_without_errors(path):
    outputs = [output for cell in cells(path) for output in cell["outputs"]]
    assert "error" not in [output["output_type"] for output in outputs]
    if path.stem != FIRST:
        assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.notebooks
@pytest.mark.parametrize("path", [path for path in NOTEBOOKS if path.stem != FIRST], ids=lambda path: path.stem)
@pytest.mark.filterwarnings("default")
def test_a_published_system_runs_in_its_small_form(path, monkeypatch, real_data):
    monkeypatch.setenv("INVDESIGN_SMALL", "1")
    monkeypatch.chdir(path.parent)
    run(path)
