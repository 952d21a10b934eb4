"""Cross-validation of the surrogate: held-out predictions against values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError
from invdesign.objectives.base import DISTANCE
from invdesign.report.figures import MET, Figure, axis, reaching, window_shapes
from invdesign.report.tables import plain_table
from invdesign.report.words import NOTHING, listed, number, plot_text, spoken, with_unit
from invdesign.surrogates.validation import Z90, held_out_predictions, scores, total_std

if TYPE_CHECKING:
    import pandas as pd

    from invdesign.report.findings import Findings
    from invdesign.surrogates.base import Surrogate
    from invdesign.targets import Targets

FOLDS = 5
FEWEST = 2 * FOLDS
"""Fewest values of a property for cross-validation."""
MOST = 250
"""Largest number of candidates for cross-validation, to keep it fast."""


@dataclass(frozen=True)
class Parity:
    """The result of cross-validation.

    Attributes:
        text: how it was done, or why not.
        table: the scores in HTML; empty if there are none.
        figures: one per property.
    """

    text: str
    table: str
    figures: list[Figure]


def parity(found: Findings, surrogate: Surrogate, *, seed: int) -> Parity:
    """Predicts values by models that were fitted without them.

    Args:
        found: the campaign.
        surrogate: the model with its settings.
        seed: decides the folds.
    """
    values = found.over[found.properties]
    counts = values.notna().sum()
    measured = [name for name in found.properties if name not in (*found.predictions, DISTANCE)]
    if not measured:
        return Parity(
            "All values are predictions of a model. How well another model predicts these says nothing about the "
            "material; the summary states how well the first one predicts rows of its table that it had not seen.",
            "",
            [],
        )
    enough = [name for name in measured if counts[name] >= FEWEST]
    scarce = [spoken(name) for name in measured if counts[name] < FEWEST]
    lacking = f"{listed(scarce)} {'has' if len(scarce) == 1 else 'have'} fewer than {FEWEST} values"
    if not enough:
        return Parity(f"Too few values to validate the surrogate: {lacking}.", "", [])
    known = values[enough].dropna(how="all")
    for column in found.columns:
        if column.kind == "category":  # the model does not use a word that is not listed
            known = known[found.over.loc[known.index, column.name].isin(column.values)]
    rng = np.random.default_rng(seed)
    rows = known if len(known) <= MOST else known.iloc[np.sort(rng.choice(len(known), MOST, replace=False))]
    try:
        predictions = held_out_predictions(
            surrogate, found.over.loc[rows.index, found.parameters], rows, columns=found.columns, folds=FOLDS, rng=rng
        )
    except InputError as error:
        return Parity(f"The surrogate could not be validated: {error}", "", [])
    text = (
        f"Every value is compared with the prediction of a {type(surrogate).__name__} that was fitted without it: the "
        f"{len(rows)} candidates were split into {FOLDS} parts at random, and each part predicted from the other "
        f"{FOLDS - 1}. Bars are 90 % intervals, including the learned noise."
    )
    if len(rows) < len(known):
        text += f" Of {len(known)} candidates {len(rows)} were drawn at random, to save time."
    if scarce:
        text += f" Left out: {lacking}."
    figures = [
        parity_figure(str(name), part, f"parity-{place}", unit=found.units.get(str(name), ""), targets=found.targets)
        for place, (name, part) in enumerate(predictions.groupby("property", sort=False))
    ]
    return Parity(text, _table(found, scores(predictions)), figures)


def _table(found: Findings, table: pd.DataFrame) -> str:
    heads = ["property", "values", "RMSE", "MAE", "R²", "within the 90 % interval", "mean NLL"]
    rows = []
    for name, row in table.iterrows():
        unit = found.units.get(str(name), "")
        errors = [f"{number(row[score], 3)} {unit}".rstrip() for score in ("rmse", "mae")]
        r2 = f"{row['r2']:.2f}" if np.isfinite(row["r2"]) else NOTHING
        rows.append(
            [spoken(str(name)), f"{row['count']:.0f}", *errors, r2, f"{row['coverage']:.0%}", number(row["nll"], 3)]
        )
    caption = "Held-out scores of the surrogate. A well-calibrated one has about 90 % of the values within the interval"
    return plain_table(caption, heads, rows, numbers=range(1, len(heads)))


def parity_figure(name: str, part: pd.DataFrame, identity: str, *, unit: str, targets: Targets) -> Figure:
    """Held-out predictions of one property against its values.

    Args:
        name: of the property.
        part: predictions of it, as ``held_out_predictions`` returns them.
        identity: of the figure in the page.
        unit: of the property.
        targets: in the property's unit; their values are marked.
    """
    half = Z90 * total_std(part)
    observed, mean = part["observed"].to_numpy(np.float64), part["mean"].to_numpy(np.float64)
    label = with_unit(name, unit)
    ends = reaching(targets, name, [*observed, *mean])
    texts = [
        f"<b>row {index}</b><br>found {number(value)}<br>predicted {number(guess)} ± {number(bar, 2)}"
        for index, value, guess, bar in zip(part.index, observed, mean, half, strict=True)
    ]
    points = {
        "type": "scatter",
        "mode": "markers",
        "x": observed,
        "y": mean,
        "error_y": {"type": "data", "array": half, "color": "rgba(27,94,158,0.35)", "thickness": 1, "width": 0},
        "marker": {"color": MET, "size": 6},
        "hovertext": texts,
        "hoverinfo": "text",
    }
    diagonal = {"type": "scatter", "mode": "lines", "x": ends, "y": ends, "hoverinfo": "skip"}
    data = [{**diagonal, "line": {"color": "#555555", "dash": "dash", "width": 1}}, points]
    layout = {
        "xaxis": axis("found", range=ends),
        "yaxis": axis("predicted, held out", range=ends),
        "title": {"text": plot_text(label), "font": {"size": 14}, "x": 0, "xref": "paper", "xanchor": "left"},
        "shapes": window_shapes(targets, name, "x"),
        "showlegend": False,
    }
    caption = f"{spoken(name)}: held-out predictions against values. Dashed: perfect agreement."
    caption += " Green: the target values." if layout["shapes"] else ""
    return Figure(identity, caption, data, layout, height=400, narrow=True)
