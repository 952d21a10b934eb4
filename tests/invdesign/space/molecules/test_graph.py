from __future__ import annotations

import math
import pickle
import re
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from invdesign.core.errors import InputError
from invdesign.optimizers import (
    BayesianOptimizer,
    GeneticOptimizer,
    History,
    ParticleSwarmOptimizer,
    RandomOptimizer,
)
from invdesign.optimizers.initial_design import initial_design
from invdesign.space import Continuous, SearchSpace
from invdesign.space.molecules import graph as molecule_graph
from invdesign.space.molecules.graph import MoleculeGraph
from invdesign.space.molecules.operators import ElementShares, crossed, mutated
from invdesign.space.molecules.rules import MoleculeRules
from invdesign.space.molecules.structural_rules import broken_rule
from invdesign.surrogates.features.chemists_scores import sa_score
from invdesign.targets import Maximize, Targets

SEEDS = ("O=C1OCCO1", "COC(=O)OC", "COCCOC", "CC#N", "O=S1(=O)CCCC1", "C[N+](=O)[O-]", "c1cc[nH]c1", "C[C@H](F)OC")
SPACE = MoleculeGraph(SEEDS, max_atoms=9, max_rings=1, forbidden=("[O][O]",), max_sa_score=6.0)


def keeps_rules(smiles):
    molecule = Chem.MolFromSmiles(smiles)
    symbols = {atom.GetSymbol() for atom in molecule.GetAtoms()}
    return (
        symbols <= {"C", "H", "N", "O", "F", "S"}
        and molecule.GetNumHeavyAtoms() <= 9
        and molecule.GetRingInfo().NumRings() <= 1
        and Chem.GetFormalCharge(molecule) == 0
        and not molecule.HasSubstructMatch(Chem.MolFromSmarts("OO"))
        and sa_score(molecule) <= 6.0
        and Chem.MolToSmiles(molecule) == smiles
        and not any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms())
    )


@settings(max_examples=60)
@given(arrays(np.float64, (1, SPACE.dimension), elements=st.floats(0.0, 1.0)))
def test_every_point_is_an_allowed_molecule_and_leads_back(point):
    molecules = SPACE.decode(point)
    assert keeps_rules(molecules[0])
    assert SPACE.decode(SPACE.encode(molecules)).tolist() == molecules.tolist()


def test_drawn_molecules_are_allowed_varied_and_repeatable():
    drawn = SPACE.decode(SPACE.draw(40, np.random.default_rng(1)))
    assert all(map(keeps_rules, drawn))
    assert len(set(drawn)) > 25
    fresh = MoleculeGraph(SEEDS, max_atoms=9, max_rings=1, forbidden=("[O][O]",), max_sa_score=6.0)
    assert fresh.decode(fresh.draw(40, np.random.default_rng(1))).tolist() == drawn.tolist()
    points = SPACE.draw(40, np.random.default_rng(1))
    assert SPACE.draw(0, np.random.default_rng(1)).shape == (0, SPACE.dimension)
    assert (SPACE.encode(drawn) == points).all()
    assert pickle.loads(pickle.dumps(SPACE)).decode(points).tolist() == drawn.tolist()  # noqa: S301


def test_a_large_draw_repeats_molecules(monkeypatch):
    monkeypatch.setattr(molecule_graph, "MOST_WALKED", 20)
    drawn = SPACE.decode(SPACE.draw(500, np.random.default_rng(2)))
    assert 10 < len(set(drawn)) <= 20


def test_seeds_lead_back_without_their_stereochemistry():
    assert SPACE.seeds[-1] == "COC(C)F"
    assert SPACE.decode(SPACE.encode(SPACE.seeds)).tolist() == list(SPACE.seeds)
    assert SPACE.decode(SPACE.encode(["[H][C@](C)(F)OC"])).tolist() == ["COC(C)F"]


def test_neighbors_and_crosses_are_allowed_and_repeatable():
    runs = []
    for _ in range(2):
        rng = np.random.default_rng(7)
        near = SPACE.neighbors("COCCOC", rng, 8)
        runs.append([*near, *(SPACE.crossover(near[0], other, rng) for other in near[1:])])
    assert runs[0] == runs[1]
    assert len(set(runs[0][:8])) == 8
    assert all(keeps_rules(smiles) for smiles in runs[0] if smiles is not None)
    assert "COCCOC" not in runs[0][:8]


def test_moves_make_every_kind_of_change():
    rng = np.random.default_rng(0)
    mutants = {mutated("COC1CC=CO1", ElementShares.like("CON", ["CON"]), rng) for _ in range(400)} - {None}
    sizes = {Chem.MolFromSmiles(smiles).GetNumHeavyAtoms() for smiles in mutants}
    rings = {rdMolDescriptors.CalcNumRings(Chem.MolFromSmiles(smiles)) for smiles in mutants}
    assert sizes == {6, 7, 8}
    assert rings == {0, 1, 2}
    crosses = {crossed("COC1CC=CO1", "CC#N", rng) for _ in range(200)} - {None}
    assert len(crosses) > 5
    assert crossed("C", "C", rng) is None


