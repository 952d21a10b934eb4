"""Small random changes of molecules, and their crossover, on the molecular graph.

The moves are those that Jensen (2019, doi:10.1039/C8SC05372C) describes for a graph-based genetic algorithm: append,
insert, delete or exchange an atom, change the order of a bond, open or close a ring; and for crossover, cut one bond of
each parent (or two of a ring) and join a part of one with a part of the other. Written anew from that description.
Each depends on nothing but the molecules and the state of the generator. What comes out is read again by RDKit: None
stands for a molecule that cannot be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Self

import numpy as np

from invdesign.space.molecules.rules import atoms_of, constitution

MOST_ORDER = 3
RING_SIZES = (3, 4, 5, 6, 7)
RING_WEIGHTS = (0.05, 0.05, 0.4, 0.45, 0.05)
RARE = 0.01
"""What is added to the share of each element, so that those which no seed has are drawn too."""
PARSED = 10_000


@dataclass(frozen=True)
class ElementShares:
    """How often new atoms are of each element.

    Attributes:
        symbols: of the elements, without hydrogen.
        shares: of each, which sum to one.
    """

    symbols: tuple[str, ...]
    shares: tuple[float, ...]

    @classmethod
    def like(cls, elements: Iterable[str], molecules: Iterable[str]) -> Self:
        """The elements in the proportions that they have in molecules.

        Args:
            elements: symbols; hydrogen is left out.
            molecules: SMILES.
        """
        from rdkit import Chem

        symbols = tuple(symbol for symbol in elements if symbol != "H")
        atoms = Counter(atom.GetSymbol() for smiles in molecules for atom in Chem.MolFromSmiles(smiles).GetAtoms())
        total = sum(atoms[symbol] for symbol in symbols)
        counts = [atoms[symbol] / max(1, total) + RARE for symbol in symbols]
        return cls(symbols, tuple(count / sum(counts) for count in counts))

    def without(self, symbol: str) -> ElementShares | None:
        """The other elements in the same proportions; None if there are none."""
        others = [(one, share) for one, share in zip(self.symbols, self.shares, strict=True) if one != symbol]
        total = sum(share for _, share in others)
        return ElementShares(tuple(s for s, _ in others), tuple(x / total for _, x in others)) if others else None


Move = Callable[[Any, ElementShares, np.random.Generator], bool]


def mutated(smiles: str, elements: ElementShares, rng: np.random.Generator) -> str | None:
    """Applies one random move.

    Args:
        smiles: of the molecule.
        elements: of which a new atom may be.
        rng: source of randomness.

    Returns:
        Canonical SMILES; None if the move cannot be made here or gives no valid molecule.
    """
    graph = _editable(smiles)
    move = _MOVES[int(rng.choice(len(_MOVES), p=_WEIGHTS))]
    return _finished(graph) if move(graph, elements, rng) else None


def crossed(first: str, second: str, rng: np.random.Generator) -> str | None:
    """Joins a part of one molecule with a part of another.

    Args:
        first: SMILES of a parent.
        second: SMILES of the other.
        rng: source of randomness.

    Returns:
        Canonical SMILES; None if a parent cannot be cut or the parts give no valid molecule.
    """
    ring = bool(rng.random() < 0.5)
    parts = [_part(_editable(smiles), rng, ring=ring) for smiles in (first, second)]
    if parts[0] is None or parts[1] is None:
        return None
    from rdkit import Chem

    (left, left_ends), (right, right_ends) = parts[0], parts[1]
    graph = Chem.RWMol(Chem.CombineMols(left, right))
    right_ends = [end + left.GetNumAtoms() for end in right_ends]
    if rng.random() < 0.5:
        right_ends.reverse()
    for start, end in zip(left_ends, right_ends, strict=True):
        if start == end or graph.GetBondBetweenAtoms(start, end) is not None:
            return None
        graph.AddBond(start, end, _order(1 + int(ring and rng.random() < 0.2)))
    return _finished(graph)


def _editable(smiles: str) -> Any:
    """A copy of the molecule to change."""
    from rdkit import Chem

    return Chem.RWMol(_kekulized(smiles))


@lru_cache(maxsize=PARSED)
def _kekulized(smiles: str) -> Any:
    """The molecule with single and double bonds instead of aromatic ones, hydrogens left to the valences."""
    from rdkit import Chem

    graph = Chem.RWMol(Chem.MolFromSmiles(smiles))
    Chem.Kekulize(graph, clearAromaticFlags=True)
    for atom in atoms_of(graph):
        if not atom.GetFormalCharge():
            atom.SetNoImplicit(False)
            atom.SetNumExplicitHs(0)
    return graph


def _finished(graph: Any) -> str | None:
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    with BlockLogs():
        if Chem.SanitizeMol(graph, catchErrors=True) != Chem.SanitizeFlags.SANITIZE_NONE:
            return None
        return constitution(Chem.MolToSmiles(graph))


def _part(graph: Any, rng: np.random.Generator, *, ring: bool) -> tuple[Any, list[int]] | None:
    """One of the two parts into which random cuts divide a molecule, and its atoms at the cuts."""
    from rdkit import Chem

    cuts = _ring_cuts(graph, rng) if ring else _chain_cut(graph, rng)
    if cuts is None:
        return None
    for start, end in cuts:
        graph.RemoveBond(start, end)
    atoms = Chem.GetMolFrags(graph)
    if len(atoms) != 2:
        return None
    kept = set(atoms[int(rng.integers(2))])
    ends = [start if start in kept else end for start, end in cuts]
    graph.BeginBatchEdit()
    for atom in range(graph.GetNumAtoms()):
        if atom not in kept:
            graph.RemoveAtom(atom)
    graph.CommitBatchEdit()
    renumbered = {old: new for new, old in enumerate(sorted(kept))}
    return graph, [renumbered[end] for end in ends]


def _chain_cut(graph: Any, rng: np.random.Generator) -> list[tuple[int, int]] | None:
    bonds = [bond for bond in _bonds(graph) if not bond.IsInRing() and bond.GetBondTypeAsDouble() == 1.0]
    return [_ends(bonds[int(rng.integers(len(bonds)))])] if bonds else None


def _ring_cuts(graph: Any, rng: np.random.Generator) -> list[tuple[int, int]] | None:
    rings = graph.GetRingInfo().BondRings()
    if not rings:
        return None
    ring = rings[int(rng.integers(len(rings)))]
    chosen = sorted(rng.choice(len(ring), size=2, replace=False).tolist())
    return [_ends(graph.GetBondWithIdx(ring[place])) for place in chosen]


def _bonds(graph: Any) -> list[Any]:
    return [graph.GetBondWithIdx(place) for place in range(graph.GetNumBonds())]


def _ends(bond: Any) -> tuple[int, int]:
    return bond.GetBeginAtomIdx(), bond.GetEndAtomIdx()


def _append_atom(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    open_atoms = [atom.GetIdx() for atom in atoms_of(graph) if _free(atom)]
    if not open_atoms:
        return False
    new = graph.AddAtom(_atom(elements, rng))
    order = int(rng.choice(MOST_ORDER, p=(0.8, 0.15, 0.05))) + 1
    graph.AddBond(open_atoms[int(rng.integers(len(open_atoms)))], new, _order(order))
    return True


def _insert_atom(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    bonds = _bonds(graph)
    if not bonds:
        return False
    start, end = _ends(bonds[int(rng.integers(len(bonds)))])
    new = graph.AddAtom(_atom(elements, rng))
    graph.RemoveBond(start, end)
    graph.AddBond(start, new, _order(1))
    graph.AddBond(new, end, _order(1))
    return True


def _delete_atom(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    """Takes an atom away: an end, or one between two others, which are then bound to each other."""
    light = [atom.GetIdx() for atom in atoms_of(graph) if atom.GetDegree() <= 2]
    if not light or graph.GetNumAtoms() < 2:
        return False
    gone = light[int(rng.integers(len(light)))]
    beside = [atom.GetIdx() for atom in graph.GetAtomWithIdx(gone).GetNeighbors()]
    if len(beside) == 2 and graph.GetBondBetweenAtoms(*beside) is None:
        graph.AddBond(*beside, _order(1))
    graph.RemoveAtom(gone)
    return True


def _exchange_atom(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    plain = [atom for atom in atoms_of(graph) if not atom.GetFormalCharge()]
    if not plain:
        return False
    atom = plain[int(rng.integers(len(plain)))]
    others = elements.without(atom.GetSymbol())
    if others is None:
        return False
    graph.ReplaceAtom(atom.GetIdx(), _atom(others, rng))
    return True


def _change_order(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    bonds = _bonds(graph)
    if not bonds:
        return False
    bond = bonds[int(rng.integers(len(bonds)))]
    orders = [order for order in range(1, MOST_ORDER + 1) if order != bond.GetBondTypeAsDouble()]
    bond.SetBondType(_order(orders[int(rng.integers(len(orders)))]))
    return True


def _open_ring(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    bonds = [bond for bond in _bonds(graph) if bond.IsInRing() and bond.GetBondTypeAsDouble() == 1.0]
    if not bonds:
        return False
    graph.RemoveBond(*_ends(bonds[int(rng.integers(len(bonds)))]))
    return True


def _close_ring(graph: Any, elements: ElementShares, rng: np.random.Generator) -> bool:
    from rdkit import Chem

    size = int(rng.choice(RING_SIZES, p=RING_WEIGHTS))
    distances = Chem.GetDistanceMatrix(graph)
    open_atoms = [atom.GetIdx() for atom in atoms_of(graph) if _free(atom)]
    pairs = [
        (start, end)
        for place, start in enumerate(open_atoms)
        for end in open_atoms[place + 1 :]
        if distances[start, end] == size - 1
    ]
    if not pairs:
        return False
    graph.AddBond(*pairs[int(rng.integers(len(pairs)))], _order(1))
    return True


def _free(atom: Any) -> bool:
    """Whether the atom bears a hydrogen that another bond may replace."""
    return bool(atom.GetTotalNumHs())


def _atom(elements: ElementShares, rng: np.random.Generator) -> Any:
    from rdkit import Chem

    return Chem.Atom(elements.symbols[int(np.searchsorted(np.cumsum(elements.shares)[:-1], rng.random()))])


def _order(order: int) -> Any:
    from rdkit.Chem import BondType

    return (BondType.SINGLE, BondType.DOUBLE, BondType.TRIPLE)[order - 1]


_CHOICES: Sequence[tuple[Move, float]] = (
    (_append_atom, 0.25),
    (_insert_atom, 0.15),
    (_delete_atom, 0.15),
    (_exchange_atom, 0.20),
    (_change_order, 0.10),
    (_open_ring, 0.05),
    (_close_ring, 0.10),
)
_MOVES = tuple(move for move, _ in _CHOICES)
_WEIGHTS = tuple(weight for _, weight in _CHOICES)
