"""Molecules as numbers: RDKit's descriptors and their principal components."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from surrogates.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLOW_DESCRIPTORS = frozenset({"qed", "SPS", "Ipc", "AvgIpc", "BertzCT"})
"""Left out: composites that cost more than the rest together, or that grow beyond any scale (Ipc)."""
CLIP = 5.0
"""Standard deviations beyond which a descriptor is cut off, so that one odd molecule does not rule a component."""
LARGEST_FIT = 5_000
"""Molecules of a pool on which components are fitted; of a larger pool, that many at even distances."""


@lru_cache(maxsize=1)
def descriptor_names() -> tuple[str, ...]:
    """Names of the RDKit descriptors in use (Landrum, RDKit: Open-source cheminformatics, Descriptors module)."""
    from rdkit.Chem import Descriptors

    return tuple(name for name, _ in Descriptors.descList if name not in SLOW_DESCRIPTORS)


@lru_cache(maxsize=50_000)
def _descriptors_of(smiles: str) -> NDArray[np.float64]:
    from rdkit import Chem
    from rdkit.Chem import Descriptors

    molecule = Chem.MolFromSmiles(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is no molecule that RDKit can read.")
    wanted = set(descriptor_names())
    return np.array([function(molecule) for name, function in Descriptors.descList if name in wanted])


def descriptors(smiles: Sequence[str]) -> NDArray[np.float64]:
    """RDKit descriptors of molecules, shape ``n x len(descriptor_names())``; kept per molecule once computed.

    Raises:
        InputError: where a SMILES cannot be read.
    """
    return np.stack([_descriptors_of(text) for text in smiles]) if len(smiles) else np.empty((0, 0))


class DescriptorComponents:
    """Principal components of standardized RDKit descriptors, as Doan et al. (2020) used for homobenzylic ethers.

    Nothing measured is looked at, so they may be fitted on a whole pool before any value is known.

    Args:
        components: how many; fewer where the molecules span fewer.
    """

    def __init__(self, components: int = 15) -> None:
        self.components = components

    def fit(self, smiles: Sequence[str]) -> DescriptorComponents:
        """Fits scales and components on molecules.

        Args:
            smiles: canonical SMILES, at least two different ones.
        """
        step = max(1, len(smiles) // LARGEST_FIT)
        raw = descriptors(smiles[::step])
        with np.errstate(invalid="ignore"):
            self._kept = np.isfinite(raw).all(axis=0) & (np.ptp(raw, axis=0) > 1e-9)
        raw = raw[:, self._kept]
        self._centre, self._scale = raw.mean(axis=0), raw.std(axis=0)
        standard = self._standardized(raw)
        self._offset = standard.mean(axis=0)
        _, singular, rows = np.linalg.svd(standard - self._offset, full_matrices=False)
        count = min(self.components, int((singular > 1e-9 * max(1.0, singular[0])).sum())) if singular.size else 0
        # The sign of a singular vector is arbitrary: fix it, so that equal molecules give equal numbers everywhere.
        rows = rows[:count]
        signs = [np.sign(row[np.abs(row).argmax()]) for row in rows]
        self._rows = rows * np.reshape(signs, (count, 1))
        self._spread = singular[0] / np.sqrt(len(standard)) if count else 1.0
        return self

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the components."""
        return tuple(f"descriptor_pc{number + 1}" for number in range(len(self._rows)))

    def transform(self, smiles: Sequence[str]) -> NDArray[np.float64]:
        """Components of molecules, shape ``n x components``, in units of the first one's standard deviation."""
        if not len(smiles):
            return np.empty((0, len(self._rows)))
        standard = self._standardized(descriptors(smiles)[:, self._kept])
        return (standard - self._offset) @ self._rows.T / self._spread

    def _standardized(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.clip(np.nan_to_num((raw - self._centre) / self._scale), -CLIP, CLIP)


def pool_components(pool: Sequence[str], components: int) -> DescriptorComponents:
    """Components fitted on a pool, kept because every refit of a surrogate asks for the same.

    Args:
        pool: canonical SMILES. A sequence that can be hashed, such as a tuple or that of a large pool, is not copied.
        components: how many.
    """
    return _pool_components(pool if isinstance(pool, Hashable) else tuple(pool), components)


@lru_cache(maxsize=8)
def _pool_components(pool: Sequence[str], components: int) -> DescriptorComponents:
    return DescriptorComponents(components).fit(pool)
