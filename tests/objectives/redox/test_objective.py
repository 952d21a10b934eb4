from __future__ import annotations

import json
import math
import sqlite3
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.failures import CandidateFailure, Deadline
from invdesign.objectives.redox.calibration import Calibration
from invdesign.objectives.redox.conformers import Molecule, read_molecule
from invdesign.objectives.redox.objective import ABSOLUTE_POTENTIALS, RedoxObjective
from invdesign.surrogates.features.xtb import Medium, check_electrons

pytest.importorskip("tblite")

ANTHRACENE = "c1ccc2cc3ccccc3cc2c1"
TEMPO = "CC1(C)CCCC(C)(C)N1[O]"
SCE = 0.241 + 3.04
"""V: the saturated calomel electrode against Li/Li+."""


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INVDESIGN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def values(smiles, **settings):
    return RedoxObjective("m", **settings).evaluate(pd.DataFrame({"m": smiles}))


@pytest.mark.parametrize(
    ("smiles", "wanted", "measured", "tolerance"),
    [
        # Pysh and Yang 1963, doi:10.1021/ja00897a014: 1.09 V against SCE in acetonitrile.
        (ANTHRACENE, "oxidation_potential", 1.09 + SCE, 0.15),
        # Peover 1962, doi:10.1039/jr9620004540: -0.51 V against SCE in acetonitrile.
        ("O=C1C=CC(=O)C=C1", "reduction_potential", -0.51 + SCE, 0.25),
        # A radical that becomes a closed-shell cation: about 3.5 V against Li/Li+ (Nakahara et al. 2002,
        # doi:10.1016/S0009-2614(02)00705-4, of its polymer).
        (TEMPO, "oxidation_potential", 3.5, 0.25),
    ],
)
def test_potentials_are_near_the_measured_ones(smiles, wanted, measured, tolerance):
    result = values([smiles], wanted=(wanted,))
    assert result["reason"].tolist() == [None]
    assert list(result.columns) == [wanted, "reason"]
    assert result[wanted][0] == pytest.approx(measured, abs=tolerance)


def test_properties_of_water():
    result = values(["O"], solvent="water", conformers=1)
    # An electron does not bind to water: the one property that is missing says why, the others are there.
    assert result["reason"].tolist() == ["xTB failed: SCF not converged in 250 cycles on reduction"]
    # GFN2-xTB by itself: 2.2 debye in vacuum; a solvent polarizes. Hydration is favorable by some tenths of an eV.
    assert 2.2 < result["dipole"][0] < 3.0
    assert -0.5 < result["solvation_energy"][0] < -0.1
    assert result["HOMO"][0] < result["LUMO"][0]
    assert result["oxidation_potential"][0] > 7.0


def test_references_differ_by_their_absolute_potentials():
    found = {
        name: values([ANTHRACENE], wanted=("oxidation_potential",), reference=name) for name in ABSOLUTE_POTENTIALS
    }
    against = {name: result["oxidation_potential"][0] for name, result in found.items()}
    assert against["Li/Li+"] - against["SHE"] == pytest.approx(3.04)
    assert against["NHE"] == against["SHE"]


def test_an_ion_that_relaxes_costs_less():
    relaxed, rigid = (
        values(["CC(C)=O"], wanted=("oxidation_potential", "reduction_potential"), ionization=ionization, conformers=1)
        for ionization in ("adiabatic", "vertical")
    )
    assert relaxed["oxidation_potential"][0] < rigid["oxidation_potential"][0]
    assert relaxed["reduction_potential"][0] > rigid["reduction_potential"][0]


def test_a_permittivity_stands_for_a_solvent_without_a_name():
    by_number = values(["CCO"], wanted=("solvation_energy",), permittivity=37.5, conformers=1)["solvation_energy"][0]
    assert -0.6 < by_number < -0.05
    assert values(["CCO"], wanted=("solvation_energy",), solvent="vacuum", conformers=1)["solvation_energy"][0] == 0.0


