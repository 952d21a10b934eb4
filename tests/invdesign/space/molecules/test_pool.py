from __future__ import annotations

import gzip
import pickle

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from invdesign.core.errors import InputError
from invdesign.core.text_files import Limits
from invdesign.space import MoleculePool, SearchSpace
from invdesign.space.molecules.packed_strings import PackedStrings
from invdesign.surrogates.features.molecules import pool_features

ALKANES = ["C" * length for length in range(1, 30)]
SMALL = ["CCO", "CC", "c1ccccc1", "CN", "COC", "CC#N", "O=C1OCCO1", "CCCCC", "CCOCC", "C1CCOC1"]


def test_pool_is_canonical_and_reports_what_it_left_out(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text("name,smiles\na,OCC\nb,not a molecule\nc,C(O)C\nd,c1ccccc1\ne,\n")
    pool = MoleculePool.from_csv(path, smiles="smiles")
    assert pool.smiles == ("CCO", "c1ccccc1")
    assert pool.remarks == (
        "line 3: 'not a molecule' is not a molecule that RDKit can read",
        "line 4: 'CCO' repeats the molecule of line 2",
        "line 6: '' is not a molecule that RDKit can read",
    )


def test_lines_are_those_of_the_file_where_a_cell_holds_several(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text('name,smiles\n"two\nlines",CC\n\nthree,??\n')
    assert MoleculePool.from_file(path).remarks == ("line 5: '??' is not a molecule that RDKit can read",)


def test_smi_files_hold_names_comments_and_blank_lines(tmp_path):
    text = "SMILES name\n# a comment\nOCC ethanol\n\nC(O)C ethanol again\nx bad\nCC\n"
    (tmp_path / "pool.smi").write_text(text)
    with gzip.open(tmp_path / "pool.smi.gz", "wt") as file:
        file.write(text)
    pools = [MoleculePool.from_file(tmp_path / name) for name in ("pool.smi", "pool.smi.gz")]
    assert pools[0] == pools[1]
    assert pools[0].smiles == ("CCO", "CC")
    assert pools[0].remarks == (
        "line 5: 'CCO' repeats the molecule of line 3",
        "line 6: 'x' is not a molecule that RDKit can read",
    )


def test_sdf_files_are_read_record_by_record(tmp_path):
    from rdkit import Chem

    blocks = [Chem.MolToMolBlock(Chem.MolFromSmiles(smiles)) for smiles in ("CCO", "C1CCOC1", "OCC")]
    records = [*blocks[:2], "broken\n\n\n  9  9\n", blocks[2]]
    (tmp_path / "pool.sdf").write_text("".join(f"{record}$$$$\n" for record in records))
    pool = MoleculePool.from_file(tmp_path / "pool.sdf")
    starts = np.cumsum([1, *(record.count("\n") + 1 for record in records)])
    assert pool.smiles == ("CCO", "C1CCOC1")
    assert pool.remarks == (
        f"line {starts[2]}: '' is not a molecule that RDKit can read",
        f"line {starts[3]}: 'CCO' repeats the molecule of line 1",
    )


def test_parquet_files_are_read_by_column(tmp_path):
    parquet = pytest.importorskip("pyarrow.parquet")
    import pyarrow as pa

    table = pa.table({"id": [1, 2, 3, 4], "canonSMILES": ["OCC", None, "CC", "CCO"]})
    parquet.write_table(table, tmp_path / "pool.parquet")
    pool = MoleculePool.from_file(tmp_path / "pool.parquet", smiles="canonSMILES")
    assert pool.smiles == ("CCO", "CC")
    assert pool.remarks == (
        "row 2: '' is not a molecule that RDKit can read",
        "row 4: 'CCO' repeats the molecule of row 1",
    )
    with pytest.raises(InputError, match="Did you mean 'canonSMILES'"):
        MoleculePool.from_file(tmp_path / "pool.parquet", smiles="canonSMILE")
    (tmp_path / "no.parquet").write_text("CC")
    with pytest.raises(InputError, match="cannot be read as PARQUET"):
        MoleculePool.from_file(tmp_path / "no.parquet")


def test_many_remarks_are_counted_and_the_first_kept():
    pool = MoleculePool.from_smiles(["C", *["?"] * 1500, *["C"] * 700], canonical=False)
    assert len(pool.remarks) == 1001
    assert pool.remarks[0].startswith("line 2: '?'")
    assert pool.remarks[-1] == "and 1200 more: 1500 unreadable and 700 repeated in all"


def test_canonical_input_is_taken_as_it_stands():
    pool = MoleculePool.from_smiles(["OCC", "CC", "", "OCC"], canonical=True)
    assert pool.smiles == ("OCC", "CC")
    assert len(pool.remarks) == 2


def test_every_molecule_has_its_own_place():
    pool = MoleculePool.from_smiles(ALKANES)
    space = SearchSpace(m=pool)
    assert space.grid()["m"].tolist() == list(pool.smiles)
    assert space.decode(space.encode(space.grid()))["m"].tolist() == list(pool.smiles)


def test_component_coordinates_lead_back_to_the_molecule():
    pool = MoleculePool.from_smiles(SMALL, coordinates="components", components=3)
    points = pool.encode(pool.smiles)
    assert points.shape == (len(SMALL), 3) == (len(SMALL), pool.dimension)
    assert (points > 0).all()
    assert (points < 1).all()
    assert pool.decode(points).tolist() == list(pool.smiles)
    assert set(pool.decode(pool.draw(500, np.random.default_rng(0)))) == set(pool.smiles)
    anywhere = np.random.default_rng(1).random((50, 3))
    assert set(pool.decode(anywhere)) <= set(pool.smiles)
    assert pickle.loads(pickle.dumps(pool)).decode(anywhere).tolist() == pool.decode(anywhere).tolist()  # noqa: S301


@pytest.mark.parametrize("coordinates", ["index", "components"])
def test_distinct_decoding_repeats_nothing(coordinates):
    pool = MoleculePool.from_smiles(SMALL, coordinates=coordinates, components=2)
    point = pool.encode(["COC"])
    found = pool.decode_distinct(np.repeat(point, len(SMALL) - 1, axis=0), without=["CCO"])
    assert found[0] == "COC"
    assert sorted([*found, "CCO"]) == sorted(pool.smiles)
    with pytest.raises(InputError, match="Only 9 molecules of the pool are left"):
        pool.decode_distinct(np.repeat(point, len(SMALL), axis=0), without=["CCO"])


def test_bad_pools_are_refused(tmp_path):
    path = tmp_path / "pool.csv"
    path.write_text("name,canonSMILES\na,CC\n")
    with pytest.raises(InputError, match=r"no column 'canonSMILE'.*Did you mean 'canonSMILES'"):
        MoleculePool.from_csv(path, smiles="canonSMILE")
    with pytest.raises(InputError, match="does not exist"):
        MoleculePool.from_csv(tmp_path / "none.csv")
    (tmp_path / "empty.csv").write_text("")
    with pytest.raises(InputError, match="cannot be read as CSV"):
        MoleculePool.from_csv(tmp_path / "empty.csv")
    (tmp_path / "header.csv").write_text("smiles\n")
    with pytest.raises(InputError, match="at least one valid molecule"):
        MoleculePool.from_csv(tmp_path / "header.csv")
    (tmp_path / "binary.smi.gz").write_text("CC")
    with pytest.raises(InputError, match="cannot be decompressed after line 1"):
        MoleculePool.from_file(tmp_path / "binary.smi.gz")
    (tmp_path / "pool.xyz").write_text("CC")
    with pytest.raises(InputError, match=r"must end in one of \.csv, \.tsv"):
        MoleculePool.from_file(tmp_path / "pool.xyz")
    (tmp_path / "pool.smi").write_text("CC")
    with pytest.raises(InputError, match="has no columns"):
        MoleculePool.from_file(tmp_path / "pool.smi", smiles="smiles")
    with pytest.raises(InputError, match="at least one valid molecule"):
        MoleculePool.from_smiles(["?"])
    with pytest.raises(InputError, match="must contain each molecule once"):
        MoleculePool(("CC", "CC"))
    with pytest.raises(InputError, match="'CCC' is not in the pool of 1 molecules"):
        MoleculePool(("CC",)).encode(["CCC"])
    with pytest.raises(InputError, match="coordinates: index"):
        _ = MoleculePool(("CC",), coordinates="components").dimension


def test_pool_of_a_real_dataset(real_data):
    pool = MoleculePool.from_csv("dataset:hbe", smiles="canonSMILES")
    assert len(pool.smiles) == 1424
    assert pool.remarks == ()


@given(st.lists(st.text(max_size=6)))
def test_packed_strings_are_like_a_tuple(strings):
    packed, plain = PackedStrings(strings), tuple(strings)
    assert packed == plain
    assert hash(packed) == hash(plain)
    assert tuple(packed) == plain
    assert packed[1:] == plain[1:]
    assert packed == pickle.loads(pickle.dumps(packed))  # noqa: S301
    assert packed.places([*strings, "no such string"]).tolist() == [*map(plain.index, strings), -1]
    assert tuple(packed.without(packed.repeated())) == tuple(dict.fromkeys(strings))


def test_components_of_a_pool_are_fitted_once():
    pool = MoleculePool.from_smiles(SMALL)
    assert pool_features(pool.smiles, "descriptors", 2) is pool_features(tuple(pool.smiles), "descriptors", 2)
    assert pool_features(list(SMALL[:4]), "descriptors", 2) is pool_features(SMALL[:4], "descriptors", 2)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pool.csv", "id;smiles\n1;OCC\n2;C1CC\n3;CC\n4;CCO\n".encode("utf-16")),
        ("pool.tsv", "name\tsmiles\nMüller\tOCC\nx\tC1CC\ny\tCC\nz\tCCO\n".encode("latin-1")),
        ("pool.txt", b"\xef\xbb\xbfsmiles\r\nOCC\r\nC1CC\r\nCC\r\nCCO\r\n"),
    ],
)
def test_what_is_left_out_is_said_with_lines_and_reasons(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)
    pool = MoleculePool.from_file(tmp_path / name)
    assert pool.smiles == ("CCO", "CC")
    (remark,) = SearchSpace(m=pool).remarks
    assert remark.startswith(f"m: '{tmp_path / name}': 2 of 4 entries were left out (1 not molecules, 1 repeated)")
    assert "line 3: 'C1CC' is not a molecule that RDKit can read: its syntax is invalid" in remark
    assert "line 5: 'CCO' repeats the molecule of line 2" in remark


