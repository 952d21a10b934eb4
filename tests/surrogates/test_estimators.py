"""What holds for every family, whatever it does inside."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.base import ConditionalSurrogate, JointSurrogate, Surrogate
from invdesign.surrogates.boosting import GradientBoosting, LightGBM, XGBoost
from invdesign.surrogates.classifiers import (
    GaussianNaiveBayes,
    LogisticRegression,
    RandomForestClassifier,
    SupportVectorClassifier,
)
from invdesign.surrogates.decision_tree import DecisionTree
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.forests import ExtraTrees, RandomForest
from invdesign.surrogates.graph_network.surrogate import GraphNetwork
from invdesign.surrogates.kernel_machines import KernelRidge, SupportVector
from invdesign.surrogates.linear import Lasso, Ridge
from invdesign.surrogates.neighbors import KNearestNeighbors
from invdesign.surrogates.neural_network.surrogate import NeuralNetwork
from invdesign.surrogates.validation import held_out_predictions, scores

COLUMNS = (
    Column("temperature", "number", bounds=(600.0, 1000.0), unit="degC"),
    Column("rate", "number", bounds=(1e-2, 1e2), log=True),
    Column("dopant", "category", values=("Al", "Mg", "Ti")),
)
# Small settings: what is tested here does not depend on the number of trees.
REGRESSORS: dict[str, Any] = {
    "random-forest": RandomForest(n_estimators=60),
    "extra-trees": ExtraTrees(n_estimators=60),
    "decision-tree": DecisionTree(),
    "gradient-boosting": GradientBoosting(n_estimators=80, learning_rate=0.1),
    "xgboost": XGBoost(n_estimators=80, learning_rate=0.1),
    "lightgbm": LightGBM(n_estimators=80, learning_rate=0.1),
    "support-vector": SupportVector(cost=10.0, inverse_width=0.3),
    "kernel-ridge": KernelRidge(penalty=0.01, inverse_width=0.1),
    "k-nearest-neighbors": KNearestNeighbors(),
    "ridge": Ridge(),
    "lasso": Lasso(),
    "neural-network": NeuralNetwork(width=24, epochs=80),
    "graph-network": GraphNetwork(width=16, updates=60, learning_rate=0.03),
}
CLASSIFIERS: dict[str, Any] = {
    "logistic-regression": LogisticRegression(),
    "gaussian-naive-bayes": GaussianNaiveBayes(),
    "random-forest-classifier": RandomForestClassifier(n_estimators=60),
    "support-vector-classifier": SupportVectorClassifier(),
}
EVERY = REGRESSORS | CLASSIFIERS
regressors = pytest.mark.parametrize("family", REGRESSORS)
every = pytest.mark.parametrize("family", EVERY)


def rows(count: int, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "temperature": rng.uniform(600.0, 1000.0, count),
            "rate": 10 ** rng.uniform(-2.0, 2.0, count),
            "dopant": rng.choice(["Al", "Mg", "Ti"], count),
        },
        index=pd.RangeIndex(1000, 1000 + count),
    )


def truth(frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """A capacity that falls with the rate and has an optimal temperature, with noise; and a tiny one of it."""
    noise = np.random.default_rng(seed).normal(0.0, 2.0, len(frame))
    hot = (frame["temperature"] - 780.0) / 150.0
    capacity = 180.0 - 12.0 * np.log10(frame["rate"]) - 10.0 * hot**2 + 8.0 * (frame["dopant"] == "Mg") + noise
    return pd.DataFrame({"capacity": capacity, "tiny": 1e-13 * capacity})


def values_for(family: str, frame: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Values that the family can learn: numbers, or 0 and 1."""
    y = truth(frame, seed)
    return y if family in REGRESSORS else (y > y.median()).astype(float)


