"""Crystal structures as numbers: density, symmetry, sites, and the five descriptors of Sendek et al. (2017)."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from invdesign.core.disk_cache import DiskCache
from invdesign.core.failures import CandidateFailure, reason_of

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from pymatgen.core.structure import Structure

StructureKind = Literal["density", "sites", "sendek", "sendek-cell"]
SENDEK = ("LLB", "SBI", "AFC", "LASD", "LLSD")
NAMES: Mapping[StructureKind, tuple[str, ...]] = {
    "density": ("density", "volume_per_atom", "packing_fraction", "space_group"),
    "sites": ("nearest_mean", "nearest_std", "nearest_min", "coordination_mean", "coordination_std", "site_count"),
    "sendek": SENDEK,
    "sendek-cell": SENDEK,
}
"""The descriptors of each kind. Lengths are in angstroms, volumes in cubic angstroms, densities in g/cm^3."""
BOND = 4.0
"""Distance below which Sendek et al. (2017, doi:10.1039/C6EE02697D) count two atoms as bonded, in angstroms."""
SHELL = 1.0
"""Anions up to this much farther than the nearest one belong to its coordination, in angstroms (Sendek et al. 2017)."""
FIRST_SHELL = 1.15
"""Neighbors up to this many times as far as the nearest one count as coordinated."""
REACH, FARTHEST = 6.0, 24.0
"""Radii of neighbor lists in angstroms: the first that is tried, doubled until every site has its neighbors."""
VERSION = "1"
CACHE = DiskCache("structures")


def structure_values(text: str, kinds: Sequence[StructureKind]) -> NDArray[np.float64]:
    """The descriptors of a structure, in the order of ``kinds`` and ``NAMES``; from disk if computed before.

    Args:
        text: CIF, POSCAR or pymatgen's JSON.
        kinds: of descriptors.

    Raises:
        CandidateFailure: if the text cannot be read, sites are partly occupied, or a descriptor is not defined.
    """
    key = (hashlib.sha256(text.encode()).hexdigest(), ",".join(kinds), VERSION, f"pymatgen {version('pymatgen-core')}")

    def compute() -> NDArray[np.float64]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of rounded coordinates, and of libraries about each other
            structure = read_structure(text)
            if not structure.is_ordered:
                raise CandidateFailure("the structure has partly occupied sites; order it first")
            return np.concatenate([_COMPUTE[kind](structure) for kind in kinds])

    return CACHE.result(key, compute)


def read_structure(text: str) -> Structure:
    """The primitive cell of a structure in CIF, POSCAR or pymatgen's JSON, which the content distinguishes.

    Raises:
        CandidateFailure: if it cannot be read.
    """
    from pymatgen.core.structure import Structure

    if not text.strip():
        raise CandidateFailure("the structure is missing, or its file is larger than 20 MB")
    word: Literal["json", "cif", "poscar"]
    word = "json" if text.lstrip().startswith("{") else "cif" if "_cell_length_a" in text else "poscar"
    try:
        return Structure.from_str(text, fmt=word).get_primitive_structure()
    except Exception as error:  # noqa: BLE001 - whatever the parser raises is about this text
        raise CandidateFailure(f"the structure cannot be read as {word.upper()}: {reason_of(error)}") from None


def sendek_descriptors(structure: Structure, *, images: bool) -> dict[str, float]:
    """The descriptors of Sendek et al. (2017): two atoms are bonded if they are less than 4 angstroms apart.

    - ``LLB``: Li-Li bonds per Li.
    - ``SBI``: mean difference of Pauling electronegativities over the bonds of all atoms other than Li.
    - ``AFC``: coordination of an anion (the most electronegative element) by anions, those up to 1 angstrom farther
      than the nearest one.
    - ``LASD``, ``LLSD``: mean distance of a Li from the nearest anion, and from the nearest Li, in angstroms.

    Args:
        structure: ordered, with its primitive cell.
        images: whether periodic images of an atom count as neighbors of their own. Without, every pair of atoms of the
            cell counts once, at its shortest distance: the convention of the dataset ``sendek-training``, in which
            counts depend on the size of the cell. NaN for a distance that a cell then has not.

    Raises:
        CandidateFailure: if the structure has no lithium, or nothing else.
    """
    symbols = np.array([site.specie.symbol for site in structure])
    negativity = np.array([site.specie.X for site in structure], dtype=np.float64)
    lithium = symbols == "Li"
    if not lithium.any() or lithium.all():
        raise CandidateFailure("the descriptors of Sendek et al. (2017) need lithium and another element")
    anion = symbols == symbols[np.nanargmax(negativity)]
    first, second, far = _pairs(structure, lithium, anion) if images else _cell_pairs(structure)
    bonded = far < BOND
    to_anion = anion[first] & anion[second]
    nearest = _nearest(first[to_anion], far[to_anion], len(symbols))
    in_shell = far[to_anion] <= nearest[first[to_anion]] + SHELL
    framework = bonded & ~lithium[first]
    # A bond between two atoms of the framework is listed from both ends, one to a Li from one.
    weight = np.where(lithium[second], 1.0, 0.5)[framework]
    differences = np.abs(negativity[first] - negativity[second])[framework]
    li_anion, li_li = lithium[first] & anion[second], lithium[first] & lithium[second]
    return {
        "LLB": float((bonded & li_li).sum() / lithium.sum()),
        "SBI": float((weight * differences).sum() / weight.sum()) if len(weight) else float("nan"),
        "AFC": float(in_shell.sum() / anion.sum()),
        "LASD": _mean_nearest(first[li_anion], far[li_anion], lithium),
        "LLSD": _mean_nearest(first[li_li], far[li_li], lithium),
    }


def _cell_pairs(structure: Structure) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    first, second = np.nonzero(~np.eye(len(structure), dtype=bool))
    return first, second, structure.distance_matrix[first, second]


def _pairs(
    structure: Structure, lithium: NDArray[np.bool_], anion: NDArray[np.bool_]
) -> tuple[NDArray[Any], NDArray[Any], NDArray[np.float64]]:
    """Neighbors with their images, as far as every Li has a Li and every anion its whole shell of anions."""
    reach = REACH
    while True:
        first, second, _, far = structure.get_neighbor_list(reach)
        enough = True
        for group in (lithium, anion):
            inside = group[first] & group[second]
            nearest = _nearest(first[inside], far[inside], len(group))[group]
            enough &= bool((nearest + SHELL <= reach).all())
        if enough or reach >= FARTHEST:
            return first, second, far
        reach *= 2.0


def _nearest(first: NDArray[Any], far: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """The shortest distance listed for each site, infinite for one without."""
    nearest = np.full(count, np.inf)
    np.minimum.at(nearest, first, far)
    return nearest


def _mean_nearest(first: NDArray[Any], far: NDArray[np.float64], sites: NDArray[np.bool_]) -> float:
    mean = float(_nearest(first, far, len(sites))[sites].mean())
    return mean if np.isfinite(mean) else float("nan")


def _density(structure: Structure) -> NDArray[np.float64]:
    from matminer.featurizers.structure import DensityFeatures

    found = DensityFeatures().featurize(structure)
    return np.array([*found, structure.get_space_group_info()[1]], dtype=np.float64)


def _sites(structure: Structure) -> NDArray[np.float64]:
    """Statistics over sites: distance of the nearest neighbor, and number of neighbors about as near."""
    reach = REACH
    while True:
        first, _, _, far = structure.get_neighbor_list(reach)
        nearest = _nearest(first, far, len(structure))
        if (FIRST_SHELL * nearest <= reach).all() or reach >= FARTHEST:
            break
        reach *= 2.0
    coordination = np.bincount(first[far <= FIRST_SHELL * nearest[first]], minlength=len(structure))
    statistics = (nearest.mean(), nearest.std(), nearest.min(), coordination.mean(), coordination.std(), len(structure))
    return np.array(statistics, dtype=np.float64)


_COMPUTE: Mapping[StructureKind, Callable[[Structure], NDArray[np.float64]]] = {
    "density": _density,
    "sites": _sites,
    "sendek": lambda structure: np.array(list(sendek_descriptors(structure, images=True).values())),
    "sendek-cell": lambda structure: np.array(list(sendek_descriptors(structure, images=False).values())),
}
