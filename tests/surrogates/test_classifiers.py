from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.surrogates.classifiers import (
    GaussianNaiveBayes,
    LogisticRegression,
    RandomForestClassifier,
    SupportVectorClassifier,
)
from invdesign.surrogates.validation import class_scores, held_out_predictions

FAMILIES = [
    LogisticRegression(),
    GaussianNaiveBayes(),
    RandomForestClassifier(n_estimators=60),
    SupportVectorClassifier(),
]
every = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: type(family).__name__)


def two_classes(count: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame(rng.normal(size=(count, 2)), columns=["a", "b"])
    return frame, pd.DataFrame({"stable": (frame["a"] + frame["b"] > 0.0).astype(float)})


@every
def test_the_mean_is_the_probability_of_one_and_the_deviation_that_of_a_coin(family):
    frame, y = two_classes(60)
    mean, std = (
        dataclasses.replace(family)
        .fit(frame, y)
        .predict(pd.DataFrame({"a": [-1.0, 0.0, 1.0], "b": [-1.0, 0.0, 1.0]}), return_std=True)
    )
    p = mean["stable"].to_numpy()
    assert p[0] < 0.2 < p[1] < 0.85 < p[2]
    assert ((p >= 1.0 / 62.0) & (p <= 61.0 / 62.0)).all(), "never surer than 60 values allow"
    np.testing.assert_allclose(std["stable"], np.sqrt(p * (1.0 - p)))


@every
def test_values_other_than_zero_and_one_are_refused_with_what_would_be_right(family):
    frame, y = two_classes(20)
    y.iloc[3, 0] = 0.3
    with pytest.raises(InputError, match=r"'stable' contains 0.3, but a classifier needs values of 0 .no. and 1"):
        dataclasses.replace(family).fit(frame, y)


@every
def test_one_class_or_a_single_row_of_the_other_gives_the_rule_of_succession(family):
    frame, y = two_classes(10)
    mean = dataclasses.replace(family).fit(frame, y * 0.0 + 1.0).predict(frame)
    np.testing.assert_allclose(mean["stable"], 11.0 / 12.0)
    y["stable"] = [1.0] + [0.0] * 9
    np.testing.assert_allclose(dataclasses.replace(family).fit(frame, y).predict(frame)["stable"], 2.0 / 12.0)


@every
def test_two_rows_of_a_class_are_enough(family):
    frame, y = two_classes(30)
    y["stable"] = (frame["a"] >= frame["a"].nlargest(2).iloc[-1]).astype(float)
    mean = dataclasses.replace(family).fit(frame, y).predict(frame)
    assert mean["stable"].between(0.0, 1.0, inclusive="neither").all()


def test_superionic_crystals_are_distinguished_from_others(real_data):
    table = pd.read_csv(real_data / "sendek-training" / "Ion_Data_Featurized.csv")
    y = pd.DataFrame({"superionic": (table["Ionic_Conductivity"] >= 1e-4).astype(float)})
    frame = table[["llb", "sbi", "afc", "lasd", "llsd"]]
    found = held_out_predictions(
        LogisticRegression(), frame, y, columns=None, folds=len(y), rng=np.random.default_rng(0)
    )
    assert class_scores(found)["roc_auc"].iloc[0] > 0.6


def test_rows_of_which_a_classifier_is_sure_keep_their_order(rng):
    x = rng.normal(size=40)
    frame, y = pd.DataFrame({"x": x}), pd.DataFrame({"f": (x > 0).astype(float)})
    model = LogisticRegression().fit(frame, y)
    far = pd.DataFrame({"x": np.linspace(1.0, 6.0, 200)})
    chance = model.predict(far)["f"].to_numpy()
    assert (np.diff(chance) > 0).all()
    assert chance.max() < 1.0 - 1.0 / 42.0 + 1e-12


def three_classes(count: int = 90) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(count, 2)), columns=["a", "b"])
    words = np.where(frame["a"] > 0.4, "layered", np.where(frame["b"] > 0.0, "spinel", "rocksalt"))
    return frame, pd.DataFrame({f"phase={word}": (words == word).astype(float) for word in sorted(set(words))})


@every
def test_the_classes_of_one_property_are_learned_together(family):
    frame, y = three_classes()
    fitted = dataclasses.replace(family).fit(frame, y)
    mean = fitted.predict(frame)
    np.testing.assert_allclose(mean.sum(axis=1), 1.0)
    assert (mean.to_numpy().argmax(axis=1) == y.to_numpy().argmax(axis=1)).mean() > 0.85
    assert (mean >= 1.0 / 93.0 - 1e-12).all(axis=None), "never surer than 90 values allow"
    wiser = fitted.condition_on(frame.iloc[:1], pd.DataFrame([[0.4, 0.35, 0.25]], columns=y.columns))
    np.testing.assert_allclose(wiser.predict(frame).sum(axis=1), 1.0)


@every
def test_a_class_with_a_single_row_has_the_least_probability_and_the_sum_remains_one(family):
    frame, y = three_classes()
    y = y.assign(**{"phase=rare": 0.0})
    y.iloc[0] = [0.0, 0.0, 0.0, 1.0]
    mean = dataclasses.replace(family).fit(frame, y).predict(frame)
    np.testing.assert_allclose(mean.sum(axis=1), 1.0)
    np.testing.assert_allclose(mean["phase=rare"], 1.0 / 93.0)


@every
def test_a_balanced_rare_class_is_found_more_often(family):
    rng = np.random.default_rng(3)
    frame = pd.DataFrame({"a": rng.normal(size=200)})
    y = pd.DataFrame({"odd": (frame["a"] + rng.normal(size=200) > 2.0).astype(float)})
    recall = [
        dataclasses.replace(family, class_weight=weight).fit(frame, y).predict(frame)["odd"][y["odd"] == 1.0].mean()
        for weight in ("none", "balanced")
    ]
    assert recall[1] > recall[0]


def test_scores_of_several_classes_against_numbers_worked_out_by_hand():
    observed = np.eye(3)[[0, 0, 1, 2]]
    chance = np.array([[0.8, 0.1, 0.1], [0.3, 0.6, 0.1], [0.2, 0.7, 0.1], [0.2, 0.2, 0.6]])
    parts = [
        pd.DataFrame({"property": f"p={word}", "observed": observed[:, place], "mean": chance[:, place]})
        for place, word in enumerate("abc")
    ]
    table = class_scores(pd.concat(parts))
    assert list(table.index) == ["p=a", "p=b", "p=c", "p"]
    assert table.loc["p", "accuracy"] == 0.75
    assert table.loc["p", "f1"] == pytest.approx((2 / 3 + 2 / 3 + 1.0) / 3)
    assert table.loc["p", "balanced_accuracy"] == pytest.approx((0.5 + 1.0 + 1.0) / 3)
    assert table.loc["p", "log_loss"] == pytest.approx(-np.log([0.8, 0.3, 0.7, 0.6]).mean())
    assert table.loc["p=a", "f1"] == pytest.approx(2 / 3)
