"""Pools give every entry of their source once, in its order, block by block."""

from __future__ import annotations

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.screening.pools import LibraryPool, MaterialStream, MoleculeStream, SeenHashes, SpacePool, enumerated
from invdesign.space.materials import MaterialFile
from invdesign.space.molecules.files import MoleculeFile


def read_all(pool, size):
    blocks = [pool.read(block) for block in pool.blocks(size)]
    return pd.concat([one.rows for one in blocks if len(one.rows)]), [bad for one in blocks for bad in one.bad]


@pytest.mark.parametrize("ending", ["smi", "smi.gz", "csv", "parquet"])
def test_a_file_of_molecules_is_read_whatever_its_format_and_block(tmp_path, ending):
    given_ = ["OCC", "CC", "nonsense", "C1CC", "c1ccccc1"]
    place = tmp_path / f"pool.{ending}"
    if ending == "smi":
        place.write_text("\n".join(given_))
    elif ending == "smi.gz":
        place.write_bytes(gzip.compress("\n".join(given_).encode()))
    else:
        frame = pd.DataFrame({"n": range(5), "smiles": given_})
        frame.to_csv(place, index=False) if ending == "csv" else frame.to_parquet(place)
    pool = MoleculeStream("molecule", MoleculeFile(place))
    first = 2 if ending == "csv" else 1
    for size in (1, 2, 100):
        rows, bad = read_all(pool, size)
        assert rows["molecule"].tolist() == ["OCC", "CC", "c1ccccc1"]
        assert pool.canonical(rows)["molecule"].tolist() == ["CCO", "CC", "c1ccccc1"]
        assert rows.index.tolist() == [first, first + 1, first + 4]
        assert [(one.place, one.given) for one in bad] == [(first + 2, "nonsense"), (first + 3, "C1CC")]
        assert "syntax" in bad[0].reason


def test_a_file_without_molecules_is_refused_with_its_first_line(tmp_path):
    (tmp_path / "names.smi").write_text("ethanol\nwater\n")
    with pytest.raises(InputError, match=r"no readable entry among its first 2. Line 1: 'ethanol': .* of SMILES"):
        MoleculeStream("molecule", MoleculeFile(tmp_path / "names.smi")).check()
    (tmp_path / "empty.smi").write_text("")
    with pytest.raises(InputError, match="has no entries"):
        MoleculeStream("molecule", MoleculeFile(tmp_path / "empty.smi")).check()


def test_a_space_is_enumerated_with_its_constraints():
    space = ind.SearchSpace(
        x=ind.Integer(0, 4), kind=ind.Categorical(["a", "b"]), constraints=["kind == 'a' or x <= 1"]
    )
    pool = SpacePool(space)
    rows, bad = read_all(pool, 3)
    whole = space.grid()
    assert rows.reset_index(drop=True).equals(whole)
    assert not bad
    left = sum(sum(pool.read(block).left_out.values()) for block in pool.blocks(3))
    assert left == 10 - len(whole)


def test_a_continuous_space_says_what_to_do():
    with pytest.raises(InputError, match=r"'x' cannot be enumerated.* invdesign run"):
        SpacePool(ind.SearchSpace(x=ind.Continuous(0, 1)))


def test_a_table_of_materials_gives_ids_once_and_names_bad_rows(tmp_path):
    rows = ["id,formula,gap (eV)", "a,LiF,8.9", "b,Li2O,wide", "a,LiF,8.9", "c,Qq2,1", "d,NaCl,", "e,KBr,4.5"]
    (tmp_path / "m.csv").write_text("\n".join(rows))
    file = MaterialFile(str(tmp_path / "m.csv"), id="id", formula="formula", descriptors={"gap": "gap"})
    pool = MaterialStream("crystal", file)
    for size in (1, 2, 9):
        found, bad = read_all(pool, size)
        assert found["crystal"].tolist() == ["a", "d", "e"]
        assert found["formula"].tolist() == ["LiF", "NaCl", "KBr"]
        assert np.allclose(found["gap"], [8.9, np.nan, 4.5], equal_nan=True)
        assert [(one.place, one.given) for one in bad] == [(3, "wide"), (5, "Qq2")]
        assert "'Qq', which is not an element" in bad[1].reason
        assert sum(sum(block.left_out.values()) for block in pool.blocks(size)) == 1
    strict = MaterialFile(str(tmp_path / "m.csv"), id="id", descriptors={"gap": "gap"}, duplicates="error")
    with pytest.raises(InputError, match="line 4: 'a' repeats an earlier id"):
        list(MaterialStream("crystal", strict).blocks(9))


@given(st.lists(st.lists(st.sampled_from("abcdefgh"), max_size=6), max_size=12))
def test_first_occurrences_are_those_of_a_set(blocks):
    seen, known = SeenHashes(), set()
    for block in blocks:
        expected = []
        for text in block:
            expected.append(text not in known)
            known.add(text)
        assert seen.first(block) == expected


def test_a_library_alone_is_read_once_and_written_in_canonical_form_at_the_end():
    library = ind.MoleculeLibrary(
        scaffold="[*:1]OCC[*:2]", substituents={"R1": ["*C", "*c1ccccc1", "[H]"], "R2": ["[H]", "*C#N", "*C1CC1"]}
    )
    space = ind.SearchSpace(molecule=library)
    pool = enumerated(space)
    rows, bad = read_all(pool, 4)
    assert not bad
    assert (
        pool.canonical(rows)["molecule"].tolist()
        == SpacePool(space).read(next(SpacePool(space).blocks(9))).rows["molecule"].tolist()
    )
    assert rows["molecule"].tolist() != pool.canonical(rows)["molecule"].tolist()
    assert [type(enumerated(ind.SearchSpace(molecule=library, **more))) for more in ({}, {"x": ind.Integer(0, 1)})] == [
        LibraryPool,
        SpacePool,
    ]
