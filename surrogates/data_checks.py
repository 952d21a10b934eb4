"""Checks of training data: finds doubtful values with their rows; the user decides what to do."""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.surrogates.features.featurizer import guess_columns

Kind = Literal["censored", "text", "duplicate", "constant", "outlier", "unit", "gap"]
CENSORED = re.compile(r"^\s*(<=|>=|<|>)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*$")
FAR = 8.0
"""Robust standard deviations beyond which a value is an outlier: beyond doubt, not merely rare."""
MOST_FEW = 0.05
"""Share of the rows that may be written in another unit without being the rule."""
APART = 3.0
"""Factor between a few values and the bulk from which another unit is suspected."""
FACTORS = (1000.0, 100.0, 10.0, 0.1, 0.01, 0.001)


@dataclass(frozen=True)
class Finding:
    """A doubtful value or column.

    Attributes:
        kind: of the problem.
        column: its column.
        rows: labels of the rows.
        message: the problem and what could be done.
    """

    kind: Kind
    column: str
    rows: tuple[Hashable, ...]
    message: str


def check_data(frame: pd.DataFrame, y: pd.DataFrame, *, columns: Sequence[Column] | None = None) -> list[Finding]:
    """Finds problems in data. Nothing is changed.

    It finds censored values (``<1E-10``) and other text among numbers; equal candidates with different values;
    columns that never vary; values far from all others; few values that would fit the others in another unit; gaps.

    Args:
        frame: candidates, one row each.
        y: property values, same rows.
        columns: what the columns of ``frame`` are; guessed from their types if None.
    """
    described = tuple(columns) if columns is not None else guess_columns(frame)
    numbers = [column.name for column in described if column.kind == "number"]
    # A column of numbers with a censored value among them is read as text: it is looked at as numbers all the same.
    odd = [str(name) for name in frame.columns if name not in numbers and _mostly_numbers(frame[name])]
    tables = [(frame[name], str(name)) for name in (*numbers, *odd)] + [(y[name], str(name)) for name in y.columns]
    found: list[Finding] = []
    for values, name in tables:
        found += _text(values, name)
        plain = _numbers(values)
        found += _constant(plain, name) + _far(plain, name) + _other_unit(plain, name)
    for name in frame.columns:
        found += _gaps(frame[name], str(name))
    for name in y.columns:
        found += _duplicates(frame, _numbers(y[name]), str(name))
    return found


