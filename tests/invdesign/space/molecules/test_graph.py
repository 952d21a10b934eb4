from __future__ import annotations

import math
import pickle

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from rdkit import Chem
from rdkit.Chem import rdMolDescriptors

from invdesign.core.errors import InputError
from invdesign.space import SearchSpace
from invdesign.space.molecules import graph as molecule_graph
from invdesign.space.molecules.graph import MoleculeGraph
from invdesign.space.molecules.operators import crossed, mutated
from invdesign.space.molecules.rules import MoleculeRules, sa_score

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
    mutants = {mutated("COC1CC=CO1", ("C", "O", "N"), rng) for _ in range(400)} - {None}
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
        ({"max_sa_score": 2.0}, "FC1(O)ON=C1N", "synthetic accessibility score is .*, above 2.0"),
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
        ({"seeds": ("C(((",)}, r"The seed 'C\(\(\(' is not a molecule"),
        ({"seeds": ()}, "at least one seed"),
        ({"seeds": ("CCl",)}, "violates the space's rules: it contains Cl"),
        ({"elements": ("C", "CL")}, r"'CL' is not a chemical element. Did you mean 'Cl'"),
        ({"elements": ("H",)}, "must include one besides hydrogen"),
        ({"forbidden": ("C(((",)}, r"SMARTS 'C\(\(\(' cannot be read"),
        ({"min_atoms": 8, "max_atoms": 7}, "exclude all molecules"),
        ({"max_rings": -1}, "'max_rings' must be at least 0"),
        ({"max_sa_score": 0.5}, "must be above 1"),
        ({"length": 2}, "takes 3 SELFIES symbols, more than the 2"),
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
    with pytest.raises(InputError, match="SELFIES symbols, more than the 4"):
        MoleculeGraph(("COC",), length=4).encode(["CCCCCC"])
    with pytest.raises(InputError, match="no seed has"):
        MoleculeGraph(("COC",)).encode(["C[N+](=O)[O-]"])
    with pytest.raises(InputError, match="cannot be enumerated"):
        SPACE.at(np.array([0]))


def test_seeds_may_stand_in_a_file(tmp_path, examples):
    (tmp_path / "seeds.smi").write_text("COC ether\nC((( bad\n")
    with pytest.raises(InputError, match=r"in line 2 of '.*seeds.smi' is not a molecule"):
        MoleculeGraph(str(tmp_path / "seeds.smi"))
    space = MoleculeGraph(examples / "solvents.smi")
    assert len(space.seeds) == 12
    assert math.isinf(space.size)
    assert SearchSpace(molecule=space).decode(space.encode(["COC"])).loc[0, "molecule"] == "COC"
