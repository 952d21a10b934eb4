"""``invdesign screen``: the funnel, the best, the report; interrupted, it goes on."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

FILE = """campaign: ladder
space:
  molecule: {type: molecule, pool: pool.smi}
targets:
  - {property: level, between: [1.5, 3.5], unit: V}
objective:
  - {type: table, data: table.csv, key: {molecule: smiles}, values: {level: level}, units: {level: V}}
  - type: python
    name: exact
    function: exact.py:exact
    units: {level: V}
    verify: top 3
screen:
  block: 5
  top: 4
  steps:
    - {name: light, keep: molecule.MolWt <= 110}
"""
SMILES = ["C" * n for n in range(1, 9)] + ["bad"] + ["C" * n + "O" for n in range(1, 9)]
EXACT = """
import pathlib
def exact(molecule):
    with open(pathlib.Path(__file__).parent / "calls.txt", "a") as file:
        file.write(molecule + "\\n")
    return {"level": len(molecule) / 2 if molecule != "CCCCCCCC" else float("nan")}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "pool.smi").write_text("\n".join(SMILES))
    pd.DataFrame({"smiles": SMILES, "level": np.arange(17) / 4}).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "screen.yaml").write_text(FILE)
    (tmp_path / "exact.py").write_text(EXACT)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_prints_and_writes_what_it_found(invdesign, folder):
    printed = invdesign("screen", "screen.yaml", "--allow-code")
    assert "1 cannot be read" in printed
    assert "7 candidates are likely to meet all targets" in printed
    assert "exact: verified 3 of the best, of which 2 meet the targets; 0 failed." in " ".join(printed.split())
    out = folder / "ladder-screen"
    best = pd.read_csv(out / "best.csv")
    assert best["molecule"].tolist() == ["CCCCCCC", "CO", "CCO", "CCCO"]
    verified = pd.read_csv(out / "verified-exact.csv")
    assert len(verified) == 3
    assert verified["level"].tolist() == [len(one) / 2 for one in verified["molecule"]]
    report = (out / "report.html").read_text()
    assert "3 candidates verified by exact" in report
    assert 300_000 < len(report) < 1_500_000  # the part of plotly.js that it uses
    funnel = json.loads((out / "funnel.json").read_text())
    assert [one["step"] for one in funnel] == ["read", "light", "objective"]
    invdesign("screen", "screen.yaml", "--allow-code")
    assert len((folder / "calls.txt").read_text().splitlines()) == 3  # nothing is verified twice


def test_check_says_what_will_be_screened(invdesign, folder):
    printed = invdesign("check", "screen.yaml", "--allow-code")
    assert "is a valid campaign file with a screen" in printed
    assert "about 16 entries" in printed
    assert "Steps: light, objective." in printed


def test_errors_are_messages(invdesign, folder):
    (folder / "screen.yaml").write_text(FILE.replace("MolWt", "MolWeight"))
    assert "screen.yaml:17: The rule of the step 'light'" in invdesign("screen", "screen.yaml", "--allow-code", code=2)
    (folder / "screen.yaml").write_text(FILE.partition("screen:")[0])
    assert "The section 'screen' is missing." in invdesign("screen", "screen.yaml", "--allow-code", code=2)


def test_nothing_left_is_said(invdesign, folder):
    (folder / "screen.yaml").write_text(FILE.replace("<= 110", "<= 1"))
    assert "No candidate passed the funnel." in invdesign("screen", "screen.yaml", "--allow-code", code=1)


def test_a_link_in_the_place_of_the_output_is_not_followed(invdesign, folder, tmp_path_factory):
    (folder / "ladder-screen").symlink_to(tmp_path_factory.mktemp("elsewhere"))
    assert "is a link" in invdesign("screen", "screen.yaml", "--allow-code", code=2)


def test_workers_change_nothing(invdesign, folder):
    invdesign("screen", "screen.yaml", "--allow-code", "-o", "one")
    (folder / "screen.yaml").write_text(FILE + "executor: {type: processes, workers: 2}\n")
    invdesign("screen", "screen.yaml", "--allow-code", "-o", "two")
    for name in ("results.parquet", "best.csv", "funnel.json", "rejected.csv", "verified-exact.csv"):
        assert (folder / "one" / name).read_bytes() == (folder / "two" / name).read_bytes()


def test_sendek_2017(invdesign, examples, real_data, tmp_path, monkeypatch):
    """The counts are those of the tables, and the order is nearly that of the published model."""
    monkeypatch.chdir(tmp_path)
    invdesign("screen", str(examples / "sendek-screen.yaml"))
    funnel = json.loads((tmp_path / "sendek-screen" / "funnel.json").read_text())
    assert [one["step"] for one in funnel] == [
        *("read", "stable", "insulating", "not reducible", "structure known", "objective")
    ]
    stability = pd.read_csv(real_data / "li-stability" / "Li-MP-final.csv", encoding="utf-8-sig")
    stable = stability["Energy Above Hull (eV)"] <= 0
    assert funnel[1]["passed"] == stable.sum()
    assert funnel[2]["passed"] == (stable & (stability["Band Gap (eV)"] >= 1)).sum()
    results = pd.read_parquet(tmp_path / "sendek-screen" / "results.parquet")
    assert len(results) == funnel[-1]["passed"] == 349
    published = pd.read_csv(real_data / "li-features" / "lissb.csv", sep="\t").drop_duplicates("ID").set_index("ID")
    known = published.loc[results["crystal"], "Psuperionic"].to_numpy()
    ranks = pd.DataFrame({"ours": results["superionic"], "published": known}).rank()
    assert ranks.corr().iloc[0, 1] > 0.8  # regularized by us, not by the paper
    assert np.allclose(results["probability"], results["superionic"])
