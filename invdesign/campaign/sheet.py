"""The sheet that a laboratory fills in: candidates with units, empty properties, and what the model expects."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from invdesign.campaign.why import WHY
from invdesign.core.classes import class_property, classes_of
from invdesign.core.tables import header_unit
from invdesign.objectives.base import DISTANCE

if TYPE_CHECKING:
    from invdesign.campaign.expectation import Expectation
    from invdesign.space import SearchSpace
    from invdesign.targets import Targets

DIGITS = 4
"""Significant digits of what is expected."""


def laboratory_sheet(
    batch: pd.DataFrame,
    space: SearchSpace,
    targets: Targets,
    expectation: Expectation | None,
    units: Mapping[str, str],
    *,
    why: Sequence[str] | None = None,
) -> pd.DataFrame:
    """A table of candidates to fill in, which ``tell`` reads back.

    Args:
        batch: candidates, by number.
        space: of the candidates.
        targets: whose properties are measured.
        expectation: what the model expects of candidates; None if there are too few values.
        units: of the stored properties.
        why: why each candidate was proposed; no such column if None.

    Returns:
        Parameters and empty properties, with their units in the headers; then expectations, if any, and reasons.
    """
    parameters = {column.name: column.unit for column in space.columns}
    own = {target.property: target.unit or units.get(target.property, "") for target in targets}
    named = named_classes(targets, units)
    empty = {class_property(name) if class_property(name) in named else name: unit for name, unit in own.items()}
    sheet = batch.rename(columns={name: with_unit(name, unit) for name, unit in parameters.items()})
    sheet = sheet.assign(**{with_unit(name, unit): "" for name, unit in empty.items()})
    reasons = {} if why is None else {WHY: list(why)}
    if expectation is None:
        return sheet.assign(**reasons)
    expected = expectation.of(batch).map(lambda value: float(f"{value:.{DIGITS}g}"))
    if DISTANCE in {*parameters, *own}:  # a column that is read back
        expected = expected.drop(columns=DISTANCE)
    names = {f"{name} {word}": with_unit(f"{name} {word}", units.get(name, "")) for name in own for word in WORDS}
    return pd.concat([sheet, expected.rename(columns=names)], axis=1).assign(**reasons)


WORDS = ("expected", "low", "high")


def named_classes(targets: Targets, properties: Iterable[str]) -> dict[str, list[str]]:
    """The classes of each property that a laboratory measures by name: those of which several are known.

    Args:
        targets: whose properties are measured.
        properties: all that are known, such as ``structure=layered`` and ``structure=spinel``.
    """
    names = list(properties)
    owners = dict.fromkeys(class_property(name) for name in targets.properties if class_property(name) != name)
    found = {owner: classes_of(owner, names) for owner in owners}
    return {owner: classes for owner, classes in found.items() if len(classes) > 1}


def to_fill_in(targets: Targets, properties: Iterable[str]) -> str:
    """What a laboratory fills in, in words: ``capacity in mAh/g, structure (layered or spinel)``; see above."""
    named = named_classes(targets, properties)
    units = {target.property: target.unit for target in targets}
    texts = {
        class_property(name): f"{class_property(name)} ({' or '.join(named[class_property(name)])})"
        if class_property(name) in named
        else f"{name} in {unit}"
        if unit
        else name
        for name, unit in units.items()
    }
    return ", ".join(texts.values())


def with_unit(name: str, unit: str) -> str:
    """A header with its unit, if it can be read back."""
    header = f"{name} ({unit})"
    return header if unit and header_unit(header) == (name, unit) else name
