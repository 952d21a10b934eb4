"""Properties of molecules from their graphs: published values, units, every message, and a campaign file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.chemistry.objective import ChemistryObjective
from invdesign.objectives.chemistry.properties import PROPERTIES
from invdesign.testing import check_objective

ASPIRIN = "CC(=O)Oc1ccccc1C(=O)O"


def values(*smiles, **settings):
    return ChemistryObjective("m", **settings).evaluate(pd.DataFrame({"m": smiles}))


def test_aspirin_has_its_published_properties():
    found = values(ASPIRIN).iloc[0]
    # PubChem CID 2244 (mass, polar surface, counts of atoms, donors and rings); the rest from the publications:
    # Wildman and Crippen 1999, Ertl and Schuffenhauer 2009.
    expected = {
        "molar_mass": 180.16, "heavy_atoms": 13, "charge": 0, "tpsa": 63.6, "hydrogen_donors": 1, "rings": 1,
        "aromatic_rings": 1, "largest_ring": 6, "sp3_share": 1 / 9, "logp": 1.31, "sa_score": 1.58,
    }  # fmt: skip
    assert found[list(expected)].to_dict() == pytest.approx(expected, abs=0.01)
    assert found["alerts"] == 1  # a phenol ester
    assert 0.5 < found["qed"] < 0.6  # Bickerton et al. 2012
    assert found["reason"] is None


def test_rings_and_charges_of_others():
    found = values("C1CCCCCCC1", "C[N+](C)(C)C", "CCO")
    assert found["largest_ring"].tolist() == [8, 0, 0]
    assert found["charge"].tolist() == [0, 1, 0]
    assert found["sp3_share"].tolist() == [1, 1, 1]


def test_similarity_and_substructures_have_names_of_the_users_choice():
    found = values(
        "O=C1OCCO1", "CC1COC(=O)O1", "CCO", similar_to={"to_EC": "C1COC(=O)O1"}, substructures={"oxygens": "[#8]"}
    )
    assert list(found.columns) == ["to_EC", "oxygens", "reason"]
    assert found["oxygens"].tolist() == [3, 3, 1]
    assert found["to_EC"][0] == 1.0
    assert 1.0 > found["to_EC"][1] > found["to_EC"][2] >= 0.0
    both = ChemistryObjective("m", ("logp",), similar_to={"to_EC": "C1COC(=O)O1"})
    assert both.properties == {"logp": "", "to_EC": ""}
    assert set(ChemistryObjective("m").properties) == set(PROPERTIES)


@given(st.lists(st.sampled_from(["CCO", ASPIRIN, "C((", "", None, "C1CC1", 3.5]), max_size=6))
def test_a_candidate_that_is_no_molecule_has_a_reason_and_affects_no_other(rows):
    found = values(*rows, wanted=("molar_mass", "tpsa"))
    for row, smiles in enumerate(rows):
        valid = smiles in ("CCO", ASPIRIN, "C1CC1")
        assert np.isfinite(found["tpsa"][row]) == valid
        assert (found["reason"][row] is None) == valid
    assert values("C((")["reason"][0] == (
        "it is not a molecule: its syntax is invalid, such as an open ring or bracket or an unknown element"
    )


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"wanted": ("molar_mas",)}, "Unknown property 'molar_mas'. Did you mean 'molar_mass'"),
        ({"similar_to": {"s": "C(("}}, r"similar_to: 's' is 'C\(\(', not a molecule: its syntax is invalid"),
        ({"substructures": {"s": "[C"}}, r"substructures: 's' is '\[C', not SMARTS. A valid one is"),
        ({"wanted": ("logp",), "substructures": {"logp": "C"}}, "Two properties have the name 'logp'"),
        ({"similar_to": {"s": "C"}, "substructures": {"s": "C"}}, "Two properties have the name 's'. Rename one"),
        ({"similar_to": {"to EC": "C"}}, "'to EC' is not a property's name. Use letters, digits and _"),
    ],
)
def test_invalid_settings_are_refused(settings, message):
    with pytest.raises(InputError, match=message):
        ChemistryObjective("m", **settings)


def test_it_takes_the_only_molecule_or_any_parameter_whose_values_are_molecules():
    columns = (Column("solvent", "molecule"), Column("salt", "category", values=("[Li+].[Cl-]", "none")))
    objective = ChemistryObjective(wanted=("molar_mass",))
    assert objective.for_columns(columns).molecule == "solvent"
    assert objective.for_columns(columns).check(columns) == []
    assert "molecule parameter is not unique" in objective.check((columns[1],))[0]
    assert "Did you mean 'solvent'" in ChemistryObjective("solvnt").check(columns)[0]
    (problem,) = ChemistryObjective("salt").check(columns)
    assert problem.startswith("The value 'none' of 'salt' is not a molecule: its syntax is invalid")
    assert problem.endswith("Use SMILES.")
    assert "the column 'm' is missing" in ChemistryObjective("m").evaluate(pd.DataFrame({"n": ["C"]}))["reason"][0]


def test_it_keeps_the_contract_of_objectives():
    check_objective(
        ChemistryObjective(wanted=("molar_mass", "qed"), similar_to={"to_DME": "COCCOC"}),
        pd.DataFrame({"solvent": ["CCO", ASPIRIN, "CC#N"]}),
        columns=(Column("solvent", "molecule"),),
        failing=pd.DataFrame({"solvent": ["C(("]}),
    )


def test_the_example_runs_and_its_seeds_come_first(examples, tmp_path):
    file = ind.read_campaign(examples / "solvent-chemistry.yaml")
    campaign = file.open(tmp_path / "store.db")
    campaign.run(file.objective, evaluations=14)
    records = campaign.frame()
    seeds = file.space.parameters["solvent"].seeds
    assert records["solvent"].head(len(seeds)).tolist() == list(seeds)
    assert records[["molar_mass", "tpsa", "fluorines", "to_dme"]].notna().all().all()
