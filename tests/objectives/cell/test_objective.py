"""The cell objective, on real simulations."""

from __future__ import annotations

import pickle
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.objectives.cell.balance import published_capacities
from invdesign.objectives.cell.objective import PROPERTIES, CellObjective
from invdesign.objectives.cell.parameters import GEOMETRY, parameter_unit

pybamm = pytest.importorskip("pybamm")

INPUTS = {
    "thickness": "Positive electrode thickness [m]",
    "ratio": "N/P ratio",
    "negative_porosity": "Negative electrode porosity",
    "positive_porosity": "Positive electrode porosity",
    "negative_radius": "Negative particle radius [m]",
    "positive_radius": "Positive particle radius [m]",
}
UNITS = {"thickness": "um", "negative_radius": "um", "positive_radius": "um"}
COLUMNS = [
    Column("thickness", "number", (40.0, 120.0), "um"),
    Column("ratio", "number", (1.05, 1.3)),
    Column("negative_porosity", "number", (0.2, 0.45)),
    Column("positive_porosity", "number", (0.2, 0.45)),
    Column("negative_radius", "number", (1.0, 10.0), "um"),
    Column("positive_radius", "number", (1.0, 10.0), "um"),
]
CELL = CellObjective(inputs=INPUTS, units=UNITS)
ONE = CellObjective(inputs={"thickness": INPUTS["thickness"]}, units={"thickness": "um"})
NUMBERS = list(PROPERTIES)


def designs(count: int, seed: int = 0) -> pd.DataFrame:
    """Thin to medium coatings, so that the fast discharge ends by the voltage of a cell that is still working."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "thickness": random.uniform(40.0, 70.0, count),
            "ratio": random.uniform(1.06, 1.3, count),
            "negative_porosity": random.uniform(0.25, 0.45, count),
            "positive_porosity": random.uniform(0.25, 0.45, count),
            "negative_radius": random.uniform(1.0, 8.0, count),
            "positive_radius": random.uniform(1.0, 8.0, count),
        }
    )


def weight_and_height(design: dict[str, np.ndarray]) -> tuple[float, float]:
    """Mass (kg) and thickness (m) of a square metre of Chen2020's stack with other coatings; see test_mass.py."""

    def coating(side: str, dry_density: float, published_porosity: float) -> tuple[float, float]:
        metres = float(design[f"{side} electrode thickness [m]"][0])
        porosity = float(design[f"{side} electrode porosity"][0])
        solid = dry_density / (1.0 - published_porosity) * (1.0 - porosity)
        return metres * (solid + porosity * 1200.0), metres

    negative, positive = coating("Negative", 1657.0, 0.25), coating("Positive", 3262.0, 0.335)
    foils_and_separator = 0.0537600 + 0.0216000 + 0.0047640 + 0.0067680  # kg/m2
    return negative[0] + positive[0] + foils_and_separator, negative[1] + positive[1] + (6.0 + 12.0 + 8.0) * 1e-6


def plain_pybamm(objective: CellObjective, row: pd.Series) -> dict[str, float]:
    """The three properties the slow way: a Simulation of its own per protocol, default mesh, tight tolerances."""
    cell = objective.cell()
    frame = pd.DataFrame([row])
    reasons: list[str | None] = [None]
    design = cell.design(objective._values(frame, reasons), reasons)
    values = pybamm.ParameterValues("Chen2020")
    values.update({name: float(design[name][0]) for name in GEOMETRY})
    # lithium comes with the positive electrode: the published inventory scales with its capacity
    published = pybamm.ParameterValues("Chen2020")
    parameters = pybamm.LithiumIonParameters()
    scale = values.evaluate(parameters.p.prim.Q_init) / published.evaluate(parameters.p.prim.Q_init)
    lithium = published.evaluate(parameters.Q_Li_particles_init) * scale
    soh = pybamm.lithium_ion.ElectrodeSOHSolver(values, parameters, known_value="cyclable lithium capacity")
    state = soh.solve(
        {
            "Q_n": values.evaluate(parameters.n.prim.Q_init),
            "Q_p": values.evaluate(parameters.p.prim.Q_init),
            "Q_Li": lithium,
        }
    )
    capacity = float(state["Q"])

    def run(rate: float, limits: str, output: str, option: str = "false") -> np.ndarray:
        start = values.copy()
        for side, letter in (("negative", "x"), ("positive", "y")):
            full = start[f"Maximum concentration in {side} electrode [mol.m-3]"]
            start[f"Initial concentration in {side} electrode [mol.m-3]"] = float(state[f"{letter}_{limits}"]) * full
        start["Current function [A]"] = rate * capacity
        simulation = pybamm.Simulation(
            pybamm.lithium_ion.SPMe({"calculate discharge energy": option}),
            parameter_values=start,
            solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-10),
        )
        solution = simulation.solve([0.0, 1.02 * 3600.0 / abs(rate)])
        return np.asarray(solution[output].entries)

    slow = float(run(0.5, "100", "Discharge energy [W.h]", "true")[-1])
    fast = float(run(3.0, "100", "Discharge energy [W.h]", "true")[-1])
    plating = "Negative electrode surface potential difference at separator interface [V]"
    area = values["Electrode height [m]"] * values["Electrode width [m]"]
    kg_per_m2, metres = weight_and_height(design)
    return {
        "specific_energy": slow / area / kg_per_m2,
        "energy_density": slow / area / (1000.0 * metres),
        "energy_retention": fast / slow,
        "plating_margin": float(run(-1.5, "0", plating).min()),
        "areal_capacity": capacity / area / 10.0,
    }


