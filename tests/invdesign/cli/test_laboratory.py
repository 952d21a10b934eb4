"""A laboratory by the command line: data that it had, sheets, corrections, and what it gives back."""

from __future__ import annotations

import pandas as pd
import pytest

FILE = """\
campaign: slurry
seed: 1
space:
  slurry:
    type: mixture
    roles:
      active: {components: [NMC], pick: 1, amount: [0.8, 0.98], step: 0.01}
      carbon: {components: [C65, CNT], pick: [1, 2], amount: [0.01, 0.1], step: 0.01}
      binder: {components: [PVDF, CMC], pick: 1, amount: [0.01, 0.1], step: 0.01}
    total: {of: [active, carbon, binder], equals: 1}
    exclude: [[CNT, CMC]]
  speed: {type: continuous, values: [500, 1000, 2000], unit: rpm}
constraints:
  - slurry.amount("PVDF") <= 0.08
targets:
  - {property: viscosity, between: [1, 3], unit: Pa*s}
data: measured.csv
budget: {initial: 6, evaluations: 30, batch: 3}
"""
MEASURED = """\
slurry,speed,viscosity (Pa*s)
NMC 0.9 + C65 0.05 + PVDF 0.05,500,1.5
PVDF 0.04 | C65 0.06 | NMC 0.9,1000,2.5
NMC 0.951 | C65 0.02 | CMC 0.029,1990,4.5
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "slurry.yaml").write_text(FILE)
    (tmp_path / "measured.csv").write_text(MEASURED)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_campaign_by_sheets(invdesign, folder):
    assert "Its data have 3 results" in invdesign("check", "slurry.yaml")
    assert not (folder / "slurry.db").exists()
    invdesign("ask", "slurry.yaml", "-n", "3", "-o", "batch.xlsx")
    sheet = pd.read_excel("batch.xlsx")
    assert sheet["candidate"].tolist() == [3, 4, 5]
    assert {"viscosity expected (Pa*s)", "chance", "speed (rpm)"} <= set(sheet)
    invdesign("withdraw", "slurry.yaml", "4", "--reason", "no PVDF left")
    left = invdesign("pending", "slurry.yaml")
    assert [line.split(",")[0] for line in left.splitlines()[1:]] == ["3", "5"]
    done = sheet.iloc[[2, 0]].assign(**{"viscosity (Pa*s)": [2.0, 5.0]})
    done.to_excel("done.xlsx", index=False)
    said = invdesign("tell", "slurry.yaml", "done.xlsx")
    assert "Stored 2 results. 3 of 5 candidates meet all targets" in said
    assert "Not stored" not in said
    done.assign(**{"viscosity (Pa*s)": [9.0, 5.0]}).to_csv("right.csv", index=False)
    assert "Corrected 2 results" in invdesign("amend", "slurry.yaml", "right.csv")
    assert "met by 2" in invdesign("status", "slurry.yaml")
    invdesign("report", "slurry.yaml")
    assert "PVDF" in (folder / "slurry.html").read_text()


def test_the_example_of_an_electrolyte_asks_for_recipes(invdesign, examples, folder):
    reported = invdesign("check", str(examples / "electrolyte-mixture.yaml"))
    assert "valid campaign file" in reported
    asked = invdesign("ask", str(examples / "electrolyte-mixture.yaml"), "-n", "2", "--store", "mine.db")
    assert asked.startswith("candidate,electrolyte,temperature (K),conductivity (mS/cm)")
    assert asked.count("mol/kg") == 2


def test_data_in_the_file_are_read_once_and_their_mistakes_are_named(invdesign, folder):
    invdesign("ask", "slurry.yaml", "-o", "one.csv")
    (folder / "measured.csv").write_text(MEASURED + "NMC 0.9 | C65 0.05 | PVDF 0.05,2000,0.7\n")
    assert "│ 4 " in invdesign("status", "slurry.yaml")
    (folder / "measured.csv").write_text(MEASURED.replace("PVDF 0.05,500", "PVDF 0.15,500"))
    for command in ("status", "check"):
        assert "line 2: Column 'slurry': The mixture" in invdesign(command, "slurry.yaml", code=2)
    (folder / "slurry.yaml").write_text(FILE.replace("measured.csv", "none.csv"))
    assert "slurry.yaml:17: data must name a table" in invdesign("check", "slurry.yaml", code=2)
