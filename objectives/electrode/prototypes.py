"""Prototype structures of insertion electrodes: sites from the literature and their allowed occupants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from invdesign.core.errors import InputError, nearest
from invdesign.core.text_files import is_file

if TYPE_CHECKING:
    from pymatgen.core.structure import Structure

Role = Literal["ion", "metal", "other", "charged"]

IONS: Mapping[str, int] = {"Li": 1, "Na": 1, "K": 1, "Mg": 2, "Ca": 2}
"""Working ions and their charges; if a formula holds several, the first in this order is the mobile one."""
BUILT_IN: Mapping[str, str] = {
    "layered": "A M O2, such as LiNi0.8Mn0.1Co0.1O2, or A M S2, such as LiTiS2",
    "spinel": "A M2 O4, such as LiMn1.5Ni0.5O4",
    "lithiated-spinel": "A2 M2 O4, such as Li2Mn2O4 or Li7Ti5O12, of which half of A remains",
    "olivine": "A M P O4, such as LiFe0.5Mn0.5PO4",
    "nasicon": "A4 M2 (P O4)3 with A partly missing, such as Na3V2(PO4)3",
    "tavorite": "A M P O4 F or A M S O4 F, such as LiVPO4F",
    "mxene": "M2 X Z2 or M2 X T2 Z2 with X = C or N and T = O, F, Cl, S, H or OH, such as Ti2CO2Li2 or V2C(OH)2Na2",
}
"""The built-in prototypes, each with the formulas that fit it."""
ANIONS = frozenset({"O", "F", "Cl", "Br", "I", "S", "Se", "N", "H"})
CENTERS = frozenset({"P", "Si", "S", "As", "Ge", "B"})
CHARGED = "Xe"
"""Mark of sites that are empty in the discharged electrode; no formula holds it."""
VACUUM_CELL = 28.0
"""Angstrom: height of the cell of a single MXene layer, whose ions are some 4 angstrom from its middle."""


@dataclass(frozen=True)
class Sublattice:
    """Sites that share their occupants.

    Attributes:
        mark: element that marks the sites in the prototype's structure.
        role: ``ion``, ``metal`` or ``other``; or ``charged`` for sites that are empty in the discharged electrode, to
            which the ions that stay move when it is charged.
        takes: the other elements that may sit here.
    """

    mark: str
    role: Role
    takes: frozenset[str] = frozenset()


@dataclass(frozen=True, eq=False)
class Prototype:
    """A primitive cell and its sublattices. Instances are compared by identity.

    Attributes:
        name: as given by the user.
        structure: the primitive cell; each sublattice's sites hold its mark.
        sublattices: in the order in which elements are placed.
        fits: description of the formulas that fit.
        single_layer: True for a sheet in vacuum, which has no volume.
    """

    name: str
    structure: Structure
    sublattices: tuple[Sublattice, ...]
    fits: str
    single_layer: bool = False

    def sites_of(self, sublattice: Sublattice) -> int:
        """Number of sites of a sublattice in the primitive cell."""
        return sum(site.species_string == sublattice.mark for site in self.structure)


def prototype_for(name: str, elements: Mapping[str, float]) -> Prototype:
    """Returns the prototype for a formula; the structure of a MXene depends on its termination.

    Args:
        name: one of BUILT_IN, or the path of a CIF file.
        elements: amount of each element in the formula.

    Raises:
        InputError: if the file cannot be used.
    """
    if name == "mxene":
        carbon = sum(elements.get(symbol, 0.0) for symbol in ("C", "N")) or 1.0
        hydrogen = elements.get("H", 0.0) / carbon
        oxygen = elements.get("O", 0.0) / carbon
        if abs(hydrogen - 2.0) < 1e-6 and abs(oxygen - 2.0) < 1e-6:
            return mxene("OH")
        return mxene("T" if ANIONS - {"N"} & set(elements) else "")
    if name == "layered" and elements.get("O", 0.0) < max(elements.get(symbol, 0.0) for symbol in ("S", "Se")):
        return layered_sulfide()
    return KINDS.get(name, lambda: from_cif(name))()


def check_prototype(name: str) -> None:
    """Raises InputError if a prototype is neither a known name nor a readable CIF file."""
    if name not in BUILT_IN:
        from_cif(name)


@lru_cache(maxsize=1)
def layered() -> Prototype:
    """The alpha-NaFeO2 structure, O3, R-3m.

    Lattice and oxygen's position of LiCoO2 by neutrons (Orman and Wiseman 1984, doi:10.1107/S0108270184002833).
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    cell = Structure.from_spacegroup(
        "R-3m",
        Lattice.hexagonal(2.8166, 14.052),
        ["Li", "Co", "O"],
        [[0.0, 0.0, 0.5], [0.0, 0.0, 0.0], [0.0, 0.0, 0.2395]],
    )
    return Prototype("layered", _primitive(cell), _oxide("Co"), BUILT_IN["layered"])


