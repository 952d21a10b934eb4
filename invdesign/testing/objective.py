"""The contract of an objective, as a test that any class can run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import cloudpickle
import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.units import check_unit
from invdesign.objectives.base import REASON, STD_SUFFIX, Objective
from invdesign.surrogates.features.featurizer import guess_columns

UNREADABLE = "not a value ?"
"""Text that stands for no number, molecule, formula or category."""


def check_objective(
    objective: Objective,
    candidates: pd.DataFrame,
    *,
    columns: Sequence[Column] | None = None,
    failing: pd.DataFrame | None = None,
    rtol: float = 1e-6,
) -> None:
    """Checks that an objective keeps to the contract; raises AssertionError with what it does not keep.

    Its properties have units; ``check`` finds nothing wrong with these columns; results have the candidates' index,
    floats, and a reason wherever a value is missing; a candidate that fails is NaN and a reason, never an exception,
    and changes no other; a batch gives what its rows give one by one; the candidates that it is given stay unchanged;
    and it gives the same values after pickling, as in a worker process (cloudpickle).

    Args:
        objective: with its settings; it need not know the columns yet.
        candidates: at least two, which it can evaluate; each is evaluated some ten times.
        columns: what their columns are; numbers and categories are guessed from their types where None. Say so where
            one is a molecule or a formula.
        failing: further candidates, which it cannot evaluate: they must have NaN and a reason; None for none.
        rtol: relative difference that values may have between a batch and its rows.

    Example:
        >>> check_objective(MyObjective(), pd.DataFrame({"x": [0.1, 0.7]}), failing=pd.DataFrame({"x": [-1.0]}))
    """
    assert isinstance(objective, Objective), (
        "An objective has properties, rows_per_call, for_columns, check and evaluate; see "
        "invdesign.objectives.base.Objective."
    )
    assert len(candidates) >= 2, f"Give at least two candidates, not {len(candidates)}."
    described = tuple(columns) if columns is not None else guess_columns(candidates)
    _check_properties(objective)
    bound = _bound(objective, described)
    given = candidates.set_axis(range(7, 7 + 3 * len(candidates), 3))  # the index is candidate numbers, with gaps
    whole = _evaluated(bound, given, "candidates")
    values = whole[list(bound.properties)]
    assert values.notna().all(axis=None), (
        "Give candidates that the objective can evaluate. Of these it says: "
        f"{'; '.join(map(str, whole[REASON].dropna().unique()))}."
    )
    _check_rows(bound, given, whole, rtol)
    _check_bad_rows(bound, given, whole, rtol)
    if failing is not None:
        _check_failing(bound, given, failing, whole, rtol)
    _check_pickling(bound, given, whole, rtol)


def _check_properties(objective: Objective) -> None:
    properties = objective.properties
    assert isinstance(properties, Mapping), (
        f"properties is a mapping from name to unit, not {type(properties).__name__}."
    )
    assert properties, "An objective gives at least one property."
    for name, unit in properties.items():
        assert isinstance(name, str), f"The name of a property is text, not {name!r}."
        assert name, "The name of a property is not empty."
        taken = name == REASON or name.endswith(STD_SUFFIX)
        assert not taken, (
            f"The property '{name}' has a name of results' own: '{REASON}' and '...{STD_SUFFIX}' are taken."
        )
        try:
            check_unit(unit)
        except InputError as error:
            raise AssertionError(f"The unit of the property '{name}': {error}") from None
    assert dict(objective.properties) == dict(properties), "properties differ from one look to the next."
    size: Any = objective.rows_per_call
    assert size is None or (isinstance(size, int) and not isinstance(size, bool) and size >= 1), (
        f"rows_per_call is a whole number of at least 1, or None for any number, not {size!r}."
    )


def _bound(objective: Objective, columns: tuple[Column, ...]) -> Objective:
    bound = objective.for_columns(columns)
    assert isinstance(bound, Objective), f"for_columns returns an objective, not {type(bound).__name__}."
    assert dict(bound.properties) == dict(objective.properties), "for_columns changed the properties."
    again = bound.for_columns(columns)
    assert again is bound or again == bound, (
        "for_columns gives another objective for the same columns again. Return self where nothing changes, so that "
        "what was read or built stays."
    )
    for named, given in (("these columns", columns), ("no columns", ())):
        messages: Any = bound.check(given)
        wrong = f"check returns a list of messages, not {messages!r} (for {named})."
        assert isinstance(messages, list), wrong
        assert all(isinstance(message, str) and message for message in messages), wrong
    problems = bound.check(columns)
    assert not problems, f"check reports problems with the candidates' columns: {' '.join(problems)}"
    return bound


def _evaluated(objective: Objective, candidates: pd.DataFrame, which: str) -> pd.DataFrame:
    """The result of a call, when its form is right and the candidates were left alone."""
    before = candidates.copy(deep=True)
    try:
        result: Any = objective.evaluate(candidates)
    except Exception as error:
        raise AssertionError(
            f"evaluate raised {type(error).__name__}: {error} ({which}). A candidate that fails has NaN and a reason."
        ) from error
    changed = f"evaluate changed the candidates that it was given ({which}). Work on a copy."
    assert list(before.columns) == list(candidates.columns), changed
    assert before.index.equals(candidates.index), changed
    assert before.equals(candidates), changed
    assert isinstance(result, pd.DataFrame), f"evaluate returns a DataFrame, not {type(result).__name__} ({which})."
    assert result.index.equals(candidates.index), (
        f"The result has the index {list(result.index)[:5]} instead of {list(candidates.index)[:5]} ({which})."
    )
    names = list(objective.properties)
    missing = [name for name in (*names, REASON) if name not in result]
    assert not missing, f"The result has no column '{missing[0]}' ({which})."
    for name in (*names, *(name + STD_SUFFIX for name in names if name + STD_SUFFIX in result)):
        assert result[name].dtype == np.float64, (
            f"The column '{name}' holds {result[name].dtype}, not float64 ({which}). A missing value is NaN."
        )
        assert not np.isinf(result[name]).any(), f"The column '{name}' holds an infinite value ({which})."
    lacking = result[names].isna().any(axis=1)
    for row, reason, lacks in zip(result.index, result[REASON], lacking, strict=True):
        if lacks:
            has_reason = isinstance(reason, str) and bool(reason)
            assert has_reason, f"Row {row} lacks a value and has the reason {reason!r} ({which}). Say in words why."
        else:
            assert reason is None, f"Row {row} has all values and yet the reason {reason!r} ({which}). Make it None."
    return result


def _same(found: pd.DataFrame, expected: pd.DataFrame, rtol: float, message: str) -> None:
    rows = expected.loc[found.index]
    for name in found.columns.intersection(rows.columns).drop(REASON):
        one, other = found[name].to_numpy(), rows[name].to_numpy()
        assert np.allclose(one, other, rtol=rtol, atol=0.0, equal_nan=True), (
            f"{message} '{name}' is {one.tolist()} instead of {other.tolist()}."
        )


def _check_rows(objective: Objective, candidates: pd.DataFrame, whole: pd.DataFrame, rtol: float) -> None:
    for place in range(len(candidates)):
        alone = _evaluated(objective, candidates.iloc[[place]], "one row alone")
        _same(alone, whole, rtol, "A row alone has other values than in a batch:")
    backwards = _evaluated(objective, candidates.iloc[::-1], "rows in another order")
    _same(backwards, whole, rtol, "Rows in another order have other values:")
    empty = _evaluated(objective, candidates.iloc[:0], "no rows")
    assert empty.empty, "No candidates gave rows."


def _check_bad_rows(objective: Objective, candidates: pd.DataFrame, whole: pd.DataFrame, rtol: float) -> None:
    """Spoils the first row, column by column and in every way that a table from elsewhere may bring."""
    for column in candidates.columns:
        for bad in (None, np.nan, UNREADABLE):
            spoiled = candidates.astype({column: object})
            spoiled.loc[spoiled.index[0], column] = bad
            found = _evaluated(objective, spoiled, f"{bad!r} as '{column}' of one row")
            _same(found.iloc[1:], whole, rtol, f"{bad!r} as '{column}' of one row changed another row:")


def _check_failing(
    objective: Objective, candidates: pd.DataFrame, failing: pd.DataFrame, whole: pd.DataFrame, rtol: float
) -> None:
    numbers = range(1, 1 + 3 * len(failing), 3)
    among = pd.concat([failing.set_axis(numbers), candidates])[list(candidates.columns)]
    found = _evaluated(objective, among, "with candidates that fail")
    for row in numbers:
        assert found.loc[row, list(objective.properties)].isna().any(), (
            f"The candidate {failing.iloc[(row - 1) // 3].to_dict()} ought to fail, but has all values."
        )
    _same(found.loc[candidates.index], whole, rtol, "Candidates that fail changed another row:")


def _check_pickling(objective: Objective, candidates: pd.DataFrame, whole: pd.DataFrame, rtol: float) -> None:
    try:
        unpickled = cloudpickle.loads(cloudpickle.dumps(objective))
    except Exception as error:
        raise AssertionError(
            f"It cannot be sent to a worker: {type(error).__name__}: {error}. Keep what cannot be pickled, such as "
            "open files and loaded models, out of the state (invdesign.objectives.base.TravelsByFields)."
        ) from error
    assert dict(unpickled.properties) == dict(objective.properties), "In a worker it has other properties."
    _same(_evaluated(unpickled, candidates, "in a worker"), whole, rtol, "In a worker it has other values:")
