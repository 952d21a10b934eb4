"""Canonical SMILES: one molecule, one string, so that equal molecules are equal strings."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

MOST_ATOMS = 1_000
"""Atoms besides hydrogen above which a SMILES is refused before RDKit reads it, whose time grows faster than atoms."""
LATEST = 2_100
"""Molecules that are kept after they were read: those of a block of a screen."""
_ATOM = re.compile(r"\[[^\]]*\]?|Br|Cl|[BCNOPSFIbcnops]")
_HYDROGEN = re.compile(r"\[\d*H[^a-z]")


def canonical_smiles(smiles: Iterable[object]) -> list[str | None]:
    """Rewrites SMILES in RDKit's canonical form (Weininger 1989, as RDKit implements it).

    Args:
        smiles: anything that should be a SMILES string.

    Returns:
        The canonical SMILES of each, or None if RDKit reads no molecule (an empty one counts as none) or it has
        more than ``MOST_ATOMS`` atoms.
    """
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    canonical: list[str | None] = []
    blocked = BlockLogs()  # RDKit writes each failure to stderr; the caller reports them with their lines instead
    for text in smiles:
        readable = isinstance(text, str) and text.strip() and not is_too_large(text)
        molecule = Chem.MolFromSmiles(text) if readable else None
        canonical.append(Chem.MolToSmiles(molecule) if molecule is not None and molecule.GetNumAtoms() else None)
    del blocked
    return canonical


@lru_cache(maxsize=LATEST)
def molecule_of(smiles: str) -> Any:
    """The RDKit molecule of a SMILES, which must not be changed; None if RDKit reads none, or it has no atoms.

    The latest ones are kept: a molecule is checked, described and drawn from one reading.
    """
    from rdkit import Chem

    molecule = Chem.MolFromSmiles(smiles) if not is_too_large(smiles) else None
    return molecule if molecule is not None and molecule.GetNumAtoms() else None


def are_molecules(smiles: Iterable[object]) -> list[bool]:
    """Whether each text is a SMILES that RDKit can read, as ``canonical_smiles`` would find."""
    from rdkit.rdBase import BlockLogs

    blocked = BlockLogs()
    found = [isinstance(text, str) and molecule_of(text) is not None for text in smiles]
    del blocked
    return found


def canonical_or_given(smiles: Iterable[object]) -> list[object]:
    """Canonical SMILES; what is not a molecule stays as it is, for the message of whoever checks it."""
    given = list(smiles)
    return [new or old for new, old in zip(canonical_smiles(given), given, strict=True)]


def smiles_problem(text: object) -> str:
    """Why a text is not a molecule, such as an invalid valence, in RDKit's words where it has any.

    Args:
        text: a text for which ``canonical_smiles`` gives None.
    """
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    if not isinstance(text, str) or not text.strip():
        return "it is empty"
    if is_too_large(text):
        return f"it has more than {MOST_ATOMS:,} atoms"
    blocked = BlockLogs()
    molecule: Any = Chem.MolFromSmiles(text, sanitize=False)
    problems = Chem.DetectChemistryProblems(molecule) if molecule is not None else ()
    del blocked
    if molecule is None:
        return "its syntax is invalid, such as an open ring or bracket or an unknown element"
    return str(problems[0].Message()) if problems else "it is empty"


def is_too_large(text: str) -> bool:
    """Whether a SMILES has more than ``MOST_ATOMS`` atoms besides hydrogen, counted without RDKit."""
    if len(text) <= MOST_ATOMS:
        return False
    atoms = (found for found in _ATOM.finditer(text) if not _HYDROGEN.match(found[0]))
    return sum(1 for _ in zip(range(MOST_ATOMS + 1), atoms, strict=False)) > MOST_ATOMS or len(text) > 100 * MOST_ATOMS
