"""A pool of materials is a parameter like any other: optimizers propose its ids, surrogates learn its descriptors."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.space.materials import MaterialFile, formula_quantity

COUNT = 60


@pytest.fixture
def table(tmp_path):
    rng = np.random.default_rng(1)
    first, second = rng.normal(size=COUNT), 10 + 3 * rng.normal(size=COUNT)
    formulas = [
        f"Li{1 + n % 4}{metal}O{2 + n % 3}" for n, metal in zip(range(COUNT), ["Fe", "Co", "Al"] * 20, strict=True)
    ]
    frame = pd.DataFrame({"id": [f"m-{n}" for n in range(COUNT)], "a": first, "b (eV)": second, "formula": formulas})
    frame["value"] = (first - 1.0) ** 2 + 0.1 * (second - 12.0) ** 2
    frame.to_csv(tmp_path / "crystals.csv", index=False)
    return tmp_path / "crystals.csv"


def pool_of(table, **more):
    return ind.MaterialPool.from_file(table, id="id", descriptors={"a": "a", "b": "b"}, **more)


def test_it_reads_ids_descriptors_and_formulas(table):
    pool = pool_of(table, formula="formula")
    frame = pd.read_csv(table)
    assert list(pool.ids) == frame["id"].tolist()
    assert np.allclose(pool.descriptors.matrix, frame[["a", "b (eV)"]], rtol=1e-12)
    assert pool.descriptors.formulas == tuple(frame["formula"])
    assert np.allclose(pool.derived("b", np.array(["m-3", "m-1"], dtype=object)), frame["b (eV)"][[3, 1]])
    assert pool.derived("c", np.array(["m-3"], dtype=object)) is None


def test_every_material_has_a_point_of_its_own_and_comes_back(table, rng):
    pool = pool_of(table)
    points = pool.encode(list(pool.ids))
    assert points.shape == (COUNT, 2)
    assert ((points > 0) & (points < 1)).all()
    assert pool.decode(points).tolist() == list(pool.ids)
    children = pool.mutated(list(pool.ids), rng)
    assert (children != np.array(list(pool.ids), dtype=object)).all()
    assert set(pool.crossed(["m-1", "m-2"], ["m-3", "m-2"], rng)) <= {"m-1", "m-2", "m-3"}


def test_materials_alike_are_near_each_other(table):
    pool = pool_of(table)
    points, matrix = pool.encode(list(pool.ids)), pool.descriptors.matrix
    scaled = (matrix - matrix.mean(axis=0)) / matrix.std(axis=0)
    near = np.argsort(np.linalg.norm(points[:, None] - points[None], axis=2), axis=1)[:, 1]
    distances = np.linalg.norm(scaled[:, None] - scaled[None], axis=2)
    assert distances[np.arange(COUNT), near].mean() < 0.4 * distances.mean()


@pytest.mark.parametrize(
    "surrogate",
    [
        ind.GaussianProcess(),
        ind.RandomForest(n_estimators=50),
        ind.Ridge(),
        ind.KNearestNeighbors(),
        ind.SupportVector(),
    ],
)
def test_surrogates_learn_from_the_descriptors(table, surrogate):
    pool, frame = pool_of(table), pd.read_csv(table)
    y = frame[["a"]] * 2.0 + 5.0
    candidates = pd.DataFrame({"crystal": frame["id"]})
    known = np.arange(COUNT) % 3 != 0
    surrogate.fit(candidates[known], y[known], columns=[pool.column("crystal")])
    predicted = surrogate.predict(candidates[~known])["a"]
    assert np.corrcoef(predicted, y["a"][~known])[0, 1] > 0.7


def test_a_shift_of_a_descriptor_changes_no_prediction(table, tmp_path):
    """Descriptors are standardized: their unit does not matter."""
    frame = pd.read_csv(table)
    frame.assign(a=1000.0 * frame["a"] - 7.0).to_csv(tmp_path / "scaled.csv", index=False)
    predictions = []
    for place in (table, tmp_path / "scaled.csv"):
        pool = pool_of(place)
        model = ind.GaussianProcess().fit(
            pd.DataFrame({"crystal": frame["id"][:20]}), frame[["value"]][:20], columns=[pool.column("crystal")]
        )
        predictions.append(model.predict(pd.DataFrame({"crystal": frame["id"][20:]}))["value"].to_numpy())
    assert np.allclose(*predictions, rtol=1e-4)


@pytest.mark.parametrize(
    "optimizer",
    [
        ind.RandomOptimizer(),
        ind.BayesianOptimizer(),
        ind.GeneticOptimizer(),
        ind.ParticleSwarmOptimizer(),
        ind.CmaEsOptimizer(),
    ],
)
def test_every_optimizer_proposes_materials(table, optimizer):
    pool, frame = pool_of(table), pd.read_csv(table)
    objective = ind.TableObjective(table, {"crystal": "id"}, {"value": "value"})
    campaign = ind.Campaign(
        ind.SearchSpace(crystal=pool), ind.Targets(ind.AtMost("value", 0.5)), optimizer=optimizer, seed=3, initial=6
    )
    campaign.run(objective, evaluations=18)
    evaluated = campaign.frame()["crystal"]
    assert evaluated.isin(frame["id"]).all()
    assert len(evaluated) == 18


def test_the_bayesian_optimizer_finds_the_few_that_meet_a_target(table):
    frame = pd.read_csv(table)
    bound = float(np.sort(frame["value"])[3])
    campaign = ind.Campaign(
        ind.SearchSpace(crystal=pool_of(table)),
        ind.Targets(ind.AtMost("value", bound)),
        optimizer=ind.BayesianOptimizer(),
        seed=0,
        initial=6,
    )
    campaign.run(ind.TableObjective(table, {"crystal": "id"}, {"value": "value"}), evaluations=20)
    assert len(campaign.hits()) == 4


def test_constraints_refer_to_descriptors(table):
    space = ind.SearchSpace({"crystal": pool_of(table)}, constraints=["crystal.a >= 0"])
    frame = pd.read_csv(table).set_index("id")
    drawn = space.sample(50, np.random.default_rng(0))["crystal"]
    assert (frame["a"][drawn] >= 0).all()


def test_bad_rows_are_left_out_and_named(tmp_path):
    (tmp_path / "m.csv").write_text("id,a\nx,1\n,2\ny,wide\nx,3\nz,4\n")
    pool = ind.MaterialPool.from_file(tmp_path / "m.csv", id="id", descriptors=["a"])
    assert list(pool.ids) == ["x", "z"]
    assert "2 unreadable (line 3: the id is missing" in pool.remark
    assert "line 4: column 'a' holds 'wide'" in pool.remark
    assert "1 repeated" in pool.remark
    with pytest.raises(InputError, match="line 5: 'x' repeats an earlier id"):
        ind.MaterialPool.from_file(tmp_path / "m.csv", id="id", descriptors=["a"], duplicates="error")


def test_settings_that_do_not_make_a_pool_say_what_is_missing(tmp_path, table):
    place = str(table)
    wrong = [
        ({"descriptors": ["a"]}, "needs the column of its ids"),
        ({"id": "id"}, "needs 'descriptors'"),
        ({"id": "id", "descriptors": ["b (eV)"]}, "is not a plain word"),
    ]
    for settings, message in wrong:
        with pytest.raises(InputError, match=message):
            MaterialFile(place, **settings)
    with pytest.raises(InputError, match="no column 'A1'"):
        MaterialFile(place, id="id", descriptors=["A1"]).pooled()
    with pytest.raises(InputError, match="does not exist"):
        MaterialFile(str(tmp_path / "none.csv"), id="id", descriptors=["a"])


def test_formulas_count_their_transition_metals():
    formulas = ["LiFePO4", "Li2S", "LiNi0.8Co0.2O2", "La2O3", "NaCl"]
    assert formula_quantity("transition_metals", formulas).tolist() == [1.0, 0.0, 1.0, 2.0, 0.0]
    assert formula_quantity("Co", formulas).tolist() == [0.0, 0.0, 0.2, 0.0, 0.0]
    assert formula_quantity("cobalt", formulas) is None
