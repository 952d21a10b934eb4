"""Mass and thickness of one repeat unit of a stack: foils, coatings, separator and the electrolyte in all pores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from invdesign.objectives.cell import parameters as names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invdesign.objectives.cell.parameters import Published

Array = NDArray[np.float64]


def _layers(cell: Published, design: Mapping[str, Array]) -> list[tuple[Array, Array, Array]]:
    """Returns thickness (m), porosity and dry density (kg/m3) of each porous layer.

    PyBaMM's electrode and separator densities are taken as those of the dry layer at the published porosity. For
    Chen2020's positive electrode 3262 kg/m3 at 33.5 % pores gives a solid of 4905 kg/m3 (NMC: about 4800), for the
    negative 1657 kg/m3 at 25 % gives 2209 kg/m3 (graphite: 2260). The solid's density stays the same when the
    porosity changes. A layer that is published as all pores (Marquis2019's separator) keeps its dry density.
    """
    layers = []
    for thickness, porosity, density in (
        (names.NEGATIVE_THICKNESS, names.NEGATIVE_POROSITY, "Negative electrode density [kg.m-3]"),
        (names.SEPARATOR_THICKNESS, names.SEPARATOR_POROSITY, "Separator density [kg.m-3]"),
        (names.POSITIVE_THICKNESS, names.POSITIVE_POROSITY, "Positive electrode density [kg.m-3]"),
    ):
        solid = 1.0 - cell[porosity]
        share = (1.0 - design[porosity]) / solid if solid > 0.0 else np.ones_like(design[porosity])
        layers.append((design[thickness], design[porosity], share * cell[density]))
    return layers


def mass(cell: Published, design: Mapping[str, Array], *, electrolyte_density: float, double_sided: bool) -> Array:
    """Returns the mass of one repeat unit of the stack, kg per m2 of electrode.

    Args:
        cell: the published cell; its foils and densities are used.
        design: thickness (m) and porosity of both electrodes and the separator, one value per design.
        electrolyte_density: kg/m3.
        double_sided: whether each foil carries a coating on both sides, so that half of it counts.
    """
    share = 0.5 if double_sided else 1.0
    foils = share * sum(
        cell[f"{side} current collector thickness [m]"] * cell[f"{side} current collector density [kg.m-3]"]
        for side in ("Negative", "Positive")
    )
    total: Array = np.full_like(design[names.POSITIVE_THICKNESS], foils)
    for thickness, porosity, dry in _layers(cell, design):
        total = total + thickness * (dry + porosity * electrolyte_density)
    return total


def thickness(cell: Published, design: Mapping[str, Array], *, double_sided: bool) -> Array:
    """Returns the thickness of one repeat unit of the stack, m.

    Args:
        cell: the published cell; its foils are used.
        design: thickness of both electrodes and the separator, m, one value per design.
        double_sided: whether each foil carries a coating on both sides, so that half of it counts.
    """
    share = 0.5 if double_sided else 1.0
    foils = share * sum(cell[foil] for foil in names.FOILS)
    layers = design[names.NEGATIVE_THICKNESS] + design[names.SEPARATOR_THICKNESS] + design[names.POSITIVE_THICKNESS]
    return np.asarray(layers + foils, dtype=np.float64)