@pytest.mark.parametrize(
    ("rules", "smiles", "reason"),
    [
        ({}, "CCl", "it contains Cl"),
        ({}, "C" * 10, "10 atoms"),
        ({"min_atoms": 3}, "CC", "2 atoms besides hydrogen, but 3 to 9"),
        ({}, "C1CC1C1CC1", "2 rings"),
        ({}, "C[NH3+]", r"charge is \+1, not \+0"),
        ({}, "C.C", "not connected"),
        ({}, "[CH3]", "unpaired electron"),
        ({"forbidden": ("OO",)}, "COOC", "forbidden OO"),
        ({"max_sa_score": 2.0}, "CC1(F)CON=C1N", "synthetic accessibility score is .*, above 2.0"),
        ({"charge": 1}, "C[NH3+]", None),
    ],
)
def test_rules_say_why(rules, smiles, reason):
    said = MoleculeRules(("C", "N", "O", "F"), **{"max_atoms": 9, "max_rings": 1, **rules}).refusal(
        Chem.MolFromSmiles(smiles)
    )
    if reason is None:
        assert said is None
    else:
        with pytest.raises(AssertionError, match=reason):
            raise AssertionError(said)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"seeds": ("C(((",)}, r"The seed 'C\(\(\(' \(number 1\) is not a molecule: its syntax is invalid"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": ("CCl",)}, "breaks a rule of the space: it contains Cl"),
        ({"elements": ("C", "CL")}, r"'CL' is not a chemical element. Did you mean 'Cl'"),
        ({"elements": ("H",)}, "must include one besides hydrogen"),
        ({"forbidden": ("C(((",)}, r"SMARTS 'C\(\(\(' cannot be read"),
        ({"min_atoms": 8, "max_atoms": 7}, "exclude all molecules"),
        ({"max_rings": -1}, "'max_rings' must be at least 0"),
        ({"max_sa_score": 0.5}, "must be above 1"),
        (
            {"seeds": ("COC", "COOC", "CC(O)O")},
            r"'COOC' \(number 2\) .*peroxide.*number 3.*hemiacetal.*Remove such seeds",
        ),
        ({"allow": ("peroxid",)}, "Unknown structural rule 'peroxid'. Did you mean 'peroxide'"),
        ({"alerts": "few"}, "Unknown alerts 'few'"),
        ({"length": 0}, "'length' must be at least 1"),
    ],
)
def test_bad_spaces_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        MoleculeGraph(**{"seeds": ("COC",), **settings})


def test_foreign_molecules_are_refused_with_the_reason():
    with pytest.raises(InputError, match="'CCCl' is not in this space: it contains Cl"):
        SPACE.encode(["CCCl"])
    with pytest.raises(InputError, match="is not a molecule that RDKit can read"):
        SPACE.encode(["?"])
    with pytest.raises(InputError, match=r"it has bound oxygen atoms: explosive \(rule 'peroxide'\)"):
        MoleculeGraph(("COC",)).encode(["COOC"])
    with pytest.raises(InputError, match="it has the structural alert 'aldehyde'"):
        SPACE.encode(["CCC=O"])
    with pytest.raises(InputError, match="cannot be enumerated"):
        SPACE.at(np.array([0]))


def test_seeds_may_stand_in_a_file(tmp_path, examples):
    (tmp_path / "seeds.smi").write_text("COC ether\nC((( bad\n")
    partly = MoleculeGraph(str(tmp_path / "seeds.smi"))
    assert partly.seeds == ("COC",)
    assert re.search(
        r"1 invalid seeds were left out: the seed 'C\(\(\(' in line 2 of '.*seeds.smi' is not a molecule: its syntax",
        SearchSpace(molecule=partly).remarks[0],
    )
    (tmp_path / "bad.smi").write_text("COOC peroxide\n")
    with pytest.raises(InputError, match=r"in line 1 of '.*bad.smi' breaks a rule of the space: .*explosive"):
        MoleculeGraph(str(tmp_path / "bad.smi"))
    space = MoleculeGraph(examples / "solvents.smi")
    assert len(space.seeds) == 12
    assert math.isinf(space.size)
    assert SearchSpace(molecule=space).decode(space.encode(["COC"])).loc[0, "molecule"] == "COC"


def test_what_cannot_be_written_in_the_code_has_a_point_and_may_be_proposed():
    space = MoleculeGraph(("COC",), length=4, alerts="any")
    assert space.encode(["CCCCCC", "COC"]).shape == (2, 4)
    assert space.decode(space.encode(["CCCCCC"])).tolist() == ["CCCC"]


def test_rules_and_alerts_can_be_turned_off():
    assert MoleculeGraph(("COC",), allow=("peroxide",), alerts="any").encode(["COOC"]).shape == (1, 60)
    assert MoleculeGraph(("COC",), alerts="any").encode(["CCC=O"]).shape == (1, 60)
    assert MoleculeGraph(("CC=O", *SEEDS)).encode(["CCC=O"]).shape == (1, 60)


