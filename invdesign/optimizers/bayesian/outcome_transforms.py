"""Warps properties with long tails, so that a model learns most about the values near the targets.

A Gaussian process takes a property's spread for its scale: a few values that are a hundred times too large leave it
blind to the bound that matters. So the logarithm-like inverse hyperbolic sine of the distance from the target is
modeled where values spread that far, and the targets are moved along; elsewhere nothing changes. Eriksson and
Poloczek (2021, arXiv:2002.08526) do alike for constraints. A property with bounds on both sides stays as it is: a
search soon gathers values within them, beside which all others look like a tail, and bending what is no tail costs
hits (58.5 instead of 59.3 of 60 on homobenzylic ethers with orbital energies).

A property that is maximized or minimized alone has no bound from which distances could be taken. Where its values are
clearly not normal, as the process takes them to be, it is modeled after a power transform.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.targets import AtLeast, AtMost, Between, Equals, Target, Targets

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

LONG = 8.0
"""Largest distance from the target, in medians of the distances, from which a property has a tail.

Off: 12 of 100 evaluations fewer are hits on development, on functions whose values span orders of magnitude."""
FIRST = 20
"""Values that say whether it has: the first ones, which are spread over the space. Later ones lie near the targets."""

FEWEST = 8
"""Values from which a power is fitted to a maximized or minimized property."""
POWERS = (-3.0, 3.0)
"""Powers that are looked at: beyond, all but the most extreme values become one."""
CLEARLY = 3.3
"""Gain of the log likelihood by a power from which it is taken: a likelihood ratio test at the level of 1 %."""


@dataclass(frozen=True)
class ArcsinhWarping:
    """A monotone map of a property, nearly the identity within ``scale`` of ``centre``.

    Attributes:
        centre: where the map leaves values as they are, in the property's unit.
        scale: distance from which the map bends towards the logarithm, in the property's unit.
    """

    centre: float
    scale: float

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """The warped values, any shape, in the property's unit."""
        away = (np.asarray(values, dtype=np.float64) - self.centre) / self.scale
        return np.asarray(self.centre + self.scale * np.arcsinh(away))


def arcsinh_warped(targets: Targets, values: pd.DataFrame) -> tuple[Targets, pd.DataFrame]:
    """Warped targets and values; both unchanged if no property has a long tail.

    A property that is maximized or minimized is left to ``power_warped``.

    Args:
        targets: in the units of the properties.
        values: known values, one column a property, NaN where one is missing.
    """
    warpings = _arcsinh_warpings(targets, values)
    if not warpings:
        return targets, values
    moved = [_moved(target, warpings[target.property]) if target.property in warpings else target for target in targets]
    return Targets(*moved), values.assign(**{name: tail(values[name]) for name, tail in warpings.items()})


def _arcsinh_warpings(targets: Targets, values: pd.DataFrame) -> dict[str, ArcsinhWarping]:
    """The warping of each property with a long tail and bounds on one side."""
    warpings = {}
    optimized = {target.property for target in targets.optimized}
    for name in [name for name in targets.properties if name not in optimized]:
        centre = _centre(targets, name)
        away = (values[name] - centre).abs().dropna().head(FIRST)
        scale = float(away.median()) if len(away) else 0.0
        if scale > 0.0 and float(away.max()) > LONG * scale:
            warpings[name] = ArcsinhWarping(centre, scale)
    return warpings


@dataclass(frozen=True)
class PowerWarping:
    """A monotone map that makes the distribution of values more nearly normal (Yeo and Johnson 2000).

    doi:10.1093/biomet/87.4.954

    Attributes:
        centre: the values' median, in the property's unit.
        spread: their standard deviation.
        power: 1 for the identity, less to compress large values, more to compress small ones.
    """

    centre: float
    spread: float
    power: float

    def __call__(self, values: ArrayLike) -> NDArray[np.float64]:
        """The warped values, any shape, in spreads."""
        from scipy.stats import yeojohnson

        standard = (np.asarray(values, dtype=np.float64) - self.centre) / self.spread
        return np.asarray(yeojohnson(standard, lmbda=self.power))


def power_warped(targets: Targets, values: pd.DataFrame, *, first: int | None = None) -> tuple[Targets, pd.DataFrame]:
    """Targets and values of the one maximized or minimized property, warped where its values are clearly not normal.

    What is best stays best, and what is met stays met; the improvement that is expected is that of the warped property.
    Where several are optimized nothing changes: bent fronts were covered less well (hypervolume on ZDT3 0.4, not 1.0).

    Args:
        targets: in the units of the properties.
        values: known values, one column a property, NaN where one is missing.
        first: how many of them say whether and how it is warped; None for all.
    """
    if len(targets.optimized) != 1:
        return targets, values
    name = targets.optimized[0].property
    warping = _power(values[name].iloc[:first])
    if warping is None:
        return targets, values
    moved = [
        _moved(target, warping) if target.property == name and not target.direction else target for target in targets
    ]
    return Targets(*moved), values.assign(**{name: warping(values[name])})


def warped_noise(
    targets: Targets, values: pd.DataFrame, noise: pd.DataFrame | None, *, first: int | None = None
) -> pd.DataFrame | None:
    """The noise of values after ``arcsinh_warped`` and ``power_warped``.

    It is half of what the warped values span from one standard deviation below to one above.

    Args:
        targets: in the units of the properties.
        values: known values before warping, one column a property.
        noise: their known standard deviations, same columns; NaN where one is unknown. None: all unknown.
        first: as for ``power_warped``.
    """
    if noise is None or not noise.notna().to_numpy().any():
        return None
    maps: dict[str, ArcsinhWarping | PowerWarping] = {**_arcsinh_warpings(targets, values)}
    if len(targets.optimized) == 1:
        name = targets.optimized[0].property
        warping = _power(values[name].iloc[:first])
        maps |= {} if warping is None else {name: warping}
    return noise.assign(
        **{
            name: (warping(values[name] + noise[name]) - warping(values[name] - noise[name])) / 2.0
            for name, warping in maps.items()
        }
    )


def _power(column: pd.Series) -> PowerWarping | None:
    """The map under which known values are likeliest to be normal; None where they are about as likely without."""
    from scipy.optimize import minimize_scalar
    from scipy.stats import yeojohnson_llf

    known = column.dropna().to_numpy(dtype=np.float64)
    if len(known) < FEWEST or float(known.std()) <= 0.0:
        return None
    centre, spread = float(np.median(known)), float(known.std())
    standard = (known - centre) / spread
    best = minimize_scalar(lambda power: -float(yeojohnson_llf(power, standard)), bounds=POWERS, method="bounded")
    gained = -float(best.fun) - float(yeojohnson_llf(1.0, standard))
    return PowerWarping(centre, spread, float(best.x)) if gained > CLEARLY else None


def _centre(targets: Targets, name: str) -> float:
    """The value that matters most: a property's one bound; NaN where it has none or two."""
    window = targets.window(name)
    ends = [end for end in window.interval if math.isfinite(end)] if window is not None else []
    return ends[0] if len(ends) == 1 else math.nan


def _moved(target: Target, warping: ArcsinhWarping | PowerWarping) -> Target:
    """The same bounded target of the warped property; several bounds on one side stay several."""
    low, high = (float(warping(end)) if math.isfinite(end) else end for end in target.interval)
    more: Any = {"unit": target.unit, "weight": target.weight, "priority": target.priority}
    if low == high:
        return Equals(target.property, low, **more)
    if not math.isfinite(low):
        return AtMost(target.property, high, **more)
    if not math.isfinite(high):
        return AtLeast(target.property, low, **more)
    return Between(target.property, low, high, **more)
