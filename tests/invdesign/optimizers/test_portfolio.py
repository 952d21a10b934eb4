from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from invdesign.campaign import Campaign
from invdesign.campaign_file.reader import read_campaign
from invdesign.core.errors import InputError
from invdesign.core.settings import faults, from_mapping
from invdesign.optimizers import GeneticOptimizer, History, ParticleSwarmOptimizer, PortfolioOptimizer, RandomOptimizer
from invdesign.optimizers.base import run_generator
from invdesign.optimizers.population.fitness import Fitness
from invdesign.space import Continuous, SearchSpace
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import AtLeast, Maximize, Targets

SQUARE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
SEED = np.random.SeedSequence(5)


def hill(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"f": np.exp(-(((frame["x"] - 0.7) ** 2 + (frame["y"] - 0.3) ** 2) / 0.02))})


def turns(portfolio, count, progress):
    return portfolio._turns(count, np.asarray(progress, dtype=bool), np.random.default_rng(1))


def test_the_budget_goes_to_those_that_pay():
    portfolio = PortfolioOptimizer(members=(GeneticOptimizer(), RandomOptimizer()), lag=4)
    progress = np.zeros(300, dtype=bool)
    for row in range(300):  # only what the first member proposes is progress
        progress[row] = turns(portfolio, row + 1, progress[:row])[row] == 0
    share = (turns(portfolio, 300, progress) == 0)[100:].mean()
    assert 0.85 < share < 1.0


def test_given_candidates_are_no_member_s_progress():
    portfolio = PortfolioOptimizer(members=(GeneticOptimizer(), RandomOptimizer()), lag=1)
    progress = np.zeros(300, dtype=bool)
    progress[::2] = True
    given = np.arange(300) < 290
    blind = portfolio._turns(300, progress, np.random.default_rng(1), given=given)
    chances = np.random.default_rng(1).random((300, 2))
    # Nothing is known of either member, so that the larger chance proposes, until the first candidates that count.
    np.testing.assert_array_equal(blind[:290], np.argmax(chances[:290], axis=1))
    assert (blind != turns(portfolio, 300, progress)).any()


def test_a_campaign_marks_given_candidates():
    targets = Targets(AtLeast("f", 0.8))
    campaign = Campaign(SQUARE, targets, optimizer=PortfolioOptimizer(), seed=3, initial=3)
    asked = campaign.ask(4)
    assert campaign.history().given.tolist() == [True, True, True, False]
    campaign.tell(asked.assign(f=hill(asked)["f"]))
    campaign.tell(pd.DataFrame({"x": [0.5], "y": [0.5], "f": [0.1]}))
    campaign.ask(1)
    assert campaign.history().given.tolist() == [True, True, True, False, True, False]


def test_a_turn_depends_on_nothing_after_its_lag():
    portfolio = PortfolioOptimizer(members=("genetic", "particle-swarm", "random"), lag=6)
    progress = np.random.default_rng(0).random(80) < 0.4
    whole = turns(portfolio, 80, progress)
    for row in (10, 33, 79):
        np.testing.assert_array_equal(turns(portfolio, row + 1, progress[: row - 6]), whole[: row + 1])
    assert set(whole.tolist()) == {0, 1, 2}


def test_any_batch_up_to_the_lag_gives_the_same_turns(search):
    """The decisions that are made again later are those that were made."""
    portfolio = PortfolioOptimizer(members=(GeneticOptimizer(), ParticleSwarmOptimizer()), lag=8)
    targets = Targets(AtLeast("f", 0.8))
    _, values = search(portfolio, SQUARE, targets, hill, evaluations=60, batch=8)
    progress = Fitness.of(values, targets).progress()
    whole = portfolio._turns(60, progress, np.random.default_rng(2))
    made = [portfolio._turns(k + 8, progress[:k], np.random.default_rng(2))[k:] for k in range(0, 56, 8)]
    np.testing.assert_array_equal(np.concatenate(made), whole[:56])


