"""The page of a screen: the funnel, what was predicted, and the best candidates drawn."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError
from invdesign.report.candidates import yes_or_no
from invdesign.report.drawings import drawn_molecules
from invdesign.report.figures import MET, Figure, axis, window_shapes
from invdesign.report.page import Section, page_html, without_passwords
from invdesign.report.passes import STEP_HEADS, passes_sections, step_cells
from invdesign.report.tables import TableColumn, plain_table, sortable_table
from invdesign.report.words import NOTHING, counted, described, number, with_unit
from invdesign.screening.plan import PROBABILITY

if TYPE_CHECKING:
    import pandas as pd

    from invdesign.screening.running import Screening

BINS = 60
MOST_DRAWN = 24


def write_screening_page(
    done: Screening, *, name: str, source: str | None = None, verified: Mapping[str, pd.DataFrame] | None = None
) -> Path:
    """Writes the page of a screen, ``report.html``, to its folder.

    Args:
        done: the screen.
        name: of the campaign.
        source: text of the campaign file, shown unchanged (passwords in database URLs are removed).
        verified: what each verifying stage found, by its name.
    """
    place = done.checkpoints.folder / "report.html"
    stages = [_verified(done, stage, values, place) for place, (stage, values) in enumerate((verified or {}).items())]
    passes = passes_sections(done) if done.passes else []
    sections = [_funnel(done), *passes, _properties(done), _best(done), *stages]
    if source is not None:
        sections.append(
            Section(
                "reproduce", "How to reproduce", f"<h3>Campaign file</h3><pre>{escape(without_passwords(source))}</pre>"
            )
        )
    first = done.funnel[0]
    hits = f"{done.hits:,} of {first.entered:,} entries are candidates that are likely to meet all targets."
    headline = f'<p class="lead">{escape(hits)}</p>'
    try:
        place.write_text(page_html(name, "screen", headline=headline, sections=sections), encoding="utf-8")
    except OSError as error:
        raise InputError(f"The page '{place}' cannot be written: {error.strerror}.") from None
    return place


def _funnel(done: Screening) -> Section:
    rows = [step_cells(count) for count in done.funnel]
    table = plain_table("Candidates that entered and left each step", STEP_HEADS, rows, numbers=(1, 2, 3))
    figure = Figure(
        "funnel",
        "Number of candidates that passed each step, on a logarithmic axis.",
        [
            {
                "type": "bar",
                "orientation": "h",
                "y": [count.name for count in done.funnel][::-1],
                "x": [count.passed for count in done.funnel][::-1],
                "marker": {"color": MET},
            }
        ],
        {"xaxis": axis("candidates", type="log"), "yaxis": axis("", automargin=True)},
        height=120 + 40 * len(done.funnel),
    )
    return Section("funnel-section", "Funnel", table, [figure])


def _properties(done: Screening) -> Section:
    """A histogram of each property with a target over everything that passed, counted block by block."""
    names = done.plan.targets.properties
    ends = dict.fromkeys(names, (np.inf, -np.inf))
    for rows in done.checkpoints.results():
        for name in names:
            known = rows[name].dropna()
            if len(known):
                ends[name] = min(ends[name][0], known.min()), max(ends[name][1], known.max())
    edges = {
        name: np.linspace(low, high if high > low else low + 1.0, BINS + 1)
        for name, (low, high) in ends.items()
        if np.isfinite(low)
    }
    counts = {name: np.zeros(BINS) for name in edges}
    for rows in done.checkpoints.results():
        for name, bounds in edges.items():
            counts[name] += np.histogram(rows[name].dropna(), bounds)[0]
    figures = [
        Figure(
            f"histogram-{place}",
            f"{with_unit(name, done.plan.units[name])} of the candidates that passed the funnel; shaded: the target.",
            [
                {
                    "type": "bar",
                    "x": (edges[name][:-1] + edges[name][1:]) / 2,
                    "y": counts[name],
                    "marker": {"color": MET},
                }
            ],
            {
                "xaxis": axis(with_unit(name, done.plan.units[name]), range=[edges[name][0], edges[name][-1]]),
                "yaxis": axis("candidates"),
                "bargap": 0,
                "shapes": window_shapes(done.plan.targets, name, "x"),
            },
            narrow=True,
        )
        for place, name in enumerate(edges)
    ]
    targets = ", ".join(described(target) for target in done.plan.targets)
    return Section("properties", "Properties", f"<p>Targets: {escape(targets)}.</p>", figures)


def _best(done: Screening) -> Section:
    if done.best.empty:
        return Section("best", "Best candidates", "<p>No candidate passed the funnel.</p>")
    columns = [TableColumn(done.plan.pool.place_word, done.plan.pool.place_word, [str(one) for one in done.best.index])]
    columns += [
        TableColumn(name, with_unit(name, done.plan.units.get(name, "")), done.best[name].tolist())
        for name in done.plan.schema
        if name != "log_probability"
    ]
    caption = f"{counted(len(done.best), 'candidate')} most likely to meet all targets"
    return Section("best", "Best candidates", _drawings(done) + sortable_table("best-candidates", caption, columns))


def _verified(done: Screening, stage: str, values: pd.DataFrame, place: int) -> Section:
    """The predictions of the chosen candidates beside a stage's values."""
    names = [name for name in done.plan.targets.properties if name in values]
    columns = [TableColumn(name, name, values[name].astype(str).tolist()) for name in done.plan.pool.identity]
    for name in names:
        label = with_unit(name, done.plan.units[name])
        predicted = done.best[name].reindex(values.index).tolist()
        columns.append(TableColumn(f"{name} predicted", "screen", predicted, label))
        columns.append(TableColumn(f"{name} by {stage}", stage, values[name].tolist(), label))
    columns.append(TableColumn("meets", "meets the targets", yes_or_no(values["meets_targets"])))
    columns.append(TableColumn("reason", "reason", [str(one or NOTHING) for one in values["reason"]]))
    caption = f"{counted(len(values), 'candidate')} verified by {stage}"
    return Section(
        f"verified-{place}", f"Verified by {stage}", sortable_table(f"verification-{place}", caption, columns)
    )


def _drawings(done: Screening) -> str:
    molecules = [column.name for column in done.plan.pool.columns if column.kind == "molecule"]
    if not molecules:
        return ""
    rows = done.best.head(MOST_DRAWN)
    return drawn_molecules((str(row[name]), _caption(done, row)) for _, row in rows.iterrows() for name in molecules)


def _caption(done: Screening, row: pd.Series) -> str:
    units = done.plan.units
    values = [f"{number(row[name])} {units[name]}".strip() for name in done.plan.targets.properties]
    return f"{', '.join(values)}; probability {number(row[PROBABILITY], 2)}"
