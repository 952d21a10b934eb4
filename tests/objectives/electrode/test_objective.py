from __future__ import annotations

import math
import sqlite3

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.failures import CandidateFailure
from invdesign.core.settings import FileContext, from_mapping
from invdesign.objectives.calibrated import Calibrated
from invdesign.objectives.electrode.calibration import KnownVoltage, VoltageCalibration
from invdesign.objectives.electrode.checks import NEIGHBOR, check_drift, check_whole, neighbors
from invdesign.objectives.electrode.objective import ElectrodeObjective
from invdesign.objectives.electrode.orderings import charges, coulomb_matrix, groups_of, lowest
from invdesign.objectives.electrode.prototypes import BUILT_IN, from_cif, layered, prototype_for
from invdesign.objectives.electrode.relaxation import Relaxed
from invdesign.objectives.electrode.sites import contents, shares, supercell
from invdesign.objectives.electrode.states import average_voltage, electrodes

ase = pytest.importorskip("ase")

LENNARD_JONES = {
    "calculator": "ase.calculators.lj:LennardJones",
    "settings": {"sigma": 2.2, "epsilon": 0.3, "rc": 6.0, "smooth": True},
}
QUICK = {**LENNARD_JONES, "drift": 5.0, "largest_volume_change": 5.0, "wanted": ("voltage", "capacity")}


@pytest.fixture(autouse=True, scope="module")
def cache(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INVDESIGN_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


def values(formulas, prototype="layered", **settings):
    return ElectrodeObjective(prototype, "f", **settings).evaluate(pd.DataFrame({"f": formulas}))


@pytest.mark.parametrize(
    ("formula", "prototype", "golden", "measured"),
    [
        # Golden: CHGNet 0.3.0. Measured: the table of PHYSICS.md.
        ("LiCoO2", "layered", 3.49, 3.9),
        ("LiMn2O4", "spinel", 3.88, 4.05),
    ],
)
def test_voltages_by_chgnet(formula, prototype, golden, measured):
    pytest.importorskip("chgnet")
    result = values([formula], prototype, wanted=("voltage", "capacity", "volume_change"), metal_sites=4)
    assert result["reason"].tolist() == [None]
    assert result["voltage"][0] == pytest.approx(golden, abs=0.05)
    assert result["voltage"][0] == pytest.approx(measured, abs=0.5)
    assert result["capacity"][0] == pytest.approx({"LiCoO2": 273.8, "LiMn2O4": 148.2}[formula], abs=0.1)
    assert 0.0 <= result["volume_change"][0] < 0.1


@pytest.mark.parametrize(
    ("formula", "prototype", "remaining", "measured"),
    [
        # Average voltages: Whittingham 1976, doi:10.1126/science.192.4244.1126; Barker et al. 2003, J. Electrochem.
        # Soc. 150, A1394. CHGNet's errors are some tenths of a volt.
        ("LiTiS2", "layered", 0.0, 2.1),
        ("LiVPO4F", "tavorite", 0.0, 4.2),
    ],
)
def test_voltages_of_sulfides_and_tavorites_by_chgnet(formula, prototype, remaining, measured):
    pytest.importorskip("chgnet")
    result = values([formula], prototype, wanted=("voltage",), remaining=remaining, fmax=0.2)
    assert result["reason"].tolist() == [None]
    assert result["voltage"][0] == pytest.approx(measured, abs=0.7)


def test_an_nmc_by_chgnet_with_lithium_left_and_a_state_between():
    pytest.importorskip("chgnet")
    wanted = ("voltage", "capacity", "specific_energy", "energy_above_line", "rounding")
    settings = {"remaining": 0.25, "metal_sites": 4, "fmax": 0.2, "orderings": 2}
    result = values(["LiNi0.5Mn0.25Co0.25O2"], wanted=wanted, **settings)
    assert result["reason"].tolist() == [None]
    row = result.iloc[0]
    assert row["rounding"] == 0.0
    assert 3.2 < row["voltage"] < 4.3
    assert row["specific_energy"] == pytest.approx(row["voltage"] * row["capacity"], rel=1e-3)
    assert -0.2 < row["energy_above_line"] < 0.2
    assert 0.0 <= row["voltage_std"] < 0.3


@pytest.mark.parametrize(("formula", "positive"), [("Ti2CO2Li2", True), ("Ti2C(OH)2Li2", False)])
def test_a_mxene_by_chgnet(formula, positive):
    pytest.importorskip("chgnet")
    result = values([formula], "mxene", wanted=("voltage", "capacity"))
    assert result["reason"].tolist() == [None]
    # Oxygen-terminated layers take up lithium, hydroxyl-terminated ones repel it (Xie et al. 2014,
    # doi:10.1021/ja501520b).
    assert bool(result["voltage"][0] > 0.0) is positive


def test_the_voltage_is_that_of_pymatgen():
    from pymatgen.apps.battery.insertion_battery import InsertionElectrode
    from pymatgen.core.structure import Structure
    from pymatgen.entries.computed_entries import ComputedEntry, ComputedStructureEntry

    cell = supercell(layered(), 2)
    empty = Structure.from_sites([site for site in cell if site.species_string != "Li"])
    entries = [ComputedStructureEntry(cell, -50.0), ComputedStructureEntry(empty, -39.0)]
    theirs = InsertionElectrode.from_entries(entries, ComputedEntry("Li", -1.9))
    assert average_voltage(-50.0, -39.0, -1.9, 2, 1) == pytest.approx(theirs.get_average_voltage())
    assert average_voltage(-50.0, -39.0, -1.9, 2, 2) == pytest.approx(theirs.get_average_voltage() / 2)


def test_another_calculator_takes_its_place(tmp_path, monkeypatch):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))
    result = values(["LiCoO2"], **QUICK)
    assert result["reason"].tolist() == [None]
    assert math.isfinite(result["voltage"][0])
    assert result["capacity"][0] == pytest.approx(273.84, abs=0.01)
    with sqlite3.connect(tmp_path / "electrode.db") as connection:
        assert connection.execute("SELECT COUNT(*) FROM results").fetchone() == (3,)
    monkeypatch.setattr("invdesign.objectives.electrode.relaxation._descend", None)
    pd.testing.assert_frame_equal(values(["LiCoO2"], **QUICK), result)


