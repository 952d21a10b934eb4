"""Generative search: from the history alone, or with a generator of molecules that learns from the best found."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign import InputError
from invdesign.generators import MoleculeGenerator, TrainingTable
from invdesign.optimizers import (
    BayesianOptimizer,
    GenerativeOptimizer,
    GeneticOptimizer,
    History,
    PortfolioOptimizer,
    RandomOptimizer,
)
from invdesign.optimizers.base import optimizer_problems, optimizer_remarks
from invdesign.space import Composition, Continuous, MoleculeGraph, SearchSpace
from invdesign.targets import AtLeast, Maximize, Targets

SEED = np.random.SeedSequence(3)
ALLOY = SearchSpace(
    cathode=Composition(
        sites={
            "M": {"elements": ["Ni", "Mn", "Co", "Al"], "amount": 1, "step": 0.01, "max_elements": 3},
            "O": {"elements": ["O"], "amount": 2},
        }
    ),
    temperature=Continuous(600, 1000),
)


def nickel(frame: pd.DataFrame) -> pd.DataFrame:
    share = ALLOY.parameters["cathode"].derived("Ni", frame["cathode"].to_numpy())
    return pd.DataFrame({"f": share - ((frame["temperature"].to_numpy(dtype=float) - 850) / 300) ** 2})


def test_it_beats_random_in_a_space_of_formulas(search):
    targets = Targets(Maximize("f"))
    _, mine = search(GenerativeOptimizer(), ALLOY, targets, nickel, evaluations=60, batch=10)
    _, chance = search(RandomOptimizer(), ALLOY, targets, nickel, evaluations=60, batch=60)
    assert mine["f"].max() > chance["f"].max()
    assert mine["f"].iloc[30:].mean() > chance["f"].mean() + 0.3


@pytest.fixture(scope="module")
def chains(tmp_path_factory) -> str:
    ends = ["O", "N", "C", "F", "OC", "NC"]
    smiles = [f"{left}{'C' * length}{right}" for length in range(2, 12) for left in ends for right in ends]
    generator = MoleculeGenerator(width=32, epochs=4, batch=32, learning_rate=5e-3).fit(smiles)
    place = tmp_path_factory.mktemp("generator") / "chains.safetensors"
    generator.save(place)
    return str(place)


def test_a_generator_of_molecules_learns_from_the_best(chains):
    space = SearchSpace(molecule=MoleculeGraph(seeds=["CCO", "CCN"], max_atoms=16))
    optimizer = GenerativeOptimizer(generator=chains)
    assert optimizer_problems(optimizer, space) == []
    done = space.sample(20, np.random.default_rng(0))
    values = pd.DataFrame({"f": done["molecule"].str.count("N").astype(float)})
    history = History(done, values, done.iloc[:0])
    made = [
        optimizer.propose(8, space=space, targets=Targets(AtLeast("f", 2.0)), history=history, seed=SEED)
        for _ in range(2)
    ]
    pd.testing.assert_frame_equal(*made)
    assert len(made[0]) == 8
    assert space.feasible(made[0]).all()
    space.encode(made[0])  # raises if one is not of the space
    assert not made[0]["molecule"].isin(done["molecule"]).any()
    chains_known = MoleculeGenerator.load(chains).molecules
    assert not made[0]["molecule"].isin(chains_known).any()


def test_a_generator_may_be_trained_on_a_table(tmp_path, monkeypatch):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path / "cache"))
    rows = [
        {"SMILES": f"{left}{'C' * n}{right}", "size": float(n)} for n in range(2, 9) for left in "ONC" for right in "NF"
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "known.csv", index=False)
    network = MoleculeGenerator(width=16, epochs=1, batch=32)
    table = TrainingTable(tmp_path / "known.csv", "SMILES", {"size": "size"}, network=network)
    space = SearchSpace(molecule=MoleculeGraph(seeds=["CCO", "CCN"], max_atoms=16))
    optimizer = GenerativeOptimizer(generator=table, epochs=0)
    assert optimizer_problems(optimizer, space) == []
    for user in (optimizer, BayesianOptimizer(suggested_by=optimizer), PortfolioOptimizer(members=(optimizer,))):
        assert "is trained on 42 molecules" in optimizer_remarks(user)[0]
    done = space.sample(20, np.random.default_rng(0))
    values = pd.DataFrame({"size": done["molecule"].str.len().astype(float)})
    history = History(done, values, done.iloc[:0])
    made = optimizer.propose(4, space=space, targets=Targets(AtLeast("size", 5.0)), history=history, seed=SEED)
    assert len(made) == 4
    assert space.feasible(made).all()
    assert optimizer_remarks(optimizer) == []


def test_what_does_not_fit_is_said_before_anything_runs(chains, tmp_path):
    assert "molecule-graph" in optimizer_problems(GenerativeOptimizer(generator=chains), ALLOY)[0]
    space = SearchSpace(molecule=MoleculeGraph(seeds=["CCO"], max_atoms=8))
    broken = tmp_path / "no.safetensors"
    broken.write_text("nothing")
    assert "not a file of a generator" in optimizer_problems(GenerativeOptimizer(generator=str(broken)), space)[0]
    missing = optimizer_problems(GenerativeOptimizer(generator=str(tmp_path / "none")), space)
    assert "does not exist" in missing[0]
    with pytest.raises(InputError):
        GenerativeOptimizer(exploration=2.0)


def nitrogen(frame: pd.DataFrame) -> pd.DataFrame:
    return pd.DataFrame({"f": frame["molecule"].str.count("N") + 0.01 * frame["molecule"].str.len()})


def test_problems_of_the_suggesting_optimizer_are_said(chains):
    optimizer = BayesianOptimizer(suggested_by=GenerativeOptimizer(generator=chains))
    assert "molecule-graph" in optimizer_problems(optimizer, ALLOY)[0]


def test_suggestions_join_the_search_of_numbers_and_formulas(search):
    targets = Targets(Maximize("f"))
    optimizer = BayesianOptimizer(suggested_by=GenerativeOptimizer())
    _, values = search(optimizer, ALLOY, targets, nickel, evaluations=20, batch=5)
    assert values["f"].iloc[10:].mean() > values["f"].iloc[:10].mean()


def test_a_portfolio_of_search_and_generator_shares_what_each_finds(search, chains):
    space = SearchSpace(molecule=MoleculeGraph(seeds=["CCO", "CCN"], max_atoms=16))
    members = (GeneticOptimizer(population=10), GenerativeOptimizer(generator=chains, epochs=1))
    targets = Targets(AtLeast("f", 2.0))
    candidates, values = search(PortfolioOptimizer(members=members), space, targets, nitrogen, evaluations=60, batch=10)
    assert candidates["molecule"].is_unique
    assert targets.all_met(values)[40:].sum() > targets.all_met(values)[:20].sum()
