"""Held-out predictions: no model ever sees the row that it predicts, and the scores are those of the textbook."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar, Literal, Self, overload

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.validation import Z90, class_scores, held_out_predictions, scores, total_std

if TYPE_CHECKING:
    from collections.abc import Sequence

COLUMNS = [Column("x", "number", (0.0, 1.0))]


@dataclass
class Memory:
    """Predicts 1 for rows that it was fitted on and 0 for others, and counts the models made."""

    fitted: ClassVar[list[int]] = []
    _seen: set[float] = field(default_factory=set, init=False)
    _names: list[str] = field(default_factory=list, init=False)

    def fit(self, frame: pd.DataFrame, y: pd.DataFrame, *, columns: Sequence[Column] | None = None) -> Self:
        assert not self._seen, "a surrogate that was fitted before came back"
        assert columns == COLUMNS
        self._seen, self._names = set(frame["x"]), list(y.columns)
        self.fitted.append(len(frame))
        return self

    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[False] = False) -> pd.DataFrame: ...
    @overload
    def predict(self, frame: pd.DataFrame, *, return_std: Literal[True]) -> tuple[pd.DataFrame, pd.DataFrame]: ...
    def predict(
        self, frame: pd.DataFrame, *, return_std: bool = False
    ) -> pd.DataFrame | tuple[pd.DataFrame, pd.DataFrame]:
        known = frame["x"].isin(self._seen).astype(float)
        mean = pd.DataFrame(dict.fromkeys(self._names, known), index=frame.index)
        return (mean, mean * 0.0 + 2.0) if return_std else mean

    def noise_std(self) -> dict[str, float]:
        return dict.fromkeys(self._names, 0.0)


def line(count: int, seed: int = 0) -> tuple[pd.DataFrame, pd.DataFrame]:
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=count)
    frame = pd.DataFrame({"x": x}, index=pd.RangeIndex(100, 100 + count))
    noisy = np.sin(4.0 * x) + rng.normal(0.0, 0.05, count)
    return frame, pd.DataFrame({"wave": noisy, "slope": 3.0 * x}, index=frame.index)


def score(table: pd.DataFrame, name: str, kind: str) -> float:
    return float(table[kind].to_dict()[name])


def test_no_model_sees_the_row_that_it_predicts() -> None:
    frame, y = line(23)
    Memory.fitted.clear()
    surrogate = Memory()
    found = held_out_predictions(surrogate, frame, y, columns=COLUMNS, folds=5, rng=np.random.default_rng(1))
    assert (found["mean"] == 0.0).all()
    assert (found["noise"] == 0.0).all()
    assert sorted(Memory.fitted) == [18, 18, 18, 19, 19]
    assert not surrogate._seen
    for name in y:
        part = found[found["property"] == name]
        assert list(part.index) == list(frame.index)
        assert part["observed"].to_numpy() == pytest.approx(y[name].to_numpy())
    assert found.groupby("property")["fold"].nunique().tolist() == [5, 5]


def test_the_same_generator_gives_the_same_folds_and_another_gives_others() -> None:
    frame, y = line(30)
    first, again, other = (
        held_out_predictions(Memory(), frame, y, columns=COLUMNS, rng=np.random.default_rng(seed))["fold"].tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_missing_values_are_left_out_property_by_property_and_spread_over_the_folds() -> None:
    frame, y = line(40)
    y.iloc[:30, 1] = np.nan
    y.iloc[35:, 0] = np.nan
    found = held_out_predictions(Memory(), frame, y, columns=COLUMNS, rng=np.random.default_rng(0))
    slope = found[found["property"] == "slope"]
    assert list(slope.index) == list(frame.index[30:])
    assert (found["property"] == "wave").sum() == 35
    assert slope["fold"].value_counts().between(1, 3).all()


def test_too_few_values_name_the_property() -> None:
    frame, y = line(12)
    y.iloc[4:, 1] = np.nan
    with pytest.raises(InputError, match="'slope' has 4 values"):
        held_out_predictions(Memory(), frame, y, columns=COLUMNS, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="two folds"):
        held_out_predictions(Memory(), frame, y, columns=COLUMNS, folds=1, rng=np.random.default_rng(0))
    with pytest.raises(InputError, match="11 rows"):
        held_out_predictions(Memory(), frame, y.iloc[1:], columns=COLUMNS, rng=np.random.default_rng(0))


def test_scores_against_numbers_worked_out_by_hand() -> None:
    found = pd.DataFrame(
        {
            "property": ["a"] * 4 + ["b"] * 2,
            "observed": [0.0, 1.0, 2.0, 3.0, 5.0, 5.0],
            "mean": [0.0, 1.0, 2.0, 5.0, 5.0, 5.0],
            "std": [0.6, 0.6, 0.6, 0.6, 0.0, 0.0],
            "noise": [0.8, 0.8, 0.8, 0.8, 0.0, 0.0],
        }
    )
    table = scores(found)
    assert total_std(found)[:4] == pytest.approx([1.0] * 4)
    assert score(table, "a", "count") == 4
    assert score(table, "a", "rmse") == pytest.approx(1.0)
    assert score(table, "a", "mae") == pytest.approx(0.5)
    assert score(table, "a", "r2") == pytest.approx(1.0 - 1.0 / 1.25)
    assert score(table, "a", "coverage") == pytest.approx(0.75), f"2 lies outside {Z90:.2f}"
    assert score(table, "a", "nll") == pytest.approx(0.5 * np.log(2.0 * np.pi) + 0.5)
    assert np.isnan(score(table, "b", "r2"))
    assert np.isnan(score(table, "b", "nll"))


def test_the_gaussian_process_counts_its_noise_and_is_about_as_sure_as_it_should_be() -> None:
    frame, y = line(60)
    found = held_out_predictions(GaussianProcess(), frame, y, columns=COLUMNS, rng=np.random.default_rng(0))
    table = scores(found)
    assert (found["noise"] > 0.0).all()
    assert score(table, "wave", "r2") > 0.9
    assert score(table, "wave", "rmse") == pytest.approx(0.05, rel=0.5)
    assert 0.75 <= score(table, "wave", "coverage") <= 1.0
    assert score(table, "slope", "rmse") < 0.1


def test_a_group_is_held_out_as_a_whole_and_folds_are_about_equal() -> None:
    frame, y = line(100)
    groups = [f"paper {number}" for number in np.random.default_rng(3).integers(0, 17, 100)]
    found = held_out_predictions(
        Memory(), frame, y[["wave"]], columns=COLUMNS, folds=5, groups=groups, rng=np.random.default_rng(0)
    )
    folds_of = found["fold"].groupby(np.array(groups)).nunique()
    assert (folds_of == 1).all()
    assert found["fold"].value_counts().between(14, 26).all()
    first, again, other = (
        held_out_predictions(Memory(), frame, y, columns=COLUMNS, groups=groups, rng=np.random.default_rng(seed))[
            "fold"
        ].tolist()
        for seed in (1, 1, 2)
    )
    assert first == again != other


def test_groups_spread_the_values_of_every_property_over_the_folds() -> None:
    frame, y = line(60)
    groups = list(np.arange(60) // 5)
    y.loc[frame.index[20:], "slope"] = np.nan
    found = held_out_predictions(
        Memory(), frame, y, columns=COLUMNS, folds=4, groups=groups, rng=np.random.default_rng(0)
    )
    assert found[found["property"] == "slope"]["fold"].nunique() == 4


def test_groups_that_do_not_fit_are_named() -> None:
    frame, y = line(12)
    for groups, words in (
        ([1] * 11, "11 groups for 12 candidates"),
        ([1] * 6 + [2] * 6, "'wave' has values in 2 groups; 5-fold"),
        ([1] * 11 + [None], "Row 11 has no group"),
        ([1.0] * 11 + [float("nan")], "Row 11 has no group"),
    ):
        with pytest.raises(InputError, match=words):
            held_out_predictions(Memory(), frame, y, columns=COLUMNS, groups=groups, rng=np.random.default_rng(0))


def test_class_scores_against_numbers_worked_out_by_hand() -> None:
    found = pd.DataFrame(
        {
            "property": ["a"] * 4 + ["b"] * 2,
            "observed": [0.0, 0.0, 0.0, 1.0, 1.0, 1.0],
            "mean": [0.2, 0.6, 0.1, 0.5, 0.9, 0.4],
        }
    )
    table = class_scores(found)
    assert score(table, "a", "accuracy") == pytest.approx(0.75)
    assert score(table, "a", "balanced_accuracy") == pytest.approx((2.0 / 3.0 + 1.0) / 2.0)
    assert score(table, "a", "roc_auc") == pytest.approx(2.0 / 3.0)
    assert score(table, "a", "log_loss") == pytest.approx(-np.log([0.8, 0.4, 0.9, 0.5]).mean())
    assert score(table, "a", "brier") == pytest.approx((0.04 + 0.36 + 0.01 + 0.25) / 4.0)
    assert np.isnan(score(table, "b", "roc_auc"))
    assert np.isnan(score(table, "b", "balanced_accuracy"))
    with pytest.raises(InputError, match="other than 0 and 1"):
        class_scores(found.assign(observed=0.5))
    with pytest.raises(InputError, match="not probabilities"):
        class_scores(found.assign(mean=1.5))
