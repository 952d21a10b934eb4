"""The page of a screen: its numbers are the screen's, and the best candidates are drawn."""

from __future__ import annotations

import json
import re

import numpy as np
import pandas as pd

import invdesign as ind
from invdesign.report.screening_page import write_screening_page
from invdesign.screening.pools import MaterialStream
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


def active(tmp_path, targets):
    """An active screen of 60 numbers, of which one in six fails."""
    rng = np.random.default_rng(1)
    frame = pd.DataFrame({"id": [f"m{n}" for n in range(60)], "a": rng.random(60), "b": rng.random(60)})
    frame.to_csv(tmp_path / "pool.csv", index=False)
    file = ind.MaterialFile(str(tmp_path / "pool.csv"), id="id", descriptors={"a": "a", "b": "b"})

    def measured(a, b, **_):
        if b > 5 / 6:
            raise ValueError("melts <below> 300 K")
        return {"f": 2 * a, "g": b}

    return ind.screen(
        MaterialStream("crystal", file),
        targets,
        objective=ind.PythonObjective(measured, {"f": "V", "g": ""}, isolated=False),
        output=tmp_path / "out",
        settings=ind.ScreenSettings(block=16, top=3, budget=20, initial=8, passes=2),
    )


def figures_of(page):
    found = re.search(r'<script type="application/json" id="figures">(.*?)</script>', page)[1]
    return {one["id"]: one for one in json.loads(found)}


def test_an_active_screen_shows_its_passes_and_how_hits_grew(tmp_path):
    done = active(tmp_path, ind.Targets(ind.AtLeast("f", 1500, unit="mV"), ind.AtMost("g", 0.8)))
    page = write_screening_page(done, name="few").read_text()
    evaluated = pd.read_csv(tmp_path / "out" / "evaluated.csv")
    met = ((evaluated["f"] >= 1.5) & (evaluated["g"] <= 0.8)).to_numpy()
    growth = figures_of(page)["growth"]
    assert growth["data"][0]["y"] == np.cumsum(met).tolist()
    assert [(one["x0"], one["x1"]) for one in growth["layout"]["shapes"]] == [(0.5, 8.5), (14.5, 20.5)]
    table = page[page.index("Evaluated candidates by pass") :]
    rows = [
        re.findall(r"<td[^>]*>(.*?)</td>", row) for row in re.findall(r"<tr>(.*?)</tr>", table.split("</table>")[0])
    ][1:]
    failed = evaluated["f"].isna().to_numpy()
    parts = [slice(0, 8), slice(8, 14), slice(14, 20)]
    assert [row[0] for row in rows] == ["first, at random", "pass 1", "pass 2"]
    assert [int(row[2]) for row in rows] == [8, 6, 6]
    assert [int(row[3]) for row in rows] == [failed[part].sum() for part in parts]
    assert [int(row[4]) for row in rows] == [met[part].sum() for part in parts]
    assert int(rows[-1][5]) == met.sum()
    assert int(rows[1][1]) == done.passes[1].likely
    assert page.count("<tr><td") > 20
    assert failed.sum() == page.count("melts &lt;below&gt; 300 K</td>")
    assert page.count('<td class="words">pass 2</td>') == 1 + len(done.passes[2].funnel)


def test_what_is_optimized_has_its_best_value_by_pass(tmp_path):
    done = active(tmp_path, ind.Targets(ind.Maximize("f", unit="V")))
    page = write_screening_page(done, name="few").read_text()
    best = pd.read_csv(tmp_path / "out" / "evaluated.csv")["f"]
    (curve,) = figures_of(page)["growth"]["data"]
    np.testing.assert_allclose(curve["y"], np.fmax.accumulate(best))
    assert f">{best.max():.4g}<" in page


def test_a_screen_without_a_budget_has_no_passes(tmp_path):
    done = ind.screen(
        ind.MoleculePool.from_smiles(SMILES),
        ind.Targets(ind.AtLeast("level", 5.0)),
        objective=ind.TableObjective(
            pd.DataFrame({"smiles": SMILES, "level": np.arange(20.0)}), {"molecule": "smiles"}, {"level": "level"}
        ),
        output=tmp_path / "out",
    )
    assert done.passes == ()
    assert 'id="passes"' not in write_screening_page(done, name="alkanes").read_text()
