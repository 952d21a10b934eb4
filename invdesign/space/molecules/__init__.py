"""Molecules: listed pools, libraries of factors on scaffolds, and open-ended graphs."""

from invdesign.space.molecules.graph import MoleculeGraph
from invdesign.space.molecules.library import MoleculeLibrary
from invdesign.space.molecules.pool import MoleculePool

__all__ = ["MoleculeGraph", "MoleculeLibrary", "MoleculePool"]
