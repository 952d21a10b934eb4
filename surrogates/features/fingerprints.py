"""Count Morgan fingerprints: which circular neighborhoods of atoms a molecule holds, and how many of each.

Rogers and Hahn 2010, doi:10.1021/ci100050t, as RDKit implements them.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.errors import InputError
from invdesign.surrogates.features.smiles import molecule_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

RADIUS = 2
SIZE = 2048


@cache
def _generator() -> Any:
    from rdkit.Chem import rdFingerprintGenerator

    return rdFingerprintGenerator.GetMorganGenerator(radius=RADIUS, fpSize=SIZE)


@lru_cache(maxsize=20_000)
def _fingerprint_of(smiles: str) -> NDArray[np.uint8]:
    return np.minimum(_generator().GetCountFingerprintAsNumPy(_read(smiles)), 255).astype(np.uint8)


def _read(smiles: str) -> Any:
    molecule = molecule_of(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is not a molecule that RDKit can read.")
    return molecule


def bit_fingerprints(smiles: Sequence[str]) -> list[Any]:
    """Fingerprints of molecules as RDKit's bit vectors: which neighborhoods each holds, for Tanimoto similarities.

    Raises:
        InputError: if a SMILES cannot be read.
    """
    return [_generator().GetFingerprint(_read(text)) for text in smiles]


def count_fingerprints(smiles: Sequence[str]) -> NDArray[np.uint8]:
    """Count fingerprints of molecules, shape ``n x SIZE``; a count beyond 255 counts as 255.

    Raises:
        InputError: if a SMILES cannot be read.
    """
    return np.stack([_fingerprint_of(text) for text in smiles]) if len(smiles) else np.empty((0, SIZE), dtype=np.uint8)
