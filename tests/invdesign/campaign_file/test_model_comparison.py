from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

import invdesign as ind
from invdesign.campaign_file import model_comparison
from invdesign.campaign_file.model_comparison import CLASSIFIERS, GRAPHS, compare_models, training_data
from invdesign.cli import app
from invdesign.surrogates.selection import CHOICE
from invdesign.surrogates.splits import scaffold_groups

FILE = """
campaign: cathodes
seed: 3
space:
  cathode:
    type: composition
    sites:
      M: {elements: [Ni, Mn, Co], amount: 1, step: 0.05}
      O: {elements: [O], amount: 2}
  temperature: {type: continuous, low: 700, high: 950, unit: degC}
targets:
  - {property: capacity, at_least: 190, unit: mA*h/g}
objective:
  type: surrogate
  data: table.csv
  key: {cathode: Formula, temperature: T}
  values: {capacity: Q}
  units: {capacity: mA*h/g}
"""


@pytest.fixture
def campaign_file(tmp_path, rng):
    space = ind.SearchSpace(
        cathode=ind.Composition(
            {"M": {"elements": ["Ni", "Mn", "Co"], "amount": 1, "step": 0.05}, "O": {"elements": ["O"], "amount": 2}}
        )
    )
    formulas = space.sample(60, rng)["cathode"]
    nickel = formulas.str.extract(r"Ni([0-9.]*)")[0].replace("", "1").astype(float).fillna(0.0)
    temperature = rng.uniform(700, 950, 60)
    capacity = 140 + 60 * nickel - 0.002 * (temperature - 820) ** 2 + rng.standard_normal(60)
    table = pd.DataFrame({"Formula": formulas, "T": temperature, "Q": capacity, "Paper": rng.integers(0, 9, 60)})
    table.to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "cathodes.yaml").write_text(FILE)
    return tmp_path / "cathodes.yaml"


def test_the_command_compares_recommends_and_writes_a_page(campaign_file):
    page = campaign_file.parent / "models.html"
    words = ["models", str(campaign_file), "--families", "ridge,gaussian-process", "--split", "Paper"]
    result = CliRunner().invoke(app, [*words, "--folds", "3", "-o", str(page)])
    assert result.exit_code == 0, result.output
    assert "Paper split" in result.output
    assert "Recommended: " in result.output
    html = page.read_text()
    assert "parity-0" in html
    assert "Paper split" in html


def test_all_families_and_the_choice_itself_are_judged(campaign_file):
    data = training_data(ind.read_campaign(campaign_file))
    found = compare_models(
        data, folds=3, families=["ridge", "k-nearest-neighbors", "gaussian-process"], splits=["elements"]
    )
    families = set(found.comparison.table["family"])
    assert families == {"ridge", "k-nearest-neighbors", "gaussian-process", CHOICE}
    assert found.recommendation.split == "elements"
    assert found.recommendation.family in families - {CHOICE}


def test_values_of_zero_and_one_are_for_classifiers(campaign_file):
    table = pd.read_csv(campaign_file.parent / "table.csv")
    table["Q"] = (table["Q"] > table["Q"].median()).astype(int)
    table.to_csv(campaign_file.parent / "table.csv", index=False)
    data = training_data(ind.read_campaign(campaign_file))
    found = compare_models(data, folds=3, choice=False)
    assert set(found.comparison.table["family"]) == set(CLASSIFIERS)
    assert np.isfinite(found.comparison.table["rmse"]).all()


@pytest.mark.parametrize(
    ("change", "arguments", "words"),
    [
        ({}, ["--families", "rigde"], "Did you mean 'ridge'"),
        ({}, ["--split", "Papers", "--families", "ridge"], "Did you mean 'Paper'"),
        ({}, ["--families", "ridge", "--folds", "200"], "No family can be fitted"),
        ({"Paper": np.nan}, ["--split", "Paper"], "The column 'Paper' has no value in row"),
    ],
)
def test_what_cannot_be_done_is_reported(campaign_file, change, arguments, words):
    path = campaign_file.parent / "table.csv"
    table = pd.read_csv(path)
    for column, value in change.items():
        table.loc[3, column] = value
    table.to_csv(path, index=False)
    result = CliRunner().invoke(app, ["models", str(campaign_file), *arguments])
    assert result.exit_code == 2
    assert words in result.output


def test_a_file_without_a_table_says_what_is_needed(campaign_file):
    text = FILE[: FILE.index("objective:")]
    campaign_file.write_text(text)
    result = CliRunner().invoke(app, ["models", str(campaign_file)])
    assert result.exit_code == 2
    assert "needs data" in result.output


def test_a_surrogate_with_settings_of_its_own_is_compared_beside_words(campaign_file):
    @dataclass
    class Middle:
        """Predicts the mean; a surrogate of somebody else's, without features."""

        _mean: object = field(default=None, init=False, repr=False, compare=False)

        def fit(self, frame, y, *, columns=None):
            self._mean = y.mean()
            return self

        def predict(self, frame, *, return_std=False):
            mean = pd.DataFrame([self._mean] * len(frame), index=frame.index)
            return (mean, mean * 0 + 20.0) if return_std else mean

        def noise_std(self):
            return dict.fromkeys(self._mean.index, 0.0)

    families = ["ridge", ind.Ridge(penalty=3.0), ind.Ridge(penalty=30.0), Middle()]
    data = training_data(ind.read_campaign(campaign_file))
    report = compare_models(data, families=families, splits=["random"], choice=False)
    table = report.comparison.table.set_index("family")["rmse"]
    assert set(table.index) == {"ridge", "Ridge", "Ridge 2", "Middle"}
    assert table["ridge"] < table["Middle"]
    assert report.recommendation.family != "Middle"
    with pytest.raises(ind.InputError, match="is not a surrogate"):
        compare_models(training_data(ind.read_campaign(campaign_file)), families=[3])


