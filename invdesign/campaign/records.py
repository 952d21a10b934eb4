"""Converts rows of the store to frames of properties, and results to rows of the store."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import pandas as pd

from invdesign.campaign.execution.executor import Result
from invdesign.core.failures import printable
from invdesign.objectives.base import REASON, STD_SUFFIX, Objective

Purpose = Literal["new", "again", "amend", "data"]
"""What a laboratory hands in results for: new ones, further measurements, corrections, or data that it had before."""


def properties_of(rows: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """The values of named properties, NaN if a row has none."""
    values: list[Mapping[str, float]] = [found or {} for found in rows["properties"]]
    columns = {name: [record.get(name, math.nan) for record in values] for name in names}
    return pd.DataFrame(columns, index=rows.index, dtype=float)


def spreads_of(rows: pd.DataFrame, names: Iterable[str]) -> pd.DataFrame:
    """The standard deviations of the values, under the properties' names; NaN if there is none."""
    wanted = list(names)
    return properties_of(rows, [name + STD_SUFFIX for name in wanted]).set_axis(wanted, axis=1)


def split_result(result: Result, objective: Objective) -> tuple[list[dict[str, float]], list[str | None]]:
    """The stored part of a result: for each candidate its values, their standard deviations, and the reason."""
    records = [_kept(row, objective) for row in result.values.to_dict("records")]
    reasons = [printable(reason) if isinstance(reason, str) else None for reason in result.values[REASON]]
    return records, reasons


def _kept(row: Mapping[Any, Any], objective: Objective) -> dict[str, float]:
    kept: dict[str, float] = {}
    for name in objective.properties:
        kept[name] = row[name]
        # A standard deviation without a value would look like a value.
        if name + STD_SUFFIX in row and math.isfinite(row[name]):
            kept[name + STD_SUFFIX] = row[name + STD_SUFFIX]
    return kept
