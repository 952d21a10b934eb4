"""The best candidates of a screen: most likely to meet all targets, each once, and on request different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.screening.plan import LOG_PROBABILITY, PROBABILITY
from invdesign.screening.pools import Pool
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

Diverse = Literal["none", "max-min", "butina"]
SHORTLIST = 20
"""Times as many of the best candidates as are wanted, among which different ones are chosen."""
NEAR = 0.5
"""Share of the probability of the last of the best that a different candidate must have to be chosen instead."""
SIMILAR = 0.35
"""Tanimoto distance up to which Butina's clusters hold molecules together; the usual value for Morgan fingerprints."""


@dataclass
class Shortlist:
    """The best rows of those seen so far, each candidate once.

    Attributes:
        targets: in the units of the properties; those to maximize and minimize rank candidates of equal probability.
        pool: of the candidates, which writes equal ones alike.
        most: number of rows to keep.
        rows: the best first.
    """

    targets: Targets
    pool: Pool
    most: int
    rows: pd.DataFrame = field(default_factory=pd.DataFrame)

    def add(self, block: pd.DataFrame) -> None:
        """Takes the rows of a block that belong among the best; equal ones stand in the order of the pool."""
        if len(self.rows) == self.most:  # later rows that are only as good as the last one stay behind it
            last = self.rows[LOG_PROBABILITY].iloc[-1]
            better = block[LOG_PROBABILITY] >= last if self.targets.optimized else block[LOG_PROBABILITY] > last
            block = block[better]
        written = self._sorted(block)
        if written.empty:
            return
        take = self.most
        best = self._sorted(self.pool.canonical(written.iloc[:take]))
        while len(best) < min(self.most, len(written)) and take < len(written):  # some were one candidate
            take *= 2
            best = self._sorted(self.pool.canonical(written.iloc[:take]))
        self.rows = self._sorted(pd.concat([self.rows, best]) if len(self.rows) else best).iloc[: self.most]

    def _sorted(self, whole: pd.DataFrame) -> pd.DataFrame:
        """Rows with the best first, each candidate once as it is written."""
        gains = self.targets.gains(whole)
        keys = [np.arange(len(whole)), *(-gains[:, place] for place in reversed(range(gains.shape[1])))]
        order = np.lexsort([*keys, -whole[LOG_PROBABILITY].to_numpy()])
        return whole.iloc[order].drop_duplicates(list(self.pool.identity))


def chosen(rows: pd.DataFrame, top: int, diverse: Diverse, columns: Sequence[Column]) -> pd.DataFrame:
    """The rows to show: the first ones, or such as differ from each other, in the order of ``rows``' ranks.

    ``max-min`` begins with the best and adds, one by one, the row that is farthest from those chosen (Ashton et al.
    2002, doi:10.1002/qsar.200290002). ``butina`` takes the best molecule of each cluster (Butina 1999,
    doi:10.1021/ci9803381).

    Args:
        rows: the best first.
        top: how many.
        diverse: how they are chosen.
        columns: of the candidates.
    """
    if diverse == "none" or len(rows) <= top:
        return rows.iloc[:top]
    rows = rows[rows[PROBABILITY] >= NEAR * rows[PROBABILITY].iloc[top - 1]]
    molecules = [column.name for column in columns if column.kind == "molecule"]
    distances = _tanimoto(rows, molecules) if molecules else _euclidean(rows, columns)
    picked = _max_min(distances, top) if diverse == "max-min" else _butina(distances, top)
    return rows.iloc[sorted(picked)]


def check_diverse(diverse: Diverse, columns: Sequence[Column]) -> None:
    """Raises InputError if distances between candidates are not defined."""
    kinds = {column.kind for column in columns}
    if diverse == "butina" and "molecule" not in kinds:
        raise InputError("Butina's clusters need molecules. Use diverse: max-min.")
    if diverse == "max-min" and not kinds & {"molecule", "number", "formula"}:
        raise InputError(
            "Different candidates cannot be chosen, because their columns have no distances. Remove diverse."
        )


def _tanimoto(rows: pd.DataFrame, molecules: Sequence[str]) -> NDArray[np.float64]:
    """Tanimoto distances on Morgan fingerprints; of candidates with several molecules, the mean."""
    from rdkit import DataStructs

    from invdesign.surrogates.features.fingerprints import bit_fingerprints

    total = np.zeros((len(rows), len(rows)))
    for name in molecules:
        prints = bit_fingerprints(list(rows[name]))
        total += np.array([DataStructs.BulkTanimotoSimilarity(one, prints) for one in prints])
    return 1.0 - total / len(molecules)


def _euclidean(rows: pd.DataFrame, columns: Sequence[Column]) -> NDArray[np.float64]:
    """Distances of standardized features of numbers and formulas; a missing number counts as the mean."""
    from invdesign.surrogates.features.featurizer import Featurizer
    from invdesign.surrogates.features.settings import Features

    known = [column for column in columns if column.kind in ("number", "formula")]
    filled = rows.assign(
        **{one.name: rows[one.name].fillna(rows[one.name].mean()).fillna(0.0) for one in known if one.kind == "number"}
    )
    features = Featurizer(Features()).fit(filled, known).transform(filled)
    spread = features.std(axis=0)
    scaled = (features - features.mean(axis=0)) / np.where(spread > 0.0, spread, 1.0)
    squares = (scaled**2).sum(axis=1)
    return np.sqrt(np.maximum(squares[:, None] + squares[None, :] - 2.0 * scaled @ scaled.T, 0.0))


def _max_min(distances: NDArray[np.float64], top: int) -> list[int]:
    picked, nearest = [0], distances[0].copy()
    while len(picked) < top:
        nearest[picked] = -1.0
        picked.append(int(np.argmax(nearest)))
        nearest = np.minimum(nearest, distances[picked[-1]])
    return picked


def _butina(distances: NDArray[np.float64], top: int) -> list[int]:
    """The best of each cluster, the clusters by their best; filled up by the next best of all."""
    from rdkit.ML.Cluster import Butina

    flat = distances[np.tril_indices(len(distances), -1)]
    cluster: Any = Butina.ClusterData
    clusters = cluster(flat.tolist(), len(distances), SIMILAR, isDistData=True)
    heads = sorted(min(cluster) for cluster in clusters)[:top]
    others = [place for place in range(len(distances)) if place not in heads]
    return [*heads, *others[: top - len(heads)]]
