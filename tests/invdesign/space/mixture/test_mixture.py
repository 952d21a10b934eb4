from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from invdesign.core.errors import InputError
from invdesign.core.tables import read_table, write_table
from invdesign.space import Continuous, Mixture, SearchSpace, describe_size
from invdesign.space.tolerances import broken_constraints

SOLVENTS = {"EC": "C1COC(=O)O1", "DMC": "COC(=O)OC", "EMC": "CCOC(=O)OC", "PC": "CC1COC(=O)O1"}
SALTS = {"LiPF6": "F[P-](F)(F)(F)(F)F.[Li+]", "LiCl": "LiCl"}


def electrolyte(**changes):
    solvent = {"components": SOLVENTS, "pick": [1, 3], "amount": [0.05, 1.0], "step": 0.2}
    salt = {"components": SALTS, "pick": 1, "amount": [0.5, 1.0], "step": 0.5, "unit": "mol/kg"}
    additive = {"components": ["VC", "FEC"], "pick": [0, 1], "amount": [0.0, 0.1], "step": 0.1}
    return Mixture(**{"roles": {"solvent": solvent, "salt": salt, "additive": additive}, **changes})


def brute_force(pairs=()):
    """All mixtures of ``electrolyte`` by trying every combination of steps."""
    found = 0
    for solvent in itertools.product(range(6), repeat=4):
        if sum(solvent) != 5 or not 1 <= np.count_nonzero(solvent) <= 3:
            continue
        for salt, additive in itertools.product(
            itertools.product(range(3), repeat=2), itertools.product(range(2), repeat=2)
        ):
            names = [*SOLVENTS, *SALTS, "VC", "FEC"]
            present = dict(zip(names, (*solvent, *salt, *additive), strict=True))
            if np.count_nonzero(salt) != 1 or sum(additive) > 1:
                continue
            found += all(rule(present) for rule in pairs)
    return found


PAIRS = {
    "none": ({}, ()),
    "excluded": (
        {"exclude": [("EC", "PC"), ("EC", "LiCl")]},
        (lambda found: not (found["EC"] and (found["PC"] or found["LiCl"])),),
    ),
    "required": ({"require": [("VC", "EMC")]}, (lambda found: not found["VC"] or found["EMC"],)),
}


@pytest.mark.parametrize("kind", PAIRS)
def test_every_mixture_is_counted_once_and_drawn_equally_often(kind):
    changes, rules = PAIRS[kind]
    mixture = electrolyte(**changes)
    count = brute_force(rules)
    assert mixture.size == count
    assert describe_size(SearchSpace(e=mixture)) == f"The space has exactly {count:,} candidates."
    everything = mixture.at(np.arange(count))
    assert len(set(everything)) == count
    drawn = mixture.decode(mixture.draw(40 * count, np.random.default_rng(0)))
    counts = pd.Series(drawn).value_counts()
    assert set(counts.index) == set(everything)
    assert ((counts - 40) ** 2 / 40).sum() < count + 5 * np.sqrt(2 * count)


def test_a_total_over_two_roles_is_counted_and_met():
    roles = {
        "active": {"components": ["NMC"], "pick": 1, "amount": [0.5, 1], "step": 0.05},
        "carbon": {"components": ["C65", "CNT"], "pick": [0, 2], "amount": [0.05, 0.3], "step": 0.05},
        "binder": {"components": ["PVDF"], "pick": 1, "amount": [0.05, 0.2], "step": 0.05},
    }
    slurry = Mixture(roles=roles, total={"of": ["active", "carbon", "binder"], "equals": 1})
    expected = sum(
        a + b + c + d == 20
        for a, b, c, d in itertools.product(range(10, 21), (0, *range(1, 7)), (0, *range(1, 7)), range(1, 5))
    )
    assert slurry.size == expected
    texts = slurry.decode(np.random.default_rng(0).random((200, slurry.dimension)))
    sums = [sum(float(part.split()[-1]) for part in text.replace(" | ", " + ").split(" + ")) for text in texts]
    np.testing.assert_allclose(sums, 1.0, atol=1e-9)


def test_equal_mixtures_are_equal_texts_in_any_order():
    mixture = electrolyte()
    text = "EC 0.4 + DMC 0.6 | LiPF6 1 mol/kg | VC 0.1"
    others = ["LiPF6 1.0 mol/kg | VC 0.10 | DMC 0.60 + EC 0.4", "VC 0.1 + LiPF6 1 + EC 4e-1 + DMC 0.6", text]
    assert mixture.canonical(others).tolist() == [text] * 3
    assert mixture.decode(mixture.encode(others)).tolist() == [text] * 3


