"""Checks of training values and settings that all surrogates share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd


def check_values(frame: pd.DataFrame, y: pd.DataFrame, fewest: int = 2) -> None:
    """Checks that every property can be learned from its known values.

    Args:
        frame: candidates, one row each.
        y: property values, one column a property, one row a candidate; NaN if a value is missing.
        fewest: smallest number of known values per property.

    Raises:
        InputError: if the rows do not match, a value is text or infinite, or a property has too few values.
    """
    if len(frame) != len(y):
        raise InputError(f"There are {len(frame)} candidates but {len(y)} rows of values. Give one row per candidate.")
    if not len(y.columns):
        raise InputError("y has no columns. Give at least one property.")
    for name in y.columns:
        try:
            values = y[name].to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            odd = next((value for value in y[name] if isinstance(value, str)), None)
            raise InputError(
                f"Property '{name}' contains {odd!r}, which is not a number. Leave the field empty if there is "
                "no value."
            ) from None
        if np.isinf(values).any():
            raise InputError(
                f"Property '{name}' is infinite in row {y.index[np.isinf(values)][0]}. Leave the field empty if "
                "there is no value."
            )
        count = int((~np.isnan(values)).sum())
        if count < fewest:
            raise InputError(f"Property '{name}' has {count} values, but at least {fewest} are needed.")


def check_positive(**settings: float | None) -> None:
    """Checks settings that must be positive; None means that a setting is chosen from the data.

    Raises:
        InputError: naming the first setting that is not.
    """
    for name, value in settings.items():
        if value is not None and not value > 0:
            raise InputError(f"{name} must be positive, not {value}.")
