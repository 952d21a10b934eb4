"""The search of molecules that are built: little work, exact repetition, one pool per batch, constraints."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from rdkit import Chem
from rdkit.Chem import Crippen, Descriptors, GraphDescriptors

import invdesign as ind
from invdesign.optimizers.bayesian.molecule_search import MoleculeSearch, is_built
from invdesign.space.molecules.structural_rules import broken_rule

SEEDS = ("CCOC(=O)c1ccccc1", "CCNC(=O)c1ccco1", "COCCOC", "O=C1OCCO1", "CC(=O)N1CCCC1", "Cc1ccsc1", "CCCC#N", "CS(C)=O")
GRAPH = ind.SearchSpace(m=ind.MoleculeGraph(SEEDS, max_atoms=18))
LIBRARY = ind.SearchSpace(
    m=ind.MoleculeLibrary(
        "[*:1]OC([*:2])c1ccc([*:3])cc1",
        {
            f"R{place}": ("[H]", "*C", "*CC", "*OC", "*C#N", "*F", "*C(F)(F)F", "*N(C)C", "*c1ccccc1", "*C(C)C")
            for place in (1, 2, 3)
        },
    )
)
SEED = np.random.SeedSequence(5)
MOST_CALLS = 1_500_000
"""Calls of Python functions of a proposal at 100 values; descriptors and SELFIES of a thousand took ten times that."""


def logp(frame):
    return pd.DataFrame({"p": [Crippen.MolLogP(Chem.MolFromSmiles(smiles)) for smiles in frame["m"]]})


def known(space, count):
    candidates = space.sample(3 * count, np.random.default_rng(0)).drop_duplicates(ignore_index=True).head(count)
    return ind.History(candidates, logp(candidates), candidates.iloc[:0])


def lightness(frame):
    return -np.array([abs(Chem.MolFromSmiles(smiles).GetNumHeavyAtoms() - 12.0) for smiles in frame["m"]])


@pytest.mark.parametrize("space", [GRAPH, LIBRARY], ids=["graph", "library"])
@pytest.mark.parametrize("target", [ind.Maximize("p"), ind.Between("p", 4.0, 4.2)], ids=["direction", "window"])
def test_a_proposal_is_little_work_and_depends_on_seed_and_history_alone(space, target, python_calls):
    history = known(space, 100)
    asked = {"space": space, "targets": ind.Targets(target), "history": history, "seed": SEED}
    # Components of a library are fitted once.
    ind.BayesianOptimizer(exhaustive=100).propose(1, **{**asked, "seed": np.random.SeedSequence(6)})
    found = []
    calls = python_calls(lambda: found.append(ind.BayesianOptimizer(exhaustive=100).propose(3, **asked)))
    assert calls < MOST_CALLS
    again = ind.BayesianOptimizer(exhaustive=100).propose(3, **asked)
    pd.testing.assert_frame_equal(found[0], again)
    assert not pd.concat([history.candidates, again]).duplicated().any()
    space.encode(again)


def test_what_it_proposes_is_better_than_the_known_and_keeps_the_rules():
    history = known(GRAPH, 40)
    new = ind.BayesianOptimizer().propose(
        8, space=GRAPH, targets=ind.Targets(ind.Maximize("p")), history=history, seed=SEED
    )
    assert logp(new)["p"].median() > history.properties["p"].quantile(0.9)
    assert [broken_rule(Chem.MolFromSmiles(smiles)) for smiles in new["m"]] == [None] * 8


def test_of_many_values_some_are_learned_and_the_best_among_them(monkeypatch):
    history = known(GRAPH, 130)
    learned = []
    original = ind.GaussianProcess.fit

    def recorded(self, frame, y, *, columns=None, noise_std=None):
        learned.append(frame)
        return original(self, frame, y, columns=columns, noise_std=noise_std)

    monkeypatch.setattr("invdesign.optimizers.bayesian.optimizer.MOST_ROWS", 40)
    monkeypatch.setattr(ind.GaussianProcess, "fit", recorded)
    asked = {"space": GRAPH, "targets": ind.Targets(ind.Maximize("p")), "history": history, "seed": SEED}
    new = ind.BayesianOptimizer().propose(8, **asked)
    assert len(learned[0]) < 60
    best = history.properties["p"].head(100).nlargest(10).index
    assert set(history.candidates["m"][best]) <= set(learned[0]["m"])
    assert logp(new)["p"].median() > history.properties["p"].quantile(0.9)
    assert not pd.concat([history.candidates, new]).duplicated().any(), "also of those that it did not learn"
    pd.testing.assert_frame_equal(new, ind.BayesianOptimizer().propose(8, **asked))


def test_it_finds_what_random_molecules_do_not():
    rng = np.random.default_rng(1)
    evaluated = GRAPH.seeded(GRAPH.sample(8, rng), pd.DataFrame({"m": []}))

    def branched(frame):
        return np.array([Crippen.MolMR(Chem.MolFromSmiles(smiles)) for smiles in frame["m"]])

    best = MoleculeSearch(GRAPH, rng, evaluated).ranked(branched, evaluated, 5)
    assert len(best) == 5
    assert not best["m"].isin(evaluated["m"]).any()
    assert (np.diff(branched(best)) <= 0).all()
    assert branched(best)[0] > branched(GRAPH.sample(100, rng)).max()


def test_the_pool_of_a_batch_is_kept_and_the_seeds_are_in_it():
    scored: list[int] = []

    def counting(frame):
        scored.append(len(frame))
        return lightness(frame)

    rng = np.random.default_rng(2)
    evaluated = GRAPH.sample(6, rng)
    search = MoleculeSearch(GRAPH, rng, evaluated)
    first = search.ranked(counting, evaluated, 1)
    whole, scored[:] = sum(scored), []
    seen = pd.concat([evaluated, first], ignore_index=True)
    second = search.ranked(counting, seen, 1)
    assert not second["m"].isin(seen["m"]).any()
    assert len(scored) == 2
    assert whole > len(SEEDS)
    listed = MoleculeSearch(GRAPH, rng, evaluated).ranked(lambda frame: frame["m"].isin(SEEDS).to_numpy(float), seen, 8)
    assert listed["m"].isin(SEEDS).sum() >= len(set(SEEDS) - set(seen["m"]))


def test_a_space_that_is_exhausted_gives_what_is_left():
    tiny = ind.SearchSpace(m=ind.MoleculeLibrary("C[*:1]", {"R1": ("[H]", "*C", "*F")}))
    everything = tiny.grid()
    search = MoleculeSearch(tiny, np.random.default_rng(0), everything.head(2))
    assert search.ranked(lightness, everything.head(2), 5)["m"].tolist() == everything["m"].tail(1).tolist()
    assert search.ranked(lightness, everything, 5).empty


def test_numbers_beside_molecules_are_refined_and_constraints_kept():
    space = ind.SearchSpace(
        {"m": ind.MoleculeGraph(SEEDS, max_atoms=14), "x": ind.Continuous(0.0, 1.0)}, constraints=["x <= 0.7"]
    )
    candidates = space.sample(30, np.random.default_rng(0))
    values = logp(candidates).assign(p=lambda frame: frame["p"] - 8.0 * (candidates["x"] - 0.6) ** 2)
    history = ind.History(candidates, values, candidates.iloc[:0])
    new = ind.BayesianOptimizer().propose(
        3, space=space, targets=ind.Targets(ind.Maximize("p")), history=history, seed=SEED
    )
    assert space.feasible(new).all()
    assert (new["x"] - 0.6).abs().max() < 0.2
    window = ind.BayesianOptimizer(separation=0.05).propose(
        3, space=space, targets=ind.Targets(ind.AtLeast("p", 2.0)), history=history, seed=SEED
    )
    assert len(window.drop_duplicates()) == 3


def test_only_spaces_whose_molecules_are_built_are_searched_so():
    assert is_built(GRAPH)
    assert is_built(LIBRARY)
    assert not is_built(ind.SearchSpace(m=ind.MoleculePool.from_smiles(SEEDS), x=ind.Continuous(0, 1)))


def test_far_from_the_known_molecules_the_model_is_unsure():
    history = known(GRAPH, 60)
    # Balaban's index goes by how a molecule branches, which no quick descriptor counts.
    branching = pd.DataFrame({"p": [GraphDescriptors.BalabanJ(Chem.MolFromSmiles(m)) for m in history.candidates["m"]]})
    model = ind.BayesianOptimizer()._model(GRAPH).fit(history.candidates, branching, columns=GRAPH.columns)
    far = pd.DataFrame({"m": ["FC(F)(F)C(F)(F)C(F)(F)F", "FC(F)(F)F", "BrC(Br)(Br)Br"]})
    _, std = model.predict(far, return_std=True)
    _, near = model.predict(history.candidates, return_std=True)
    assert (std["p"] > 0.5 * branching["p"].std()).all()
    assert near["p"].median() < 0.1 * branching["p"].std()


def test_a_property_that_goes_by_size_is_predicted_beyond_the_known_molecules():
    history = known(GRAPH, 60)
    mass = pd.DataFrame({"p": [Descriptors.MolWt(Chem.MolFromSmiles(smiles)) for smiles in history.candidates["m"]]})
    model = ind.BayesianOptimizer()._model(GRAPH).fit(history.candidates, mass, columns=GRAPH.columns)
    larger = pd.DataFrame({"m": ["CCCCCCCCCCCCCCCCCC", "O=C(OCCOCCOCCO)c1ccc(Cl)cc1"]})
    expected = [Descriptors.MolWt(Chem.MolFromSmiles(smiles)) for smiles in larger["m"]]
    np.testing.assert_allclose(model.predict(larger)["p"], expected, rtol=0.15)


def test_what_another_optimizer_suggests_is_compared_too():
    rare = "CC(C)c1ccc(OCCOCCF)cc1"
    suggested = pd.DataFrame({"m": [rare]})
    evaluated = known(GRAPH, 5).candidates

    def likes(frame):
        return (frame["m"] == rare).to_numpy(dtype=float)

    for more, expected in ((suggested, True), (pd.DataFrame(), False)):
        search = MoleculeSearch(GRAPH, np.random.default_rng(3), evaluated, suggested=more)
        assert (search.ranked(likes, evaluated, 1)["m"].iloc[0] == rare) is expected