def test_data_of_any_format_is_compared_and_repeated_rows_are_treated_as_asked(campaign_file):
    table = pd.read_csv(campaign_file.parent / "table.csv")
    twice = pd.concat([table, table.assign(Q=table["Q"] + 2.0)])
    twice.to_csv(campaign_file.parent / "table.csv", sep=";", decimal=",", index=False, encoding="utf-16")
    data = training_data(ind.read_campaign(campaign_file))
    assert len(data.frame) == 120
    assert data.findings[-1].kind == "duplicate"
    assert data.findings[-1].rows[0] == 2
    campaign_file.write_text(FILE.replace("data: table.csv", "data: table.csv\n  duplicates: mean"))
    data = training_data(ind.read_campaign(campaign_file))
    np.testing.assert_allclose(data.y["capacity"], table["Q"] + 1.0)
    found = compare_models(data, folds=3, families=["ridge"], splits=["Paper"], choice=False)
    assert set(found.comparison.table["family"]) == {"ridge"}


def test_without_a_named_split_one_of_extrapolation_stands_beside_the_random_one(campaign_file):
    """The table covers the space, so the random split is like the campaign; the other error is shown beside."""
    data = training_data(ind.read_campaign(campaign_file))
    report = compare_models(data, families=["ridge", "gaussian-process"], choice=False)
    assert set(report.comparison.table["split"]) == {"random", "elements"}
    best = report.recommendation
    assert best.split == "random"
    assert "elements split" in best.reason
    assert "candidates of the space lie" in best.reason
    alone = compare_models(data, families=["ridge"], splits=["random"], choice=False)
    assert set(alone.comparison.table["split"]) == {"random"}


MOLECULES = """
campaign: rings
space:
  molecule: {type: molecule, pool: table.csv, smiles: smiles}
targets:
  - {property: E, at_least: 0.9, unit: V}
objective: {type: table, data: table.csv, key: {molecule: smiles}, values: {E: E}, units: {E: V}}
"""


def of_molecules(folder, molecules, rng):
    pd.DataFrame({"smiles": molecules, "E": rng.random(len(molecules))}).to_csv(folder / "table.csv", index=False)
    (folder / "rings.yaml").write_text(MOLECULES)
    return training_data(ind.read_campaign(folder / "rings.yaml"))


def test_a_graph_network_is_listed_from_a_thousand_molecules_on_where_its_extra_is_installed(
    tmp_path, rng, campaign_file, monkeypatch
):
    formulas = training_data(ind.read_campaign(campaign_file))
    ethers = [f"{'C' * a}{x}{'C' * b}{y}" for a in range(1, 11) for b in range(1, 11) for x in "OS" for y in "NFOPI"]
    data = of_molecules(tmp_path, ethers, rng)
    assert GRAPHS in model_comparison.families_of(data)
    few = replace(data, frame=data.frame.iloc[:999], y=data.y.iloc[:999])
    assert GRAPHS not in model_comparison.families_of(few)
    assert GRAPHS not in model_comparison.families_of(formulas)
    monkeypatch.setattr(model_comparison, "find_spec", lambda name: None)
    assert GRAPHS not in model_comparison.families_of(data)


def test_a_graph_network_is_scored_beside_the_others_and_not_in_the_choice(tmp_path, rng):
    data = of_molecules(tmp_path, [f"{'C' * length}{tail}" for length in range(1, 9) for tail in "ONFSI"], rng)
    small = ind.GraphNetwork(width=8, updates=4)
    found = compare_models(data, families=["ridge", "k-nearest-neighbors", small], splits=["random"], folds=3)
    scored = found.comparison.table
    assert set(scored["family"]) == {"ridge", "k-nearest-neighbors", "GraphNetwork", CHOICE}
    assert np.isfinite(scored.loc[scored["family"] == "GraphNetwork", "rmse"]).all()
    alone = compare_models(data, families=["ridge", small], splits=["random"], folds=3)
    assert CHOICE not in set(alone.comparison.table["family"])


def test_molecules_are_held_out_by_scaffold_or_size(tmp_path, rng):
    rings = ["c1ccccc1", "C1CCCCC1", "c1ccncc1", "c1ccsc1", "C1CCOC1", "c1ccoc1"]
    tails = ["", "C", "CC", "CCC", "O", "N", "CO", "CN"]
    molecules = [tail + ring for ring in rings for tail in tails]
    data = of_molecules(tmp_path, molecules, rng)
    report = compare_models(data, families=["k-nearest-neighbors"], choice=False)
    assert set(report.comparison.table["split"]) == {"random", "scaffold"}
    assert report.recommendation.reason.endswith("because every candidate of the space is in the table.")
    held = report.comparison.predictions["k-nearest-neighbors", "scaffold"]
    scaffolds = scaffold_groups(data.frame.loc[held.index, "molecule"].tolist())
    folds = held.groupby(scaffolds)["fold"].nunique()
    assert len(folds) == len(rings)
    assert (folds == 1).all()
    with pytest.raises(ind.InputError, match="The split 'size' makes 4 groups, fewer than 5 folds"):
        compare_models(data, families=["k-nearest-neighbors"], splits=["size"], choice=False)
    by_size = compare_models(data, families=["k-nearest-neighbors"], splits=["size"], folds=4, choice=False)
    assert by_size.recommendation.split == "size"
    assert by_size.recommendation.reason.endswith("This split decides because it was asked for.")
