from __future__ import annotations

import itertools
import math
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from pymatgen.core import Composition as Pymatgen
from scipy.stats import chisquare, kstest

from invdesign.campaign_file.schema import campaign_schema
from invdesign.core.errors import InputError
from invdesign.core.settings import from_mapping
from invdesign.space import Continuous, SearchSpace
from invdesign.space.composition.charge import charge_range, oxidation_states
from invdesign.space.composition.composition import Composition
from invdesign.space.parameters import Parameter

MXENE = {
    "M": {"elements": ["Sc", "Ti", "V", "Cr", "Zr", "Nb", "Mo", "Hf", "Ta"], "amount": 2, "pick": 1},
    "X": {"elements": ["C", "N"], "amount": 1, "pick": 1},
    "T": {"species": ["F", "H", "O", "OH", "none"], "amount": 2, "pick": 1},
    "Z": {"elements": ["Li", "Na", "K", "Mg"], "amount": 2, "pick": 1},
}
NMC = {
    "A": {"elements": ["Li"], "amount": 1},
    "M": {
        "elements": ["Ni", "Mn", "Co", "Al", "Mg"],
        "amount": 1,
        "range": {"Ni": [0.3, 0.9]},
        "max_elements": 4,
        "step": 0.01,
    },
    "O": {"elements": ["O"], "amount": 2},
}
EIGHT = ["Ni", "Mn", "Co", "Al", "Mg", "Ti", "Fe", "Cr"]
GARNET = {
    "A": {"species": ["Li", "none"], "amount": 7},
    "B": {"elements": ["Al", "Mg"], "amount": 1},
    "C": {"elements": ["La"], "amount": 3},
    "O": {"species": ["O", "F"], "amount": 12},
}


def one_site(**site):
    return Composition(sites={"M": site})


def listed(composition):
    return composition.at(np.arange(int(composition.size))).tolist()


def check_round_trip(composition, seed, n=25):
    """What every composition must do, whatever its rules."""
    formulas = composition.decode(composition.draw(n, np.random.default_rng(seed)))
    points = composition.encode(formulas)
    assert points.shape == (n, composition.dimension)
    assert ((points >= 0) & (points <= 1)).all()
    assert composition.decode(points).tolist() == formulas.tolist()
    again = composition.decode(composition.draw(n, np.random.default_rng(seed)))
    assert again.tolist() == formulas.tolist()
    corners = np.random.default_rng(seed).choice([-0.1, 0.0, 0.3, 1.0, 1.1], (n, composition.dimension))
    inside = np.random.default_rng(seed).random((n, composition.dimension))
    repaired = composition.decode(np.concatenate([corners, inside]))
    assert composition.decode(composition.encode(repaired)).tolist() == repaired.tolist()
    one_by_one = [composition.decode(point[None, :])[0] for point in inside[:3]]
    assert repaired[n : n + 3].tolist() == one_by_one
    for formula in formulas[:5]:
        parsed = Pymatgen(formula)
        first = next(symbol for symbol in composition.elements if parsed[symbol] > 0)
        whole = composition.derived(first, np.array([formula]))[0] / parsed[first]
        for symbol in composition.elements:
            found = composition.derived(symbol, np.array([formula]))[0]
            assert found == pytest.approx(parsed[symbol] * whole, abs=1e-9)
    return formulas, repaired


def test_the_mxene_space_holds_exactly_360():
    mxene = Composition(sites=MXENE)
    formulas = listed(mxene)
    assert mxene.size == 360
    assert len(set(formulas)) == 360
    assert "Ti2C(OH)2Li2" in formulas
    assert "Ti2CLi2" in formulas
    assert mxene.size_is_exact
    assert isinstance(mxene, Parameter)
    check_round_trip(mxene, 0)


