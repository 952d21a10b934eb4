"""The compositions that satisfy every rule: uniform samples, the nearest to a point, or a list of all."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.space.composition.moves import Moves
from invdesign.space.composition.programs import NoFillingError, corners

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.composition.product import Product
    from invdesign.space.composition.rules import Rules

LARGEST_LIST = 1_000_000
"""Largest number of fillings to enumerate."""
LARGEST_TREE = 100_000
"""Largest number of feasible fillings to compare for the nearest; beyond it, a search is used."""
BLOCK = 4096
FEWEST_KEPT = 8
"""Number of feasible fillings in a block below which chains replace rejection sampling."""
CHAINS = 64
CORNERS = 24
ANCHORS = 512
BISECTIONS = 20
POLISH = 400


@dataclass(frozen=True)
class Region:
    """The feasible part of a product of sites.

    Attributes:
        product: the sites.
        rules: across them.
        charges: see ``Moves``.
    """

    product: Product
    rules: Rules
    charges: tuple[int, ...]

    @property
    def plain(self) -> bool:
        """True if every filling is feasible, and each is a different formula."""
        return not self.rules and not self.product.shared

    def keeps(self, amounts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether fillings, each valid on its sites, satisfy the rules across sites."""
        return self.rules.kept(self.product.totals(amounts))

    @property
    def is_listed(self) -> bool:
        """True if the fillings are few enough to be enumerated."""
        return self.product.size is not None and self.product.size <= LARGEST_LIST

    @cached_property
    def listed(self) -> NDArray[np.int32]:
        """All feasible fillings, one per formula, in the product's order; only if ``is_listed``."""
        found = []
        for start in range(0, self.product.size or 0, BLOCK * 16):
            places = np.arange(start, min(start + BLOCK * 16, self.product.size or 0))
            amounts = self.product.at(places)
            found.append(amounts[self.keeps(amounts)].astype(np.int32))
        everything = np.concatenate(found)
        if self.product.shared and len(everything):
            _, first = np.unique(self.product.totals(everything.astype(np.int64)), axis=0, return_index=True)
            everything = everything[np.sort(first)]
        return everything

    @cached_property
    def share(self) -> float:
        """An estimate of the share of fillings that are feasible, from a fixed seed; at least one of those drawn."""
        rng = np.random.default_rng(0)
        kept = sum(int(self.keeps(self.product.draw(BLOCK, rng)).sum()) for _ in range(8))
        return max(kept, 1) / (8 * BLOCK)

    def demand_one(self) -> None:
        """Finds a feasible filling.

        Raises:
            NoFillingError: if there is none.
        """
        if not self.rules or self.keeps(self.product.draw(256, np.random.default_rng(0))).any():
            return
        if self.is_listed and (self.product.size or 0) <= LARGEST_TREE:
            if not len(self.listed):
                raise NoFillingError
        elif next(corners(self.product, self.rules, CORNERS), None) is None:
            raise NoFillingError

    def sample(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws feasible fillings uniformly, with replacement, shape ``n x columns``.

        Formulas are also uniform, unless an option is on two sites of a space too large to enumerate: then a formula
        is as likely as the number of its fillings.
        """
        if self.plain:
            return self.product.draw(n, rng)
        if self.product.shared and self.is_listed:
            return self._picked(n, rng)
        kept: list[NDArray[np.int64]] = []
        found = 0
        while found < n:
            block = self.product.draw(min(BLOCK, max(64, 2 * n)) if not found else BLOCK, rng)
            good = block[self.keeps(block)]
            if len(good) < FEWEST_KEPT * len(block) / BLOCK:
                rest = self._picked(n - found, rng) if self.is_listed else self._walked(n - found, rng)
                return np.concatenate([*kept, rest])
            kept.append(good[: n - found])
            found += len(kept[-1])
        return np.concatenate(kept) if kept else np.empty((0, self.product.columns), dtype=np.int64)

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """A feasible filling near each point of the unit cube; the point's own filling if it is feasible.

        Each site's amounts are the nearest ones of that site. If these violate a rule across sites, the result is the
        nearest feasible filling if those can be enumerated, or else one that a local search finds nearby.
        """
        amounts = self.product.nearest(points)
        if not self.rules:
            return amounts
        wrong = np.flatnonzero(~self.keeps(amounts))
        if len(wrong):
            wished = self.product.coordinates(amounts[wrong])
            if self._tree is not None:
                amounts[wrong] = self.listed[self._tree.query(wished)[1]]
            else:
                amounts[wrong] = self._searched(wished)
        return amounts

    def changed(self, amounts: NDArray[np.int64], rng: np.random.Generator, tries: int) -> NDArray[np.int64]:
        """Feasible fillings one small change away from a filling; some may be equal."""
        moves = Moves(self.product, self.charges, largest=0.1)
        proposed = moves.proposed(np.tile(amounts, (tries, 1)), rng)
        proposed = proposed[self.product.contains(proposed)]
        return proposed[self.keeps(proposed)]

    def _picked(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        return self.listed[rng.integers(0, len(self.listed), n)].astype(np.int64)

    def _walked(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws fillings by chains of small changes."""
        if n == 0:
            return np.empty((0, self.product.columns), dtype=np.int64)
        moves = Moves(self.product, self.charges)
        amounts = self._starts[rng.integers(0, len(self._starts), min(n, CHAINS))]
        thin = 10 * len(self.product.varied)
        kept = []
        for step in range(10 * thin + thin * -(-n // len(amounts))):
            amounts = self._stepped(amounts, moves.proposed(amounts, rng))
            if step >= 10 * thin and (step + 1) % thin == 0:
                kept.append(amounts)
        return np.concatenate(kept)[:n]

    def _stepped(self, amounts: NDArray[np.int64], proposed: NDArray[np.int64]) -> NDArray[np.int64]:
        good = self.product.contains(proposed)
        good[good] = self.keeps(proposed[good])
        return np.where(good[:, None], proposed, amounts)

    def _searched(self, wished: NDArray[np.float64]) -> NDArray[np.int64]:
        """Moves each point toward its nearest anchor until it is feasible, then back as close as possible."""
        from scipy.spatial.distance import cdist

        anchors = self.product.coordinates(self._anchors)
        place = np.argmin(cdist(wished, anchors), axis=1)
        low, high = np.zeros(len(wished)), np.ones(len(wished))
        amounts = self._anchors[place]
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            tried = self.product.nearest(wished + middle[:, None] * (anchors[place] - wished))
            good = self.keeps(tried)
            amounts = np.where(good[:, None], tried, amounts)
            high, low = np.where(good, middle, high), np.where(good, low, middle)
        # The same changes are tried on every row, so that a row's result does not depend on the others.
        rng = np.random.default_rng(0)
        moves = Moves(self.product, self.charges)
        distance = ((self.product.coordinates(amounts) - wished) ** 2).sum(axis=1)
        for _ in range(POLISH):
            tried = self._stepped(amounts, moves.proposed(amounts, rng, same=True))
            there = ((self.product.coordinates(tried) - wished) ** 2).sum(axis=1)
            nearer = there < distance - 1e-12  # ignores rounding errors
            amounts, distance = np.where(nearer[:, None], tried, amounts), np.where(nearer, there, distance)
        return amounts

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        """Starting points of chains: random feasible fillings if any are drawn, and corners of the region."""
        rng = np.random.default_rng(0)
        drawn = [self.product.draw(BLOCK, rng) for _ in range(4)]
        found = [block[self.keeps(block)] for block in drawn]
        cornered = list(corners(self.product, self.rules, CORNERS))
        everything = np.concatenate([*found, np.array(cornered, dtype=np.int64).reshape(-1, self.product.columns)])
        if not len(everything):
            raise NoFillingError
        return everything

    @cached_property
    def _anchors(self) -> NDArray[np.int64]:
        return self.sample(ANCHORS, np.random.default_rng(0))

    @cached_property
    def _tree(self) -> Any:
        """The nearest of the feasible fillings; None if there are too many."""
        if not self.is_listed or len(self.listed) > LARGEST_TREE:
            return None
        from scipy.spatial import cKDTree

        return cKDTree(self.product.coordinates(self.listed))
