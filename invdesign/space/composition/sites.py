"""One site of a composition: its elements or species and their amounts."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property

from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import Real, bounded, settings
from invdesign.space.composition.simplex import EmptySimplexError, Simplex
from invdesign.space.composition.simplex_counting import LARGEST_TABLE, Counting, table_entries
from invdesign.space.composition.simplex_volume import LARGEST_LIST, Volume
from invdesign.space.parameters import decimals
from invdesign.surrogates.features.elements import element_symbols, nearest_element

VACANCY = "none"
DIGITS = 6
"""Largest number of decimals of an amount: finer than can be weighed."""
LARGEST_AMOUNT = 10_000
MOST_RANGES = 20
"""Different ranges on a continuous site; the time for its volume doubles with each."""


@settings
class Site:
    """A sublattice: the elements or species that share it, and their amounts per formula unit, which sum to ``amount``.

    Without ``step``, amounts vary continuously, to a millionth; with it, in multiples of it. A site with a single
    option at a time (``pick: 1``) does not need a step.
    """

    amount: float = bounded(gt=0, le=LARGEST_AMOUNT)
    """Atoms or groups on the site per formula unit."""
    elements: tuple[str, ...] = ()
    """Symbols of the elements that may sit here, such as [Ni, Mn, Co]."""
    species: tuple[str, ...] = ()
    """Elements, groups such as OH, and none for a vacancy."""
    range: dict[str, tuple[Real, Real]] = field(default_factory=dict)
    """Smallest and largest amount of some of them."""
    pick: int | None = bounded(default=None, ge=1)
    """Exact number of different elements or species on the site."""
    max_elements: int | None = bounded(default=None, ge=1)
    """Largest number of different elements or species on the site."""
    step: float | None = bounded(default=None, gt=0)
    """Step of the amounts; continuous by default."""


@dataclass(frozen=True)
class SiteLattice:
    """A checked site, with amounts as whole numbers of its step.

    Attributes:
        name: of the site.
        options: elements and species in order; an empty text is a vacancy.
        unit: of an amount, ``10**-digits`` formula units; the space has one unit for all its sites.
        step: in units.
        simplex: the allowed amounts, in steps.
        continuous: True if the steps approximate a continuous amount.
    """

    name: str
    options: tuple[str, ...]
    digits: int
    step: int
    simplex: Simplex
    continuous: bool

    @property
    def varies(self) -> bool:
        """True if there is more than one way to fill the site."""
        return not self.simplex.is_point

    @property
    def amount(self) -> int:
        """Amount of the site, in units."""
        return self.simplex.total * self.step

    @cached_property
    def counting(self) -> Counting:
        """The ways to fill the site, counted and ordered; for sites with a step."""
        return Counting(self.simplex)

    @cached_property
    def volume(self) -> Volume:
        """The ways to fill the site, for one without a step."""
        return Volume(self.simplex)


def digits_of(name: str, site: Site) -> int:
    """Number of decimals of the amounts of a site.

    Raises:
        InputError: if a number of the site has too many.
    """
    numbers = [
        site.amount,
        *(() if site.step is None else (site.step,)),
        *(b for pair in site.range.values() for b in pair),
    ]
    for amount in numbers:
        if decimals(amount) > DIGITS or 0 < abs(amount) < 10.0**-DIGITS:
            raise InputError(
                f"Site {name}: {amount!r} has more than {DIGITS} decimals. Round it, or multiply all amounts."
            )
    return DIGITS if _is_continuous(site) else max(map(decimals, numbers))


def site_lattice(name: str, site: Site, digits: int) -> SiteLattice:
    """Checks a site and counts its amounts in steps.

    Args:
        name: of the site.
        site: its settings.
        digits: of the space's amounts.

    Raises:
        InputError: with what is wrong and what would be right.
    """
    listed = _listed(name, site)
    _check_numbers(name, site, listed)
    amount = _units(site.amount, digits)
    step = amount if _is_whole(site) else 1 if site.step is None else _units(site.step, digits)
    if amount % step:
        raise InputError(f"Site {name}: a step of {site.step:g} does not divide the amount {site.amount:g}.")
    ranges = [site.range.get(option, (0.0, site.amount)) for option in listed]
    low = [-(-_units(least, digits) // step) for least, _ in ranges]
    high = [_units(greatest, digits) // step for _, greatest in ranges]
    fewest = site.pick or 0
    most = site.pick or site.max_elements or len(listed)
    total = amount // step
    try:
        simplex = Simplex.of(total, low, high, fewest=fewest, most=most)
    except EmptySimplexError:
        raise InputError(_emptiness(name, site, listed)) from None
    options = tuple("" if option == VACANCY else option for option in listed)
    lattice = SiteLattice(name, options, digits, step, simplex, continuous=_is_continuous(site))
    different = len(set(zip(simplex.low, simplex.high, strict=True)))
    if lattice.continuous and (different > MOST_RANGES or lattice.volume.kinds > LARGEST_LIST):
        raise InputError(
            f"Site {name}: {len(listed)} options with different ranges are too many. Use the same range for some."
        )
    if not lattice.continuous and table_entries(simplex.parts, simplex.most, total) > LARGEST_TABLE:
        raise InputError(f"Site {name}: a step of {site.step:g} is too fine to enumerate. Remove it.")
    return lattice


def _listed(name: str, site: Site) -> tuple[str, ...]:
    """The options of a site, each checked."""
    if site.elements and site.species:
        raise InputError(f"Site {name} has both elements and species. List all of them as species.")
    listed = site.elements or site.species
    if not listed:
        raise InputError(f"Site {name} is empty. List its elements, such as elements: [Li].")
    repeated = sorted({option for option in listed if listed.count(option) > 1})
    if repeated:
        raise InputError(f"Site {name} lists {repeated[0]} more than once.")
    for option in listed:
        if site.elements and option == VACANCY:
            raise InputError(f"Site {name}: a vacancy is not an element. Use species: [{', '.join(listed)}].")
        if site.elements and option not in element_symbols():
            hint = " List it under species." if _is_species(option) else nearest_element(option)
            raise InputError(f"Site {name}: '{option}' is not an element.{hint}")
        if not site.elements and option != VACANCY and not _is_species(option):
            raise InputError(f"Site {name}: '{option}' is not a species.{nearest_element(option)}")
    return listed


def _is_species(option: str) -> bool:
    parts = re.findall(r"([A-Z][a-z]?)(\d*)", option)
    known = all(symbol in element_symbols() and count != "0" for symbol, count in parts)
    plain = len(parts) == 1 and bool(parts[0][1])  # O2 is an amount of O
    return bool(parts) and known and not plain and "".join(symbol + count for symbol, count in parts) == option


def _check_numbers(name: str, site: Site, listed: tuple[str, ...]) -> None:
    for option, (least, greatest) in site.range.items():
        if option not in listed:
            raise InputError(
                f"Site {name}: the range refers to '{option}', which is not on the site.{nearest(option, listed)}"
            )
        if not 0 <= least <= greatest:
            raise InputError(
                f"Site {name}: the range of {option} is not in order: {least:g} to {greatest:g}. Write "
                f"[smallest, largest]."
            )
        if least > site.amount:
            raise InputError(f"Site {name}: at least {least:g} {option} exceeds the amount {site.amount:g}.")
    if site.pick is not None and site.max_elements is not None:
        raise InputError(
            f"Site {name} has both pick and max_elements. Use pick for an exact number, max_elements for a "
            f"largest number."
        )
    if site.pick is not None and site.pick > len(listed):
        raise InputError(f"Site {name}: pick must be at most {len(listed)} ({', '.join(listed)}), not {site.pick}.")


def _emptiness(name: str, site: Site, listed: tuple[str, ...]) -> str:
    """The reason why no amounts of the site sum to its amount."""
    least = sum(site.range[option][0] for option in listed if option in site.range)
    greatest = sum(site.range.get(option, (0.0, site.amount))[1] for option in listed)
    if least > site.amount:
        return f"Site {name}: the amounts cannot sum to {site.amount:g}: the ranges require at least {least:g}."
    if greatest < site.amount:
        return f"Site {name}: the amounts cannot sum to {site.amount:g}: the ranges allow at most {greatest:g}."
    must = [option for option in listed if option in site.range and site.range[option][0] > 0]
    most = site.pick or site.max_elements
    if most is not None and len(must) > most:
        return f"Site {name}: {', '.join(must)} are all required by their ranges, but at most {most} are allowed."
    word = "pick" if site.pick else "max_elements"
    limited = f" with {word} {most}" if most is not None else ""
    stepped = f" in steps of {site.step:g}" if site.step is not None else ""
    return f"Site {name}: no amounts within the ranges sum to {site.amount:g}{limited}{stepped}. Widen the ranges."


def _is_whole(site: Site) -> bool:
    """True if a single option fills the site."""
    return len(site.elements or site.species) == 1 or 1 in (site.pick, site.max_elements)


def _is_continuous(site: Site) -> bool:
    return site.step is None and not _is_whole(site)


def _decimal(value: float) -> Decimal:
    """Removes rounding errors: 0.1 + 0.2 is 0.3."""
    return Decimal(repr(round(float(value), 9)))


def _units(value: float, digits: int) -> int:
    return int(_decimal(value).scaleb(digits).to_integral_exact())


def common_digits(sites: dict[str, Site]) -> int:
    """The number of decimals of the amounts of all sites."""
    return max(digits_of(name, site) for name, site in sites.items())


def ways(lattices: tuple[SiteLattice, ...]) -> int | None:
    """In how many ways the sites can be filled; None if an amount is continuous."""
    if any(lattice.continuous and lattice.varies for lattice in lattices):
        return None
    return math.prod(lattice.counting.size for lattice in lattices)
