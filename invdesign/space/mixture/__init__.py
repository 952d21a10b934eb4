"""Mixtures of components in roles: their amounts and rules, counting, sampling, encoding and repair."""

from invdesign.space.mixture.mixture import Mixture

__all__ = ["Mixture"]
