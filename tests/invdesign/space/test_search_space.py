from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import kstest

from invdesign.core.errors import InputError
from invdesign.space import (
    Categorical,
    Composition,
    Continuous,
    Integer,
    MoleculeGraph,
    MoleculeLibrary,
    MoleculePool,
    SearchSpace,
    describe_size,
)

PARAMETERS = {
    "thickness": Continuous(40, 120, unit="um"),
    "rate": Continuous(1e-3, 1e2, log=True),
    "layers": Integer(1, 7),
    "solvent": Categorical(["water", "acetonitrile", "DMSO"]),
    "additive": MoleculePool(("CCO", "CC", "c1ccccc1", "CN")),
}


@st.composite
def parameters(draw):
    low = draw(st.floats(-1e3, 1e3))
    high = low + draw(st.floats(1e-2, 1e3))
    start = draw(st.integers(-50, 50))
    return draw(
        st.sampled_from(
            [
                Continuous(low, high),
                Continuous(abs(low) + 1e-3, abs(low) + 1e-3 + (high - low), log=True),
                Integer(start, start + draw(st.integers(1, 40))),
                Categorical([f"w{number}" for number in range(draw(st.integers(2, 6)))]),
            ]
        )
    )


@st.composite
def spaces(draw):
    found = draw(st.lists(parameters(), min_size=1, max_size=5))
    return SearchSpace({f"x{number}": parameter for number, parameter in enumerate(found)})


@given(space=spaces(), seed=st.integers(0, 2**32))
@settings(max_examples=60)
def test_sample_encode_decode_round_trip(space, seed):
    sample = space.sample(7, np.random.default_rng(seed))
    points = space.encode(sample)
    assert points.shape == (7, space.dimension)
    assert (points >= 0).all()
    assert (points <= 1).all()
    back = space.decode(points)
    for name in space.names:
        if sample[name].dtype == float:
            np.testing.assert_allclose(back[name], sample[name], rtol=1e-9, atol=1e-9)
        else:
            assert back[name].tolist() == sample[name].tolist()
    pd.testing.assert_frame_equal(sample, space.sample(7, np.random.default_rng(seed)))


@given(
    space=spaces(),
    share=st.floats(0.05, 0.95),
    seed=st.integers(0, 2**32),
)
@settings(max_examples=40)
def test_whatever_is_returned_keeps_the_constraints(space, share, seed):
    name = next((n for n in space.names if space.parameters[n].column(n).kind == "number"), None)
    if name is None:
        return
    low, high = space.parameters[name].column(name).bounds
    bounded = SearchSpace(space.parameters, constraints=[f"{name} <= {low + share * (high - low)!r}"])
    rng = np.random.default_rng(seed)
    assert bounded.feasible(bounded.sample(20, rng)).all()
    points = rng.uniform(-0.2, 1.2, (20, bounded.dimension))
    repaired = bounded.repair(points)
    assert bounded.feasible(bounded.decode(repaired)).all()
    np.testing.assert_array_equal(bounded.repair(repaired), repaired)


def test_samples_of_a_box_are_uniform(rng):
    sample = SearchSpace(PARAMETERS).sample(4000, rng)
    assert kstest(sample["thickness"], "uniform", args=(40, 80)).pvalue > 1e-3
    assert kstest(np.log10(sample["rate"]), "uniform", args=(-3, 5)).pvalue > 1e-3
    assert sample["layers"].value_counts().between(450, 700).all()
    assert sample["solvent"].value_counts(normalize=True).between(0.29, 0.38).all()
    assert sample["additive"].nunique() == 4


def test_samples_of_a_simplex_are_uniform(rng):
    """The first coordinate of a uniform point of a triangle has density 2(1 - a)."""
    space = SearchSpace({n: Continuous(0, 1) for n in "abc"}, constraints=["a + b + c == 1"])
    sample = space.sample(3000, rng)
    np.testing.assert_allclose(sample.sum(axis=1), 1.0, atol=1e-9)
    for name in "abc":
        assert kstest(sample[name], lambda a: 1 - (1 - a) ** 2).statistic < 0.05


def test_samples_of_a_sliver_are_uniform(rng):
    """A region of a few millionths of the square, found and filled by the chains: a thin triangle at a corner."""
    space = SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), constraints=["a + b <= 0.003"])
    sample = space.sample(3000, rng)
    assert space.feasible(sample).all()
    assert kstest(sample["a"] / 0.003, lambda a: 1 - (1 - a) ** 2).statistic < 0.06


def test_both_parts_of_a_split_region_are_reached(rng):
    space = SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), constraints=["(a < 0.01 or a > 0.99) and b < 0.03"])
    sample = space.sample(600, rng)
    assert 0.25 < (sample["a"] < 0.5).mean() < 0.75


def test_constraints_across_kinds(rng):
    space = SearchSpace(PARAMETERS, constraints=["solvent != 'water' or thickness <= 90", "layers * thickness <= 300"])
    sample = space.sample(500, rng)
    assert (sample.loc[sample["solvent"] == "water", "thickness"] <= 90).all()
    assert (sample["layers"] * sample["thickness"] <= 300).all()


def test_grid_counts_exactly_what_meets_the_constraints():
    space = SearchSpace(k=Integer(1, 4), w=Categorical(["p", "q"]), constraints=["k <= 2 or w == 'p'"])
    grid = space.grid()
    assert len(grid) == 6
    assert space.feasible(grid).all()
    assert not grid.duplicated().any()
    assert describe_size(space) == "The space has exactly 6 candidates."
    assert SearchSpace(PARAMETERS).grid() is None


