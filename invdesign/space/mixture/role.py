"""One role of a mixture, such as its solvents: the components to choose from, how many, and how much of each."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from invdesign.core.errors import InputError
from invdesign.core.settings import InputFile, Real, bounded, settings
from invdesign.core.tables import read_table
from invdesign.core.text_files import DEFAULT_LIMITS, open_text
from invdesign.space.parameters import decimals
from invdesign.surrogates.features.mixture_text import AND, ROLE
from invdesign.surrogates.features.smiles import canonical_smiles

Basis = Literal["mass", "mole", "volume"]
RoleUnit = Literal["", "mol/kg", "mol/l"]
Count = Annotated[int, Field(ge=0, strict=True)]
FINEST_STEP = 1e-4
"""Step of amounts that are given none: finer than a balance weighs a fraction."""
DIGITS = 6
MOST_STEPS = 100_000
MOST_PICKED = 100
"""Components of a role in one mixture."""
TEXT_FILES = (".smi", ".smiles", ".txt")


@settings
class Role:
    """Components with one function in a mixture, such as solvents, and their amounts.

    Without ``step``, amounts are multiples of a ten-thousandth.
    """

    components: dict[str, str | None] | list[str] = field(default_factory=list)
    """The components: a list of names, or names with the SMILES or the formula of each (or nothing)."""
    pool: InputFile | None = None
    """File of further components: CSV or .xlsx with a column of SMILES, or .smi with a name after each SMILES."""
    smiles: str = "smiles"
    """Column of SMILES in ``pool``."""
    names: str = "name"
    """Column of names in ``pool``; without it the SMILES are the names."""
    pick: Count | tuple[Count, Count] | None = None
    """Number of components in a mixture, exactly or as [smallest, largest]; at least one by default."""
    amount: tuple[Real, Real] = (0.0, 1.0)
    """Smallest and largest amount of a component that is in the mixture."""
    step: float | None = bounded(default=None, gt=0)
    """Amounts are multiples of this."""
    basis: Basis = "mass"
    """Whether fractions are by mass, mole or volume; for amounts without a unit."""
    unit: RoleUnit = ""
    """Unit of the amounts: empty for fractions, mol/kg for molality (per kilogram of all fractions), or mol/l."""
    densities: dict[str, Annotated[float, Field(gt=0, strict=True)]] = field(default_factory=dict)
    """Densities of components in g/cm^3, which convert volumes to masses."""
    prices: dict[str, Annotated[float, Field(ge=0, strict=True)]] = field(default_factory=dict)
    """Prices of components per kilogram, for the quantity ``cost``."""


@dataclass(frozen=True)
class RoleLattice:
    """A checked role, with amounts as whole numbers of its step.

    Attributes:
        name: of the role.
        role: its settings.
        components: names, and SMILES or formula or nothing.
        fewest: smallest number of components.
        most: largest number of components.
        low: smallest amount of a component in the mixture, in steps, at least one.
        high: largest amount, in steps.
        unit_steps: the step in units of ``10**-digits``.
        digits: number of decimals of the amounts.
    """

    name: str
    role: Role
    components: tuple[tuple[str, str], ...]
    fewest: int
    most: int
    low: int
    high: int
    unit_steps: int
    digits: int

    @property
    def size(self) -> int:
        """Number of components to choose from."""
        return len(self.components)

    @property
    def step(self) -> float:
        """The step of an amount, in the role's unit."""
        return self.unit_steps / 10**self.digits

    @property
    def tolerance(self) -> float:
        """The largest difference between a proposed and a real amount: half a step, or 0.001 of the range."""
        return self.step / 2.0 if self.role.step is not None else 1e-3 * (self.high - self.low) * self.step

    @cached_property
    def texts(self) -> list[str]:
        """The text of each number of steps, from 0 to ``high``."""
        return [amount_text(steps * self.unit_steps, self.digits) for steps in range(self.high + 1)]


def amount_text(amount: int, digits: int) -> str:
    """An amount in units of ``10**-digits`` as text, without zeros at its end."""
    whole, part = divmod(amount, 10**digits)
    return f"{whole}.{str(part).zfill(digits).rstrip('0')}" if part else str(whole)


