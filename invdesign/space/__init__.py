"""Search spaces: parameters and the constraints between them."""

from invdesign.space.composition import Composition
from invdesign.space.constraints import Constraint
from invdesign.space.fidelity import Fidelity
from invdesign.space.materials import MaterialPool
from invdesign.space.mixture import Mixture
from invdesign.space.molecules import MoleculeGraph, MoleculeLibrary, MoleculePool
from invdesign.space.parameters import Categorical, Continuous, Integer, Parameter
from invdesign.space.search_space import SearchSpace
from invdesign.space.size import describe_size

__all__ = [
    "Categorical",
    "Composition",
    "Constraint",
    "Continuous",
    "Fidelity",
    "Integer",
    "MaterialPool",
    "Mixture",
    "MoleculeGraph",
    "MoleculeLibrary",
    "MoleculePool",
    "Parameter",
    "SearchSpace",
    "describe_size",
]
