"""Which substituents make a molecule: a library's scaffold is found in it, and what hangs on it is looked up."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from invdesign.space.molecules.fragments import Fragment, joined

MOST_MATCHES = 1000
HYDROGEN = "[H]*"
Choice = tuple[int, ...]


@dataclass(frozen=True)
class Decomposition:
    """Takes molecules of a library apart.

    Substituents that bear attachment points themselves are made part of the scaffold first, so that there is a scaffold
    for each choice of them. Where one is found in a molecule, every bond to an attachment point is cut and the pieces
    are looked up among the substituents.

    Attributes:
        scaffold: of the library.
        numbers: of the attachment points, in the order of the choices.
        fragments: the substituents of each.
    """

    scaffold: Fragment
    numbers: tuple[int, ...]
    fragments: tuple[tuple[Fragment, ...], ...]

    def choices(self, smiles: str) -> list[Choice]:
        """Choices of substituents that may give a molecule, in ascending order; to be checked by building them.

        Args:
            smiles: canonical.
        """
        from rdkit import Chem

        heavy = Chem.MolFromSmiles(smiles)
        molecule = Chem.AddHs(heavy)  # adds them behind the heavy atoms, whose numbers stay
        written: dict[tuple[int, int], str] = {}
        found: set[Choice] = set()
        for linkers, core in self._cores:
            matches = molecule.GetSubstructMatches(
                core.query, uniquify=False, useChirality=True, maxMatches=MOST_MATCHES
            )
            for match in filter(core.complete(molecule), matches):
                places: dict[int, int | None] = dict(linkers)
                for number, (point, bearer) in core.points.items():
                    cut = match[bearer], match[point]
                    if cut not in written:
                        written[cut] = _piece(heavy, *cut)
                    places[number] = self._places[self.numbers.index(number)].get(written[cut])
                found.add(tuple(-1 if (place := places[number]) is None else place for number in self.numbers))
        return sorted(choice for choice in found if min(choice) >= 0)

    @cached_property
    def _places(self) -> tuple[dict[str, int], ...]:
        return tuple(
            {_as_piece(fragment): place for place, fragment in enumerate(listed) if not fragment.points}
            for listed in self.fragments
        )

    @cached_property
    def _cores(self) -> list[tuple[dict[int, int], _Core]]:
        bearers = [column for column, listed in enumerate(self.fragments) if listed[0].points]
        cores = []
        for places in itertools.product(*(range(len(self.fragments[column])) for column in bearers)):
            text = self.scaffold.text
            pending = dict(zip(bearers, places, strict=True))
            while pending:
                column = next(column for column in pending if f"[*:{self.numbers[column]}]" in text)
                text = joined(
                    text, self.numbers[column], self.fragments[column][pending.pop(column)], 100 * (column + 1)
                )
            linkers = {self.numbers[column]: place for column, place in zip(bearers, places, strict=True)}
            cores.append((linkers, _Core.of(text)))
        return cores


@dataclass(frozen=True)
class _Core:
    """A scaffold as a query: its points match any atom, and its other atoms bear nothing besides.

    Attributes:
        query: for RDKit.
        points: place in the query of each attachment point's atom, by number, and of the atom that bears it.
        degrees: neighbors, hydrogens included, of each atom of the query; zero for an attachment point.
    """

    query: Any
    points: dict[int, tuple[int, int]]
    degrees: tuple[int, ...]

    @classmethod
    def of(cls, text: str) -> _Core:
        from rdkit import Chem

        molecule = Chem.MolFromSmiles(text)
        points = {
            atom.GetAtomMapNum(): (atom.GetIdx(), atom.GetNeighbors()[0].GetIdx())
            for atom in molecule.GetAtoms()
            if not atom.GetAtomicNum()
        }
        degrees = tuple(
            atom.GetDegree() + atom.GetTotalNumHs() if atom.GetAtomicNum() else 0 for atom in molecule.GetAtoms()
        )
        settings: Any = Chem.AdjustQueryParameters.NoAdjustments()
        settings.makeDummiesQueries = True
        for atom in molecule.GetAtoms():
            atom.SetAtomMapNum(0)
        return cls(Chem.AdjustQueryProperties(molecule, settings), points, degrees)

    def complete(self, molecule: Any) -> Callable[[Sequence[int]], bool]:
        """A test whether a match in a molecule (with its hydrogens) leaves no bond that the scaffold has not."""
        found = [atom.GetDegree() for atom in molecule.GetAtoms()]
        return lambda match: all(
            not degree or found[place] == degree for place, degree in zip(match, self.degrees, strict=True)
        )


def _piece(molecule: Any, bearer: int, point: int) -> str:
    """What hangs on an atom of the scaffold behind one bond, ``*`` for that atom; nothing where a ring holds both."""
    from rdkit import Chem

    if point >= molecule.GetNumAtoms():
        return HYDROGEN
    bond = molecule.GetBondBetweenAtoms(bearer, point)
    if bond.IsInRing():
        return ""
    atoms: list[tuple[int, ...]] = []
    cut = Chem.FragmentOnBonds(molecule, [bond.GetIdx()], dummyLabels=[(0, 0)])
    parts = Chem.GetMolFrags(cut, asMols=True, sanitizeFrags=False, fragsMolAtomMapping=atoms)
    return next(str(Chem.MolToSmiles(part)) for part, members in zip(parts, atoms, strict=True) if point in members)


def _as_piece(fragment: Fragment) -> str:
    """A substituent as ``_piece`` writes it."""
    from rdkit import Chem

    if fragment.text == "[H]":
        return HYDROGEN
    return str(Chem.MolToSmiles(Chem.MolFromSmiles(f"*{fragment.bond}{fragment.text}")))
