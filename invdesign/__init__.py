"""Inverse design of battery materials: from targets to formulas, molecules, processes and cells.

Everything a user needs is a name of this package; each is loaded when it is first used, so that importing it is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invdesign.campaign import Campaign, Status, WorkerPool
    from invdesign.optimizers import (
        BayesianOptimizer,
        GeneticOptimizer,
        History,
        Optimizer,
        ParticleSwarmOptimizer,
        PortfolioOptimizer,
        RandomOptimizer,
    )
    from invdesign.space import (
        Categorical,
        Composition,
        Constraint,
        Continuous,
        Integer,
        Level,
        MoleculeGraph,
        MoleculeLibrary,
        MoleculePool,
        SearchSpace,
    )
    from invdesign.stage import Stage
    from invdesign.target_file import CampaignFile, read_campaign
    from invdesign.targets import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Targets
    from objectives.cell import CellObjective
    from objectives.combined import CombinedObjective
    from objectives.command import CommandObjective
    from objectives.electrode import ElectrodeObjective
    from objectives.formula import FormulaObjective
    from objectives.levels import LevelsObjective
    from objectives.python import PythonObjective
    from objectives.redox import RedoxObjective
    from objectives.redox_calibration import Calibration
    from objectives.surrogate import SurrogateObjective
    from objectives.table import TableObjective
    from surrogates.boosting import GradientBoosting, LightGBM, XGBoost
    from surrogates.classifiers import (
        GaussianNaiveBayes,
        LogisticRegression,
        RandomForestClassifier,
        SupportVectorClassifier,
    )
    from surrogates.decision_tree import DecisionTree
    from surrogates.errors import InputError
    from surrogates.features.settings import Features
    from surrogates.forests import ExtraTrees, RandomForest
    from surrogates.gaussian_process import GaussianProcess
    from surrogates.kernel_machines import KernelRidge, SupportVector
    from surrogates.linear import Lasso, Ridge
    from surrogates.neighbors import KNearestNeighbors
    from surrogates.neural_network import NeuralNetwork

_HOME = {
    "invdesign.campaign": ("Campaign", "Status", "WorkerPool"),
    "invdesign.optimizers": (
        "BayesianOptimizer",
        "GeneticOptimizer",
        "History",
        "Optimizer",
        "ParticleSwarmOptimizer",
        "PortfolioOptimizer",
        "RandomOptimizer",
    ),
    "invdesign.space": (
        "Categorical",
        "Composition",
        "Constraint",
        "Continuous",
        "Integer",
        "Level",
        "MoleculeGraph",
        "MoleculeLibrary",
        "MoleculePool",
        "SearchSpace",
    ),
    "invdesign.stage": ("Stage",),
    "invdesign.target_file": ("CampaignFile", "read_campaign"),
    "invdesign.targets": ("AtLeast", "AtMost", "Between", "CloseTo", "Equals", "Maximize", "Minimize", "Targets"),
    "objectives.cell": ("CellObjective",),
    "objectives.combined": ("CombinedObjective",),
    "objectives.command": ("CommandObjective",),
    "objectives.electrode": ("ElectrodeObjective",),
    "objectives.formula": ("FormulaObjective",),
    "objectives.levels": ("LevelsObjective",),
    "objectives.python": ("PythonObjective",),
    "objectives.redox": ("RedoxObjective",),
    "objectives.redox_calibration": ("Calibration",),
    "objectives.surrogate": ("SurrogateObjective",),
    "objectives.table": ("TableObjective",),
    "surrogates.boosting": (
        "GradientBoosting",
        "LightGBM",
        "XGBoost",
    ),
    "surrogates.classifiers": (
        "GaussianNaiveBayes",
        "LogisticRegression",
        "RandomForestClassifier",
        "SupportVectorClassifier",
    ),
    "surrogates.decision_tree": ("DecisionTree",),
    "surrogates.errors": ("InputError",),
    "surrogates.features.settings": ("Features",),
    "surrogates.forests": (
        "ExtraTrees",
        "RandomForest",
    ),
    "surrogates.gaussian_process": ("GaussianProcess",),
    "surrogates.kernel_machines": (
        "KernelRidge",
        "SupportVector",
    ),
    "surrogates.linear": (
        "Lasso",
        "Ridge",
    ),
    "surrogates.neighbors": ("KNearestNeighbors",),
    "surrogates.neural_network": ("NeuralNetwork",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AtLeast",
    "AtMost",
    "BayesianOptimizer",
    "Between",
    "Calibration",
    "Campaign",
    "CampaignFile",
    "Categorical",
    "CellObjective",
    "CloseTo",
    "CombinedObjective",
    "CommandObjective",
    "Composition",
    "Constraint",
    "Continuous",
    "DecisionTree",
    "ElectrodeObjective",
    "Equals",
    "ExtraTrees",
    "Features",
    "FormulaObjective",
    "GaussianNaiveBayes",
    "GaussianProcess",
    "GeneticOptimizer",
    "GradientBoosting",
    "History",
    "InputError",
    "Integer",
    "KNearestNeighbors",
    "KernelRidge",
    "Lasso",
    "Level",
    "LevelsObjective",
    "LightGBM",
    "LogisticRegression",
    "Maximize",
    "Minimize",
    "MoleculeGraph",
    "MoleculeLibrary",
    "MoleculePool",
    "NeuralNetwork",
    "Optimizer",
    "ParticleSwarmOptimizer",
    "PortfolioOptimizer",
    "PythonObjective",
    "RandomForest",
    "RandomForestClassifier",
    "RandomOptimizer",
    "RedoxObjective",
    "Ridge",
    "SearchSpace",
    "Stage",
    "Status",
    "SupportVector",
    "SupportVectorClassifier",
    "SurrogateObjective",
    "TableObjective",
    "Targets",
    "WorkerPool",
    "XGBoost",
    "read_campaign",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'invdesign' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULE[name]), name)


def __dir__() -> list[str]:
    return __all__
