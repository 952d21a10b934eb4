"""A campaign as a notebook shows it: its progress, and its hits or the nearest candidates with molecules drawn."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from invdesign.core.html import Html, html_table
from invdesign.objectives.base import STD_SUFFIX
from invdesign.targets.targets import PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import pandas as pd

    from invdesign.campaign.status import Status
    from invdesign.core.columns import Column
    from invdesign.targets import Targets

MOST = 10
"""Candidates that are shown."""
SIZE = (140, 100)
"""Width and height of a drawn molecule, in pixels."""
MET, MISSED = "#1b7837", "#b2182b"


def campaign_html(
    name: str,
    status: Status,
    best: pd.DataFrame,
    *,
    columns: Sequence[Column],
    units: Mapping[str, str],
    targets: Targets,
) -> str:
    """Returns the progress of a campaign and its best candidates as HTML.

    Args:
        name: of the campaign.
        status: its progress.
        best: candidates, best first: parameters, properties and, if predicted, their standard deviations.
        columns: the parameters.
        units: the properties and their units.
        targets: in these units.
    """
    progress = f"{name}: {status.evaluated} evaluated, {status.failed} failed, {status.pending} pending"
    if targets.bounded:
        progress += f", {status.hits} meet all targets"
    shown = best.head(MOST)
    if shown.empty:
        return Html(html_table(progress, [], []))
    heads = ["candidate", *(_head(column.name, column.unit) for column in columns)]
    heads += [_head(name, unit) for name, unit in units.items()]
    chances = targets.probabilities(shown).get(PROBABILITY) if _predicted(shown, targets) else None
    heads += ["probability"] if chances is not None else []
    rows = []
    for number, row in zip(shown.index, shown.to_dict("records"), strict=True):
        cells = [str(number), *(_parameter(row[column.name], column.kind) for column in columns)]
        cells += [_property(row, name, targets) for name in units]
        cells += [f"{chances.loc[number]:.2f}"] if chances is not None else []
        rows.append(cells)
    return html_table(progress, heads, rows)


def molecule_svg(smiles: str) -> str:
    """Returns a molecule as SVG, its SMILES as title; the text itself if it cannot be read."""
    from html import escape

    from rdkit import Chem
    from rdkit.Chem.Draw import rdMolDraw2D

    molecule: Any = Chem.MolFromSmiles(smiles)
    if molecule is None:
        return smiles
    drawer = rdMolDraw2D.MolDraw2DSVG(*SIZE)
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule)
    drawer.FinishDrawing()
    drawing = drawer.GetDrawingText()
    return Html(f'<span title="{escape(smiles)}">{drawing[drawing.index("<svg") :]}</span>')


def _predicted(rows: pd.DataFrame, targets: Targets) -> bool:
    return any(name + STD_SUFFIX in rows for name in targets.properties)


def _head(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _parameter(value: Any, kind: str) -> str:
    if kind == "molecule":
        return molecule_svg(str(value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _property(row: Mapping[Any, Any], name: str, targets: Targets) -> str:
    """A value with its standard deviation, and whether it meets its targets: by a mark and by color."""
    value, std = row[name], row.get(name + STD_SUFFIX, math.nan)
    text = f"{value:.4g}" + (f" ± {std:.2g}" if math.isfinite(std) else "")
    mine = [target for target in targets.bounded if target.property == name]
    if not mine or not math.isfinite(value):
        return text
    met = all(bool(target.met(value, std)) for target in mine)
    return Html(f'<span style="color:{MET if met else MISSED}">{text} {"✓" if met else "✗"}</span>')
