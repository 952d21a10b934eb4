# The names of the package; lazy_loader reads them here (SPEC 1), and so do type checkers.

from .composition import Composition
from .constraints import Constraint
from .fidelity import Fidelity
from .materials import MaterialPool
from .mixture import Mixture
from .molecules import MoleculeGraph, MoleculeLibrary, MoleculePool
from .parameters import Categorical, Continuous, Integer, Parameter
from .search_space import SearchSpace
from .size import describe_size

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
