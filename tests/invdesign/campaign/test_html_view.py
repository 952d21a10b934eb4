"""Spaces, targets and campaigns as notebooks show them."""

from __future__ import annotations

from xml.etree import ElementTree as ET

import pandas as pd
import pytest

import invdesign as ind

SMILES = ["C" * n + "O" for n in range(1, 13)]
SPACE = ind.SearchSpace(
    solvent=ind.MoleculePool.from_smiles(SMILES),
    temperature=ind.Continuous(20, 90, unit="degC"),
    salt=ind.Categorical(["LiPF6", "Li<TFSI>"]),
    layers=ind.Integer(1, 3),
    constraints=["layers <= 2 or temperature < 50"],
)
TARGETS = ind.Targets(ind.AtLeast("f", 4, unit="V"), ind.Minimize("g"))


def campaign(tables):
    found = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), name="mine & yours", initial=6)
    found.run(ind.PythonObjective(tables, units={"f": "V", "g": ""}, isolated=False), evaluations=14)
    return found


def texts(html: str) -> list[str]:
    root = ET.fromstring(html)  # noqa: S314 - our own text; well-formed
    return ["".join(cell.itertext()) for cell in root.iter() if cell.tag in ("td", "th", "caption")]


def test_a_space_shows_values_units_and_constraints():
    found = texts(SPACE._repr_html_())
    assert found[0] == "Search space, continuous"
    assert found[3:] == [
        "solvent", "12 molecules", "temperature", "20 to 90 degC", "salt", "LiPF6, Li<TFSI>", "layers",
        "1 to 3, whole numbers", "constraint", "layers <= 2 or temperature < 50",
    ]  # fmt: skip
    formulas = ind.SearchSpace(
        mxene=ind.Composition(
            sites={
                "M": {"elements": ["Ti", "V"], "amount": 2, "pick": 1},
                "X": {"elements": ["C", "N"], "amount": 1, "pick": 1},
            }
        )
    )
    assert texts(formulas._repr_html_())[0] == "Search space, 4 candidates"
    assert "4 formulas of" in texts(formulas._repr_html_())[4]


def test_targets_show_their_texts():
    assert texts(TARGETS._repr_html_())[3:] == ["f", "f at least 4 V", "g", "minimize g"]


def test_a_campaign_shows_progress_hits_and_molecules():
    def tables(solvent, temperature, salt, layers):
        if len(solvent) > 11:
            raise ValueError("too long")
        return {"f": float(len(solvent)), "g": temperature}

    found = campaign(tables)
    html = found._repr_html_()
    cells = texts(html)
    status = found.status()
    assert status.failed > 0
    assert cells[0] == (
        f"mine & yours: {status.evaluated} evaluated, {status.failed} failed, 0 pending, {status.hits} meet all targets"
    )
    shown = min(10, status.evaluated)
    assert html.count("<svg") == shown
    best = found.best(shown)
    assert [cells[8 + 7 * row] for row in range(shown)] == [str(number) for number in best.index]
    assert html.count("✓") == int((best["f"] >= 4).sum())
    assert html.count("✗") == int((best["f"] < 4).sum())


def test_an_empty_campaign_is_shown():
    assert "0 evaluated" in ind.Campaign(SPACE, TARGETS)._repr_html_()


@pytest.mark.parametrize("share", [0.5, 0.95])
def test_predictions_show_how_certain_they_are(share):
    table = pd.DataFrame({"x": [i / 20 for i in range(21)], "f": [(-1) ** i * 0.3 + i / 10 for i in range(21)]})
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    targets = ind.Targets(ind.AtLeast("f", 1.2, min_probability=share))
    found = ind.Campaign(space, targets, optimizer=ind.RandomOptimizer(), initial=8)
    found.run(ind.SurrogateObjective(table, {"x": "x"}, {"f": "f"}), evaluations=8)
    html = found._repr_html_()
    assert "±" in html
    assert "probability" in texts(html)
    assert html.count("✓") == found.status().hits