@pytest.mark.parametrize(
    ("formula", "prototype", "words"),
    [
        ("LiFePO4", "layered", "1 of its 1 P have no site. Formulas that fit: A M O2"),
        ("LiCo0.5O2", "layered", "0.5 of the sites of Co would be empty"),
        ("CoO2", "layered", "must contain a working ion"),
        ("LiCo2O2", "layered", "1 of its 2 Co have no site"),
        ("LiCo", "layered", "it contains no O"),
        ("LiCoO2", "olivine", "Formulas that fit: A M P O4"),
        ("Ti3C2O2Li2", "mxene", "Formulas that fit: M2 X Z2"),
        ("LiXxO2", "layered", "not an element"),
        (None, "layered", "is not a formula"),
        ("LiV0.5Cm0.5O2", "layered", "CHGNet has no parameters for Cm"),
    ],
)
def test_a_formula_that_cannot_be_treated_has_a_reason(formula, prototype, words):
    result = values([formula], prototype, wanted=("voltage",))
    assert math.isnan(result["voltage"][0])
    assert words in result["reason"][0]


def test_a_cell_that_is_too_small_says_which_would_do():
    result = values(["LiNi0.85Mn0.15O2"], **QUICK, metal_sites=3, rounding=0.05)
    assert "'metal_sites: 20' would fit it" in result["reason"][0]
    assert math.isnan(result["voltage"][0])


def test_the_step_limit_is_a_reason_and_is_kept(monkeypatch):
    first = values(["LiCoO2"], **{**QUICK, "steps": 1})
    assert "did not converge within 1 steps" in first["reason"][0]
    monkeypatch.setattr("invdesign.objectives.electrode.relaxation._descend", None)
    assert values(["LiCoO2"], **{**QUICK, "steps": 1})["reason"][0] == first["reason"][0]


