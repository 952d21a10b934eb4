"""Rules across the sites of a composition, and the quantities that follow from a formula.

Charge balance and limits on amounts, shares and the mean electronegativity are linear in the amounts (a ratio between
two bounds is two linear inequalities, its denominator being positive), so that they can be checked by one matrix
product and searched by linear programming. Excluded pairs are the only rules that are not.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError, nearest
from invdesign.space.composition.charge import charge_range
from invdesign.space.composition.product import Product
from invdesign.surrogates.features.elements import element_property, element_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.composition.sites import SiteLattice

SLACK = 1e-9
"""Relative tolerance of an inequality, for rounding."""
CHARGE = "charge balance"
ELECTRONEGATIVITY = "mean_electronegativity"
SHARE = "share_"


@dataclass(frozen=True)
class Linear:
    """A rule ``coefficients @ totals + constant >= 0``, with totals in the space's units.

    Attributes:
        label: name of the rule in messages.
        coefficients: one per option.
        constant: in the unit of ``coefficients @ totals``.
        slack: tolerance, in the same unit.
    """

    label: str
    coefficients: tuple[float, ...]
    constant: float = 0.0
    slack: float = 0.0


@dataclass(frozen=True)
class Rules:
    """The rules of a space.

    Attributes:
        linear: inequalities.
        excluded: pairs of options, by index, that must not occur together.
    """

    linear: tuple[Linear, ...] = ()
    excluded: tuple[tuple[int, int], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.linear or self.excluded)

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of the rules."""
        found = [rule.label for rule in self.linear] + ["excluded pairs"] * bool(self.excluded)
        return tuple(dict.fromkeys(found))

    def without(self, label: str) -> Rules:
        """The rules without those of one label."""
        return Rules(
            tuple(rule for rule in self.linear if rule.label != label),
            () if label == "excluded pairs" else self.excluded,
        )

    def kept(self, totals: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each row of totals satisfies every rule."""
        good = np.ones(len(totals), dtype=bool)
        if self.linear:
            matrix, constants, slack = self._arrays
            values = totals @ matrix.T + constants
            room = SLACK * (totals @ np.abs(matrix).T + np.abs(constants)) + slack
            good &= (values >= -room).all(axis=1)
        for one, other in self.excluded:
            good &= (totals[:, one] == 0) | (totals[:, other] == 0)
        return good

    @cached_property
    def _arrays(self) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        return (
            np.array([rule.coefficients for rule in self.linear]),
            np.array([rule.constant for rule in self.linear]),
            np.array([rule.slack for rule in self.linear]),
        )


@dataclass(frozen=True)
class Quantity:
    """A number computed from totals: ``above @ totals / below @ totals``, or an amount if ``below`` is None.

    Attributes:
        above: one per option.
        below: one per option, or None.
    """

    above: tuple[float, ...]
    below: tuple[float, ...] | None = None

    def value(self, totals: NDArray[np.int64], unit: float) -> NDArray[np.float64]:
        """The quantity for rows of totals: an amount per formula unit, or a ratio (NaN if it is undefined).

        Args:
            totals: in units.
            unit: of a total, in atoms per formula unit.
        """
        above = totals @ np.array(self.above)
        if self.below is None:
            return np.asarray(above * unit, dtype=np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(above / (totals @ np.array(self.below)), dtype=np.float64)


@dataclass(frozen=True)
class Quantities:
    """The quantities of a space's formulas.

    Attributes:
        product: the sites.
    """

    product: Product

    @cached_property
    def atoms(self) -> tuple[dict[str, float], ...]:
        """The atoms of each option."""
        return tuple(atoms_of(option) for option in self.product.options)

    @cached_property
    def elements(self) -> tuple[str, ...]:
        """The elements that can occur, in the order of the formula."""
        return tuple(dict.fromkeys(symbol for atoms in self.atoms for symbol in atoms))

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all quantities."""
        shares = [SHARE + symbol for symbol in self.elements if self._beside(symbol)]
        return (*self.elements, *shares, ELECTRONEGATIVITY)

    def find(self, name: str) -> Quantity | None:
        """The quantity of a name; None if there is none."""
        if name in self.elements:
            return Quantity(self._amount(name))
        if name == ELECTRONEGATIVITY:
            weighted = [
                sum(count * element_property(symbol, "electronegativity") for symbol, count in atoms.items())
                for atoms in self.atoms
            ]
            return Quantity(tuple(weighted), tuple(float(sum(atoms.values())) for atoms in self.atoms))
        if name.startswith(SHARE):
            symbol = name.removeprefix(SHARE)
            beside = self._beside(symbol)
            if beside:
                amounts = [self._amount(other) for other in beside]
                return Quantity(self._amount(symbol), tuple(map(sum, zip(*amounts, strict=True))))
        return None

    def _amount(self, symbol: str) -> tuple[float, ...]:
        return tuple(float(atoms.get(symbol, 0.0)) for atoms in self.atoms)

    def _beside(self, symbol: str) -> tuple[str, ...]:
        """The basis of an element's share: the metals on the varied sites with it; all elements for a nonmetal."""
        found: dict[str, None] = {}
        for lattice in self.product.lattices:
            here = [other for option in lattice.options if option for other in atoms_of(option)]
            if lattice.varies and symbol in here:
                found |= dict.fromkeys(here)
        metals = tuple(other for other in found if is_metal(other))
        return metals if symbol in metals else tuple(found)


def charge_rules(
    product: Product, quantities: Quantities, states: Mapping[str, list[int]], slack: float
) -> tuple[Linear, Linear]:
    """The two inequalities of charge balance: lowest charge at most zero, highest charge at least zero.

    Args:
        product: the sites.
        quantities: of their formulas.
        states: oxidation states that replace the known ones.
        slack: of the charge, in elementary charges times the unit of totals.

    Raises:
        InputError: if an option has no known state, or the charge can never balance.
    """
    for name in states:
        known = {*product.options, *quantities.elements}
        if name not in known:
            raise InputError(f"oxidation_states refers to '{name}', which is on no site.{nearest(name, known)}")
        if not states[name]:
            raise InputError(f"oxidation_states of {name} is empty. Give values such as {name}: [2, 3].")
    ranges = []
    for option, atoms in zip(product.options, quantities.atoms, strict=True):
        found = charge_range(option, atoms, dict(states))
        if found is None:
            raise InputError(
                f"The oxidation state of {option} is unknown. Give it, such as oxidation_states: {{{option}: [2]}}."
            )
        ranges.append(found)
    least, greatest = zip(*ranges, strict=True)
    return Linear(CHARGE, tuple(-value for value in least), 0.0, slack), Linear(CHARGE, greatest, 0.0, slack)


def limit_rules(quantities: Quantities, limits: Mapping[str, tuple[float, float]], unit: float) -> tuple[Linear, ...]:
    """The inequalities of limits on quantities.

    Args:
        quantities: that can be limited.
        limits: smallest and largest value of each.
        unit: of a total, in atoms per formula unit.

    Raises:
        InputError: if a quantity is unknown (the nearest is suggested) or the limits are not in order.
    """
    found = []
    for name, (least, greatest) in limits.items():
        quantity = quantities.find(name)
        if quantity is None:
            raise InputError(f"limits: unknown quantity '{name}'.{nearest(name, quantities.names)}")
        if not least <= greatest:
            raise InputError(
                f"limits: the bounds of {name} are not in order: {least:g} to {greatest:g}. Write [smallest, largest]."
            )
        above = np.array(quantity.above)
        label = f"the limits of {name}"
        if quantity.below is None:
            found.append(Linear(label, tuple(above.tolist()), -least / unit))
            found.append(Linear(label, tuple((-above).tolist()), greatest / unit))
        else:
            below = np.array(quantity.below)
            found.append(Linear(label, tuple((above - least * below).tolist())))
            found.append(Linear(label, tuple((greatest * below - above).tolist())))
    return tuple(found)


def excluded_pairs(product: Product, pairs: Sequence[Sequence[str]]) -> tuple[tuple[int, int], ...]:
    """The indices of options that must not occur together.

    Raises:
        InputError: if an entry is not a pair, or refers to something on no site (the nearest is suggested).
    """
    place = {option: position for position, option in enumerate(product.options)}
    found = []
    for pair in pairs:
        if len(pair) != 2 or pair[0] == pair[1]:
            raise InputError(f"exclude: {list(pair)} is not a pair of two different elements or species.")
        for name in pair:
            if name not in place:
                raise InputError(f"exclude: '{name}' is on no site.{nearest(name, product.options)}")
        found.append((place[pair[0]], place[pair[1]]))
    return tuple(found)


def charge_problem(product: Product, balance: Sequence[Linear]) -> str | None:
    """The message if the charge can never balance, whatever the other rules; None if it can.

    Args:
        product: the sites.
        balance: the result of ``charge_rules``.
    """
    lowest, highest = -np.array(balance[0].coefficients), np.array(balance[1].coefficients)
    unit = 10.0 ** -product.lattices[0].digits
    least, greatest = -unit * _most_charge(product, -lowest), unit * _most_charge(product, highest)
    if least <= 1e-6 and greatest >= -1e-6:
        return None
    states = ", ".join(
        f"{option} {low:+g}" if low == high else f"{option} {low:+g} to {high:+g}"
        for option, low, high in zip(product.options, lowest, highest, strict=True)
    )
    reached = f"{least:+g}" if math.isclose(least, greatest) else f"between {least:+g} and {greatest:+g}"
    if least > 0:
        cure = f"Add {-least:+g} of anions such as O -2 or F -1, or let cations be vacant (none)"
    else:
        cure = f"Add {-greatest:+g} of cations such as Li +1 or Al +3, or let anions be vacant (none)"
    return (
        f"The charge cannot balance: it is {reached} per formula unit at best ({states}). {cure}, change the amounts, "
        "or give other oxidation_states."
    )


def _most_charge(product: Product, charges: NDArray[np.float64]) -> float:
    of = dict(zip(product.options, charges.tolist(), strict=True))
    return sum(_most_of(np.array([of.get(option, 0.0) for option in site.options]), site) for site in product.lattices)


def _most_of(values: NDArray[np.float64], lattice: SiteLattice) -> float:
    """The largest ``values @ amounts`` on a site, ignoring its limit on the number of elements."""
    high = lattice.simplex.high
    amounts = np.array(lattice.simplex.low)
    left = lattice.simplex.total - int(amounts.sum())
    for place in np.argsort(-values, kind="stable"):
        more = min(left, high[place] - amounts[place])
        amounts[place] += more
        left -= more
    return float(values @ amounts) * lattice.step


def atoms_of(option: str) -> dict[str, float]:
    """The atoms of an element or a species."""
    found: dict[str, float] = {}
    for symbol, count in re.findall(r"([A-Z][a-z]?)(\d*)", option):
        found[symbol] = found.get(symbol, 0.0) + float(count or 1)
    return found


def is_metal(symbol: str) -> bool:
    """True for metals and metalloids, after pymatgen."""
    from pymatgen.core.periodic_table import Element

    if symbol not in element_symbols():
        return False
    element = Element(symbol)
    return bool(element.is_metal or element.is_metalloid)
