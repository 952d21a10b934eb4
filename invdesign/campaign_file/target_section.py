"""The targets of a campaign file."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

from invdesign.core.errors import InputError
from invdesign.core.settings import Real, bounded, settings
from invdesign.targets.target import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Target

MORE = ("unit", "min_probability", "weight", "priority")
"""Settings of every kind of target."""
OPTIMIZED = ("maximize", "minimize")
SHORT, LONG = "with", "min_probability"


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
    equals: Real | str | None = None
    """The exact target value, or a class such as ``layered``."""
    classes: tuple[str, ...] | None = None
    """All classes of the property, such as ``[layered, spinel]``: a laboratory then measures them by name."""
    maximize: Literal[True] | None = None
    """Whether to maximize the property."""
    minimize: Literal[True] | None = None
    """Whether to minimize the property."""
    unit: str | None = None
    """Unit of the numbers; the objective's own by default."""
    min_probability: float | None = bounded(default=None, gt=0, lt=1)
    """With which a prediction must meet the target; its mean decides by default. Also written ``with: 0.9``."""

    weight: float = bounded(default=1.0, gt=0)
    """By which a miss, or what is gained by optimizing, counts beside those of other targets."""
    priority: int = bounded(default=1, ge=1)
    """1 for the targets that come first; each further level counts a tenth of the one before."""
    reference: float | None = bounded(default=None)
    """With maximize or minimize, the worst value that counts, in the unit: a coordinate of the reference point of the
    front's hypervolume. Worse candidates are not on the front."""

    def __post_init__(self) -> None:
        wishes = [name for name in WISHES if getattr(self, name) is not None]
        if len(wishes) != 1:
            found = " and ".join(wishes) if wishes else "none"
            raise InputError(f"A target needs exactly one of {', '.join(WISHES)}; found {found}.")
        if (self.close_to is None) != (self.tolerance is None):
            raise InputError("close_to needs tolerance, and tolerance needs close_to.")
        if self.classes is not None and self.equals is None:
            raise InputError("classes needs equals, such as equals: layered.")
        if self.reference is not None and not (self.maximize or self.minimize):
            raise InputError("reference is the worst value that counts with maximize or minimize. Remove it.")

    def target(self) -> Target:
        """Builds the target."""
        wish = next(name for name in WISHES if getattr(self, name) is not None)
        more = (*MORE, "reference") if wish in OPTIMIZED else MORE
        return WISHES[wish](self, {name: getattr(self, name) for name in more})


def with_long_words(entry: Any) -> Any:
    """A target of a file with ``with`` as ``min_probability``: Python cannot have a setting of that name."""
    if not isinstance(entry, dict) or SHORT not in entry or LONG in entry:
        return entry
    return {LONG if key == SHORT else key: value for key, value in entry.items()}


WISHES: Mapping[str, Callable[[Any, Mapping[str, Any]], Target]] = {
    "between": lambda s, more: Between(s.property, *s.between, **more),
    "at_least": lambda s, more: AtLeast(s.property, s.at_least, **more),
    "at_most": lambda s, more: AtMost(s.property, s.at_most, **more),
    "close_to": lambda s, more: CloseTo(s.property, s.close_to, s.tolerance, **more),
    "equals": lambda s, more: Equals(s.property, s.equals, classes=s.classes or (), **more),
    "maximize": lambda s, more: Maximize(s.property, **more),
    "minimize": lambda s, more: Minimize(s.property, **more),
}