@pytest.mark.parametrize("ending", [".csv", ".xlsx"])
def test_texts_survive_files(tmp_path, ending):
    mixture = electrolyte()
    sample = SearchSpace(e=mixture).sample(10_000, np.random.default_rng(0))
    path = tmp_path / f"batch{ending}"
    write_table(sample, path)
    back = mixture.canonical(read_table(path).frame["e"].to_numpy())
    assert back.tolist() == sample["e"].tolist()
    assert (mixture.encode(back) == mixture.encode(sample["e"])).all()


@given(seed=st.integers(0, 2**32), kind=st.sampled_from(sorted(PAIRS)))
@settings(max_examples=30, deadline=None)
def test_every_point_child_and_neighbor_is_a_mixture_of_the_space(seed, kind):
    mixture = electrolyte(**PAIRS[kind][0])
    everything = set(mixture.at(np.arange(int(mixture.size))))
    rng = np.random.default_rng(seed)
    decoded = mixture.decode(rng.random((20, mixture.dimension)))
    assert set(decoded) <= everything
    assert set(mixture.mutated(decoded, rng)) <= everything
    assert set(mixture.crossed(decoded, decoded[::-1], rng)) <= everything
    near = mixture.neighbors(decoded[0], rng, 5)
    assert set(near) <= everything - {decoded[0]}
    assert len(near)
    assert mixture.decode(mixture.encode(decoded)).tolist() == decoded.tolist()


def test_amounts_without_a_step_are_drawn_over_the_whole_range():
    mixture = Mixture(roles={"m": {"components": ["a", "b", "c"], "pick": 3, "amount": [0.1, 1]}})
    assert np.isinf(mixture.size)
    shares = SearchSpace(m=mixture).sample(2000, np.random.default_rng(0))
    amounts = np.array([mixture.derived(f"amount('{name}')", shares["m"].to_numpy()) for name in "abc"])
    np.testing.assert_allclose(amounts.sum(axis=0), 1.0, atol=1e-9)
    np.testing.assert_allclose(amounts.mean(axis=1), 1 / 3, atol=0.02)
    assert amounts.min() >= 0.1


def test_what_was_made_is_accepted_within_half_a_step_and_counts_as_what_was_proposed():
    mixture = electrolyte()
    made = ["EC 0.403 + DMC 0.596 | LiPF6 1.02 mol/kg"]
    assert mixture.as_proposed(made).tolist() == ["EC 0.4 + DMC 0.6 | LiPF6 1 mol/kg"]
    assert mixture.canonical(made).tolist() == made
    with pytest.raises(InputError, match="is not in this space: the amounts of solvent sum to 1"):
        mixture.encode(["EC 0.4 + DMC 0.2 | LiPF6 1 mol/kg"])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("EC 0.4 + DMC 0.6", "the number of components of salt is 1"),
        ("EC 0.4 + DCM 0.6 | LiPF6 1", "unknown component 'DCM'. Did you mean 'DMC'?"),
        ("EC 1 | LiPF6", "the amount of LiPF6 is missing"),
        ("EC 1 | LiPF6 1 mol/l", "the amount of LiPF6 has 'mol/kg', not 'mol/l'"),
        ("EC 0.4 + EC 0.6 | LiPF6 1", "contains 'EC' twice"),
        ("EC x | LiPF6 1", "'x' is not an amount of EC"),
        ("EC 1 | LiPF6 4", "amounts of salt are 0.5 to 1 mol/kg"),
        (3.0, "is not a mixture"),
    ],
)
def test_an_invalid_text_says_what_is_wrong(text, words):
    with pytest.raises(InputError) as error:
        electrolyte().encode([text])
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"roles": {"s": {}}}, "has no components"),
        ({"roles": {"s": {"components": ["a"], "pick": 2}}}, "pick must be at most 1"),
        ({"roles": {"s": {"components": ["a"], "pick": [0, 1]}}}, "Set a pick of at least 1"),
        ({"roles": {"s": {"components": ["a + b"]}}}, "cannot be a component's name"),
        ({"roles": {"s": {"components": ["a"]}, "t": {"components": ["a"]}}}, "is in two roles"),
        ({"roles": {"s": {"components": {"a": "C1CC("}}}}, "neither a SMILES nor a formula"),
        ({"roles": {"s": {"components": ["a", "b"], "amount": [0.1, 0.3], "step": 0.1}}}, "cannot sum to 1"),
        ({"roles": {"s": {"components": ["a", "b"], "step": 0.3}}}, "does not divide the total 1"),
        ({"total": {"of": ["salts"]}}, "unknown role 'salts'"),
        ({"exclude": [("EC", "DCM")]}, "unknown component 'DCM'. Did you mean 'DMC'?"),
        ({"total": {"of": ["solvent", "additive"]}}, "they need the same step"),
    ],
)
def test_invalid_settings_say_what_is_wrong(changes, words):
    with pytest.raises(InputError) as error:
        electrolyte(**changes)
    assert words in str(error.value)


