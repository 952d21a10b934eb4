"""The generator of molecules: ranges, several properties, seeds, new and allowed molecules, files, interruptions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import torch
from rdkit import Chem

from invdesign import InputError
from invdesign.generators import MoleculeGenerator, assessed
from invdesign.generators.training import read_tensors, write_tensors
from invdesign.space.molecules.rules import MoleculeRules, constitution
from invdesign.surrogates.forests import RandomForest
from invdesign.targets import AtLeast, AtMost, Between, Maximize, Targets

SMALL = {"width": 24, "epochs": 3, "batch": 64}


def carbons(frame: pd.DataFrame) -> np.ndarray:
    return frame["molecule"].map(lambda smiles: smiles.count("C")).to_numpy()


def balance(frame: pd.DataFrame) -> np.ndarray:
    return frame["molecule"].map(lambda smiles: smiles.count("N") - smiles.count("O")).to_numpy()


def test_a_range_is_met_more_often_than_without_one(learned):
    free = learned.sample(200, seed=1)
    large = learned.sample(200, Targets(AtLeast("carbons", 9.0)), seed=1)
    small = learned.sample(40, Targets(AtMost("carbons", 5.0)), seed=1)
    assert (carbons(large) >= 9).mean() > 1.5 * (carbons(free) >= 9).mean()
    assert (carbons(small) <= 5).mean() > 1.5 * (carbons(free) <= 5).mean()


def test_two_properties_at_once(learned):
    targets = Targets(AtLeast("balance", 1.0), Between("carbons", 5.0, 8.0))
    met, free = (learned.sample(100, wanted, seed=2) for wanted in (targets, None))
    both = [((balance(one) >= 1) & (carbons(one) >= 5) & (carbons(one) <= 8)).mean() for one in (met, free)]
    assert both[0] > 1.5 * both[1]


def test_what_leaves_it_is_valid_new_different_and_within_the_rules(molecules):
    rules = MoleculeRules(("C", "N", "O"), max_atoms=9, forbidden=("[NX3][CX4][NX3]",))
    generator = MoleculeGenerator(**SMALL, rules=rules).fit(molecules["SMILES"], molecules[["carbons"]])
    found = generator.sample(150, seed=3)["molecule"]
    assert len(found) == 150
    assert not found.duplicated().any()
    assert not found.isin(generator.molecules).any()
    for smiles in found:
        assert constitution(smiles) == smiles
        assert rules.refusal(Chem.MolFromSmiles(smiles)) is None


def test_the_same_seed_gives_the_same_molecules_and_more_begin_with_fewer(learned):
    targets = Targets(Maximize("carbons"))
    ten, again, twenty = (learned.sample(n, targets, seed=5)["molecule"].tolist() for n in (10, 10, 20))
    assert ten == again == twenty[:10]
    assert learned.sample(10, targets, seed=6)["molecule"].tolist() != ten


def test_a_guide_chooses_by_the_probability_of_the_range(molecules):
    targets = Targets(AtLeast("balance", 2.0))
    plain = MoleculeGenerator(**SMALL).fit(molecules["SMILES"], molecules[["balance"]])
    guided = MoleculeGenerator(**SMALL, guide=RandomForest(n_estimators=50), oversample=8)
    guided.fit(molecules["SMILES"], molecules[["balance"]])
    alone, chosen = plain.sample(60, targets, seed=1), guided.sample(60, targets, seed=1)
    assert list(chosen) == ["molecule", "balance", "balance_std", "probability"]
    assert chosen["probability"].between(0, 1).all()
    assert (balance(chosen) >= 2).mean() > 1.5 * (balance(alone) >= 2).mean()


def test_molecules_stay_near_seeds(learned):
    seed = "CCCCC(N)CCO"
    near = learned.sample(100, seed=1, seeds=[seed])["molecule"]
    free = learned.sample(100, seed=1)["molecule"]
    joined = [assessed([seed, smiles]).diversity for smiles in near], [assessed([seed, one]).diversity for one in free]
    assert np.mean(joined[0]) < np.mean(joined[1])
    with pytest.raises(InputError, match="cannot be written"):
        learned.sample(1, seeds=["c1ccsc1"])


def test_the_autoencoder_samples_by_bayes_rule(molecules):
    generator = MoleculeGenerator(model="autoencoder", width=48, epochs=12, batch=32, learning_rate=5e-3)
    generator.fit(molecules["SMILES"], molecules[["carbons"]])
    free = generator.sample(100, seed=1)
    large = generator.sample(100, Targets(AtLeast("carbons", 10.0)), seed=1)
    assert (carbons(large) >= 10).mean() > 1.5 * (carbons(free) >= 10).mean()


def test_further_molecules_are_learned_without_the_others_being_forgotten(learned, molecules):
    odd = pd.DataFrame({"SMILES": ["FC(F)(F)CC(F)(F)F", "FCC(F)(F)CF", "FCC(F)CC(F)F"] * 5})
    tuned = learned.tuned(odd["SMILES"], pd.DataFrame({"carbons": 4.0, "balance": 0.0}, index=odd.index), epochs=8)
    fluorine = [one.sample(150, seed=4)["molecule"].str.count("F").mean() for one in (learned, tuned)]
    assert fluorine[1] > 1.5 * fluorine[0]
    assert learned.sample(5, seed=4).equals(learned.sample(5, seed=4))
    assert (tuned.sample(150, seed=4)["molecule"].str.count("F") <= 1).mean() > 0.3


def test_training_goes_on_exactly_after_an_interruption(molecules, tmp_path):
    def stop(epoch):
        if epoch.number == 2:
            raise KeyboardInterrupt

    place = tmp_path / "half.safetensors"
    whole = MoleculeGenerator(**SMALL).fit(molecules["SMILES"], molecules[["carbons"]])
    with pytest.raises(KeyboardInterrupt):
        MoleculeGenerator(**SMALL).fit(molecules["SMILES"], molecules[["carbons"]], checkpoint=place, on_epoch=stop)
    resumed = MoleculeGenerator(**SMALL).fit(molecules["SMILES"], molecules[["carbons"]], checkpoint=place)
    assert resumed.learning_curve.equals(whole.learning_curve)
    assert resumed.sample(20, seed=1).equals(whole.sample(20, seed=1))
    with pytest.raises(InputError, match="other data or settings"):
        MoleculeGenerator(**SMALL, seed=1).fit(molecules["SMILES"], molecules[["carbons"]], checkpoint=place)


def test_the_learning_curve_falls_on_held_out_molecules(learned):
    curve = learned.learning_curve
    assert curve["held_out"].iloc[-1] < 0.7 * curve["held_out"].iloc[0]


def test_a_file_holds_the_generator(learned, tmp_path):
    place = tmp_path / "chains.safetensors"
    learned.save(place)
    again = MoleculeGenerator.load(place)
    targets = Targets(AtLeast("carbons", 9.0))
    assert again.sample(20, targets, seed=1).equals(learned.sample(20, targets, seed=1))
    assert again.molecules == learned.molecules
    assert again.learning_curve.equals(learned.learning_curve)
    guided = MoleculeGenerator.load(place, guide=RandomForest(n_estimators=20))
    assert "probability" in guided.sample(5, targets, seed=1)


def test_a_damaged_file_is_refused(learned, tmp_path):
    place = tmp_path / "chains.safetensors"
    learned.save(place)
    with pytest.raises(InputError, match="does not exist"):
        MoleculeGenerator.load(tmp_path / "none.safetensors")
    tensors, about = read_tensors(place)
    for wrong in ({}, {**about, "symbols": ["a"]}, {**about, "quantiles": 3}, {**about, "settings": {"width": "x"}}):
        write_tensors(place, tensors, wrong)
        with pytest.raises(InputError):
            MoleculeGenerator.load(place)
    write_tensors(place, {"a": torch.zeros(2)}, about)
    with pytest.raises(InputError, match="damaged"):
        MoleculeGenerator.load(place)
    place.write_bytes(b"\x80\x04nonsense")
    with pytest.raises(InputError, match="not a file of a generator"):
        MoleculeGenerator.load(place)


def test_a_language_without_properties_is_learned_too(molecules):
    half = molecules.iloc[::2]
    rest = molecules["SMILES"].iloc[1::2].tolist()
    generator = MoleculeGenerator(**SMALL).fit(half["SMILES"], half[["carbons"]], language=rest)
    assert set(generator.molecules) == set(molecules["SMILES"])
    assert len(generator.learning_curve) == 2 * SMALL["epochs"]
    alone = MoleculeGenerator(**SMALL).fit(half["SMILES"], language=rest)
    assert alone.properties == ()
    assert len(alone.sample(5)) == 5


@pytest.mark.parametrize(
    ("smiles", "values", "message"),
    [
        (["CCO"] * 30 + ["C1CC"], None, "Molecule 30 .* not a readable SMILES"),
        (["CCO"] * 5, None, "at least 20 molecules"),
        (["CCO", "CCN"] * 15, [1.0] * 29, "30 molecules, but 29 rows"),
        (["CCO", "CCN"] * 15, [1.0] * 30, "fewer than two different values"),
    ],
)
def test_bad_rows_are_named(smiles, values, message):
    properties = None if values is None else pd.DataFrame({"p": values})
    with pytest.raises(InputError, match=message):
        MoleculeGenerator(**SMALL).fit(smiles, properties)


def test_what_was_not_learned_cannot_be_asked_for(learned):
    with pytest.raises(InputError, match=r"not learned 'carbon'.*carbons"):
        learned.sample(1, Targets(AtLeast("carbon", 1.0)))
    with pytest.raises(InputError, match="not fitted"):
        MoleculeGenerator().sample(1)
