"""All targets of a campaign together: met or missed, probabilities, shortfalls and ranks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.core.classes import class_name, class_property
from invdesign.core.errors import InputError, nearest
from invdesign.core.html import html_table
from invdesign.objectives.base import STD_SUFFIX
from invdesign.targets.pareto import pareto_rank
from invdesign.targets.target import AtLeast, AtMost, Between, Equals, Optimized, Target

if TYPE_CHECKING:
    from numpy.typing import NDArray

PROBABILITY = "probability"
"""Column with the probability to meet all targets; followed by a colon and the target for a single one."""


@dataclass(frozen=True, init=False)
class Targets:
    """All targets of a campaign. Maximize and Minimize rank the candidates that meet the others.

    Example:
        >>> targets = Targets(Between("oxidation_potential", 1.40, 1.70, unit="V"), Minimize("cost"))

    Raises:
        InputError: if there is no target, or one property is to be optimized twice or has two equal targets.
    """

    items: tuple[Target, ...]

    def __init__(self, *targets: Target) -> None:
        if not targets:
            raise InputError("At least one target is needed, such as Between('voltage', 3.6, 4.0, unit='V').")
        for target in targets:
            if not isinstance(target, Target):
                raise InputError(f"{target!r} is not a target. Use Between, AtLeast, AtMost, CloseTo, Equals, ...")
        optimized = Counter(target.property for target in targets if target.direction)
        for name, count in optimized.items():
            if count > 1:
                raise InputError(
                    f"'{name}' is to be maximized or minimized more than once. Remove all but one of these targets."
                )
        object.__setattr__(self, "items", tuple(dict.fromkeys(targets)))

    def __iter__(self) -> Iterator[Target]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the properties with targets, each once, in their order."""
        return tuple(dict.fromkeys(target.property for target in self.items))

    @property
    def units(self) -> dict[str, str]:
        """The unit of each property: that of its first target with one, or dimensionless.

        The other classes of a property, where a target lists them, are properties, too.
        """
        given = {target.property: target.unit for target in reversed(self.items) if target.unit}
        classes = [
            class_name(class_property(target.property), one)
            for target in self.items
            if isinstance(target, Equals)
            for one in target.classes
        ]
        return {name: given.get(name, "") for name in (*self.properties, *classes)}

    @property
    def optimized(self) -> tuple[Optimized, ...]:
        """The objectives to optimize: Maximize and Minimize."""
        return tuple(target for target in self.items if isinstance(target, Optimized))

    @property
    def bounded(self) -> tuple[Target, ...]:
        """The targets that are met or missed: all but Maximize and Minimize."""
        return tuple(target for target in self.items if not target.direction)

    def in_units(self, units: Mapping[str, str]) -> Targets:
        """Returns the targets with their numbers in the units of the objective's properties.

        Args:
            units: unit of each property that the objective gives, by name.

        Raises:
            InputError: if a property is not among them (the nearest is suggested), a unit cannot be converted, or
                targets on one property exclude each other.
        """
        converted = []
        for target in self.items:
            if target.property not in units:
                raise InputError(
                    f"No objective gives the property '{target.property}'.{nearest(target.property, units)}"
                )
            converted.append(target.in_unit(units[target.property]))
        found = Targets(*converted)
        chosen: dict[str, Equals] = {}
        for target in found.bounded:
            if isinstance(target, Equals) and isinstance(target.value, str):
                first = chosen.setdefault(class_property(target.property), target)
                if first.value != target.value:
                    raise InputError(f"Targets exclude each other: {first} and {target}. Change or remove one of them.")
        for name in found.properties:
            if found.window(name) is None:
                listed = " and ".join(str(target) for target in found.bounded if target.property == name)
                raise InputError(f"Targets exclude each other: {listed}. Change or remove one of them.")
        return found

    def met(self, values: pd.DataFrame) -> pd.DataFrame:
        """Met or missed, target by target.

        Args:
            values: one column a property, in the targets' units. Standard deviations of predictions, in columns
                ``<property>_std``, count for targets that ask for a probability; so they do in all methods below.

        Returns:
            A boolean frame with the same index, one column per target that can be met, labeled by its text.
        """
        return pd.DataFrame(
            {str(target): target.met(*_predicted(values, target.property)) for target in self.bounded},
            index=values.index,
        )

    def all_met(self, values: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether each row meets every target, shape ``n``; a row with a missing value does not."""
        met = np.ones(len(values), dtype=bool)
        for target in self.items:
            met &= target.met(*_predicted(values, target.property))
        return met

    def shortfall(self, values: pd.DataFrame) -> pd.DataFrame:
        """Distance of each row from each target, in the property's unit; zero if met. Columns as in ``met``."""
        return pd.DataFrame(
            {str(target): target.shortfall(*_predicted(values, target.property)) for target in self.bounded},
            index=values.index,
        )

    def log_probability(self, mean: pd.DataFrame, std: pd.DataFrame) -> NDArray[np.float64]:
        """Logarithm of the probability of meeting all targets, shape ``n``.

        Targets on one property are met together (their intervals are intersected); properties are assumed to be
        independent given the candidate.

        Args:
            mean: predictive means, one column a property.
            std: predictive standard deviations, same columns.
        """
        total = np.zeros(len(mean))
        for name in self.properties:
            window = self.window(name)
            if window is None:
                return np.full(len(mean), -np.inf)
            total += window.log_probability(mean[name], std[name])
        return total

    def probability(self, mean: pd.DataFrame, std: pd.DataFrame) -> NDArray[np.float64]:
        """Probability of meeting all targets, shape ``n``; arguments as for ``log_probability``."""
        total = np.ones(len(mean))
        for name in self.properties:
            window = self.window(name)
            total = total * (0.0 if window is None else window.probability(mean[name], std[name]))
        return total

    def probabilities(self, values: pd.DataFrame) -> pd.DataFrame:
        """Probability of each row to meet each target, and all of them.

        Args:
            values: as for ``met``; a value without a standard deviation is known: its probabilities are 0 and 1.

        Returns:
            A frame with the same index: ``probability: <target>`` for each target that can be met, and
            ``probability`` for all; NaN without a value. No columns if nothing can be missed.
        """
        if not self.bounded:
            return pd.DataFrame(index=values.index)
        mean = values[list(self.properties)]
        std = pd.DataFrame({name: _spread(values, name) for name in self.properties}, index=values.index)
        each = {
            f"{PROBABILITY}: {target}": target.probability(mean[target.property], std[target.property])
            for target in self.bounded
        }
        every = Targets(*self.bounded).probability(mean, std)
        valued = mean[[target.property for target in self.bounded]].notna().all(axis=1)
        return pd.DataFrame({**each, PROBABILITY: every}, index=values.index).where(valued)

    def for_search(self, values: pd.DataFrame) -> Targets:
        """Returns targets for an optimizer, which models values without their standard deviations.

        A target that asks for a probability becomes the interval of the values that meet it at the median standard
        deviation of the known ones; if none would, the central hundredth of its own interval.
        """
        return Targets(*(_narrowed(target, values) for target in self.items))

    def window(self, name: str) -> Target | None:
        """The intersection of all targets on a property; None if it is empty."""
        low, high = -np.inf, np.inf
        mine = [target for target in self.bounded if target.property == name]
        if len(mine) == 1 and isinstance(mine[0], Equals):
            return mine[0]  # a class has a probability of its own
        for target in mine:
            low, high = max(low, target.interval[0]), min(high, target.interval[1])
        return _within(name, float(low), float(high)) if low <= high else None

    def pareto_rank(self, values: pd.DataFrame) -> NDArray[np.int64]:
        """Ranks rows: first those that meet all targets, by Pareto rank; then the others, by their shortfalls.

        Returns:
            Shape ``n``; rank 0 is the best front. Rows that are worse than a reference are behind all that are not.
            Rows that miss a target are ranked by Pareto dominance of their shortfalls.
        """
        met, within = self.all_met(values), self.within(values)
        ranks = np.zeros(len(values), dtype=np.int64)
        behind = 0
        for group in (met & within, met & ~within):
            if group.any():
                ranks[group] = behind + (pareto_rank(self.gains(values[group])) if self.optimized else 0)
                behind = int(ranks[group].max()) + 1
        missed = ~met
        if missed.any():
            shortfalls = self.shortfall(values[missed]).to_numpy()
            if not self.bounded:
                shortfalls = values.loc[missed, list(self.properties)].to_numpy() * np.nan
            ranks[missed] = behind + pareto_rank(-shortfalls)
        return ranks

    def within(self, values: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows are at least as good as every reference, shape ``n``; all rows if no target has one."""
        limits = [target.limit for target in self.optimized if target.limit is not None]
        found = [limit.met(values[limit.property]) for limit in limits]
        return np.all(found, axis=0) if found else np.ones(len(values), dtype=bool)

    def on_front(self, values: pd.DataFrame) -> NDArray[np.bool_]:
        """Which rows are on the Pareto front, shape ``n``; none that meets all targets but is worse than a reference.

        If no row meets all targets, those whose shortfalls no other dominates.
        """
        return (self.pareto_rank(values) == 0) & (self.within(values) | ~self.all_met(values))

    @property
    def reference(self) -> NDArray[np.float64]:
        """The reference point in ``gains``, shape ``m``; NaN for a target without one."""
        given = [(target.direction, target.reference) for target in self.optimized]
        return np.array([np.nan if value is None else sign * value for sign, value in given], dtype=np.float64)

    @property
    def with_limits(self) -> Targets:
        """The targets with each reference as a target that can be missed, for what only compares candidates."""
        return Targets(*self.items, *(target.limit for target in self.optimized if target.limit is not None))

    def margin(self, values: pd.DataFrame) -> NDArray[np.float64]:
        """The smallest distance of each row from any bound, in units of each property's spread, shape ``n``.

        Positive if all targets are met, otherwise minus the largest miss times its importance, and minus infinity
        without a value.
        """
        smallest = np.full(len(values), np.inf)
        for target in self.bounded:
            column = values[target.property].to_numpy(dtype=np.float64)
            known = column[~np.isnan(column)]
            spread = float(known.std()) if known.size and known.std() > 0 else 1.0
            margin = target.margin(*_predicted(values, target.property)) / spread
            smallest = np.minimum(smallest, np.where(margin < 0.0, target.importance * margin, margin))
        return np.where(np.isnan(smallest), -np.inf, smallest)

    def order(self, values: pd.DataFrame) -> NDArray[np.int64]:
        """Places of the rows, best first, shape ``n``.

        By the misses of each priority in turn, if there are several; by Pareto rank, if anything is optimized; then, if
        the optimized targets have weights, by their weighted gains in spreads; then by the margin.
        """
        keys = [-self.margin(values)]
        if any(target.weight != 1.0 for target in self.optimized):
            gains = self.gains(values)
            spread = np.nanstd(gains, axis=0) if len(gains) else np.ones(gains.shape[1])
            weights = np.array([target.weight for target in self.optimized])
            keys.insert(0, -np.nansum(weights * gains / np.where(spread > 0.0, spread, 1.0), axis=1))
        if self.optimized:
            keys.insert(0, self.pareto_rank(values).astype(np.float64))
        levels = sorted({target.priority for target in self.items})
        if len(levels) > 1:
            known = values[list(self.properties)].notna().all(axis=1).to_numpy()
            missed = [
                -np.minimum(Targets(*mine).margin(values), 0.0)
                for level in levels
                if (mine := [target for target in self.bounded if target.priority == level])
            ]
            keys = [(~known).astype(np.float64), *missed, *keys]
        return np.lexsort(keys[::-1])

    def gains(self, values: pd.DataFrame) -> NDArray[np.float64]:
        """The properties to optimize, with signs such that larger is better, shape ``n x m``."""
        columns = [target.direction * values[target.property].to_numpy(dtype=np.float64) for target in self.optimized]
        return np.stack(columns, axis=1) if columns else np.empty((len(values), 0))

    def _repr_html_(self) -> str:
        """A table of the targets, as a notebook shows them."""
        return html_table("Targets", ["property", "target"], [[one.property, str(one)] for one in self.items])

    def __str__(self) -> str:
        return "; ".join(str(target) for target in self.items)


def _predicted(values: pd.DataFrame, name: str) -> tuple[pd.Series, pd.Series | None]:
    """A property's values and, if there are any, their standard deviations."""
    return values[name], values.get(name + STD_SUFFIX)


def _spread(values: pd.DataFrame, name: str) -> pd.Series:
    return values.get(name + STD_SUFFIX, pd.Series(0.0, index=values.index)).fillna(0.0)


def _narrowed(target: Target, values: pd.DataFrame) -> Target:
    std = values.get(target.property + STD_SUFFIX)
    if target.min_probability is None:
        return target
    spread = 0.0 if std is None or std.isna().all() else float(std.median())
    low, high, excess = (float(number) for number in target.bounds(spread))
    if excess > 0.0 or low == high:
        reach = 0.005 * (target.interval[1] - target.interval[0])
        low, high = low - reach, high + reach
    found = _within(target.property, low, high, unit=target.unit)
    return replace(found, weight=target.weight, priority=target.priority)


def _within(name: str, low: float, high: float, unit: str | None = None) -> Target:
    """The target of an interval, which may have open ends."""
    if low == high:
        return Equals(name, low, unit=unit)
    if np.isinf(low):
        return AtMost(name, high, unit=unit) if np.isfinite(high) else Target(name, unit=unit)
    return AtLeast(name, low, unit=unit) if np.isinf(high) else Between(name, low, high, unit=unit)