@pytest.mark.parametrize(
    ("smiles", "reason"),
    [
        ("C1CC", "is not a molecule that RDKit can read"),
        ("", "is not a molecule that RDKit can read"),
        (None, "is not a molecule that RDKit can read"),
        ("[Li+].[Cl-]", "has 2 separate parts"),
        ("C1#CC1", "RDKit found no conformer"),
        ("[U]", "has no parameters for the element with the atomic number 92"),
        ("CBr", "the bond C1-Br2 breaks on reduction"),
    ],
)
def test_what_cannot_be_treated_has_a_reason(smiles, reason):
    wanted = ("reduction_potential",)
    first, again = (values(["C#N", smiles], wanted=wanted, conformers=1) for _ in range(2))
    assert first["reason"][0] is None
    assert math.isnan(first["reduction_potential"][1])
    assert reason in first["reason"][1]
    pd.testing.assert_frame_equal(first, again)


def test_a_failing_ion_leaves_the_other_properties():
    result = values(["CBr"], wanted=("reduction_potential", "HOMO"), conformers=1)
    assert math.isfinite(result["HOMO"][0])
    assert math.isnan(result["reduction_potential"][0])


def test_an_ion_that_cleaves_has_a_value_on_request():
    asked = {"wanted": ("reduction_potential",), "conformers": 1}
    accepted = values(["CBr", "C#N"], cleavage="accept", **asked)
    refused = values(["CBr", "C#N"], **asked)
    vertical = values(["CBr"], ionization="vertical", **asked)
    assert accepted["reason"].tolist() == [None, None]
    assert "the bond C1-Br2 breaks on reduction" in refused["reason"][0]
    # The fragments are lower in energy than the anion in the neutral's structure.
    assert accepted["reduction_potential"][0] > vertical["reduction_potential"][0] + 0.2
    assert accepted["reduction_potential"][1] == pytest.approx(refused["reduction_potential"][1])
    with pytest.raises(InputError, match="Only an adiabatic ion can cleave"):
        RedoxObjective(cleavage="accept", ionization="vertical")


def test_the_time_limit_is_a_reason_and_is_not_kept():
    settings = {"wanted": ("HOMO",), "conformers": 2}
    late = values(["CCCCOC"], time_limit=1e-6, **settings)
    assert late["reason"].tolist() == ["the time limit of 1e-06 s per candidate was exceeded"]
    assert values(["CCCCOC"], **settings)["reason"].tolist() == [None]


def test_wrong_electrons_are_refused_where_tblite_would_take_them():
    with pytest.raises(CandidateFailure, match="are not possible with"):
        check_electrons(np.array([8, 1, 1]), charge=0, uhf=1)
    with pytest.raises(CandidateFailure, match="are not possible with"):
        check_electrons(np.array([1]), charge=1, uhf=1)
    assert read_molecule("[O][O]", conformers=1, deadline=Deadline(10.0)).uhf == 2


def test_broken_and_new_bonds_are_named():
    before = np.array([[0.0, 0.0, 0.0], [1.4, 0.0, 0.0], [6.0, 0.0, 0.0]])
    molecule = Molecule(np.array([6, 8, 8]), 0, 0, (before,), ((0, 1),))
    assert molecule.changed_bond(before, before) is None
    assert molecule.changed_bond(before, before * [2.0, 1.0, 1.0]) == "the bond C1-O2 breaks"
    assert molecule.changed_bond(before, before - [[0, 0, 0], [0, 0, 0], [3.2, 0, 0]]) == "a bond O2-O3 forms"


def test_states_are_computed_once(monkeypatch, tmp_path):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    wanted = ("oxidation_potential", "dipole")
    first = values(["CO"], wanted=wanted, conformers=1)
    with sqlite3.connect(tmp_path / "redox.db") as connection:
        keys = [json.loads(key) for (key,) in connection.execute("SELECT key FROM results")]
    assert sorted((smiles, state) for smiles, _, state in keys) == [("CO", "cation adiabatic"), ("CO", "neutral")]
    monkeypatch.setattr("invdesign.objectives.redox.states.read_molecule", None)
    pd.testing.assert_frame_equal(values(["OC"], wanted=wanted, conformers=1), first)


ALKANES = ["CCO", "CCCO", "CCOC", "COC", "CC#N", "CC=O", "CC(C)=O", "C1COCO1"]
FAST = {"wanted": ("oxidation_potential",), "ionization": "orbital", "geometry": "mmff", "conformers": 1}


