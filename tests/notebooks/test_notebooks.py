"""Every notebook runs from top to bottom; all but the first, in their small form, by ``make notebooks``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from invdesign import read_campaign

NOTEBOOKS = {path.stem: path for path in sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))}
FIRST, POROUS = "first_campaign", "takagishi2019_porous_electrode"


def cells(path: Path) -> list[dict[str, Any]]:
    found = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert found
    return found


def run(path: Path) -> dict[str, Any]:
    """The names that a notebook defines."""
    namespace: dict[str, Any] = {}
    for cell in cells(path):
        exec("".join(cell["source"]), namespace)  # noqa: S102 - the project's own notebooks
    return namespace


def test_the_first_campaign_finds_hits():
    campaign = run(NOTEBOOKS[FIRST])["campaign"]
    assert campaign.status().evaluated == 26
    assert not campaign.hits().empty


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_what_is_committed_ran_without_errors(name):
    outputs = [output for cell in cells(NOTEBOOKS[name]) for output in cell["outputs"]]
    assert "error" not in [output["output_type"] for output in outputs]
    if name != FIRST:
        assert any("image/png" in output.get("data", {}) for output in outputs)


@pytest.mark.notebooks
@pytest.mark.parametrize("name", [name for name in NOTEBOOKS if name not in (FIRST, POROUS)])
@pytest.mark.filterwarnings("default")
def test_a_notebook_runs_in_its_small_form(name, monkeypatch, real_data):
    monkeypatch.setenv("INVDESIGN_SMALL", "1")
    monkeypatch.chdir(NOTEBOOKS[name].parent)
    assert len(run(NOTEBOOKS[name])["reproduced"]) > 2


@pytest.mark.notebooks
def test_the_porous_electrode_is_verified(monkeypatch, real_data):
    monkeypatch.setenv("INVDESIGN_SMALL", "1")
    found = run(NOTEBOOKS[POROUS])
    assert found["r2"] > 0.827  # published, on structures that scatter
    campaign = found["campaign"]
    assert campaign.status().evaluated == 12
    assert campaign.hits()["energy_density"].min() >= 930
    verified = found["verified"]
    assert verified["resistance_disagreement"].abs().max() < 0.1 * verified["resistance"].min()
    by_gap = found["answers"]["tortuosity"].groupby(found["grid"]["binder"])
    assert all(values.is_monotonic_decreasing for _, values in by_gap)  # the wider the gap, the straighter the pores


@pytest.mark.xdist_group("cell")
def test_the_file_of_the_porous_electrode_is_verified(examples, tmp_path):
    setting = read_campaign(examples / "porous-electrode.yaml", store=str(tmp_path / "porous.db"))
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=20, batch=4)
    hits = campaign.hits()
    assert hits["energy_density"].min() >= 930
    (stage,) = setting.stages
    verified = campaign.verify(stage.objective, top=1, stage=stage.name).iloc[0]
    assert verified["resistance"] == pytest.approx(verified["resistance_low_fidelity"], rel=0.1)
    assert verified["porosity"] == pytest.approx(verified["porosity_low_fidelity"])


@pytest.mark.notebooks
@pytest.mark.filterwarnings("default")
def test_the_file_of_additives_trains_its_generator_and_asks_physics(examples, tmp_path, monkeypatch, real_data):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path / "cache"))
    text = (examples / "additives.yaml").read_text()
    small = [
        ("epochs: 5", "epochs: 1, width: 32"),
        ("most_language: 5000", "most_language: 100"),
        ("most: 40", "most: 5"),
        ("seeds: solvents.smi", f"seeds: {examples / 'solvents.smi'}"),
    ]
    for old, new in small:
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "small.yaml").write_text(text)
    setting = read_campaign(tmp_path / "small.yaml", store=tmp_path / "campaign.db", allow_code=True)
    assert any("is trained on 8,030 molecules" in remark for remark in setting.remarks)
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=14, batch=4)
    assert campaign.status().evaluated == 14
    assert campaign.frame()["reduction_potential"].notna().sum() >= 10
    assert [place.suffix for place in (tmp_path / "cache" / "generators").iterdir()] == [".safetensors"]


@pytest.mark.notebooks
@pytest.mark.parametrize(
    ("name", "evaluations"),
    [("cobalt-lean-cathode", 16), ("solvent-front", 14), ("own-data", 30), ("mxene-inverse", 30)],
)
@pytest.mark.filterwarnings("default")
def test_the_file_of_a_campaign_does_the_same(name, evaluations, examples, tmp_path, real_data):
    setting = read_campaign(examples / f"{name}.yaml", store=tmp_path / "campaign.db")
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=evaluations, batch=setting.budget.batch)
    status = campaign.status()
    assert status.evaluated == evaluations
    assert status.failed <= evaluations // 4
    assert not campaign.hits().empty