def test_the_nmc_space_is_counted_and_balanced():
    nmc = Composition(sites=NMC, charge_balanced=True)
    formulas, _ = check_round_trip(nmc, 1)
    assert all(formula.startswith("LiNi") and formula.endswith("O2") for formula in formulas)
    assert nmc.encode(["LiNi0.8Mn0.1Co0.1O2"]).shape == (1, 5)
    free = Composition(sites=NMC)
    # Nickel in hundredths from 30 to 90, the rest among four of which one at least is absent.
    rests = range(10, 71)
    expected = sum(math.comb(rest + 3, 3) - math.comb(rest - 1, 3) for rest in rests)
    assert free.size == expected
    assert nmc.size < free.size
    assert nmc.size_is_exact


def test_amounts_carry_no_float_noise():
    space = one_site(elements=["Ni", "Mn", "Co"], amount=1, step=0.1)
    assert "Ni0.3Mn0.1Co0.6" in listed(space)
    assert max(map(len, listed(space))) == len("Ni0.3Mn0.1Co0.6")
    fine = one_site(elements=["Ni", "Mn"], amount=1)
    assert fine.decode(np.array([[0.1 + 0.2, 0.7]])).tolist() == ["Ni0.3Mn0.7"]


def test_formulas_are_reduced_and_read_on_any_scale():
    space = Composition(
        sites={"M": {"elements": ["Fe", "Co"], "amount": 2, "step": 1}, "O": {"elements": ["O"], "amount": 4}}
    )
    assert listed(space) == ["CoO2", "FeO2", "FeCoO4"]
    given_ = np.array(["Co2O4", "O4CoFe", "Fe8O16"], dtype=object)
    assert space.decode(space.encode(given_)).tolist() == ["CoO2", "FeCoO4", "FeO2"]
    assert space.derived("Co", np.array(["CoO2"])).tolist() == [2.0]
    nmc = Composition(sites=NMC)
    assert nmc.decode(nmc.encode(["Li10Ni8Mn1Co1O20", "Li(Ni0.5Mn0.5)O2"])).tolist() == [
        "LiNi0.8Mn0.1Co0.1O2",
        "LiNi0.5Mn0.5O2",
    ]


def test_equal_compositions_are_equal_strings_though_an_element_sits_on_two_sites():
    space = Composition(
        sites={
            "A": {"elements": ["Li", "Na"], "amount": 1, "step": 0.25},
            "M": {"elements": ["Li", "Mn"], "amount": 1, "step": 0.25},
            "O": {"elements": ["O"], "amount": 2},
        }
    )
    formulas = listed(space)
    assert len(set(formulas)) == len(formulas) == space.size
    totals = {(a + b, 4 - a, 4 - b) for a in range(5) for b in range(5)}
    assert space.size == len(totals)
    assert space.decode(space.encode(formulas)).tolist() == formulas
    drawn = Counter(space.decode(space.draw(8000, np.random.default_rng(0))).tolist())
    assert chisquare([drawn[formula] for formula in formulas]).pvalue > 1e-3


def test_continuous_eight_element_space():
    space = one_site(elements=EIGHT, amount=1, max_elements=4)
    assert math.isinf(space.size)
    formulas = space.decode(space.draw(4000, np.random.default_rng(0)))
    amounts = np.stack([space.derived(symbol, formulas) for symbol in EIGHT], axis=1)
    np.testing.assert_allclose(amounts.sum(axis=1), 1.0, atol=1e-9)
    assert ((amounts > 0).sum(axis=1) == 4).all()
    present = amounts[amounts[:, 0] > 0, 0]
    assert kstest(present, lambda a: 1 - (1 - a) ** 3).pvalue > 1e-3
    check_round_trip(space, 3)
    with pytest.raises(InputError, match="cannot be enumerated"):
        space.at(np.arange(2))


