from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.objectives.electrode.objective import ElectrodeObjective
from invdesign.objectives.electrode.orderings import coulomb_matrix, groups_of, lowest
from invdesign.objectives.electrode.prototypes import prototype_for
from invdesign.objectives.electrode.quasi_random import mismatch, most_random, shells
from invdesign.objectives.electrode.sites import contents, supercell

MIXES = [
    ("layered", {"Li": 1.0, "Ni": 0.5, "Mn": 0.3, "Co": 0.2, "O": 2.0}, 10),
    ("layered", {"Li": 1.0, "Ni": 1 / 3, "Mn": 1 / 3, "Co": 1 / 3, "O": 2.0}, 12),
    ("layered", {"Li": 0.5, "Co": 1.0, "O": 2.0}, 8),
    ("spinel", {"Li": 1.0, "Mn": 1.5, "Ni": 0.5, "O": 4.0}, 16),
    ("olivine", {"Li": 1.0, "Fe": 0.5, "Mn": 0.5, "P": 1.0, "O": 4.0}, 16),
]


def mixed(name, elements, metal_sites):
    prototype = prototype_for(name, elements)
    held = contents(prototype, elements, remaining=0.0, metal_sites=metal_sites, halfway=False, largest=True)
    cell = supercell(prototype, held.copies)
    return cell, coulomb_matrix(cell), groups_of(cell, held.counts)


@pytest.mark.parametrize(("name", "elements", "metal_sites"), MIXES)
def test_pairs_are_closer_to_the_random_alloy_than_those_of_random_arrangements(name, elements, metal_sites, rng):
    cell, matrix, groups = mixed(name, elements, metal_sites)
    found = most_random(cell, matrix, groups, most=3)
    places, counts = next(group for group in groups if len(group[1]) > 1)
    around = shells(cell, places)

    def off(rows):
        return mismatch(np.array(rows, dtype=object), around)

    mine = off([[labels[place] for place in places] for labels in found])
    filled = np.repeat(np.array(list(counts), dtype=object), list(counts.values()))
    others = off(rng.permuted(np.tile(filled, (300, 1)), axis=1))
    assert mine[0] <= np.quantile(others, 0.01) + 1e-9
    assert list(mine.round(9)) == sorted(mine.round(9))
    ordered = lowest(matrix, groups, {}, most=1)[0]
    assert mine[0] < off([[ordered[place] for place in places]])[0]
    for labels in found:
        assert Counter(labels[place] for place in places) == counts
    assert most_random(cell, matrix, groups, most=3) == found


def test_shells_count_the_neighbors_of_the_layered_structure():
    cell, _, groups = mixed(*MIXES[0])
    places = next(places for places, counts in groups if len(counts) > 1)
    around = shells(cell, places)
    # Six neighbors in the layer, six further ones at sqrt(3) and at 2 lattice constants, and six in the layers beside.
    assert [round(shell.distance / 2.8166, 3) for shell in around[:2]] == [1.0, 1.732]
    for shell in around:
        np.testing.assert_array_equal(shell.pairs.sum(axis=1), 6.0)
        np.testing.assert_array_equal(shell.pairs, shell.pairs.T)


def test_the_mismatch_is_that_of_pairs_counted_by_hand():
    from pymatgen.core.structure import Structure

    chain = Structure([[8.0, 0, 0], [0, 40.0, 0], [0, 0, 40.0]], ["Co"] * 4, [[x, 0, 0] for x in (0, 0.25, 0.5, 0.75)])
    around = shells(chain, [0, 1, 2, 3])
    assert [shell.distance for shell in around] == pytest.approx([2.0, 4.0])
    rows = np.array([["A", "B", "A", "B"], ["A", "A", "B", "B"]], dtype=object)
    # A quarter of the pairs of the random alloy is of each kind. A B A B has half AB and half BA beside, half AA and
    # half BB in the second shell: each kind is off by a quarter. A A B B is right beside, and all AB in the second.
    assert mismatch(rows, around) == pytest.approx([0.25, 0.25 * np.sqrt(0.2)])


def test_mixed_sites_get_the_largest_cell_and_others_the_smallest():
    settings = {"remaining": 0.0, "metal_sites": 12, "halfway": False, "largest": True}
    third = {"Li": 1.0, "Ni": 1 / 3, "Mn": 1 / 3, "Co": 1 / 3, "O": 2.0}
    layered = prototype_for("layered", third)
    assert contents(layered, third, **settings).copies == 12
    assert contents(layered, third, **{**settings, "metal_sites": 11}).copies == 9
    assert contents(layered, third, **{**settings, "largest": False}).copies == 3
    assert contents(layered, {"Li": 1.0, "Co": 1.0, "O": 2.0}, **settings).copies == 1


def test_the_setting_chooses(tmp_path, monkeypatch):
    pytest.importorskip("ase")
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    settings = {
        "calculator": "ase.calculators.lj:LennardJones",
        "settings": {"sigma": 2.2, "epsilon": 0.3, "rc": 6.0, "smooth": True},
        "wanted": ("voltage", "capacity"),
        "drift": 5.0,
        "largest_volume_change": 5.0,
        "metal_sites": 4,
    }
    rows = pd.DataFrame({"f": ["LiNi0.5Mn0.5O2"]})
    found = {
        ordering: ElectrodeObjective("layered", "f", ordering=ordering, **settings).evaluate(rows)
        for ordering in ("ewald", "quasi-random")
    }
    assert all(result["reason"].tolist() == [None] for result in found.values())
    assert found["ewald"]["capacity"][0] == pytest.approx(found["quasi-random"]["capacity"][0])
    assert found["ewald"]["voltage"][0] != found["quasi-random"]["voltage"][0]
    with pytest.raises(InputError, match=r"Unknown ordering 'quasirandom'\. Did you mean 'quasi-random'"):
        ElectrodeObjective("layered", ordering="quasirandom")
