"""Figures of surrogates: parity and calibration on held-out rows, importance, partial dependence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from invdesign.core.errors import InputError, nearest
from invdesign.plot.style import MARKS, MET, QUIET, SERIES, figure, label
from invdesign.surrogates.validation import Z90, total_std

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def parity(predictions: pd.DataFrame, *, units: Mapping[str, str] | None = None) -> Figure:
    """Held-out predictions against values, one panel for each property, with the mean absolute error and R2.

    Args:
        predictions: as ``held_out_predictions`` returns them.
        units: of the properties.

    Raises:
        InputError: if there are no predictions.
    """
    parts = _parts(predictions)
    with figure(1, len(parts), width=3.0, height=3.0) as (made, several):
        for axes, (name, part) in zip(several, parts.items(), strict=True):
            observed, mean = part["observed"].to_numpy(np.float64), part["mean"].to_numpy(np.float64)
            ends = [min(observed.min(), mean.min()), max(observed.max(), mean.max())]
            axes.plot(ends, ends, color=QUIET, ls="--", lw=0.8, zorder=0)
            axes.errorbar(observed, mean, yerr=Z90 * total_std(part), fmt="none", ecolor=MET, alpha=0.2, lw=0.7)
            axes.scatter(observed, mean, s=9, color=MET, zorder=2)
            error = np.abs(observed - mean).mean()
            spread = ((observed - observed.mean()) ** 2).sum()
            score = 1.0 - ((observed - mean) ** 2).sum() / spread if spread > 0 else np.nan
            unit = (units or {}).get(name, "")
            text = f"mean absolute error {error:.3g} {unit}".rstrip() + f"\n$R^2$ {score:.2f}, bars: 90 %"
            axes.annotate(text, (0.04, 0.96), xycoords="axes fraction", va="top", fontsize=7)
            axes.set_xlabel(f"{label(name, dict(units or {}))}, known")
            axes.set_ylabel("predicted, held out")
            axes.set_aspect("equal", adjustable="box")
        return made


def calibration(predictions: pd.DataFrame) -> Figure:
    """How many held-out values lie within intervals of each width, against how many should.

    Args:
        predictions: as ``held_out_predictions`` returns them.

    Raises:
        InputError: if there are no predictions.
    """
    shares = np.linspace(0.05, 0.95, 19)
    with figure(height=3.0) as (made, (axes,)):
        axes.plot([0, 1], [0, 1], color=QUIET, ls="--", lw=0.8)
        for place, (name, part) in enumerate(_parts(predictions).items()):
            far = np.abs((part["observed"] - part["mean"]).to_numpy(np.float64)) / np.maximum(total_std(part), 1e-300)
            within = [(far <= ndtri(0.5 + 0.5 * share)).mean() for share in shares]
            color, mark = SERIES[place % len(SERIES)], MARKS[place % len(MARKS)]
            axes.plot(shares, within, color=color, marker=mark, ms=3, label=name.replace("_", " "))
        axes.set_xlabel("width of the interval (probability)")
        axes.set_ylabel("share of held-out values within")
        axes.set_aspect("equal", adjustable="box")
        axes.legend(loc="upper left")
        return made


def importance(table: pd.DataFrame, *, most: int = 12, units: Mapping[str, str] | None = None) -> Figure:
    """What a surrogate's predictions depend on, the most important first, one panel for each property.

    Args:
        table: as ``permutation_importance`` returns it.
        most: largest number of columns in a panel.
        units: of the properties.

    Raises:
        InputError: if the table is empty.
    """
    parts = _parts(table)
    longest = min(most, max(map(len, parts.values())))
    with figure(1, len(parts), height=0.8 + 0.22 * longest) as (made, several):
        for axes, (name, part) in zip(several, parts.items(), strict=True):
            shown = part.nlargest(most, "importance")[::-1]
            axes.barh(shown["column"].astype(str), shown["importance"], xerr=shown["spread"], color=MET, ecolor=QUIET)
            unit = (units or {}).get(name, "")
            axes.set_xlabel(f"{name.replace('_', ' ')}: rise of the RMSE{f' ({unit})' if unit else ''}")
        return made


def partial_dependence(table: pd.DataFrame, column: str, *, units: Mapping[str, str] | None = None) -> Figure:
    """The mean prediction against one parameter; shaded, or as bars, its 10 and 90 % quantiles over the candidates.

    Args:
        table: as ``partial_dependence`` of the surrogates returns it.
        column: the parameter.
        units: of the parameter and the properties.

    Raises:
        InputError: if the column is not in the table.
    """
    if column not in table:
        raise InputError(f"Unknown column '{column}'.{nearest(column, map(str, table))}")
    properties = [str(name) for name in table if name != column and not str(name).endswith(("_low", "_high"))]
    known = dict(units or {})
    with figure(1, len(properties)) as (made, several):
        for axes, name in zip(several, properties, strict=True):
            low, middle, high = (table[f"{name}{end}"].to_numpy(np.float64) for end in ("_low", "", "_high"))
            if pd.api.types.is_numeric_dtype(table[column]):
                axes.plot(table[column], middle, color=MET)
                axes.fill_between(table[column], low, high, color=MET, alpha=0.15, lw=0)
            else:
                axes.errorbar(table[column], middle, yerr=[middle - low, high - middle], color=MET, fmt="o", ms=4)
            axes.set_xlabel(label(column, known))
            axes.set_ylabel(label(name, known))
        return made


def _parts(predictions: pd.DataFrame) -> dict[str, pd.DataFrame]:
    parts: Sequence[tuple[object, pd.DataFrame]] = list(predictions.groupby("property", sort=False))
    if not parts:
        raise InputError("The table is empty: there is nothing to draw.")
    return {str(name): part for name, part in parts}