@pytest.mark.parametrize("kind", ["linear", "gaussian-process"])
def test_calibration_recovers_a_straight_line(tmp_path, kind):
    raw = values(ALKANES, **FAST)["oxidation_potential"].to_numpy()
    known = 0.6 * raw + 1.0
    pd.DataFrame({"S": [*ALKANES, "[U]"], "mV": [*(1000 * known), 1.0]}).to_csv(tmp_path / "known.csv", index=False)
    calibration = Calibration(tmp_path / "known.csv", "S", "mV", kind=kind, unit="mV")
    objective = RedoxObjective("m", calibration=calibration, **FAST)
    assert objective.check([Column("m", "molecule")]) == []
    report = objective.calibration_report()
    assert report.rows == 8
    assert report.slope == pytest.approx(0.6)
    assert report.loo_mae < 0.05
    assert report.raw_mae == pytest.approx(np.abs(raw - known).mean())
    assert "no parameters" in report.failed["[U]"]
    assert objective.calibration_reports() == {"oxidation_potential": report}
    new = values(["CCCCO"], **FAST)["oxidation_potential"][0]
    result = objective.evaluate(pd.DataFrame({"m": ["CCCCO", "C1#CC1"]}, index=[3, 4]))
    assert result["oxidation_potential"][3] == pytest.approx(0.6 * new + 1.0, abs=0.1)
    assert 0.0 <= result["oxidation_potential_std"][3] < 0.2
    assert math.isnan(result["oxidation_potential_std"][4])


def test_the_basis_of_a_calibration_is_its_known_values_and_its_kind(tmp_path):
    known = pd.DataFrame({"S": ALKANES, "v": np.arange(8.0)})
    for name, table in {"a": known, "reordered": known[::-1], "other": known.assign(v=known["v"] + 0.1)}.items():
        table.to_csv(tmp_path / f"{name}.csv", index=False)

    def basis(name, **settings):
        calibration = Calibration(tmp_path / f"{name}.csv", "S", "v", **settings)
        return RedoxObjective("m", calibration=calibration, **FAST).calibration_basis()["oxidation_potential"]

    assert basis("a") == basis("reordered")
    assert len({basis("a"), basis("other"), basis("a", kind="linear"), basis("a", unit="mV")}) == 4
    plain = RedoxObjective("m", **FAST)
    assert plain.calibration_basis() == plain.calibration_reports() == {}


def test_a_large_table_calibrates_with_some_of_its_molecules(tmp_path):
    rows = "".join(f"{'C' * length}O,{length}\n" for length in range(1, 31))
    (tmp_path / "known.csv").write_text(f"S,v\n{rows}")
    few, again, all_ = (Calibration(tmp_path / "known.csv", "S", "v", most=most) for most in (6, 6, None))
    smiles, values = few.rows("V")
    assert len(smiles) == 6
    assert (smiles, values) == again.rows("V")
    assert set(zip(smiles, values, strict=True)) < set(zip(*all_.rows("V"), strict=True))
    assert [len(molecule) - 1 for molecule in smiles] == list(values)
    assert few.basis("V") != all_.basis("V")
    with pytest.raises(InputError, match="'most' must be at least 5, not 4"):
        Calibration(tmp_path / "known.csv", "S", "v", most=4)


def test_a_calibration_without_usable_rows_is_a_reason(tmp_path):
    pd.DataFrame({"S": ["[U]", "[Np]", "[Pu]", "[Am]", "[Cm]"], "v": range(5)}).to_csv(tmp_path / "k.csv", index=False)
    objective = RedoxObjective("m", calibration=Calibration(tmp_path / "k.csv", "S", "v"), **FAST)
    result = objective.evaluate(pd.DataFrame({"m": ["CCO"]}))
    assert result["oxidation_potential"].isna().all()
    assert "Only 0 of the calibration's molecules" in result["reason"][0]
    assert "Only 0 of the calibration's molecules" in objective.calibration_reports()["oxidation_potential"]