def test_each_proposal_stands_where_its_member_has_its_turn():
    portfolio = PortfolioOptimizer(members=(GeneticOptimizer(), RandomOptimizer()), lag=30)
    done = SQUARE.sample(20, np.random.default_rng(0))
    history = History(done, hill(done), done.iloc[:0])
    asked = {"space": SQUARE, "targets": Targets(Maximize("f"))}
    new = portfolio.propose(10, **asked, history=history, seed=SEED)
    mine = portfolio._turns(30, np.zeros(20, dtype=bool), run_generator(SEED))[20:] == 0
    assert 0 < mine.sum() < 10
    own_seed = np.random.SeedSequence(SEED.entropy, spawn_key=(0,))
    alone = GeneticOptimizer().propose(int(mine.sum()), **asked, history=history, seed=own_seed)
    pd.testing.assert_frame_equal(new[mine].reset_index(drop=True), alone)


def test_it_runs_a_model_beside_a_swarm(search):
    targets = Targets(AtLeast("f", 0.9))
    _, values = search(PortfolioOptimizer(lag=5), SQUARE, targets, hill, evaluations=60, batch=5)
    assert targets.all_met(values).any()


def test_members_get_the_surrogate_and_the_file_names_them(tmp_path):
    text = """
campaign: several
seed: 1
space: {x: {type: integer, low: 0, high: 1}}
targets: [{property: f, maximize: true}]
objective: {type: table, data: table.csv, key: {x: x}, values: {f: f}, units: {f: ""}}
surrogate: {type: gaussian-process, kernel: rbf}
optimizer: {type: portfolio, members: [bayesian, genetic, particle-swarm], lag: 4}
budget: {initial: 4, evaluations: 10}
"""
    pd.DataFrame({"x": [0, 1], "f": [0.0, 1.0]}).to_csv(tmp_path / "table.csv", index=False)
    path = tmp_path / "several.yaml"
    path.write_text(text)
    portfolio = read_campaign(path).optimizer
    assert portfolio == PortfolioOptimizer(lag=4).with_surrogate(GaussianProcess(kernel="rbf"))
    assert [type(member).__name__ for member in portfolio.members] == [
        "BayesianOptimizer",
        "GeneticOptimizer",
        "ParticleSwarmOptimizer",
    ]
    assert [member.surrogate.kernel for member in portfolio.members] == ["rbf"] * 3


def test_members_have_settings_of_their_own(tmp_path):
    portfolio = from_mapping(PortfolioOptimizer, {"members": ["random", {"type": "genetic", "population": 50}]})
    assert portfolio.members == (RandomOptimizer(), GeneticOptimizer(population=50))
    with pytest.raises(ValidationError) as caught:
        from_mapping(PortfolioOptimizer, {"members": [{"type": "genetic", "population": 1}]})
    (fault,) = faults(caught.value, PortfolioOptimizer, {"members": [{"type": "genetic", "population": 1}]})
    assert fault.place == ("members", 0, "population")
    assert fault.message == "'members.0.population' must be at least 2, not 1."


def test_bad_members_are_refused():
    with pytest.raises(InputError, match="Did you mean 'genetic'"):
        PortfolioOptimizer(members=("genetik",))
    with pytest.raises(InputError, match=r"RandomOptimizer.* twice"):
        PortfolioOptimizer(members=(RandomOptimizer(), RandomOptimizer()))
    with pytest.raises(InputError, match="cannot be a member"):
        PortfolioOptimizer(members=(PortfolioOptimizer(),))
    with pytest.raises(InputError, match="lag"):
        PortfolioOptimizer(lag=0)


def test_an_objective_is_optimized_by_all_together(search):
    portfolio = PortfolioOptimizer(members=(GeneticOptimizer(), ParticleSwarmOptimizer()), lag=10)
    _, values = search(portfolio, SQUARE, Targets(Maximize("f")), hill, evaluations=200, batch=10)
    assert values["f"].max() > 0.99


def test_what_is_left_of_a_space_is_proposed_at_once():
    done = SQUARE.sample(3, np.random.default_rng(0))
    history = History(done, hill(done), done.iloc[:0])
    new = PortfolioOptimizer(members=(GeneticOptimizer(), ParticleSwarmOptimizer())).propose(
        40, space=SQUARE, targets=Targets(Maximize("f")), history=history, seed=SEED
    )
    assert len(new) == 40
    assert not new.duplicated().any()
