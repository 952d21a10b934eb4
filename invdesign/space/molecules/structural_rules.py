"""Structures that a chemist would not make: each with its reason, as SMARTS or as a property of the rings.

They refuse what cannot exist (strained rings, double bonds at bridgeheads), what turns into something else on the shelf
(hemiaminals, enols, carbamic acids) and what explodes (peroxides, chains of nitrogen), in the spirit of Hann et al.
1999 (doi:10.1021/ci990423o) and Walters and Murcko 2002 (doi:10.1016/S0169-409X(02)00003-0). On 17,222 molecules of
ZINC on which no rule was developed, each refuses at most 0.4 percent and all together 1.0 percent; of 8,033 molecules
of ChEMBL, at most 1.5 and 7.5 percent (``benchmarks/structural_rules.py``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

SMALL_RING = 4
LARGEST_RING = 8
NOT_ACYL = "!$(*C=[O,S,N]);!$(*S=O);!$(*P=O);!$(*C#N)"
"""Of a heteroatom: it is not part of an amide, an ester, a sulfonamide, an amidine or the like, which are stable."""


@dataclass(frozen=True)
class StructuralRule:
    """A structure that molecules must not have.

    Attributes:
        reason: why, as the end of a sentence: "it contains ...".
        smarts: substructures, each of which breaks the rule; none where the rings decide (see ``_RING_RULES``).
    """

    reason: str
    smarts: tuple[str, ...] = ()


STRUCTURAL_RULES: Mapping[str, StructuralRule] = {
    "small-aromatic-ring": StructuralRule("an aromatic atom in a ring of three or four: too strained", ("[a;r3,r4]",)),
    "bridgehead-double-bond": StructuralRule(
        "a double or aromatic bond at a bridgehead, which cannot be planar (Bredt's rule)"
    ),
    "small-ring-unsaturation": StructuralRule(
        "a double bond in or at a ring of three, or in a ring of four: too strained",
        ("[*;r3]=[*]", "[*;r4]=;@[*;r4]"),
    ),
    "ring-alkyne": StructuralRule("a triple bond in a ring: too strained", ("[*;R]#;@[*;R]",)),
    "cumulene": StructuralRule("neighboring double bonds (allene, ketene, isocyanate): reactive", ("*=[#6]=*",)),
    "fused-small-rings": StructuralRule("two rings of three or four that share a bond: too strained"),
    "large-ring": StructuralRule(f"a ring of more than {LARGEST_RING} atoms: hard to close"),
    "small-ring-heteroatoms": StructuralRule(
        "neighboring heteroatoms in a ring of three or four: explosive or fleeting",
        ("[!#6;r3]@[!#6;r3]", "[!#6;r4]@[!#6;r4]"),
    ),
    "peroxide": StructuralRule("bound oxygen atoms: explosive", ("[#8]-[#8;X2,X1-]",)),
    "heteroatom-chain": StructuralRule(
        "three neighboring nitrogen or oxygen atoms outside of an aromatic ring: explosive or fleeting",
        ("[#7,#8]~[#7,#8;!a;!$([N+](=O)[O-])]~[#7,#8]",),
    ),
    "nitrate-or-nitramine": StructuralRule("a nitro group on oxygen or nitrogen: explosive", ("[#7,#8]-[N+](=O)[O-]",)),
    "nitroso": StructuralRule("a nitroso group: reactive and toxic", ("*-[NX2]=O",)),
    "azo": StructuralRule(
        "a double bond between nitrogens outside of an aromatic ring: loses N2", ("[NX2;!a]=[#7;!a]",)
    ),
    "diazo-or-azide": StructuralRule("a diazo or azide group: loses N2", ("[#6,#7]=[N+]=[N-,#7]", "[N+]#[#7,#6]")),
    "hydrazine": StructuralRule(
        "a bond between nitrogens without a carbonyl group beside: easily oxidized",
        (f"[NX3;!a;{NOT_ACYL}]-[NX3;!a;{NOT_ACYL}]",),
    ),
    "hydroxylamine": StructuralRule(
        "a single bond between nitrogen and oxygen without a carbonyl group beside: easily cleaved",
        (f"[NX3;!a;{NOT_ACYL}]-[OX2]",),
    ),
    "oxygen-sulfur": StructuralRule("divalent sulfur bound to oxygen: reactive", ("[#16X2]-[#8X2]",)),
    "sulfenamide": StructuralRule("divalent sulfur bound to nitrogen: hydrolyzes", ("[#16X2;!a]-[#7;!a]",)),
    "polysulfide": StructuralRule("three neighboring sulfur atoms: disproportionates", ("[#16]-[#16]-[#16]",)),
    "hypervalent-sulfur": StructuralRule(
        "sulfur(IV) or (VI) without a double bond to oxygen or nitrogen: fleeting",
        ("[#16;v4,v6;!$(*=[O,N]);!a;!$(*(F)(F)(F)F)]", "[#16;v4,v6;!H0]", "[#16;v4,v6]=[#6]"),
    ),
    "hypervalent-phosphorus": StructuralRule(
        "phosphorus(V) without a double bond to oxygen, sulfur or nitrogen: fleeting",
        ("[#15v5;!$(*=[O,S,N])]", "[#15;!H0;!$(*=O)]"),
    ),
    "heteroatom-halogen": StructuralRule(
        "a halogen on nitrogen, oxygen or divalent sulfur: oxidizing", ("[#7,#8,#16X2]-[F,Cl,Br,I]",)
    ),
    "acyl-halide": StructuralRule(
        "a chloride, bromide or iodide of an acid, or an acyl fluoride: hydrolyzes",
        ("[#6X3](=[#7,#8,#16])[F,Cl,Br,I;!$(*C(=N)N)]", "[#16](=O)[Cl,Br,I]", "[#15][Cl,Br,I]"),
    ),
    "anhydride": StructuralRule(
        "an open-chain anhydride, or a mixed one: hydrolyzes",
        ("[#6X3](=[O,S])-!@[O,S]-!@[#6X3]=[O,S]", "[#6X3](=O)-[O,S]-[#16](=O)", "[#6X3](=O)-[#8]-[#7X2]=O"),
    ),
    "hemiacetal": StructuralRule(
        "a hydroxyl, thiol or amino group on a carbon with another heteroatom (gem-diol, hemiacetal, hemiaminal, "
        "aminal): falls apart",
        (
            f"[#8,#16;X2;!H0]-[CX4]-[#7,#8,#16;{NOT_ACYL};!a]",
            "[#8,#16;X2;!H0]-[CX4]-[F,Cl,Br,I]",
            f"[#7X3;!H0;!a;{NOT_ACYL}]-[CX4;!R]-[#7,#8,#16;{NOT_ACYL};!a]",
            "[#8X2;H1]-[CX4;!R]-[#7X3]",
        ),
    ),
    "alpha-haloamine": StructuralRule(
        "a halogen on a carbon with a nitrogen, or a heavier one on a carbon with oxygen or sulfur: ionizes",
        ("[#7X3;!a]-[CX4;!$(C(F)(F)F);!$(C(F)F)]-[F,Cl,Br,I]", "[#8X2,#16X2,#7]-[CX4]-[Cl,Br,I]"),
    ),
    "crowded-carbon": StructuralRule(
        "an open-chain carbon with three oxygen, nitrogen or sulfur neighbors by single bonds: hydrolyzes",
        ("[CX4;!R](-[#7,#8,#16])(-[#7,#8,#16])-[#7,#8,#16]",),
    ),
    "enol": StructuralRule(
        "a hydroxyl or thiol group on an open double bond, which becomes a carbonyl group",
        (
            "[#8,#16;X2;!H0]-[CX3;!$(C=[O,S]);!$(C-C=O)]=[CX3;!$(C-[#6X3]=O);!$(C-C#N)]",
            "[#8,#16;X2;!H0]-[CX3]=[NX2]",
            "[#8,#16;X2;!H0]-[CX2]#[C]",
        ),
    ),
    "enamine": StructuralRule(
        "an amino group with hydrogen on an isolated double bond, which becomes an imine",
        (
            f"[NX3;!H0;!a;{NOT_ACYL}]-[CX3;!$(C-[#6X3]=O)]=[CX3;!$(C-[#6X3]=[O,N,S]);!$(C-[$(C#N),$(S=O),$([N+]=O)]);!R]",
        ),
    ),
    "imine": StructuralRule(
        "an open imine of an aliphatic carbon or with hydrogen on its nitrogen: hydrolyzes",
        ("[NX2;H1]=[#6X3;!$(C[N,O,S,n])]", "[NX2;H0;!R;$(N-[CX4])]=!@[#6X3;!R;!$(C[N,O,S]);!$(C-a)]"),
    ),
    "unstable-acid": StructuralRule(
        "a carbamic, carbonic or thio analog acid, which loses CO2", ("[#7,#8,#16]-[#6X3](=[O,S])-[O,S;X2;!H0]",)
    ),
    "thiocarbonyl": StructuralRule("a thioaldehyde or thioketone: polymerizes", ("[#6X3;!$(*[#7,#8,#16])]=[SX1]",)),
    "polyyne": StructuralRule("neighboring triple bonds: explosive", ("*#[#6]-[#6]#*",)),
    "heteroatom-alkyne": StructuralRule(
        "a triple bond beside a heteroatom (ynol, ynamine, cyanate, cyanamide): reactive",
        ("[#7,#8,#16X2,F,Cl,Br,I]-[CX2]#[#6,#7]",),
    ),
    "polyene": StructuralRule(
        "an open chain of three conjugated double bonds between carbons: polymerizes",
        ("[#6]=!@[#6]-!@[#6]=!@[#6]-!@[#6]=!@[#6]",),
    ),
    "dicarbonyl-chain": StructuralRule(
        "three neighboring carbonyl groups: hydrates and falls apart", ("[#6X3](=O)-[#6X3](=O)-[#6X3]=O",)
    ),
}


def _bridgehead_double_bond(molecule: Any) -> bool:
    from rdkit.Chem import rdMolDescriptors

    atoms: Any = []  # RDKit's stubs do not know that it may be a list
    rdMolDescriptors.CalcNumBridgeheadAtoms(molecule, atoms)
    return any(_is_flat(molecule.GetAtomWithIdx(atom)) for atom in atoms)


def _is_flat(atom: Any) -> bool:
    """Whether a ring bond of the atom is a double or aromatic one."""
    return any(bond.IsInRing() and bond.GetBondTypeAsDouble() > 1.0 for bond in atom.GetBonds())


def _fused_small_rings(molecule: Any) -> bool:
    small = [set(ring) for ring in molecule.GetRingInfo().BondRings() if len(ring) <= SMALL_RING]
    return any(one & other for place, one in enumerate(small) for other in small[place + 1 :])


def _large_ring(molecule: Any) -> bool:
    return any(len(ring) > LARGEST_RING for ring in molecule.GetRingInfo().AtomRings())


_RING_RULES = {
    "bridgehead-double-bond": _bridgehead_double_bond,
    "fused-small-rings": _fused_small_rings,
    "large-ring": _large_ring,
}


def broken_rule(molecule: Any, allow: Iterable[str] = ()) -> str | None:
    """The name of the first structural rule that a sanitized RDKit molecule breaks; None if it breaks none.

    Args:
        molecule: to look at.
        allow: names of rules that do not count.
    """
    for name, patterns in _compiled().items():
        if name not in allow:
            rings = _RING_RULES.get(name)
            if rings(molecule) if rings else any(map(molecule.HasSubstructMatch, patterns)):
                return name
    return None


@cache
def _compiled() -> Mapping[str, tuple[Any, ...]]:
    from rdkit import Chem

    return {name: tuple(map(Chem.MolFromSmarts, rule.smarts)) for name, rule in STRUCTURAL_RULES.items()}
