"""An open-ended space of molecules: all molecules reachable from seeds by small changes, within rules."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import field, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

import numpy as np

from invdesign import datasets
from invdesign.core.columns import Column
from invdesign.core.errors import InputError, quoted
from invdesign.core.settings import STATE, InputFile, OneOf, bounded, settings
from invdesign.space.molecules.files import MoleculeFile
from invdesign.space.molecules.operators import ElementShares, crossed, mutated
from invdesign.space.molecules.rules import MoleculeRules, constitution
from invdesign.space.molecules.selfies_code import SelfiesCode, Symbols
from invdesign.space.molecules.structural_rules import STRUCTURAL_RULES
from invdesign.space.parameters import PlainParameter
from invdesign.surrogates.features.chemists_scores import common_alerts, usual_sa_score
from invdesign.surrogates.features.smiles import MOST_ATOMS, smiles_problem

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray

TRIES = 20
"""Number of moves to try from one molecule."""
WALKERS = 32
LONGEST_WALK = 8
"""Moves between a seed and the first molecule of a walk."""
RESTART = 0.1
MOST_WALKED = 1000
"""Molecules of one draw that are walked to, at some 100 a second; what a larger draw asks beyond is drawn of these."""
KEPT = 50_000
DEFAULT_ELEMENTS = ("C", "H", "N", "O", "F", "S")
SHOWN = 5
"""Invalid seeds that a message lists."""
Alerts = Literal["none", "as-seeds", "any"]


@settings
class MoleculeGraph(PlainParameter):
    """Molecules without a list: seeds and their descendants by mutation and crossover.

    Molecules are constitutions here: stereochemistry is dropped from seeds and not searched. They keep rules that
    refuse what a chemist would not make (see ``structural_rules``): strained rings, peroxides, hemiaminals and the
    like. New atoms are of each element as often as the seeds' are. The seeds are the first candidates of a campaign.

    Optimizers vary the graphs themselves. For those that need points of the unit cube, a molecule is a string of
    SELFIES symbols, one a coordinate. Every point decodes to a molecule that keeps the rules: where the symbols' own
    molecule breaks one, the longest beginning or ending of the string that stands for an allowed molecule is taken, and
    if none does, the seed whose point is nearest. A molecule that is too long for the string, or needs a symbol that no
    seed has, has the point of the part that can be written.

    No uniform distribution exists on an open space. ``draw`` returns molecules on random walks of mutations that start
    at random seeds, so what is drawn resembles the seeds; a draw of more than a thousand repeats some of them.

    Example:
        >>> MoleculeGraph(seeds=("COCCOC", "O=C1OCCO1"), max_atoms=12, max_rings=1, forbidden=("[O][O]",))

    Raises:
        InputError: if a seed cannot be read or breaks a rule, or a rule cannot be kept. Of a file, such seeds are left
            out, and an error is raised only if no seed is left.
    """

    seeds: tuple[str, ...] | InputFile
    """SMILES, or a file of molecules (its column of SMILES, in CSV, is ``smiles``). They are evaluated first."""
    elements: tuple[str, ...] = DEFAULT_ELEMENTS
    """Symbols of the allowed elements; hydrogen is always allowed."""
    max_atoms: int = bounded(default=30, ge=1, le=MOST_ATOMS)
    """Largest number of atoms besides hydrogen."""
    min_atoms: int = bounded(default=1, ge=1)
    """Smallest number of atoms besides hydrogen."""
    max_rings: int = bounded(default=4, ge=0)
    """Largest number of rings."""
    charge: int = bounded(default=0)
    """Total charge, in elementary charges."""
    forbidden: tuple[str, ...] = ()
    """SMARTS of forbidden substructures, besides those of the structural rules."""
    max_sa_score: float | None = bounded(default=None, gt=1, le=10)
    """Highest synthetic accessibility score, from 1 (easy) to 10, which turns the limit off. None: for molecules other
    than the seeds 4.5, or the score that nine of ten seeds keep to where that is higher."""
    length: int | None = bounded(default=None, ge=1)
    """SELFIES symbols per molecule; twice ``max_atoms`` if None."""
    allow: tuple[Annotated[str, OneOf("structural rule", tuple(STRUCTURAL_RULES))], ...] = ()
    """Structural rules to turn off, by name, such as ``[peroxide]``."""
    alerts: Alerts = "as-seeds"
    """Which structural alerts (Brenk et al. 2008, doi:10.1002/cmdc.200700139: reactive, unstable or toxic groups)
    molecules other than the seeds may have: ``none``; those that at least a tenth of the seeds have (``as-seeds``); or
    ``any``."""
    rules: MoleculeRules = field(init=False, repr=False)
    _remark: Annotated[str, STATE] = field(default="", init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        rules = MoleculeRules(
            elements=self.elements,
            max_atoms=self.max_atoms,
            min_atoms=self.min_atoms,
            max_rings=self.max_rings,
            charge=self.charge,
            forbidden=self.forbidden,
            max_sa_score=self.max_sa_score,
            allow=self.allow,
        )
        seeds, remark = _checked_seeds(self.seeds, rules)
        if self.alerts != "any":
            rules = replace(
                rules, alerts=common_alerts(map(_parsed, seeds)) if self.alerts == "as-seeds" else frozenset()
            )
        if self.max_sa_score is None:
            rules = replace(rules, max_sa_score=usual_sa_score(map(_parsed, seeds)))
        for name, value in {"rules": rules, "seeds": seeds, "_remark": remark}.items():
            object.__setattr__(self, name, value)

    @property
    def dimension(self) -> int:
        return 2 * self.max_atoms if self.length is None else self.length

    @property
    def is_even(self) -> bool:
        return False

    @property
    def size(self) -> float:
        return float("inf")

    def encode(self, values: ArrayLike) -> NDArray[np.float64]:
        molecules = [self._own(value) for value in np.asarray(values, dtype=object)]
        return np.array([self._code.point(self._written(smiles)) for smiles in molecules]).reshape(-1, self.dimension)

    def source_remark(self) -> str:
        return self._remark

    def canonical(self, values: ArrayLike) -> NDArray[np.object_]:
        given = np.asarray(values, dtype=object)
        return np.array([constitution(value) or value for value in given], dtype=object)

    @property
    def learnable(self) -> bool:
        """The features of a molecule do not depend on the space."""
        return True

    def unlisted(self, values: ArrayLike) -> list[str]:
        return [self._problem(value, self._readable(value)) for value in np.asarray(values, dtype=object)]

    def decode(self, points: NDArray[np.float64]) -> NDArray[np.object_]:
        strings = np.empty(len(points), dtype=object)
        for row, point in enumerate(np.asarray(points)):
            strings[row] = self._decoded(self._code.symbols(point)) or self._nearest_seed(point)
        return strings

    def draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return self.encode(self.sampled(n, rng))

    def sampled(self, n: int, rng: np.random.Generator) -> NDArray[np.object_]:
        walkers = [self._start(rng) for _ in range(min(n, WALKERS))]
        drawn: list[str] = []
        while len(drawn) < min(n, MOST_WALKED):
            place = len(drawn) % len(walkers)
            drawn.append(walkers[place])
            walkers[place] = self._start(rng) if rng.random() < RESTART else self._step(walkers[place], rng)
        repeats = rng.integers(len(drawn), size=n - len(drawn)) if n > len(drawn) else ()
        return _strings([*drawn, *(drawn[place] for place in repeats)])

    def at(self, places: NDArray[np.int64]) -> NDArray[Any]:
        raise InputError("An open-ended space of molecules cannot be enumerated. Use a pool or a library.")

    def neighbors(self, smiles: str, rng: np.random.Generator, n: int) -> list[str]:
        """Different allowed molecules, one mutation away from a molecule of the space; fewer where few are found.

        Args:
            smiles: of the molecule.
            rng: source of randomness.
            n: how many.

        Raises:
            InputError: if the molecule is not of the space.
        """
        own = self._own(smiles)
        found: dict[str, None] = {}
        for _ in range(TRIES * n):
            if len(found) == n:
                break
            mutant = mutated(own, self._shares, rng)
            if mutant is not None and mutant != own and self._fits(mutant):
                found[mutant] = None
        return list(found)

    def crossover(self, first: str, second: str, rng: np.random.Generator) -> str | None:
        """An allowed molecule that joins parts of two; None if no attempt gives one.

        Args:
            first: SMILES of a molecule of the space.
            second: SMILES of another.
            rng: source of randomness.

        Raises:
            InputError: if a parent is not of the space.
        """
        parents = self._own(first), self._own(second)
        for _ in range(TRIES):
            child = crossed(*parents, rng)
            if child is not None and child not in parents and self._fits(child):
                return child
        return None

    def mutated(self, values: ArrayLike, rng: np.random.Generator, *, step: float = 0.1) -> NDArray[np.object_]:
        """One child of each molecule, one move of the graph away, whatever the step."""
        return _strings([self._step(smiles, rng) for smiles in np.asarray(values, dtype=object)])

    def crossed(self, first: ArrayLike, second: ArrayLike, rng: np.random.Generator) -> NDArray[np.object_]:
        """One child of each pair, which joins parts of both; the first parent if no attempt gives one."""
        pairs = zip(np.asarray(first, dtype=object), np.asarray(second, dtype=object), strict=True)
        return _strings([self.crossover(one, other, rng) or one for one, other in pairs])

    def column(self, name: str) -> Column:
        return Column(name, "molecule")

    def _start(self, rng: np.random.Generator) -> str:
        smiles = self._seed_list[int(rng.integers(len(self._seed_list)))]
        for _ in range(int(rng.integers(1, LONGEST_WALK + 1))):
            smiles = self._step(smiles, rng)
        return smiles

    def _step(self, smiles: str, rng: np.random.Generator) -> str:
        return next(iter(self.neighbors(smiles, rng, 1)), smiles)

    def _fits(self, smiles: str) -> bool:
        return self._refusal(smiles) is None

    def _own(self, value: object) -> str:
        """The canonical SMILES of a molecule of the space.

        Raises:
            InputError: saying why it is not of the space.
        """
        smiles = self._readable(value)
        problem = self._problem(value, smiles)
        if problem:
            raise InputError(problem)
        return smiles

    def _readable(self, value: object) -> str:
        """The constitution of any molecule."""
        smiles = self._constitution(value) if isinstance(value, str) else None
        if smiles is None:
            raise InputError(f"{value!r} is not a molecule that RDKit can read.")
        return str(smiles)

    def _problem(self, value: object, smiles: str) -> str:
        refusal = self._refusal(smiles)
        return "" if refusal is None else f"{value!r} is not in this space: {refusal}."

    def _decoded(self, symbols: Symbols) -> str | None:
        """The molecule of the longest beginning or ending that stands for an allowed one."""
        for length in range(len(symbols), 0, -1):
            for part in (symbols[:length], symbols[len(symbols) - length :]):
                smiles: str | None = self._reading(part)
                if smiles is not None:
                    return smiles
        return None

    def _read(self, symbols: Symbols) -> str | None:
        """The molecule that symbols stand for; None if it breaks a rule."""
        text = self._code.text(symbols)
        molecule = _parsed(text) if text else None
        if molecule is None or self.rules.limit_refusal(molecule) is not None:
            return None
        smiles = constitution(text)
        return smiles if smiles is not None and self._fits(smiles) else None

    def _nearest_seed(self, point: NDArray[np.float64]) -> str:
        distances = np.linalg.norm(self._seed_points - point, axis=1)
        return self._seed_list[int(np.argmin(distances))]

    @property
    def _seed_list(self) -> tuple[str, ...]:
        return cast("tuple[str, ...]", self.seeds)  # a file was read by __post_init__

    @cached_property
    def _code(self) -> SelfiesCode:
        return SelfiesCode.of(self.elements, self._seed_list, self.dimension)

    @cached_property
    def _shares(self) -> ElementShares:
        return ElementShares.like(self.elements, self._seed_list)

    @cached_property
    def _seed_points(self) -> NDArray[np.float64]:
        return self.encode(self._seed_list)

    @cached_property
    def _constitution(self) -> Any:
        return lru_cache(maxsize=KEPT)(constitution)

    @cached_property
    def _refusal(self) -> Any:
        seeds = set(self._seed_list)
        return lru_cache(maxsize=KEPT)(lambda smiles: None if smiles in seeds else self.rules.refusal(_parsed(smiles)))

    @cached_property
    def _written(self) -> Any:
        return lru_cache(maxsize=KEPT)(self._code.written)

    @cached_property
    def _reading(self) -> Any:
        return lru_cache(maxsize=KEPT)(self._read)

    def __getstate__(self) -> dict[str, Any]:
        own = set(self.__dataclass_fields__)
        return {name: value for name, value in self.__dict__.items() if name in own}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)


def _checked_seeds(seeds: tuple[str, ...] | str | Path, rules: MoleculeRules) -> tuple[tuple[str, ...], str]:
    """The seeds that keep the rules, as constitutions, each once; and which seeds of a file do not, with the reasons.

    Raises:
        InputError: if a seed given in the list is invalid, or all seeds of a file are.
    """
    valid: dict[str, None] = {}
    problems: list[str] = []
    for place, given in _given_seeds(seeds):
        smiles = constitution(given)
        problem = f"is not a molecule: {smiles_problem(given)}" if smiles is None else rules.refusal(_parsed(smiles))
        if smiles is not None and problem is None:
            valid[smiles] = None
        elif smiles is None:
            problems.append(f"the seed {quoted(given)}{place} {problem}")
        else:
            problems.append(f"the seed {quoted(given)}{place} breaks a rule of the space: {problem}")
    listed = "; ".join(problems[:SHOWN]) + (f"; and {len(problems) - SHOWN} more" if len(problems) > SHOWN else "")
    cure = "Remove such seeds, or relax the rule ('allow' turns a structural one off)."
    if problems and (not valid or not isinstance(seeds, str | Path)):
        raise InputError(f"{listed[0].upper()}{listed[1:]}. {cure}")
    if not valid:
        raise InputError("An open-ended space needs at least one seed molecule.")
    return tuple(valid), f"{len(problems)} invalid seeds were left out: {listed}. {cure}" if problems else ""


def _given_seeds(seeds: tuple[str, ...] | str | Path) -> Iterable[tuple[str, str]]:
    if isinstance(seeds, str | Path):
        file = MoleculeFile(datasets.resolve(seeds))
        return ((f" in {file.place_word} {number} of '{file.path}'", smiles) for number, smiles in file.entries())
    return ((f" (number {number})", smiles) for number, smiles in enumerate(seeds, start=1))


def _strings(smiles: Sequence[str]) -> NDArray[np.object_]:
    strings = np.empty(len(smiles), dtype=object)
    strings[:] = smiles
    return strings


def _parsed(smiles: str) -> Any:
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    with BlockLogs():
        return Chem.MolFromSmiles(smiles)
