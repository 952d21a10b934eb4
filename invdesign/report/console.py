"""Tables for the command line, as ``rich`` objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Group
from rich.table import Table
from rich.text import Text

from invdesign.report.candidates import MET_BY_SEARCH, MET_CORRECTED, PLAIN_GROUPS, candidate_columns
from invdesign.report.findings import Findings, gather
from invdesign.report.sentences import sentences
from invdesign.report.words import NOTHING, described, number_format

if TYPE_CHECKING:
    from invdesign.campaign import Campaign
    from invdesign.report.tables import TableColumn

MOST_COLUMNS, BLOCK = 7, 5
NEAREST = 3
"""Rows shown if no candidate meets all targets."""


def hits_table(campaign: Campaign | Findings, limit: int = 10) -> Group:
    """The best candidates that meet all targets, or the nearest few if none does.

    Few quantities are side by side, one candidate per row. Many are below each other, one candidate per column and a
    few candidates per block, so that nothing is cut off in a terminal of usual width.

    Args:
        campaign: the campaign, or its findings.
        limit: largest number of candidates.
    """
    found = _found(campaign)
    missed = found.hits.empty
    rows = found.ranked.head(min(limit, NEAREST)) if missed else found.hits.head(limit)
    # Differences follow from the values next to them, and all shown candidates meet the targets in the search.
    columns = [
        column
        for column in candidate_columns(found, rows, missed=missed)
        if not column.signed and column.key not in (MET_BY_SEARCH, MET_CORRECTED)
    ]
    title = Text(_title(found, len(rows)), style="bold")
    if len(columns) <= MOST_COLUMNS:
        return Group(title, _upright(columns))
    blocks = [_lying(columns, slice(start, start + BLOCK)) for start in range(0, len(rows), BLOCK)]
    return Group(title, *blocks)


def status_table(campaign: Campaign | Findings) -> Table:
    """The progress of a campaign: counts, how many candidates meet each target, and a summary."""
    found = _found(campaign)
    status = found.status
    table = Table(title=Text(found.name), title_justify="left", show_header=False)
    table.add_column("what")
    table.add_column("count", overflow="fold")
    counts = {"evaluated": status.evaluated, "failed": status.failed, "pending": status.pending}
    rows = [(what, str(count)) for what, count in counts.items()]
    rows += [
        (
            f"at {name}",
            f"{fidelity['evaluated']:.0f} evaluated, {fidelity['failed']:.0f} failed, cost {fidelity['cost']:g}",
        )
        for name, fidelity in found.by_fidelity.iterrows()
    ]
    met = found.targets.met(found.ranked).sum()
    rows += [(described(target), f"met by {int(met[str(target)])}") for target in found.targets.bounded]
    if found.targets.bounded:
        rows.append(("all targets", f"met by {status.hits}"))
    if found.confirmed is not None:
        rows.append(("verified", f"{found.confirmed} of the hits"))
    # The first sentence repeats the counts of the rows above.
    rows.append(("summary", " ".join(sentences(found)[1:]) or NOTHING))
    for what, value in rows:
        table.add_row(Text(what), Text(value))
    return table


def _found(campaign: Campaign | Findings) -> Findings:
    return campaign if isinstance(campaign, Findings) else gather(campaign)


def _upright(columns: list[TableColumn]) -> Table:
    """One candidate per row."""
    table = Table()
    for column in columns:
        table.add_column(Text(_head(column)), justify="right" if column.numeric else "left", overflow="fold")
    for row in zip(*map(_cells, columns), strict=True):
        table.add_row(*row)
    return table


def _lying(columns: list[TableColumn], block: slice) -> Table:
    """One candidate per column, headed by the first of ``columns``, the candidates' numbers."""
    table = Table()
    table.add_column(Text(_head(columns[0])))
    for number in _cells(columns[0])[block]:
        table.add_column(number, justify="right", overflow="fold")
    for column in columns[1:]:
        table.add_row(Text(_head(column)), *_cells(column)[block])
    return table


def _head(column: TableColumn) -> str:
    return column.label if column.group in PLAIN_GROUPS else f"{column.group}, {column.label}"


def _title(found: Findings, shown: int) -> str:
    if found.ranked.empty:
        return "No candidate has a value yet"
    if found.hits.empty:
        return f"No candidate meets all targets; the nearest {shown}"
    what = found.meet if found.targets.bounded else "have a value"
    return f"Candidates that {what}: the best {shown} of {len(found.hits)}"


def _cells(column: TableColumn) -> list[Text]:
    # Text, not strings: square brackets of a SMILES are not markup.
    if not column.numeric:
        return [Text(str(value)) for value in column.values]
    numbers = [float(value) for value in column.values]
    return [Text(written) for written in map(number_format(numbers), numbers)]