def test_importing_does_not_load_pybamm() -> None:
    code = "import sys, invdesign.objectives.cell.objective; assert 'pybamm' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_is_an_objective() -> None:
    assert isinstance(CELL, Objective)
    assert dict(replace(CELL, wanted=("plating_margin",)).properties) == {"plating_margin": "V"}


def test_published_design_has_the_published_stoichiometries() -> None:
    cell = ONE.cell()
    balance = cell.balance.solve(*published_capacities(cell.published))
    values = pybamm.ParameterValues("Chen2020")
    for soc, x, y in ((1.0, balance.x_100, balance.y_100), (0.0, balance.x_0, balance.y_0)):
        expected = pybamm.lithium_ion.get_initial_stoichiometries(soc, values)
        np.testing.assert_allclose([x[0], y[0]], expected[:2], atol=1e-6)


def test_published_design_is_reached_through_the_ratio() -> None:
    direct = replace(ONE, wanted=("n_p_ratio", "negative_thickness")).evaluate(pd.DataFrame({"thickness": [75.6]}))
    through = CellObjective(inputs={"ratio": "N/P ratio"}, wanted=("negative_thickness", "n_p_ratio"))
    result = through.evaluate(pd.DataFrame({"ratio": direct["n_p_ratio"]}))
    assert result["negative_thickness"].iloc[0] == pytest.approx(85.2, rel=1e-9)
    assert result["n_p_ratio"].iloc[0] == pytest.approx(direct["n_p_ratio"].iloc[0], rel=1e-12)


def test_published_cell_has_the_energy_of_a_plain_simulation_over_the_mass_and_volume_by_hand() -> None:
    """Chen2020 as published, discharged at C/2: Wh from PyBaMM alone, kg and L from the table in test_mass.py."""
    values = pybamm.ParameterValues("Chen2020")
    x_0, x_100, *_ = pybamm.lithium_ion.get_min_max_stoichiometries(values)
    # Ah/m2: graphite of 85.2 um, 75 % active, 33133 mol/m3 (Chen et al. 2020, table VII), times the window it passes
    areal = (x_100 - x_0) * 85.2e-6 * 0.75 * 33133.0 * 96485.33212 / 3600.0
    area = 0.065 * 1.58  # m2: electrode height and width, Chen et al. 2020, table VII
    values["Current function [A]"] = 0.5 * areal * area
    model = pybamm.lithium_ion.SPMe({"calculate discharge energy": "true"})
    simulation = pybamm.Simulation(model, parameter_values=values, solver=pybamm.IDAKLUSolver(rtol=1e-8, atol=1e-10))
    watt_hours = float(simulation.solve([0.0, 7400.0], initial_soc=1.0)["Discharge energy [W.h]"].entries[-1])
    result = ONE.evaluate(pd.DataFrame({"thickness": [75.6]})).iloc[0]
    # 0.5306268 kg and 0.1868 L a square metre: 0.0544954 kg and 0.0191844 L for the cell's 0.1027 m2
    assert result["specific_energy"] == pytest.approx(watt_hours / 0.0544954, rel=2e-4)
    assert result["energy_density"] == pytest.approx(watt_hours / 0.0191844, rel=2e-4)
    assert result["areal_capacity"] == pytest.approx(areal / 10.0, rel=1e-5)


def test_agrees_with_a_simulation_rebuilt_for_each_design() -> None:
    candidates = designs(4)
    result = CELL.evaluate(candidates)
    assert result["reason"].isna().all()
    for row in candidates.index:
        expected = plain_pybamm(CELL, candidates.loc[row])
        assert result.loc[row, "areal_capacity"] == pytest.approx(expected["areal_capacity"], rel=1e-6)
        assert result.loc[row, "specific_energy"] == pytest.approx(expected["specific_energy"], rel=5e-4)
        assert result.loc[row, "energy_density"] == pytest.approx(expected["energy_density"], rel=5e-4)
        assert result.loc[row, "energy_retention"] == pytest.approx(expected["energy_retention"], abs=3e-3)
        assert result.loc[row, "plating_margin"] == pytest.approx(expected["plating_margin"], abs=1e-3)


