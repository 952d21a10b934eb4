# The names of the package; lazy_loader reads them here (SPEC 1), and so do type checkers.

from .base import History, Optimizer
from .bayesian.optimizer import BayesianOptimizer
from .generative import GenerativeOptimizer
from .population.cma_es import CmaEsOptimizer
from .population.fitness import Fitness
from .population.genetic import GeneticOptimizer
from .population.particle_swarm import ParticleSwarmOptimizer
from .portfolio import PortfolioOptimizer
from .random import RandomOptimizer
from .sequence import SequenceOptimizer

__all__ = [
    "BayesianOptimizer",
    "CmaEsOptimizer",
    "Fitness",
    "GenerativeOptimizer",
    "GeneticOptimizer",
    "History",
    "Optimizer",
    "ParticleSwarmOptimizer",
    "PortfolioOptimizer",
    "RandomOptimizer",
    "SequenceOptimizer",
]
