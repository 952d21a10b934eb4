"""Chemical formulas as numbers: shares of the elements, and statistics of the elements' properties.

The statistics are the mean, spread and range of Ward et al. (2016, doi:10.1038/npjcompumats.2016.28, "Magpie"),
weighted by the share of the atoms; here they come from one product of the matrix of shares with a small table.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError, nearest, quoted
from invdesign.surrogates.features.elements import PROPERTIES, element_property, element_symbols, nearest_element
from invdesign.surrogates.features.formula_parser import token_amounts
from invdesign.surrogates.features.magpie import MagpieAttributes

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.surrogates.features.settings import FormulaKind

SHARE_DIGITS = 8
"""Decimals of a share up to which compositions are equal: amounts have at most six."""
LONGEST_FORMULA = 1000
"""Characters; reading nested brackets takes quadratic time."""
STATISTICS = ("mean", "spread", "range")
_PART = re.compile(r"([A-Z][a-z]?)((?:\d+\.?\d*|\.\d+)?)")
_GROUP = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]((?:\d+\.?\d*|\.\d+)?)")


def element_amounts(formulas: Sequence[str], elements: Sequence[str]) -> NDArray[np.float64]:
    """Reads how many atoms of each element formulas hold, shape ``n x len(elements)``.

    Args:
        formulas: such as ``LiNi0.8Mn0.1Co0.1O2`` or ``Ti2C(OH)2``; as many atoms as the formula says, not reduced.
        elements: symbols; every element of every formula must be among them.

    Raises:
        InputError: if a formula cannot be read, holds no atoms or an element that is not among ``elements``.
    """
    place = {symbol: position for position, symbol in enumerate(elements)}
    flat = [_flat(formula) for formula in formulas]
    amounts = token_amounts(flat, place)
    if amounts is None:
        raise InputError(_complaint(formulas, flat, place))
    empty = np.flatnonzero(amounts.sum(axis=1) <= 0.0)
    if len(empty):
        raise InputError(f"The formula {quoted(formulas[empty[0]])} contains no atoms.")
    return amounts


def elements_of(formulas: Iterable[str]) -> tuple[str, ...]:
    """The elements of formulas, by atomic number.

    Raises:
        InputError: if a formula cannot be read.
    """
    listed = list(formulas)
    held = element_amounts(listed, element_symbols()).sum(axis=0)
    return tuple(symbol for symbol, amount in zip(element_symbols(), held, strict=True) if amount > 0)


def composition_keys(formulas: Sequence[object], groups: Sequence[str] = ()) -> list[object]:
    """For each formula a key that is the same for equal compositions, whatever their order, scale and notation.

    Args:
        formulas: such as ``Na2Nb2CO2``.
        groups: such as ``(OH)``, which is distinguished from O and H on sites of their own.

    Returns:
        Symbols with their shares; the formula itself if it cannot be read.
    """
    place = {token: position for position, token in enumerate((*element_symbols(), *groups))}
    tokens = np.array(list(place))
    keys: list[object] = []
    for formula in formulas:
        amounts = token_amounts([formula], place) if isinstance(formula, str) and formula else None
        if amounts is None:
            try:
                amounts = element_amounts([formula], element_symbols())  # type: ignore[list-item]
            except InputError:
                keys.append(formula)
                continue
        held = np.flatnonzero(amounts[0])
        shares = np.round(amounts[0, held] / amounts.sum(), SHARE_DIGITS)
        keys.append(tuple(zip(tokens[held].tolist(), shares.tolist(), strict=True)))
    return keys


class FormulaFeatures:
    """Turns formulas into features between about 0 and 1.

    They are the share of each element among the atoms, that of the atoms in each group, and, for each of PROPERTIES,
    the mean over the atoms, its spread (standard deviation) and the range over the elements present. Properties are
    scaled to the span that they have over the elements, so that they are alike to a Gaussian process whatever their
    units; one that all elements share is left out.

    Args:
        parts: symbols of the elements that can occur, and groups such as ``(OH)``: hydroxyl is not oxygen and hydrogen
            on sites of their own.
        kind: ``magpie`` gives the attributes of Ward et al. in the place of these few statistics, scaled alike.

    Raises:
        InputError: if there is no element, or one is none (the nearest is named).
    """

    def __init__(self, parts: Sequence[str], kind: FormulaKind = "compact") -> None:
        elements = tuple(part for part in parts if not part.startswith("("))
        if not elements:
            raise InputError("At least one element is needed.")
        for symbol in elements:
            if symbol not in element_symbols():
                raise InputError(f"'{symbol}' is not an element.{nearest_element(symbol)}")
        self.elements = elements
        self.groups = tuple(part for part in parts if part.startswith("("))
        self._magpie = MagpieAttributes(elements, scaled=True) if kind == "magpie" else None
        table = np.array([[element_property(symbol, name) for symbol in elements] for name in PROPERTIES])
        span = np.ptp(table, axis=1)
        varied = span > 0
        self.properties = tuple(name for name, kept in zip(PROPERTIES, varied, strict=True) if kept)
        self._table = (table[varied] - table[varied].min(axis=1, keepdims=True)) / span[varied, None]

    @property
    def names(self) -> tuple[str, ...]:
        """The features' names, such as ``share_Ni`` and ``mean_electronegativity``."""
        shares = [f"share_{part}" for part in (*self.elements, *self.groups)]
        statistics = [f"{what}_{name}" for what in STATISTICS for name in self.properties]
        return (*shares, *(self._magpie.names if self._magpie is not None else statistics))

    def transform(self, formulas: Sequence[str]) -> NDArray[np.float64]:
        """The features of formulas, shape ``n x len(names)``.

        Raises:
            InputError: if a formula cannot be read or holds an element that cannot occur.
        """
        amounts = element_amounts(formulas, self.elements)
        shares = amounts / amounts.sum(axis=1, keepdims=True)
        own = [shares, self._group_shares(formulas, amounts.sum(axis=1))]
        more = self._magpie.transform(shares) if self._magpie is not None else self._statistics(shares)
        return np.concatenate([*own, more], axis=1)

    def _statistics(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Mean, spread and range of each property over the atoms, shape ``n x 3 properties``."""
        mean = shares @ self._table.T
        spread = np.sqrt(np.maximum(shares @ (self._table**2).T - mean**2, 0.0))
        present = shares > 0.0
        reach = np.empty_like(mean)
        for column, values in enumerate(self._table):
            largest = np.where(present, values, -np.inf).max(axis=1)
            reach[:, column] = largest - np.where(present, values, np.inf).min(axis=1)
        return np.concatenate([mean, spread, reach], axis=1)

    def _group_shares(self, formulas: Sequence[str], atoms: NDArray[np.float64]) -> NDArray[np.float64]:
        if not self.groups:
            return np.empty((len(formulas), 0))
        counts = np.array([[_group_count(formula, group) for group in self.groups] for formula in formulas])
        sizes = element_amounts([group[1:-1] for group in self.groups], self.elements).sum(axis=1)
        return counts.reshape(len(formulas), len(self.groups)) * sizes / atoms[:, None]


def _group_count(formula: str, group: str) -> float:
    """How often a formula holds a group: 2 for ``Ti2C(OH)2`` and ``(OH)``."""
    found = re.search(re.escape(group) + r"((?:\d+\.?\d*|\.\d+)?)", formula)
    return 0.0 if found is None else float(found[1] or 1.0)


def _flat(formula: str) -> str:
    """A formula without brackets or spaces, in as many atoms."""
    if not isinstance(formula, str) or len(formula) > LONGEST_FORMULA:
        raise InputError(f"{quoted(formula)} is not a formula. Use one such as 'LiFePO4'.")
    if formula.isalnum() or not any(sign in formula for sign in "([{ \n"):
        return formula
    return _without_brackets("".join(formula.split()))


@lru_cache(maxsize=100_000)
def _without_brackets(formula: str) -> str:
    found = _GROUP.search(formula)
    while found:
        factor = float(found[2]) if found[2] else 1.0
        counts: Counter[str] = Counter()
        inner = _PART.findall(found[1])
        if sum(len(symbol) + len(amount) for symbol, amount in inner) != len(found[1]):
            raise InputError(f"The formula {quoted(formula)} cannot be read at {quoted(found[1])}.")
        for symbol, amount in inner:
            counts[symbol] += (float(amount) if amount else 1.0) * factor  # type: ignore[assignment]
        plain = "".join(f"{symbol}{count:.12f}" for symbol, count in counts.items())
        formula = formula[: found.start()] + plain + formula[found.end() :]
        found = _GROUP.search(formula)
    return formula


def _complaint(formulas: Sequence[str], flat: Sequence[str], place: Mapping[str, int]) -> str:
    """Says which formula cannot be read, and why."""
    for formula, plain in zip(formulas, flat, strict=True):
        for symbol, _ in _PART.findall(plain):
            if symbol not in place:
                known = symbol in element_symbols()
                what = "an element that cannot occur here" if known else "not an element"
                hint = nearest(symbol, place) if known else nearest_element(symbol)
                return f"The formula {quoted(formula)} contains '{symbol}', which is {what}.{hint}"
        rest = _PART.sub("", plain)
        if rest:
            return f"The formula {quoted(formula)} cannot be read at {quoted(rest)}. Use one such as 'LiFePO4'."
    return "A formula cannot be read."  # pragma: no cover - the caller found one
