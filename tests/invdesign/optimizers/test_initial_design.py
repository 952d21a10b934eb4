"""The initial design: it stands for the space, whatever its parts are asked for one by one or together."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import cdist

import invdesign as ind
from invdesign.optimizers.base import History
from invdesign.optimizers.initial_design import RepresentativeDesign, initial_design
from invdesign.optimizers.random import RandomOptimizer
from invdesign.surrogates.features.featurizer import Featurizer

TARGETS = ind.Targets(ind.AtLeast("voltage", 1.0))
METALS = ind.Categorical([f"M{number}" for number in range(12)])
TERMINATIONS = ind.Categorical(["F", "O", "OH"])


def space() -> ind.SearchSpace:
    return ind.SearchSpace(metal=METALS, termination=TERMINATIONS, layers=ind.Integer(1, 6))


def asked(optimizer, space: ind.SearchSpace, n: int, *, before: pd.DataFrame | None = None, seed: int = 3):
    empty = space.sample(0, np.random.default_rng(0))
    pending = before if before is not None else empty
    history = History(empty, pd.DataFrame({"voltage": []}, dtype=float), pending)
    return optimizer.propose(n, space=space, targets=TARGETS, history=history, seed=np.random.SeedSequence(seed))


def test_every_candidate_has_a_nearer_one_than_in_random_designs():
    smiles = ["C" * length + end for length in range(1, 12) for end in ("O", "N", "F", "C(=O)O", "C#N", "OC")]
    where = ind.SearchSpace(molecule=ind.MoleculePool.from_smiles(smiles))
    features = Featurizer(ind.Features()).fit(where.grid(), where.columns)

    def gap(design) -> float:
        everything = features.transform(where.grid())
        everything = everything[:, everything.std(axis=0) > 0]
        everything /= everything.std(axis=0)
        gaps = []
        for seed in range(5):
            chosen = where.grid()["molecule"].isin(asked(design, where, 8, seed=seed)["molecule"]).to_numpy()
            gaps.append(cdist(everything, everything[chosen]).min(axis=1).mean())
        return float(np.mean(gaps))

    assert gap(RepresentativeDesign()) < 0.85 * gap(RandomOptimizer())


def test_asked_for_one_by_one_it_is_the_same_design():
    where = space()
    together = asked(RepresentativeDesign(), where, 6)
    single = where.sample(0, np.random.default_rng(0))
    for _ in range(6):
        single = pd.concat([single, asked(RepresentativeDesign(), where, 1, before=single)], ignore_index=True)
    assert single.to_dict("list") == together.to_dict("list")
    assert not together.duplicated().any()


def test_seeds_differ_and_repeat():
    where = space()
    first = asked(RepresentativeDesign(), where, 5, seed=1)
    assert first.equals(asked(RepresentativeDesign(), where, 5, seed=1))
    assert not first.equals(asked(RepresentativeDesign(), where, 5, seed=2))


def test_it_is_no_set_of_outliers():
    smiles = ["C" * length + "O" for length in range(1, 12)] + ["C" * 60]
    where = ind.SearchSpace(molecule=ind.MoleculePool.from_smiles(smiles))
    chosen = asked(RepresentativeDesign(), where, 1)
    assert chosen["molecule"].iloc[0] != smiles[-1]


def test_a_space_that_is_smaller_than_the_design_is_given_whole():
    where = ind.SearchSpace(termination=TERMINATIONS)
    assert sorted(asked(RepresentativeDesign(), where, 10)["termination"]) == ["F", "O", "OH"]
    assert asked(RepresentativeDesign(), where, 2, before=where.grid()).empty


def test_a_mixed_space_is_filled_by_the_sequence():
    where = ind.SearchSpace(thickness=ind.Continuous(1.0, 2.0), metal=METALS)
    assert asked(RepresentativeDesign(), where, 4).equals(asked(RandomOptimizer(), where, 4))


def test_numbers_begin_at_the_center_and_are_filled_by_the_sequence():
    where = ind.SearchSpace(thickness=ind.Continuous(1.0, 2.0), repeats=ind.Continuous(0.0, 10.0))
    design, sequence = (asked(optimizer(), where, 4) for optimizer in (RepresentativeDesign, RandomOptimizer))
    assert design.iloc[0].tolist() == [1.5, 5.0]
    assert design.iloc[1:].equals(sequence.iloc[1:])
    one = asked(RepresentativeDesign(), where, 1)
    rest = asked(RepresentativeDesign(), where, 3, before=one)
    assert pd.concat([one, rest], ignore_index=True).equals(design)


def test_an_infeasible_center_is_left_out():
    where = ind.SearchSpace(
        {"a": ind.Continuous(0.0, 1.0), "b": ind.Continuous(0.0, 1.0)}, constraints=["a + b >= 1.2"]
    )
    assert asked(RepresentativeDesign(), where, 4).equals(asked(RandomOptimizer(), where, 4))


def test_a_campaign_begins_as_its_optimizer_says():
    assert isinstance(initial_design(ind.BayesianOptimizer()), RepresentativeDesign)
    assert isinstance(initial_design(ind.BayesianOptimizer(design="random")), RandomOptimizer)
    assert isinstance(initial_design(ind.GeneticOptimizer()), RandomOptimizer)
    features = ind.Features(formulas="magpie")
    optimizer = ind.BayesianOptimizer(surrogate=ind.GaussianProcess(features=features))
    assert optimizer.initial_design == RepresentativeDesign(features)
    campaign = ind.Campaign(space(), TARGETS, seed=5, initial=4)
    assert (
        campaign.ask(4)
        .reset_index(drop=True)
        .equals(asked(RepresentativeDesign(ind.GaussianProcess().features), space(), 4, seed=5))
    )


def test_an_unknown_design_is_refused():
    with pytest.raises(ind.InputError, match="Unknown design 'blind'"):
        ind.BayesianOptimizer(design="blind")