def test_infeasible_rows_have_reasons_and_leave_the_others_alone() -> None:
    candidates = designs(7)
    good = CELL.evaluate(candidates)
    spoilt = candidates.astype(object)
    spoilt.loc[0, "thickness"] = -1.0
    spoilt.loc[1, "ratio"] = float("nan")
    spoilt.loc[2, "negative_radius"] = "wide"
    spoilt.loc[3, "positive_porosity"] = 1.2
    spoilt.loc[4, "ratio"] = 0.5
    result = CELL.evaluate(spoilt)
    assert result.loc[:4, NUMBERS].isna().all(axis=None)
    for row, word in enumerate(("thickness", "ratio", "wide", "infeasible", "full")):
        assert word in result.loc[row, "reason"]
    assert result.loc[5:, "reason"].isna().all()
    pd.testing.assert_frame_equal(result.loc[5:, NUMBERS], good.loc[5:, NUMBERS], rtol=1e-6)


def test_volume_fractions_that_exceed_one_are_infeasible() -> None:
    both = CellObjective(
        inputs={"pores": "Negative electrode porosity", "active": "Negative electrode active material volume fraction"},
        wanted=("areal_capacity",),
    )
    result = both.evaluate(pd.DataFrame({"pores": [0.4, 0.25], "active": [0.7, 0.75]}))
    assert "sum to more than 1" in result["reason"].iloc[0]
    assert np.isnan(result["areal_capacity"].iloc[0])
    assert result["reason"].iloc[1] is None


def test_a_design_alone_is_the_design_in_a_batch() -> None:
    candidates = designs(5, seed=3)
    together = CELL.evaluate(candidates)
    backwards = CELL.evaluate(candidates.iloc[::-1])
    alone = CELL.evaluate(candidates.iloc[[2]])
    pd.testing.assert_frame_equal(backwards.loc[together.index, NUMBERS], together[NUMBERS], rtol=1e-9)
    pd.testing.assert_frame_equal(alone[NUMBERS], together.loc[[2], NUMBERS], rtol=1e-9)


def test_units_are_converted() -> None:
    cheap = replace(ONE, wanted=("areal_capacity", "negative_thickness"))
    metres = CellObjective(inputs=ONE.inputs, wanted=cheap.wanted)
    one = cheap.evaluate(pd.DataFrame({"thickness": [60.0]}))
    other = metres.evaluate(pd.DataFrame({"thickness": [60e-6]}))
    pd.testing.assert_frame_equal(one, other)
    assert parameter_unit("Negative particle diffusivity [m2.s-1]") == "m**2*s**-1"


def test_units_with_an_offset_are_converted() -> None:
    kelvin = CellObjective(inputs={"warmth": "Ambient temperature [K]"}, wanted=("plating_margin",))
    celsius = replace(kelvin, units={"warmth": "degC"})
    expected = kelvin.evaluate(pd.DataFrame({"warmth": [298.15, 318.15]}))
    pd.testing.assert_frame_equal(celsius.evaluate(pd.DataFrame({"warmth": [25.0, 45.0]})), expected)
    assert expected["plating_margin"][0] < expected["plating_margin"][1]  # a warm cell charges with less overpotential


def test_a_fixed_number_is_what_a_column_of_it_would_be() -> None:
    wanted = ("areal_capacity", "negative_thickness", "n_p_ratio")
    varied = replace(CELL, wanted=wanted).evaluate(designs(2))
    fixed = CellObjective(
        inputs={name: INPUTS[name] for name in INPUTS if name not in ("thickness", "ratio")},
        units={name: unit for name, unit in UNITS.items() if name != "thickness"},
        parameters={INPUTS["thickness"]: designs(2)["thickness"][1] * 1e-6, INPUTS["ratio"]: designs(2)["ratio"][1]},
        wanted=wanted,
    ).evaluate(designs(2))
    pd.testing.assert_series_equal(fixed.loc[1, list(wanted)], varied.loc[1, list(wanted)], rtol=1e-9)


def test_a_lighter_electrode_stores_the_same_in_less_mass() -> None:
    """Positive coating of 3000 instead of 3262 kg/m3: 0.5306268 - 75.6e-6 * 262 = 0.5108196 kg/m2; see test_mass.py."""
    published = replace(ONE, wanted=("specific_energy",))
    lighter = replace(published, parameters={"Positive electrode density [kg.m-3]": 3000.0})
    row = pd.DataFrame({"thickness": [75.6]})
    ratio = lighter.evaluate(row)["specific_energy"][0] / published.evaluate(row)["specific_energy"][0]
    assert ratio == pytest.approx(0.5306268 / 0.5108196, rel=1e-6)


