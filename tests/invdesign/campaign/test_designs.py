from __future__ import annotations

import numpy as np
import pytest

import invdesign as ind

MAXIMIZE = ind.Targets(ind.Maximize("f"))
MOLECULES = ind.MoleculePool(["CCO", "CCN", "CCC", "CCCC", "CCCO"])


def told(space, frame, targets):
    campaign = ind.Campaign(space, targets, seed=0)
    campaign.tell(frame)
    return campaign


def test_of_neighbors_only_the_best_is_verified():
    space = ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(0, 10))
    rng = np.random.default_rng(0)
    rows = space.sample(40, rng)
    rows.loc[:5, ["x", "y"]] = [[0.5 + 0.001 * place, 5.0] for place in range(6)]
    campaign = told(space, rows.assign(f=np.where(rows.index < 6, 9.0 - 0.01 * rows.index, rows["x"])), MAXIMIZE)
    assert list(campaign.best(3).index) == [0, 1, 2]
    chosen = campaign.different(3)
    assert chosen[0] == 0
    points = space.encode(campaign.frame().loc[chosen, ["x", "y"]])
    gaps = np.abs(points[:, None] - points[None]).max(axis=2)
    assert gaps[~np.eye(3, dtype=bool)].min() >= 0.05
    verified = campaign.verify(
        ind.PythonObjective(lambda x, y: {"f": x + y}, {"f": ""}, isolated=False), stage="s", top=3
    )
    assert sorted(verified.index) == sorted(chosen)
    assert campaign.different(2, besides=chosen)[0] == 1


def test_molecules_categories_and_elements_are_different_designs():
    space = ind.SearchSpace(m=MOLECULES, salt=ind.Categorical(["a", "b"]), c=ind.Continuous(0, 1))
    rows = space.sample(3, np.random.default_rng(0)).assign(
        m=["CCO", "CCO", "CCN"], salt=["a", "b", "a"], c=[0.5, 0.5, 0.5], f=[3.0, 2.0, 1.0]
    )
    assert told(space, rows, MAXIMIZE).different(3) == [0, 1, 2]
    sites = {"M": {"elements": ["Ni", "Mn", "Co"], "amount": 1}, "O": {"elements": ["O"], "amount": 2}}
    oxides = ind.SearchSpace(oxide=ind.Composition(sites))
    formulas = ["Ni0.5Mn0.5O2", "Ni0.51Mn0.49O2", "Ni0.5Co0.5O2", "Ni0.8Mn0.2O2"]
    frame = oxides.sample(4, np.random.default_rng(0)).assign(oxide=formulas, f=[4.0, 3.0, 2.0, 1.0])
    assert told(oxides, frame, MAXIMIZE).different(3) == [0, 2, 3]


def test_where_all_designs_are_alike_the_best_are_taken():
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    rows = space.sample(4, np.random.default_rng(0)).assign(x=[0.5, 0.501, 0.502, 0.503], f=[1.0, 2.0, 3.0, 4.0])
    campaign = told(space, rows, MAXIMIZE)
    assert campaign.different(3) == [3, 2, 1]
    assert campaign.different(9) == [3, 2, 1, 0]


@pytest.mark.parametrize(("weights", "first"), [((1.0, 5.0), "g"), ((5.0, 1.0), "f")])
def test_weights_order_candidates_that_do_not_dominate_each_other(weights, first):
    targets = ind.Targets(ind.Maximize("f", weight=weights[0]), ind.Maximize("g", weight=weights[1]))
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    rows = space.sample(3, np.random.default_rng(0)).assign(f=[3.0, 2.0, 1.0], g=[1.0, 2.0, 3.0])
    best = told(space, rows, targets).best(1)
    assert best[first].item() == 3.0


@pytest.mark.parametrize(("priorities", "best"), [((1, 2), 0), ((2, 1), 1), ((1, 1), 1)])
def test_a_target_of_the_first_priority_decides_before_the_others(priorities, best):
    targets = ind.Targets(ind.AtLeast("f", 10, priority=priorities[0]), ind.AtLeast("g", 10, priority=priorities[1]))
    space = ind.SearchSpace(x=ind.Continuous(0, 1))
    rows = space.sample(3, np.random.default_rng(0)).assign(f=[10.0, 8.0, 0.0], g=[0.0, 9.0, 9.0])
    assert told(space, rows, targets).best(1).index[0] == best
