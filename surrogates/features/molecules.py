"""Molecules as numbers: RDKit's descriptors, fingerprints, and the principal components of both."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np

from invdesign.core.errors import InputError
from invdesign.surrogates.features.fingerprints import SIZE, count_fingerprints
from invdesign.surrogates.features.pool_cache import cached_features
from invdesign.surrogates.features.quick_descriptors import QUICK_NAMES, quick_descriptors
from invdesign.surrogates.features.smiles import molecule_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.features.settings import MoleculeKind

WITHOUT_SCALE = frozenset({"Ipc", "AvgIpc"})
"""Descriptors that are left out: they grow beyond any scale."""
CLIP = 5.0
"""Standard deviations beyond which a descriptor is cut off, so that one odd molecule does not rule a component."""
LARGEST_FIT = 5_000
"""Molecules of a pool on which components are fitted; of a larger pool, that many at even distances, and the components
of all of them are kept on disk."""


WIDE = 1_000
"""Rows and columns of a matrix from which its components are computed from its products."""


@lru_cache(maxsize=1)
def descriptor_names() -> tuple[str, ...]:
    """Names of the RDKit descriptors in use (Landrum, RDKit: Open-source cheminformatics, Descriptors module)."""
    from rdkit.Chem import Descriptors

    return tuple(name for name, _ in Descriptors.descList if name not in WITHOUT_SCALE)


@lru_cache(maxsize=50_000)
def _descriptors_of(smiles: str) -> NDArray[np.float64]:
    from rdkit.Chem import Descriptors

    molecule = molecule_of(smiles)
    if molecule is None:
        raise InputError(f"{smiles!r} is not a molecule that RDKit can read.")
    wanted = set(descriptor_names())
    return np.array([function(molecule) for name, function in Descriptors.descList if name in wanted])


def descriptors(smiles: Sequence[str]) -> NDArray[np.float64]:
    """RDKit descriptors of molecules, shape ``n x len(descriptor_names())``; kept per molecule once computed.

    Raises:
        InputError: if a SMILES cannot be read.
    """
    return np.stack([_descriptors_of(text) for text in smiles]) if len(smiles) else np.empty((0, 0))


class MoleculeFeatures:
    """Features of molecules: descriptors, fingerprints or both of them, as they are or as principal components.

    Fifteen components of standardized descriptors are what Doan et al. (2020) used for homobenzylic ethers. Nothing
    measured is looked at, so scales and components may be fitted on a whole pool before any value is known. Without
    components, fingerprints stay plain counts, as the MinMax kernel needs them.

    Args:
        kind: which features.
        components: how many principal components; fewer where the molecules span fewer. None for all features.
    """

    def __init__(self, kind: MoleculeKind = "descriptors", components: int | None = None) -> None:
        self.kind = kind
        self.components = components
        self._places: dict[str, int] = {}
        self._kept_rows: NDArray[np.float32] | NDArray[np.float64] = np.empty((0, 0), dtype=np.float32)

    def fit(self, smiles: Sequence[str]) -> MoleculeFeatures:
        """Fits scales and components on molecules.

        Args:
            smiles: canonical SMILES, at least two different ones.
        """
        step = max(1, len(smiles) // LARGEST_FIT)
        if self.kind != "fingerprints":
            raw = self._descriptors(smiles[::step])
            with np.errstate(invalid="ignore"):
                self._kept = np.isfinite(raw).all(axis=0) & (np.ptp(raw, axis=0) > 1e-9)
            raw = raw[:, self._kept]
            self._center, self._scale = raw.mean(axis=0), raw.std(axis=0)
        if self.components is not None:
            self._fit_components(self._plain(smiles[::step]), self.components)
        return self

    @property
    def _source(self) -> tuple[Sequence[str], Callable[[Sequence[str]], NDArray[np.float64]]]:
        """The names of the descriptors that this kind takes, and what computes them."""
        return (QUICK_NAMES, quick_descriptors) if self.kind == "quick" else (descriptor_names(), descriptors)

    @property
    def blocks(self) -> list[tuple[Literal["molecule", "fingerprint"], tuple[str, ...]]]:
        """The kinds of the features and their names, in their order; plain counts are the kind ``fingerprint``."""
        if self.components is not None:
            word = {"descriptors": "descriptor", "fingerprints": "fingerprint"}.get(self.kind, "molecule")
            return [("molecule", tuple(f"{word}_pc{number + 1}" for number in range(len(self._rows))))]
        found: list[tuple[Literal["molecule", "fingerprint"], tuple[str, ...]]] = []
        if self.kind != "fingerprints":
            names, _ = self._source
            kept = tuple(name for name, is_kept in zip(names, self._kept, strict=True) if is_kept)
            found.append(("molecule", kept))
        if self.kind != "descriptors":
            found.append(("fingerprint", tuple(f"morgan_{number}" for number in range(SIZE))))
        return found

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the features."""
        return tuple(name for _, names in self.blocks for name in names)

    def transform(self, smiles: Sequence[str]) -> NDArray[np.float64]:
        """Features of molecules, shape ``n x len(names)``.

        Components are in units of the first one's standard deviation, descriptors in units of their own, fingerprints
        are counts.
        """
        if not len(smiles):
            return np.empty((0, len(self.names)))
        if self._places:
            rows = [self._places.get(text, -1) for text in smiles]
            if min(rows) >= 0:
                return self._kept_rows[rows].astype(np.float64, copy=False)
        return self._computed(smiles)

    def remember(self, smiles: Sequence[str]) -> None:
        """Keeps the features of molecules, those of a large pool on disk too, so that they are computed once.

        Args:
            smiles: of the pool on which the features were fitted.
        """
        texts = list(smiles)
        if len(texts) > LARGEST_FIT:
            about = f"{self.kind} {self.components}"
            self._kept_rows = cached_features(self._computed, texts, width=len(self.names), about=about)
        else:
            self._kept_rows = self._computed(texts)
        self._places = {text: place for place, text in enumerate(texts)}

    def _computed(self, smiles: Sequence[str]) -> NDArray[np.float64]:
        plain = self._plain(smiles)
        return plain if self.components is None else (plain - self._offset) @ self._rows.T / self._spread

    def _plain(self, smiles: Sequence[str]) -> NDArray[np.float64]:
        blocks = []
        if self.kind != "fingerprints":
            standard = (self._descriptors(smiles)[:, self._kept] - self._center) / self._scale
            blocks.append(np.clip(np.nan_to_num(standard), -CLIP, CLIP))
        if self.kind != "descriptors":
            blocks.append(count_fingerprints(smiles).astype(np.float64))
        return np.concatenate(blocks, axis=1) if len(blocks) > 1 else blocks[0]

    def _descriptors(self, smiles: Sequence[str]) -> NDArray[np.float64]:
        _, computed = self._source
        return computed(smiles)

    def _fit_components(self, plain: NDArray[np.float64], components: int) -> None:
        self._offset = plain.mean(axis=0)
        singular, rows = _principal(plain - self._offset)
        count = min(components, int((singular > 1e-6 * max(1.0, singular[0])).sum())) if singular.size else 0
        # The sign of a singular vector is arbitrary: fix it, so that equal molecules give equal numbers everywhere.
        rows = rows[:count]
        signs = [np.sign(row[np.abs(row).argmax()]) for row in rows]
        self._rows = rows * np.reshape(signs, (count, 1))
        self._spread = singular[0] / np.sqrt(len(plain)) if count else 1.0


