"""A generator of formulas and process parameters for small tables: forests from wanted properties to candidates."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import STATE, bounded, from_elsewhere, settings
from invdesign.generators.conditions import ranges_of
from invdesign.generators.weights import drawn_by_weight
from invdesign.objectives.base import STD_SUFFIX
from invdesign.space import SearchSpace
from invdesign.space.composition.composition import Composition
from invdesign.space.duplicates import without_duplicates
from invdesign.space.mixture import Mixture
from invdesign.space.parameters import Continuous, Integer
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.forests import RandomForest

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.targets import Targets

FEWEST = 10
"""Fewest rows to learn from."""
ENOUGH = 5
"""Known rows within a range from which wanted values are drawn; with fewer, they are drawn evenly from the range."""
ROUNDS = 20
"""Times that more candidates are drawn before fewer than asked are returned."""
BEYOND = 0.1
"""How far outside of the known values an open range reaches, as a share of their spread."""
JITTER = 0.5
"""Width of the kernel around a number of a known row, in units of Silverman's (1986)."""


@dataclass(frozen=True)
class Block:
    """A part of a candidate that is chosen at once: a site of a composition, or another parameter.

    Attributes:
        name: such as ``mxene.M`` or ``temperature``.
        coordinates: of the unit cube, in order.
        is_number: whether it is a number or amounts, which may take values between those known.
    """

    name: str
    coordinates: tuple[int, ...]
    is_number: bool


@dataclass(frozen=True)
class Step:
    """A forest that chooses one block, given the wanted properties and the blocks before.

    Attributes:
        block: that it chooses.
        forest: scikit-learn's, or None where all known rows are the same.
        leaves: of the known rows in each tree, shape ``rows x trees``.
    """

    block: Block
    forest: Any
    leaves: NDArray[np.int64]


@dataclass(frozen=True)
class Learned:
    """What a generator has learned.

    Attributes:
        points: the known candidates in the unit cube, shape ``rows x dimension``.
        candidates: the known candidates.
        properties: their values.
        steps: in the order in which blocks are chosen.
        guide: a surrogate of the properties, fitted to the same rows; None if there is none.
    """

    points: NDArray[np.float64]
    candidates: pd.DataFrame
    properties: pd.DataFrame
    steps: tuple[Step, ...]
    guide: Surrogate | None


