"""Targets as a file writes them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from invdesign.targets.target import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Target

Number = float


class TargetSettings(BaseModel):
    """A wish on one property: exactly one of between, at_least, at_most, close_to, equals, maximize, minimize."""

    model_config = ConfigDict(extra="forbid")

    property: str = Field(description="Name of the property, as the objective gives it.")
    between: tuple[Number, Number] | None = Field(None, description="Lower and upper value, both included.")
    at_least: Number | None = None
    at_most: Number | None = None
    close_to: Number | None = Field(None, description="A value to come close to; needs tolerance.")
    tolerance: Number | None = Field(None, description="Distance from close_to that is still close.")
    equals: Number | None = None
    maximize: Literal[True] | None = None
    minimize: Literal[True] | None = None
    unit: str | None = Field(None, description="Unit of the numbers; the objective's own where it is missing.")

    @model_validator(mode="after")
    def _one_wish(self) -> Self:
        wishes = [name for name in WISHES if getattr(self, name) is not None]
        if len(wishes) != 1:
            found = " and ".join(wishes) if wishes else "none"
            raise ValueError(f"a target has exactly one of {', '.join(WISHES)}; found {found}")
        if (self.close_to is None) != (self.tolerance is None):
            raise ValueError("close_to and tolerance belong together")
        return self

    def target(self) -> Target:
        """The target that is meant."""
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
