from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.objectives.surrogate import SurrogateObjective
from invdesign.surrogates.linear import Ridge

FILE = """
campaign: taught
space:
  x: {{type: continuous, low: 0, high: 2}}
targets:
  - {{property: f, between: [0.4, 0.9], unit: V}}
objective:
  type: surrogate
  data: table.csv
  key: {{x: X}}
  values: {{f: F}}
  units: {{f: V}}
  surrogate: {surrogate}
budget: {{initial: 4, evaluations: 12}}
"""


@pytest.fixture
def table(tmp_path, rng):
    x = rng.uniform(0, 2, 40)
    pd.DataFrame({"X": x, "F": np.sin(x)}).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def test_it_steers_a_campaign_and_says_how_sure_it_is(table):
    (table / "c.yaml").write_text(FILE.format(surrogate="{type: gaussian-process}"))
    setting = ind.read_campaign(table / "c.yaml")
    campaign = ind.Campaign(setting.space, setting.targets, optimizer=setting.optimizer, seed=1, initial=4)
    campaign.run(setting.objective, evaluations=12)
    hits = campaign.hits()
    assert len(hits) >= 4
    np.testing.assert_allclose(np.sin(hits["x"]), hits["f"], atol=0.02)
    result = setting.objective.evaluate(pd.DataFrame({"x": [0.5]}))
    assert result["f_std"].item() < 0.1


def test_a_wrong_word_in_the_nested_surrogate_names_its_line(table):
    (table / "c.yaml").write_text(FILE.format(surrogate="{type: gausian-process}"))
    with pytest.raises(ind.InputError, match=r"c.yaml:13: .*Did you mean 'gaussian-process'"):
        ind.read_campaign(table / "c.yaml")


def test_equal_rows_with_different_values_are_averaged_by_the_model():
    data = pd.DataFrame({"X": [0.0, 0.0, 1.0, 1.0, 2.0, 2.0] * 3, "F": [0.0, 1.0, 1.0, 2.0, 2.0, 3.0] * 3})
    objective = SurrogateObjective(data, {"x": "X"}, {"f": "F"}, surrogate=Ridge())
    space = ind.SearchSpace(x=ind.Continuous(0, 2))
    objective = objective.for_columns(space.columns)
    assert objective.check(space.columns) == []
    assert objective.evaluate(pd.DataFrame({"x": [1.0]}))["f"].item() == pytest.approx(1.5, abs=0.05)


def test_bad_settings_and_data_are_reported_before_anything_runs():
    data = pd.DataFrame({"X": [0.0, 1.0, 2.0], "F": ["<1", "2", "3"]})
    space = ind.SearchSpace(x=ind.Continuous(0, 2))
    objective = SurrogateObjective(data, {"x": "X"}, {"f": "F"})
    assert "censored" in objective.check(space.columns)[0]
    assert SurrogateObjective(data, {"x": "X"}, {"f": "F"}, censored="drop").check(space.columns) == []
    assert "not a parameter" in SurrogateObjective(data, {"y": "X"}, {"f": "F"}).check(space.columns)[0]
    with pytest.raises(ind.InputError, match="no column 'G'"):
        SurrogateObjective(data, {"x": "X"}, {"f": "G"})
    with pytest.raises(ind.InputError, match=r"Unknown censored 'dropp'.*'drop'"):
        SurrogateObjective(data, {"x": "X"}, {"f": "F"}, censored="dropp")


def test_a_candidate_that_cannot_be_read_leaves_the_others_their_values():
    known = pd.DataFrame({"x": np.linspace(0.0, 1.0, 12)})
    objective = SurrogateObjective(known.assign(y=2 * known["x"]), {"x": "x"}, {"y": "y"})
    asked = pd.DataFrame({"x": [0.1, 0.2, np.nan, 0.4, "warm", 0.6, 0.7]}, index=[9, 4, 7, 1, 2, 3, 5], dtype=object)
    good = [9, 4, 1, 3, 5]
    found = objective.evaluate(asked)
    assert found.index.equals(asked.index)
    assert list(found.columns) == ["y", "distance", "y_std", "reason"]
    pd.testing.assert_frame_equal(found.loc[good], objective.evaluate(asked.loc[good]))
    assert found.loc[[7, 2], ["y", "y_std"]].isna().all(axis=None)
    assert "no value in row 7" in found.loc[7, "reason"]
    assert "'warm'" in found.loc[2, "reason"]


def test_equal_rows_are_treated_as_asked(tmp_path):
    (tmp_path / "t.csv").write_text("X (mV);F\n1000,5;1,5\n2000;3\n1000,5;2,5\n")
    settings = {"data": tmp_path / "t.csv", "key": {"x": "X"}, "values": {"f": "F"}}
    columns = ind.SearchSpace(x=ind.Continuous(0, 3, unit="V")).columns
    lengths = {}
    for duplicates in ("keep", "mean", "first"):
        frame, y = SurrogateObjective(**settings, duplicates=duplicates).for_columns(columns).training()
        lengths[duplicates] = y["f"].tolist()
        assert frame["x"].iloc[0] == pytest.approx(1.0005)
    assert lengths == {"keep": [1.5, 3.0, 2.5], "mean": [2.0, 3.0], "first": [1.5, 3.0]}
    (problem,) = SurrogateObjective(**settings, duplicates="error").check(columns)
    assert "They are the rows 2, 4." in problem


