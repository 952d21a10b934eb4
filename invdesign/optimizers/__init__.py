"""Optimizers, which propose candidates: one interface, one file each."""

from invdesign.optimizers.base import History, Optimizer
from invdesign.optimizers.bayesian.optimizer import BayesianOptimizer
from invdesign.optimizers.generative import GenerativeOptimizer
from invdesign.optimizers.population.cma_es import CmaEsOptimizer
from invdesign.optimizers.population.fitness import Fitness
from invdesign.optimizers.population.genetic import GeneticOptimizer
from invdesign.optimizers.population.particle_swarm import ParticleSwarmOptimizer
from invdesign.optimizers.portfolio import PortfolioOptimizer
from invdesign.optimizers.random import RandomOptimizer

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
]