@lru_cache(maxsize=1)
def layered_sulfide() -> Prototype:
    """The 1T structure of intercalated disulfides, O1, P-3m1: ions between the sheets of CdI2 type.

    Of LiTiS2 by neutrons (Dahn et al. 1980, doi:10.1139/p80-033), rounded.
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    cell = Structure(
        Lattice.hexagonal(3.46, 6.19),
        ["Li", "Ti", "S", "S"],
        [[0.0, 0.0, 0.5], [0.0, 0.0, 0.0], [1 / 3, 2 / 3, 0.24], [2 / 3, 1 / 3, 0.76]],
    )
    anion = Sublattice("S", "other", ANIONS - {"N", "H"})
    return Prototype("layered", cell, (Sublattice("Li", "ion"), Sublattice("Ti", "metal"), anion), BUILT_IN["layered"])


TETRAHEDRAL = ((0.125, 0.125, 0.125), (0.875, 0.875, 0.875))
"""The 8a sites of a spinel's primitive cell."""
OCTAHEDRAL = ((0.0, 0.0, 0.0), (0.5, 0.0, 0.0), (0.0, 0.5, 0.0), (0.0, 0.0, 0.5))
"""The 16c sites."""


@lru_cache(maxsize=1)
def spinel() -> Prototype:
    """The primitive cell of the spinel structure, Fd-3m: ions on 8a, metals on 16d, oxygen on 32e.

    Lattice and oxygen's position of LiMn2O4 (Thackeray et al. 1983, doi:10.1016/0025-5408(83)90138-1).
    """
    return Prototype("spinel", _spinel(8.24, 0.263, {"Li": TETRAHEDRAL}), _oxide("Mn"), BUILT_IN["spinel"])


@lru_cache(maxsize=1)
def lithiated_spinel() -> Prototype:
    """A spinel with twice the ions, Fd-3m, which fill the 16c sites; charged, those that remain are on 8a.

    Lattice of Li7Ti5O12, which is that of Li4Ti5O12 (Ohzuku et al. 1995, doi:10.1149/1.2048592), and oxygen near its
    ideal position; the tetragonal distortion of Li2Mn2O4 comes with the relaxation.
    """
    cell = _spinel(8.36, 0.255, {"Li": OCTAHEDRAL, CHARGED: TETRAHEDRAL})
    parts = (*_oxide("Mn"), Sublattice(CHARGED, "charged"))
    return Prototype("lithiated-spinel", cell, parts, BUILT_IN["lithiated-spinel"])