def test_a_vacancy_is_left_out():
    space = Composition(
        sites={
            "A": {"species": ["Li", "none"], "amount": 1, "range": {"Li": [0.5, 1]}, "step": 0.25},
            "M": {"elements": ["Co"], "amount": 1},
            "O": {"elements": ["O"], "amount": 2},
        }
    )
    assert listed(space) == ["LiCoO2", "Li0.5CoO2", "Li0.75CoO2"]
    assert space.column("c").values == ("Li", "Co", "O")
    assert space.column("c").kind == "formula"


def test_discrete_samples_under_rules_are_uniform():
    space = Composition(
        sites=MXENE,
        exclude=[("Sc", "F"), ("Ti", "OH")],
        limits={"mean_electronegativity": (1.5, 2.2)},
    )
    formulas = listed(space)
    counts = Counter(space.decode(space.draw(20_000, np.random.default_rng(0))).tolist())
    assert set(counts) == set(formulas)
    assert chisquare([counts[formula] for formula in formulas]).pvalue > 1e-3


def test_rules_agree_with_brute_force():
    plain = Composition(sites=MXENE)
    kept = []
    for formula in listed(plain):
        parsed = Pymatgen(formula)
        if (
            not ("Sc" in parsed and "F" in parsed)
            and 1.6 - 1e-9 <= parsed.average_electroneg <= 2.0 + 1e-9
            and parsed["O"] <= 1
        ):
            kept.append(formula)
    space = Composition(sites=MXENE, exclude=[("Sc", "F")], limits={"mean_electronegativity": (1.6, 2.0), "O": (0, 1)})
    assert listed(space) == kept
    check_round_trip(space, 5)
    points = np.random.default_rng(0).random((50, space.dimension))
    everything = space.encode(kept)
    wished = plain.encode(plain.decode(points))
    best = ((wished[:, None, :] - everything) ** 2).sum(axis=2).min(axis=1)
    found = ((wished - space.encode(space.decode(points))) ** 2).sum(axis=1)
    np.testing.assert_allclose(found, best)


def test_rare_compositions_are_found_by_programs_and_chains():
    """One in some hundred thousand fillings, of far too many to list."""
    space = Composition(
        sites={
            "M": {"elements": EIGHT, "amount": 1, "step": 0.01},
            "N": {"elements": ["Zr", "Nb", "Hf", "Ta"], "amount": 1, "step": 0.01},
            "O": {"elements": ["O"], "amount": 4},
        },
        limits={"share_Ni": (0.7, 1), "share_Zr": (0.9, 1), "Co": (0.1, 0.2)},
    )
    assert not space.size_is_exact
    assert space.size > 1
    formulas, _ = check_round_trip(space, 7, n=10)
    assert len(set(formulas)) == 10
    assert (space.derived("share_Ni", formulas) >= 0.7 - 1e-9).all()
    assert (space.derived("Co", formulas) >= 0.1 - 1e-9).all()
    with pytest.raises(InputError, match="cannot be enumerated"):
        space.at(np.arange(3))


def test_chains_are_uniform_on_a_rare_region():
    """Against the exact marginal: nickel at least 0.9 leaves a simplex of a tenth."""
    space = Composition(
        sites={"M": {"elements": EIGHT, "amount": 1}, "O": {"elements": ["O"], "amount": 1}},
        limits={"share_Ni": (0.9, 1.0)},
    )
    formulas = space.decode(space.draw(600, np.random.default_rng(0)))
    rest = (1 - space.derived("Ni", formulas)) * 10
    assert kstest(rest, lambda a: np.clip(a, 0, 1) ** 7).pvalue > 1e-3


def test_a_charge_that_leaves_no_room_is_kept():
    """With one state of lanthanum, every option has one: an equality of amounts."""
    garnet = Composition(sites=GARNET, charge_balanced=True, oxidation_states={"La": [3]})
    formulas, repaired = check_round_trip(garnet, 2, n=40)
    assert len(set(formulas)) == 40
    assert len(set(repaired)) > 60
    for formula in (*formulas, *repaired):
        parsed = Pymatgen(formula)
        charge = sum(
            parsed[symbol] * state
            for symbol, state in zip(("Li", "Al", "Mg", "La", "O", "F"), (1, 3, 2, 3, -2, -1), strict=True)
        )
        scale = 3 / parsed["La"]
        assert abs(charge * scale) <= 1.01e-4


