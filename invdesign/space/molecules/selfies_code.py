"""A code of fixed length for molecules: SELFIES symbols, each a bin of one coordinate of the unit cube.

Every string of SELFIES symbols is a molecule (Krenn et al. 2020, doi:10.1088/2632-2153/aba947), so every point is one.
Bins differ in width: half of the coordinate is shared out equally, half by how often the seeds use a symbol. A random
point is then more often like a molecule that somebody might make than one of equal bins.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.space.molecules.rules import constitution

if TYPE_CHECKING:
    from numpy.typing import NDArray

NOTHING = "[nop]"
_BRANCH_OR_RING = re.compile(r"\[[=#]?(Branch|Ring)[12]\]")
_PLAIN_ATOM = re.compile(r"\[[=#]?([A-Z][a-z]?)\]")
_WITH_HYDROGEN = re.compile(r"\[([=#]?(?:B|C|N|O|P|S))H\d?\]")
Symbols = tuple[str, ...]


@dataclass(frozen=True)
class SelfiesCode:
    """Turns molecules into points of the unit cube and points into molecules.

    Attributes:
        alphabet: the symbols, the empty one first.
        edges: where each symbol's bin ends, from above zero to one.
        length: symbols a molecule, and coordinates a point.
    """

    alphabet: Symbols
    edges: tuple[float, ...]
    length: int

    @classmethod
    def of(cls, elements: Iterable[str], seeds: Sequence[str], length: int) -> SelfiesCode:
        """Makes a code of the neutral atoms of the elements, branches, rings, and whatever the seeds need besides.

        Args:
            elements: symbols of the elements.
            seeds: canonical SMILES; charged atoms, for example, are in the alphabet where a seed has one.
            length: symbols a molecule.
        """
        import selfies

        allowed = set(elements) - {"H"}
        symbols = {
            symbol
            for symbol in selfies.get_semantic_robust_alphabet()
            if _BRANCH_OR_RING.fullmatch(symbol)
            or ((atom := _PLAIN_ATOM.fullmatch(symbol)) is not None and atom[1] in allowed)
        }
        used = Counter(symbol for smiles in seeds for symbol in _symbols(smiles))
        alphabet = (NOTHING, *sorted(symbols | used.keys()))
        shares = [0.5 / len(alphabet) + 0.5 * used[symbol] / max(1, used.total()) for symbol in alphabet]
        edges = np.cumsum(shares) / np.sum(shares)
        return cls(alphabet, tuple(edges.tolist()), length)

    def symbols(self, point: NDArray[np.float64]) -> Symbols:
        """The symbols of a point, without empty ones."""
        bins = np.minimum(np.searchsorted(self.edges, point, side="right"), len(self.alphabet) - 1)
        return tuple(self.alphabet[each] for each in bins.tolist() if each)

    def point(self, symbols: Symbols) -> NDArray[np.float64]:
        """The middle of the symbols' bins, filled up with empty symbols, shape ``length``."""
        bins = np.zeros(self.length, dtype=np.int64)
        bins[: len(symbols)] = [self._place[symbol] for symbol in symbols]
        ends = np.concatenate([[0.0], self.edges])
        return 0.5 * (ends[bins] + ends[bins + 1])

    def text(self, symbols: Symbols) -> str:
        """A SMILES of symbols, not yet canonical; nothing where they stand for no atom."""
        import selfies

        return str(selfies.decoder("".join(symbols)))

    def written(self, smiles: str) -> Symbols:
        """Symbols that stand for this molecule.

        Several ways of writing it are tried, starting from each atom: the first that fits is taken. If none fits, the
        symbols of the alphabet among the first ones of the canonical SMILES are.

        Args:
            smiles: canonical.
        """
        for start in _writings(smiles):
            symbols = _symbols(start)
            known = len(symbols) <= self.length and all(symbol in self._place for symbol in symbols)
            if known and constitution(self.text(symbols)) == smiles:
                return symbols
        return tuple(symbol for symbol in _symbols(smiles) if symbol in self._place)[: self.length]

    @cached_property
    def _place(self) -> dict[str, int]:
        return {symbol: place for place, symbol in enumerate(self.alphabet)}


def _symbols(smiles: str) -> Symbols:
    import selfies

    try:
        symbols = selfies.split_selfies(selfies.encoder(smiles))
    except selfies.EncoderError:  # such as a valence that SELFIES does not know
        return ()
    # The hydrogens of [NH1] follow from its valence, as they do from that of [N], which is in every alphabet.
    return tuple(_WITH_HYDROGEN.sub(r"[\1]", symbol) for symbol in symbols)


def _writings(smiles: str) -> Iterable[str]:
    from rdkit import Chem

    yield smiles
    molecule = Chem.MolFromSmiles(smiles)
    for atom in range(molecule.GetNumAtoms()):
        yield str(Chem.MolToSmiles(molecule, rootedAtAtom=atom))
