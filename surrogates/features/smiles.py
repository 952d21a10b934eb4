"""Canonical SMILES: one molecule, one string, so that equal molecules are equal strings."""

from __future__ import annotations

from collections.abc import Iterable


def canonical_smiles(smiles: Iterable[object]) -> list[str | None]:
    """Rewrites SMILES in RDKit's canonical form (Weininger 1989, as RDKit implements it).

    Args:
        smiles: anything that should be a SMILES string.

    Returns:
        The canonical SMILES of each, or None if RDKit reads no molecule (an empty one counts as none).
    """
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    canonical: list[str | None] = []
    blocked = BlockLogs()  # RDKit writes each failure to stderr; the caller reports them with their lines instead
    for text in smiles:
        molecule = Chem.MolFromSmiles(text) if isinstance(text, str) and text.strip() else None
        canonical.append(Chem.MolToSmiles(molecule) if molecule is not None and molecule.GetNumAtoms() else None)
    del blocked
    return canonical