def test_a_spreadsheet_is_a_pool(tmp_path):
    pd.DataFrame({"smiles": ["OCC", None, "CC"], "n": [1, 2, 3]}).to_excel(tmp_path / "pool.xlsx", index=False)
    pool = MoleculePool.from_file(tmp_path / "pool.xlsx")
    assert pool.smiles == ("CCO", "CC")
    assert pool.remarks == ("row 3: '' is not a molecule that RDKit can read",)


def test_repeated_molecules_are_refused_if_asked(tmp_path):
    (tmp_path / "pool.smi").write_text("OCC\nCC\nCCO\n")
    with pytest.raises(InputError, match=r"1 of 3 entries was left out.*line 3: 'CCO' repeats.*duplicates: first"):
        MoleculePool.from_file(tmp_path / "pool.smi", duplicates="error")
    with pytest.raises(InputError, match="must be 'first' or 'error'"):
        MoleculePool.from_smiles(["C"], duplicates="mean")


@pytest.mark.parametrize("canonical", [True, False])
def test_a_file_of_other_lines_is_refused_after_a_hundred(tmp_path, canonical):
    (tmp_path / "pool.smi").write_text("hello\n" * 100_000)
    read = []

    def lines():
        for line in (tmp_path / "pool.smi").read_text().splitlines():
            read.append(line)
            yield line

    with pytest.raises(InputError, match=r"no molecule in its first 100 entries\. Line 1: 'hello'"):
        MoleculePool.from_smiles(lines(), canonical=canonical)
    assert len(read) == 100
    with pytest.raises(InputError, match=r"'.*pool\.smi' has no molecule in its first 100 entries"):
        MoleculePool.from_file(tmp_path / "pool.smi")


