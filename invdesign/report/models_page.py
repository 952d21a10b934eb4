"""A comparison of model families: as a table on the console, and as a page with parity plots."""

from __future__ import annotations

from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError
from invdesign.report.page import Section, page_html
from invdesign.report.parity import parity_figure
from invdesign.report.tables import plain_table
from invdesign.report.words import NOTHING, number, spoken

if TYPE_CHECKING:
    import pandas as pd
    from rich.table import Table

    from invdesign.campaign_file.model_comparison import ModelReport
    from invdesign.targets import Targets

LEADING = ("family", "split", "property", "values")
FIGURES = ("RMSE", "MAE", "R²", "coverage", "NLL")
CLASS_FIGURES = {
    "accuracy": "accuracy",
    "balanced_accuracy": "balanced accuracy",
    "f1": "F1",
    "roc_auc": "ROC AUC",
    "log_loss": "log loss",
    "brier": "Brier score",
}
"""Scores of classifiers, and how they are shown."""


def models_tables(report: ModelReport) -> list[Table]:
    """The comparison for the console: a table for each split and property, best first."""
    from rich.table import Table as ConsoleTable

    tables: dict[tuple[str, str], ConsoleTable] = {}
    for family, split, name, count, *figures in _rows(report):
        if (split, name) not in tables:
            tables[split, name] = ConsoleTable(
                LEADING[0],
                *_heads(report)[4:],
                title=f"{name}: {count} held-out values, {split} split",
                title_justify="left",
            )
        tables[split, name].add_row(family, *figures)
    return list(tables.values())


def write_models_page(report: ModelReport, path: Path, *, name: str, targets: Targets) -> Path:
    """Writes the comparison as one HTML file.

    Args:
        report: the comparison.
        path: the file to write; an older one is replaced.
        name: of the campaign.
        targets: in the units of the properties; their values are marked in the plots.

    Raises:
        InputError: if the folder does not exist.
    """
    if not path.parent.is_dir():
        raise InputError(f"The folder '{path.parent}' of the page '{path}' does not exist. Create it first.")
    sections = [_recommended(report, targets), _compared(report), _doubtful(report)]
    headline = f"<p>{escape(report.recommendation.family)} is recommended. {escape(report.recommendation.reason)}</p>"
    path.write_text(page_html(name, "models", headline=headline, sections=sections), encoding="utf-8")
    return path


def _heads(report: ModelReport) -> tuple[str, ...]:
    figures = CLASS_FIGURES.values() if _are_classes(report) else FIGURES
    return (*LEADING, *figures, "seconds")


def _are_classes(report: ModelReport) -> bool:
    return bool(report.comparison.table.reindex(columns=list(CLASS_FIGURES)).notna().any(axis=None))


def _rows(report: ModelReport) -> list[list[str]]:
    best_first = "log_loss" if _are_classes(report) else "rmse"
    ordered = report.comparison.table.sort_values(["split", "property", best_first], kind="stable")
    return [_row(row) for _, row in ordered.iterrows()]


def _row(row: pd.Series) -> list[str]:
    if np.isfinite(row.get("log_loss", np.nan)):
        figures = [number(row[name], 3) for name in CLASS_FIGURES]
    else:
        r2 = f"{row['r2']:.3f}" if np.isfinite(row["r2"]) else NOTHING
        figures = [number(row["rmse"], 3), number(row["mae"], 3), r2, f"{row['coverage']:.2f}", number(row["nll"], 3)]
    return [row["family"], row["split"], spoken(row["property"]), str(row["count"]), *figures, f"{row['seconds']:.2g}"]


def _recommended(report: ModelReport, targets: Targets) -> Section:
    best = report.recommendation
    units = report.data.table.properties
    held = report.comparison.predictions[best.family, best.split]
    figures = [
        parity_figure(str(name), part, f"parity-{place}", unit=units.get(str(name), ""), targets=targets)
        for place, (name, part) in enumerate(held.groupby("property", sort=False))
    ]
    text = f"<p>Held-out predictions of {escape(best.family)}, {escape(best.split)} split.</p>"
    return Section("recommended", "Recommended", text, figures)


def _compared(report: ModelReport) -> Section:
    table = plain_table("Scores on held-out rows", _heads(report), _rows(report), numbers=range(3, len(_heads(report))))
    failed = [[family, reason] for family, reason in report.comparison.failed.items()]
    more = plain_table("Families that could not be fitted", ("family", "reason"), failed) if failed else ""
    return Section("families", "Families", table + more)


def _doubtful(report: ModelReport) -> Section:
    found = [[finding.kind, finding.message] for finding in report.data.findings]
    html = plain_table("Data to check", ("kind", "finding"), found) if found else "<p>No problems found.</p>"
    return Section("data", "Data", html)