def role_lattice(name: str, role: Role) -> RoleLattice:
    """Checks a role and counts its amounts in steps.

    Raises:
        InputError: with what is wrong and what would be right.
    """
    components = _components(name, role)
    known = [component for component, _ in components]
    fewest, most = _picks(name, role, len(known))
    low, high = role.amount
    if not 0.0 <= low <= high or high == 0.0:
        raise InputError(
            f"Role {name}: amount must be [smallest, largest] with a positive largest, not [{low}, {high}]."
        )
    step = FINEST_STEP if role.step is None else role.step
    for value in (low, high, step):
        if decimals(value) > DIGITS:
            raise InputError(f"Role {name}: {value!r} has more than {DIGITS} decimals. Round it.")
    digits = max(decimals(low), decimals(high), decimals(step))
    units, least, greatest = (round(value * 10**digits) for value in (step, low, high))
    if greatest // units > MOST_STEPS:
        raise InputError(f"Role {name}: a step of {step:g} up to {high:g} gives more than {MOST_STEPS:,} amounts.")
    if greatest // units < max(1, -(-least // units)):
        raise InputError(f"Role {name}: no multiple of the step {step:g} lies between {low:g} and {high:g}.")
    for what, given in (("densities", role.densities), ("prices", role.prices)):
        for component in given:
            if component not in known:
                raise InputError(f"Role {name}: {what} refers to unknown component '{component}'.")
    return RoleLattice(
        name, role, components, fewest, most, max(1, -(-least // units)), greatest // units, units, digits
    )


def _picks(name: str, role: Role, count: int) -> tuple[int, int]:
    if role.pick is None:
        return 1, min(count, MOST_PICKED)
    fewest, most = (role.pick, role.pick) if isinstance(role.pick, int) else role.pick
    if fewest > most or most < 1:
        raise InputError(f"Role {name}: pick must be a number of components, or [smallest, largest], not {role.pick}.")
    if min(most, count) > MOST_PICKED:
        raise InputError(f"Role {name}: pick must be at most {MOST_PICKED}.")
    if fewest > count:
        raise InputError(f"Role {name}: pick must be at most {count}, the number of components, not {fewest}.")
    return fewest, min(most, count)


def _components(name: str, role: Role) -> tuple[tuple[str, str], ...]:
    """Names, and what each is: canonical SMILES, a formula, or nothing."""
    given: list[tuple[str, str | None]] = (
        list(role.components.items())
        if isinstance(role.components, dict)
        else [(component, None) for component in role.components]
    )
    if role.pool is not None:
        given += _from_file(name, role, Path(role.pool))
    if not given:
        raise InputError(f"Role {name} has no components. List them, such as components: [EC, DMC], or name a pool.")
    found: dict[str, str] = {}
    for component, what in given:
        words = " ".join(str(component).split())
        if not words or AND.strip() in words.split() or ROLE.strip() in words.split():
            raise InputError(f"Role {name}: {component!r} cannot be a component's name, which has no ' + ' or ' | '.")
        if words in found:
            raise InputError(f"Role {name} lists '{words}' more than once. List each component once.")
        found[words] = _described(name, words, what)
    return tuple(found.items())


def _described(role: str, component: str, what: str | None) -> str:
    """The canonical SMILES or the formula of a component."""
    if not what:
        return ""
    smiles = canonical_smiles([what])[0]
    if smiles is not None:
        return smiles
    from invdesign.surrogates.features.formulas import elements_of

    try:
        elements_of([what])
    except InputError:
        raise InputError(
            f"Role {role}: '{what}' of {component} is neither a SMILES nor a formula. Correct it, or leave it empty."
        ) from None
    return what


def _from_file(name: str, role: Role, path: Path) -> list[tuple[str, str | None]]:
    if path.suffix.lower() in TEXT_FILES:
        with open_text(path, DEFAULT_LIMITS) as lines_of_file:
            lines = [line.split(maxsplit=1) for line in lines_of_file]
        return _named(
            (words[0], words[1].strip() if len(words) > 1 else words[0]) for words in lines if _is_entry(words)
        )
    table = read_table(path)
    smiles = [str(value) for value in table.frame[table.find(role.smiles)]]
    named = role.names in [str(column) for column in table.frame.columns]
    names = [str(value) for value in table.frame[role.names]] if named else smiles
    found = _named(zip(smiles, names, strict=True))
    for row, text in enumerate(canonical_smiles(smiles)):
        if text is None:
            raise InputError(
                f"Role {name}: '{path}', {table.place(row)}: {smiles[row]!r} is not a molecule. Correct it."
            )
    return found


def _named(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str | None]]:
    return [(name, smiles) for smiles, name in pairs]


def _is_entry(words: list[str]) -> bool:
    return bool(words) and not words[0].startswith("#") and words[0].lower() != "smiles"