@pytest.mark.parametrize(
    ("constraints", "words"),
    [
        (["thickness >= 130"], r"'thickness >= 130': within the parameters' bounds it is violated by at least 10"),
        (["thickness >= 100", "layers * thickness <= 90"], "at once, though each alone"),
        (["thicknes <= 100"], "Did you mean 'thickness'"),
        (["thickness + layers"], "needs a comparison"),
        (["__import__('os').system('ls') <= 1"], "not allowed"),
        (["thickness.real <= 1"], "unknown quantity 'thickness.real' of 'thickness'"),
        (["thickness.real.imag <= 1"], "not allowed"),
        (["(lambda: 1)() <= 1"], "not allowed"),
        (["thickness <= [1][0]"], "not allowed"),
        (["thickness <="], "cannot be read"),
        (["solvent == 'watr'"], "Did you mean 'water'"),
        (["solvent <= 'water'"], "words cannot be ordered"),
        (["solvent + 1 <= 2"], "cannot be evaluated"),
        (["thickness ** 2 == 2500"], "cannot be sampled"),
        (["rate == 1"], "cannot be sampled"),
        (["sqrt(thickness, rate) <= 2"], "takes one argument"),
        ([""], "must be an expression"),
        (["x" * 3000], "characters"),
    ],
)
def test_bad_constraints_are_named(constraints, words):
    with pytest.raises(InputError, match=words):
        SearchSpace(PARAMETERS, constraints=constraints)


def test_no_division_by_zero_is_feasible():
    space = SearchSpace(k=Integer(0, 3), constraints=["1 / k <= 0.6"])
    assert space.grid()["k"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Continuous(2, 1), "below the upper"),
        (lambda: Continuous(0, 1, log=True), "positive lower bound"),
        (lambda: Continuous(0, float("inf")), "a finite number"),
        (lambda: Continuous(0, 1, unit="umm"), "not a known unit"),
        (lambda: Integer(0.5, 3), "a whole number"),
        (lambda: Categorical(["a"]), "2 entries or more"),
        (lambda: Categorical(["a", "a"]), "more than once"),
        (lambda: Categorical([1, 2]), "'values.0' must be text"),
        (lambda: SearchSpace({}), "at least one parameter"),
        (lambda: SearchSpace({"2x": Integer(1, 2)}), "cannot be a parameter's name"),
        (lambda: SearchSpace({"reason": Integer(1, 2)}), "cannot be a parameter's name"),
        (lambda: SearchSpace({"x": 3}), "must be a parameter, not 3"),
    ],
)
def test_bad_parameters_are_refused(make, words):
    with pytest.raises(InputError, match=words):
        make()


def test_candidates_of_another_space_are_refused(rng):
    space = SearchSpace(PARAMETERS)
    sample = space.sample(2, rng)
    with pytest.raises(InputError, match="have no column 'solvent'"):
        space.encode(sample.drop(columns="solvent"))
    with pytest.raises(InputError, match="Column 'layers': 9 lies outside"):
        space.encode(sample.assign(layers=9))
    with pytest.raises(InputError, match=r"Column 'layers': 1\.5 is not a whole"):
        space.encode(sample.assign(layers=1.5))
    with pytest.raises(InputError, match=r"Column 'solvent': 'Water'.*Did you mean 'water'"):
        space.encode(sample.assign(solvent="Water"))
    with pytest.raises(InputError, match="Column 'thickness': Values must be numbers"):
        space.encode(sample.assign(thickness="thick"))
    with pytest.raises(InputError, match="not in the pool"):
        space.encode(sample.assign(additive="CCCC"))


def test_candidates_are_written_in_the_form_of_the_space():
    space = SearchSpace(
        m=MoleculePool.from_smiles(["OCC", "CC"]),
        c=Composition(
            {"M": {"elements": ["Ni", "Mn"], "amount": 1, "step": 0.1}, "O": {"elements": ["O"], "amount": 2}}
        ),
        k=Integer(1, 4),
        w=Categorical(["1", "2"]),
        x=Continuous(0, 1),
    )
    given = {
        "m": ["C(O)C", "?"],
        "c": ["O4Mn1Ni1", "O2"],
        "k": [2.0, 2.5],
        "w": [1, 3.0],
        "x": ["0.5", "half"],
        "n": [1, 2],
    }
    written = space.canonical(pd.DataFrame(given))
    assert written.iloc[0].tolist() == ["CCO", "Ni0.5Mn0.5O2", 2, "1", 0.5, 1]
    assert written.iloc[1].tolist() == ["?", "O2", 2.5, 3.0, "half", 2]
    drawn = space.sample(20, np.random.default_rng(0))
    pd.testing.assert_frame_equal(space.canonical(drawn), drawn)


def test_other_molecules_are_canonical_too():
    library = MoleculeLibrary("COC([*:1])C", {"R1": ["[H]", "*C"]})
    graph = MoleculeGraph(seeds=("CCO",), max_atoms=6)
    written = SearchSpace(a=library, b=graph).canonical(pd.DataFrame({"a": ["C(C)OC"], "b": ["C(O)[C@H](F)Cl"]}))
    assert written.iloc[0].tolist() == ["CCOC", "OCC(F)Cl"]
    assert SearchSpace(a=library).remarks == []