def test_the_time_limit_is_a_reason_and_is_not_kept():
    settings = {**QUICK, "fmax": 0.049}
    assert "the time limit of 1e-06 s" in values(["LiCoO2"], time_limit=1e-6, **settings)["reason"][0]
    assert values(["LiCoO2"], **settings)["reason"].tolist() == [None]


def test_drift_is_a_reason():
    result = values(["LiCoO2"], **{**QUICK, "drift": 0.001})
    assert "the structure drifted" in result["reason"][0]


def test_what_a_calculator_raises_is_a_reason():
    result = values(["LiCoO2"], calculator="ase.calculators.emt:EMT", wanted=("voltage",))
    assert "the calculator failed: NotImplementedError" in result["reason"][0]


def test_energies_that_are_not_finite_are_a_reason():
    settings = {"sigma": 2.2, "epsilon": float("nan"), "rc": 6.0}
    result = values(["LiCoO2"], calculator="ase.calculators.lj:LennardJones", settings=settings, wanted=("voltage",))
    assert result["reason"][0] is not None
    assert math.isnan(result["voltage"][0])


def test_torn_structures_are_found():
    cell = {"cell": [20.0, 20.0, 20.0], "pbc": True}
    pair = ase.Atoms("CoOLi", positions=[[0, 0, 0], [1.9, 0, 0], [0, 2.0, 0]], **cell)
    check_whole(pair, pair, "Li")
    gone = pair.copy()
    gone.positions[2] = [10.0, 10.0, 10.0]
    with pytest.raises(CandidateFailure, match="Li2 has no neighbors left"):
        check_whole(pair, gone, "Li")
    four = ase.Atoms("CoOCoO", positions=[[0, 0, 0], [1.9, 0, 0], [3.8, 0, 0], [5.7, 0, 0]], **cell)
    split = four.copy()
    split.positions[2:, 1] = 8.0
    with pytest.raises(CandidateFailure, match=r"framework of 1 part\(s\) became 2"):
        check_whole(four, split, "Li")
    with pytest.raises(CandidateFailure, match="volume changed by -50%, more than 40%"):
        check_drift(2.0, 1.0, 0.4, "volume")


def test_neighbors_are_those_of_ase(rng):
    from ase.neighborlist import natural_cutoffs, neighbor_list

    for number in range(40):
        n = int(rng.integers(1, 12))
        layer = bool(number % 2)
        cell = np.eye(3) * rng.uniform(2.5, 9.0, 3) + rng.normal(0.0, 0.6, (3, 3))
        if layer:
            cell[2], cell[:2, 2] = (0.0, 0.0, 20.0), 0.0
        positions = rng.uniform(-1.5, 1.5, (n, 3)) @ cell
        atoms = ase.Atoms(rng.choice(["Li", "Co", "O", "K"], n), positions, cell=cell, pbc=(True, True, not layer))
        expected = np.zeros((n, n))
        np.add.at(expected, tuple(neighbor_list("ij", atoms, natural_cutoffs(atoms, mult=NEIGHBOR))), 1.0)
        np.testing.assert_array_equal(neighbors(atoms).toarray(), expected)


def test_the_spinel_is_that_of_its_space_group():
    from pymatgen.analysis.structure_matcher import StructureMatcher
    from pymatgen.core.lattice import Lattice
    from pymatgen.core.structure import Structure

    sites = [[0.125] * 3, [0.5] * 3, [0.263] * 3]
    expanded = Structure.from_spacegroup("Fd-3m:2", Lattice.cubic(8.24), ["Li", "Mn", "O"], sites)
    distance, _ = StructureMatcher(scale=False).get_rms_dist(expanded, prototype_for("spinel", {}).structure)
    assert distance == pytest.approx(0.0, abs=1e-9)


