from __future__ import annotations

from datetime import datetime

import numpy as np
import pytest
from matplotlib.figure import Figure

import invdesign as ind
from invdesign.report.findings import gather
from invdesign.report.sentences import sentences
from invdesign.targets import hypervolume

SPACE = ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(0, 1))
LOW = ind.Targets(ind.Between("f", 0.2, 0.4))
HIGH = ind.Targets(ind.AtLeast("f", 0.7))
OPTIMIZERS = {
    "random": ind.RandomOptimizer(),
    "genetic": ind.GeneticOptimizer(),
    "particle-swarm": ind.ParticleSwarmOptimizer(),
    "bayesian": ind.BayesianOptimizer(),
}


def made(x: float, y: float) -> dict[str, float]:
    return {"f": x * y, "g": x - y}


OBJECTIVE = ind.PythonObjective(made, {"f": "", "g": ""}, isolated=False)


def campaign(place, targets=LOW, optimizer=OPTIMIZERS["random"]):
    return ind.Campaign(SPACE, targets, optimizer=optimizer, store=place, seed=1, initial=4)


def test_a_running_campaign_goes_on_with_other_targets_and_each_change_is_stored(tmp_path):
    place = tmp_path / "c.db"
    campaign(place).run(OBJECTIVE, evaluations=8)
    assert campaign(place).changes().empty
    other = campaign(place, HIGH)
    assert other.changes().empty, "looking at the values with other targets changes nothing"
    other.run(OBJECTIVE, evaluations=12)
    (change,) = other.changes().to_dict("records")
    assert (change["candidate"], change["setting"]) == (8, "targets")
    assert (change["before"], change["after"]) == ("f between 0.2 and 0.4", "f at least 0.7")
    assert datetime.fromisoformat(change["time"]).tzinfo is not None
    campaign(place, HIGH).run(OBJECTIVE, evaluations=16)
    assert len(other.changes()) == 1
    page = other.report(tmp_path / "c.html").read_text(encoding="utf-8")
    assert "Settings that were changed while the campaign ran" in page
    assert "f between 0.2 and 0.4" in page


@pytest.mark.parametrize("first", OPTIMIZERS)
@pytest.mark.parametrize("second", OPTIMIZERS)
def test_any_optimizer_goes_on_from_any_other(tmp_path, first, second):
    place = tmp_path / "c.db"
    campaign(place, optimizer=OPTIMIZERS[first]).run(OBJECTIVE, evaluations=7)
    found = campaign(place, optimizer=OPTIMIZERS[second])
    found.run(OBJECTIVE, evaluations=10)
    assert found.status().evaluated == 10
    changes = found.changes()
    assert list(changes["setting"].unique()) == ([] if first == second else ["optimizer"])


def test_a_changed_surrogate_is_named_as_such(tmp_path):
    place = tmp_path / "c.db"
    campaign(place, optimizer=ind.BayesianOptimizer()).run(OBJECTIVE, evaluations=5)
    forest = ind.BayesianOptimizer(surrogate=ind.RandomForest(n_estimators=20))
    found = campaign(place, optimizer=forest)
    found.ask(1)
    (change,) = found.changes().to_dict("records")
    assert (change["setting"], change["before"]) == ("surrogate", "default")
    assert change["after"] == "RandomForest(n_estimators=20)"


def test_the_front_holds_what_no_other_candidate_dominates():
    targets = ind.Targets(ind.Maximize("f"), ind.Minimize("g"))
    found = campaign(None, targets)
    found.run(OBJECTIVE, evaluations=30)
    front, frame = found.front(), found.frame()
    for number, row in frame.iterrows():
        better = (frame["f"] >= row["f"]) & (frame["g"] <= row["g"])
        dominated = (better & ((frame["f"] > row["f"]) | (frame["g"] < row["g"]))).any()
        assert (number in front.index) == (not dominated)
    assert front["f"].is_monotonic_increasing


def test_the_front_is_within_the_reference_point_and_status_counts_what_is_not():
    plain, limited = (
        ind.Targets(ind.Maximize("f"), ind.Minimize("g")),
        ind.Targets(ind.Maximize("f", reference=0.2), ind.Minimize("g", reference=0.0)),
    )
    found, other = campaign(None, plain), campaign(None, limited)
    for one in (found, other):
        one.run(OBJECTIVE, evaluations=30)
    whole, front = found.front(), other.front()
    within = whole[(whole["f"] >= 0.2) & (whole["g"] <= 0.0)]
    assert 0 < len(front) < len(whole)
    assert list(front.index) == list(within.index)
    text = " ".join(sentences(gather(other)))
    frame = other.frame()
    beyond = int(((frame["f"] < 0.2) | (frame["g"] > 0.0)).sum())
    assert f"{beyond} candidates beyond the reference point, not counted." in text
    volume = hypervolume(np.stack([front["f"], -front["g"]], axis=1), [0.2, 0.0])
    assert f"The hypervolume of the front is {volume:.4g}." in text
    assert "reference point" not in " ".join(sentences(gather(found)))


def test_a_front_beyond_the_reference_point_is_empty():
    found = campaign(None, ind.Targets(ind.Maximize("f", reference=2.0), ind.Minimize("g")))
    found.run(OBJECTIVE, evaluations=8)
    assert found.front().empty
    assert (found.hits()["pareto_rank"] == 0).any()


@pytest.mark.parametrize("optimizer", ["genetic", "bayesian", "particle-swarm"])
def test_a_reference_point_draws_a_search_to_what_lies_within(optimizer):
    def share(targets):
        found = campaign(None, targets, OPTIMIZERS[optimizer])
        found.run(OBJECTIVE, evaluations=40)
        last = found.frame().iloc[20:]
        return float(((last["f"] >= 0.3) & (last["g"] <= -0.2)).mean())

    plain = share(ind.Targets(ind.Maximize("f"), ind.Minimize("g")))
    assert share(ind.Targets(ind.Maximize("f", reference=0.3), ind.Minimize("g", reference=-0.2))) > plain


def test_without_anything_to_optimize_the_front_is_the_hits():
    found = campaign(None)
    found.run(OBJECTIVE, evaluations=20)
    assert sorted(found.front().index) == sorted(found.hits().index)


@pytest.mark.parametrize("kind", ["convergence", "targets", "parallel"])
def test_a_campaign_draws_itself(kind):
    found = campaign(None)
    found.run(OBJECTIVE, evaluations=6)
    assert isinstance(found.plot(kind), Figure)
    axes = found.plot("targets", x="g", y="f").axes[0]
    assert axes.get_xlabel() == "g"
    assert np.isfinite(axes.get_xlim()).all()


def test_an_unknown_kind_of_plot_is_refused_with_the_nearest():
    with pytest.raises(ind.InputError, match=r"Unknown kind of plot 'convergense'\. Did you mean 'convergence'"):
        campaign(None).plot("convergense")