@every
def test_means_and_deviations_have_the_shape_and_index_of_what_was_asked(family):
    train, test = rows(40), rows(7, seed=1)
    surrogate = EVERY[family]
    model = dataclasses.replace(surrogate).fit(train, values_for(family, train), columns=COLUMNS)
    assert isinstance(model, Surrogate)
    assert isinstance(model, ConditionalSurrogate)
    mean, std = model.predict(test, return_std=True)
    for table in (mean, std):
        assert list(table.columns) == ["capacity", "tiny"]
        assert table.index.equals(test.index)
        assert np.isfinite(table).all().all()
    assert (std > 0.0).all().all()
    pd.testing.assert_frame_equal(model.predict(test), mean)
    assert model.predict(test.iloc[:0], return_std=True)[1].shape == (0, 2)
    noise = model.noise_std()
    assert list(noise) == ["capacity", "tiny"]
    assert all(0.0 <= one < np.inf for one in noise.values())


@every
def test_it_beats_the_mean_on_rows_that_it_never_saw(family):
    train, test = rows(80), rows(200, seed=1)
    model = dataclasses.replace(EVERY[family]).fit(train, values_for(family, train), columns=COLUMNS)
    y = values_for(family, test, seed=1)["capacity"]
    error = ((model.predict(test)["capacity"] - y) ** 2).mean()
    assert error < 0.75 * ((y - y.mean()) ** 2).mean()


@every
def test_neither_the_unit_nor_the_order_of_the_rows_matters(family):
    train, test = rows(40), rows(9, seed=1)
    y = values_for(family, train)
    first = dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS).predict(test, return_std=True)
    mixed = np.random.default_rng(3).permutation(40)
    again = dataclasses.replace(EVERY[family]).fit(train.iloc[mixed], y.iloc[mixed], columns=COLUMNS)
    for table, other in zip(first, again.predict(test, return_std=True), strict=True):
        pd.testing.assert_frame_equal(table, other, check_exact=True)
        if family in REGRESSORS:
            tolerance = 0.02 * table["capacity"].abs().max()
            np.testing.assert_allclose(1e13 * table["tiny"], table["capacity"], atol=tolerance)


@every
def test_values_may_be_missing_property_by_property(family):
    train = rows(50)
    y = values_for(family, train)
    y.iloc[:20, 0] = np.nan
    both = dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS)
    alone = dataclasses.replace(EVERY[family]).fit(train[20:], y[20:][["capacity"]], columns=COLUMNS)
    np.testing.assert_array_equal(both.predict(rows(5))["capacity"], alone.predict(rows(5))["capacity"])


@every
def test_a_gap_in_a_candidate_is_an_error_unless_it_is_to_be_imputed(family):
    train, test = rows(40), rows(6, seed=1)
    train.iloc[::7, 0] = np.nan
    test.iloc[0, 0] = np.nan
    y = values_for(family, rows(40))
    with pytest.raises(InputError, match="'temperature' has no value in row 1000"):
        dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS)
    filling = dataclasses.replace(EVERY[family], features=Features(missing="impute"))
    mean, std = filling.fit(train, y, columns=COLUMNS).predict(test, return_std=True)
    assert np.isfinite(mean).all().all()
    assert (std > 0.0).all().all()


@every
def test_an_unknown_category_is_named(family):
    model = dataclasses.replace(EVERY[family]).fit(rows(20), values_for(family, rows(20)), columns=COLUMNS)
    with pytest.raises(InputError, match="'dopant': unknown value 'Zr'"):
        model.predict(rows(3).assign(dopant="Zr"))


@regressors
def test_a_constant_property_is_predicted_with_an_honest_doubt(family):
    train = rows(12)
    y = pd.DataFrame({"same": 3.7, "none": 0.0}, index=train.index)
    mean, std = dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS).predict(rows(4), return_std=True)
    np.testing.assert_allclose(mean["same"], 3.7)
    np.testing.assert_allclose(std["same"], 3.7 / np.sqrt(14.0))
    np.testing.assert_allclose(std["none"], 1.0 / np.sqrt(14.0))


