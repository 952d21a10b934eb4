"""Chemical formulas on sublattices: their sites and rules, sampling, encoding and repair."""

from invdesign.space.composition.composition import Composition

__all__ = ["Composition"]
