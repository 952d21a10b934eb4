"""Distributes the elements of a formula over the sublattices of a cell, in whole atoms."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.failures import CandidateFailure
from invdesign.objectives.electrode.prototypes import IONS, Prototype, Sublattice
from invdesign.objectives.formula.elements import metals
from invdesign.surrogates.features.elements import element_symbols

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pymatgen.core.structure import Structure

SLACK = 1e-3
"""Tolerance in atoms per site for a formula that is written with rounded amounts."""
EXACT = 1e-6
VACANCY = ""


@dataclass(frozen=True)
class Contents:
    """The occupants of the sublattices of a cell, in whole atoms.

    Attributes:
        copies: number of primitive cells in the cell.
        counts: for each sublattice the atoms of each element; ``VACANCY`` for sites that are empty.
        ion: the working ion.
        ions: number of working ions in the discharged electrode.
        left: number of working ions in the charged electrode.
        rounding: largest difference between a share in the formula (or of the remaining ions) and in the cell.
    """

    copies: int
    counts: Mapping[Sublattice, Mapping[str, int]]
    ion: str
    ions: int
    left: int
    rounding: float


def working_ion(elements: Mapping[str, float]) -> str:
    """Returns the working ion.

    Args:
        elements: amount of each element in the formula.

    Raises:
        CandidateFailure: if there is none.
    """
    for symbol in IONS:
        if elements.get(symbol, 0.0) > 0.0:
            return symbol
    raise CandidateFailure(f"the formula must contain a working ion: {', '.join(IONS)}")


def shares(prototype: Prototype, elements: Mapping[str, float], ion: str) -> dict[Sublattice, dict[str, float]]:
    """Places the elements of a formula on the sublattices.

    The formula is scaled so that its atoms that are neither metals nor the ion fill their sites. An element goes to the
    sublattice that it marks or that takes it, ions beyond their sites to those of metals; ions may be missing.

    Returns:
        For each sublattice the share of its sites that each element takes, vacancies included.

    Raises:
        CandidateFailure: if the formula does not fit; the message says which formulas do.
    """
    framework = [part for part in prototype.sublattices if part.role == "other"] or [
        part for part in prototype.sublattices if part.role == "metal"
    ]
    metallic = framework[0].role == "metal"
    counted = sum(amount for symbol, amount in elements.items() if symbol != ion and _is_metal(symbol) == metallic)
    if not counted > 0.0:
        raise _misfit(prototype, "it contains no " + " or ".join(sorted({part.mark for part in framework})))
    scale = sum(prototype.sites_of(part) for part in framework) / counted
    room = {part: float(prototype.sites_of(part)) for part in prototype.sublattices}
    placed: dict[Sublattice, dict[str, float]] = {part: {} for part in prototype.sublattices}
    for symbol, given in sorted(elements.items(), key=lambda item: _specific(prototype, item[0], ion)):
        amount = given * scale
        for part in _places(prototype, symbol, ion):
            taken = min(amount, room[part])
            if taken > EXACT:
                placed[part][symbol] = placed[part].get(symbol, 0.0) + taken
                room[part] -= taken
                amount -= taken
        if amount > SLACK * scale * sum(elements.values()):
            raise _misfit(prototype, f"{amount / scale:.3g} of its {given:g} {symbol} have no site")
    for part in prototype.sublattices:
        sites = prototype.sites_of(part)
        if part.role == "ion":
            placed[part][VACANCY] = room[part]
            if not placed[part].get(ion):
                raise _misfit(prototype, f"it has no {ion} on the sites of the ion")
        elif part.role == "charged":
            placed[part][VACANCY] = room[part]
        elif room[part] > SLACK * sites:
            raise _misfit(prototype, f"{room[part] / sites:.3g} of the sites of {part.mark} would be empty")
        placed[part] = {symbol: amount / sites for symbol, amount in placed[part].items() if amount > EXACT}
    return placed


def mobile_share(prototype: Prototype, elements: Mapping[str, float], ion: str) -> float:
    """The share of a formula's ions that are on their own sites: those on sites of metals stay."""
    placed = shares(prototype, elements, ion)
    amounts = {part: taken.get(ion, 0.0) * prototype.sites_of(part) for part, taken in placed.items()}
    return sum(amount for part, amount in amounts.items() if part.role == "ion") / sum(amounts.values())


