from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.space import Mixture, SearchSpace
from invdesign.surrogates.features.featurizer import Block, Featurizer
from invdesign.surrogates.features.mixture_text import mixture_amounts
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process.kernel_terms import kernel_terms
from invdesign.surrogates.gaussian_process.parts import Part
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

ALCOHOLS = tuple("C" * carbons + end for carbons in range(1, 13) for end in ("O", "N", "F", "C(=O)O", "C#N"))


def blocks(*described: tuple[str, str, int]) -> list[Block]:
    """Blocks of features: column, kind and how many."""
    made: list[Block] = []
    for column, kind, count in described:
        start = made[-1].places.stop if made else 0
        made.append(Block(column, kind, tuple(f"{column}{number}" for number in range(count)), start))
    return made


def first_part(*described: tuple[str, str, int], ard: bool | None = None) -> Part:
    return kernel_terms(blocks(*described), combine="joint", ard=ard)[0][0]


@pytest.mark.parametrize(
    ("described", "groups"),
    [
        ([("t", "number", 1)], (0,)),
        ([("t", "number", 1), ("p", "number", 1)], (0, 1)),
        ([("salt", "category", 3), ("t", "number", 1)], (0, 1, 2, 3)),
        ([("salt", "category", 33), ("t", "number", 1)], (*[0] * 33, 1)),
        ([("m", "molecule", 5)], ()),
        ([("m", "molecule", 3), ("m", "orbitals", 2)], ()),
        ([("m", "molecule", 3), ("t", "number", 1), ("salt", "category", 2)], (0, 0, 0, 1, 2, 3)),
        ([("one", "molecule", 2), ("other", "molecule", 2)], (0, 0, 1, 1)),
        ([("f", "formula", 3), ("t", "number", 1)], (0, 1, 2, 3)),
        ([("f", "formula", 21), ("t", "number", 1)], (*[0] * 21, 1)),
        (
            [("e", "amount", 20), ("e", "total", 2), ("e", "mixture", 3), ("e", "set", 2), ("t", "number", 1)],
            (*[0] * 20, 1, 2, 3, 3, 3, 4, 4, 5),
        ),
        ([("t", "number", 21)], ()),
        ([("m", "molecule", 2), ("t", "number", 21)], (0, 0, *[1] * 21)),
    ],
)
def test_which_features_share_a_lengthscale(described, groups):
    assert first_part(*described).groups == groups


def test_the_user_may_ask_for_one_lengthscale_or_for_each_its_own():
    mixed = [("m", "molecule", 3), ("t", "number", 1)]
    assert first_part(*mixed, ard=False).groups == ()
    own = first_part(*mixed, ard=True)
    assert own.groups == (0, 1, 2, 3)
    assert own.pooled


def test_few_numbers_and_categories_have_the_mean_of_two_kernels_unless_one_is_asked_for():
    few = blocks(("t", "number", 1), ("salt", "category", 3))
    each, one = (
        Part("stationary", (0, 1, 2, 3), (0, 1, 2, 3), dimension=4),
        Part("stationary", (0, 1, 2, 3), dimension=2),
    )
    assert kernel_terms(few, combine="joint", ard=None, averaged=True) == [[each], [one]]
    assert kernel_terms(few, combine="joint", ard=None) == [[each]]
    assert kernel_terms(few, combine="joint", ard=True, averaged=True) == [[each]]
    assert kernel_terms(few, combine="joint", ard=False, averaged=True) == [[one]]


@pytest.mark.parametrize(
    "described",
    [
        [("t", "number", 1)],
        [("t", "number", 21)],
        [("m", "molecule", 3), ("t", "number", 1)],
    ],
)
def test_one_number_many_numbers_and_molecules_have_one_kernel(described):
    assert len(kernel_terms(blocks(*described), combine="joint", ard=None, averaged=True)) == 1


def test_an_orbital_counts_as_much_as_all_descriptors_of_its_molecule_twice():
    first, trend = kernel_terms(blocks(("m", "molecule", 8), ("m", "orbitals", 2)), combine="joint", ard=None)
    assert first[0].weights == (*[1.0] * 8, 4.0, 4.0)
    assert trend == [Part("linear", (8, 9))]


def test_the_fingerprint_of_each_molecule_has_a_part_and_a_scale_of_its_own():
    two = blocks(("ligand", "fingerprint", 3), ("t", "number", 1), ("base", "fingerprint", 2))
    ligand, base = Part("tanimoto", (0, 1, 2)), Part("tanimoto", (4, 5))
    number = first_part(*[("before", "fingerprint", 3), ("t", "number", 1)])
    assert kernel_terms(two, combine="joint", ard=None) == [[number], [ligand], [base], [ligand, base]]
    assert kernel_terms(two, combine="sum", ard=None) == [[number], [ligand], [base]]
    assert kernel_terms(two, combine="product", ard=None) == [[number, ligand, base]]
    assert kernel_terms(two[:1], combine="joint", ard=None) == [[ligand]]


