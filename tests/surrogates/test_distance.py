from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.distance import TrainingDistance


def test_the_unit_is_the_distance_of_training_rows_from_each_other():
    frame = pd.DataFrame({"x": np.arange(21.0)})
    found = TrainingDistance.fitted(frame, None)
    # Leave-one-out means of three distances: (1 + 1 + 2) / 3 within, (1 + 2 + 3) / 3 = 2 at both ends, the unit.
    np.testing.assert_allclose(found.of(pd.DataFrame({"x": [0.0, 3.5, 10.0, 21.0]})), [0.5, 5 / 12, 1 / 3, 1.0])
    alone = TrainingDistance.fitted(pd.DataFrame({"x": [*np.arange(21.0), 100.0]}), None)
    assert alone.of(pd.DataFrame({"x": [101.0]})).item() > 1.0, "a single odd row does not make its surroundings known"


def test_it_does_not_depend_on_units_nor_on_repeated_rows(rng):
    frame = pd.DataFrame(rng.uniform(size=(40, 2)), columns=["a", "b"])
    asked = pd.DataFrame(rng.uniform(-1, 2, size=(30, 2)), columns=["a", "b"])
    plain = TrainingDistance.fitted(frame, None).of(asked)
    unit = [1000.0, 0.001]
    np.testing.assert_allclose(TrainingDistance.fitted(frame * unit, None).of(asked * unit), plain)
    spread = TrainingDistance.fitted(pd.concat([frame, frame], ignore_index=True), None).of(asked)
    np.testing.assert_allclose(spread, plain)


def test_what_never_varied_in_the_data_is_far_if_it_differs():
    frame = pd.DataFrame({"x": np.linspace(0, 1, 30), "salt": "LiPF6"})
    columns = (Column("x", "number", bounds=(0.0, 1.0)), Column("salt", "category", values=("LiPF6", "LiFSI")))
    found = TrainingDistance.fitted(frame, columns)
    assert found.of(pd.DataFrame({"x": [0.5], "salt": ["LiFSI"]})).item() > 5.0
    assert found.of(pd.DataFrame({"x": [0.5], "salt": ["LiPF6"]})).item() < 1.0


def test_a_formula_counts_as_much_as_a_number():
    formulas = [f"LiNi{x / 10:g}Mn{(10 - x) / 10:g}O2" for x in range(1, 10)] * 4
    frame = pd.DataFrame({"T": np.tile(np.linspace(700, 900, 6), 6), "cathode": formulas})
    columns = (Column("T", "number", unit="degC"), Column("cathode", "formula", values=("Li", "Ni", "Mn", "O")))
    found = TrainingDistance.fitted(frame, columns)
    near, hot, other = found.of(
        pd.DataFrame({"T": [810.0, 1500.0, 810.0], "cathode": ["LiNi0.55Mn0.45O2"] * 2 + ["Li2MnO3"]})
    )
    assert near < 1.0 < min(hot, other)


def test_one_row_alone_has_distances_too():
    found = TrainingDistance.fitted(pd.DataFrame({"x": [2.0]}), None)
    assert found.of(pd.DataFrame({"x": [2.0]})).item() == 0.0
    assert found.of(pd.DataFrame({"x": [3.0]})).item() > 0.0
    assert len(found.of(pd.DataFrame({"x": []}))) == 0


ALCOHOLS = ["CCO", "CCCO", "CCCCO", "CC(C)O", "CC(C)CO", "OCCO", "OCCCO", "CC(O)CO"]


def test_molecules_are_as_far_as_their_fingerprints():
    frame = pd.DataFrame({"molecule": ALCOHOLS})
    found = TrainingDistance.fitted(frame, (Column("molecule", "molecule", values=()),))
    known, rewritten, near, far = found.of(pd.DataFrame({"molecule": ["CCCO", "OCCC", "CCCCCO", "c1ccc2ncccc2c1"]}))
    assert known == rewritten < near < 1.0 < far
    with pytest.raises(InputError, match="'C1CC' is not a molecule"):
        found.of(pd.DataFrame({"molecule": ["C1CC"]}))


def test_a_molecule_counts_as_much_as_a_number():
    frame = pd.DataFrame({"T": np.tile(np.linspace(0.0, 40.0, 5), 8), "solvent": np.repeat(ALCOHOLS, 5)})
    columns = (Column("T", "number", unit="degC"), Column("solvent", "molecule", values=()))
    found = TrainingDistance.fitted(frame, columns)
    near, hot, other = found.of(
        pd.DataFrame({"T": [20.0, 120.0, 20.0], "solvent": ["CCCCO", "CCCCO", "c1ccc2ncccc2c1"]})
    )
    assert near < 1.0 < min(hot, other)
    assert max(hot, other) < 10.0 * min(hot, other)


NCM = ("Ni", "Co", "Mn", "sec_size", "prim_size", "sin_temp", "sin_t", "cut_off", "m_temp", "c_rate")


@pytest.mark.usefixtures("real_data")
@pytest.mark.parametrize("seed", [0, 1])
def test_a_swarm_on_a_table_of_cathodes_stays_where_there_is_data_if_it_must(seed):
    """Without the constraint it maximizes by cathodes that nobody has sintered, such as NMC at 300 degC."""
    table = ind.dataset("ncm-imputed")
    bounds = {name: ind.Continuous(float(table[name].min()), float(table[name].max())) for name in NCM}
    space = ind.SearchSpace(bounds, constraints=["Ni + Co + Mn == 1"])
    objective = ind.SurrogateObjective(
        table,
        {name: name for name in NCM},
        {"capacity": "Dis_cap"},
        units={"capacity": "mAh/g"},
        surrogate=ind.RandomForest(n_estimators=50),
    )
    best = []
    for more in ([], [ind.AtMost("distance", 1.0)]):
        targets = ind.Targets(ind.Maximize("capacity", unit="mAh/g"), *more)
        campaign = ind.Campaign(space, targets, optimizer=ind.ParticleSwarmOptimizer(), seed=seed, initial=20)
        campaign.run(objective, evaluations=160, batch=20)
        best.append(campaign.best(1))
        assert "distance" in campaign.frame()
    free, inside = best
    assert free["distance"].item() > 1.0
    assert inside["distance"].item() <= 1.0
    median = table[list(NCM)].median().to_frame().T
    published = median.assign(Ni=0.99, Co=0.01, Mn=0.0, sin_temp=182.0)
    assert objective.evaluate(published)["distance"].item() > 1.0