def test_large_molecules_and_files_are_refused(tmp_path):
    path = tmp_path / "pool.smi.gz"
    with gzip.open(path, "wt") as file:
        file.write("CCO\n" + "C" * 100_000 + "\n")
    pool = MoleculePool.from_file(path)
    assert pool.smiles == ("CCO",)
    assert "it has more than 1,000 atoms" in str(pool.left_out)
    assert len(str(pool.left_out)) < 500
    with gzip.open(path, "wt") as file:
        file.write("CCO\n" * 1_000_000)
    with pytest.raises(InputError, match="exceeds 1,000,000 bytes decompressed at line 1"):
        MoleculePool.from_file(path, limits=Limits(size=1_000_000))
    with pytest.raises(InputError, match="exceeds 1,000 rows at line 1001"):
        MoleculePool.from_file(path, limits=Limits(rows=1_000))


def test_a_row_that_does_not_fit_is_named(tmp_path):
    (tmp_path / "pool.csv").write_text("name,smiles\na,CC\nb,x,CCO\n")
    with pytest.raises(InputError, match="line 3, has 3 fields"):
        MoleculePool.from_file(tmp_path / "pool.csv")


def test_what_is_left_out_does_not_identify_a_pool():
    """A store of an earlier version continues: its campaign is identified by the pool's settings."""
    pool = MoleculePool.from_smiles(["OCC", "C1CC", "CC"])
    remarks = ("line 2: 'C1CC' is not a molecule that RDKit can read",)
    assert repr(pool) == f"MoleculePool(remarks={remarks!r}, coordinates='index', components=5)"
    assert pool == MoleculePool(("CCO", "CC"), pool.remarks)


def test_registered_lists_are_pools(real_data):
    pool = MoleculePool.from_file("dataset:zinc-test")
    assert len(pool.smiles) == 5000
    assert pool.left_out is not None
    assert str(pool.left_out) == ""


def test_a_file_with_hardly_any_molecules_is_refused_before_its_end():
    def entries():
        yield from ALKANES
        while True:
            yield "hello"

    with pytest.raises(InputError, match=r"of the first 4,196 entries are not molecules\. Line 4196: 'hello'"):
        MoleculePool.from_smiles(entries())