@regressors
def test_two_values_give_their_mean_and_a_wide_interval_and_five_are_learned_from(family):
    train = rows(2)
    y = pd.DataFrame({"capacity": [150.0, 160.0]}, index=train.index)
    mean, std = dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS).predict(rows(3), return_std=True)
    np.testing.assert_allclose(mean["capacity"], 155.0)
    assert (std["capacity"] > 20.0).all()
    five = dataclasses.replace(EVERY[family]).fit(rows(5), truth(rows(5)), columns=COLUMNS)
    mean, std = five.predict(rows(30, seed=1), return_std=True)
    assert np.isfinite(mean).all().all()
    assert (std > 0.0).all().all()


@regressors
def test_it_is_less_sure_where_nothing_was_seen(family):
    if family in ("random-forest", "extra-trees"):
        pytest.skip("beyond the data all trees give their outermost leaves: their spread does not grow")
    x = np.random.default_rng(0).uniform(0.0, 1.0, 60)
    frame = pd.DataFrame({"x": x, "z": x[::-1]})
    y = pd.DataFrame({"f": np.sin(5.0 * x) + np.random.default_rng(1).normal(0.0, 0.05, 60)})
    model = dataclasses.replace(EVERY[family]).fit(frame, y)
    _, std = model.predict(pd.DataFrame({"x": [0.5, 4.0], "z": [0.5, 4.0]}), return_std=True)
    assert std["f"][1] > 2.0 * std["f"][0]


@every
def test_settings_are_kept_apart_from_what_was_learned(family):
    fitted = dataclasses.replace(EVERY[family]).fit(rows(12), values_for(family, rows(12)), columns=COLUMNS)
    fresh = dataclasses.replace(fitted)
    assert fresh == fitted == EVERY[family]
    for act in (lambda: fresh.predict(rows(3)), lambda: fresh.condition_on(rows(3), truth(rows(3)))):
        with pytest.raises(InputError, match="Call fit first"):
            act()
    with pytest.raises(InputError, match="'seed' must be at least 0"):
        dataclasses.replace(EVERY[family], seed=-1)


@every
def test_conditioning_is_fitting_with_more_values(family):
    train, more = rows(20), rows(6, seed=2)
    y, z = values_for(family, train), values_for(family, more)
    model = dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS)
    whole = dataclasses.replace(EVERY[family]).fit(pd.concat([train, more]), pd.concat([y, z]), columns=COLUMNS)
    before = model.predict(more)
    np.testing.assert_array_equal(model.condition_on(more, z).predict(more), whole.predict(more))
    pd.testing.assert_frame_equal(model.predict(more), before)
    model.condition_on(more, before)  # what an optimizer believes of pending candidates


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"y": lambda y: y[:5]}, "20 candidates but 5 rows"),
        ({"y": lambda y: y[[]]}, "no columns"),
        ({"y": lambda y: y.assign(tiny=[1.0] + [np.nan] * 19)}, "'tiny' has 1 values, but at least 2"),
        ({"y": lambda y: y.assign(tiny=np.inf)}, "'tiny' is infinite in row 1000"),
        ({"y": lambda y: y.assign(tiny="<1E-10")}, "'tiny' contains '<1E-10', which is not a number"),
        ({"x": lambda x: x.assign(temperature="hot")}, "'temperature' contains 'hot'"),
        ({"x": lambda x: x.assign(temperature=np.inf)}, "'temperature' has no finite number"),
        ({"x": lambda x: x.drop(columns="rate")}, "has no column 'rate'"),
    ],
)
def test_bad_input_is_named(change, words):
    x = change.get("x", lambda x: x)(rows(20))
    y = change.get("y", lambda y: y)(truth(rows(20)))
    with pytest.raises(InputError, match=words):
        RandomForest(n_estimators=5).fit(x, y, columns=COLUMNS)


