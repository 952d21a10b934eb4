"""Wanted ranges of properties as numbers that a network reads, and random ranges around known values to learn from.

A generator that has seen a value only as itself can be asked for values only. Here each known value is shown within
ranges of all widths, closed and half open, so that a range can be asked for, and no range at all. Ends of a range are
shares of the known values below them, as quantiles of a normal distribution: a range holds as much of the data whatever
the unit and the distribution, and the tails, which are asked for most, are resolved.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.special import ndtri

from invdesign.core.errors import InputError, nearest
from invdesign.targets import AtLeast, AtMost, Target, Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

KNOTS = 201
"""Quantiles of the known values that are kept of each property."""
UNASKED = 0.3
"""Share of known values that are shown without any range, so that the unconditional distribution is learned too."""
NARROWEST = 0.01
"""Width of the narrowest ranges, as a share of the known values."""
BEST = 0.05
"""Share of the known values that a property to maximize or minimize asks for."""
OUTERMOST = 0.002
"""Share at which ends of a range are as good as open."""
NUMBERS = 3
"""Numbers for one property: whether it is asked for, and the ends of its range."""


@dataclass(frozen=True)
class Conditions:
    """Turns ranges of properties into vectors.

    Attributes:
        quantiles: of the known values of each property, ``KNOTS`` increasing numbers in its unit.
    """

    quantiles: Mapping[str, tuple[float, ...]]

    @classmethod
    def of(cls, properties: pd.DataFrame) -> Conditions:
        """Conditions on the columns of known values, one row a candidate, NaN where unknown.

        Raises:
            InputError: if a property has fewer than two different values.
        """
        found = {}
        for name in properties:
            values = properties[name].to_numpy(dtype=np.float64)
            values = values[np.isfinite(values)]
            if len(np.unique(values)) < 2:
                raise InputError(f"The property '{name}' has fewer than two different values: nothing can be learned.")
            found[str(name)] = tuple(np.quantile(values, np.linspace(0.0, 1.0, KNOTS)).tolist())
        return cls(found)

    @property
    def size(self) -> int:
        """Length of a vector."""
        return NUMBERS * len(self.quantiles)

    def shares(self, name: str, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """The share of the known values below each value; 0 and 1 beyond them, NaN for NaN. Shape as given."""
        knots = np.array(self.quantiles[name])
        return np.asarray(np.interp(values, knots, np.linspace(0.0, 1.0, KNOTS)))

    def of_targets(self, targets: Targets | None) -> NDArray[np.float64]:
        """The vector of ranges in the units of the known values, shape ``size``; all zeros without targets.

        Args:
            targets: bounded ones of learned properties; see ``ranges_of``.
        """
        ranges: dict[str, tuple[float, float]] = {}
        for target in targets or ():
            low, high = self._ends(target)
            least, most = ranges.get(target.property, (0.0, 1.0))
            ranges[target.property] = max(low, least), min(high, most)
        parts = [
            _vectors(*np.array([ranges[name]]).T) if name in ranges else np.zeros((1, NUMBERS))
            for name in self.quantiles
        ]
        return np.concatenate(parts, axis=1)[0] if parts else np.zeros(0)

    def _ends(self, target: Target) -> tuple[float, float]:
        low, high = self.shares(target.property, np.array(target.interval))
        # A narrow range beyond or between the known values must still have a width that was seen.
        missing = max(0.0, NARROWEST - (high - low))
        return max(0.0, low - 0.5 * missing), min(1.0, high + 0.5 * missing)

    def drawn(self, properties: pd.DataFrame, rng: np.random.Generator) -> NDArray[np.float64]:
        """Random ranges that hold known values, shape ``n x size``; zeros where a value is unknown.

        Args:
            properties: known values, one row a candidate, NaN where unknown.
            rng: source of randomness.
        """
        parts = []
        for name in self.quantiles:
            value = self.shares(name, properties[name].to_numpy(dtype=np.float64))
            widths = np.exp(rng.uniform(np.log(NARROWEST), 0.0, (2, len(value))))
            below, above = widths * rng.random((2, len(value)))
            side = rng.integers(0, 3, len(value))  # a closed range, at most, at least
            low = np.where(side == 1, 0.0, np.maximum(value - below, 0.0))
            high = np.where(side == 2, 1.0, np.minimum(value + above, 1.0))
            asked = np.isfinite(value) & (rng.random(len(value)) >= UNASKED)
            parts.append(np.where(asked[:, None], _vectors(low, high), 0.0))
        return np.concatenate(parts, axis=1) if parts else np.zeros((len(properties), 0))


def ranges_of(targets: Targets, properties: pd.DataFrame) -> Targets:
    """Targets as ranges: a property to maximize or minimize asks for the best ``BEST`` of its known values.

    Args:
        targets: in the units of the properties.
        properties: known values.

    Raises:
        InputError: if a property has no known values.
    """
    found: list[Target] = []
    for target in targets:
        name = target.property
        if name not in properties:
            raise InputError(f"The generator has not learned '{name}'.{nearest(name, map(str, properties))}")
        if target.direction:
            edge = float(properties[name].quantile(1.0 - BEST if target.direction > 0 else BEST))
            found.append(AtLeast(name, edge) if target.direction > 0 else AtMost(name, edge))
        else:
            found.append(target)
    return Targets(*found)


def _vectors(low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.float64]:
    """Ranges of one property, given by shares, as vectors, shape ``n x NUMBERS``."""
    ends = ndtri(np.clip(np.nan_to_num(np.stack([low, high], axis=1), nan=0.5), OUTERMOST, 1.0 - OUTERMOST))
    return np.concatenate([np.ones((len(low), 1)), ends], axis=1)
