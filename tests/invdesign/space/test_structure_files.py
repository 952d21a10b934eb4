"""Structures of a pool come from a folder, an archive, or the cells of a table; the unreadable ones are rejected."""

from __future__ import annotations

import zipfile

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign import datasets
from invdesign.core.errors import InputError
from invdesign.screening.pools import MaterialStream
from invdesign.space.materials import MaterialFile

KINDS = ["sendek-cell"]
NAMES = ["LLB", "SBI", "AFC", "LASD", "LLSD"]


@pytest.fixture
def folder(tmp_path):
    """Six crystals and one file that is none."""
    place = tmp_path / "crystals"
    place.mkdir()
    with zipfile.ZipFile(datasets.resolve("dataset:sendek-cifs")) as archive:
        for name in ("Li3N_mp-2251_symmetrized", "LiBH4", "LiI", "LiAlH4", "Li7P3S11", "Li2S_mp-1153_symmetrized"):
            (place / f"{name.partition('_')[0]}.cif").write_bytes(archive.read(f"IonDatasets/{name}.cif"))
    (place / "broken.cif").write_text("data_broken\n_cell_length_a 1.0\n", encoding="ascii")
    (place / "notes.txt").write_text("not a structure", encoding="ascii")
    return place


@pytest.fixture
def table(folder):
    """The same in a table: most by their paths, one as text, two that are refused."""
    text = (folder / "LiI.cif").read_text(encoding="ascii")
    rows = [(name, f"crystals/{name}.cif") for name in ("Li3N", "LiBH4", "LiAlH4", "Li7P3S11")]
    rows += [("LiI", text), ("missing", "crystals/none.cif"), ("outside", "../other.cif"), ("empty", "")]
    place = folder.parent / "crystals.csv"
    pd.DataFrame(rows, columns=["name", "cif"]).assign(value=1.0).to_csv(place, index=False)
    return place


def test_a_folder_is_a_pool(folder):
    pool = ind.MaterialPool.from_file(folder, structure_descriptors=["sendek-cell", "density"])
    assert list(pool.ids) == ["Li2S", "Li3N", "Li7P3S11", "LiAlH4", "LiBH4", "LiI"]
    known = pd.read_csv(datasets.resolve("dataset:sendek-training")).set_index("Composition")
    found = pool.descriptors.frame(["Li3N", "LiI"])
    expected = known.loc[["Li3N", "LiI"], [name.lower() for name in NAMES]]
    assert np.allclose(found[NAMES], expected, atol=1e-6, equal_nan=True)
    assert "1 unreadable" in pool.remark
    assert "cannot be read as CIF" in pool.remark


def test_an_archive_is_a_pool():
    pool = ind.MaterialPool.from_file("dataset:sendek-cifs", structure_descriptors=["sendek"])
    assert len(pool.ids) == 33


def test_a_column_of_paths_and_texts(table, folder):
    file = MaterialFile(str(table), id="name", structure="cif", structure_descriptors=KINDS)
    stream = MaterialStream("crystal", file)
    [block] = stream.blocks(100)
    read = stream.read(block)
    assert read.rows["crystal"].tolist() == ["Li3N", "LiBH4", "LiAlH4", "Li7P3S11", "LiI"]
    assert read.rows["LLB"].tolist()[:2] == [2.0, 1.0]
    assert [column.name for column in stream.columns] == ["crystal", *NAMES]
    reasons = {bad.given: bad.reason for bad in read.bad}
    assert "does not exist" in reasons["crystals/none.cif"]
    assert "outside of the table's folder" in reasons["../other.cif"]
    assert "missing" in reasons[""]


def test_a_changed_structure_is_another_pool(table, folder):
    file = MaterialFile(str(table), id="name", structure="cif", structure_descriptors=KINDS)
    before, whole = file.described(), MaterialFile(str(folder)).described()
    (folder / "Li3N.cif").write_text((folder / "LiBH4.cif").read_text(encoding="ascii"), encoding="ascii")
    assert file.described() != before
    assert MaterialFile(str(folder)).described() != whole


def test_structures_are_screened(folder, tmp_path):
    density = ind.PythonObjective(lambda density, **_: {"value": density}, {"value": "g/cm^3"}, isolated=False)
    pool = MaterialStream("crystal", MaterialFile(str(folder)))
    wanted = ind.Targets(ind.AtMost("value", 1.0, unit="g/cm^3"))
    done = ind.screen(pool, wanted, objective=density, output=tmp_path / "out")
    assert {"LiBH4", "LiAlH4"} <= set(done.best["crystal"].iloc[:3])
    assert (tmp_path / "out" / "rejected.csv").read_text(encoding="utf-8").count("\n") == 2


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"id": "name", "structure": "cif", "structure_descriptors": []}, "at least one kind"),
        ({"id": "name", "structure": "cif", "structure_descriptors": ["sendek", "sendek-cell"]}, "two descriptors"),
        ({"id": "name"}, "a 'structure'"),
        ({"id": "name", "structure": "cfi"}, "cif"),
    ],
)
def test_settings_that_cannot_be_meant(table, settings, message):
    with pytest.raises(InputError, match=message):
        MaterialFile(str(table), **settings).pooled()


def test_a_folder_has_no_columns(folder):
    with pytest.raises(InputError, match="is not a table"):
        MaterialFile(str(folder), id="name")


def test_a_campaign_proposes_crystals_of_a_folder(folder):
    pool = ind.MaterialPool.from_file(folder)
    campaign = ind.Campaign(ind.SearchSpace(crystal=pool), ind.Targets(ind.Minimize("light")), initial=3)
    density = dict(zip(pool.ids, pool.descriptors.frame(list(pool.ids))["density"], strict=True))
    campaign.run(
        ind.PythonObjective(lambda crystal: {"light": density[crystal]}, {"light": ""}, isolated=False), evaluations=5
    )
    frame = campaign.frame()
    assert frame["crystal"].is_unique
    assert frame["light"].min() == min(density.values())
