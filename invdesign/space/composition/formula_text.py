"""Converts amounts to canonical formulas and back, many at a time.

A formula lists its tokens (elements, and species in brackets) in one fixed order, each with its amount per
formula unit; an amount of one is not written. Where all amounts are whole numbers, they are divided by their greatest
common divisor. Amounts are counted in units of ``10**-digits``, so that equal amounts are equal text.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.errors import InputError, quoted
from invdesign.surrogates.features.formula_parser import token_amounts
from invdesign.surrogates.features.formulas import LONGEST_FORMULA, element_amounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST_TABLE = 20_000
"""Number of amounts whose text is precomputed; larger or finer ones are composed of three parts."""
_TOKEN = re.compile(r"(\([A-Za-z\d]+\)|[A-Z][a-z]?)")
_THOUSANDS = np.array([f"{number:03d}" for number in range(1000)], dtype=object)
_TRIMMED = np.array([text.rstrip("0") for text in _THOUSANDS], dtype=object)


def amount_text(amount: int, digits: int) -> str:
    """An amount in units of ``10**-digits`` as written in a formula: nothing for one, no trailing zeros."""
    whole, part = divmod(amount, 10**digits)
    if not part:
        return "" if whole == 1 else str(whole)
    return f"{whole}.{str(part).zfill(digits).rstrip('0')}"


def token_text(option: str) -> str:
    """An element or species as written in a formula: species of several atoms in brackets."""
    return option if re.fullmatch(r"[A-Z][a-z]?", option) else f"({option})"


@dataclass(frozen=True)
class FormulaText:
    """The formulas of one composition space.

    Attributes:
        options: elements and species in the order of the formula.
        digits: decimals of an amount, at most 6.
        anchor: indices of the options with a constant total amount, which sets the scale of a reduced formula.
        anchored: that total, in units of ``10**-digits``.
        reducible: False if no common divisor can occur.
        largest: the largest amount of one option, in units of ``10**-digits``.
    """

    options: tuple[str, ...]
    digits: int
    anchor: tuple[int, ...]
    anchored: int
    reducible: bool
    largest: int

    def write(self, amounts: NDArray[np.int64]) -> NDArray[np.object_]:
        """Writes formulas.

        Args:
            amounts: shape ``n x len(options)``, in units of ``10**-digits``.

        Returns:
            Shape ``n``.
        """
        if self.reducible:
            unit = 10**self.digits
            common = np.gcd.reduce(amounts, axis=1)
            whole = (common > unit) & (common % unit == 0)
            if whole.any():
                amounts = np.where(whole[:, None], amounts // np.where(whole, common // unit, 1)[:, None], amounts)
        texts = self._written(0, amounts[:, 0])
        for place in range(1, len(self.options)):
            texts = texts + self._written(place, amounts[:, place])
        return texts

    def read(self, formulas: NDArray[np.object_]) -> NDArray[np.int64]:
        """Reads the amounts of formulas, in any order and on any scale, shape ``n x len(options)``.

        Args:
            formulas: shape ``n``.

        Returns:
            Amounts per formula unit in units of ``10**-digits``.

        Raises:
            InputError: if a formula cannot be read, or contains something that is not an option.
        """
        listed: list[Any] = formulas.tolist()
        for formula in listed:
            if type(formula) is not str or len(formula) > LONGEST_FORMULA:
                raise InputError(f"{quoted(formula)} is not a formula. Use one such as 'LiNi0.8Mn0.1Co0.1O2'.")
        counts = self._counted(listed)
        held = counts[:, list(self.anchor)].sum(axis=1)
        if (held <= 0).any():
            raise InputError(
                f"The formula {quoted(listed[int(np.argmax(held <= 0))])} contains none of "
                f"{', '.join(self.options[place] for place in self.anchor)}, but every formula of this "
                f"space contains some of them."
            )
        scaled = counts * (self.anchored / held)[:, None]
        amounts = np.rint(scaled).astype(np.int64)
        # A reduced formula is exact in its own digits; scaling it rounds the last digit at most.
        off = (np.abs(scaled - amounts) > 1e-3).any(axis=1)
        if off.any():
            raise InputError(
                f"The formula {quoted(listed[int(np.argmax(off))])} has amounts finer than {10.0**-self.digits:g}."
            )
        return amounts

    def _counted(self, formulas: Sequence[str]) -> NDArray[np.float64]:
        """The amounts as written in the formulas, not scaled."""
        split = token_amounts(formulas, self._places)
        return self._counted_by_element(formulas) if split is None else split

    def _counted_by_element(self, formulas: Sequence[str]) -> NDArray[np.float64]:
        """Reads formulas in other notations, if their atoms determine the species."""
        if all(option == token_text(option) for option in self.options):
            return element_amounts(formulas, self.options)
        for formula in formulas:
            if token_amounts([formula], self._places) is None:
                unknown = [token for token in _TOKEN.findall(formula) if token not in self._places]
                raise InputError(
                    f"The formula {quoted(formula)} cannot be read{f' at {quoted(unknown[0])}' if unknown else ''}. "
                    f"Formulas of this space consist of {', '.join(map(token_text, self.options))}."
                )
        raise InputError("A formula of this space cannot be read.")  # pragma: no cover - one of them was the reason

    @cached_property
    def _places(self) -> dict[str, int]:
        return {token_text(option): place for place, option in enumerate(self.options)}

    def _written(self, place: int, amounts: NDArray[np.int64]) -> NDArray[np.object_]:
        """One option's name and amount in each formula; empty text if it has none of it."""
        if self.largest <= LARGEST_TABLE:
            return self._ready[place][amounts]
        micro = amounts * 10 ** (6 - self.digits)
        whole, part = np.divmod(micro, 1_000_000)
        upper, lower = np.divmod(part, 1000)
        broken = part > 0
        start = self._starts[place][whole + broken * (len(self._starts[place]) // 2)]
        return start + np.where(lower > 0, _THOUSANDS[upper], _TRIMMED[upper]) + _TRIMMED[lower]

    @cached_property
    def _ready(self) -> list[NDArray[np.object_]]:
        texts = ["", *(amount_text(amount, self.digits) for amount in range(1, self.largest + 1))]
        return [_with_name(option, texts) for option in self.options]

    @cached_property
    def _starts(self) -> list[NDArray[np.object_]]:
        """Name and integer part, first for whole amounts, then for fractional ones, which need the point."""
        largest = self.largest // 10**self.digits + 1
        whole = ["", *(amount_text(amount, 0) for amount in range(1, largest + 1))]
        found = []
        for option in self.options:
            broken = [f"{token_text(option)}{amount}." for amount in range(largest + 1)]
            found.append(np.array([*_with_name(option, whole), *broken], dtype=object))
        return found


def _with_name(option: str, amounts: Sequence[str]) -> NDArray[np.object_]:
    name = token_text(option)
    return np.array(["", *(name + amount for amount in amounts[1:])], dtype=object)
