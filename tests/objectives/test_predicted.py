"""Values of a model are said to be predictions, with what the model is worth on rows that it had not seen."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import pytest
from rich.console import Console
from scipy.stats import norm

import invdesign as ind
from invdesign.campaign.predictions import noted_predictions
from invdesign.objectives.combined import CombinedObjective
from invdesign.objectives.predicted import Predicting
from invdesign.report.console import hits_table
from invdesign.report.findings import gather
from invdesign.report.page import report_html
from invdesign.report.sentences import sentences

SPACE = ind.SearchSpace(x=ind.Continuous(0.0, 1.0), y=ind.Continuous(0.0, 1.0))


def table(rows=60, noise=0.1):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame({"x": rng.random(rows), "y": rng.random(rows)})
    return frame.assign(f=np.sin(4.0 * frame["x"]) + frame["y"] + noise * rng.standard_normal(rows))


def model(rows=60, noise=0.1):
    return ind.SurrogateObjective(table(rows, noise), {"x": "x", "y": "y"}, {"f": "f"}, {"f": "V"})


def printed(table) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(table)
    return console.export_text()


def searched(objective):
    targets = ind.Targets(ind.AtLeast("f", 1.2))
    campaign = ind.Campaign(SPACE, targets, optimizer=ind.RandomOptimizer(), initial=5)
    campaign.run(objective, evaluations=20)
    return campaign


def test_scores_are_those_of_rows_that_were_held_out():
    bound = model().for_columns(SPACE.columns)
    score = bound.held_out_scores()["f"]
    assert isinstance(bound, Predicting)
    assert score.rows == 60
    assert 0.05 < score.mae < 0.2  # the noise's mean absolute value is 0.08: a fitted model would show less of it
    assert 0.8 < score.r2 < 1.0
    assert 0.75 < score.coverage <= 1.0


def test_few_rows_have_no_score():
    assert model(rows=8).for_columns(SPACE.columns).held_out_scores() == {"f": None}


def test_parts_of_a_combination_keep_their_scores():
    other = ind.PythonObjective(lambda x, y: {"cost": x + y}, units={"cost": ""}, isolated=False)
    joined = CombinedObjective((model(), other)).for_columns(SPACE.columns)
    assert list(joined.held_out_scores()) == ["f"]


def test_hits_are_predicted_and_as_many_are_expected_as_their_uncertainty_says():
    campaign = searched(model())
    found = gather(campaign)
    assert noted_predictions(campaign.store)["f"] == model().for_columns(SPACE.columns).held_out_scores()["f"]
    text = " ".join(sentences(found))
    assert "predicted to meet the target" in text
    assert "distance" in text
    assert "mean absolute error is 0." in text
    assert 0.0 < found.expected_hits < found.status.hits
    page = report_html(campaign)
    assert "are predicted to meet all targets" in page
    assert "All values are predictions of a model." in page


def test_measured_values_are_not_called_predictions():
    measured = ind.PythonObjective(lambda x, y: {"f": x + y}, units={"f": "V"}, isolated=False)
    found = gather(searched(measured))
    assert found.predictions == {}
    assert found.expected_hits is None
    assert "predict" not in " ".join(sentences(found))


@pytest.mark.parametrize("rows", [8, 60])
def test_a_resumed_campaign_keeps_the_scores(rows, tmp_path):
    place = tmp_path / "f.db"
    for _ in range(2):
        campaign = ind.Campaign(SPACE, ind.Targets(ind.AtLeast("f", 1.2)), store=place, initial=5)
        campaign.run(model(rows), evaluations=7)
        scores = noted_predictions(campaign.store)
        campaign.store.close()
    assert (scores["f"] is None) == (rows == 8)


def test_hits_show_how_certain_they_are():
    campaign = searched(model())
    found = campaign.hits()
    target = ind.AtLeast("f", 1.2, unit="V")
    chance = 1.0 - norm.cdf(1.2, found["f"], found["f_std"])
    assert found["probability"].to_numpy() == pytest.approx(chance)
    assert found[f"probability: {target}"].to_numpy() == pytest.approx(chance)
    assert 0.5 <= found["probability"].min() < 0.9
    assert campaign.frame()["probability"].lt(0.5).any()
    assert campaign.frame().loc[found.index, "probability"].tolist() == found["probability"].tolist()
    text = printed(hits_table(campaign))
    assert "± f (V)" in text
    assert "Probability, f at least 1.2 V" in text
    assert 'data-key="f_std"' in report_html(campaign)


def test_values_without_a_standard_deviation_have_no_probability():
    measured = ind.PythonObjective(lambda x, y: {"f": x + y}, units={"f": "V"}, isolated=False)
    campaign = searched(measured)
    assert not [name for name in campaign.hits() if "probability" in name or name.endswith("_std")]
    assert "±" not in printed(hits_table(campaign))


@pytest.mark.parametrize("optimizer", [ind.RandomOptimizer(), ind.GeneticOptimizer(), ind.BayesianOptimizer()])
def test_a_target_that_asks_for_a_probability_is_met_by_certain_predictions_only(optimizer):
    targets = ind.Targets(ind.AtLeast("f", 1.2, min_probability=0.95))
    campaign = ind.Campaign(SPACE, targets, optimizer=optimizer, initial=8, seed=1)
    campaign.run(model(30, 0.3), evaluations=24, batch=4)
    hits, everything = campaign.hits(), campaign.frame()
    assert 0 < len(hits) == campaign.status().hits
    assert hits.index.tolist() == everything.index[everything["probability"] >= 0.95].tolist()
    assert (everything.drop(hits.index)["f"] > 1.2).any()
    if not isinstance(optimizer, ind.RandomOptimizer):  # the search aims at certain ones
        assert everything["probability"].iloc[8:].mean() > 2.0 * everything["probability"].iloc[:8].mean()