def test_pools_are_read_with_their_names(tmp_path):
    (tmp_path / "solvents.csv").write_text("name,smiles\nEC,C1COC(=O)O1\nDMC,COC(=O)OC\n")
    (tmp_path / "additives.smi").write_text("C=C1COC(=O)O1 VEC\nO=C1OC=CO1 VC\n")
    mixture = Mixture(
        roles={
            "solvent": {"pool": tmp_path / "solvents.csv", "step": 0.5},
            "additive": {"pool": tmp_path / "additives.smi", "pick": [0, 1], "amount": [0, 0.1], "step": 0.05},
        }
    )
    assert mixture.column("e").values == ("EC", "DMC", "VEC", "VC")
    assert mixture.size == 3 * 5
    (tmp_path / "solvents.csv").write_text("name,smiles\nEC,C1COC(=O)O1\nDMC,oops\n")
    with pytest.raises(InputError, match="line 3: 'oops' is not a molecule"):
        Mixture(roles={"solvent": {"pool": tmp_path / "solvents.csv"}})


def test_quantities_agree_with_values_by_hand():
    mixture = electrolyte()
    text = np.array(["EC 0.4 + DMC 0.6 | LiPF6 1 mol/kg"], dtype=object)
    value = {name: mixture.derived(name, text)[0] for name in ("count", "count('solvent')", "share('EC')")}
    assert value == {"count": 3, "count('solvent')": 2, "share('EC')": pytest.approx(0.4)}
    assert mixture.derived("moles('EC')", text)[0] == pytest.approx(400 / 88.06, rel=1e-3)
    assert mixture.derived("moles('LiPF6')", text)[0] == pytest.approx(1.0)
    assert mixture.derived("mass('LiPF6')", text)[0] == pytest.approx(151.9 / 1151.9, rel=1e-3)
    assert mixture.derived("colour", text) is None


def test_constraints_refer_to_quantities():
    space = SearchSpace(
        e=electrolyte(), t=Continuous(250, 330), constraints=['e.share("EC") <= 0.4', "e.count <= 3 or t >= 300"]
    )
    sample = space.sample(300, np.random.default_rng(0))
    assert space.feasible(sample).all()
    assert (space.quantities(sample, ["e.share('EC')"])["e.share('EC')"] <= 0.4 + 1e-9).all()
    made = pd.DataFrame({"e": ["EC 0.403 + DMC 0.597 | LiPF6 1 mol/kg"], "t": [300.0]})
    assert not space.feasible(made)[0]
    assert broken_constraints(space, made) == [""]
    broken = pd.DataFrame({"e": ["EC 1 | LiPF6 1 mol/kg"], "t": [300.0]})
    assert broken_constraints(space, broken) == [
        "The candidate violates the constraint 'e.share(\"EC\") <= 0.4' by 0.6."
    ]
    with pytest.raises(InputError, match=r"Unknown component 'DCM'. Did you mean 'DMC'"):
        SearchSpace(e=electrolyte(), constraints=['e.share("DCM") <= 0.4'])
    with pytest.raises(InputError, match="The price of EC is missing"):
        SearchSpace(e=electrolyte(), constraints=["e.cost <= 40"])


def test_a_space_of_ten_billion_mixtures_is_counted_without_listing_them():
    mixture = Mixture(
        roles={
            "solvent": {"components": [f"S{n}" for n in range(40)], "pick": [1, 3], "amount": [0.05, 1], "step": 0.05},
            "salt": {"components": [f"L{n}" for n in range(10)], "pick": 1, "amount": [0.5, 4], "step": 0.5},
            "additive": {"components": [f"A{n}" for n in range(20)], "pick": [0, 1], "amount": [0, 0.05], "step": 0.01},
        }
    )
    solvents = 40 + 780 * 19 + 9880 * 171
    assert mixture.size == solvents * (10 * 8) * (1 + 20 * 5)
    assert mixture.size_is_exact
    last = mixture.at(np.array([int(mixture.size) - 1]))
    mixture.encode(last)
