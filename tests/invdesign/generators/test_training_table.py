"""A table that a generator is trained on: what is learned from, what is left out, and that it is trained once."""

from __future__ import annotations

import pandas as pd
import pytest

from invdesign import AtMost, InputError, Targets
from invdesign.generators import MoleculeGenerator, TrainingTable

NETWORK = MoleculeGenerator(width=16, epochs=2, batch=32)


@pytest.fixture(autouse=True)
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def data(molecules, tmp_path) -> str:
    molecules.to_csv(tmp_path / "known.csv", index=False)
    return str(tmp_path / "known.csv")


def table(data: str, **settings) -> TrainingTable:
    return TrainingTable(data, "SMILES", {"size": "carbons"}, network=NETWORK, **settings)


def test_it_is_trained_once_and_kept(data, molecules):
    before = table(data)
    assert "is trained on" in before.remarks[0]
    generator = before.fitted()
    assert generator.properties == ("size",)
    assert len(generator.molecules) == len(molecules)
    written = before.file.stat().st_mtime_ns
    again = table(data)
    assert again.remarks == []
    targets = Targets(AtMost("size", 6.0))
    pd.testing.assert_frame_equal(again.fitted().sample(5, targets), generator.sample(5, targets))
    assert again.file.stat().st_mtime_ns == written
    assert [place.name for place in again.file.parent.iterdir()] == [again.file.name]


def test_other_data_settings_or_language_are_another_generator(data, tmp_path):
    (tmp_path / "more.smi").write_text("CCCCO\nCCCCN\nCCCCF\n")
    other = TrainingTable(data, "SMILES", {"size": "carbons"}, network=MoleculeGenerator(width=16, epochs=3, batch=32))
    places = [
        table(data).file,
        other.file,
        TrainingTable(data, "SMILES", {"size": "balance"}, network=NETWORK).file,
        table(data, language=tmp_path / "more.smi").file,
        table(data, language=tmp_path / "more.smi", most_language=2).file,
    ]
    assert len(set(places)) == len(places)


def test_an_interrupted_training_continues_to_the_same_generator(data):
    whole = table(data).fitted().sample(5)
    place = table(data).file
    place.unlink()
    frame = pd.read_csv(data).rename(columns={"SMILES": "molecule"}).groupby("molecule", as_index=False).mean()

    def stop(epoch):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        MoleculeGenerator(width=16, epochs=2, batch=32).fit(
            frame["molecule"],
            frame[["carbons"]].rename(columns={"carbons": "size"}),
            checkpoint=place.with_suffix(".training"),
            on_epoch=stop,
        )
    assert place.with_suffix(".training").exists()
    pd.testing.assert_frame_equal(table(data).fitted().sample(5), whole)
    assert not place.with_suffix(".training").exists()


def test_what_cannot_be_learned_is_left_out_and_counted(molecules, tmp_path):
    odd = pd.DataFrame({"SMILES": ["CC(", "[Na+].[Cl-]", "", molecules["SMILES"][0]], "carbons": [1.0, 0.0, 2.0, 99.0]})
    pd.concat([molecules, odd]).to_csv(tmp_path / "odd.csv", index=False)
    (tmp_path / "more.smi").write_text("CCCCCCO\nC1CC\n")
    found = table(str(tmp_path / "odd.csv"), language=tmp_path / "more.smi")
    first, second, _ = found.remarks
    rows = len(molecules) + 4
    assert f"3 of {rows} rows are not one whole molecule and are left out: line {rows - 2} (CC()," in first
    assert "1 of 2 rows" in second
    assert "line 2 (C1CC)" in second
    assert len(found.fitted().molecules) == len(molecules) + 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"smiles": "SMILE"}, "has no column 'SMILE'. Did you mean 'SMILES'?"),
        ({"values": {"size": "carbon"}}, "has no column 'carbon'. Did you mean 'carbons'?"),
        ({"language": "missing.smi"}, "'missing.smi' does not exist"),
        ({"data": "missing.csv"}, "'missing.csv' does not exist"),
        ({"values": {}}, "'values' needs 1 entry or more"),
    ],
)
def test_wrong_names_are_said_at_once(data, changes, said):
    with pytest.raises(InputError) as error:
        TrainingTable(**({"data": data, "smiles": "SMILES", "values": {"size": "carbons"}} | changes))
    assert said in str(error.value)


def test_a_value_that_is_no_number_is_named_with_its_line(molecules, tmp_path):
    text = molecules.to_csv(index=False).replace("\n", "\nCCCCCCCCCO,many,1\n", 1)
    (tmp_path / "odd.csv").write_text(text)
    with pytest.raises(InputError, match=r"line 2, column 'carbons': 'many' is not a finite number"):
        _ = table(str(tmp_path / "odd.csv")).file


def test_too_few_molecules_are_refused(molecules, tmp_path):
    molecules.head(5).to_csv(tmp_path / "few.csv", index=False)
    with pytest.raises(InputError, match=r"has 5 molecules with values\. A generator needs 20"):
        table(str(tmp_path / "few.csv")).fitted()