@pytest.mark.parametrize(
    ("header", "unit", "expected"),
    [("E (mV)", None, 0.5005), ("E", "mV", 0.5005), ("E", None, 500.5), ("E (mV)", "V", 500.5)],
)
def test_calibrations_are_read_in_any_format(tmp_path, header, unit, expected):
    rows = "".join(f"{smiles};500,5;Müller\n" for smiles in ALKANES)
    (tmp_path / "k.csv").write_bytes(f"S;{header};from\n{rows}".encode("latin-1"))
    smiles, known = Calibration(tmp_path / "k.csv", "S", "E", unit=unit).rows("V")
    assert len(smiles) == len(ALKANES)
    assert known == pytest.approx([expected] * len(ALKANES))


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ({"S": ["C", "x"], "v": [1.0, 2.0]}, "Line 3 .* needs a molecule"),
        ({"S": ["C", "CC"], "v": [1.0, None]}, "Line 3 .* needs a finite number"),
        ({"S": ["C", "CC"], "v": [1.0, 2.0]}, "at least 5 molecules"),
    ],
)
def test_bad_calibrations_are_found_before_anything_runs(tmp_path, rows, words):
    pd.DataFrame(rows).to_csv(tmp_path / "k.csv", index=False)
    with pytest.raises(InputError, match=words):
        Calibration(tmp_path / "k.csv", "S", "v").rows("V")
    with pytest.raises(InputError, match="no column 'T'"):
        Calibration(tmp_path / "k.csv", "T", "v")
    objective = RedoxObjective("m", calibration=Calibration("absent.csv", "S", "v"))
    assert "file 'absent.csv' does not exist" in objective.check([Column("m", "molecule")])[0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"wanted": ("homo",)}, "Did you mean 'HOMO'"),
        ({"reference": "SCE"}, "Unknown reference 'SCE'"),
        ({"ionization": "adiabatc"}, "Did you mean 'adiabatic'"),
        ({"geometry": "mmff"}, "An adiabatic ion"),
        ({"solvent": "water", "permittivity": 80.0}, "not both"),
        ({"permittivity": 0.5}, "'permittivity'"),
        ({"conformers": 0}, "conformer"),
        ({"time_limit": 0.0}, "'time_limit'"),
        ({"wanted": ("HOMO",), "calibration": Calibration("k.csv", "S", "v")}, "which is not computed"),
    ],
)
def test_bad_settings_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        RedoxObjective("m", **settings)


def test_the_only_molecule_is_found_and_a_missing_one_is_named():
    columns = [Column("solvent", "molecule"), Column("t", "number")]
    objective = RedoxObjective().for_columns(columns)
    assert objective.molecule == "solvent"
    assert objective.check(columns) == []
    assert "parameter is not unique" in RedoxObjective().check(columns)[0]
    assert "Did you mean 'solvent'" in RedoxObjective("solvnt").check(columns)[0]
    assert "is a number" in RedoxObjective("t").check(columns)[0]
    assert "Unknown ALPB solvent 'wine'" in replace(objective, solvent="wine").check(columns)[0]
    Medium("dmso").check()


def test_a_campaign_goes_on_when_molecules_fail():
    pool = ind.MoleculePool.from_smiles(["CCO", "C1#CC1", "[U]", "CC#N", "COC", "[Li+].[Cl-]", "CC=O", "CCOC"])
    campaign = ind.Campaign(
        ind.SearchSpace(molecule=pool),
        ind.Targets(ind.AtLeast("HOMO", -12.0, unit="eV")),
        optimizer=ind.RandomOptimizer(),
        seed=0,
        initial=4,
    )
    campaign.run(ind.RedoxObjective(wanted=("HOMO",), conformers=1), evaluations=8)
    frame = campaign.frame()
    assert frame["reason"].notna().sum() == 3
    assert frame["HOMO"].notna().sum() == 5
    assert len(campaign.hits()) > 0


def test_campaign_files_name_it(examples, tmp_path):
    assert ind.read_campaign(examples / "redox-solvents.yaml").objective.molecule == "molecule"
    (tmp_path / "known.csv").write_text("S,v\nC,1\nCC,2\nCCC,3\nCCCC,4\nCCO,5\n")
    text = (examples / "redox-solvents.yaml").read_text().replace("solvents.smi", str(examples / "solvents.smi"))
    calibration = "  calibration: {data: known.csv, smiles: S, value: v, kind: linear}\n"
    (tmp_path / "c.yaml").write_text(text.replace("  time_limit: 60\n", calibration))
    read = ind.read_campaign(tmp_path / "c.yaml").objective
    assert read.calibration.data == str(tmp_path / "known.csv")
