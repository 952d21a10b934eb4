"""The targets of a campaign file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from invdesign.core.errors import InputError
from invdesign.core.settings import Real, bounded, settings
from invdesign.targets.target import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Target


@settings
class TargetSettings:
    """A target for one property: exactly one of between, at_least, at_most, close_to, equals, maximize, minimize."""

    property: str
    """Name of the property, as the objective gives it."""
    between: tuple[Real, Real] | None = None
    """Lower and upper value, both included."""
    at_least: float | None = bounded(default=None)
    """Smallest value."""
    at_most: float | None = bounded(default=None)
    """Largest value."""
    close_to: float | None = bounded(default=None)
    """Target value; needs tolerance."""
    tolerance: float | None = bounded(default=None)
    """Largest allowed distance from close_to."""
    equals: float | None = bounded(default=None)
    """The exact target value."""
    maximize: Literal[True] | None = None
    """Whether to maximize the property."""
    minimize: Literal[True] | None = None
    """Whether to minimize the property."""
    unit: str | None = None
    """Unit of the numbers; the objective's own by default."""

    def __post_init__(self) -> None:
        wishes = [name for name in WISHES if getattr(self, name) is not None]
        if len(wishes) != 1:
            found = " and ".join(wishes) if wishes else "none"
            raise InputError(f"A target needs exactly one of {', '.join(WISHES)}; found {found}.")
        if (self.close_to is None) != (self.tolerance is None):
            raise InputError("close_to needs tolerance, and tolerance needs close_to.")

    def target(self) -> Target:
        """Builds the target."""
        wish = next(name for name in WISHES if getattr(self, name) is not None)
        return WISHES[wish](self)


WISHES: Mapping[str, Callable[[Any], Target]] = {
    "between": lambda s: Between(s.property, *s.between, unit=s.unit),
    "at_least": lambda s: AtLeast(s.property, s.at_least, unit=s.unit),
    "at_most": lambda s: AtMost(s.property, s.at_most, unit=s.unit),
    "close_to": lambda s: CloseTo(s.property, s.close_to, s.tolerance, unit=s.unit),
    "equals": lambda s: Equals(s.property, s.equals, unit=s.unit),
    "maximize": lambda s: Maximize(s.property, unit=s.unit),
    "minimize": lambda s: Minimize(s.property, unit=s.unit),
}
