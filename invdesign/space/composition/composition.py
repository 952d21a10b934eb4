"""A chemical formula as a parameter: elements and species on sites, with rules for every formula."""

from __future__ import annotations

import math
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.settings import Real, settings
from invdesign.space.composition.formula_text import FormulaText
from invdesign.space.composition.product import Product
from invdesign.space.composition.programs import NoFillingError, filling
from invdesign.space.composition.region import LARGEST_LIST, Region
from invdesign.space.composition.rules import (
    CHARGE,
    Quantities,
    Rules,
    charge_problem,
    charge_rules,
    excluded_pairs,
    limit_rules,
)
from invdesign.space.composition.sites import Site, common_digits, site_lattice
from invdesign.space.composition.variation import crossed_amounts, mutated_amounts
from invdesign.space.parameters import each_or_given

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

CHARGE_SLACK = 1e-4
"""Tolerance of the charge of continuous compositions, in elementary charges per formula unit: rounding of amounts."""
TRIES = 50
"""Number of changes to try for each requested neighbor."""


@settings
class Composition:
    """A formula such as ``LiNi0.8Mn0.1Co0.1O2``, written site by site.

    A formula names the options in the order of the sites and, on a site, in the order of its list, with amounts per
    formula unit; an option on two sites appears once, at its first site, with its total amount. If all amounts are
    whole numbers, they are divided by their common divisor. Equal compositions are equal strings. A species of
    several atoms is a unit: OH is not O and H. Amounts have the decimals of the site's step, or six without one.

    In the unit cube an option whose amount varies has one coordinate, its amount between the smallest and the largest
    possible one. Every point decodes to the nearest composition that satisfies the rules.

    Example:
        >>> Composition(
        ...     sites={
        ...         "A": {"elements": ["Li"], "amount": 1},
        ...         "M": {"elements": ["Ni", "Mn", "Co"], "amount": 1, "range": {"Ni": [0.3, 0.9]}, "step": 0.01},
        ...         "O": {"elements": ["O"], "amount": 2},
        ...     },
        ...     charge_balanced=True,
        ... )

    Raises:
        InputError: naming the site or rule that is invalid, and what would be right.
    """

    sites: Annotated[dict[str, Site], Field(min_length=1, max_length=20)]
    """The sublattices by name, each a ``Site`` or its mapping, in the order of the formula."""
    charge_balanced: bool = False
    """Whether the formula must be neutral. Every atom may take any of its oxidation states, so it is sufficient
    that zero lies between the lowest and the highest charge; see the module ``charge``."""
    oxidation_states: dict[str, list[int]] = field(default_factory=dict)
    """Oxidation states of elements or species that replace the known ones."""
    exclude: Annotated[list[tuple[str, str]], Field(max_length=300)] = field(default_factory=list)
    """Pairs of elements or species that must not occur together."""
    limits: dict[str, tuple[Real, Real]] = field(default_factory=dict)
    """Smallest and largest value of quantities: an element's amount per formula unit (``Co``), its share of the
    metals on the varied sites that can hold it (``share_Co``), the mean Pauling electronegativity of the atoms
    (``mean_electronegativity``)."""

    def __post_init__(self) -> None:
        if self.oxidation_states and not self.charge_balanced:
            raise InputError("oxidation_states need charge_balanced: true.")
        if not self._product.varied.size:
            raise InputError("Nothing varies in this composition. Give at least one site two or more elements.")
        _ = self._text
        self._demand_one()

    @property
    def dimension(self) -> int:
        return len(self._product.varied)

    @property
    def size(self) -> float:
        """Number of formulas; infinite if an amount is continuous.

        It is exact unless ``size_is_exact`` says otherwise: without rules across sites it is counted; with them, or
        with an element on two sites, up to a million fillings are enumerated, and beyond that it is the
        number of fillings times the share of 32,768 random ones that satisfy the rules (at least one), an estimate.
        """
        size = self._product.size
        if size is None:
            return math.inf
        if not self._region.plain:
            size = len(self._region.listed) if self._region.is_listed else max(1, round(size * self._region.share))
        return size if size < 2**53 else float(min(size, int(np.finfo(float).max)))

    @property
    def size_is_exact(self) -> bool:
        """False if ``size`` is an estimate; ``at`` cannot be used then."""
        return self._product.size is None or self._region.plain or self._region.is_listed

    @property
    def is_even(self) -> bool:
        return False

    @property
    def elements(self) -> tuple[str, ...]:
        """The elements that can occur, in the order of the formula."""
        return self._quantities.elements

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        formulas = np.asarray(values, dtype=object)
        return self._product.coordinates(self._filled(formulas))

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        """Formulas as the space writes them, whatever the order of their elements and their scale."""

        def written(formula: object) -> object:
            return self._written(self._filled(np.array([formula], dtype=object)))[0]

        try:
            return self._written(self._filled(np.asarray(values, dtype=object)))
        except InputError:
            return each_or_given(values, written)

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        return self._written(self._region.nearest(np.asarray(points, dtype=np.float64)))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self._product.coordinates(self._region.sample(n, rng))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        if self._product.size is None:
            raise InputError("A composition with continuous amounts cannot be enumerated. Give its sites a step.")
        if self._region.plain:
            return self._written(self._product.at(np.asarray(places)))
        if not self._region.is_listed:
            raise InputError(
                f"The formulas that satisfy the rules cannot be enumerated: there are more than "
                f"{LARGEST_LIST:,} fillings "
                "to check. Sample them at random."
            )
        return self._written(self._region.listed[np.asarray(places)].astype(np.int64))

    def site_coordinates(self) -> dict[str, NDArray[np.int64]]:
        """The coordinates of each site that varies, in the order of the sites."""
        found = {}
        for lattice, part in self._product.parts():
            varied = self._product.varied
            places = np.flatnonzero((varied >= part.start) & (varied < part.stop))
            if len(places):
                found[lattice.name] = places
        return found

    def neighbors(self, formula: str, rng: np.random.Generator, n: int) -> NDArray[np.object_]:
        """Formulas that are one small change away: an amount changed, two elements exchanged, another one picked.

        Args:
            formula: of the space.
            rng: source of randomness.
            n: largest number of formulas; fewer if there are no more nearby.

        Returns:
            Different formulas, none of them the given one.
        """
        amounts = self._filled(np.array([formula], dtype=object))
        formulas = self._written(self._region.changed(amounts[0], rng, TRIES * n))
        itself = self._written(amounts)[0]
        different = [other for other in dict.fromkeys(formulas.tolist()) if other != itself]
        return np.array(different[:n], dtype=object)

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        """One child of each formula: two amounts of a site exchanged, or some changed, by ``step`` on average."""
        amounts = self._filled(np.asarray(values, dtype=object))
        return self._written(mutated_amounts(self._region, amounts, rng, step))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        """One child of each pair of formulas, its amounts between theirs and a little beyond."""
        one, other = (self._filled(np.asarray(values, dtype=object)) for values in (first, second))
        return self._written(crossed_amounts(self._region, one, other, rng))

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """An amount (``Co``), a share (``share_Co``) or the ``mean_electronegativity`` of formulas.

        Electronegativities are Pauling's, from pymatgen. See ``limits`` for the definition of a share.
        """
        quantity = self._quantities.find(name)
        if quantity is None:
            return None
        return quantity.value(self._text.read(np.asarray(values, dtype=object)), self._unit)

    def column(self, name: str) -> Column:
        """Describes the column; its values are the elements, and species of several atoms in brackets."""
        species = dict.fromkeys(word for site in self.sites.values() for word in site.species)
        groups = [f"({word})" for word in species if word != "none" and word not in self.elements]
        return Column(name, "formula", values=(*self.elements, *groups))

    def _filled(self, formulas: NDArray[np.object_]) -> NDArray[np.int64]:
        """The amounts on each site, in steps, of formulas of the space."""
        totals = self._text.read(formulas)
        amounts = self._split_by_program(formulas, totals) if self._product.shared else self._split(formulas, totals)
        broken = ~self._region.keeps(amounts)
        if broken.any():
            row = int(np.argmax(broken))
            labels = [
                label
                for label in self._rules.labels
                if not Rules(
                    tuple(rule for rule in self._rules.linear if rule.label == label),
                    self._rules.excluded if label == "excluded pairs" else (),
                ).kept(totals[[row]])[0]
            ]
            raise InputError(f"The formula {formulas[row]!r} violates {' and '.join(labels)}.")
        return amounts

    def _split(self, formulas: NDArray[np.object_], totals: NDArray[np.int64]) -> NDArray[np.int64]:
        amounts = np.zeros((len(totals), self._product.columns), dtype=np.int64)
        place = {option: position for position, option in enumerate(self._product.options)}
        for lattice, part in self._product.parts():
            here = amounts[:, part]
            vacancy = None
            for column, option in enumerate(lattice.options):
                if option in place:
                    steps, rest = np.divmod(totals[:, place[option]], lattice.step)
                    here[:, column] = np.where(rest == 0, steps, -1)
                elif not option:
                    vacancy = column
            if vacancy is not None:
                here[:, vacancy] = lattice.simplex.total - here.sum(axis=1)
            wrong = ~lattice.simplex.contains(here)
            if wrong.any():
                raise InputError(self._misfit(str(formulas[int(np.argmax(wrong))]), lattice.name))
        return amounts

    def _split_by_program(self, formulas: NDArray[np.object_], totals: NDArray[np.int64]) -> NDArray[np.int64]:
        different, back = np.unique(totals, axis=0, return_inverse=True)
        found = []
        for row, amounts in enumerate(different):
            filled = filling(self._product, amounts)
            if filled is None:
                formula = formulas[int(np.flatnonzero(back.ravel() == row)[0])]
                raise InputError(f"The formula {formula!r} is not in this space: the sites cannot hold these amounts.")
            found.append(filled)
        return np.array(found, dtype=np.int64).reshape(-1, self._product.columns)[back.ravel()]

    def _misfit(self, formula: str, name: str) -> str:
        site = self.sites[name]
        listed = ", ".join(site.elements or site.species)
        parts = [f"an amount of {site.amount:g} of {listed}"]
        parts += [f"{option} from {low:g} to {high:g}" for option, (low, high) in site.range.items()]
        parts += [f"exactly {site.pick} of them"] if site.pick else []
        parts += [f"at most {site.max_elements} of them"] if site.max_elements else []
        parts += [f"steps of {site.step:g}"] if site.step else []
        return f"The formula {formula!r} is not in this space: site {name} needs {', '.join(parts)}."

    def _written(self, amounts: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._text.write(self._product.totals(amounts))

    def _demand_one(self) -> None:
        try:
            self._region.demand_one()
        except NoFillingError:
            raise InputError(self._emptiness()) from None

    def _emptiness(self) -> str:
        """Names the rules that exclude all formulas."""
        if CHARGE in self._rules.labels:
            found = charge_problem(self._product, [rule for rule in self._rules.linear if rule.label == CHARGE])
            if found:
                return found
        guilty = self._rules
        for label in self._rules.labels:
            fewer = guilty.without(label)
            try:
                Region(self._product, fewer, self._charges).demand_one()
            except NoFillingError:
                guilty = fewer
        return (
            f"No formula satisfies {' and '.join(guilty.labels)}. Relax one of them, or widen the ranges of the sites."
        )

    @cached_property
    def _product(self) -> Product:
        digits = common_digits(self.sites)
        return Product(tuple(site_lattice(name, site, digits) for name, site in self.sites.items()))

    @property
    def _unit(self) -> float:
        return 10.0 ** -self._product.lattices[0].digits

    @cached_property
    def _quantities(self) -> Quantities:
        return Quantities(self._product)

    @cached_property
    def _rules(self) -> Rules:
        continuous = any(lattice.continuous for lattice in self._product.lattices)
        slack = CHARGE_SLACK / self._unit if continuous else 0.0
        linear = limit_rules(self._quantities, self.limits, self._unit)
        if self.charge_balanced:
            linear = (*charge_rules(self._product, self._quantities, self.oxidation_states, slack), *linear)
        return Rules(linear, excluded_pairs(self._product, self.exclude))

    @cached_property
    def _charges(self) -> tuple[int, ...]:
        """Charge of one step of each column if every option has a single state; else zeros."""
        balance = [rule for rule in self._rules.linear if rule.label == CHARGE]
        nothing = (0,) * self._product.columns
        if not balance or any(
            -least != most for least, most in zip(*(rule.coefficients for rule in balance), strict=True)
        ):
            return nothing
        charges = self._product.merge @ np.array(balance[1].coefficients)
        return tuple(int(charge) for charge in charges) if (charges == np.rint(charges)).all() else nothing

    @cached_property
    def _region(self) -> Region:
        return Region(self._product, self._rules, self._charges)

    @cached_property
    def _text(self) -> FormulaText:
        anchor = self._product.anchor
        if anchor is None:
            raise InputError(
                "Every site may be vacant, so the size of the formula unit is undefined. Give one site without "
                "'none', with elements that are on no site with 'none'."
            )
        digits = self._product.lattices[0].digits
        largest = (
            sum(lattice.amount for lattice in self._product.lattices)
            if self._product.shared
            else max(lattice.amount for lattice in self._product.lattices)
        )
        always = self._product.always
        return FormulaText(self._product.options, digits, *anchor, always == 0 or always > 10**digits, largest)
