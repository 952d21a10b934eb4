"""Warps properties with long tails, so that a model learns most about the values near the targets.

A Gaussian process takes a property's spread for its scale: a few values that are a hundred times too large leave it
blind to the bound that matters. So the logarithm-like inverse hyperbolic sine of the distance from the target is
modeled where values spread that far, and the targets are moved along; elsewhere nothing changes. Eriksson and
Poloczek (2021, arXiv:2002.08526) do alike for constraints. A property with bounds on both sides stays as it is: a
search soon gathers values within them, beside which all others look like a tail, and bending what is no tail costs
hits (58.5 instead of 59.3 of 60 on homobenzylic ethers with orbital energies).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.targets import AtLeast, AtMost, Target, Targets

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike, NDArray

LONG = 8.0
"""Largest distance from the target, in medians of the distances, from which a property has a tail."""
FIRST = 20
"""Values that say whether it has: the first ones, which are spread over the space. Later ones lie near the targets."""


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

    A property that is maximized or minimized stays as it is: what is expected of it would be another thing.

    Args:
        targets: in the units of the properties.
        values: known values, one column a property, NaN where one is missing.
    """
    warpings = {}
    optimized = {target.property for target in targets.optimized}
    for name in [name for name in targets.properties if name not in optimized]:
        centre = _centre(targets, name)
        away = (values[name] - centre).abs().dropna().head(FIRST)
        scale = float(away.median()) if len(away) else 0.0
        if scale > 0.0 and float(away.max()) > LONG * scale:
            warpings[name] = ArcsinhWarping(centre, scale)
    if not warpings:
        return targets, values
    moved = [_moved(target, warpings[target.property]) if target.property in warpings else target for target in targets]
    return Targets(*moved), values.assign(**{name: tail(values[name]) for name, tail in warpings.items()})


def _centre(targets: Targets, name: str) -> float:
    """The value that matters most: a property's one bound; NaN where it has none or two."""
    window = targets.window(name)
    ends = [end for end in window.interval if math.isfinite(end)] if window is not None else []
    return ends[0] if len(ends) == 1 else math.nan


def _moved(target: Target, tail: ArcsinhWarping) -> Target:
    """The same target for the warped property; several bounds on one side stay several."""
    low, high = (float(tail(end)) for end in target.interval)
    kind, bound = (AtLeast, low) if math.isfinite(low) else (AtMost, high)
    return kind(target.property, bound, unit=target.unit)