@pytest.mark.parametrize(
    ("formula", "prototype", "expected"),
    [
        ({"Li": 1.2, "Mn": 0.6, "Ni": 0.2, "O": 2.0}, "layered", {"Co": {"Mn": 0.6, "Ni": 0.2, "Li": 0.2}}),
        ({"Li": 0.5, "Co": 1.0, "O": 2.0}, "layered", {"Li": {"Li": 0.5, "": 0.5}}),
        ({"Li": 2.0, "Co": 2.0, "O": 3.0, "F": 1.0}, "layered", {"O": {"O": 0.75, "F": 0.25}}),
        ({"Na": 1.0, "Fe": 1.0, "P": 0.5, "Si": 0.5, "O": 4.0}, "olivine", {"P": {"P": 0.5, "Si": 0.5}}),
        ({"Ti": 1.0, "V": 1.0, "C": 1.0, "O": 2.0, "H": 2.0, "K": 2.0}, "mxene", {"Ti": {"Ti": 0.5, "V": 0.5}}),
        ({"Mo": 2.0, "N": 1.0, "Mg": 2.0}, "mxene", {"C": {"N": 1.0}, "Li": {"Mg": 1.0}}),
        ({"Na": 3.0, "V": 2.0, "P": 3.0, "O": 12.0}, "nasicon", {"Na": {"Na": 0.75, "": 0.25}, "V": {"V": 1.0}}),
        ({"Li": 1.0, "Fe": 1.0, "S": 1.0, "O": 4.0, "F": 1.0}, "tavorite", {"P": {"S": 1.0}, "F": {"F": 1.0}}),
        (
            {"Li": 7.0, "Ti": 5.0, "O": 12.0},
            "lithiated-spinel",
            {"Li": {"Li": 1.0}, "Mn": {"Li": 1 / 6, "Ti": 5 / 6}, "Xe": {"": 1.0}},
        ),
    ],
)
def test_elements_find_their_sites(formula, prototype, expected):
    made = prototype_for(prototype, formula)
    ion = next(symbol for symbol in ("Li", "Na", "K", "Mg") if symbol in formula)
    found = {part.mark: taken for part, taken in shares(made, formula, ion).items()}
    for mark, taken in expected.items():
        assert found[mark] == pytest.approx(taken)


def test_the_smallest_cell_that_holds_the_shares_is_taken():
    elements = {"Li": 1.0, "Ni": 0.8, "Mn": 0.1, "Co": 0.1, "O": 2.0}
    held = contents(layered(), elements, remaining=0.2, metal_sites=20, halfway=False)
    assert (held.copies, held.ions, held.left, held.rounding) == (10, 10, 2, pytest.approx(0.0))
    rough = contents(layered(), elements, remaining=0.0, metal_sites=6, halfway=False)
    assert rough.rounding == pytest.approx(0.1)
    assert abs(np.linalg.det(supercell(layered(), 10).lattice.matrix)) == pytest.approx(10 * 32.2, abs=1.0)


BONDS = {
    # Distances in angstrom that the sources of the structures report, within a tenth.
    "lithiated-spinel": {("Mn", "O"): (6, 2.0), ("Li", "O"): (6, 2.1)},
    "nasicon": {("V", "O"): (6, 2.0), ("P", "O"): (4, 1.53), ("Na", "O"): (6, 2.49)},
    "tavorite": {("V", "O"): (4, 1.98), ("V", "F"): (2, 1.98), ("P", "O"): (4, 1.54), ("F", "V"): (2, 1.98)},
}


@pytest.mark.parametrize("name", BONDS)
def test_a_prototype_has_the_bonds_of_its_source(name):
    structure = prototype_for(name, {}).structure
    for (center, other), (count, length) in BONDS[name].items():
        first = next(site for site in structure if site.species_string == center)
        near = sorted(one.nn_distance for one in structure.get_neighbors(first, 3.5) if one.species_string == other)
        assert near[:count] == pytest.approx([length] * count, abs=0.1)
        assert len(near) == count or near[count] > length + 0.3


def test_sulfides_have_their_own_layers():
    made = prototype_for("layered", {"Li": 1.0, "Ti": 1.0, "S": 2.0})
    assert made.structure.composition.reduced_formula == "LiTiS2"
    (bond, *_) = sorted(one.nn_distance for one in made.structure.get_neighbors(made.structure[1], 3.0))
    assert bond == pytest.approx(2.45, abs=0.1)
    assert prototype_for("layered", {"Li": 1.0, "Co": 1.0, "O": 1.9, "S": 0.1}) is layered()


