"""Checks of training values and settings that all surrogates share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray


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


def known_noise(noise_std: pd.DataFrame | pd.Series | None, y: pd.DataFrame) -> pd.DataFrame | None:
    """Returns the known noise with the columns of ``y``; None if no value's noise is known.

    Args:
        noise_std: standard deviation of each value, in its unit; any of the columns of ``y`` and as many rows; NaN
            where it is unknown.
        y: property values, one column a property.

    Raises:
        InputError: if the rows do not match, a property is unknown, or a standard deviation is negative, infinite or
            text.
    """
    if noise_std is None:
        return None
    given = noise_std.to_frame(noise_std.name or y.columns[0]) if isinstance(noise_std, pd.Series) else noise_std
    if len(given) != len(y):
        raise InputError(
            f"noise_std has {len(given)} rows for {len(y)} rows of values. Give one row per candidate, NaN where the "
            "noise is unknown."
        )
    for name in given.columns:
        if name not in y.columns:
            raise InputError(f"noise_std refers to unknown property '{name}'.{nearest(str(name), map(str, y.columns))}")
        try:
            deviations = given[name].to_numpy(dtype=np.float64)
        except (TypeError, ValueError):
            raise InputError(
                f"noise_std of '{name}' contains text. Give numbers, NaN where the noise is unknown."
            ) from None
        wrong = np.isinf(deviations) | (deviations < 0.0)
        if wrong.any():
            raise InputError(
                f"noise_std of '{name}' is {deviations[wrong][0]:g} in row {given.index[wrong][0]}. It must be a "
                "finite standard deviation, zero or more; NaN where it is unknown."
            )
    known = given.reindex(columns=y.columns).astype(np.float64).set_axis(y.index)
    return known if known.notna().to_numpy().any() else None


def joined_noise(*parts: tuple[pd.DataFrame | None, pd.DataFrame]) -> pd.DataFrame | None:
    """The known noise of the values of several frames, one below the other; None if none is known.

    Args:
        parts: known noise, or None, and the values that it belongs to.
    """
    if all(noise is None for noise, _ in parts):
        return None
    whole = [values.astype(float) * np.nan if noise is None else noise for noise, values in parts]
    return pd.concat(whole, ignore_index=True)


def of_property(noise: pd.DataFrame | None, name: object, rows: NDArray[Any]) -> NDArray[np.float64] | None:
    """The known noise of some rows' values of a property; None if none of them is known."""
    deviations = None if noise is None else noise[name].to_numpy(dtype=np.float64)[rows]
    return None if deviations is None or np.isnan(deviations).all() else deviations


def check_positive(**settings: float | None) -> None:
    """Checks settings that must be positive; None means that a setting is chosen from the data.

    Raises:
        InputError: naming the first setting that is not.
    """
    for name, value in settings.items():
        if value is not None and not value > 0:
            raise InputError(f"{name} must be positive, not {value}.")
