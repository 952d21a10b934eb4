from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invdesign.space import (
    Categorical,
    Composition,
    Continuous,
    Integer,
    MoleculeGraph,
    MoleculeLibrary,
    MoleculePool,
    SearchSpace,
)
from invdesign.space.cube_moves import polynomial_mutation, simulated_binary_crossover
from invdesign.space.variation import crossed, mutated, number_share, shifted

OXIDE = Composition(
    sites={
        "A": {"elements": ["Li"], "amount": 1},
        "M": {
            "elements": ["Ni", "Mn", "Co", "Al"],
            "amount": 1,
            "range": {"Ni": [0.3, 0.9]},
            "max_elements": 3,
            "step": 0.01,
        },
        "O": {"elements": ["O"], "amount": 2},
    },
    charge_balanced=True,
)
SPINEL = Composition(  # one state each: only changes of two amounts at once keep the charge
    sites={
        "A": {"elements": ["Mg", "Fe"], "amount": 1, "step": 0.05},
        "B": {"elements": ["Al", "Ti", "Zn"], "amount": 2, "step": 0.05},
        "O": {"elements": ["O"], "amount": 4},
    },
    charge_balanced=True,
    oxidation_states={"Mg": [2], "Fe": [3], "Al": [3], "Ti": [4], "Zn": [2], "O": [-2]},
)
SPACES = {
    "numbers": SearchSpace(a=Continuous(1, 5), b=Continuous(1e-4, 1, log=True), k=Integer(-3, 12)),
    "mixed": SearchSpace(
        a=Continuous(0, 1), k=Integer(0, 1), w=Categorical(["p", "q", "r"]), constraints=["a + k <= 1.2"]
    ),
    "equality": SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), c=Continuous(0, 2), constraints=["a + b == 1"]),
    "continuous composition": SearchSpace(
        alloy=Composition(sites={"M": {"elements": ["Ti", "V", "Cr", "Mn", "Fe"], "amount": 1, "max_elements": 3}})
    ),
    "charge balance": SearchSpace(spinel=SPINEL),
    "picks": SearchSpace(
        mxene=Composition(
            sites={
                "M": {"elements": ["Sc", "Ti", "V", "Cr"], "amount": 2, "pick": 1},
                "X": {"elements": ["C", "N"], "amount": 1, "pick": 1},
                "T": {"species": ["F", "OH", "none"], "amount": 2, "pick": 1},
            }
        )
    ),
    "formula and process": SearchSpace(
        cathode=OXIDE,
        temperature=Continuous(700, 950),
        constraints=["cathode.share_Co <= 0.2", "cathode.share_Ni <= 0.8 or temperature <= 800"],
    ),
    "pool": SearchSpace(solvent=MoleculePool.from_smiles(["C" * n + "O" for n in range(1, 60)]), t=Continuous(0, 1)),
    "components": SearchSpace(
        solvent=MoleculePool(tuple("C" * n + "O" for n in range(1, 40)), coordinates="components", components=3)
    ),
    "library": SearchSpace(
        ether=MoleculeLibrary(
            scaffold="[*:1]OCC[*:2]", substituents={"R1": ["*C", "*CC", "*C(F)F"], "R2": ["*C#N", "*F", "*OC"]}
        )
    ),
}
GRAPH = SearchSpace(solvent=MoleculeGraph(seeds=("CCOC", "COC(=O)OC", "C1COC(=O)O1"), max_atoms=10))


@pytest.mark.parametrize("kind", SPACES)
@settings(max_examples=8)
@given(seed=st.integers(0, 10**6), step=st.sampled_from([0.01, 0.1, 0.5]))
def test_children_are_feasible_and_of_the_space(kind, seed, step):
    space = SPACES[kind]
    rng = np.random.default_rng(seed)
    first, second = space.sample(12, rng), space.sample(12, rng)
    ends = space.sample(12, rng), space.sample(12, rng)
    for children in (
        mutated(space, first, rng, step=step),
        crossed(space, first, second, rng),
        shifted(space, first, second, ends, rng),
    ):
        assert list(children.columns) == list(space.names)
        assert (children.dtypes == first.dtypes).all()
        assert space.feasible(children).all()
        space.encode(children)


@pytest.mark.parametrize("kind", SPACES)
def test_nearly_every_mutant_differs_and_the_same_seed_gives_the_same(kind):
    space = SPACES[kind]
    parents = space.sample(200, np.random.default_rng(1))
    before = parents.copy()
    children = mutated(space, parents, np.random.default_rng(2))
    assert (children != parents).any(axis=1).mean() > 0.9
    pd.testing.assert_frame_equal(parents, before)
    pd.testing.assert_frame_equal(children, mutated(space, parents, np.random.default_rng(2)))