def test_a_threshold_makes_a_property_yes_or_no(rng):
    x = rng.uniform(0, 2, 60)
    data = pd.DataFrame({"x": x, "sigma (S/cm)": 10.0 ** (-6 + 2 * x)})
    settings = {"key": {"x": "x"}, "values": {"fast": "sigma"}, "surrogate": ind.LogisticRegression()}
    objective = SurrogateObjective(data, thresholds={"fast": 1e-4}, **settings)
    assert objective.properties == {"fast": "", "distance": ""}
    _, y = objective.training()
    assert y["fast"].tolist() == (x >= 1.0).astype(float).tolist()
    found = objective.evaluate(pd.DataFrame({"x": [0.1, 1.9]}))["fast"]
    assert found[0] < 0.2
    assert found[1] > 0.8
    with pytest.raises(ind.InputError, match="'thresholds' refers to unknown property 'slow'"):
        SurrogateObjective(data, thresholds={"slow": 1.0}, **settings)


CLASSES = """
campaign: classes
space:
  x: {type: continuous, low: 0, high: 2}
targets:
  - {property: f, between: [0.4, 0.9], unit: V}
  - {property: phase, equals: layered, with: 0.7}
objective:
  type: surrogate
  data: table.csv
  key: {x: X}
  values: {f: F, phase: Phase}
  units: {f: V}
  classes: [phase]
  surrogate: {f: {type: gaussian-process}, phase: {type: random-forest-classifier, n_estimators: 50}}
surrogate: {f: {type: gaussian-process}, phase: {type: ridge}}
budget: {initial: 4, evaluations: 12}
"""


def test_a_surrogate_for_each_property_and_classes_by_their_names(table):
    data = pd.read_csv(table / "table.csv")
    words = np.where(data["X"] < 0.8, "layered", np.where(data["X"] < 1.5, "spinel", "rocksalt"))
    data.assign(Phase=words).to_csv(table / "table.csv", index=False)
    (table / "c.yaml").write_text(CLASSES)
    setting = ind.read_campaign(table / "c.yaml")
    assert list(setting.objective.properties) == ["f", "phase=layered", "phase=rocksalt", "phase=spinel", "distance"]
    campaign = setting.open(table / "c.db")
    campaign.run(setting.objective, evaluations=12)
    hits = campaign.hits()
    assert len(hits) > 0
    assert (hits["x"] < 0.85).all()
    assert (hits["phase=layered"] >= 0.7).all()
    np.testing.assert_allclose(hits["probability: phase equal to layered with 70 %"], hits["phase=layered"])
    scored = setting.objective.held_out_scores()
    assert scored["phase=spinel"] is not None


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("f: {type: gaussian-process}", "g: {type: gaussian-process}", r":8: .*unknown property 'g'"),
        (
            "phase: {type: ridge}",
            "phases: {type: ridge}",
            r":16: .*unknown property 'phases'",
        ),
        ("n_estimators: 50", "n_estimaters: 50", r":15: .*n_estimaters"),
        ("type: ridge", "type: logistic-regression", r":16: .*predicts 'phase=layered' as a probability"),
        ("type: ridge", "type: logistic", r":16: Unknown surrogate type 'logistic'"),
        ("equals: layered", "equals: layerd", r"'phase=layerd'. Did you mean 'phase=layered'"),
        ("classes: [phase]", "classes: [phases]", r"unknown property 'phases'. Did you mean 'phase'"),
        ("  classes: [phase]\n", "", r"phase"),
    ],
)
def test_wrong_surrogates_and_classes_are_reported_with_their_line(table, old, new, words):
    data = pd.read_csv(table / "table.csv")
    data.assign(Phase=np.where(data["X"] < 1.0, "layered", "spinel")).to_csv(table / "table.csv", index=False)
    assert old in CLASSES
    (table / "c.yaml").write_text(CLASSES.replace(old, new))
    with pytest.raises(ind.InputError, match=words):
        ind.read_campaign(table / "c.yaml")


def test_the_bayesian_optimizer_learns_classes_by_a_classifier():
    def made(x):
        return {"f": np.sin(x), "phase=layered": float(x < 0.8)}

    objective = ind.PythonObjective(made, {"f": "V", "phase=layered": ""}, isolated=False)
    targets = ind.Targets(ind.Between("f", 0.4, 0.9, unit="V"), ind.Equals("phase", "layered"))
    surrogate = ind.PerProperty({"f": ind.GaussianProcess(), "phase": ind.LogisticRegression()})
    space = ind.SearchSpace(x=ind.Continuous(0, 2))
    campaign = ind.Campaign(space, targets, optimizer=ind.BayesianOptimizer(surrogate=surrogate), initial=5)
    campaign.run(objective, evaluations=15)
    assert len(campaign.hits()) >= 3, "room for four that keep their distance"
    assert campaign.predict(pd.DataFrame({"x": [0.3]}))["phase=layered expected"].item() > 0.5