def test_a_cell_that_delivers_nothing_at_the_slow_rate_has_no_retention() -> None:
    hopeless = replace(ONE, energy_rate=100.0, fast_rate=200.0, wanted=("specific_energy", "energy_retention"))
    result = hopeless.evaluate(pd.DataFrame({"thickness": [75.0]}))
    assert result["specific_energy"].tolist() == [0.0]
    assert result["energy_retention"].isna().all()
    assert result["reason"].tolist() == ["no energy_retention: the cell delivers no energy at 100C"]


def test_a_separator_cannot_be_more_than_pores() -> None:
    result = CellObjective(inputs={"pores": "Separator porosity"}, wanted=("areal_capacity",)).evaluate(
        pd.DataFrame({"pores": [0.5, 1.2]})
    )
    assert result["reason"].tolist() == [None, "infeasible: the separator's porosity is above 1"]


def test_units_come_from_the_space() -> None:
    bare = replace(CELL, units={})
    assert bare.for_columns(COLUMNS) == CELL
    assert bare.for_columns(COLUMNS).check(COLUMNS) == []


def test_a_cell_that_cannot_carry_the_current_keeps_nothing() -> None:
    hopeless = replace(ONE, fast_rate=100.0, wanted=("energy_retention",))
    result = hopeless.evaluate(pd.DataFrame({"thickness": [75.0, 60.0]}))
    assert result["reason"].isna().all()
    assert (result["energy_retention"] == 0.0).all()


def test_survives_pickling() -> None:
    again = pickle.loads(pickle.dumps(CELL))  # noqa: S301 - our own bytes
    assert again == CELL
    candidates = designs(2)
    pd.testing.assert_frame_equal(again.evaluate(candidates), CELL.evaluate(candidates))


def test_other_parameter_sets() -> None:
    result = CellObjective(
        inputs={"pores": "Positive electrode porosity"},
        parameter_set="Marquis2019",
        model="SPM",
        wanted=("plating_margin",),
    ).evaluate(pd.DataFrame({"pores": [0.3]}))
    assert np.isfinite(result["plating_margin"].iloc[0])


@pytest.mark.parametrize(
    ("objective", "columns", "words"),
    [
        (CELL, COLUMNS, None),
        (replace(CELL, parameter_set="Chen2021"), COLUMNS, "Did you mean 'Chen2020'"),
        (replace(CELL, parameter_set="Prada2013"), COLUMNS, "which the cell objective needs"),
        (replace(CELL, units={}), COLUMNS, "Write units: {thickness: um}"),
        (replace(CELL, units={**UNITS, "thickness": "kg"}), COLUMNS, "cannot be converted"),
        (replace(CELL, units={**UNITS, "thicknes": "um"}), COLUMNS, "Did you mean 'thickness'"),
        (CELL, COLUMNS[1:], "'thickness' is not a parameter of the space"),
        (CELL, [Column("thickness", "category"), *COLUMNS[1:]], "is a category"),
        (CellObjective(inputs={"thickness": "Positive electrod thickness [m]"}), COLUMNS[:1], "Did you mean 'Positive"),
        (CellObjective(inputs={"thickness": "Current function [A]"}), COLUMNS[:1], "because the cell objective"),
        (CellObjective(inputs={"thickness": "Negative electrode OCP [V]"}), COLUMNS[:1], "is a function"),
        (CellObjective(inputs={"thickness": "Negative electrode density [kg.m-3]"}), COLUMNS[:1], "cannot vary"),
        (CELL, [*COLUMNS[:2], Column("negative_porosity", "number", unit="kg"), *COLUMNS[3:]], "s 'dimensionless'"),
        (CELL, [Column("thickness", "number", unit="nm"), *COLUMNS[1:]], "is in 'nm'"),
        (replace(CELL, parameters={"Separator thicknes [m]": 1e-5}), COLUMNS, "Did you mean 'Separator thickness [m]'"),
        (replace(CELL, parameters={"Current function [A]": 5.0}), COLUMNS, "because the cell objective computes it"),
    ],
)  # fmt: skip
def test_check(objective: CellObjective, columns: list[Column], words: str | None) -> None:
    messages = objective.check(columns)
    if words is None:
        assert messages == []
    else:
        assert any(words in message for message in messages), messages


@pytest.mark.parametrize(
    "settings",
    [
        {"inputs": {"a": "N/P ratio", "b": "Negative electrode thickness [m]"}},
        {"inputs": {"a": "N/P ratio"}, "parameters": {"N/P ratio": 1.1}},
        {"inputs": {}, "model": "DNF"},
        {"inputs": {}, "wanted": ("specific_enrgy",)},
        {"inputs": {}, "fast_rate": 0.0},
        {"inputs": {}, "voltage_window": (4.2, 2.5)},
    ],
)
def test_settings_that_contradict_are_refused(settings: dict) -> None:
    with pytest.raises(InputError):
        CellObjective(**settings)
