"""Numbers that follow from a mixture, for constraints: shares, counts, masses, moles and the cost."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.core.errors import InputError, nearest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.mixture.role import RoleLattice

GRAMS = 1000.0
"""Grams of all fractions together, which molalities refer to."""


@dataclass(frozen=True)
class Quantities:
    """The quantities of mixtures, by the words of a constraint such as ``electrolyte.share("EC")``.

    ``count`` or ``count("solvent")``: number of components. ``amount("EC")`` or ``total("solvent")``: in the unit of
    the role. ``share("EC")``: of the amounts of its role. ``mass("EC")``: mass fraction of the mixture.
    ``moles("EC")``: mol per kilogram of all fractions. ``cost``: per kilogram, from prices per kilogram.

    Attributes:
        roles: of the mixture.
    """

    roles: tuple[RoleLattice, ...]

    def value(self, quantity: str, amounts: NDArray[np.float64]) -> NDArray[np.float64] | None:
        """A quantity of mixtures, shape ``n``; None if there is none of that name.

        Args:
            quantity: such as ``share('EC')`` or ``count``.
            amounts: of all components in their units, shape ``n x components``.

        Raises:
            InputError: if it names an unknown component or role, or a molar mass, density or price is missing.
        """
        word, argument = _parsed(quantity)
        if word == "count":
            return (amounts[:, self._columns(argument)] > 0).sum(axis=1).astype(np.float64)
        if word == "total" and argument is not None:
            return np.asarray(amounts[:, self._columns(argument)].sum(axis=1))
        if word == "cost" and argument is None:
            return np.asarray(self._mass_fractions(amounts) @ self._prices)
        if argument is None or word not in ("amount", "share", "mass", "moles"):
            return None
        column = self._place(argument)
        if word == "amount":
            return amounts[:, column]
        if word == "share":
            role = next(part for part in self._parts.values() if part.start <= column < part.stop)
            total = amounts[:, role].sum(axis=1)
            return np.divide(amounts[:, column], total, out=np.zeros(len(amounts)), where=total > 0)
        if word == "mass":
            return np.asarray(self._mass_fractions(amounts)[:, column])
        return np.asarray(self._grams(amounts)[:, column] / self._molar_mass(column))

    def _grams(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        """Grams of each component, all fractions together being a kilogram."""
        grams = np.zeros_like(amounts)
        for role in self.roles:
            for column in range(*self._parts[role.name].indices(amounts.shape[1])):
                present = amounts[:, column] > 0
                if present.any() and not role.role.unit:
                    grams[:, column] = amounts[:, column] * self._grams_per(role, column)
        total = grams.sum(axis=1, keepdims=True)
        grams *= np.divide(GRAMS, total, out=np.zeros_like(total), where=total > 0)
        for role in self.roles:
            if role.role.unit == "mol/l":
                raise InputError(f"Amounts of {role.name} in mol/l cannot be converted to masses. Use mol/kg.")
            if role.role.unit:
                for column in range(*self._parts[role.name].indices(amounts.shape[1])):
                    if (amounts[:, column] > 0).any():
                        grams[:, column] = amounts[:, column] * self._molar_mass(column)
        return grams

    def _mass_fractions(self, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
        grams = self._grams(amounts)
        total = grams.sum(axis=1, keepdims=True)
        return np.divide(grams, total, out=np.zeros_like(grams), where=total > 0)

    def _grams_per(self, role: RoleLattice, column: int) -> float:
        name = self.names[column]
        if role.role.basis == "mole":
            return self._molar_mass(column)
        if role.role.basis == "volume":
            if name not in role.role.densities:
                raise InputError(f"The density of {name} is missing. Give it, such as densities: {{{name}: 1.2}}.")
            return role.role.densities[name]
        return 1.0

    def _molar_mass(self, column: int) -> float:
        what = self._described[column]
        mass = molar_mass(what) if what else None
        if mass is None:
            raise InputError(f"The molar mass of {self.names[column]} is unknown. Give its SMILES or formula.")
        return mass

    @cached_property
    def names(self) -> tuple[str, ...]:
        """The components in order."""
        return tuple(name for role in self.roles for name, _ in role.components)

    @cached_property
    def _described(self) -> tuple[str, ...]:
        return tuple(what for role in self.roles for _, what in role.components)

    @cached_property
    def _prices(self) -> NDArray[np.float64]:
        missing = [name for role in self.roles for name, _ in role.components if name not in role.role.prices]
        if missing:
            raise InputError(f"The price of {missing[0]} is missing. Give it, such as prices: {{{missing[0]}: 20}}.")
        return np.array([role.role.prices[name] for role in self.roles for name, _ in role.components])

    @cached_property
    def _parts(self) -> dict[str, slice]:
        parts, start = {}, 0
        for role in self.roles:
            parts[role.name] = slice(start, start + role.size)
            start += role.size
        return parts

    def _columns(self, role: str | None) -> slice:
        if role is None:
            return slice(None)
        if role not in self._parts:
            raise InputError(f"Unknown role '{role}'.{nearest(role, self._parts)}")
        return self._parts[role]

    def _place(self, component: str) -> int:
        if component not in self.names:
            raise InputError(f"Unknown component '{component}'.{nearest(component, self.names)}")
        return self.names.index(component)


def molar_mass(what: str) -> float | None:
    """Molar mass in g/mol of a SMILES or a formula; None if it is neither."""
    from pymatgen.core.composition import Composition
    from rdkit import Chem
    from rdkit.Chem import Descriptors
    from rdkit.rdBase import BlockLogs

    blocked = BlockLogs()
    molecule: Any = Chem.MolFromSmiles(what)
    del blocked
    if molecule is not None:
        return float(Descriptors.MolWt(molecule))  # type: ignore[attr-defined]
    try:
        return float(Composition(what).weight)
    except ValueError:
        return None


def _parsed(quantity: str) -> tuple[str, str | None]:
    """The word and the quoted argument of a quantity such as ``share('EC')``."""
    node = ast.parse(quantity, mode="eval").body
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        arguments: Sequence[object] = [one.value for one in node.args if isinstance(one, ast.Constant)]
        return node.func.id, str(arguments[0]) if arguments else None
    return quantity, None