def test_charge_agrees_with_smact_on_whole_formulas():
    from smact.screening import smact_validity

    space = Composition(
        sites={
            "A": {"elements": ["Li", "Na", "Mg"], "amount": 1, "pick": 1},
            "M": {"elements": ["Al", "Sc", "Zr"], "amount": 1, "pick": 1},
            "O": {"elements": ["O", "F"], "amount": 2, "pick": 1},
        },
        charge_balanced=True,
    )
    for a, m, x in itertools.product(("Li", "Na", "Mg"), ("Al", "Sc", "Zr"), ("O", "F")):
        formula = f"{a}{m}{x}2"
        try:
            space.encode([formula])
            balanced = True
        except InputError as error:
            assert "violates charge balance" in str(error)  # noqa: PT017 - both ways are right
            balanced = False
        # SMACT knows more states (Zr +1) and wants one each; here every pair of states is one that both list.
        states = itertools.product(oxidation_states(a), oxidation_states(m), oxidation_states(x))
        assert balanced == any(sum(found) + found[2] == 0 for found in states) or balanced
        if balanced:
            assert smact_validity(formula)


def test_oxidation_states_are_those_that_both_sources_list():
    assert oxidation_states("Li") == (1,)
    assert oxidation_states("O") == (-2,)
    assert oxidation_states("Ni") == (1, 2, 3, 4)
    assert oxidation_states("He") == ()
    assert charge_range("OH", {"O": 1.0, "H": 1.0}, {}) == (-1.0, -1.0)
    assert charge_range("", {}, {}) == (0.0, 0.0)
    assert charge_range("NiO2", {"Ni": 1.0, "O": 2.0}, {"Ni": [4]}) == (0.0, 0.0)


def test_given_oxidation_states_take_the_place_of_the_known():
    strict = Composition(
        sites=NMC,
        charge_balanced=True,
        oxidation_states={"Ni": [2], "Mn": [4], "Co": [3]},
    )
    for formula in strict.decode(strict.draw(40, np.random.default_rng(0))):
        parsed = Pymatgen(formula)
        charge = 1 + 2 * parsed["Ni"] + 4 * parsed["Mn"] + 3 * parsed["Co"] + 3 * parsed["Al"] + 2 * parsed["Mg"]
        assert charge == pytest.approx(4)


def test_neighbors_are_near_and_feasible():
    space = Composition(sites=NMC, charge_balanced=True, limits={"share_Co": (0, 0.2)})
    start = "LiNi0.8Mn0.1Co0.1O2"
    found = space.neighbors(start, np.random.default_rng(0), 12)
    assert len(found) == len(set(found)) == 12
    assert start not in found
    assert (space.derived("share_Co", found) <= 0.2 + 1e-9).all()
    space.encode(found)
    mxene = Composition(sites=MXENE)
    around = mxene.neighbors("Ti2C(OH)2Li2", np.random.default_rng(0), 50)
    assert set(around) >= {"Zr2C(OH)2Li2", "Ti2N(OH)2Li2", "Ti2CLi2", "Ti2C(OH)2Mg2"}
    assert space.neighbors(start, np.random.default_rng(0), 12).tolist() == found.tolist()


def test_derived_quantities():
    nmc = Composition(sites=NMC)
    values = np.array(["LiNi0.8Mn0.1Co0.1O2", "LiNi0.5Mn0.5O2"], dtype=object)
    assert nmc.derived("Co", values).tolist() == [0.1, 0.0]
    np.testing.assert_allclose(nmc.derived("share_Ni", values), [0.8, 0.5])
    expected = [Pymatgen(value).average_electroneg for value in values]
    np.testing.assert_allclose(nmc.derived("mean_electronegativity", values), expected)
    assert nmc.derived("color", values) is None
    assert nmc.derived("share_Li", values) is None
    mxene = Composition(sites=MXENE)
    assert mxene.derived("H", np.array(["Ti2C(OH)2Li2", "Ti2CF2Li2"], dtype=object)).tolist() == [2.0, 0.0]


