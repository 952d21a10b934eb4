"""Many strings in little memory: one buffer of bytes and an index by hash, instead of an object each."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class PackedStrings(Sequence[str]):
    """A sequence of strings that reads, compares and hashes like a tuple of them.

    A million SMILES of 45 characters take about 65 MB, where a tuple and a dict of them take about 250 MB.

    Args:
        strings: what it holds, in this order.
    """

    def __init__(self, strings: Iterable[str] = ()) -> None:
        self._bytes = bytearray()
        self._ends = array("Q")
        self._hashes = array("Q")
        self.extend(strings)

    def extend(self, strings: Iterable[str]) -> None:
        """Adds strings at the end; only before any of them was looked up or the whole was hashed."""
        for text in strings:
            encoded = text.encode()
            self._bytes += encoded
            self._ends.append(len(self._bytes))
            self._hashes.append(_hash(encoded))

    def places(self, strings: Sequence[object]) -> NDArray[np.int64]:
        """The first place of each string, -1 where it is not held, shape ``len(strings)``."""
        found = np.full(len(strings), -1, dtype=np.int64)
        hashes, order = self._index
        for row, text in enumerate(strings):
            if not isinstance(text, str):
                continue
            encoded = text.encode()
            number = np.uint64(_hash(encoded))
            start = int(np.searchsorted(hashes, number))
            while start < len(order) and hashes[start] == number:
                place = int(order[start])
                if self._encoded(place) == encoded:
                    found[row] = place
                    break
                start += 1
        return found

    def repeated(self) -> dict[int, int]:
        """The places that hold a string which stands at an earlier place already, each with the first such place."""
        hashes, order = self._index
        again = np.flatnonzero(hashes[1:] == hashes[:-1]) + 1
        first = np.searchsorted(hashes, hashes[again])
        repeats: dict[int, int] = {}
        for start, end in zip(first.tolist(), again.tolist(), strict=True):
            place = int(order[end])
            twins = (int(other) for other in order[start:end] if self._encoded(int(other)) == self._encoded(place))
            earliest = next(twins, None)  # None if two different strings share a hash
            if earliest is not None:
                repeats[place] = earliest
        return repeats

    def without(self, places: Iterable[int]) -> PackedStrings:
        """The strings that do not stand at the given places, in their order."""
        left_out = set(places)
        if not left_out:
            return self
        kept = PackedStrings()
        kept.extend(self[place] for place in range(len(self)) if place not in left_out)
        return kept

    def taken(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        """The strings at places, as an array."""
        strings = np.empty(len(places), dtype=object)
        strings[:] = [self._encoded(place).decode() for place in places.tolist()]
        return strings

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self._encoded(each).decode() for each in range(*place.indices(len(self))))
        return self._encoded(range(len(self))[place]).decode()

    def __len__(self) -> int:
        return len(self._ends)

    def __iter__(self) -> Iterator[str]:
        start = 0
        for end in self._ends:
            yield self._bytes[start:end].decode()
            start = end

    def __contains__(self, text: object) -> bool:
        return bool(self.places([text])[0] >= 0)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, PackedStrings):
            return self._ends == other._ends and self._bytes == other._bytes
        if isinstance(other, tuple):
            return len(self) == len(other) and all(mine == theirs for mine, theirs in zip(self, other, strict=True))
        return NotImplemented

    def __hash__(self) -> int:
        return self._tuple_hash

    def __repr__(self) -> str:
        return f"<{len(self):,} strings>"

    def __getstate__(self) -> tuple[bytes, bytes, bytes]:
        # The hash of a tuple of strings differs from process to process, so it is not sent along.
        return bytes(self._bytes), self._ends.tobytes(), self._hashes.tobytes()

    def __setstate__(self, state: tuple[bytes, bytes, bytes]) -> None:
        self._bytes = bytearray(state[0])
        self._ends, self._hashes = array("Q", state[1]), array("Q", state[2])

    @cached_property
    def _tuple_hash(self) -> int:
        return hash(tuple(self))  # equal to a tuple, so it must hash like one

    @cached_property
    def _index(self) -> tuple[NDArray[np.uint64], NDArray[np.uint32]]:
        """Hashes in ascending order, and the place of each; equal hashes in the order of their places."""
        hashes = np.frombuffer(self._hashes, dtype=np.uint64) if len(self._hashes) else np.empty(0, dtype=np.uint64)
        order = np.argsort(hashes, kind="stable").astype(np.uint32)
        return hashes[order], order

    def _encoded(self, place: int) -> bytearray:
        return self._bytes[self._ends[place - 1] if place else 0 : self._ends[place]]


def _hash(encoded: bytes) -> int:
    """64 bits that are the same in every process."""
    return int.from_bytes(hashlib.blake2b(encoded, digest_size=8).digest(), "little")