def test_molecules_are_as_easy_to_make_as_most_seeds_unless_the_limit_is_given():
    hard = "CN1CCC23c4c5ccc(O)c4OC2C(O)C=CC3C1C5"
    assert sa_score(Chem.MolFromSmiles(hard)) > 4.5
    plain = MoleculeGraph(("COC", "CCO"), max_rings=6, alerts="any")
    assert plain.rules.max_sa_score == 4.5
    assert "above 4.5" in plain.unlisted([hard])[0]
    assert MoleculeGraph(("COC",), max_rings=6, alerts="any", max_sa_score=10).unlisted([hard]) == [""]
    beside = MoleculeGraph((hard, *("C" * length for length in range(1, 20))), max_rings=6)
    assert beside.rules.max_sa_score == 4.5
    assert beside.unlisted([hard]) == [""], "a seed is in the space"


def test_rare_alerts_of_seeds_are_theirs_alone():
    ethers = tuple("C" * length + "OC" for length in range(1, 7))
    alcohols = tuple("C" * length + "O" for length in range(1, 7))
    for chosen in ({"seeds": ("CC=O",), "alerts": "none"}, {"seeds": ("CC=O", *ethers, *alcohols)}):
        space = MoleculeGraph(**chosen)
        assert space.decode(space.encode(["CC=O"])).tolist() == ["CC=O"]
        with pytest.raises(InputError, match="'CCC=O' is not in this space: it has the structural alert 'aldehyde'"):
            space.encode(["CCC=O"])


def test_children_keep_the_rules_and_the_elements_of_their_seeds():
    space = MoleculeGraph(("CCOC(=O)c1ccccc1", "CCNC(=O)c1ccco1"), max_atoms=16)
    rng = np.random.default_rng(0)
    children = list(space.seeds)
    for _ in range(60):
        pair = [children[int(place)] for place in rng.integers(len(children), size=2)]
        children += space.crossed(pair[:1], pair[1:], rng).tolist()
        children += space.mutated(children[-1:], rng).tolist()
    molecules = [Chem.MolFromSmiles(smiles) for smiles in set(children)]
    assert [broken_rule(molecule) for molecule in molecules] == [None] * len(molecules)
    symbols = [atom.GetSymbol() for molecule in molecules for atom in molecule.GetAtoms()]
    assert symbols.count("C") > 0.6 * len(symbols)
    assert symbols.count("F") + symbols.count("S") < 0.1 * len(symbols)


def test_seeds_are_proposed_first_and_keep_to_the_constraints(rng):
    solvent = MoleculeGraph(("COC", "COC(=O)OC", "CC#N"), max_atoms=9)
    alone = SearchSpace(solvent=solvent)
    empty = alone.sample(0, rng)
    history = History(empty, pd.DataFrame({"p": []}, dtype=float), empty)
    asked = {"space": alone, "targets": Targets(Maximize("p")), "seed": np.random.SeedSequence(1)}
    for optimizer in (RandomOptimizer(), BayesianOptimizer(), GeneticOptimizer(), ParticleSwarmOptimizer()):
        new = initial_design(optimizer).propose(5, history=history, **asked)
        assert new["solvent"].head(3).tolist() == list(solvent.seeds)
        assert new["solvent"].nunique() == 5
        seen = replace(history, pending=new.head(1))
        assert initial_design(optimizer).propose(2, history=seen, **asked)["solvent"].tolist() == list(
            solvent.seeds[1:]
        )
    mixed = SearchSpace(solvent=solvent, x=Continuous(0, 1), constraints=["solvent != 'COC' or x <= 0.01"])
    drawn = mixed.sample(6, rng)
    first = mixed.seeded(drawn, drawn.iloc[:0])
    assert mixed.feasible(first).all()
    assert len(first) == 6
    assert first["solvent"].head(2).isin(solvent.seeds).all()


def test_values_are_drawn_without_the_cube_and_are_those_of_its_points():
    space = MoleculeGraph(SEEDS[:4], max_atoms=9)
    drawn = space.sampled(12, np.random.default_rng(4)).tolist()
    assert drawn == space.decode(space.draw(12, np.random.default_rng(4))).tolist()
    assert SearchSpace(m=space).sample(12, np.random.default_rng(4))["m"].tolist() == drawn
    assert space.sampled(0, np.random.default_rng(4)).tolist() == []


def test_new_atoms_are_of_each_element_as_often_as_the_seeds():
    shares = ElementShares.like(("C", "H", "O", "F"), ["CCCO", "CCCCO"])
    assert shares.symbols == ("C", "O", "F")
    assert shares.shares == pytest.approx([(7 / 9 + 0.01) / 1.03, (2 / 9 + 0.01) / 1.03, 0.01 / 1.03])
    others = shares.without("C")
    assert others is not None
    assert others.symbols == ("O", "F")
    assert sum(others.shares) == pytest.approx(1.0)
    assert ElementShares.like("C", ["C"]).without("C") is None
