"""A laboratory by the command line: data that it had, sheets, corrections, and what it gives back."""

from __future__ import annotations

import io

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
    (folder / "measured.csv").write_text(MEASURED.replace("PVDF 0.05,500", "PVDV 0.05,500"))
    for command in ("status", "check"):
        assert "line 2: Column 'slurry': The mixture" in invdesign(command, "slurry.yaml", code=2)
    (folder / "measured.csv").write_text(MEASURED.replace("PVDF 0.05,500", "PVDF 0.15,500"))
    assert "candidate 0: 'slurry': The mixture 'NMC 0.9" in invdesign("check", "slurry.yaml")
    (folder / "slurry.yaml").write_text(FILE.replace("measured.csv", "none.csv"))
    assert "slurry.yaml:17: data must name a table" in invdesign("check", "slurry.yaml", code=2)


def test_the_hand_pins_edits_rejects_and_every_step_is_in_the_log(invdesign, folder):
    invdesign("ask", "slurry.yaml", "-n", "2", "--pin", "speed=1000", "-o", "batch.csv")
    sheet = pd.read_csv("batch.csv")
    assert sheet["speed (rpm)"].tolist() == [1000, 1000]
    sheet[["candidate", "slurry"]].iloc[[0]].assign(speed=2000).to_csv("edited.csv", index=False)
    invdesign("amend", "slurry.yaml", "edited.csv")
    assert pd.read_csv(io.StringIO(invdesign("pending", "slurry.yaml")))["speed (rpm)"].tolist() == [2000, 1000]
    assert "1 are pending" in invdesign("reject", "slurry.yaml", "4", "--reason", "it sediments")
    log = invdesign("log", "slurry.yaml").splitlines()
    assert [line.split("  ", 1)[1][:8] for line in log] == ["pinned  ", "edited  ", "rejected"]
    assert "candidates 3, 4  speed=1000" in log[0]
    assert "it sediments" in log[2]
    assert "'speed' must name" in invdesign("ask", "slurry.yaml", "--pin", "speed", code=2)
    assert "Unknown parameter 'sped' to pin" in invdesign("ask", "slurry.yaml", "--pin", "sped=500", code=2)


def test_replicates_limits_and_results_outside_are_told_from_a_sheet(invdesign, folder):
    rows = "slurry,speed,replicate,viscosity (Pa*s)\n"
    recipe = "NMC 0.9 + C65 0.06 + PVDF 0.04"
    rows += f"{recipe},1000,2,2.7\n{recipe},1000,3,2.3\n{recipe},2600,1,<0.4\n"
    (folder / "more.csv").write_text(rows)
    said = invdesign("tell", "slurry.yaml", "more.csv")
    assert "Stored 3 results" in said
    assert "1 result is outside of the space" in said
    assert "candidate 3: 'speed' is 2600, outside [500, 2000]." in said
    assert "1 result is outside of the space" in invdesign("status", "slurry.yaml")
    assert "already stored with the same values" in invdesign("tell", "slurry.yaml", "more.csv", code=2)
    (folder / "measured.csv").write_text(MEASURED + f"{recipe},3000,7\n")
    assert "1 result is outside of the space" in invdesign("check", "slurry.yaml")


def test_stop_ends_asking_and_says_why(invdesign, folder):
    (folder / "slurry.yaml").write_text(FILE + "stop: {hits: 2, wall_time: 2 h}\n")
    said = invdesign("ask", "slurry.yaml", code=2)
    assert "2 candidates meet all targets. Nothing was proposed. Use --go-on" in said
    assert invdesign("ask", "slurry.yaml", "--go-on").startswith("candidate,")
    (folder / "slurry.yaml").write_text(FILE + "stop: {wall_time: 2 V}\n")
    assert "slurry.yaml:19: " in invdesign("check", "slurry.yaml", code=2)
    (folder / "slurry.yaml").write_text(FILE + "stop: {hit: 2}\n")
    assert "hits" in invdesign("check", "slurry.yaml", code=2)
