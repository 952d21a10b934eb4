"""How candidates are proposed: one interface, one file an optimizer."""

from invdesign.optimizers.base import History, Optimizer
from invdesign.optimizers.bayesian import BayesianOptimizer
from invdesign.optimizers.random import RandomOptimizer

__all__ = ["BayesianOptimizer", "History", "Optimizer", "RandomOptimizer"]
