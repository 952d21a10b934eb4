"""A mixture as a parameter: components in roles, each with an amount."""

from __future__ import annotations

import math
from dataclasses import field
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import Field

from invdesign.core.columns import Column, Component
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import bounded, settings
from invdesign.space.mixture.counting import Counting, Group
from invdesign.space.mixture.quantities import Quantities
from invdesign.space.mixture.region import Region
from invdesign.space.mixture.role import DIGITS, MOST_STEPS, Role, RoleLattice, amount_text, role_lattice
from invdesign.space.parameters import each_or_given
from invdesign.surrogates.features.mixture_text import AND, ROLE, mixture_amounts
from invdesign.surrogates.features.smiles import canonical_smiles

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TRIES = 4
"""Changes that are tried for each wanted neighbor."""
LARGEST_INDEX = 2**53


@settings
class Total:
    """A sum of amounts of one or several roles."""

    of: Annotated[list[str], Field(min_length=1)]
    """The roles."""
    equals: float = bounded(default=1.0, gt=0)
    """Their sum, in the unit of the roles."""


@settings
class Mixture:
    """A mixture such as ``EC 0.3 + DMC 0.7 | LiPF6 1 mol/kg``: components in roles, each with an amount.

    A mixture lists its components in the order of the roles and of their lists, so that equal mixtures are equal texts;
    any order can be read. In the unit cube each component has one coordinate, its amount as a share of its largest.
    Every point decodes to a mixture that satisfies the rules.

    Example:
        >>> Mixture(
        ...     roles={
        ...         "solvent": {"components": ["EC", "DMC", "EMC"], "pick": [1, 3], "amount": [0.05, 1], "step": 0.05},
        ...         "salt": {"components": {"LiPF6": "LiPF6"}, "pick": 1, "amount": [0.5, 2], "unit": "mol/kg"},
        ...     }
        ... )

    Raises:
        InputError: naming the role or rule that is invalid, and what would be right.
    """

    roles: Annotated[dict[str, Role], Field(min_length=1, max_length=20)]
    """The roles by name, each a ``Role`` or its mapping, in the order of the text."""
    total: Total | list[Total] | None = None
    """Sums of amounts, no two of a role. By default the first role that is a fraction sums to one."""
    exclude: Annotated[list[tuple[str, str]], Field(max_length=300)] = field(default_factory=list)
    """Pairs of components that must not occur together."""
    require: Annotated[list[tuple[str, str]], Field(max_length=300)] = field(default_factory=list)
    """Pairs of components, the first of which occurs only together with the second."""

    def __post_init__(self) -> None:
        if not any(role.fewest for role in self._roles):
            raise InputError("At least one role must have a component in every mixture. Set a pick of at least 1.")
        repeated = sorted({name for name in self._names if self._names.count(name) > 1})
        if repeated:
            raise InputError(f"'{repeated[0]}' is in two roles. Rename one of them, such as '{repeated[0]} additive'.")
        if not self._counting.size:
            raise InputError(self._emptiness())

    @property
    def dimension(self) -> int:
        return len(self._names)

    @property
    def size(self) -> float:
        """Number of mixtures, counted; infinite if an amount has no step."""
        if any(role.role.step is None and role.low < role.high for role in self._roles):
            return math.inf
        size = self._counting.size
        return size if size < LARGEST_INDEX else float(min(size, int(np.finfo(float).max)))

    @property
    def size_is_exact(self) -> bool:
        return self._counting.size <= LARGEST_INDEX

    @property
    def is_even(self) -> bool:
        return False

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        problem = next(filter(None, self.misfits(values)), None)
        if problem is not None:
            raise InputError(problem)
        return np.clip(self._region.coordinates(self._read(np.asarray(values, dtype=object)) / self._steps), 0.0, 1.0)

    def misfits(self, values: ArrayLike) -> list[str]:
        mixtures = np.asarray(values, dtype=object)
        wished = self._read(mixtures) / self._steps
        steps = self._region.nearest(self._region.coordinates(wished))
        beyond: NDArray[np.bool_] = np.any(np.abs(wished - steps) * self._steps > self._tolerances + 1e-9, axis=1)
        return [
            self._misfit(str(mixture), amounts) if off else ""
            for mixture, amounts, off in zip(mixtures, wished, beyond.tolist(), strict=True)
        ]

    def nearest(self, values: ArrayLike) -> NDArray[np.object_]:
        return self.decode(self._region.coordinates(self._read(np.asarray(values, dtype=object)) / self._steps))

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        return self._written(self._region.nearest(np.asarray(points, dtype=np.float64)))

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self._region.coordinates(self._counting.draw(n, rng))

    def at(self, places: NDArray[np.int64]) -> NDArray[np.object_]:
        if not self.size_is_exact or math.isinf(self.size):
            raise InputError("These mixtures cannot be enumerated: give every amount a step, and use fewer components.")
        return self._written(self._counting.at(np.asarray(places, dtype=np.int64)))

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        """Mixtures in the order of the space, amounts as they were made; what cannot be read stays as it is."""
        return each_or_given(values, lambda value: self._as_made(self._read(np.array([value], dtype=object)))[0])

    def as_proposed(self, values: ArrayLike) -> NDArray[np.object_]:
        """The nearest mixtures whose amounts are on the steps."""
        return self.decode(self.encode(values))

    def neighbors(self, mixture: str, rng: np.random.Generator, n: int) -> NDArray[np.object_]:
        """Mixtures that are one small change away: an amount changed, a component replaced, added or left out.

        Args:
            mixture: of the space.
            rng: source of randomness.
            n: largest number of mixtures.

        Returns:
            Different mixtures, none of them the given one.
        """
        found = self.mutated(np.repeat(np.array([mixture], dtype=object), TRIES * n), rng)
        itself = self.as_proposed([mixture])[0]
        return np.array([other for other in dict.fromkeys(found.tolist()) if other != itself][:n], dtype=object)

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        return self._written(self._region.mutated(self._lattice_steps(values), rng, step))

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        return self._written(self._region.crossed(self._lattice_steps(first), self._lattice_steps(second), rng))

    def derived(self, name: str, values: NDArray[Any]) -> NDArray[np.float64] | None:
        """A quantity such as ``count``, ``share('EC')`` or ``moles('LiPF6')``; see ``Quantities``."""
        return Quantities(self._roles).value(name, self._read(np.asarray(values, dtype=object)))

    def column(self, name: str) -> Column:
        """Describes the column; its values are the names of the components."""
        return Column(name, "mixture", values=self._names, components=self._components)

    @cached_property
    def _components(self) -> tuple[Component, ...]:
        components = []
        for role in self._roles:
            for component, what in role.components:
                smiles = what if what and canonical_smiles([what])[0] is not None else ""
                components.append(
                    Component(
                        component,
                        role.name,
                        smiles=smiles,
                        formula="" if smiles else what,
                        unit=role.role.unit,
                        largest=role.high * role.step,
                    )
                )
        return tuple(components)

    def _lattice_steps(self, values: ArrayLike) -> NDArray[np.int64]:
        return self._region.nearest(self.encode(values))

    def _read(self, mixtures: NDArray[np.object_]) -> NDArray[np.float64]:
        """Amounts in the units of the roles, shape ``n x components``."""
        return mixture_amounts(mixtures.tolist(), self._units)

    def _written(self, steps: NDArray[np.int64]) -> NDArray[np.object_]:
        return self._texts(steps, [role.texts for role in self._roles for _ in range(role.size)])

    def _as_made(self, amounts: NDArray[np.float64]) -> NDArray[np.object_]:
        units = np.rint(amounts * 10**DIGITS).astype(np.int64)
        texts = [{int(value): amount_text(int(value), DIGITS) for value in column} for column in units.T]
        return self._texts(units, texts)

    def _texts(self, numbers: NDArray[np.int64], texts: Any) -> NDArray[np.object_]:
        """Joins the texts of the amounts of each row.

        Args:
            numbers: of each component, shape ``n x components``.
            texts: of each component, by number.
        """
        rows, columns = np.nonzero(numbers)
        parts: list[list[list[str]]] = [[] for _ in range(len(numbers))]
        last = [-1] * len(numbers)
        roles = self._role_of
        for row, column, number in zip(rows.tolist(), columns.tolist(), numbers[rows, columns].tolist(), strict=True):
            text = f"{self._names[column]} {texts[column][number]}{self._suffixes[column]}"
            if last[row] == roles[column]:
                parts[row][-1].append(text)
            else:
                parts[row].append([text])
                last[row] = roles[column]
        found = np.empty(len(numbers), dtype=object)
        found[:] = [ROLE.join(AND.join(one) for one in row) for row in parts]
        return found

    def _misfit(self, mixture: str, wished: NDArray[np.float64]) -> str:
        steps = np.rint(wished)[None, :].astype(np.int64)
        present = (wished > 0)[None, :]
        problem = self._region.problems(np.where(present, np.maximum(steps, 1), 0))[0]
        stepped = ", ".join(f"{role.step:g} for {role.name}" for role in self._roles)
        return f"The mixture '{mixture}' is not in this space: {problem or f'the steps are {stepped}'}."

    def _emptiness(self) -> str:
        """Names what excludes all mixtures."""
        if self.exclude or self.require:
            plain = Counting(self._roles, self._groups)
            if plain.size:
                return "No mixture satisfies exclude and require. Remove some of the pairs."
        for group in self._groups:
            roles = [self._roles[role] for role in group.roles]
            if group.total is not None:
                most, least = (
                    sum(role.most * role.high for role in roles),
                    sum(role.fewest * role.low for role in roles),
                )
                names = " and ".join(role.name for role in roles)
                step = roles[0].step
                return (
                    f"The amounts of {names} cannot sum to {group.total * step:g}: with these picks and amounts they "
                    f"sum to {least * step:g} at least and {most * step:g} at most, in steps of {step:g}."
                )
        return "No mixture satisfies the rules."  # pragma: no cover - free amounts always do

    @cached_property
    def _roles(self) -> tuple[RoleLattice, ...]:
        return tuple(role_lattice(name, role) for name, role in self.roles.items())

    @cached_property
    def _names(self) -> tuple[str, ...]:
        return tuple(name for role in self._roles for name, _ in role.components)

    @cached_property
    def _units(self) -> dict[str, str]:
        return {name: role.role.unit for role in self._roles for name, _ in role.components}

    @cached_property
    def _suffixes(self) -> list[str]:
        return [f" {unit}" if unit else "" for unit in self._units.values()]

    @cached_property
    def _role_of(self) -> list[int]:
        return [place for place, role in enumerate(self._roles) for _ in range(role.size)]

    @cached_property
    def _steps(self) -> NDArray[np.float64]:
        return np.array([role.step for role in self._roles for _ in range(role.size)])

    @cached_property
    def _tolerances(self) -> NDArray[np.float64]:
        return np.array([role.tolerance for role in self._roles for _ in range(role.size)])

    @cached_property
    def _groups(self) -> tuple[Group, ...]:
        place = {role.name: position for position, role in enumerate(self._roles)}
        found: list[Group] = []
        for total in self._totals():
            for name in total.of:
                if name not in place:
                    raise InputError(f"total refers to unknown role '{name}'.{nearest(name, place)}")
            roles = tuple(place[name] for name in total.of)
            if any(role in group.roles for group in found for role in roles) or len(set(roles)) < len(roles):
                raise InputError("A role can be in one total only. Combine the totals, or use a constraint.")
            found.append(Group(roles, self._whole(total, [self._roles[role] for role in roles])))
        rest = [position for position in range(len(self._roles)) if not any(position in group.roles for group in found)]
        return (*found, *(Group((position,), None) for position in rest))

    def _totals(self) -> list[Total]:
        if self.total is not None:
            return self.total if isinstance(self.total, list) else [self.total]
        fractions = [role.name for role in self._roles if not role.role.unit]
        return [Total(of=fractions[:1])] if fractions else []

    def _whole(self, total: Total, roles: list[RoleLattice]) -> int:
        """The sum of a total in steps."""
        names = " and ".join(role.name for role in roles)
        if len({(role.step, role.role.unit, "" if role.role.unit else role.role.basis) for role in roles}) > 1:
            raise InputError(f"{names} have one total, so they need the same step, unit and basis.")
        steps = total.equals / roles[0].step
        if steps > MOST_STEPS:
            raise InputError(
                f"The total {total.equals:g} of {names} is more than {MOST_STEPS:,} steps. Use a larger step."
            )
        if abs(steps - round(steps)) > 1e-6:
            raise InputError(f"A step of {roles[0].step:g} does not divide the total {total.equals:g} of {names}.")
        return round(steps)

    @cached_property
    def _counting(self) -> Counting:
        return Counting(self._roles, self._groups, self._pairs("exclude"), self._pairs("require"))

    def _pairs(self, rule: str) -> tuple[tuple[int, int], ...]:
        found = []
        for one, other in getattr(self, rule):
            for name in (one, other):
                if name not in self._names:
                    raise InputError(f"{rule} refers to unknown component '{name}'.{nearest(name, self._names)}")
            if one == other:
                raise InputError(f"{rule}: ['{one}', '{other}'] is not a pair of two different components.")
            found.append((self._names.index(one), self._names.index(other)))
        return tuple(found)

    @cached_property
    def _region(self) -> Region:
        return Region(self._counting)
