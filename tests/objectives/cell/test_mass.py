"""Mass and thickness of a cell, against figures worked out by hand from the published Chen2020 cell.

Thicknesses and porosities: Chen et al. 2020, doi:10.1149/1945-7111/ab9050, table VII. Densities: as PyBaMM's parameter
set Chen2020 has them. One repeat unit is half of each foil (both sides of a foil carry a coating), the two coatings and
the separator, with electrolyte of 1200 kg/m3 in all pores::

                          thickness  density   mass          porosity  pores per area   electrolyte
                          um         kg/m3     kg/m2                   um               kg/m2
    negative foil (Cu)    12 / 2     8960      0.0537600
    negative coating      85.2       1657      0.1411764     0.25      21.300           0.0255600
    separator             12         397       0.0047640     0.47       5.640           0.0067680
    positive coating      75.6       3262      0.2466072     0.335     25.326           0.0303912
    positive foil (Al)    16 / 2     2700      0.0216000
    sum                   186.8                0.4679076               52.266           0.0627192
"""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybamm")

from invdesign.objectives.cell.mass import mass, thickness
from invdesign.objectives.cell.parameters import GEOMETRY, published

CHEN2020 = published("Chen2020", {})
UNCHANGED = {name: np.array([CHEN2020[name]]) for name in GEOMETRY}
DRY = 0.4679076
ELECTROLYTE = 0.0627192
HALF_FOILS = 0.0537600 + 0.0216000


def test_the_published_cell_weighs_what_its_layers_and_its_electrolyte_weigh():
    found = mass(CHEN2020, UNCHANGED, electrolyte_density=1200.0, double_sided=True)
    assert found == pytest.approx([DRY + ELECTROLYTE], rel=1e-9)
    without = mass(CHEN2020, UNCHANGED, electrolyte_density=1e-12, double_sided=True)
    assert without == pytest.approx([DRY], rel=1e-9)


def test_the_published_cell_is_as_thick_as_its_layers():
    assert thickness(CHEN2020, UNCHANGED, double_sided=True) == pytest.approx([186.8e-6], rel=1e-9)


def test_a_foil_that_is_coated_on_one_side_counts_whole():
    found = mass(CHEN2020, UNCHANGED, electrolyte_density=1200.0, double_sided=False)
    assert found == pytest.approx([DRY + ELECTROLYTE + HALF_FOILS], rel=1e-9)
    # 12 + 85.2 + 12 + 75.6 + 16 um
    assert thickness(CHEN2020, UNCHANGED, double_sided=False) == pytest.approx([200.8e-6], rel=1e-9)


def test_a_denser_coating_has_more_solid_and_less_electrolyte():
    """At 20 instead of 33.5 % pores the positive coating has 80 / 66.5 of the solid: 3924.21 kg/m3 dry."""
    denser = {**UNCHANGED, "Positive electrode porosity": np.array([0.20])}
    found = mass(CHEN2020, denser, electrolyte_density=1200.0, double_sided=True)
    # 75.6e-6 m * 3262 kg/m3 * 0.80 / 0.665 = 0.2966703 kg/m2 of solid; 75.6e-6 m * 0.20 * 1200 kg/m3 = 0.0181440 kg/m2
    assert found == pytest.approx([DRY - 0.2466072 + 0.2966703 + ELECTROLYTE - 0.0303912 + 0.0181440], rel=1e-6)


def test_a_layer_that_is_published_as_all_pores_keeps_its_dry_density():
    # Marquis2019: separator of 25 um, porosity 1, 397 kg/m3; 100 um negative, 1657 kg/m3, 30 % pores; 100 um positive,
    # 3262 kg/m3, 30 % pores; foils of 25 um copper (8954 kg/m3) and 25 um aluminum (2707 kg/m3).
    cell = published("Marquis2019", {})
    design = {name: np.array([cell[name]]) for name in GEOMETRY}
    foils = 0.5 * (25e-6 * 8954.0 + 25e-6 * 2707.0)
    layers = 100e-6 * (1657.0 + 0.3 * 1200.0) + 25e-6 * (397.0 + 1.0 * 1200.0) + 100e-6 * (3262.0 + 0.3 * 1200.0)
    assert mass(cell, design, electrolyte_density=1200.0, double_sided=True) == pytest.approx([foils + layers])
