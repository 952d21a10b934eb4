"""All sites of a composition together: amounts on each, without rules across sites.

Amounts are whole numbers of each site's steps, one column per option of a site; ``totals`` adds them up to amounts of
elements and species per formula unit, as in a formula.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.space.composition.simplex_counting import random_places
from invdesign.space.composition.sites import SiteLattice, ways

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray


@dataclass(frozen=True)
class Product:
    """Sites that are filled independently of each other.

    Attributes:
        lattices: the sites, in the order of the formula.
    """

    lattices: tuple[SiteLattice, ...]

    @cached_property
    def options(self) -> tuple[str, ...]:
        """Elements and species that can occur, in the order of the formula, each once; vacancies left out."""
        listed = [
            option
            for lattice in self.lattices
            for option, largest in zip(lattice.options, lattice.simplex.high, strict=True)
            if option and largest > 0
        ]
        return tuple(dict.fromkeys(listed))

    @property
    def columns(self) -> int:
        """Options of all sites."""
        return sum(len(lattice.options) for lattice in self.lattices)

    def parts(self) -> Iterator[tuple[SiteLattice, slice]]:
        """The sites and their columns."""
        start = 0
        for lattice in self.lattices:
            yield lattice, slice(start, start + len(lattice.options))
            start += len(lattice.options)

    @cached_property
    def size(self) -> int | None:
        """Number of ways to fill the sites; None if an amount is continuous."""
        return ways(self.lattices)

    @cached_property
    def merge(self) -> NDArray[np.int64]:
        """Amount of each option, in units, for one step of each column, shape ``columns x options``."""
        matrix = np.zeros((self.columns, len(self.options)), dtype=np.int64)
        place = {option: position for position, option in enumerate(self.options)}
        for lattice, part in self.parts():
            for column, option in enumerate(lattice.options, start=part.start):
                if option in place:
                    matrix[column, place[option]] = lattice.step
        return matrix

    @cached_property
    def shared(self) -> bool:
        """True if an option is on two sites, so that one formula can describe several fillings."""
        return bool(((self.merge > 0).sum(axis=0) > 1).any())

    def totals(self, amounts: NDArray[np.int64]) -> NDArray[np.int64]:
        """Adds up amounts per formula unit, in units, shape ``n x options``."""
        if self.shared:
            return amounts @ self.merge
        columns = np.argmax(self.merge > 0, axis=0)
        return amounts[:, columns] * self.merge[columns, np.arange(len(self.options))]

    def contains(self, amounts: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each row is a valid filling of every site."""
        inside = np.ones(len(amounts), dtype=bool)
        for lattice, part in self.parts():
            inside &= lattice.simplex.contains(amounts[:, part])
        return inside

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Draws fillings uniformly, with replacement, shape ``n x columns``."""
        drawn = np.empty((n, self.columns), dtype=np.int64)
        for lattice, part in self.parts():
            if not lattice.varies:
                drawn[:, part] = lattice.simplex.low
            elif lattice.continuous:
                drawn[:, part] = lattice.volume.draw(n, rng)
            else:
                drawn[:, part] = lattice.counting.at(random_places(lattice.counting.size, n, rng))
        return drawn

    def at(self, places: NDArray[Any]) -> NDArray[np.int64]:
        """The fillings at given indices, the last site's changing fastest; only if ``size`` is not None."""
        amounts = np.empty((len(places), self.columns), dtype=np.int64)
        rest = np.asarray(places)
        for lattice, part in reversed(list(self.parts())):
            if lattice.varies:
                rest, here = np.divmod(rest, lattice.counting.size)
                amounts[:, part] = lattice.counting.at(here)
            else:
                amounts[:, part] = lattice.simplex.low
        return amounts

    @cached_property
    def varied(self) -> NDArray[np.int64]:
        """Columns with a coordinate of the unit cube: those whose amount varies."""
        return np.flatnonzero(self._high > self._low)

    def coordinates(self, amounts: NDArray[Any]) -> NDArray[np.float64]:
        """Encodes fillings in the unit cube: each amount between its smallest and its largest."""
        low, high = self._low[self.varied], self._high[self.varied]
        return np.asarray((amounts[:, self.varied] - low) / (high - low), dtype=np.float64)

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """The filling nearest to each point of the unit cube, site by site."""
        low, high = self._low[self.varied], self._high[self.varied]
        wished = np.tile(self._low.astype(np.float64), (len(points), 1))
        wished[:, self.varied] += np.clip(np.nan_to_num(points, nan=0.5), 0.0, 1.0) * (high - low)
        amounts = np.empty(wished.shape, dtype=np.int64)
        for lattice, part in self.parts():
            amounts[:, part] = lattice.simplex.nearest(wished[:, part]) if lattice.varies else lattice.simplex.low
        return amounts

    @cached_property
    def anchor(self) -> tuple[tuple[int, ...], int] | None:
        """Options whose total amount is constant, and that total, in units; None if there are none.

        These are the options of a site without vacancies and of the sites that share options with it.
        """
        place = {option: position for position, option in enumerate(self.options)}
        for first in self.lattices:
            joined, options = [first], set(first.options)
            while True:
                more = [site for site in self.lattices if site not in joined and options & set(site.options) - {""}]
                if not more:
                    break
                joined += more
                options |= {option for site in more for option in site.options}
            if all("" not in site.options or _never_vacant(site) for site in joined):
                return tuple(sorted(place[option] for option in options if option in place)), sum(
                    s.amount for s in joined
                )
        return None

    @cached_property
    def always(self) -> int:
        """Greatest common divisor of the constant totals of options, in units; zero if all vary."""
        fixed = [
            int(self.merge[:, place] @ self._low)
            for place in range(len(self.options))
            if (self._low == self._high)[self.merge[:, place] > 0].all()
        ]
        return math.gcd(*fixed) if fixed else 0

    @cached_property
    def _low(self) -> NDArray[np.int64]:
        return np.array([least for lattice in self.lattices for least in lattice.simplex.low], dtype=np.int64)

    @cached_property
    def _high(self) -> NDArray[np.int64]:
        return np.array([greatest for lattice in self.lattices for greatest in lattice.simplex.high], dtype=np.int64)


def _never_vacant(lattice: SiteLattice) -> bool:
    return lattice.simplex.high[lattice.options.index("")] == 0
