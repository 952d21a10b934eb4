"""HTML tables: plain ones, and sortable ones that can be saved as CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from itertools import groupby

from invdesign.report.words import DIGITS, NOTHING, number_format

LONG = 24
"""Number of letters above which words may break anywhere: a SMILES has no spaces."""
TALL = 20
"""Number of rows above which a table scrolls on a screen; it prints completely."""


@dataclass(frozen=True)
class TableColumn:
    """One column of a sortable table.

    Attributes:
        key: its identifier in the page's script, and its name in the CSV file.
        label: its header.
        values: one per row: numbers (NaN for none) or text.
        group: the header above the label; columns of one group are adjacent.
        signed: whether positive numbers show their sign, for differences.
    """

    key: str
    label: str
    values: Sequence[float | str]
    group: str = ""
    signed: bool = False

    @property
    def numeric(self) -> bool:
        """Whether it holds numbers."""
        return not any(isinstance(value, str) for value in self.values)

    def cells(self) -> list[str]:
        """The cells, one per row."""
        if not self.numeric:
            return [word_cell(str(value)) for value in self.values]
        numbers = [float(value) for value in self.values]
        written = number_format(numbers, 3 if self.signed else DIGITS)
        return [self._number_cell(value, written(value)) for value in numbers]

    def _number_cell(self, value: float, shown: str) -> str:
        if not math.isfinite(value):
            return f'<td class="number" data-value="">{NOTHING}</td>'
        sign = "+" if self.signed and value > 0 else ""
        return f'<td class="number" data-value="{value!r}">{sign}{escape(shown)}</td>'


def sortable_table(identity: str, caption: str, columns: Sequence[TableColumn]) -> str:
    """A table that can be sorted by its headers.

    Args:
        identity: its ``id`` in the page, and the name of its CSV file.
        caption: what it shows.
        columns: all of one length.
    """
    groups = [(group, len(list(members))) for group, members in groupby(columns, key=lambda column: column.group)]
    above = "".join(
        f'<th scope="colgroup" colspan="{span}" class="group">{escape(group)}</th>' for group, span in groups
    )
    heads = "".join(
        f'<th scope="col" aria-sort="none" data-key="{escape(column.key)}" data-label="{escape(column.label)}" '
        f'class="{_alignment(column)}"><button type="button">{escape(column.label)}</button></th>'
        for column in columns
    )
    rows = "".join(f"<tr>{''.join(cells)}</tr>" for cells in zip(*(column.cells() for column in columns), strict=True))
    grouped = f"<tr>{above}</tr>" if any(group for group, _ in groups) else ""
    height = "scroll tall" if len(columns[0].values) > TALL else "scroll"
    return (
        f'<div class="{height}" tabindex="0" role="region" aria-label="{escape(caption)}">'
        f'<table class="sortable" id="{escape(identity)}"><caption>{escape(caption)}</caption>'
        f"<thead>{grouped}<tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>"
        f'<p><button type="button" class="download" data-table="{escape(identity)}">Save this table as CSV</button></p>'
    )


def plain_table(
    caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]], *, numbers: Sequence[int] = ()
) -> str:
    """A plain table.

    Args:
        caption: what it shows.
        heads: its headers.
        rows: its cells as text.
        numbers: indices of numeric columns, which are right-aligned.
    """
    head = "".join(
        f'<th scope="col" class="{_side(place in numbers)}">{escape(text)}</th>' for place, text in enumerate(heads)
    )
    body = "".join(f"<tr>{_plain_row(row, numbers)}</tr>" for row in rows)
    return (
        f'<div class="scroll"><table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def word_cell(text: str) -> str:
    """A cell of text; long words may break anywhere."""
    kind = "words long" if len(text) > LONG else "words"
    return f'<td class="{kind}">{escape(text)}</td>'


def _plain_row(row: Sequence[str], numbers: Sequence[int]) -> str:
    return "".join(
        f'<td class="number">{escape(cell)}</td>' if place in numbers else word_cell(cell)
        for place, cell in enumerate(row)
    )


def _alignment(column: TableColumn) -> str:
    return _side(column.numeric)


def _side(numeric: bool) -> str:
    return "number" if numeric else "words"
