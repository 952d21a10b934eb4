"""Optimizers one after another, each from what is known when its turn comes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.campaign_file.reader import read_campaign
from invdesign.core.errors import InputError
from invdesign.objectives.python import PythonObjective
from invdesign.optimizers import (
    BayesianOptimizer,
    GeneticOptimizer,
    History,
    ParticleSwarmOptimizer,
    RandomOptimizer,
    SequenceOptimizer,
)
from invdesign.optimizers.base import for_budget, with_surrogate
from invdesign.optimizers.initial_design import initial_design
from invdesign.space import Continuous, SearchSpace
from invdesign.surrogates.forests import RandomForest
from invdesign.targets import Maximize, Targets

SQUARE = SearchSpace(x=Continuous(0, 1), y=Continuous(0, 1))
TARGETS = Targets(Maximize("f"))
SEED = np.random.SeedSequence(5)


def hill(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"f": np.exp(-(((frame["x"] - 0.7) ** 2 + (frame["y"] - 0.3) ** 2) / 0.02))})


def known(count: int, pending: int = 0) -> History:
    rows = SQUARE.sample(count + pending, np.random.default_rng(0))
    done = rows.iloc[:count].reset_index(drop=True)
    return History(done, hill(done), rows.iloc[count:].reset_index(drop=True))


@pytest.mark.parametrize(
    ("count", "pending", "whose"),
    [(8, 0, 0), (11, 0, 0), (12, 0, 1), (10, 2, 1), (19, 0, 1), (20, 0, 2), (40, 0, 2)],
)
def test_each_proposes_when_its_turn_comes_pending_ones_counted(count, pending, whose):
    members = (RandomOptimizer(), GeneticOptimizer(population=6), ParticleSwarmOptimizer(particles=5))
    history = known(count, pending)
    asked = {"space": SQUARE, "targets": TARGETS, "history": history, "seed": SEED}
    found = SequenceOptimizer(members=members, after=(12, 20)).propose(3, **asked)
    pd.testing.assert_frame_equal(found, members[whose].propose(3, **asked))


def test_the_second_goes_on_from_what_the_first_found():
    """What a genetic algorithm proposes after a search that came near the top is better than after random ones."""

    def best(first):
        sequence = SequenceOptimizer(members=(first, GeneticOptimizer(population=8)), after=(20,))
        campaign = Campaign(SQUARE, TARGETS, optimizer=sequence, seed=1, initial=6)
        objective = PythonObjective(
            lambda x, y: hill(pd.DataFrame({"x": [x], "y": [y]})).iloc[0].to_dict(), {"f": ""}, isolated=False
        )
        campaign.run(objective, evaluations=40)
        return campaign.frame()["f"]

    after_bayesian, after_random = best(BayesianOptimizer()), best(RandomOptimizer())
    assert after_bayesian[:20].max() > 0.9 > after_random[:20].max()
    assert after_bayesian[20:].median() > after_random[20:].median()


def test_a_file_names_them_and_what_they_need_is_passed_on(tmp_path):
    file = tmp_path / "sequence.yaml"
    file.write_text(
        """
campaign: in-turn
space: {x: {type: integer, low: 0, high: 1}}
targets: [{property: f, maximize: true}]
objective: {type: table, data: table.csv, key: {x: x}, values: {f: f}, units: {f: ""}}
optimizer: {type: sequence, members: [bayesian, {type: genetic, population: 6}], after: [30]}
budget: {initial: 4, evaluations: 40}
"""
    )
    pd.DataFrame({"x": [0, 1], "f": [0.0, 1.0]}).to_csv(tmp_path / "table.csv", index=False)
    found = read_campaign(file).optimizer
    assert found == SequenceOptimizer(members=(BayesianOptimizer(), GeneticOptimizer(population=6)), after=(30,))
    forest = RandomForest()
    assert with_surrogate(found, forest).members[0].surrogate == forest
    assert initial_design(found) == initial_design(BayesianOptimizer())
    assert for_budget(found, 50).members == tuple(for_budget(member, 50) for member in found.members)


@pytest.mark.parametrize("after", [(), (10, 5), (5, 5), (5, 10, 15)])
def test_numbers_that_do_not_fit_are_refused(after):
    members = (RandomOptimizer(), GeneticOptimizer(), ParticleSwarmOptimizer())
    with pytest.raises(InputError, match=r"one number fewer than there are optimizers \(3\), in rising order"):
        SequenceOptimizer(members=members, after=after)