def test_works_within_a_search_space():
    space = SearchSpace(cathode=Composition(sites=NMC), temperature=Continuous(600, 900, unit="degC"))
    sample = space.decode(np.random.default_rng(0).random((5, space.dimension)))
    assert space.decode(space.encode(sample))["cathode"].tolist() == sample["cathode"].tolist()


METALS = ["Li", "Na", "Mg", "Al", "Ti", "Mn", "Fe", "Co", "Ni"]


@st.composite
def sites(draw, number):
    options = draw(st.lists(st.sampled_from([*METALS, "O", "F", "OH", "none"]), min_size=1, max_size=5, unique=True))
    amount = draw(st.sampled_from([1, 2, 0.5, 3]))
    site = {"species": options, "amount": amount}
    limit = draw(st.sampled_from(["nothing", "pick", "most"]))
    if limit == "pick":
        site["pick"] = draw(st.integers(1, len(options)))
    if limit == "most":
        site["max_elements"] = draw(st.integers(1, len(options)))
    if draw(st.booleans()):
        site["step"] = draw(st.sampled_from([0.1, 0.25, 0.5])) if amount != 0.5 else 0.1
        site["step"] = 0.05 if (amount / site["step"]) % 1 else site["step"]
    if draw(st.booleans()):
        low = draw(st.sampled_from([0, 0, 0.1, 0.25]))
        site["range"] = {options[0]: [low, low + draw(st.sampled_from([0.2, 0.5, 1]))]}
    return f"S{number}", site


@st.composite
def settings_of_compositions(draw):
    count = draw(st.integers(1, 3))
    found = dict(draw(sites(number)) for number in range(count))
    given_ = {"sites": {**found, "Z": {"elements": ["P"], "amount": 1}}}
    options = sorted({option for site in found.values() for option in site["species"]} - {"none"})
    if draw(st.booleans()) and len(options) > 1:
        given_["exclude"] = [tuple(draw(st.permutations(options))[:2])]
    if draw(st.booleans()):
        given_["limits"] = {"mean_electronegativity": (1.2, draw(st.sampled_from([2.2, 2.6, 3.2])))}
    if draw(st.integers(0, 3)) == 0:
        given_["charge_balanced"] = True
    return given_


@given(given_=settings_of_compositions(), seed=st.integers(0, 2**32))
@settings(max_examples=60, phases=[Phase.explicit, Phase.generate])
def test_random_spaces_sample_encode_decode_and_repair(given_, seed):
    try:
        space = Composition(**given_)
    except InputError:
        return
    formulas, repaired = check_round_trip(space, seed, n=8)
    for formula in (*formulas, *repaired):
        parsed = Pymatgen(formula)
        low, high = given_.get("limits", {}).get("mean_electronegativity", (0, 9))
        assert low - 1e-6 <= parsed.average_electroneg <= high + 1e-6
    if space.size_is_exact and space.size < 3000:
        everything = listed(space)
        assert len(set(everything)) == len(everything)
        assert set(formulas) <= set(everything)
    for neighbor in space.neighbors(formulas[0], np.random.default_rng(seed), 3):
        assert space.decode(space.encode([neighbor]))[0] == neighbor


LITHIUM, OXYGEN = {"elements": ["Li"], "amount": 1}, {"elements": ["O"], "amount": 2}