def cleaned(
    frame: pd.DataFrame,
    y: pd.DataFrame,
    *,
    censored: Literal["error", "limit", "drop"] = "error",
    duplicates: Literal["keep", "mean", "drop", "first", "error"] = "keep",
    outliers: Literal["keep", "drop"] = "keep",
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Treats doubtful values as the user chose, and reports what was done.

    Args:
        frame: candidates, one row each.
        y: property values, same rows.
        censored: ``limit`` takes the limit itself, ``drop`` makes the value missing, ``error`` refuses.
        duplicates: of candidates that are equal: ``mean`` makes them one row, ``first`` takes the first row, ``drop``
            leaves out those that disagree, ``error`` refuses them.
        outliers: ``drop`` makes property values far from all others missing.

    Returns:
        Candidates, numeric property values, and one sentence for each thing done.

    Raises:
        InputError: if a property holds text, or censored values and no choice was made, or equal candidates disagree
            and must not.
    """
    done: list[str] = []
    values = y.copy()
    for name in y.columns:
        values[name] = _uncensored(y[name], str(name), censored, done)
        if outliers == "drop":
            far = [row for finding in _far(values[name], str(name)) for row in finding.rows]
            values.loc[far, name] = np.nan
            done += [f"Left out {len(far)} values of '{name}' far from all others."] if far else []
    if duplicates == "keep":
        return frame, values, done
    keys = _keys(frame)
    first = ~keys.duplicated()
    if duplicates == "error":
        for name in values.columns:
            for finding in _duplicates(frame, values[name], str(name)):
                raise InputError(f"{finding.message} They are the rows {', '.join(map(str, finding.rows[:20]))}.")
        return frame, values, done
    if duplicates == "first":
        return frame[first], values[first], done
    if duplicates == "mean":
        merged = values.groupby(keys.to_numpy(), sort=False).mean()
        if len(merged) < len(values):
            done.append(f"Replaced {len(values) - len(merged)} repeated rows by their mean.")
        return frame[first], merged.set_axis(frame.index[first]), done
    apart = values.groupby(keys.to_numpy()).transform(lambda group: group.max() - group.min())
    wrong = (apart > 1e-9 * values.abs().max()).any(axis=1)
    done += [f"Left out {int(wrong.sum())} rows of equal candidates with different values."] if wrong.any() else []
    return frame[~wrong], values[~wrong], done


def _mostly_numbers(values: pd.Series) -> bool:
    known = values.dropna()
    return len(known) > 0 and pd.to_numeric(known, errors="coerce").notna().mean() > 0.5


def _numbers(values: pd.Series) -> pd.Series:
    return pd.to_numeric(values, errors="coerce").astype(float)


def _text(values: pd.Series, name: str) -> list[Finding]:
    texts = values[values.notna() & _numbers(values).isna()].astype(str)
    limited = texts[texts.str.match(CENSORED)]
    other = texts[~texts.str.match(CENSORED)]
    found = []
    if len(limited):
        message = (
            f"'{name}' has {len(limited)} censored values, such as {limited.iloc[0]!r} in row {limited.index[0]}. A "
            "model would take the limit for the value: leave them out (censored: drop) or accept it (censored: limit)."
        )
        found.append(Finding("censored", name, tuple(limited.index), message))
    if len(other):
        message = f"'{name}' contains {other.iloc[0]!r} in row {other.index[0]}, which is not a number."
        found.append(Finding("text", name, tuple(other.index), message))
    return found


def _constant(values: pd.Series, name: str) -> list[Finding]:
    known = values.dropna()
    if len(known) < 2 or (known != known.iloc[0]).any():
        return []
    return [
        Finding("constant", name, (), f"'{name}' is {known.iloc[0]:g} in every row, so a model cannot learn from it.")
    ]


def _robust(values: pd.Series) -> tuple[float, float]:
    """Median and spread, by the median absolute deviation (Rousseeuw and Croux 1993)."""
    middle = float(values.median())
    return middle, 1.4826 * float((values - middle).abs().median())


def _far(values: pd.Series, name: str) -> list[Finding]:
    known = values.dropna()
    middle, spread = _robust(known) if len(known) >= 8 else (0.0, 0.0)
    if spread <= 0.0:
        return []
    far = known[(known - middle).abs() > FAR * spread]
    # Values that span decades are judged by their logarithms: a small conductivity is not an outlier.
    if len(far) and (known > 0).all():
        logs = np.log(known)
        log_middle, log_spread = _robust(logs)
        far = far[((logs - log_middle).abs() > FAR * log_spread)[far.index]] if log_spread > 0 else far
    if not len(far):
        return []
    worst = far.iloc[int((far - middle).abs().argmax())]
    message = f"'{name}' has {len(far)} values far from all others, such as {worst:g} (median {middle:g})."
    return [Finding("outlier", name, tuple(far.index), message)]


def _other_unit(values: pd.Series, name: str) -> list[Finding]:
    """Few values far from a narrow bulk that another unit would bring there: 1.0735 and 1073.5, 25 and 298."""
    known = values[values > 0]
    if len(known) < 20:
        return []
    low, high = known.quantile(0.1), known.quantile(0.9)
    if high / low > 10.0:
        return []
    few = known[(known < low / APART) | (known > high * APART)]
    if not len(few) or len(few) > MOST_FEW * len(known):
        return []
    hints = []
    for row, value in few.items():
        factor = next((factor for factor in FACTORS if low <= value * factor <= high), None)
        if factor is not None:
            hints.append((row, f"times {factor:g} it would be one of them"))
        elif low <= value + 273.15 <= high or low <= value - 273.15 <= high:
            hints.append((row, "273.15 away from them, as degrees Celsius from kelvin"))
    hint = f"; {hints[0][1]} (row {hints[0][0]})" if hints else ""
    message = (
        f"'{name}' is {few.iloc[0]:g} in row {few.index[0]} while nine of ten values lie in {low:g} to {high:g}{hint}. "
        f"Check for another unit or a typing error. ({len(few)} such rows)"
    )
    return [Finding("unit", name, tuple(few.index), message)]


def _gaps(values: pd.Series, name: str) -> list[Finding]:
    missing = values[values.isna()]
    if not len(missing):
        return []
    message = (
        f"'{name}' has no value in {len(missing)} of {len(values)} rows, the first of them {missing.index[0]}. "
        "Use features: {missing: impute} to fill them by chained equations inside each fold."
    )
    return [Finding("gap", name, tuple(missing.index), message)]


def _keys(frame: pd.DataFrame) -> pd.Series:
    return pd.Series(pd.util.hash_pandas_object(frame.astype(str), index=False).to_numpy(), index=frame.index)


def _duplicates(frame: pd.DataFrame, values: pd.Series, name: str) -> list[Finding]:
    known = values.notna()
    groups = values[known].groupby(_keys(frame)[known].to_numpy())
    apart = groups.transform("max") - groups.transform("min")
    scale = float(values.abs().max()) or 1.0
    rows = apart.index[(apart > 1e-9 * scale).to_numpy()]
    if not len(rows):
        return []
    message = (
        f"{len(rows)} rows are equal candidates with different '{name}', up to {apart.max():.3g} apart (row {rows[0]} "
        "for one). No model can do better than that: average them (duplicates: mean) or add a column that "
        "distinguishes them."
    )
    return [Finding("duplicate", name, tuple(rows), message)]


def _uncensored(values: pd.Series, name: str, choice: str, done: list[str]) -> pd.Series:
    found = _text(values, name)
    text = next((finding for finding in found if finding.kind == "text"), None)
    if text is not None:
        raise InputError(text.message)
    if not found:
        return _numbers(values)
    (limited,) = found
    if choice == "error":
        raise InputError(limited.message)
    plain = _numbers(values)
    done.append(f"{'Used the limit for' if choice == 'limit' else 'Left out'} {len(limited.rows)} values of '{name}'.")
    if choice == "limit":
        limits = values[values.notna() & plain.isna()].astype(str).str.extract(CENSORED)[1]
        plain.loc[limits.index] = limits.astype(float)
    return plain
