"""What can be searched: parameters, the constraints between them, and the space that holds both."""

from invdesign.space.constraints import Constraint
from invdesign.space.molecules import MoleculePool
from invdesign.space.parameters import Categorical, Continuous, Integer, Parameter
from invdesign.space.search_space import SearchSpace
from invdesign.space.size import describe_size

__all__ = [
    "Categorical",
    "Constraint",
    "Continuous",
    "Integer",
    "MoleculePool",
    "Parameter",
    "SearchSpace",
    "describe_size",
]
