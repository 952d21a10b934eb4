from __future__ import annotations

import numpy as np
import pytest

from invdesign.surrogates.features import pool_cache
from invdesign.surrogates.features.pool_cache import cached_features

POOL = ["C" * length for length in range(1, 8)]


@pytest.fixture(autouse=True)
def _three_a_block(monkeypatch, tmp_path):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    monkeypatch.setattr(pool_cache, "BLOCK", 3)


class Lengths:
    """Length of each SMILES and its square; remembers how many were asked for, and may be interrupted."""

    def __init__(self, fails_at: int = 99) -> None:
        self.asked: list[int] = []
        self.fails_at = fails_at

    def __call__(self, smiles):
        if len(self.asked) == self.fails_at:
            raise KeyboardInterrupt
        self.asked.append(len(smiles))
        return np.array([[len(text), len(text) ** 2] for text in smiles], dtype=np.float64)


def test_features_are_computed_once_block_by_block():
    first, second = Lengths(), Lengths()
    features = cached_features(first, POOL, width=2, about="lengths")
    assert first.asked == [3, 3, 1]
    np.testing.assert_array_equal(features, [[n, n * n] for n in range(1, 8)])
    assert features.dtype == np.float32
    np.testing.assert_array_equal(cached_features(second, POOL, width=2, about="lengths"), features)
    assert second.asked == []


def test_what_was_interrupted_goes_on_with_the_next_block():
    with pytest.raises(KeyboardInterrupt):
        cached_features(Lengths(fails_at=2), POOL, width=2, about="lengths")
    rest = Lengths()
    cached_features(rest, POOL, width=2, about="lengths")
    assert rest.asked == [1]


def test_other_features_and_other_pools_are_computed_anew():
    cached_features(Lengths(), POOL, width=2, about="lengths")
    for pool, about in ((POOL, "others"), (POOL[::-1], "lengths"), (POOL[:-1], "lengths")):
        again = Lengths()
        cached_features(again, pool, width=2, about=about)
        assert sum(again.asked) == len(pool)