def _spinel(edge: float, u: float, ions: Mapping[str, Sequence[tuple[float, float, float]]]) -> Structure:
    """The primitive cell of a spinel.

    It is written out: pymatgen takes most of a second to expand the 192 operations of Fd-3m.

    Args:
        edge: of the cubic cell in angstrom.
        u: of oxygen on 32e, with the origin at an inversion center.
        ions: positions by their mark.
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    v, half = 1.5 - 3.0 * u, edge / 2.0
    oxygen = [(u, u, u), (v, u, u), (u, v, u), (u, u, v)]
    return Structure(
        Lattice([[-half, -half, 0.0], [-half, 0.0, -half], [0.0, -half, -half]]),
        [*(mark for mark, places in ions.items() for _ in places), *["Mn"] * 4, *["O"] * 8],
        [
            *(place for places in ions.values() for place in places),
            *((0.5, 0.5, 0.5), (0.0, 0.5, 0.5), (0.5, 0.0, 0.5), (0.5, 0.5, 0.0)),
            *oxygen,
            *((1.0 - x, 1.0 - y, 1.0 - z) for x, y, z in oxygen),
        ],
    )


@lru_cache(maxsize=1)
def nasicon() -> Prototype:
    """The NASICON structure, R-3c: ions on 6b and 18e, a quarter of which is empty in Na3V2(PO4)3.

    Lattice of Na3V2(PO4)3 at 200 degC (Chotard et al. 2015, doi:10.1021/acs.chemmater.5b02092); positions of
    Na3Cr2(PO4)3 by neutrons (Lucazeau et al. 1986, Solid State Ionics 18-19, 959), rounded.
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    cell = Structure.from_spacegroup(
        "R-3c",
        Lattice.hexagonal(8.734, 21.914),
        ["Na", "Na", "V", "P", "O", "O"],
        [
            [0.0, 0.0, 0.0],
            [0.64, 0.0, 0.25],
            [0.0, 0.0, 0.1465],
            [0.2911, 0.0, 0.25],
            [0.1746, -0.0306, 0.1934],
            [0.1925, 0.1675, 0.0875],
        ],
    )
    ion, center = Sublattice("Na", "ion"), Sublattice("P", "other", CENTERS)
    anion = Sublattice("O", "other", ANIONS - {"N", "H", "S"})
    return Prototype("nasicon", _primitive(cell), (ion, Sublattice("V", "metal"), center, anion), BUILT_IN["nasicon"])


