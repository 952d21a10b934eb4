from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.surrogates.classifiers import GaussianNaiveBayes, LogisticRegression
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.kernel_machines import KernelRidge
from invdesign.surrogates.linear import Ridge
from invdesign.surrogates.selection import CHOICE, Chosen, Comparison, compare, recommend
from invdesign.surrogates.validation import class_scores, held_out_predictions, scores


@pytest.fixture
def curved(rng):
    frame = pd.DataFrame({"x": rng.uniform(0, 3, 60), "z": rng.uniform(0, 1, 60)})
    y = pd.DataFrame({"f": np.sin(3 * frame["x"]) + 0.02 * rng.standard_normal(60)})
    return frame, y


def test_the_better_family_is_chosen_and_recommended(curved):
    families = {"ridge": Ridge(), "gaussian-process": GaussianProcess()}
    found = compare(families, *curved, columns=None, splits={"random": None}, folds=4)
    best = recommend(found, split="random")
    assert best.family == "gaussian-process"
    assert "RMSE" in best.reason
    assert set(found.table.columns) >= {
        "family",
        "split",
        "property",
        "rmse",
        "mae",
        "r2",
        "coverage",
        "nll",
        "seconds",
    }
    chosen = Chosen((Ridge(), GaussianProcess())).fit(*curved)
    assert isinstance(chosen.model, GaussianProcess)


def test_choosing_looks_at_no_held_out_row():
    # Pure noise: who chooses on the rows that judge would find some skill among many families; nobody has any.
    rng = np.random.default_rng(3)
    frame = pd.DataFrame(rng.random((60, 4)), columns=list("abcd"))
    y = pd.DataFrame({"f": rng.standard_normal(60)})
    among = Chosen((Ridge(), KernelRidge(), GaussianProcess(), GaussianProcess(kernel="rbf")))
    held = held_out_predictions(among, frame, y, columns=None, folds=4, rng=np.random.default_rng(0))
    assert scores(held)["r2"].item() < 0.15


def test_grouped_folds_tell_what_random_ones_hide(rng):
    # Each group has a fidelity of its own, which nothing in the inputs tells but their closeness within the group.
    group = np.repeat(np.arange(12), 6)
    place, fidelity = rng.uniform(0, 10, 12), rng.standard_normal(12)
    frame = pd.DataFrame({"x": place[group] + 0.01 * rng.standard_normal(72)})
    y = pd.DataFrame({"f": fidelity[group] + 0.05 * rng.standard_normal(72)})
    splits = {"random": None, "grouped by paper": group.tolist()}
    found = compare({"gp": GaussianProcess()}, frame, y, columns=None, splits=splits, folds=4)
    r2 = found.table.set_index("split")["r2"]
    assert r2["random"] > 0.9
    assert r2["grouped by paper"] < 0.5


def test_a_family_that_cannot_be_fitted_is_told_and_the_others_go_on(curved):
    frame, y = curved
    frame = frame.assign(x=frame["x"].where(frame.index != 7))
    from invdesign.surrogates.features.settings import Features

    families = {"strict": GaussianProcess(), "filling": GaussianProcess(features=Features(missing="impute"))}
    found = compare(families, frame, y, columns=None, splits={"random": None}, folds=3)
    assert "no value in row 7" in found.failed["strict"]
    assert set(found.table["family"]) == {"filling"}
    with pytest.raises(InputError, match=r"No family can be fitted.*row 7"):
        compare({"strict": GaussianProcess()}, frame, y, columns=None, splits={"random": None}, folds=3)


def test_imputation_is_fitted_inside_the_fold(rng):
    # The second column is a copy of the first with gaps: filled well, the first is not needed.
    from invdesign.surrogates.features.settings import Features

    x = rng.uniform(0, 1, 80)
    frame = pd.DataFrame({"x": x, "copy": np.where(rng.random(80) < 0.3, np.nan, 2 * x)})
    y = pd.DataFrame({"f": frame["x"] * 3})
    model = GaussianProcess(features=Features(missing="impute")).fit(frame[:60], y[:60])
    asked = frame[60:].assign(copy=np.nan)
    filled = model.transform(asked)[:, 1]
    known = model.transform(frame[60:].assign(copy=2 * x[60:]))[:, 1]
    np.testing.assert_allclose(filled, known, atol=0.02)