@pytest.mark.parametrize(
    ("given_", "message"),
    [
        ({"sites": {}}, "'sites' needs 1 entry or more"),
        ({"sites": {"M": {"elements": ["Ni", "Mm"], "amount": 1}}}, r"'Mm' is not an element\. Did you mean 'M"),
        ({"sites": {"M": {"elements": ["Nickel", "Mn"], "amount": 1}}}, "'Nickel' is not an element"),
        ({"sites": {"M": {"elements": ["OH", "O"], "amount": 1}}}, "'OH' is not an element. List it under species"),
        (
            {"sites": {"M": {"elements": ["O", "none"], "amount": 1}}},
            (
                r"a vacancy is not an "
                r"element.*species: \[O, none\]"
            ),
        ),
        ({"sites": {"M": {"species": ["O2", "F"], "amount": 1}}}, "'O2' is not a species"),
        ({"sites": {"M": {"elements": [], "amount": 1}}}, "Site M is empty"),
        ({"sites": {"M": {"elements": ["Ni", "Ni"], "amount": 1}}}, "lists Ni more than once"),
        ({"sites": {"M": {"elements": ["Ni"], "species": ["OH"], "amount": 1}}}, "List all of them as species"),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "maximum": 2}}}, "Unknown setting 'maximum'"),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "steps": 2}}}, "Did you mean 'step'"),
        ({"sites": {"M": {"elements": ["Ni", "Mn"]}}}, "The setting 'sites.M.amount' is missing"),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": -1}}}, "'sites.M.amount' must be above 0, not -1"),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": math.nan}}}, "'sites.M.amount' must be"),
        ({"sites": {"M": ["Ni", "Mn"]}}, "'sites.M' must be a mapping"),
        (
            {"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "range": {"Ni": [0.9, 0.3]}}}},
            "not in order: 0.9 to 0.3",
        ),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "range": {"Co": [0, 0.3]}}}}, "range refers to 'Co'"),
        (
            {"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "range": {"Ni": [1.5, 2]}}}},
            "at least 1.5 Ni exceeds the amount 1",
        ),
        (
            {"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "range": {"Ni": [0.6, 1], "Mn": [0.6, 1]}}}},
            "cannot sum to 1: the ranges require at least 1.2",
        ),
        (
            {"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "range": {"Ni": [0, 0.2], "Mn": [0, 0.3]}}}},
            "cannot sum to 1: the ranges allow at most 0.5",
        ),
        (
            {
                "sites": {
                    "M": {
                        "elements": ["Ni", "Mn", "Co"],
                        "amount": 1,
                        "max_elements": 1,
                        "range": {"Ni": [0.1, 1], "Mn": [0.1, 1]},
                    }
                }
            },
            "Ni, Mn are all required",
        ),
        (
            {
                "sites": {
                    "M": {
                        "elements": ["Ni", "Mn", "Co"],
                        "amount": 1,
                        "max_elements": 2,
                        "range": {"Ni": [0, 0.3], "Mn": [0, 0.4], "Co": [0, 0.5]},
                    }
                }
            },
            "no amounts within the ranges sum to 1 with max_elements 2",
        ),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "pick": 3}}}, "pick must be at most 2 .*, not 3"),
        (
            {"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "pick": 1, "max_elements": 2}}},
            "pick and max_elements",
        ),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1, "step": 0.3}}}, "step of 0.3 does not divide"),
        ({"sites": {"M": {"elements": ["Ni", "Mn"], "amount": 1 / 3}}}, "more than 6 decimals"),
        (
            {"sites": {"M": {"elements": EIGHT, "amount": 9, "step": 0.000001}}},
            "too fine to enumerate. Remove it",
        ),
        ({"sites": {"A": LITHIUM, "O": OXYGEN}}, "Nothing varies"),
        ({"sites": {"M": {"species": ["Ni", "none"], "amount": 1}}}, "Every site may be vacant"),
        ({"sites": NMC, "exclude": [("Ni", "Fe")]}, "exclude: 'Fe' is on no site"),
        ({"sites": NMC, "exclude": [("Ni", "Ni")]}, "is not a pair of two different"),
        ({"sites": NMC, "exclude": [("Ni", "O")]}, "No formula satisfies excluded pairs"),
        ({"sites": NMC, "limits": {"share_Cp": (0, 0.1)}}, "unknown quantity 'share_Cp'. Did you mean 'share_Co'"),
        ({"sites": NMC, "limits": {"share_Co": (0.2, 0.1)}}, "bounds of share_Co are not in order: 0.2 to 0.1"),
        ({"sites": NMC, "limits": {"share_Ni": (0.95, 1)}}, "No formula satisfies the limits of share_Ni"),
        (
            {"sites": NMC, "limits": {"share_Ni": (0.85, 1), "share_Mn": (0.2, 1), "Al": (0, 1)}},
            "No formula satisfies the limits of share_Ni and the limits of share_Mn. Relax",
        ),
        (
            {
                "sites": {"A": LITHIUM, "M": {"elements": ["Al", "Sc"], "amount": 3}, "O": OXYGEN},
                "charge_balanced": True,
                "oxidation_states": {"Sc": [3]},
            },
            r"cannot balance: it is \+6 per formula unit at best .*Add -6 of anions",
        ),
        (
            {"sites": {"A": {"elements": ["Li", "Na"], "amount": 1}, "O": OXYGEN}, "charge_balanced": True},
            r"cannot balance: it is -3 .*Add \+3 of cations",
        ),
        (
            {"sites": {"A": {"elements": ["Li", "He"], "amount": 1}, "O": OXYGEN}, "charge_balanced": True},
            "The oxidation state of He is unknown",
        ),
        ({"sites": NMC, "charge_balanced": True, "oxidation_states": {"Fe": [2]}}, "'Fe', which is on no site"),
        ({"sites": NMC, "charge_balanced": True, "oxidation_states": {"Ni": []}}, "oxidation_states of Ni is empty"),
        ({"sites": NMC, "oxidation_states": {"Ni": [2]}}, "oxidation_states need charge_balanced"),
    ],
)
def test_bad_compositions_are_refused(given_, message):
    with pytest.raises(InputError, match=message):
        Composition(**given_)