def _principal(centered: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Singular values in falling order, and the right singular vectors as rows."""
    if len(centered) < WIDE or centered.shape[1] < WIDE:
        _, singular, rows = np.linalg.svd(centered, full_matrices=False)
        return singular, rows
    # Of many fingerprints, the square matrix of their products has the same vectors in a tenth of the time.
    values, vectors = np.linalg.eigh(centered.T @ centered)
    return np.sqrt(np.maximum(values[::-1], 0.0)), vectors.T[::-1]


def pool_features(pool: Sequence[str], kind: MoleculeKind, components: int | None) -> MoleculeFeatures:
    """Features fitted on a pool, kept because every refit of a surrogate asks for the same.

    Args:
        pool: canonical SMILES. A sequence that can be hashed, such as a tuple or that of a large pool, is not copied.
        kind: which features.
        components: how many principal components; None for all features.
    """
    return _pool_features(pool if isinstance(pool, Hashable) else tuple(pool), kind, components)


@lru_cache(maxsize=8)
def _pool_features(pool: Sequence[str], kind: MoleculeKind, components: int | None) -> MoleculeFeatures:
    features = MoleculeFeatures(kind, components).fit(pool)
    if components is not None or len(pool) <= LARGEST_FIT:
        features.remember(pool)
    return features


def descriptor_values(name: str, smiles: Sequence[object]) -> NDArray[np.float64] | None:
    """One RDKit descriptor of molecules, such as ``MolWt``, shape ``n``; None if RDKit does not know its name.

    Args:
        name: as in RDKit's module ``Descriptors``.
        smiles: of the molecules; NaN for one that cannot be read.
    """
    from rdkit.Chem import Descriptors

    function = dict(Descriptors.descList).get(name)
    if function is None:
        return None
    read = (molecule_of(str(text)) for text in smiles)
    return np.array([float("nan") if one is None else float(function(one)) for one in read], dtype=np.float64)
