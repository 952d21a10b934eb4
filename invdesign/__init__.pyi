# The public names: lazy_loader reads them here (SPEC 1), and so do type checkers.

from .campaign import Campaign, Failures, Status, WorkerPool
from .campaign.stage import Stage
from .campaign_file.file import CampaignFile, read_campaign, read_targets
from .core.errors import InputError
from .objectives.cell.objective import CellObjective
from .objectives.combined import CombinedObjective
from .objectives.command.objective import CommandObjective
from .objectives.electrode.objective import ElectrodeObjective
from .objectives.fidelity import MultiFidelityObjective
from .objectives.formula.objective import FormulaObjective
from .objectives.python import PythonObjective
from .objectives.redox.calibration import Calibration
from .objectives.redox.objective import RedoxObjective
from .objectives.surrogate import SurrogateObjective
from .objectives.table import TableObjective
from .optimizers import (
    BayesianOptimizer,
    CmaEsOptimizer,
    GeneticOptimizer,
    History,
    Optimizer,
    ParticleSwarmOptimizer,
    PortfolioOptimizer,
    RandomOptimizer,
)
from .space import (
    Categorical,
    Composition,
    Constraint,
    Continuous,
    Fidelity,
    Integer,
    Mixture,
    MoleculeGraph,
    MoleculeLibrary,
    MoleculePool,
    SearchSpace,
)
from .surrogates.boosting import GradientBoosting, LightGBM, XGBoost
from .surrogates.botorch import BotorchSurrogate
from .surrogates.classifiers import (
    GaussianNaiveBayes,
    LogisticRegression,
    RandomForestClassifier,
    SupportVectorClassifier,
)
from .surrogates.decision_tree import DecisionTree
from .surrogates.explain import partial_dependence, permutation_importance, shapley_values
from .surrogates.features.settings import Features
from .surrogates.forests import ExtraTrees, RandomForest
from .surrogates.gaussian_process.surrogate import GaussianProcess
from .surrogates.kernel_machines import KernelRidge, SupportVector
from .surrogates.linear import Lasso, Ridge
from .surrogates.neighbors import KNearestNeighbors
from .surrogates.neural_network.surrogate import NeuralNetwork
from .targets import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Targets

__all__ = [
    "AtLeast",
    "AtMost",
    "BayesianOptimizer",
    "Between",
    "BotorchSurrogate",
    "Calibration",
    "Campaign",
    "CampaignFile",
    "Categorical",
    "CellObjective",
    "CloseTo",
    "CmaEsOptimizer",
    "CombinedObjective",
    "CommandObjective",
    "Composition",
    "Constraint",
    "Continuous",
    "DecisionTree",
    "ElectrodeObjective",
    "Equals",
    "ExtraTrees",
    "Failures",
    "Features",
    "Fidelity",
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
    "LightGBM",
    "LogisticRegression",
    "Maximize",
    "Minimize",
    "Mixture",
    "MoleculeGraph",
    "MoleculeLibrary",
    "MoleculePool",
    "MultiFidelityObjective",
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
    "partial_dependence",
    "permutation_importance",
    "read_campaign",
    "read_targets",
    "shapley_values",
]
