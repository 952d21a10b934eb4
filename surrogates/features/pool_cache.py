"""Features of a large pool of molecules, computed once, block by block, and cached on disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.disk_cache import DiskCache

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 2_000
"""Molecules computed together: a block of fingerprints is a matrix of its own."""
CACHE = DiskCache("features")


def cached_features(
    compute: Callable[[Sequence[str]], NDArray[np.float64]], smiles: Sequence[str], *, width: int, about: str
) -> NDArray[np.float32]:
    """Features of molecules in single precision, shape ``n x width``, from disk where they were computed before.

    Interrupted, it goes on with the first block that is not on disk.

    Args:
        compute: features of a block of molecules. They may depend on the whole pool, as principal components do.
        smiles: of all of them.
        width: of a row.
        about: distinguishes these features from others of the same molecules.
    """
    digest = hashlib.sha256()
    for text in smiles:
        digest.update(text.encode() + b"\n")
    key = (digest.hexdigest(), about, str(width), f"rdkit {version('rdkit')}")
    matrix = np.empty((len(smiles), width), dtype=np.float32)
    for start in range(0, len(smiles), BLOCK):
        block = smiles[start : start + BLOCK]
        matrix[start : start + BLOCK] = CACHE.result(
            (*key, str(start)),
            lambda block=block: compute(block).astype(np.float32),  # type: ignore[misc]
        )
    return matrix
