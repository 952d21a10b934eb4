"""The generator of formulas: wanted properties in, candidates of the space out, in proportion to their probability."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign import InputError
from invdesign.generators import FormulaGenerator
from invdesign.generators.formulas import _bandwidth, wanted_values
from invdesign.generators.weights import drawn_by_weight
from invdesign.space import Categorical, Composition, Continuous, SearchSpace
from invdesign.targets import AtLeast, Between, Maximize, Targets

MXENE = SearchSpace(
    mxene=Composition(
        sites={
            "M": {"elements": ["Ti", "V", "Nb", "Mo"], "amount": 2, "pick": 1},
            "X": {"elements": ["C", "N"], "amount": 1, "pick": 1},
            "T": {"species": ["F", "O", "none"], "amount": 2, "pick": 1},
        }
    )
)
CATHODE = SearchSpace(
    cathode=Composition(
        sites={
            "A": {"elements": ["Li"], "amount": 1},
            "M": {"elements": ["Ni", "Mn", "Co"], "amount": 1, "step": 0.01},
            "O": {"elements": ["O"], "amount": 2},
        },
        limits={"Co": (0.0, 0.4)},
    ),
    temperature=Continuous(600, 1000),
    route=Categorical(["solid", "sol-gel"]),
    constraints=["temperature <= 900 or route == 'solid'"],
)
METAL, END = {"Ti": 0.0, "V": 1.0, "Nb": 2.0, "Mo": 3.0}, {"F": 0.0, "O": 0.3, "none": 0.6}


def mxene_values(frame: pd.DataFrame) -> pd.DataFrame:
    def voltage(formula: str) -> float:
        metal = next(symbol for symbol in METAL if symbol in formula)
        end = next((symbol for symbol in ("F", "O") if f"{symbol}2" in formula), "none")
        return METAL[metal] + END[end]

    return pd.DataFrame({"voltage": frame["mxene"].map(voltage), "light": frame["mxene"].str.contains("Ti") * 1.0})


def cathode_values(frame: pd.DataFrame) -> pd.DataFrame:
    nickel = CATHODE.parameters["cathode"].derived("Ni", frame["cathode"].to_numpy())
    heat = (frame["temperature"].astype(float) - 800) / 200
    return pd.DataFrame({"capacity": 100 + 100 * nickel - 20 * heat**2 + 10 * (frame["route"] == "sol-gel")})


def sampled(space: SearchSpace, n: int, seed: int) -> pd.DataFrame:
    return space.sample(n, np.random.default_rng(seed)).drop_duplicates().reset_index(drop=True)


def test_known_requests_give_the_right_formulas():
    known = sampled(MXENE, 200, 0)
    generator = FormulaGenerator(MXENE).fit(known, mxene_values(known))
    asked = pd.DataFrame({"voltage": [0.0, 1.6, 3.3], "light": [1.0, 0.0, 0.0]}).loc[[0, 1, 2] * 20]
    found = mxene_values(generator.at(asked, seed=1))["voltage"].to_numpy()
    assert np.median(np.abs(found - asked["voltage"].to_numpy())) < 0.35
    both = {formula for formula in generator.at(asked.iloc[[0] * 60], seed=2)["mxene"] if "Ti2" in formula}
    assert any("C" in formula for formula in both)
    assert any("N" in formula for formula in both)


def test_new_candidates_meet_a_range_more_often_than_the_known_ones():
    known = sampled(CATHODE, 150, 0)
    values = cathode_values(known)
    targets = Targets(AtLeast("capacity", 185.0))
    generator = FormulaGenerator(CATHODE).fit(known, values)
    found = generator.sample(60, targets, seed=1)
    made = found[list(CATHODE.names)]
    assert len(made) == 60
    assert CATHODE.feasible(made).all()
    assert not made.duplicated().any()
    assert not made["cathode"].isin(known["cathode"]).all()
    met = (cathode_values(made)["capacity"] >= 185.0).mean()
    assert met > 3 * (values["capacity"] >= 185.0).mean()
    assert found["probability"].between(0, 1).all()
    assert (found["capacity_std"] > 0).all()


def test_without_a_guide_the_forests_of_the_parts_already_follow_the_request():
    known = sampled(CATHODE, 150, 0)
    targets = Targets(AtLeast("capacity", 185.0))
    generator = FormulaGenerator(CATHODE, guide=None).fit(known, cathode_values(known))
    found, free = generator.sample(60, targets, seed=1), generator.sample(60, seed=1)
    assert list(found) == list(CATHODE.names)
    assert (cathode_values(found)["capacity"] >= 185).mean() > 2 * (cathode_values(free)["capacity"] >= 185).mean()


def test_the_same_seed_gives_the_same_candidates():
    known = sampled(CATHODE, 60, 0)
    generator = FormulaGenerator(CATHODE, n_estimators=20).fit(known, cathode_values(known))
    one, again, other = (generator.sample(5, Targets(Maximize("capacity")), seed=seed) for seed in (1, 1, 2))
    pd.testing.assert_frame_equal(one, again)
    assert not one.equals(other)


def test_no_more_than_a_small_space_has():
    known = sampled(MXENE, 15, 0)
    generator = FormulaGenerator(MXENE, n_estimators=20).fit(known, mxene_values(known))
    found = generator.sample(100, seed=1)
    assert 0 < len(found) <= 24 - len(known)


def test_wanted_values_occur_together_or_are_spread_over_the_range():
    rng = np.random.default_rng(0)
    first = rng.random(200)
    known = pd.DataFrame({"a": first, "b": 1.0 - first})
    drawn = wanted_values(known, Targets(Between("a", 0.2, 0.4)), 50, rng)
    assert drawn["a"].between(0.2, 0.4).all()
    assert np.allclose(drawn["a"] + drawn["b"], 1.0)
    beyond = wanted_values(known, Targets(AtLeast("a", 1.05)), 50, rng)
    assert beyond["a"].between(1.05, 1.2).all()


def test_numbers_of_a_furnace_keep_their_steps():
    rng = np.random.default_rng(0)
    few, many = rng.choice([0.1, 0.5, 0.9], 100), rng.random(100)
    assert _bandwidth(np.stack([few, many], axis=1)) == pytest.approx([0.0, 0.53 * many.std() * 100**-0.2])


def test_drawing_by_weight_follows_the_weights():
    rng = np.random.default_rng(0)
    counts = np.zeros(3)
    for _ in range(3000):
        counts[drawn_by_weight(np.log([0.6, 0.3, 0.1]), 1, rng)] += 1
    assert counts / 3000 == pytest.approx([0.6, 0.3, 0.1], abs=0.04)
    assert drawn_by_weight(np.zeros(3), 5, rng).tolist() == [0, 1, 2]


def test_what_cannot_be_learned_is_refused():
    known = sampled(MXENE, 20, 0)
    with pytest.raises(InputError, match="at least 10 rows"):
        FormulaGenerator(MXENE).fit(known.head(9), mxene_values(known.head(9)))
    with pytest.raises(InputError, match="not fitted"):
        FormulaGenerator(MXENE).sample(1)
    generator = FormulaGenerator(MXENE, n_estimators=5, guide=None).fit(known, mxene_values(known))
    with pytest.raises(InputError, match="not learned 'voltages'"):
        generator.sample(1, Targets(AtLeast("voltages", 1.0)))
    with pytest.raises(InputError, match="'light' are missing"):
        generator.at(pd.DataFrame({"voltage": [1.0]}))
