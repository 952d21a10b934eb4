"""Descriptors of structures, against the published table and against crystals whose neighbors are known by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from invdesign import datasets
from invdesign.core.failures import CandidateFailure
from invdesign.space.structure_files import structure_files
from invdesign.surrogates.features.structures import NAMES, SENDEK, read_structure, structure_values


@pytest.fixture(scope="module")
def crystals() -> dict[str, str]:
    return dict(structure_files(datasets.resolve("dataset:sendek-cifs")))


def lithium_sulfide(size: int = 1) -> str:
    """The antifluorite structure with a cubic cell of 5.72 angstroms, as pymatgen's JSON."""
    from pymatgen.core import Lattice, Structure

    found = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.72), ["S", "Li"], [[0, 0, 0], [0.25, 0.25, 0.25]])
    return json.dumps((found * (size, 1, 1)).as_dict())


def test_the_convention_of_the_published_table_gives_its_values(crystals):
    table = pd.read_csv(datasets.resolve("dataset:sendek-training"))
    texts = [crystals[name.removesuffix(".cif")] for name in table["Filename"]]
    found = np.array([structure_values(text, ["sendek-cell"]) for text in texts])
    assert len(found) == 32
    assert np.allclose(found, table[[name.lower() for name in SENDEK]], atol=1e-6)


def test_images_do_not_change_the_shortest_distances(crystals):
    found = np.array([structure_values(text, ["sendek", "density"]) for text in crystals.values()])
    cells = np.array([structure_values(text, ["sendek-cell"]) for text in crystals.values()])
    assert np.allclose(found[:, 3:5], cells[:, 3:5], atol=1e-6)
    assert (found[:, 0] >= cells[:, 0] - 1e-9).all()  # and only add neighbors
    assert (found[:, 2] >= cells[:, 2] - 1e-9).all()


@pytest.mark.parametrize("size", [1, 2])
def test_neighbors_of_lithium_sulfide_whatever_the_cell(size):
    values = dict(zip(NAMES["sendek"], structure_values(lithium_sulfide(size), ["sendek"]), strict=True))
    # Li stands on a simple cubic lattice of a / 2 = 2.86 angstroms, S on a face-centered one: 6 and 12 neighbors.
    assert values["LLB"] == 6
    assert values["AFC"] == 12
    assert values["LLSD"] == pytest.approx(2.86)
    assert values["LASD"] == pytest.approx(5.72 * 3**0.5 / 4)
    assert values["SBI"] == pytest.approx(2.58 - 0.98)


def test_density_and_sites_of_lithium_sulfide():
    names = (*NAMES["density"], *NAMES["sites"])
    values = dict(zip(names, structure_values(lithium_sulfide(), ["density", "sites"]), strict=True))
    assert values["density"] == pytest.approx(4 * 45.95 / 5.72**3 / 0.602214, rel=1e-3)
    assert values["volume_per_atom"] == pytest.approx(5.72**3 / 12)
    assert values["space_group"] == 225
    assert values["nearest_mean"] == pytest.approx(5.72 * 3**0.5 / 4)
    assert values["coordination_mean"] == pytest.approx((8 + 4 + 4) / 3)


def test_cif_poscar_and_json_are_one_structure():
    structure = read_structure(lithium_sulfide())
    texts = [structure.to(fmt=word) for word in ("cif", "poscar", "json")]
    found = [structure_values(text, ["sendek", "density", "sites"]) for text in texts]
    assert np.allclose(found[0], found[1], rtol=1e-5)
    assert np.allclose(found[0], found[2], rtol=1e-5)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no structure at all", "cannot be read as POSCAR"),
        ("data_x\n_cell_length_a 3.0\n", "cannot be read as CIF"),
        ('{"lattice": 1}', "cannot be read as JSON"),
    ],
)
def test_a_text_that_is_not_a_structure(text, reason):
    with pytest.raises(CandidateFailure, match=reason):
        structure_values(text, ["density"])


def test_what_is_not_defined_has_a_reason():
    from pymatgen.core import Lattice, Structure

    halite = Structure.from_spacegroup("Fm-3m", Lattice.cubic(5.6), ["Na", "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(CandidateFailure, match="need lithium"):
        structure_values(json.dumps(halite.as_dict()), ["sendek"])
    mixed = Structure(Lattice.cubic(4.0), [{"Li": 0.5, "Na": 0.5}, "Cl"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    with pytest.raises(CandidateFailure, match="partly occupied"):
        structure_values(json.dumps(mixed.as_dict()), ["density"])