def test_nothing_to_choose_from_is_an_error():
    with pytest.raises(InputError, match="nothing to choose"):
        Chosen(())
    with pytest.raises(InputError, match="Call fit first"):
        Chosen((Ridge(),)).predict(pd.DataFrame({"x": [1.0]}))


def judged(families: dict[str, tuple[float, float, float]], *, split: str = "random", rows: int = 100) -> Comparison:
    """A comparison by hand: of each family the mean of its errors, their scatter about it, and its likelihood (nll).

    Where one family's error is above its mean, the next one's is below: mean squared errors are exactly
    ``mean**2 + scatter**2``, and their row-by-row difference has a standard error of about
    ``4 * mean * scatter / sqrt(rows)``.
    """
    predictions, table = {}, []
    observed = np.linspace(-1.0, 1.0, rows)
    for place, (name, (mean, scatter, nll)) in enumerate(families.items()):
        error = mean + scatter * (-1.0) ** (np.arange(rows) + place)
        predictions[name, split] = pd.DataFrame({"property": "f", "observed": observed, "mean": observed + error})
        row = {"family": name, "split": split, "property": "f", "rmse": mean, "r2": 0.9, "coverage": 0.9, "nll": nll}
        table.append(row)
    return Comparison(pd.DataFrame(table), predictions, {})


def test_of_families_that_are_as_good_the_best_calibrated_is_recommended():
    found = judged({"sharp": (0.10, 0.05, 2.0), "honest": (0.101, 0.05, 0.5), "poor": (0.9, 0.05, -3.0)})
    best = recommend(found, split="random")
    assert best.family == "honest"
    assert "As good within the noise of the folds: sharp; it has the best likelihood" in best.reason


def test_a_better_likelihood_does_not_make_up_for_a_larger_error():
    found = judged({"sharp": (0.10, 0.005, 2.0), "honest": (0.12, 0.005, 0.5)})
    best = recommend(found, split="random")
    assert best.family == "sharp"
    assert "As good" not in best.reason


def test_of_families_as_good_and_as_well_calibrated_the_one_with_the_smaller_error_is_recommended():
    families = {"one": (0.101, 0.05, 0.5), "two": (0.10, 0.05, 0.5)}
    assert recommend(judged(families), split="random").family == "two"
    assert recommend(judged(dict(reversed(families.items()))), split="random").family == "two"


def test_a_family_without_a_likelihood_comes_after_those_that_have_one():
    found = judged({"sharp": (0.10, 0.05, np.nan), "honest": (0.101, 0.05, 5.0)})
    assert recommend(found, split="random").family == "honest"


def test_only_the_rows_of_the_split_are_looked_at_and_the_choice_itself_is_no_family():
    found = judged({"sharp": (0.10, 0.005, 2.0), "rough": (0.3, 0.005, 0.5), CHOICE: (0.01, 0.001, -9.0)})
    other = judged({"sharp": (0.9, 0.005, 2.0), "rough": (0.1, 0.005, 0.5)}, split="by paper")
    table = pd.concat([found.table, other.table], ignore_index=True)
    both = Comparison(table, {**found.predictions, **other.predictions}, {})
    assert recommend(both, split="random").family == "sharp"
    assert recommend(both, split="by paper").family == "rough"


def test_classifiers_are_compared_by_their_own_scores():
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(80, 2)), columns=["a", "b"])
    y = pd.DataFrame({"stable": (frame["a"] > 0.7).astype(float)})
    families = {"logistic": LogisticRegression(), "bayes": GaussianNaiveBayes()}
    found = compare(families, frame, y, columns=None, splits={"random": None})
    row = found.table.set_index("family").loc["logistic"]
    expected = class_scores(found.predictions["logistic", "random"]).loc["stable"]
    assert row[["f1", "log_loss", "balanced_accuracy"]].tolist() == pytest.approx(
        expected[["f1", "log_loss", "balanced_accuracy"]].tolist()
    )
    reason = recommend(found, split="random").reason
    assert f"F1 {found.table.set_index('family').loc[recommend(found, split='random').family, 'f1']:.2f}" in reason
    assert "RMSE" not in reason
