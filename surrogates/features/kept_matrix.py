"""A matrix of features that is computed once, block by block, and kept on disk."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.disk_cache import cache_folder

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 2_000
"""Molecules computed together: a block of fingerprints is a matrix of its own."""


def kept_matrix(
    compute: Callable[[Sequence[str]], NDArray[np.float64]], smiles: Sequence[str], *, width: int, about: str
) -> NDArray[np.float32]:
    """Features of molecules in single precision, shape ``n x width``, from disk where they were computed before.

    Args:
        compute: features of a block of molecules.
        smiles: of all of them.
        width: of a row.
        about: tells these features from others of the same molecules.
    """
    digest = hashlib.sha256(f"{about} {width} rdkit {version('rdkit')}".encode())
    for text in smiles:
        digest.update(text.encode() + b"\n")
    path = cache_folder() / f"pool-{digest.hexdigest()[:32]}.npy"
    if path.is_file():
        return np.asarray(np.load(path, allow_pickle=False))
    matrix = np.empty((len(smiles), width), dtype=np.float32)
    for start in range(0, len(smiles), BLOCK):
        matrix[start : start + BLOCK] = compute(smiles[start : start + BLOCK])
    # Under another name first: a killed process leaves no half a matrix behind.
    partial = path.with_suffix(f".{os.getpid()}.tmp.npy")
    np.save(partial, matrix, allow_pickle=False)
    partial.replace(path)
    return matrix
