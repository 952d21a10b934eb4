"""Small changes of a composition: transfers between options of a site, exchanges, and two transfers at once.

Every change is as likely as its reverse, so that a chain of feasible changes samples the feasible
compositions uniformly (Metropolis et al. 1953, doi:10.1063/1.1699114).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.composition.product import Product


@dataclass(frozen=True)
class Moves:
    """Random changes of fillings.

    Attributes:
        product: the sites.
        charges: of one step of each column if every option has a single state, else zeros: two
            simultaneous transfers are then scaled so that their charges cancel.
        largest: largest transfer, as a share of the site's amount.
        smallest: smallest transfer, as a share of the site's amount, if that is more than a step.
    """

    product: Product
    charges: tuple[int, ...]
    largest: float = 1.0
    smallest: float = 0.0

    def proposed(
        self, amounts: NDArray[np.int64], rng: np.random.Generator, *, same: bool = False
    ) -> NDArray[np.int64]:
        """A random change of each row; the result may violate any rule, including the site's own.

        Args:
            amounts: in steps, shape ``n x columns``.
            rng: source of randomness.
            same: True to apply the same change to every row.
        """
        n = 1 if same else len(amounts)
        given, taken, steps = self._transfer(n, rng)
        given_too, taken_too, steps_too = self._transfer(n, rng)
        rows = np.arange(len(amounts))
        kind = rng.integers(0, 3, n)
        charge = self._charges[taken] - self._charges[given]
        charge_too = self._charges[taken_too] - self._charges[given_too]
        common = np.gcd(charge, charge_too)
        balanced = (charge != 0) & (charge_too != 0)
        divisor = np.maximum(common, 1)
        size = np.where(balanced, steps * (charge_too // divisor), steps)
        size_too = np.where(balanced, -steps * (charge // divisor), steps_too)
        swap = np.broadcast_to(kind == 0, rows.shape)
        size = np.where(kind == 0, 0, np.where(kind == 1, steps, size))
        size_too = np.where(kind == 2, size_too, 0)
        moved = amounts.copy()
        moved[rows, given] -= size
        moved[rows, taken] += size
        moved[rows, given_too] -= size_too
        moved[rows, taken_too] += size_too
        one, other = np.broadcast_to(given, rows.shape)[swap], np.broadcast_to(taken, rows.shape)[swap]
        moved[rows[swap], one], moved[rows[swap], other] = amounts[rows[swap], other], amounts[rows[swap], one]
        return moved

    def _transfer(
        self, n: int, rng: np.random.Generator
    ) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """Columns that give and take, two of one site, and the number of steps, log-uniformly."""
        starts, widths, totals = self._sites
        site = rng.choice(len(starts), n, p=widths / widths.sum())
        given = (rng.random(n) * widths[site]).astype(np.int64)
        taken = (given + 1 + (rng.random(n) * (widths[site] - 1)).astype(np.int64)) % widths[site]
        longest = np.maximum(totals[site] * self.largest, 1.0)
        shortest = np.maximum(totals[site] * self.smallest, 1.0)
        steps = np.floor(shortest * np.exp(rng.random(n) * np.log((longest + 1.0) / shortest))).astype(np.int64)
        return starts[site] + given, starts[site] + taken, steps

    @cached_property
    def _sites(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
        """First column, number of columns and total of each site that varies."""
        varied = [
            (part.start, part.stop - part.start, site.simplex.total)
            for site, part in self.product.parts()
            if site.varies
        ]
        starts, widths, totals = (np.array(column, dtype=np.int64) for column in zip(*varied, strict=True))
        return starts, widths, totals

    @cached_property
    def _charges(self) -> NDArray[np.int64]:
        return np.array(self.charges, dtype=np.int64)
