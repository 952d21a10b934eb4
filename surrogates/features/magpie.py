"""The composition attributes of Ward et al. (2016, doi:10.1038/npjcompumats.2016.28), "Magpie", at screening speed.

The values of the elements are those that matminer ships (Ward et al. 2018, doi:10.1016/j.commatsci.2018.05.018); the
statistics over a formula come from products and reductions over arrays of many formulas at once.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.surrogates.features.elements import element_symbols

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

ELEMENT_PROPERTIES = (
    "Number", "MendeleevNumber", "AtomicWeight", "MeltingT", "Column", "Row", "CovalentRadius", "Electronegativity",
    "NsValence", "NpValence", "NdValence", "NfValence", "NValence", "NsUnfilled", "NpUnfilled", "NdUnfilled",
    "NfUnfilled", "NUnfilled", "GSvolume_pa", "GSbandgap", "GSmagmom", "SpaceGroupNumber",
)  # fmt: skip
"""The 22 properties of Ward et al.: masses in u, melting points in K, covalent radii in pm, ground-state volumes in
cubic angstrom an atom, band gaps in eV and magnetic moments in Bohr magnetons from DFT; the rest are numbers."""
STATISTICS = ("minimum", "maximum", "range", "mean", "avg_dev", "mode")
NORMS = (2, 3, 5, 7, 10)
ORBITALS = ("s", "p", "d", "f")
MANY_ELEMENTS = 6
"""By this many the number of elements in a formula is scaled."""
BLOCK = 4096
"""Formulas treated together: few enough that their arrays stay in the processor's cache."""


@cache
def _property_table() -> dict[str, tuple[float, ...]]:
    """The properties of each element; a missing value counts as the mean over the elements that have it."""
    from matminer.utils.data import MagpieData

    known = MagpieData().all_elemental_props
    columns = []
    for name in ELEMENT_PROPERTIES:
        values = np.array([float(known[name].get(symbol, np.nan)) for symbol in element_symbols()])
        columns.append(np.where(np.isfinite(values), values, np.nanmean(values)))
    return dict(zip(element_symbols(), map(tuple, np.stack(columns, axis=1).tolist()), strict=True))


class MagpieAttributes:
    """Stoichiometric attributes, statistics of the elements' properties, and valence-orbital occupation of formulas.

    Args:
        elements: symbols of the elements that can occur, in the order of the amounts.
        scaled: whether properties are scaled to the span that they have over the elements, so that all attributes lie
            between about 0 and 1; otherwise they are in units of their own, as published.
    """

    def __init__(self, elements: Sequence[str], *, scaled: bool = False) -> None:
        table = _property_table()
        self._table = np.array([table[symbol] for symbol in elements])
        self._many = float(MANY_ELEMENTS) if scaled else 1.0
        if scaled:
            span = np.ptp(self._table, axis=0)
            self._table = (self._table - self._table.min(axis=0)) / np.where(span > 0.0, span, 1.0)
        self._valence = [ELEMENT_PROPERTIES.index(f"N{orbital}Valence") for orbital in ORBITALS]

    @property
    def names(self) -> tuple[str, ...]:
        """The attributes' names, such as ``mean_Electronegativity``."""
        statistics = [f"{statistic}_{name}" for statistic in STATISTICS for name in ELEMENT_PROPERTIES]
        norms = ["elements", *(f"norm_{power}" for power in NORMS)]
        orbitals = [f"{what}_{orbital}_electrons" for what in ("mean", "share") for orbital in ORBITALS]
        return (*statistics, *norms, *orbitals)

    def transform(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """The attributes, shape ``n x len(names)``, of shares of the atoms, shape ``n x len(elements)``."""
        attributes = np.empty((len(shares), len(self.names)))
        for start in range(0, len(shares), BLOCK):
            block = slice(start, start + BLOCK)
            counts = np.count_nonzero(shares[block], axis=1)
            for count in np.unique(counts):
                chosen = start + np.flatnonzero(counts == count)
                attributes[chosen] = self._of_as_many(shares[chosen], int(count))
        return attributes

    def _of_as_many(self, shares: NDArray[np.float64], count: int) -> NDArray[np.float64]:
        """Attributes of formulas of as many elements each: array by array over the first element, the second, ..."""
        places = np.nonzero(shares)[1].reshape(len(shares), count)
        parts = np.take_along_axis(shares, places, axis=1)
        values = [self._table[places[:, number]] for number in range(count)]
        weights = [parts[:, number, None] for number in range(count)]
        mean, deviation = np.zeros_like(values[0]), np.zeros_like(values[0])
        least, most = values[0].copy(), values[0].copy()
        for value, weight in zip(values, weights, strict=True):
            mean += value * weight
            np.minimum(least, value, out=least)
            np.maximum(most, value, out=most)
        for value, weight in zip(values, weights, strict=True):
            apart = np.abs(value - mean)
            apart *= weight
            deviation += apart
        mode = self._table[places[np.arange(len(shares)), parts.argmax(axis=1)]]
        electrons = mean[:, self._valence]
        filling = electrons / np.maximum(electrons.sum(axis=1, keepdims=True), 1e-12)
        norms = np.stack([np.full(len(shares), count / self._many), *_norms(parts)], axis=1)
        return np.concatenate([least, most, most - least, mean, deviation, mode, norms, electrons, filling], axis=1)


def _norms(parts: NDArray[np.float64]) -> list[NDArray[np.float64]]:
    """The norms of NORMS; by repeated products, which are far cheaper than powers."""
    power, found = parts.copy(), {}
    for exponent in range(2, max(NORMS) + 1):
        power *= parts
        if exponent in NORMS:
            found[exponent] = power.sum(axis=1) ** (1.0 / exponent)
    return [found[exponent] for exponent in NORMS]
