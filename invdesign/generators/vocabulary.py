"""The SELFIES symbols that a generator writes molecules with (Krenn et al. 2020, doi:10.1088/2632-2153/aba947)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from numpy.typing import NDArray

END, START = 0, 1
"""Codes of the end of a molecule, which also fills up shorter ones, and of its start."""
SPECIAL = ("[end]", "[start]")


@dataclass(frozen=True)
class Vocabulary:
    """Symbols and their codes.

    Attributes:
        symbols: the special ones first.
    """

    symbols: tuple[str, ...]

    @classmethod
    def of(cls, written: Sequence[Sequence[str]]) -> Vocabulary:
        """The vocabulary of written molecules."""
        return cls((*SPECIAL, *sorted({symbol for symbols in written for symbol in symbols})))

    def codes(self, written: Sequence[Sequence[str]]) -> NDArray[np.int64]:
        """Codes of molecules with an end each, filled up with ends, shape ``n x (longest + 1)``."""
        longest = max((len(symbols) for symbols in written), default=0) + 1
        codes = np.full((len(written), longest), END, dtype=np.int64)
        for row, symbols in enumerate(written):
            codes[row, : len(symbols)] = [self._code[symbol] for symbol in symbols]
        return codes

    def text(self, codes: Sequence[int]) -> str:
        """The SMILES of codes up to the first end, not canonical; empty where they stand for no atom."""
        import selfies

        symbols = []
        for code in codes:
            if code == END:
                break
            symbols.append(self.symbols[code])
        return str(selfies.decoder("".join(symbols)))

    def knows(self, symbols: Sequence[str]) -> bool:
        """Whether all symbols are in the vocabulary."""
        return all(symbol in self._code for symbol in symbols)

    @cached_property
    def _code(self) -> dict[str, int]:
        return {symbol: code for code, symbol in enumerate(self.symbols)}


def written(smiles: str) -> tuple[str, ...] | None:
    """A molecule as SELFIES symbols; None if SELFIES cannot write it."""
    import selfies

    try:
        return tuple(selfies.split_selfies(selfies.encoder(smiles)))
    except selfies.EncoderError:
        return None


def checked_symbols(symbols: object) -> tuple[str, ...]:
    """Symbols as read from a file.

    Raises:
        InputError: if they are not those of a vocabulary.
    """
    if not (isinstance(symbols, list) and all(isinstance(one, str) for one in symbols)):
        raise InputError("The symbols of the generator are damaged. Train it again.")
    if tuple(symbols[:2]) != SPECIAL:
        raise InputError("The symbols of the generator do not start as expected. Train it again.")
    return tuple(symbols)