@pytest.mark.parametrize(
    ("formula", "message"),
    [
        ("LiFePO4", "'Fe', which is an element that cannot occur here"),
        ("LiNi0.8Mn0.15Co0.1O2", "site M needs an amount of 1 of Ni, Mn, Co, Al, Mg"),
        ("LiNi0.95Mn0.05O2", "Ni from 0.3 to 0.9"),
        ("LiNi0.4Mn0.2Co0.2Al0.1Mg0.1O2", "at most 4 of them"),
        ("LiNi0.805Mn0.195O2", "finer than 0.01"),
        ("Ni0.8Mn0.2O2", "contains none of Li"),
        ("LiNi0.3Mg0.7O2", "violates charge balance"),
        (3.0, "3.0 is not a formula"),
    ],
)
def test_formulas_from_elsewhere_are_refused(formula, message):
    with pytest.raises(InputError, match=message):
        Composition(sites=NMC, charge_balanced=True).encode([formula])


def test_a_formula_with_species_that_cannot_be_read_is_named():
    with pytest.raises(InputError, match=r"cannot be read at '\(OF\)'.*\(OH\)"):
        Composition(sites=MXENE).encode(["Ti2C(OF)2Li2"])


def test_a_file_can_describe_it_and_unknown_keys_are_refused():
    schema = campaign_schema()["$defs"]["Site"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == {"amount"}
    with pytest.raises(InputError, match=r"Unknown setting 'steps'\. Did you mean 'step'"):
        Composition(sites={"M": {"elements": ["Ni"], "amount": 1, "steps": 2}})
    assert from_mapping(Composition, {"sites": NMC}) == Composition(sites=NMC)


def test_importing_the_module_does_not_load_pymatgen():
    code = "import sys, invdesign.space.composition; sys.exit('pymatgen' in sys.modules or 'smact' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