def test_molecules_of_an_open_space_are_varied(rng):
    parents, others = GRAPH.sample(6, rng), GRAPH.sample(6, rng)
    for children in (mutated(GRAPH, parents, rng), crossed(GRAPH, parents, others, rng)):
        GRAPH.encode(children)
        assert (children != parents).any(axis=1).sum() >= 3


def test_the_step_is_the_mean_length_of_a_move(rng):
    points = np.full((20_000, 1), 0.5)
    for step in (0.02, 0.1):
        assert np.abs(polynomial_mutation(points, rng, step) - points).mean() == pytest.approx(step, rel=0.05)


def test_moves_stay_in_the_cube_and_change_about_one_coordinate(rng):
    points = rng.random((2000, 10))
    points[:500] = np.round(points[:500])
    moved = polynomial_mutation(points, rng, 0.3)
    assert ((moved >= 0) & (moved <= 1)).all()
    assert 1.5 < (moved != points).sum(axis=1).mean() < 2.1


def test_crossover_keeps_the_parents_mean_and_what_they_share(rng):
    first, second = np.tile([0.3, 0.5, 0.0], (40_000, 1)), np.tile([0.7, 0.5, 1.0], (40_000, 1))
    child = np.concatenate(
        [simulated_binary_crossover(first, second, rng), simulated_binary_crossover(second, first, rng)]
    )
    np.testing.assert_allclose(child.mean(axis=0), 0.5, atol=0.01)
    assert (child[:, 1] == 0.5).all()
    assert ((child >= 0) & (child <= 1)).all()


def test_a_word_becomes_each_other_word_equally_often(rng):
    words = Categorical(["p", "q", "r", "s"])
    children = words.mutated(np.array(["q"] * 3000, dtype=object), rng)
    counts = pd.Series(children).value_counts()
    assert set(counts.index) == {"p", "r", "s"}
    assert counts.min() > 900


def test_an_integer_always_moves(rng):
    numbers = Integer(0, 3)
    parents = rng.integers(0, 4, 500)
    assert (numbers.mutated(parents, rng, step=0.01) != parents).all()


def test_a_child_of_a_library_differs_in_one_substituent(rng):
    library = SPACES["library"].parameters["ether"]
    parents = library.decode(library.draw(50, rng))
    children = library.mutated(parents, rng)
    for parent, child in zip(parents, children, strict=True):
        assert np.sum(np.array(library.choices_of(parent)) != np.array(library.choices_of(child))) == 1


def test_no_rows_give_no_children(rng):
    for kind in ("numbers", "formula and process", "library"):
        space = SPACES[kind]
        none = space.sample(0, rng)
        assert mutated(space, none, rng).empty
        assert crossed(space, none, none, rng).empty
        assert shifted(space, none, none, (none, none), rng).empty


def test_numbers_are_shifted_together_and_other_columns_crossed(rng):
    space = SearchSpace(a=Continuous(0, 10), w=Categorical(["p", "q"]), b=Continuous(1e-4, 1, log=True))
    assert number_share(space) == pytest.approx(2 / 3)
    own = pd.DataFrame({"a": 2.0, "w": "p", "b": 1e-3}, index=range(200))
    better = pd.DataFrame({"a": 6.0, "w": "q", "b": 1e-1}, index=range(200))
    children = shifted(space, own, better, (own, own), rng)
    way = (children["a"] - 2.0) / 4.0
    assert way.between(0.0, 1.0).all()
    np.testing.assert_allclose(np.log10(children["b"]), -3.0 + 2.0 * way)  # on its own scale, as far as the other
    assert 60 < (children["w"] == "q").sum() < 140
    pd.testing.assert_frame_equal(own, pd.DataFrame({"a": 2.0, "w": "p", "b": 1e-3}, index=range(200)))


def test_a_space_without_numbers_is_shifted_by_crossing(rng):
    space = SPACES["library"]
    assert number_share(space) == 0.0
    own, better = space.sample(20, rng), space.sample(20, rng)
    children = shifted(space, own, better, (better, own), np.random.default_rng(5))
    pd.testing.assert_frame_equal(children, shifted(space, own, better, (better, own), np.random.default_rng(5)))
    space.encode(children)


@pytest.mark.parametrize("kind", ["numbers", "formula and process"])
def test_all_rows_are_varied_together(kind, rng, python_calls):
    """Nothing is done row by row: ten times the rows take hardly more calls."""
    space = SPACES[kind]

    def varied(count):
        parents = space.sample(count, rng)
        others = parents[::-1].reset_index(drop=True)
        mutated(space, parents, rng)  # what is computed at first use
        return python_calls(lambda: mutated(space, crossed(space, parents, others, rng), rng))

    assert varied(2000) <= 1.1 * varied(200)