def test_a_large_molecule_does_not_drown_a_small_one(rng):
    """The values depend on the base alone, beside a ligand of ten times as many atoms."""
    arms, ends = ("C1CCCCC1", "c1ccccc1", "C(C)(C)C", "CC"), ("C", "CCO", "CO", "N(C)C", "F", "OC")
    ligands = tuple(f"{end}c1cc(C(C)C)c(-c2ccccc2P({arm}){arm})c(C(C)C)c1" for arm in arms for end in ends)
    bases = ("N", "CN", "CCN", "CCCN", "CO", "CCO", "CCCO", "CC", "CF", "CCF")
    frame = pd.DataFrame({"ligand": rng.choice(ligands, 120), "base": rng.choice(bases, 120)})
    values = pd.DataFrame({"y": 2.0 * frame["base"].str.contains("N") + 0.5 * frame["base"].str.len()})
    columns = [Column("ligand", "molecule", values=ligands), Column("base", "molecule", values=bases)]
    model = GaussianProcess(features=Features(molecules="fingerprints"))
    model.fit(frame[:40], values[:40], columns=columns)
    error = (model.predict(frame[40:]) - values[40:])["y"]
    assert math.sqrt((error**2).mean()) < 0.05 * values["y"].std()


def test_a_number_beside_a_molecule_is_not_lost_among_its_descriptors(rng):
    frame = pd.DataFrame({"molecule": rng.permutation(ALCOHOLS), "molarity": rng.random(len(ALCOHOLS))})
    carbons = frame["molecule"].str.count("C")
    values = pd.DataFrame({"y": 0.1 * carbons + np.sin(6.0 * frame["molarity"])})
    columns = [Column("molecule", "molecule", values=ALCOHOLS), Column("molarity", "number", bounds=(0.0, 1.0))]
    model = GaussianProcess().fit(frame[:40], values[:40], columns=columns)
    error = (model.predict(frame[40:]) - values[40:])["y"]
    assert math.sqrt((error**2).mean()) < 0.3 * values["y"].std()
    assert Featurizer(model.features).fit(frame, columns).names[-1] == "molarity"


def test_a_reciprocal_temperature_has_a_slope_that_depends_on_all_else():
    terms = kernel_terms(
        blocks(("e", "amount", 2), ("T", "temperature", 1), ("c", "number", 1)),
        combine="joint",
        ard=None,
        averaged=True,
    )
    (whole,), (line, slope) = terms
    assert (whole.kind, whole.places) == ("stationary", (0, 1, 2, 3))
    assert (line.kind, line.places) == ("linear", (2,))
    assert (slope.kind, slope.places) == ("stationary", (0, 1, 3))


def test_a_temperature_alone_has_a_line():
    terms = kernel_terms(blocks(("T", "temperature", 1)), combine="joint", ard=None)
    assert [[part.kind for part in term] for term in terms] == [["stationary"], ["linear"]]


def test_the_components_of_a_mixture_add_up_where_they_share_a_lengthscale():
    electrolyte = [("e", "amount", 20), ("e", "total", 2), ("e", "mixture", 3), ("e", "set", 2), ("e", "set", 2)]
    terms = kernel_terms(blocks(*electrolyte), combine="joint", ard=None)
    assert [(part.kind, part.places) for term in terms[1:] for part in term] == [
        ("linear", tuple(range(20))),
        ("linear", (25, 26, 27, 28)),
    ]
    slurry = blocks(("s", "amount", 3), ("s", "total", 2))
    assert len(kernel_terms(slurry, combine="joint", ard=None)) == 1, "each amount has a length scale of its own"


def test_what_a_component_adds_is_learned_from_few_of_many():
    names = [f"S{number}" for number in range(30)]
    solvents = {"components": names, "pick": 2, "amount": [0.05, 0.95], "step": 0.05}
    space = SearchSpace(liquid=Mixture(roles={"solvent": solvents}))
    errors, spreads = [], []
    for seed in range(6):
        rng = np.random.default_rng(seed)
        added = rng.standard_normal(30)
        frame = space.sample(525, rng)
        amounts = mixture_amounts(frame["liquid"].tolist(), dict.fromkeys(names, ""))
        y = pd.DataFrame({"f": amounts @ added})
        model = GaussianProcess(calibrate=False).fit(frame[:25], y[:25], columns=space.columns)
        mean, std = model.predict(frame[25:], return_std=True)
        errors.append((mean["f"] - y["f"][25:]).abs().mean())
        spreads.append(np.sqrt((((mean["f"] - y["f"][25:]) / std["f"]) ** 2).mean()))
    assert np.mean(errors) < 0.27  # 0.33 by distances alone; the spread of the values is 0.76
    assert np.mean(spreads) < 1.1
