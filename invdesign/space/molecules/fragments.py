"""Fragments with attachment points, written so that molecules are put together as text.

The SMILES of a substituent, written from its attachment point on, may stand in the scaffold's SMILES in the place of an
attachment point: the bond, the valence and the order of neighbors (and with it the stereochemistry) are then right.
Only ring numbers must differ. One parse by RDKit then gives the molecule.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from invdesign.core.errors import InputError

KEPT = 10_000
"""Fragments that are kept after their ring numbers were raised: a library uses the same ones again and again."""
_BOND_WORDS = {"": "single", "-": "single", "=": "double", "#": "triple"}
_RING_OR_ATOM = re.compile(r"\[[^\]]*\]|%\(\d+\)|%\d\d|\d")
_FREE_POINT = re.compile(r"(?P<bond>[=#-]?)\[\*:(?P<number>\d+)\]")


@dataclass(frozen=True)
class Fragment:
    """A scaffold, or a substituent of it.

    Attributes:
        smiles: as the user wrote it.
        text: SMILES with a token ``[*:n]`` for each attachment point; a substituent starts at the atom that is bound.
        bond: the bond by which a substituent is bound: nothing for a single one, ``=`` or ``#``.
        points: the bond at each attachment point, by its number.
    """

    smiles: str
    text: str
    bond: str
    points: dict[int, str]

    @property
    def bond_word(self) -> str:
        """The bond of a substituent in words."""
        return _BOND_WORDS[self.bond]


def scaffold_fragment(smiles: str) -> Fragment:
    """Parses a scaffold.

    Args:
        smiles: with attachment points ``[*:1]``, ``[*:2]``, ..., each number once.

    Raises:
        InputError: if it cannot be read, has no attachment point, or one without a number or of several bonds.
    """
    molecule = _molecule(smiles, "scaffold")
    dummies = _dummies(molecule)
    numbers = [atom.GetAtomMapNum() for atom in dummies]
    if not dummies:
        raise InputError(f"The scaffold {smiles!r} has no attachment point. Write one as [*:1].")
    if 0 in numbers:
        raise InputError(f"An attachment point of the scaffold {smiles!r} has no number. Write it as [*:1].")
    _check_points(smiles, "scaffold", dummies)
    root = next((atom.GetIdx() for atom in molecule.GetAtoms() if atom.GetAtomicNum()), None)
    if root is None:
        raise InputError(f"The scaffold {smiles!r} has no atom.")
    return _fragment(smiles, _written(molecule, root), "")


def substituent_fragment(smiles: str, number: int) -> Fragment:
    """Parses a substituent of the attachment point ``number``.

    Args:
        smiles: with one attachment point ``*`` for the bond to the scaffold (more of them, numbered, for substituents
            of its own), or ``[H]``.
        number: of the point where it stands.

    Raises:
        InputError: if it cannot be read or has not exactly one such point.
    """
    if smiles.strip() in ("[H]", "*[H]", "[H]*", "[H][*]", "[*][H]"):
        return Fragment(smiles, "[H]", "", {})
    molecule = _molecule(smiles, f"substituent of [*:{number}]")
    own = [atom for atom in _dummies(molecule) if atom.GetAtomMapNum() in (0, number)]
    if len(own) != 1:
        raise InputError(
            f"The substituent {smiles!r} of [*:{number}] has {len(own) or 'no'} attachment point"
            f"{'s' if len(own) > 1 else ''} *, but needs exactly one, as in '*OC' for methoxy."
        )
    _check_points(smiles, f"substituent of [*:{number}]", _dummies(molecule))
    own[0].SetAtomMapNum(0)
    text = _written(molecule, own[0].GetIdx())
    if not text.startswith("*"):
        raise AssertionError(f"RDKit wrote {text} from another atom")  # pragma: no cover
    bond = text[1] if text[1] in "-=#" else ""
    return _fragment(smiles, text[1 + len(bond) :], "" if bond == "-" else bond)


def joined(outer: str, number: int, inner: Fragment, first_ring: int) -> str:
    """Replaces an attachment point by a substituent.

    Args:
        outer: text of the scaffold.
        number: of the point.
        inner: the substituent.
        first_ring: a ring number from which on the outer text uses none.
    """
    return outer.replace(f"[*:{number}]", with_rings_from(inner.text, first_ring))


@lru_cache(maxsize=KEPT)
def with_rings_from(text: str, first: int) -> str:
    """The same SMILES with its ring numbers raised by ``first``."""

    def raised(match: re.Match[str]) -> str:
        token = match.group()
        return token if token.startswith("[") else f"%({int(token.strip('%()')) + first})"

    return _RING_OR_ATOM.sub(raised, text) if first else text


def _fragment(smiles: str, text: str, bond: str) -> Fragment:
    points = {int(found["number"]): found["bond"].replace("-", "") for found in _FREE_POINT.finditer(text)}
    return Fragment(smiles, text, bond, points)


def _molecule(smiles: str, role: str) -> Any:
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    with BlockLogs():
        molecule = Chem.MolFromSmiles(smiles)
    if molecule is None or not molecule.GetNumAtoms():
        raise InputError(f"The {role}, {smiles!r}, is not a molecule that RDKit can read.")
    if len(Chem.GetMolFrags(molecule)) > 1:
        raise InputError(f"The {role}, {smiles!r}, is not connected. It must be a single molecule.")
    return molecule


def _dummies(molecule: Any) -> list[Any]:
    return [atom for atom in molecule.GetAtoms() if not atom.GetAtomicNum()]


def _check_points(smiles: str, role: str, dummies: list[Any]) -> None:
    numbers = [atom.GetAtomMapNum() for atom in dummies]
    for atom in dummies:
        if atom.GetDegree() != 1 or str(atom.GetBonds()[0].GetBondType()) not in ("SINGLE", "DOUBLE", "TRIPLE"):
            raise InputError(f"An attachment point of the {role}, {smiles!r}, must have one bond and lie in no ring.")
        if numbers.count(atom.GetAtomMapNum()) > 1:
            raise InputError(f"The {role}, {smiles!r}, has the point [*:{atom.GetAtomMapNum()}] more than once.")


def _written(molecule: Any, root: int) -> str:
    from rdkit import Chem

    return str(Chem.MolToSmiles(molecule, rootedAtAtom=root))
