"""Steps count who enters and leaves and why; cheap ones run first, as far as what they need allows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError
from invdesign.screening.funnel import MOST_REASONS, OTHER_REASONS, StepCount, applied, log_probability, ordered
from invdesign.screening.pools import SpacePool
from invdesign.space import Constraint
from invdesign.targets import AtLeast, AtMost, Targets

POOL = SpacePool(ind.SearchSpace(x=ind.Integer(0, 9)))
TARGETS = Targets(AtLeast("f", 4.5))


def doubled(x):
    return {"f": 2.0 * x}


def looked_up(values):
    return ind.TableObjective(pd.DataFrame({"x": list(values), "g": list(values.values())}), {"x": "x"}, {"g": "g"})


def test_rules_run_first_then_tables_then_the_rest():
    costly = ind.Step("simulate", ind.PythonObjective(doubled, {"f": ""}))
    table = ind.Step("join", looked_up({1: 1.0}), Constraint("g > 0"))
    rule = ind.Step("small", keep=Constraint("x <= 5"))
    late = ind.Step("after", keep=Constraint("f <= 5"))
    assert [one.name for one in ordered([late, costly, table, rule], POOL)] == ["small", "join", "simulate", "after"]


def test_unknown_names_suggest_the_nearest():
    with pytest.raises(InputError, match=r"The step 'a' refers to unknown 'y'\..*'x'"):
        ordered([ind.Step("a", keep=Constraint("y <= 5"))], POOL)


def test_a_step_that_does_nothing_is_refused():
    with pytest.raises(InputError, match="needs a rule"):
        ind.Step("a")
    with pytest.raises(InputError, match="needs an objective"):
        ind.Step("a", keep=Constraint("x < 1"), probability=0.5)


def test_rows_leave_with_their_reason():
    rows = POOL.read(next(POOL.blocks(10))).rows
    step = ind.Step("join", looked_up({1: 1.0, 2: 2.0, 3: 3.0}).for_columns(POOL.columns), Constraint("g + x >= 4"))
    passed, count = applied(step, rows, POOL, TARGETS)
    assert passed["x"].tolist() == [2, 3]
    assert passed["g"].tolist() == [2.0, 3.0]
    assert count.entered == 10
    assert count.left == {"the table has no row for #": 7, "not g + x >= 4": 1}
    assert count.passed == 2


def test_reasons_are_counted_apart_up_to_a_number():
    total = StepCount("a")
    for number in range(MOST_REASONS + 5):
        total.add(StepCount("a", 2, {f"reason {number}": 1}))
    assert total.left[OTHER_REASONS] == 5
    assert total.left.total() == MOST_REASONS + 5
    assert StepCount.from_json(total.as_json()).left == total.left


def test_unlikely_rows_leave():
    frame = pd.DataFrame({"x": range(10), "f": [float(one) for one in range(10)]})
    model = ind.SurrogateObjective(frame, {"x": "x"}, {"f": "f"}, surrogate=ind.Ridge())
    rows = POOL.read(next(POOL.blocks(10))).rows
    step = ind.Step("learned", model.for_columns(POOL.columns), probability=0.5)
    passed, count = applied(step, rows, POOL, TARGETS)
    assert passed["x"].tolist() == [5, 6, 7, 8, 9]
    assert count.left == {"less than 0.5 likely to meet the targets": 5}


def test_of_a_classifier_the_probability_is_what_it_predicts():
    rows = pd.DataFrame({"f": [0.9, 0.2], "f_std": [0.3, 0.4]})
    yes = log_probability(Targets(AtLeast("f", 0.5)), rows, frozenset({"f"}))
    no = log_probability(Targets(AtMost("f", 0.5)), rows, frozenset({"f"}))
    assert np.allclose(np.exp(yes), [0.9, 0.2])
    assert np.allclose(np.exp(no), [0.1, 0.8])
    plain = log_probability(Targets(AtLeast("f", 0.5)), rows)
    assert np.exp(plain[0]) == pytest.approx(0.9088, abs=1e-3)  # a normal of the same mean and standard deviation