def test_the_ions_of_a_lithiated_spinel_move_when_it_is_charged():
    """All of them leave the octahedra (16c), and those that remain sit in tetrahedra (8a)."""
    elements = {"Li": 7.0, "Ti": 5.0, "O": 12.0}
    held = contents(prototype_for("lithiated-spinel", elements), elements, remaining=0.5, metal_sites=12, halfway=False)
    assert (held.copies, held.ions, held.left, held.rounding) == (3, 12, 6, pytest.approx(0.0, abs=1e-9))
    (electrode,) = electrodes(prototype_for("lithiated-spinel", elements), held, 1)
    full = electrode._atoms(electrode.labels)
    assert full.get_chemical_formula() == "Li14O24Ti10"
    moved = next(part for part in held.counts if part.role == "charged")
    charged = electrode._moved(held.left, moved, Relaxed(0.0, full))
    assert charged.get_chemical_formula() == "Li8O24Ti10"
    for place in range(len(charged) - held.left, len(charged)):
        near = np.sort(charged.get_distances(place, range(len(charged) - held.left), mic=True))
        assert near[:4] == pytest.approx([1.88] * 4, abs=0.02)
        assert near[4] > 2.5
    with pytest.raises(CandidateFailure, match="but the charged electrode has 6 sites for them; lower 'remaining'"):
        electrode._moved(7, moved, Relaxed(0.0, full))


def test_every_cell_is_right_handed():
    for name in ("layered", "spinel", "lithiated-spinel", "olivine", "nasicon", "tavorite"):
        assert np.linalg.det(supercell(prototype_for(name, {}), 2).lattice.matrix) > 0.0


def test_orderings_are_neutral_different_and_sorted():
    elements = {"Li": 1.0, "Ni": 0.5, "Mn": 0.5, "O": 2.0}
    held = contents(layered(), elements, remaining=0.0, metal_sites=4, halfway=False)
    cell = supercell(layered(), 4)
    assert held.copies == 2
    held = contents(layered(), {**elements, "Ni": 0.25, "Mn": 0.75}, remaining=0.0, metal_sites=4, halfway=False)
    matrix, groups = coulomb_matrix(cell), groups_of(cell, held.counts)
    found = lowest(matrix, groups, {}, most=5)
    charge = charges({"Li": 4, "Ni": 1, "Mn": 3, "O": 8})
    assert charge["Li"] * 4 + charge["Ni"] + charge["Mn"] * 3 + charge["O"] * 8 == pytest.approx(0.0)
    energies = []
    for labels in found:
        q = np.array([charge[symbol] for symbol in labels])
        energies.append(q @ matrix @ q)
    assert energies == sorted(energies)
    assert len({tuple(labels) for labels in found}) == len(found)
    assert (
        len(
            electrodes(
                layered(),
                contents(layered(), {"Li": 1, "Co": 1, "O": 2}, remaining=0.0, metal_sites=1, halfway=False),
                5,
            )
        )
        == 1
    )


def test_charges_follow_whittingham():
    found = charges({"Li": 10, "Ni": 8, "Mn": 1, "Co": 1, "O": 20})
    assert (found["Mn"], found["Co"], found["Ni"]) == (4.0, 3.0, pytest.approx(23 / 8))
    assert charges({"Li": 4, "Fe": 4, "P": 4, "O": 16})["Fe"] == 2.0


