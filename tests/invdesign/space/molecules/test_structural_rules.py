"""Structural rules: what each refuses, what it lets pass, and how few of real molecules they refuse."""

from __future__ import annotations

import pytest
from rdkit import Chem

from invdesign.space.molecules.structural_rules import STRUCTURAL_RULES, broken_rule

REFUSED = {
    "small-aromatic-ring": ["Nc1cc2cc-2c1", "c1ccc2c(c1)CC2"],
    "bridgehead-double-bond": ["O=C(NC(=O)c1cc2c3cc1CSC(=N2)C3)c1ccncc1", "C1CC2=CCC1C2"],
    "small-ring-unsaturation": ["C1=CC1", "C=C1CC1", "O=C1CC1", "C1=CCC1", "CC1CC2=C(C)C1=N2"],
    "ring-alkyne": ["C1#CCCCC1"],
    "cumulene": ["CC=C=CC", "CC=C=O", "CN=C=O"],
    "fused-small-rings": ["C1C2CC12", "C1CC2CC12"],
    "large-ring": ["C1CCCCCCCC1"],
    "small-ring-heteroatoms": ["CC1NN1", "CC1CON1"],
    "peroxide": ["COOC", "OO"],
    "heteroatom-chain": ["CNN(C)NC", "CONOC"],
    "nitrate-or-nitramine": ["CO[N+](=O)[O-]", "CN(C)[N+](=O)[O-]"],
    "nitroso": ["CN=O"],
    "azo": ["CN=NC"],
    "diazo-or-azide": ["C=[N+]=[N-]", "c1ccccc1[N+]#N"],
    "hydrazine": ["CNNC"],
    "hydroxylamine": ["CNO", "CN(C)OC"],
    "oxygen-sulfur": ["COSC"],
    "sulfenamide": ["CSNC"],
    "polysulfide": ["CSSSC"],
    "hypervalent-sulfur": ["C=S(C)C", "CS(C)(C)C", "C[SH]=O"],
    "hypervalent-phosphorus": ["CP(C)(C)(C)C", "CPC"],
    "heteroatom-halogen": ["CNCl", "COF", "CSCl"],
    "acyl-halide": ["CC(=O)Cl", "CS(=O)(=O)Cl", "CP(Cl)Cl"],
    "anhydride": ["CC(=O)OC(C)=O", "CC(=O)OS(C)(=O)=O"],
    "hemiacetal": ["CC(O)O", "CC(O)OC", "CC(O)N", "CC(N)N", "CC(O)F", "OC1CCCO1"],
    "alpha-haloamine": ["CN(C)CF", "COCCl"],
    "crowded-carbon": ["COC(OC)OC"],
    "enol": ["CC(O)=CC", "CC(O)=NC"],
    "enamine": ["CNC=CC"],
    "imine": ["CC=NC", "CC(C)=N"],
    "unstable-acid": ["NC(=O)O", "COC(=O)O"],
    "thiocarbonyl": ["CC=S", "CC(C)=S"],
    "polyyne": ["CC#CC#CC", "N#CC#N"],
    "heteroatom-alkyne": ["COC#CC", "CN(C)C#N", "COC#N"],
    "polyene": ["CC=CC=CC=CC"],
    "dicarbonyl-chain": ["CC(=O)C(=O)C(C)=O"],
}
ALLOWED = [
    "O=C1OCCO1", "O=c1occo1", "COC(=O)OC", "COCCOC", "C1COCO1", "COCOC", "CC#N", "N#CCCC#N", "O=S1(=O)CCCC1", "CS(C)=O",
    "C[N+](=O)[O-]", "CCOP(=O)(OCC)OCC", "COC(F)(F)F", "CN(C)S(=O)(=O)F", "O=S1(=O)OCCCO1", "O=S1(=O)C=CCO1", "C1CO1",
    "CN1CCCC1=O", "CCNC(=O)NCC", "c1cn[nH]n1", "Cn1nnnc1", "CC(=O)CC(C)=O", "CC(=O)NN", "CC(=O)NO", "CC=NOC", "C#CCOC",
    "CSSC", "C1CC2CCC1C2", "C1=CC2CCC1C2", "c1ccc2ccccc2c1", "O=C1c2ccccc2C(=O)c2ccccc12", "CN1C=CN(C)C1=O", "C1CC1",
    "CC(C)(C)c1cc(O)c(C(C)(C)C)cc1O", "COc1cc(C(C)(C)C)c(OC)cc1C(C)(C)C", "CC1(C)CCCC(C)(C)N1[O]",
]  # fmt: skip


@pytest.mark.parametrize("name", STRUCTURAL_RULES)
def test_each_rule_refuses_its_structures_unless_it_is_turned_off(name):
    for smiles in REFUSED[name]:
        molecule = Chem.MolFromSmiles(smiles)
        others = [other for other in STRUCTURAL_RULES if other != name]
        assert broken_rule(molecule, allow=others) == name, smiles
        assert broken_rule(molecule, allow=STRUCTURAL_RULES) is None


@pytest.mark.parametrize("smiles", ALLOWED)
def test_molecules_of_the_laboratory_are_allowed(smiles):
    assert broken_rule(Chem.MolFromSmiles(smiles)) is None


def test_few_real_molecules_are_refused(real_data):
    lines = (real_data / "zinc-test" / "zinc_test.txt").read_text().split()[:1500]
    broken = [broken_rule(Chem.MolFromSmiles(smiles)) for smiles in lines]
    counts = {name: broken.count(name) / len(broken) for name in STRUCTURAL_RULES}
    assert max(counts.values()) < 0.01
    assert sum(counts.values()) < 0.02
