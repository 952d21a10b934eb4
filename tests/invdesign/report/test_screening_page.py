"""The page of a screen: its numbers are the screen's, and the best candidates are drawn."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

import invdesign as ind
from invdesign.report.screening_page import write_screening_page
from invdesign.space import Constraint

SMILES = ["C" * n for n in range(1, 21)]


def test_numbers_and_drawings(tmp_path):
    table = pd.DataFrame({"smiles": SMILES, "level": np.arange(20.0)})
    done = ind.screen(
        ind.MoleculePool.from_smiles(SMILES),
        ind.Targets(ind.Between("level", 5.0, 9.0)),
        objective=ind.TableObjective(table, {"molecule": "smiles"}, {"level": "level"}),
        steps=[ind.Step("light <b>", keep=Constraint("molecule.MolWt <= 200"))],
        output=tmp_path / "out",
        settings=ind.ScreenSettings(block=6, top=3),
    )
    page = write_screening_page(done, name="alkanes", source="key: postgresql://me:secret@host").read_text()
    assert "5 of 20 entries are candidates that are likely to meet all targets." in page
    assert page.count("<svg role=") == 3
    assert 'aria-label="CCCCCC"' in page
    assert "light &lt;b&gt;" in page
    assert "<b>" not in page.split("</style>")[1].split("<script")[0].replace("&lt;b&gt;", "")
    assert "secret" not in page
    figures = json.loads(re.search(r'<script type="application/json" id="figures">(.*?)</script>', page)[1])
    histogram = next(one for one in figures if one["id"] == "histogram-0")
    assert sum(histogram["data"][0]["y"]) == done.funnel[-1].passed
    funnel = next(one for one in figures if one["id"] == "funnel")
    assert funnel["data"][0]["x"] == [count.passed for count in done.funnel][::-1]


def test_an_empty_funnel_has_a_page(tmp_path):
    table = pd.DataFrame({"smiles": SMILES, "level": np.arange(20.0)})
    done = ind.screen(
        ind.MoleculePool.from_smiles(SMILES),
        ind.Targets(ind.Between("level", 5.0, 9.0)),
        objective=ind.TableObjective(table, {"molecule": "smiles"}, {"level": "level"}),
        steps=[ind.Step("none", keep=Constraint("molecule.MolWt <= 1"))],
        output=tmp_path / "out",
    )
    assert done.best.empty
    assert "No candidate passed the funnel." in write_screening_page(done, name="alkanes").read_text()