@lru_cache(maxsize=1)
def tavorite() -> Prototype:
    """The tavorite structure, P-1: chains of octahedra that share fluorine, joined by phosphate or sulfate.

    Lattice of LiVPO4F (Ateba Mba et al. 2012, doi:10.1021/cm3003996); its positions rounded to starting points.
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    half = [
        ("Li", 0.71, 0.39, 0.22),
        ("P", 0.32, 0.645, 0.25),
        ("F", 0.88, 0.09, 0.245),
        ("O", 0.37, 0.245, 0.58),
        ("O", 0.115, 0.67, 0.365),
        ("O", 0.32, 0.34, 0.14),
        ("O", 0.28, 0.795, 0.09),
    ]
    cell = Structure(
        Lattice.from_parameters(5.171, 5.308, 7.263, 107.6, 107.95, 98.4),
        ["V", "V", *(symbol for symbol, *_ in half), *(symbol for symbol, *_ in half)],
        [[0.0, 0.0, 0.0], [0.0, 0.0, 0.5], *(place for _, *place in half), *([1.0 - x for x in p] for _, *p in half)],
    )
    parts = (
        Sublattice("Li", "ion"),
        Sublattice("V", "metal"),
        Sublattice("P", "other", CENTERS),
        Sublattice("F", "other", frozenset({"Cl"})),
        Sublattice("O", "other"),
    )
    return Prototype("tavorite", cell, parts, BUILT_IN["tavorite"])


@lru_cache(maxsize=1)
def olivine() -> Prototype:
    """The olivine structure, Pnma, of LiFePO4 (Streltsov et al. 1993, doi:10.1107/S0108768192004701)."""
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    cell = Structure.from_spacegroup(
        "Pnma",
        Lattice.orthorhombic(10.332, 6.010, 4.692),
        ["Li", "Fe", "P", "O", "O", "O"],
        [
            [0.0, 0.0, 0.0],
            [0.2822, 0.25, 0.9747],
            [0.0949, 0.25, 0.4182],
            [0.0968, 0.25, 0.7428],
            [0.4571, 0.25, 0.2060],
            [0.1656, 0.0465, 0.2848],
        ],
    )
    center = Sublattice("P", "other", CENTERS - {"S"})
    ion, metal, anion = _oxide("Fe")
    return Prototype("olivine", _primitive(cell), (ion, metal, center, anion), BUILT_IN["olivine"])


@lru_cache(maxsize=3)
def mxene(termination: Literal["", "T", "OH"]) -> Prototype:
    """One layer M2X in vacuum, P-3m1, with terminations and ions on both sides.

    Terminations sit in the hollows above the metal of the far side, the place that density functional theory finds
    for O, F and OH (Khazaei et al. 2013, doi:10.1002/adfm.201202502); ions above X. The heights are sums of
    typical bond lengths: starting points, which relax.

    Args:
        termination: none, one atom, or OH.
    """
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    metal, atom, hydrogen = 1.15, 2.15, 3.12
    ion = {"": 3.6, "T": 4.0, "OH": 5.0}[termination]
    sites: list[tuple[str, float, float, float]] = [("C", 0.0, 0.0, 0.0)]
    for side in (1.0, -1.0):
        near, far = (1 / 3, 2 / 3) if side > 0 else (2 / 3, 1 / 3), (2 / 3, 1 / 3) if side > 0 else (1 / 3, 2 / 3)
        sites.append(("Ti", *near, side * metal))
        if termination:
            sites.append(("O", *far, side * atom))
        if termination == "OH":
            sites.append(("H", *far, side * hydrogen))
        sites.append(("Li", 0.0, 0.0, side * ion))
    cell = Structure(
        Lattice.hexagonal(3.05, VACUUM_CELL),
        [symbol for symbol, *_ in sites],
        [[x, y, z / VACUUM_CELL + 0.5] for _, x, y, z in sites],
    )
    taken = [Sublattice("Li", "ion"), Sublattice("Ti", "metal"), Sublattice("C", "other", frozenset({"C", "N"}))]
    if termination == "OH":
        taken += [Sublattice("O", "other", frozenset({"O", "S"})), Sublattice("H", "other", frozenset({"H"}))]
    elif termination:
        taken.append(Sublattice("O", "other", ANIONS - {"N"}))
    return Prototype("mxene", cell, tuple(taken), BUILT_IN["mxene"], single_layer=True)


@lru_cache(maxsize=8)
def from_cif(path: str) -> Prototype:
    """A user's structure: the sites of each element are a sublattice, and metal sites also take other metals.

    Args:
        path: of a CIF file without partial occupancies, that holds one working ion.

    Raises:
        InputError: if the file is absent, cannot be read or cannot be a prototype.
    """
    from pymatgen.core.periodic_table import Element
    from pymatgen.core.structure import Structure

    if not is_file(Path(path)):
        raise InputError(f"'{path}' is neither a prototype nor an existing CIF file.{nearest(path, BUILT_IN)}")
    try:
        read = Structure.from_file(path)
    except Exception as error:  # noqa: BLE001 - the parser may raise anything
        raise InputError(f"The CIF file '{path}' cannot be read: {error}.") from None
    if not read.is_ordered:
        raise InputError(f"'{path}' has partial occupancies. Fill every site; the formula defines the mixing.")
    read.remove_oxidation_states()
    structure = _primitive(read)
    held = [element.symbol for element in structure.composition]
    ion = next((symbol for symbol in IONS if symbol in held), None)
    if ion is None or len(held) < 2:
        raise InputError(f"'{path}' must contain a working ion ({', '.join(IONS)}) and a framework.")
    roles: list[Sublattice] = [Sublattice(ion, "ion")]
    for symbol in held:
        if symbol != ion:
            metal = Element(symbol).is_metal
            taken = ANIONS if symbol in ANIONS else CENTERS if symbol in CENTERS else frozenset({symbol})
            roles.append(Sublattice(symbol, "metal" if metal else "other", frozenset() if metal else taken))
    return Prototype(path, structure, tuple(roles), f"that of its file, {structure.composition.reduced_formula}")


KINDS: Mapping[str, Callable[[], Prototype]] = {
    "layered": layered,
    "spinel": spinel,
    "lithiated-spinel": lithiated_spinel,
    "olivine": olivine,
    "nasicon": nasicon,
    "tavorite": tavorite,
}


def _oxide(metal: str) -> tuple[Sublattice, Sublattice, Sublattice]:
    return Sublattice("Li", "ion"), Sublattice(metal, "metal"), Sublattice("O", "other", ANIONS - {"N", "H"})


def _primitive(cell: Structure) -> Structure:
    return cell.get_primitive_structure().get_sorted_structure()