def test_a_cif_is_a_prototype(tmp_path):
    layered().structure.to(filename=str(tmp_path / "own.cif"))
    path = str(tmp_path / "own.cif")
    result = values(["LiNi0.5Mn0.5O2"], path, **QUICK)
    assert result["reason"].tolist() == [None]
    context = FileContext(tmp_path, lambda text: str(tmp_path / text), lambda *_: None)
    assert from_mapping(ElectrodeObjective, {"prototype": "own.cif"}, context).prototype == path
    (tmp_path / "bad.cif").write_text("nothing")
    with pytest.raises(InputError, match="cannot be read"):
        from_cif(str(tmp_path / "bad.cif"))
    with pytest.raises(InputError, match="Did you mean 'layered'"):
        from_cif("layred")
    assert "have no site" in values(["LiFePO4"], path, **QUICK)["reason"][0]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"wanted": ("Voltage",)}, "Did you mean 'voltage'"),
        ({"prototype": "mxene", "wanted": ("volume_change",)}, "single layer"),
        ({"remaining": 1.0}, "'remaining'"),
        ({"orderings": 0}, "'orderings'"),
        ({"fmax": 0.0}, "'fmax'"),
        ({"rounding": 2.0}, "'rounding'"),
        ({"calculator": "mace"}, "package.module:Class"),
        ({"settings": {"modle": "0.3.0"}}, "Did you mean 'model'"),
        ({"settings": {"model": "0.4"}}, "Unknown CHGNet model '0.4'"),
    ],
)
def test_bad_settings_are_refused(settings, words):
    with pytest.raises(InputError, match=words):
        ElectrodeObjective(**{"prototype": "layered", **settings})


def test_what_is_wrong_is_found_before_anything_runs():
    columns = [Column("cathode", "formula"), Column("t", "number")]
    objective = ElectrodeObjective("layered").for_columns(columns)
    assert objective.formula == "cathode"
    assert objective.check(columns) == []
    assert "parameter is not unique" in ElectrodeObjective("layered").check(columns)[0]
    assert "Did you mean 'cathode'" in ElectrodeObjective("layered", "cathod").check(columns)[0]
    assert "is a number" in ElectrodeObjective("layered", "t").check(columns)[0]
    for settings, words in (
        ({"prototype": "wurtzite"}, "'wurtzite' is neither a prototype nor an existing CIF file"),
        ({"calculator": "nowhere.at_all:Mace"}, "cannot be imported"),
        ({"calculator": "ase.calculators.lj:LennardJone"}, "Did you mean 'LennardJones'"),
        ({"calculator": "ase.calculators.mixing:SumCalculator"}, "refuses its settings"),
    ):
        problems = ElectrodeObjective(**{"prototype": "layered", "formula": "cathode", **settings}).check(columns)
        assert len(problems) == 1
        assert words in problems[0]


def test_a_campaign_goes_on_when_formulas_fail():
    space = ind.SearchSpace(
        cathode=ind.Composition(
            sites={
                "A": {"elements": ["Li"], "amount": 1},
                "M": {"elements": ["Co", "Ni", "P"], "amount": 1, "step": 0.5},
                "O": {"elements": ["O"], "amount": 2},
            }
        )
    )
    campaign = ind.Campaign(
        space,
        ind.Targets(ind.AtLeast("capacity", 200.0, unit="mAh/g")),
        optimizer=ind.RandomOptimizer(),
        seed=0,
        initial=3,
    )
    campaign.run(ind.ElectrodeObjective("layered", **QUICK), evaluations=6)
    frame = campaign.frame()
    assert frame["reason"].notna().sum() == 3
    assert frame["voltage"].notna().sum() == 3
    assert len(campaign.hits()) == 3


def test_campaign_files_name_it(examples):
    read = ind.read_campaign(examples / "nmc-electrode.yaml").objective
    assert read.formula == "cathode"
    assert read.prototype in BUILT_IN


