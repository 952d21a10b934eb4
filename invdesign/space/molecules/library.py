"""A library of molecules: a scaffold and the substituents of its attachment points."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import field
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any, overload

import numpy as np

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.settings import settings
from invdesign.space.molecules.decomposition import Decomposition
from invdesign.space.molecules.fragments import Fragment, joined, scaffold_fragment, substituent_fragment
from invdesign.space.parameters import PlainParameter
from invdesign.surrogates.features.smiles import canonical_or_given, canonical_smiles, smiles_problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

LARGEST_COUNT = 200_000
"""Members up to which a library is enumerated, to count the distinct ones or to find a molecule."""
SHOWN = 2_000
"""Members, at even distances, that stand for the library where a model fits its features."""
KEPT = 200_000
RINGS_PER_FRAGMENT = 100


@settings
class MoleculeLibrary(PlainParameter):
    """All molecules of a scaffold with a choice of substituents, enumerated on demand.

    In the unit cube each attachment point takes a coordinate a substituent, of which the largest wins, so that
    optimizers search by substituents. Doan et al. (2020, doi:10.1021/acs.chemmater.0c00768) searched such a library of
    112,000 homobenzylic ethers.

    Where the scaffold has a symmetry, two choices may give one molecule (methyl left and ethyl right, or the other way
    round). Such molecules count as often as they can be chosen in ``size`` and are drawn that much more often;
    ``distinct_size`` counts each once.

    Example:
        >>> MoleculeLibrary("COC([*:1])c1ccc([*:2])cc1", {"R1": ["[H]", "*C"], "R2": ["*OC", "*C#N", "*N(C)C"]})

    Raises:
        InputError: if a SMILES cannot be read, or attachment points and substituents do not match.
    """

    scaffold: str
    """SMILES with attachment points ``[*:1]``, ``[*:2]``, ..."""
    substituents: dict[str, tuple[str, ...]] = field(hash=False)
    """For each attachment point (``R1`` for ``[*:1]``), SMILES with one point ``*`` each, or ``[H]``. One may bear
    numbered points of its own, as ``*O[*:2]`` does, if all alternatives to it do."""

    def __post_init__(self) -> None:
        if len(set(self._numbers)) < len(self._numbers):
            raise InputError(f"Two of {', '.join(self.substituents)} refer to the same attachment point.")
        for name, listed in zip(self._names, self._fragments, strict=True):
            if not listed:
                raise InputError(f"'{name}' lists no substituents. Give one or more, such as [H] and '*C'.")
            if len({fragment.text for fragment in listed}) < len(listed):
                raise InputError(f"'{name}' lists a substituent twice.")
        self._check_points()
        _ = self._builds((0,) * len(self.substituents))

    @property
    def dimension(self) -> int:
        return sum(self._counts)

    @property
    def size(self) -> float:
        return float(math.prod(self._counts))

    def distinct_size(self) -> int | None:
        """Number of different molecules; None if the library is too large to enumerate."""
        return len(self._enumerated) if self.size <= LARGEST_COUNT else None

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        molecules = np.asarray(values, dtype=object)
        points = np.zeros((len(molecules), self.dimension))
        for row, molecule in enumerate(molecules):
            points[row, self._starts + np.array(self.choices_of(molecule))] = 1.0
        return points

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        blocks = np.split(np.asarray(points), self._starts[1:], axis=1)
        chosen = np.stack([np.argmax(block, axis=1) for block in blocks], axis=1)
        return self._molecules(chosen)

    def sampled(self, n: int, rng: np.random.Generator) -> NDArray[np.object_]:
        return self.decode(self.draw(n, rng))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._molecules(self._at(places))

    def written_at(self, places: NDArray[np.int64]) -> list[str]:
        """The molecules at some places as they are put together, not in canonical form; RDKit may not read each."""
        return [self._text(tuple(row)) for row in self._at(places).tolist()]

    def _at(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        chosen = np.empty((len(places), len(self._counts)), dtype=np.int64)
        rest = np.asarray(places, dtype=object)  # Python's own integers: a library may hold more than 2^63
        for column in range(len(self._counts) - 1, -1, -1):
            chosen[:, column] = rest % self._counts[column]
            rest = rest // self._counts[column]
        return chosen

    def choices_of(self, molecule: object) -> tuple[int, ...]:
        """Which substituents make a molecule, by their places in the lists; the first where several choices do.

        Raises:
            InputError: if the molecule is not of the library.
        """
        smiles = canonical_smiles([molecule])[0]
        found = self._finder(smiles) if smiles is not None else None
        if found is None:
            raise InputError(self._refusal(molecule))
        return found

    @property
    def learnable(self) -> bool:
        """The features of a molecule do not depend on the library."""
        return True

    def unlisted(self, values: ArrayLike) -> list[str]:
        molecules = np.asarray(values, dtype=object)
        found = []
        for molecule, smiles in zip(molecules, canonical_smiles(molecules), strict=True):
            if smiles is None:
                raise InputError(f"{molecule!r} is not a molecule that RDKit can read: {smiles_problem(molecule)}.")
            found.append("" if self._finder(smiles) is not None else self._refusal(molecule))
        return found

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        """One child of each molecule: one substituent, of those with a choice, is exchanged for another."""
        chosen, counts = self._chosen(values), np.array(self._counts)
        free = np.flatnonzero(counts > 1)
        if free.size:
            column = free[rng.integers(0, free.size, len(chosen))]
            shift = 1 + (rng.random(len(chosen)) * (counts[column] - 1)).astype(np.int64)
            rows = np.arange(len(chosen))
            chosen[rows, column] = (chosen[rows, column] + shift) % counts[column]
        return self._molecules(chosen)

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        """One child of each pair: every substituent from either parent."""
        one, other = self._chosen(first), self._chosen(second)
        return self._molecules(np.where(rng.random(one.shape) < 0.5, one, other))

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        return np.array(canonical_or_given(np.asarray(values, dtype=object)), dtype=object)

    def column(self, name: str) -> Column:
        return Column(name, "molecule", values=self._shown)

    def _refusal(self, molecule: object) -> str:
        return f"{molecule!r} is not one of the library's {self.size:,.0f} molecules."

    def _chosen(self, values: ArrayLike) -> NDArray[np.int64]:
        """The substituents of molecules by their places in the lists, shape ``n x attachment points``."""
        choices = [self.choices_of(molecule) for molecule in np.asarray(values, dtype=object)]
        return np.array(choices, dtype=np.int64).reshape(-1, len(self._counts))

    def _molecules(self, chosen: NDArray[np.int64]) -> NDArray[np.object_]:
        strings = np.empty(len(chosen), dtype=object)
        strings[:] = [self._builder(tuple(row)) for row in chosen.tolist()]
        return strings

    def _builds(self, choice: tuple[int, ...]) -> str:
        from rdkit import Chem

        molecule: Any = Chem.MolFromSmiles(self._text(choice))
        if molecule is None:
            used = ", ".join(
                f"{name}={self.substituents[name][at]}" for name, at in zip(self._names, choice, strict=True)
            )
            raise InputError(f"The scaffold {self.scaffold!r} with {used} is not a molecule that RDKit can read.")
        return str(Chem.MolToSmiles(molecule))

    def _text(self, choice: tuple[int, ...]) -> str:
        text = self._scaffold.text
        for column in self._order:
            fragment = self._fragments[column][choice[column]]
            text = joined(text, self._numbers[column], fragment, RINGS_PER_FRAGMENT * (column + 1))
        return text

    def _check_points(self) -> None:
        open_points = dict(self._scaffold.points)
        for column, number in enumerate(self._numbers):
            listed = [fragment.points for fragment in self._fragments[column]]
            if any(points.keys() != listed[0].keys() for points in listed):
                raise InputError(
                    f"The substituents of [*:{number}] bear different attachment points; all need the same."
                )
            for inner, bond in listed[0].items():
                if inner in open_points:
                    raise InputError(f"The attachment point [*:{inner}] appears twice in the library.")
                open_points[inner] = bond
        for number in sorted(open_points.keys() - set(self._numbers)):
            raise InputError(f"The attachment point [*:{number}] has no substituents. Add 'R{number}: [...]'.")
        for name, number in zip(self._names, self._numbers, strict=True):
            if number not in open_points:
                have = ", ".join(f"[*:{point}]" for point in sorted(open_points))
                raise InputError(
                    f"'{name}' belongs to [*:{number}], which is not in the scaffold. The scaffold has {have}."
                )
            for fragment in self._fragments[self._numbers.index(number)]:
                if fragment.bond != open_points[number]:
                    raise InputError(
                        f"The substituent {fragment.smiles!r} of '{name}' is bound by a {fragment.bond_word} bond, "
                        f"unlike the attachment point [*:{number}]."
                    )
        if len(self._order) < len(self._numbers):
            raise InputError("Some substituents refer to each other's attachment points in a circle.")

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(self.substituents)

    @cached_property
    def _numbers(self) -> tuple[int, ...]:
        return tuple(_number(name) for name in self._names)

    @cached_property
    def _counts(self) -> tuple[int, ...]:
        return tuple(len(self.substituents[name]) for name in self._names)

    @cached_property
    def _starts(self) -> NDArray[np.int64]:
        return np.concatenate([[0], np.cumsum(self._counts)[:-1]]).astype(np.int64)

    @cached_property
    def _scaffold(self) -> Fragment:
        return scaffold_fragment(self.scaffold)

    @cached_property
    def _fragments(self) -> tuple[tuple[Fragment, ...], ...]:
        return tuple(
            tuple(substituent_fragment(smiles, _number(name)) for smiles in self.substituents[name])
            for name in self._names
        )

    @cached_property
    def _order(self) -> tuple[int, ...]:
        """Columns of substituents, a point's bearer before the point."""
        reached = set(self._scaffold.points)
        order: list[int] = []
        while len(order) < len(self._numbers):
            ready = [at for at, number in enumerate(self._numbers) if at not in order and number in reached]
            if not ready:
                break
            order += ready
            reached |= {point for at in ready for point in self._fragments[at][0].points}
        return tuple(order)

    @cached_property
    def _builder(self) -> Any:
        return lru_cache(maxsize=KEPT)(self._builds)

    @cached_property
    def _finder(self) -> Any:
        return lru_cache(maxsize=KEPT)(self._find)

    def _find(self, smiles: str) -> tuple[int, ...] | None:
        found = self._decomposition.choices(smiles)
        exact = next((choice for choice in found if self._builder(choice) == smiles), None)
        if exact is None and self.size <= LARGEST_COUNT:
            return self._enumerated.get(smiles)
        return exact

    @cached_property
    def _decomposition(self) -> Decomposition:
        return Decomposition(self._scaffold, self._numbers, self._fragments)

    @cached_property
    def _enumerated(self) -> dict[str, tuple[int, ...]]:
        members: dict[str, tuple[int, ...]] = {}
        for choice in itertools.product(*map(range, self._counts)):
            members.setdefault(self._builds(choice), choice)
        return members

    @cached_property
    def _shown(self) -> LibraryMembers:
        return LibraryMembers(self, min(SHOWN, int(self.size)))

    def __getstate__(self) -> dict[str, Any]:
        return {"scaffold": self.scaffold, "substituents": self.substituents}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def _number(name: str) -> int:
    found = re.fullmatch(r"[A-Za-z_]*?(\d+)", str(name))
    if found is None:
        raise InputError(f"'{name}' is not an attachment point. Use R1 for [*:1], R2 for [*:2] and so on.")
    return int(found[1])


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
