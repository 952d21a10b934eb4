"""Chemical formulas on sublattices: what may stand where, how they are drawn, encoded and repaired."""

from invdesign.space.composition.composition import Composition

__all__ = ["Composition"]