@pytest.mark.parametrize("family", ["random-forest", "extra-trees", "neural-network", "graph-network"])
def test_joint_samples_have_the_predicted_moments_and_come_from_the_generator(family):
    train = rows(60)
    y = pd.DataFrame({"capacity": np.sin(train["temperature"] / 50.0), "same": 1.0})
    model = dataclasses.replace(EVERY[family]).fit(train, y, columns=COLUMNS)
    assert isinstance(model, JointSurrogate)
    test = rows(22, seed=5)
    mean, std = model.predict(test, return_std=True)
    drawn = model.posterior(test, samples=4000, rng=np.random.default_rng(0))
    assert set(drawn) == {"capacity", "same"}
    assert drawn["capacity"].shape == (4000, 22)
    np.testing.assert_allclose(drawn["capacity"].mean(axis=0), mean["capacity"], atol=0.1 * std["capacity"].max())
    np.testing.assert_allclose(drawn["capacity"].std(axis=0), std["capacity"], rtol=0.08)
    again = model.posterior(test, samples=4000, rng=np.random.default_rng(0))
    np.testing.assert_array_equal(again["capacity"], drawn["capacity"])


@regressors
def test_nine_in_ten_values_lie_within_the_interval_on_real_data(family, real_data):
    table = pd.read_csv(real_data / "mxene" / "data_withLattice.csv")
    sites = {"M": table.columns[1:10], "X": table.columns[10:12], "T": table.columns[12:16], "Z": table.columns[16:20]}
    frame = pd.DataFrame({site: table[list(names)].fillna(0).idxmax(axis=1) for site, names in sites.items()})
    y = table[["Voltage(V)"]]
    found = held_out_predictions(REGRESSORS[family], frame, y, columns=None, folds=3, rng=np.random.default_rng(0))
    table = scores(found)
    assert table["r2"].iloc[0] > 0.3
    assert 0.85 <= table["coverage"].iloc[0] <= 0.96
    assert table["nll"].iloc[0] < 1.0


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: RandomForest(n_estimators=0), "'n_estimators' must be at least 1, not 0"),
        (lambda: RandomForest(max_features=1.5), "'max_features' must be at most 1"),
        (lambda: DecisionTree(max_depth=0), "'max_depth' must be at least 1"),
        (lambda: XGBoost(learning_rate=-0.1), "'learning_rate' must be above 0"),
        (lambda: SupportVector(cost=0.0), "'cost' must be above 0"),
        (lambda: KernelRidge(penalty=-1.0), "'penalty' must be above 0"),
        (lambda: KernelRidge(kernel="cubic"), "Unknown kernel 'cubic'. Known: 'laplacian', 'rbf'"),
        (lambda: KNearestNeighbors(n_neighbors=0), "'n_neighbors' must be at least 1"),
        (lambda: Ridge(penalty=float("nan")), "'penalty' must be above 0"),
        (lambda: Lasso(penalty=0.0), "'penalty' must be above 0"),
        (lambda: NeuralNetwork(members=9), "'members' must be at least 10"),
        (lambda: GraphNetwork(members=9), "'members' must be at least 10"),
        (lambda: GraphNetwork(updates=0), "'updates' must be at least 1"),
        (lambda: NeuralNetwork(weight_decay=-1.0), "'weight_decay' must be at least 0"),
        (lambda: LogisticRegression(penalty=0.0), "'penalty' must be above 0"),
        (lambda: GaussianNaiveBayes(smoothing=0.0), "'smoothing' must be above 0"),
        (lambda: RandomForestClassifier(min_samples_leaf=0), "'min_samples_leaf' must be at least 1"),
        (lambda: SupportVectorClassifier(cost=0.0), "'cost' must be above 0"),
    ],
)
def test_bad_settings_are_named(build, words):
    with pytest.raises(InputError, match=words):
        build()


def test_importing_a_family_loads_no_library_of_models():
    import subprocess
    import sys

    modules = ("boosting", "classifiers", "conformal", "decision_tree", "forests", "graph_network.surrogate")
    modules = (*modules, "kernel_machines", "linear", "neighbors", "neural_network")
    libraries = ("sklearn", "xgboost", "lightgbm", "crepes", "torch", "chemprop")
    code = f"import {', '.join(f'surrogates.{name}' for name in modules)}, sys;"
    code += f"print(*[name for name in {libraries} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
