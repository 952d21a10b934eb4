"""Some members of a library of molecules, made when one is asked for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, overload

import numpy as np

if TYPE_CHECKING:
    from invdesign.space.molecules.library import MoleculeLibrary


class LibraryMembers(Sequence[str]):
    """Members of a library at even distances, made when one is asked for.

    Args:
        library: of which they are.
        length: how many.
    """

    def __init__(self, library: MoleculeLibrary, length: int) -> None:
        self.library = library
        self.length = length

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[str, ...]: ...
    def __getitem__(self, place: int | slice) -> str | tuple[str, ...]:
        if isinstance(place, slice):
            return tuple(self[each] for each in range(*place.indices(self.length)))
        member = range(self.length)[place] * int(self.library.size) // self.length
        return str(self.library.at(np.array([member], dtype=object))[0])

    def __len__(self) -> int:
        return self.length

    def __iter__(self) -> Iterator[str]:
        return (self[place] for place in range(self.length))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LibraryMembers) and (self.library, self.length) == (other.library, other.length)

    def __hash__(self) -> int:
        return hash((self.library, self.length))
