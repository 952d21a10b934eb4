"""Tables of candidates: hits or the nearest with the results of verifying stages, all that were evaluated, the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invdesign.objectives.base import STD_SUFFIX
from invdesign.report.mixtures import component_drawings
from invdesign.report.tables import TableColumn, sortable_table
from invdesign.report.words import NOTHING, counted, described, with_unit
from invdesign.targets.targets import PROBABILITY

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from invdesign.report.findings import Findings

MOST_ROWS = 1000
MOST_CELLS = 6_000
"""Cells of the largest tables, so that a page stays small."""
NEAREST = 15
SEARCH = "search"
CORRECTED = "corrected"
MET_BY_SEARCH, MET_CORRECTED = f"met by {SEARCH}", f"met by {CORRECTED}"
PROPERTIES, SHORTFALL, PARAMETERS = "Properties", "Shortfall", "Parameters"
PROBABILITIES = "Probability"
PLAIN_GROUPS = ("", PROPERTIES, SHORTFALL, PARAMETERS)
"""Groups whose columns need no group name; others are labeled with it."""


def candidates_section(found: Findings) -> str:
    """The table of hits, best first; of the nearest if there are no hits; a sentence if there are no values."""
    if found.ranked.empty:
        return "<p>No candidate has a value yet.</p>"
    hits = found.hits
    if hits.empty:
        caption = f"No candidate meets all targets. The {min(NEAREST, len(found.ranked))} nearest, nearest first"
        nearest = found.ranked.head(NEAREST)
        return sortable_table("nearest", caption, candidate_columns(found, nearest, missed=True)) + _drawn(
            found, nearest
        )
    shown = hits.head(_most_rows(found))
    what = found.meet if found.targets.bounded else "have a value"
    caption = f"{counted(len(hits), 'candidate')} that {what}, best first"
    if len(shown) < len(hits):
        caption += f"; the first {len(shown)} are shown"
    return sortable_table("hits", caption, candidate_columns(found, shown, missed=False)) + _drawn(found, shown)


def _drawn(found: Findings, rows: pd.DataFrame) -> str:
    """The components of the first candidates of a table, if they are mixtures of molecules."""
    rows = rows.head(NEAREST)
    drawings = component_drawings(found, rows)
    return f"<h3>Components of the first {counted(len(rows), 'candidate')}</h3>{drawings}" if drawings else ""


def candidate_columns(found: Findings, rows: pd.DataFrame, *, missed: bool) -> list[TableColumn]:
    """The columns of a table of candidates.

    Args:
        found: the campaign.
        rows: the candidates, as in ``found.ranked``.
        missed: whether to show the shortfall of each target.
    """
    columns = [TableColumn("candidate", "candidate", [int(index) for index in rows.index])]
    if found.targets.optimized:
        ranks = found.targets.pareto_rank(rows)
        columns.append(TableColumn("pareto_rank", "Pareto rank", [int(rank) for rank in ranks]))
    columns += _parameter_columns(found, rows)
    for name in found.properties:
        columns += _property_columns(found, rows, name)
    columns += _probability_columns(found, rows)
    if missed:
        for target, (key, values) in zip(found.targets.bounded, found.targets.shortfall(rows).items(), strict=True):
            label = f"{described(target)}: short by{f' ({target.unit})' if target.unit else ''}"
            columns.append(TableColumn(f"shortfall: {key}", label, values.tolist(), SHORTFALL))
    if found.stages:
        columns += _met_columns(found, rows)
    return columns


def evaluated_section(found: Findings) -> str:
    """Every candidate that was evaluated or failed, in the order of evaluation; a sentence if there is none."""
    if found.over.empty:
        return "<p>Nothing was evaluated yet.</p>"
    shown = found.over.tail(_most_rows(found))
    caption = f"{counted(len(found.over), 'candidate')} in the order of evaluation"
    if len(shown) < len(found.over):
        caption += f"; the last {len(shown)} are shown, frame() has all"
    columns = [TableColumn("candidate", "candidate", [int(index) for index in shown.index])]
    columns += _parameter_columns(found, shown)
    for name in found.properties:
        label = with_unit(name, found.units.get(name, ""))
        columns.append(TableColumn(name, label, found.raw[name].reindex(shown.index).tolist(), PROPERTIES))
        if name + STD_SUFFIX in found.raw:
            spread = found.raw[name + STD_SUFFIX].reindex(shown.index).tolist()
            columns.append(TableColumn(name + STD_SUFFIX, f"± {label}", spread, PROPERTIES))
    if found.targets.bounded:
        columns.append(TableColumn("met", "meets all targets", yes_or_no(found.all_met(shown))))
    columns.append(TableColumn("origin", "proposed by", shown["origin"].astype(str).tolist()))
    columns.append(TableColumn("state", "state", shown["state"].astype(str).tolist()))
    return sortable_table("evaluated", caption, columns)


def next_section(found: Findings) -> str:
    """The candidates without a result yet: the next experiments."""
    caption = f"{counted(len(found.pending), 'candidate')} without a result yet"
    columns = [TableColumn("candidate", "candidate", [int(index) for index in found.pending.index])]
    return sortable_table("next", caption, [*columns, *_parameter_columns(found, found.pending)])


def _most_rows(found: Findings) -> int:
    return min(MOST_ROWS, MOST_CELLS // (len(found.parameters) + 2 * len(found.properties) + 2))


def _parameter_columns(found: Findings, rows: pd.DataFrame) -> list[TableColumn]:
    return [
        TableColumn(column.name, with_unit(column.name, column.unit), rows[column.name].tolist(), PARAMETERS)
        for column in found.columns
    ]


def _probability_columns(found: Findings, rows: pd.DataFrame) -> list[TableColumn]:
    """If values are predictions: the probability to meet each target, and all if there are several."""
    if not any(name + STD_SUFFIX in rows for name in found.targets.properties):
        return []
    chances = found.targets.probabilities(rows)
    columns = [
        TableColumn(str(key), described(target), values.round(3).tolist(), PROBABILITIES)
        for target, (key, values) in zip(found.targets.bounded, chances.items(), strict=False)
    ]
    if len(columns) > 1:
        columns.append(TableColumn(PROBABILITY, "all targets", chances[PROBABILITY].round(3).tolist(), PROBABILITIES))
    return columns


def _property_columns(found: Findings, rows: pd.DataFrame, name: str) -> list[TableColumn]:
    """A property by the search's objective and, if there are stages, corrected and by each with the difference."""
    label = with_unit(name, found.units.get(name, ""))
    spread = [rows[key].tolist() for key in [name + STD_SUFFIX] if key in rows]
    if not found.stages:
        wide = [TableColumn(name + STD_SUFFIX, f"± {label}", values, PROPERTIES) for values in spread]
        return [TableColumn(name, label, rows[name].tolist(), PROPERTIES), *wide]
    raw = found.raw[name].reindex(rows.index)
    columns = [TableColumn(name, SEARCH, raw.tolist(), label)]
    columns += [TableColumn(name + STD_SUFFIX, f"± {SEARCH}", values, label) for values in spread]
    if is_corrected(found, name):
        columns.append(TableColumn(f"{name} {CORRECTED}", CORRECTED, rows[name].tolist(), label))
    for stage in (one for one in found.stages if found.differs(one, name)):
        values = found.by_stage(stage)[name].reindex(rows.index)
        columns.append(TableColumn(f"{name} by {stage}", stage, values.tolist(), label))
        change = (values - raw).tolist()
        columns.append(TableColumn(f"{name}: {stage} - {SEARCH}", f"{stage} − {SEARCH}", change, label, signed=True))
    return columns


def is_corrected(found: Findings, name: str) -> bool:
    """Whether rounds correct the search's values of a property."""
    return name in found.corrections and found.corrections[name].kind != "none"


def _met_columns(found: Findings, rows: pd.DataFrame) -> list[TableColumn]:
    group = "Meets all targets"
    raw = found.raw.reindex(rows.index)
    columns = [TableColumn(MET_BY_SEARCH, f"by {SEARCH}", yes_or_no(found.targets.all_met(raw)), group)]
    if any(is_corrected(found, name) for name in found.targets.properties):
        columns.append(TableColumn(MET_CORRECTED, CORRECTED, yes_or_no(found.targets.all_met(rows)), group))
    for stage in found.stages:
        met = found.by_stage(stage)["all_met"].to_dict()
        words = [*map(_said, (met.get(index) for index in rows.index))]
        columns.append(TableColumn(f"met by {stage}", f"by {stage}", words, group))
    return columns


def yes_or_no(met: Iterable[object]) -> list[str]:
    """Whether targets are met, as text."""
    return ["yes" if one else "no" for one in met]


def _said(met: bool | None) -> str:
    return NOTHING if met is None else "yes" if met else "no"
