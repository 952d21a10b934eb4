"""The column of a candidate that an objective reads: given by the user, or the only one of its kind."""

from __future__ import annotations

from collections.abc import Sequence

from invdesign.core.columns import Column, ColumnKind
from invdesign.core.errors import nearest


def named_or_only(columns: Sequence[Column], kind: ColumnKind, named: str | None) -> str | None:
    """The given name, or that of the only column of a kind; None if there are none or several."""
    found = [column.name for column in columns if column.kind == kind]
    return found[0] if named is None and len(found) == 1 else named


def column_problems(columns: Sequence[Column], kind: ColumnKind, named: str | None) -> list[str]:
    """Problems with the name of a column that must be of a kind; empty if there are none."""
    kinds = {column.name: column.kind for column in columns}
    fitting = [name for name, its_kind in kinds.items() if its_kind == kind]
    if named is None:
        return [f"The {kind} parameter is not unique. Name one with '{kind}: NAME'.{nearest('', fitting)}"]
    if named not in kinds:
        return [f"The {kind} '{named}' is not a parameter.{nearest(named, kinds)}"]
    if kinds[named] != kind:
        return [f"'{named}' is a {kinds[named]}, not a {kind}.{nearest('', fitting)}"]
    return []