def contents(
    prototype: Prototype,
    elements: Mapping[str, float],
    *,
    remaining: float,
    metal_sites: int,
    halfway: bool,
    largest: bool = False,
) -> Contents:
    """Finds the smallest cell that holds a formula, or the one that comes closest.

    Args:
        prototype: its sites.
        elements: amount of each element in the formula.
        remaining: share of the ions that remains in the charged electrode.
        metal_sites: largest number of metal sites in a cell (a primitive cell is always allowed).
        halfway: whether there must be a state between charged and discharged.
        largest: whether the largest such cell is used for mixed sites, instead of the smallest.

    Raises:
        CandidateFailure: if the formula does not fit, or no cell has two states.
    """
    ion = working_ion(elements)
    wanted = shares(prototype, elements, ion)
    primitive = sum(prototype.sites_of(part) for part in prototype.sublattices if part.role == "metal")
    grow = largest and any(len(taken) > 1 for taken in wanted.values())
    best: Contents | None = None
    for copies in range(1, max(1, metal_sites // max(primitive, 1)) + 1):
        found = _rounded(prototype, wanted, ion, copies, remaining)
        if found.ions - found.left < (2 if halfway else 1):
            continue
        if best is None or found.rounding < best.rounding + (EXACT if grow else -EXACT):
            best = found
        if best.rounding <= EXACT and not grow:
            break
    if best is None:
        raise CandidateFailure(
            f"a cell of {metal_sites} metal sites has too few {ion} to remove some; increase 'metal_sites'"
        )
    return best


def fitting_metal_sites(prototype: Prototype, elements: Mapping[str, float], remaining: float, most: int = 100) -> int:
    """Returns the number of metal sites that fit a formula exactly; zero if up to ``most`` do not."""
    ion = working_ion(elements)
    wanted = shares(prototype, elements, ion)
    primitive = sum(prototype.sites_of(part) for part in prototype.sublattices if part.role == "metal")
    for copies in range(1, most // max(primitive, 1) + 1):
        if _rounded(prototype, wanted, ion, copies, remaining).rounding <= SLACK:
            return copies * primitive
    return 0


@lru_cache(maxsize=64)
def compact_multiple(prototype: Prototype, copies: int) -> tuple[tuple[int, ...], ...]:
    """Returns the supercell matrix of a number of primitive cells whose shortest vector is the longest.

    All supercells are enumerated as Hermite normal forms (Hart and Forcade 2008, doi:10.1103/PhysRevB.77.224115),
    each reduced to its shortest vectors. A single layer is only repeated in its plane.
    """
    from pymatgen.core.lattice import Lattice

    best, longest = ((1, 0, 0), (0, 1, 0), (0, 0, 1)), -1.0
    for a in _divisors(copies):
        for c in _divisors(copies // a):
            f = copies // a // c
            if prototype.single_layer and f != 1:
                continue
            for b in range(c):
                for d in range(f):
                    for e in range(f):
                        matrix = ((a, b, d), (0, c, e), (0, 0, f))
                        lattice = Lattice(np.array(matrix) @ prototype.structure.lattice.matrix)
                        shortest = min(lattice.get_lll_reduced_lattice().abc)
                        if shortest > longest + EXACT:
                            best, longest = matrix, shortest
    return best


def supercell(prototype: Prototype, copies: int) -> Structure:
    """Returns the most compact cell of a number of primitive ones."""
    cell = prototype.structure.copy()
    cell.make_supercell(compact_multiple(prototype, copies), to_unit_cell=False)
    return cell if prototype.single_layer else _right_handed(cell.get_reduced_structure("LLL"))


def _right_handed(cell: Structure) -> Structure:
    """The same crystal with right-handed vectors: a negative volume would invert the sign of stresses."""
    from pymatgen.core.structure import Structure

    if float(np.linalg.det(cell.lattice.matrix)) > 0.0:
        return cell
    return Structure(-cell.lattice.matrix, cell.species, cell.cart_coords, coords_are_cartesian=True)


def _rounded(
    prototype: Prototype, wanted: Mapping[Sublattice, Mapping[str, float]], ion: str, copies: int, remaining: float
) -> Contents:
    counts, off, ions = {}, 0.0, 0
    for part, taken in wanted.items():
        sites = prototype.sites_of(part) * copies
        counts[part] = _whole(taken, sites)
        off = max(off, *(abs(counts[part][symbol] / sites - share) for symbol, share in taken.items()))
        if part.role == "ion":
            ions = counts[part].get(ion, 0)
    left = math.floor(remaining * ions + 0.5)
    off = max(off, abs(left / ions - remaining) if ions else 1.0)
    return Contents(copies, counts, ion, ions, left, off)


def _whole(taken: Mapping[str, float], sites: int) -> dict[str, int]:
    """Whole numbers that sum to ``sites``, by largest remainder."""
    exact = np.array(list(taken.values())) * sites / sum(taken.values())
    counts: NDArray[np.int64] = np.floor(exact + EXACT).astype(np.int64)
    order = np.argsort(-(exact - counts), kind="stable")
    counts[order[: sites - int(counts.sum())]] += 1
    return dict(zip(taken, counts.tolist(), strict=True))


def _places(prototype: Prototype, symbol: str, ion: str) -> list[Sublattice]:
    parts = prototype.sublattices
    if symbol == ion:
        return [part for part in parts if part.role == "ion"] + [part for part in parts if part.role == "metal"]
    marked = [part for part in parts if part.role != "ion" and part.mark == symbol]
    other = [part for part in parts if symbol in part.takes or (part.role == "metal" and _is_metal(symbol))]
    return marked + [part for part in other if part not in marked]


def _specific(prototype: Prototype, symbol: str, ion: str) -> tuple[int, str]:
    """Marks come first, then elements with few allowed sites; ions come last, on the remaining sites."""
    marked = any(part.mark == symbol for part in prototype.sublattices)
    return (99 if symbol == ion else 0 if marked else len(_places(prototype, symbol, ion)), symbol)


def _is_metal(symbol: str) -> bool:
    return bool(metals()[element_symbols().index(symbol)])


def _divisors(number: int) -> list[int]:
    return [divisor for divisor in range(1, number + 1) if number % divisor == 0]


def _misfit(prototype: Prototype, why: str) -> CandidateFailure:
    return CandidateFailure(
        f"the formula does not fit the prototype '{prototype.name}': {why}. Formulas that fit: {prototype.fits}"
    )