@pytest.mark.parametrize(
    ("formula", "prototype", "settings", "words"),
    [
        ("Li4Ti5O12", "spinel", {}, "can give 0 electrons until their highest oxidation states, fewer than the 3"),
        ("LiFeO2", "layered", {}, "can give 0 electrons"),
        ("LiNi0.5Fe0.5O2", "layered", {}, "'remaining: 0.5' keeps to it"),
        ("LiCoO2", "layered", {"highest_states": {"Co": 3.5}}, "can give 0.5 electrons"),
        ("Li7Ti5O12", "lithiated-spinel", {"metal_sites": 12}, "fewer than the 6 that leave with Li; 'remaining: 0.5'"),
        ("LiAlO2", "layered", {}, "it contains no redox metal, so that no charge can be taken out with Li"),
        ("Li0.5CoF2", "layered", {}, "has no site"),
    ],
)
def test_ions_that_the_redox_metals_cannot_let_go_are_a_reason_before_anything_relaxes(
    formula, prototype, settings, words
):
    asked = {**QUICK, "time_limit": 1e-6, "rounding": 0.5, **settings}  # whatever relaxes exceeds the time limit
    result = values([formula], prototype, **asked)
    assert math.isnan(result["voltage"][0])
    if words != "has no site":
        assert words in result["reason"][0]


def test_the_redox_limit_is_the_users_and_leaves_rounded_formulas_and_mxenes_alone():
    late = "the time limit of 1e-06 s"
    for formula, prototype, settings in (
        ("LiNi0.5Fe0.5O2", "layered", {"remaining": 0.5}),
        ("LiFeO2", "layered", {"highest_states": {"Fe": 4.0}}),
        ("LiNi0.3333Mn0.3333Co0.3333O2", "layered", {}),
        ("LiMn1.5Ni0.5O4", "spinel", {}),
        ("Li7Ti5O12", "lithiated-spinel", {"remaining": 0.5, "metal_sites": 12}),
        ("LiFe0.5Mn0.5PO4", "olivine", {}),
        ("Sc2CO2Li2", "mxene", {"wanted": ("voltage",)}),
        ("Ti2CO2Li2", "mxene", {"wanted": ("voltage",)}),
    ):
        result = values([formula], prototype, **{**QUICK, "time_limit": 1e-6, "rounding": 0.5, **settings})
        assert late in result["reason"][0], formula
    with pytest.raises(InputError, match="'Xx' is not an element"):
        ElectrodeObjective("layered", highest_states={"Xx": 4.0})


def test_a_large_change_of_the_volume_is_a_failure():
    allowed = values(["LiCoO2"], **{**QUICK, "wanted": ("voltage", "volume_change")})
    change = allowed["volume_change"][0]
    assert change > 0.2
    result = values(["LiCoO2"], **{**QUICK, "largest_volume_change": 0.2})
    assert math.isnan(result["voltage"][0])
    assert f"{change:.0%} on charging, more than 'largest_volume_change: 0.2' allows" in result["reason"][0]


CALIBRATING = ("LiCoO2", "LiNiO2", "LiMnO2", "LiNi0.5Mn0.5O2", "LiNi0.5Co0.5O2", "LiVO2")


@pytest.fixture(scope="module")
def raw(cache):
    return values(list(CALIBRATING), **QUICK, metal_sites=2)["voltage"].to_numpy()


def calibrated(tmp_path, known, **settings):
    pd.DataFrame({"f": CALIBRATING[: len(known)], "U": known}).to_csv(tmp_path / "known.csv", index=False)
    calibration = VoltageCalibration(str(tmp_path / "known.csv"), "f", "U")
    return ElectrodeObjective("layered", "f", calibration=calibration, metal_sites=2, **{**QUICK, **settings})


def test_voltages_are_calibrated_by_a_line_whose_left_out_error_is_reported(tmp_path, raw):
    assert np.ptp(raw) > 0.0
    rng = np.random.default_rng(0)
    known = 0.5 * raw + 1.0 + 0.05 * np.ptp(raw) * rng.standard_normal(len(raw))
    objective = calibrated(tmp_path, known, wanted=("voltage", "specific_energy", "capacity"))
    asked = pd.DataFrame({"f": ["LiNi0.5Mn0.5O2", "LiNi0.5Co0.5O2"]})
    result = objective.evaluate(asked)
    slope, intercept = np.polyfit(raw, known, 1)
    np.testing.assert_allclose(result["voltage"], slope * raw[3:5] + intercept)
    np.testing.assert_allclose(result["specific_energy"], result["voltage"] * result["capacity"])
    np.testing.assert_allclose(result["specific_energy_std"], result["voltage_std"] * result["capacity"])
    assert (result["voltage_std"] > 0.0).all()
    assert "capacity_std" not in result
    report = objective.calibration_reports()["voltage"]
    kept = [np.arange(len(raw)) != place for place in range(len(raw))]
    left_out = [
        known[place] - np.polyval(np.polyfit(raw[others], known[others], 1), raw[place])
        for place, others in enumerate(kept)
    ]
    assert report.loo_mae == pytest.approx(np.abs(left_out).mean())
    assert report.raw_mae == pytest.approx(np.abs(raw - known).mean())
    assert (report.rows, report.slope) == (6, pytest.approx(slope))
    assert isinstance(objective, Calibrated)
    other = calibrated(tmp_path, known + 0.1)
    assert other.calibration_basis() != objective.calibration_basis()


