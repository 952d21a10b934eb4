"""A Gaussian process of thirty lines: MinMax kernel on count fingerprints, the likeliest hit next."""

from __future__ import annotations

import time

import numpy as np
from pools import Pool
from scipy.linalg import cho_factor, cho_solve
from scipy.optimize import minimize
from scipy.spatial.distance import cdist
from scipy.stats import norm


def similarities(smiles: list[str]) -> np.ndarray:
    """Sum of the smaller counts over sum of the larger ones, shape ``n x n``: of neighborhoods (Morgan)."""
    from rdkit import Chem
    from rdkit.Chem import rdFingerprintGenerator

    generator = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    counts = np.array([generator.GetCountFingerprintAsNumPy(Chem.MolFromSmiles(text)) for text in smiles], dtype=float)
    both, apart = counts.sum(axis=1)[:, None] + counts.sum(axis=1), cdist(counts, counts, "cityblock")
    return (both - apart) / (both + apart)


def posterior(kernel: np.ndarray, rows: list[int], values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of all candidates, amplitude and noise by the marginal likelihood."""
    center, spread = values.mean(), values.std() or 1.0
    known, y = kernel[np.ix_(rows, rows)], (values - values.mean()) / spread

    def surprise(logs: np.ndarray) -> float:
        factor = cho_factor(np.exp(logs[0]) * known + np.exp(logs[1]) * np.eye(len(y)), lower=True)
        return 0.5 * y @ cho_solve(factor, y) + np.log(np.diag(factor[0])).sum()

    found = minimize(surprise, np.log([1.0, 0.1]), method="L-BFGS-B", bounds=np.log([[0.05, 100.0], [1e-4, 1.0]]))
    size, noise = np.exp(found.x)
    factor = cho_factor(size * known + noise * np.eye(len(y)), lower=True)
    across = size * kernel[rows]
    mean, taken = across.T @ cho_solve(factor, y), (across * cho_solve(factor, across)).sum(axis=0)
    return center + spread * mean, spread * np.sqrt(np.maximum(size - taken, 1e-12))


def minmax(pool: Pool, kernel: np.ndarray, threshold: float, seed: int) -> tuple[list[int], list[float]]:
    """Rows in the order of evaluation, and the seconds of each suggestion."""
    values = pool.values.iloc[:, 0].to_numpy()
    rows = np.random.default_rng(seed).permutation(len(values))[: pool.initial].tolist()
    seconds = []
    while len(rows) < pool.most:
        start = time.perf_counter()
        mean, std = posterior(kernel, rows, values[rows])
        chances = norm.logcdf((mean - threshold) / std)
        chances[rows] = -np.inf
        rows.append(int(np.argmax(chances)))
        seconds.append(time.perf_counter() - start)
    return rows, seconds
