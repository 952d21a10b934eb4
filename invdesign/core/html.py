"""Small HTML tables, as notebooks show them."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

CELL = "text-align:left;padding:2px 10px"


class Html(str):
    """Text that is HTML already; all other text is escaped."""

    __slots__ = ()


def html_table(caption: str, heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Html:
    """Returns a table.

    Args:
        caption: what it shows.
        heads: its headers.
        rows: its cells; ``Html`` is taken as it is.
    """
    head = "".join(f'<th scope="col" style="{CELL}">{_cell(text)}</th>' for text in heads)
    lines = ("".join(f'<td style="{CELL}">{_cell(text)}</td>' for text in row) for row in rows)
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    title = f'<caption style="text-align:left;font-weight:600">{_cell(caption)}</caption>'
    return Html(f"<table>{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>")


def _cell(text: str) -> str:
    return text if isinstance(text, Html) else escape(text)