def test_a_calibration_that_cannot_be_fitted_is_a_reason(tmp_path):
    objective = calibrated(tmp_path, [3.9, 3.8, 4.0, 3.7, 3.9], drift=1e-6)
    assert "the structure drifted" in objective.calibration_reports()["voltage"]
    few = calibrated(tmp_path, [3.9, 3.8])
    problems = few.check([Column("f", "formula")])
    assert problems == ["A calibration needs at least 5 electrodes, not 2."]
    pd.DataFrame({"f": ["LiCoO2"] * 5, "U": [3.9, 3.8, "x", 3.7, 3.9]}).to_csv(tmp_path / "known.csv", index=False)
    wrong = ElectrodeObjective(
        "layered", "f", calibration=VoltageCalibration(str(tmp_path / "known.csv"), "f", "U"), **QUICK
    )
    assert "Row 4 of the calibration's table" in wrong.check([Column("f", "formula")])[0]
    with pytest.raises(InputError, match="The calibration is for 'voltage'"):
        calibrated(tmp_path, [3.9] * 5, wanted=("capacity",))


def test_a_calibration_may_say_what_remains_in_each_electrode(tmp_path, raw):
    half = values(list(CALIBRATING[:1]), **QUICK, metal_sites=2, remaining=0.5)["voltage"][0]
    table = pd.DataFrame({"f": [*CALIBRATING, "LiCoO2"], "U": [*raw, half], "left": [0.0] * 6 + [0.5]})

    def objective(**changes):
        table.assign(**changes).to_csv(tmp_path / "known.csv", index=False)
        calibration = VoltageCalibration(str(tmp_path / "known.csv"), "f", "U", remaining="left")
        return ElectrodeObjective("layered", "f", calibration=calibration, metal_sites=2, **QUICK)

    report = objective().calibration_reports()["voltage"]
    assert (report.rows, report.slope) == (7, pytest.approx(1.0))
    assert report.raw_mae == pytest.approx(0.0, abs=1e-9)
    assert objective().calibration_basis() != objective(left=[0.0] * 5 + [0.5, 0.5]).calibration_basis()
    (problem,) = objective(left=[0.0] * 6 + [1.0]).check([Column("f", "formula")])
    assert "Row 8 of the calibration's table" in problem
    assert problem.endswith("left must be from 0 to below 1, not 1.0.")


def test_a_calibration_is_a_section_of_a_file(tmp_path):
    pd.DataFrame({"f": CALIBRATING, "U": [3.9] * 6, "kind": "layered"}).to_csv(tmp_path / "known.csv", index=False)
    context = FileContext(tmp_path, lambda text: str(tmp_path / text), lambda *_: None)
    section = {"data": "known.csv", "formula": "f", "value": "U", "prototype": "kind", "unit": "V"}
    made = from_mapping(ElectrodeObjective, {"prototype": "spinel", "calibration": section}, context)
    assert made.calibration.rows("spinel")[0] == KnownVoltage("LiCoO2", "layered", None, 3.9)
    with pytest.raises(ValueError, match=r"has no column 'u2'\. Did you mean 'U'"):
        from_mapping(ElectrodeObjective, {"prototype": "spinel", "calibration": {**section, "value": "u2"}}, context)
