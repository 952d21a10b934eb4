"""A minimal Bayesian search over molecules, the peer of ``pmo.py``.

A Gaussian process with the MinMax kernel on count fingerprints, an upper confidence bound, and mol_ga to maximize it:
the baseline of Tripp et al. 2021 (A fresh look at de novo molecular design benchmarks, NeurIPS workshop on AI for
Science).
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from rdkit import Chem
from rdkit.Chem import rdFingerprintGenerator
from rdkit.DataStructs import BulkTanimotoSimilarity
from scipy.linalg import cho_factor, cho_solve, solve_triangular
from scipy.optimize import minimize

GENERATIONS, OFFSPRING, POPULATION = 10, 100, 250
BATCH = 10
"""Molecules that are asked together."""
_MORGAN = rdFingerprintGenerator.GetMorganGenerator(radius=2)


def fingerprint(smiles: str) -> Any | None:
    molecule = Chem.MolFromSmiles(smiles)
    return None if molecule is None else _MORGAN.GetSparseCountFingerprint(molecule)


def grown(kernel: np.ndarray, prints: Sequence[Any]) -> np.ndarray:
    """The similarities of all fingerprints, from those of the first ones, which are known."""
    known = len(kernel)
    rows = np.array([BulkTanimotoSimilarity(one, prints) for one in prints[known:]]).reshape(-1, len(prints))
    return np.block([[kernel, rows[:, :known].T], [rows]]) if known else rows


class TanimotoProcess:
    """A Gaussian process on standardized values; amplitude and noise by the marginal likelihood.

    Args:
        prints: count fingerprints of the known molecules.
        kernel: their similarities.
        values: theirs.
    """

    def __init__(self, prints: Sequence[Any], kernel: np.ndarray, values: np.ndarray) -> None:
        self._prints = list(prints)
        self._mean, self._scale = float(values.mean()), float(values.std()) or 1.0
        y = (values - self._mean) / self._scale
        eigenvalues, vectors = np.linalg.eigh(kernel)
        rotated = (vectors.T @ y) ** 2

        def negative_likelihood(logs: np.ndarray) -> float:
            spectrum = np.exp(logs[0]) * np.maximum(eigenvalues, 0.0) + np.exp(logs[1])
            return float(np.sum(rotated / spectrum) + np.sum(np.log(spectrum)))

        best = minimize(negative_likelihood, np.log([1.0, 1e-2]), bounds=[(-7.0, 7.0), (-9.0, 1.0)])
        self._amplitude = float(np.exp(best.x[0]))
        noisy = self._amplitude * kernel + np.exp(best.x[1]) * np.eye(len(y))
        self._factor = cho_factor(noisy, lower=True)
        self._weights = cho_solve(self._factor, y)

    def predict(self, prints: Sequence[Any]) -> tuple[np.ndarray, np.ndarray]:
        """Means and standard deviations of molecules, each ``(n,)``."""
        cross = self._amplitude * np.array([BulkTanimotoSimilarity(one, self._prints) for one in prints])
        reduced = solve_triangular(self._factor[0], cross.T, lower=True)
        variance = np.maximum(self._amplitude - np.sum(reduced**2, axis=0), 1e-12)
        return self._mean + self._scale * (cross @ self._weights), self._scale * np.sqrt(variance)


def gp_bo(
    oracle: Callable[[Sequence[str]], list[float]],
    values: dict[str, float],
    *,
    calls: int,
    seeds: Sequence[str],
    seed: int,
) -> None:
    """Asks ``oracle`` until ``values``, which it fills, holds ``calls`` molecules, beginning with ``seeds``."""
    from mol_ga.preconfigured_gas import default_ga

    generator, draws = random.Random(seed), np.random.default_rng(seed)
    oracle(seeds)
    prints, kernel = {text: fingerprint(text) for text in values}, np.empty((0, 0))
    while len(values) < calls:
        known = list(values)
        kernel = grown(kernel, [prints[text] for text in known])
        process = TanimotoProcess([prints[text] for text in known], kernel, np.array([values[text] for text in known]))
        weight = 10.0 ** draws.uniform(-2.0, 0.0)

        def bound(smiles: Sequence[str], process: TanimotoProcess = process, weight: float = weight) -> list[float]:
            found = [fingerprint(text) for text in smiles]
            usable = [place for place, one in enumerate(found) if one is not None]
            scores = np.full(len(smiles), -np.inf)
            mean, std = process.predict([found[place] for place in usable])
            scores[usable] = mean + weight * std
            return scores.tolist()

        best = sorted(known, key=values.__getitem__, reverse=True)[:POPULATION]
        result = default_ga(
            starting_population_smiles=set(best),
            scoring_function=bound,
            max_generations=GENERATIONS,
            offspring_size=OFFSPRING,
            population_size=POPULATION,
            rng=generator,
        )
        ranked = [text for _, text in sorted(result.population, reverse=True) if text not in values]
        chosen = ranked[: min(BATCH, calls - len(values))]
        if not chosen:
            return
        oracle(chosen)
        prints |= {text: fingerprint(text) for text in chosen}
