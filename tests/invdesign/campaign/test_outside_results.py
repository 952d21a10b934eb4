"""Results outside of the space are judged once, and again when their record changes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import outside_results
from invdesign.campaign.columns import Evaluations
from invdesign.campaign.outside_results import OutsideResults
from invdesign.space import Continuous, SearchSpace

SPACE = SearchSpace(x=Continuous(0, 1))


def written(columns: Evaluations, first: int, values: list[float], *, seconds: float | None = None) -> None:
    count = len(values)
    columns.write(
        first,
        {
            "parameters": [{"x": value} for value in values],
            "properties": [{"f": 1.0}] * count,
            "state": ["done"] * count,
            "origin": ["laboratory"] * count,
            "reason": [None] * count,
            "seconds": [seconds] * count,
            "objective": [None] * count,
        },
    )


@pytest.fixture
def judged(monkeypatch) -> list[int]:
    """How many rows were judged at a time."""
    counts: list[int] = []
    original = outside_results.outside_reasons

    def counted(space: SearchSpace, rows: pd.DataFrame) -> list[str]:
        counts.append(len(rows))
        return original(space, rows)

    monkeypatch.setattr(outside_results, "outside_reasons", counted)
    return counts


def test_each_result_is_judged_once(judged):
    columns, results = Evaluations(), OutsideResults(SPACE)
    assert results.array(columns).tolist() == []
    written(columns, 0, [0.5, 2.0])
    assert results.array(columns).tolist() == [False, True]
    assert results.array(columns).tolist() == [False, True]
    written(columns, 2, [3.0])
    assert results.array(columns).tolist() == [False, True, True]
    assert judged == [2, 1]
    assert list(results.reasons(columns)) == [1, 2]
    assert results.reasons(columns)[2] == "'x' is 3, outside [0, 1]."


def test_a_record_that_is_written_again_is_judged_again(judged):
    columns, results = Evaluations(), OutsideResults(SPACE)
    written(columns, 0, [0.5, 2.0, 2.5])
    assert results.array(columns).tolist() == [False, True, True]
    written(columns, 1, [0.25])
    assert results.array(columns).tolist() == [False, False, True]
    assert judged == [3, 1]


def test_what_an_objective_evaluated_is_not_judged(judged):
    columns, results = Evaluations(), OutsideResults(SPACE)
    written(columns, 0, [0.5, 2.0], seconds=1.0)
    assert not results.array(columns).any()
    assert judged == []


def test_other_columns_are_judged_anew(judged):
    results = OutsideResults(SPACE)
    for values in ([2.0, 0.5], [0.5, 2.0], []):
        columns = Evaluations()
        if values:
            written(columns, 0, values)
        np.testing.assert_array_equal(results.array(columns), [value > 1 for value in values])
    assert judged == [2, 2]
