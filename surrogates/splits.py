"""Ways to hold rows out together, so that the error is the one that a model meets away from its data.

A random split leaves a molecule's siblings in the training rows, so it shows the error of interpolation. Holding out
whole scaffolds, sizes, chemical systems or clusters (leave-one-cluster-out, Meredig et al. 2018,
doi:10.1039/C8ME00012C) shows that of extrapolation. Which of them a model will meet follows from distances: the split
is the right one whose held-out rows are as far from the rows that remain as the candidates are from the data
(nearest-neighbor distance matching, Milà et al. 2022, doi:10.1111/2041-210X.13851).
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column

CLUSTERS_PER_FOLD = 2
SAME = 1e-4
"""Distance below which a candidate is a row of the table: descriptors depend a little on the order of the atoms."""


def scaffold_groups(molecules: Sequence[str]) -> list[str]:
    """Murcko scaffolds (Bemis and Murcko 1996, doi:10.1021/jm9602928); a molecule without rings has its own group."""
    from rdkit import Chem
    from rdkit.Chem.Scaffolds import MurckoScaffold

    scaffold: Any = MurckoScaffold.GetScaffoldForMol  # untyped
    return [Chem.MolToSmiles(scaffold(Chem.MolFromSmiles(smiles))) or str(smiles) for smiles in molecules]


def size_groups(molecules: Sequence[str], folds: int) -> list[int]:
    """Molecules by their number of heavy atoms, cut into ``folds`` parts of about as many rows, smallest first."""
    from rdkit import Chem

    atoms = pd.Series([Chem.MolFromSmiles(smiles).GetNumHeavyAtoms() for smiles in molecules])
    smaller = atoms.rank(method="min") - 1.0  # equal sizes stay together
    return [int(part) for part in smaller * folds // len(atoms)]


def element_groups(formulas: Sequence[str]) -> list[str]:
    """Chemical systems: the sets of elements of formulas."""
    from invdesign.surrogates.features.formulas import elements_of

    return ["-".join(sorted(elements_of([formula]))) for formula in formulas]


def cluster_groups(features: NDArray[np.float64], folds: int, seed: int) -> list[int]:
    """k-means clusters of standardized features ``n x d``, two for each fold; fewer if fewer rows differ."""
    from sklearn.cluster import KMeans

    count = min(CLUSTERS_PER_FOLD * folds, len(np.unique(features, axis=0)))
    return [int(label) for label in KMeans(count, n_init=5, random_state=seed).fit_predict(features)]


@dataclass(frozen=True)
class Surroundings:
    """Where the training rows and the candidates of a space lie, in standardized features.

    Attributes:
        rows: of the training rows, shape ``n x d``.
        candidates: of candidates that are not among them, shape ``m x d``.
    """

    rows: NDArray[np.float64]
    candidates: NDArray[np.float64]

    @classmethod
    def of(cls, frame: pd.DataFrame, candidates: pd.DataFrame, columns: Sequence[Column]) -> Surroundings:
        """Features of training rows and of candidates, of which those are left out that are among the rows."""
        missing = bool(frame.isna().to_numpy().any())
        featurizer = Featurizer(Features(missing="impute") if missing else Features()).fit(frame, columns)
        rows = featurizer.transform(frame)
        asked = featurizer.transform(candidates[list(frame.columns)]) if len(candidates) else rows[:0]
        center, spread = rows.mean(axis=0), rows.std(axis=0)
        varied = spread > 1e-9 * (1.0 + np.abs(center))
        rows, asked = ((part[:, varied] - center[varied]) / spread[varied] for part in (rows, asked))
        return cls(rows, asked[nearest_distances(asked, rows) > SAME])

    def held_out(self, fold_of: NDArray[np.int64]) -> float:
        """The median distance from rows to the nearest one of another fold; shape of ``fold_of`` is ``n``."""
        found = [nearest_distances(self.rows[fold_of == k], self.rows[fold_of != k]) for k in np.unique(fold_of)]
        return float(np.median(np.concatenate(found)))

    def asked(self) -> float | None:
        """The median distance from candidates to the nearest row; None if all candidates are among the rows."""
        return float(np.median(nearest_distances(self.candidates, self.rows))) if len(self.candidates) else None


def nearest_distances(from_: NDArray[np.float64], to: NDArray[np.float64]) -> NDArray[np.float64]:
    """The distance of each row, ``n x d``, to the nearest of others, ``m x d``; shape ``n``."""
    from sklearn.neighbors import NearestNeighbors

    if not len(from_):
        return np.empty(0)
    return np.asarray(NearestNeighbors(n_neighbors=1).fit(to).kneighbors(from_)[0][:, 0])


def matching_split(
    surroundings: Surroundings, folds: Mapping[str, NDArray[np.int64]], *, random: str
) -> tuple[str, str]:
    """The split whose held-out rows are as far from the others as candidates are from the data, and why, in words.

    Args:
        surroundings: of the training rows and the candidates.
        folds: the fold of each row by split.
        random: the name of the random split.
    """
    asked = surroundings.asked()
    if len(folds) == 1:
        return random, "the data have no groups to hold out"
    if asked is None:
        return random, "every candidate of the space is in the table"
    distances = {name: surroundings.held_out(fold_of) for name, fold_of in folds.items()}
    best = min(distances, key=lambda name: abs(np.log((distances[name] + 1e-12) / (asked + 1e-12))))
    figures = ", ".join(f"{distance:.2g} in the {name} split" for name, distance in distances.items())
    return best, (
        f"candidates of the space lie {asked:.2g} from the nearest row of the table (median, in standard deviations of "
        f"the features), and held-out rows {figures}"
    )


Groups = Mapping[str, Sequence[Hashable] | None]
"""The groups of the rows by the name of a split; None for a random split."""