@settings(frozen=False, eq=False)
class FormulaGenerator:
    """Samples formulas, and whatever else a search space holds, from wanted ranges of properties.

    The inverse of Li et al. (2022, doi:10.1021/acs.chemmater.2c00200): forests read the wanted properties and choose a
    candidate part by part, site by site, each knowing the parts before it. A part is drawn from the known rows in
    proportion to how often they share a leaf with the request (Meinshausen 2006), so that several answers to one
    request are all found, vacancies and amounts included. Every candidate is one of the search space: the rules hold.

    A guide, which predicts the properties of candidates, chooses among ``oversample`` times as many: in proportion to
    the probability of the wanted range, Bayes' rule with the forests as prior.

    Example:
        >>> generator = FormulaGenerator(space).fit(table[["mxene"]], table[["voltage", "capacity"]])
        >>> generator.sample(100, Targets(Between("voltage", 0.5, 1.0), AtLeast("capacity", 300)), seed=1)

    Raises:
        InputError: if a setting is out of its range.
    """

    space: Annotated[SearchSpace, STATE]
    """The search space that candidates come from."""
    n_estimators: int = bounded(default=200, ge=1)
    """Trees of each forest."""
    min_samples_leaf: int = bounded(default=3, ge=1)
    """Smallest number of known rows in a leaf: the fewer, the closer to known candidates."""
    guide: Annotated[Surrogate | None, ByWord("surrogate")] = from_elsewhere(default_factory=RandomForest)
    """A surrogate of the properties, fitted to the same rows; None for the forests of the parts alone."""
    exploration: float = bounded(default=0.2, ge=0, le=1)
    """Probability of drawing a part from all known rows instead, so that no combination is out of reach."""
    oversample: int = bounded(default=20, ge=1)
    """Candidates that a guide chooses each from."""
    seed: int = bounded(default=0, ge=0)
    """Seed of the forests."""
    _learned: Annotated[Learned | None, STATE] = field(init=False, repr=False, default=None)

    def fit(self, candidates: pd.DataFrame, properties: pd.DataFrame) -> FormulaGenerator:
        """Learns from candidates and their properties.

        Args:
            candidates: of the space, one row each.
            properties: their values, same rows; rows with a missing value are left out.

        Raises:
            InputError: if a candidate is not in the space, or there are fewer than ten complete rows.
        """
        from sklearn.ensemble import RandomForestRegressor

        known = properties.reset_index(drop=True).astype(float)
        complete = np.isfinite(known.to_numpy()).all(axis=1)
        rows = candidates[list(self.space.names)].reset_index(drop=True)[complete].reset_index(drop=True)
        known = known[complete].reset_index(drop=True)
        if len(rows) < FEWEST:
            raise InputError(f"A generator needs at least {FEWEST} rows with all properties, not {len(rows)}.")
        rows = self.space.canonical(rows)
        points = self.space.encode(rows)
        steps = []
        before = known.to_numpy()
        for place, block in enumerate(_blocks(self.space)):
            target = points[:, list(block.coordinates)]
            if len(np.unique(target, axis=0)) == 1:
                steps.append(Step(block, None, np.zeros((len(rows), 1), dtype=np.int64)))
                continue
            forest = RandomForestRegressor(
                self.n_estimators,
                min_samples_leaf=self.min_samples_leaf,
                max_features=0.7,
                random_state=self.seed + place,
            ).fit(before, target[:, 0] if target.shape[1] == 1 else target)
            steps.append(Step(block, forest, forest.apply(before)))
            before = np.concatenate([before, target], axis=1)
        guide = None if self.guide is None else replace(self.guide).fit(rows, known, columns=self.space.columns)
        self._learned = Learned(points, rows, known, tuple(steps), guide)
        return self

    def sample(
        self,
        n: int,
        targets: Targets | None = None,
        *,
        seed: int | np.random.SeedSequence | np.random.Generator = 0,
        known: pd.DataFrame | None = None,
    ) -> pd.DataFrame:
        """Samples new candidates, different from each other.

        Args:
            n: how many.
            targets: wanted ranges, in the units of the learned properties; none for candidates like the known ones.
            seed: the same seed gives the same candidates.
            known: candidates that are not new; those that the generator learned from if None.

        Returns:
            One row a candidate with the space's columns; fewer than ``n`` if there are no more.

        Raises:
            InputError: if the generator is not fitted, or a property was not learned.
        """
        learned = self._fitted()
        targets = None if targets is None else ranges_of(targets, learned.properties)
        rng = np.random.default_rng(seed)
        seen = learned.candidates if known is None else self.space.canonical(known[list(self.space.names)])
        guided = learned.guide is not None and targets is not None
        wanted = n * self.oversample if guided else n
        found = self.space.sample(0, rng)
        for _ in range(ROUNDS):
            made = self._drawn(wanted_values(learned.properties, targets, 2 * wanted, rng), rng)
            fresh = without_duplicates(made, pd.concat([seen, found], ignore_index=True))
            found = pd.concat([found, fresh], ignore_index=True) if len(found) else fresh
            if len(found) >= wanted:
                break
        found = found.head(wanted).reset_index(drop=True)
        if learned.guide is None or targets is None or found.empty:
            return found.head(n)
        mean, std = learned.guide.predict(found, return_std=True)
        logarithm = np.asarray(targets.log_probability(mean, std))
        chosen = drawn_by_weight(logarithm, n, rng)
        found = pd.concat([found, mean, std.add_suffix(STD_SUFFIX)], axis=1).assign(probability=np.exp(logarithm))
        return found.iloc[chosen].reset_index(drop=True)

    def at(self, values: pd.DataFrame, *, seed: int | np.random.SeedSequence | np.random.Generator = 0) -> pd.DataFrame:
        """One candidate for each row of wanted values; known ones are allowed, and may repeat.

        Args:
            values: one column for each learned property.
            seed: of the draws.

        Raises:
            InputError: if the generator is not fitted, or a property is missing.
        """
        learned = self._fitted()
        missing = [name for name in learned.properties if name not in values]
        if missing:
            raise InputError(f"Values of '{missing[0]}' are missing. The generator learned {list(learned.properties)}.")
        rng = np.random.default_rng(seed)
        asked = values[list(learned.properties)].astype(float).reset_index(drop=True)
        if learned.guide is None or asked.empty:
            return self._drawn(asked, rng)
        repeated = asked.loc[asked.index.repeat(self.oversample)].reset_index(drop=True)
        made = self._drawn(repeated, rng)
        mean, std = learned.guide.predict(made, return_std=True)
        spread = np.maximum(std.to_numpy(), 1e-9 * learned.properties.std().to_numpy() + 1e-300)
        gaps = (repeated.to_numpy() - mean[list(asked)].to_numpy()) / spread
        logarithm = (-0.5 * gaps**2 - np.log(spread)).sum(axis=1).reshape(len(asked), self.oversample)
        chosen = np.argmax(logarithm + rng.gumbel(size=logarithm.shape), axis=1)
        return made.iloc[np.arange(len(asked)) * self.oversample + chosen].reset_index(drop=True)

    def _drawn(self, values: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        """One candidate for each row of wanted values, by the forests of the parts alone."""
        learned = self._fitted()
        before = values.to_numpy(dtype=np.float64)
        points = np.tile(learned.points[:1], (len(values), 1))
        for step in learned.steps:
            places = list(step.block.coordinates)
            if step.forest is None:
                continue
            rows = _shared_leaf(step, before, rng)
            free = rng.random(len(rows)) < self.exploration
            rows[free] = rng.integers(0, len(learned.points), int(free.sum()))
            chosen = learned.points[rows][:, places]
            if step.block.is_number:
                width = _bandwidth(learned.points[:, places])
                moved = np.clip(chosen + width * rng.standard_normal(chosen.shape), 0.0, 1.0)
                chosen = np.where((chosen > 0.0) & (chosen < 1.0), moved, chosen)  # what is absent stays absent
            points[:, places] = chosen
            before = np.concatenate([before, chosen], axis=1)
        return self.space.decode(self.space.repair(points))

    def _fitted(self) -> Learned:
        if self._learned is None:
            raise InputError("The generator is not fitted. Call fit.")
        return self._learned


def wanted_values(properties: pd.DataFrame, targets: Targets | None, n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Values to ask for, within wanted ranges: as they occur together in known rows, or else evenly.

    Args:
        properties: of the known rows.
        targets: bounded ones in the same units; None for all known values.
        n: how many.
        rng: source of randomness.
    """
    ranges: dict[str, tuple[float, float]] = {}
    for target in targets or ():
        name, (low, high) = target.property, target.interval
        least, most = ranges.get(name, (-np.inf, np.inf))
        ranges[name] = (max(low, least), min(high, most))
    within = np.ones(len(properties), dtype=bool)
    for name, (low, high) in ranges.items():
        within &= properties[name].between(low, high).to_numpy()
    many = within.sum() >= ENOUGH
    rows = rng.choice(np.flatnonzero(within) if many else len(properties), n)
    drawn = properties.iloc[rows].reset_index(drop=True)
    for name, (low, high) in ranges.items() if not many else ():
        least, most = float(properties[name].min()), float(properties[name].max())
        reach = BEYOND * (most - least)
        start = max(low, min(least, high) - reach)
        drawn[name] = rng.uniform(start, min(high, max(most, start) + reach), n)
    return drawn


def _blocks(space: SearchSpace) -> list[Block]:
    """The parts of a candidate in the order in which they are chosen: formulas site by site, then the rest."""
    blocks, start = [], 0
    for name, parameter in space.parameters.items():
        places = range(start, start + parameter.dimension)
        if isinstance(parameter, Composition):
            blocks += [
                Block(f"{name}.{site}", tuple(start + place for place in part), is_number=True)
                for site, part in parameter.site_coordinates().items()
            ]
        elif places:
            blocks.append(Block(name, tuple(places), isinstance(parameter, Continuous | Integer | Mixture)))
        start += parameter.dimension
    return blocks


def _shared_leaf(step: Step, asked: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.int64]:
    """A known row for each request: from a random tree, one in the request's leaf; shape ``n``."""
    leaves = step.forest.apply(asked)
    trees = rng.integers(0, leaves.shape[1], len(asked))
    chosen = np.empty(len(asked), dtype=np.int64)
    for row, tree in enumerate(trees):
        chosen[row] = rng.choice(np.flatnonzero(step.leaves[:, tree] == leaves[row, tree]))
    return chosen


def _bandwidth(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Width of a kernel around known values, shape ``d``; zero where there are as few values as a furnace has steps."""
    few = np.array([len(np.unique(column)) <= len(column) / 4 for column in values.T])
    return np.where(few, 0.0, JITTER * 1.06 * values.std(axis=0) * len(values) ** -0.2)
