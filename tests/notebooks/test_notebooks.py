"""Every notebook runs from top to bottom, in its small form."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from invdesign import read_campaign

NOTEBOOKS = sorted((Path(__file__).parent.parent.parent / "notebooks").glob("*.ipynb"))


def run(path: Path, monkeypatch) -> dict[str, Any]:
    """The names that a notebook defines."""
    monkeypatch.setenv("INVDESIGN_SMALL", "1")
    namespace: dict[str, Any] = {}
    cells = [cell for cell in json.loads(path.read_text())["cells"] if cell["cell_type"] == "code"]
    assert cells
    for cell in cells:
        exec("".join(cell["source"]), namespace)  # noqa: S102 - the project's own notebooks
    return namespace


def of_name(name: str) -> Path:
    return next(path for path in NOTEBOOKS if path.stem == name)


def test_the_first_campaign(monkeypatch):
    campaign = run(of_name("first_campaign"), monkeypatch)["campaign"]
    assert campaign.status().evaluated == 26
    assert not campaign.hits().empty


@pytest.mark.xdist_group("cell")
def test_takagishi_2019(monkeypatch, real_data):
    found = run(of_name("takagishi2019_porous_electrode"), monkeypatch)
    assert found["r2"] > 0.827  # published, on structures that scatter
    campaign = found["campaign"]
    assert campaign.status().evaluated == 12
    assert campaign.hits()["energy_density"].min() >= 930
    verified = found["verified"]
    assert verified["resistance_disagreement"].abs().max() < 0.1 * verified["resistance"].min()
    by_gap = found["answers"]["tortuosity"].groupby(found["grid"]["binder"])
    assert all(values.is_monotonic_decreasing for _, values in by_gap)  # the wider the gap, the straighter the pores


@pytest.mark.xdist_group("cell")
def test_the_file_of_takagishi_2019(examples, tmp_path):
    setting = read_campaign(examples / "porous-electrode.yaml", store=str(tmp_path / "porous.db"))
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=20, batch=4)
    hits = campaign.hits()
    assert hits["energy_density"].min() >= 930
    (stage,) = setting.stages
    verified = campaign.verify(stage.objective, top=1, stage=stage.name).iloc[0]
    assert verified["resistance"] == pytest.approx(verified["resistance_low_fidelity"], rel=0.1)
    assert verified["porosity"] == pytest.approx(verified["porosity_low_fidelity"])
