"""Reads many formulas at once: byte by byte, but all of them together.

A regular expression takes half a microsecond for each element of each formula. Here the text of some thousand formulas
is one array of bytes, and every question (where does an element start, which one is it, which digits are its amount) is
asked of all bytes at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

BLOCK = 8192
"""Formulas read together: few enough that their bytes stay in the processor's cache."""
MOST_DIGITS = 30
_HEAD, _LOWER, _DIGIT, _POINT, _END = 1, 2, 3, 4, 5
_FIRST_GROUP = 128
"""Bytes from this one on stand for groups in brackets; they are no ASCII, so that no formula holds them."""
_POWERS = 10.0 ** np.arange(MOST_DIGITS + 1)


def token_amounts(formulas: Sequence[str], place: Mapping[str, int]) -> NDArray[np.float64] | None:
    """Reads how much of each token formulas state, shape ``n x len(place)``; None if one cannot be read.

    Args:
        formulas: such as ``LiNi0.8Mn0.1Co0.1O2``; a token may stand in one several times, and its amounts add up.
        place: column of each token: symbols of elements, and groups in brackets such as ``(OH)``.
    """
    groups = {token: chr(_FIRST_GROUP + number) for number, token in enumerate(t for t in place if t.startswith("("))}
    columns = np.full(256 * 256, -1, dtype=np.int64)
    for token, column in place.items():
        columns[_code(groups.get(token, token))] = column
    columns[_code("\n")] = len(place)
    blocks = []
    for start in range(0, len(formulas), BLOCK):
        found = _block(formulas[start : start + BLOCK], groups, columns, len(place))
        if found is None:
            return None
        blocks.append(found)
    return np.concatenate(blocks) if blocks else np.empty((0, len(place)))


def _block(
    formulas: Sequence[str], groups: Mapping[str, str], columns: NDArray[np.int64], width: int
) -> NDArray[np.float64] | None:
    text = "\n".join(formulas) + "\n"
    if not text.isascii() or text.count("\n") != len(formulas):
        return None
    for token, character in groups.items():
        text = text.replace(token, character)
    data = np.frombuffer(text.encode("latin-1"), dtype=np.uint8)
    kinds = _kinds()[data]
    is_head = (kinds == _HEAD) | (kinds == _END)
    heads = np.flatnonzero(is_head)
    after_end = kinds[heads[kinds[heads] == _END][:-1] + 1]
    if not kinds.all() or heads[0] != 0 or ((after_end != _HEAD) & (after_end != _END)).any():
        return None
    lowers = np.flatnonzero(kinds == _LOWER)
    if (kinds[lowers - 1] != _HEAD).any():
        return None
    second = np.append(data, np.uint8(0))[heads + 1].astype(np.int64)
    second[np.append(kinds, np.uint8(0))[heads + 1] != _LOWER] = 0
    tokens = columns[data[heads].astype(np.int64) * 256 + second]
    numbers = _numbers(data, kinds, heads, is_head)
    ends = tokens == width
    if (tokens < 0).any() or numbers is None:
        return None
    cells = (np.cumsum(ends) - ends) * (width + 1) + tokens
    counted = np.bincount(cells, weights=numbers, minlength=len(formulas) * (width + 1))
    return np.asarray(counted, dtype=np.float64).reshape(len(formulas), width + 1)[:, :-1]


def _numbers(
    data: NDArray[np.uint8], kinds: NDArray[np.uint8], heads: NDArray[np.int64], is_head: NDArray[np.bool_]
) -> NDArray[np.float64] | None:
    """The amount behind each head, one if none is written; None if one is not a number."""
    stops = np.append(heads[1:], len(data))
    owner = np.cumsum(is_head, dtype=np.int32) - 1
    digits = np.flatnonzero(kinds == _DIGIT)
    points = np.flatnonzero(kinds == _POINT)
    point = np.full(len(heads), -1, dtype=np.int64)
    point[owner[points]] = points
    count = np.bincount(owner[digits], minlength=len(heads))
    if (np.bincount(owner[points], minlength=len(heads)) > (count > 0)).any() or count.max(initial=0) > MOST_DIGITS:
        return None
    # All digits as one whole number, exact in a float, divided once: the result is the nearest float, as by float().
    token = owner[digits]
    behind = stops[token] - 1 - digits - (digits < point[token])
    mantissa = np.bincount(token, weights=(data[digits] - np.uint8(48)) * _POWERS[behind], minlength=len(heads))
    decimals = np.where(point >= 0, stops - 1 - point, 0)
    return np.where(count > 0, mantissa / _POWERS[decimals], 1.0)


@cache
def _kinds() -> NDArray[np.uint8]:
    """What each byte is: a token's start, its second letter, a digit, a point, an end; zero for what is not a part."""
    kinds = np.zeros(256, dtype=np.uint8)
    kinds[ord("A") : ord("Z") + 1] = _HEAD
    kinds[_FIRST_GROUP:] = _HEAD
    kinds[ord("a") : ord("z") + 1] = _LOWER
    kinds[ord("0") : ord("9") + 1] = _DIGIT
    kinds[ord(".")] = _POINT
    kinds[ord("\n")] = _END
    return kinds


def _code(token: str) -> int:
    return ord(token[0]) * 256 + (ord(token[1]) if len(token) > 1 else 0)
