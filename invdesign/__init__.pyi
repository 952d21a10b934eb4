# The public names: lazy_loader reads them here (SPEC 1), and so do type checkers.

from . import plot
from .campaign import Campaign, Failures, RunSettings, Status, WorkerPool
from .campaign.stage import Stage
from .campaign.stop import Stop
from .campaign_file.file import CampaignFile
from .campaign_file.reader import read_campaign
from .campaign_file.screen_section import ScreenFile, read_screen
from .campaign_file.target_sets import read_targets
from .core.columns import Column
from .core.errors import InputError
from .datasets import dataset
from .generators import FormulaGenerator, MoleculeGenerator, TrainingTable
from .objectives.cell.objective import CellObjective
from .objectives.chemistry.objective import ChemistryObjective
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
    GenerativeOptimizer,
    GeneticOptimizer,
    History,
    Optimizer,
    ParticleSwarmOptimizer,
    PortfolioOptimizer,
    RandomOptimizer,
    SequenceOptimizer,
)
from .report import write_report
from .screening.funnel import Step
from .screening.running import Screening, ScreenSettings
from .screening.screen import screen
from .space import (
    Categorical,
    Composition,
    Constraint,
    Continuous,
    Fidelity,
    Integer,
    MaterialPool,
    Mixture,
    MoleculeGraph,
    MoleculeLibrary,
    MoleculePool,
    SearchSpace,
)
from .space.materials import MaterialFile
from .space.molecules.files import MoleculeFile
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
from .surrogates.graph_network.surrogate import GraphNetwork
from .surrogates.kernel_machines import KernelRidge, SupportVector
from .surrogates.linear import Lasso, Ridge
from .surrogates.neighbors import KNearestNeighbors
from .surrogates.neural_network.surrogate import NeuralNetwork
from .surrogates.per_property import PerProperty
from .surrogates.saving import load_surrogate, save_surrogate
from .surrogates.stacked import Stacked
from .surrogates.transformed import Transformed
from .surrogates.validation import held_out_predictions, scores
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
    "ChemistryObjective",
    "CloseTo",
    "CmaEsOptimizer",
    "Column",
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
    "FormulaGenerator",
    "FormulaObjective",
    "GaussianNaiveBayes",
    "GaussianProcess",
    "GenerativeOptimizer",
    "GeneticOptimizer",
    "GradientBoosting",
    "GraphNetwork",
    "History",
    "InputError",
    "Integer",
    "KNearestNeighbors",
    "KernelRidge",
    "Lasso",
    "LightGBM",
    "LogisticRegression",
    "MaterialFile",
    "MaterialPool",
    "Maximize",
    "Minimize",
    "Mixture",
    "MoleculeFile",
    "MoleculeGenerator",
    "MoleculeGraph",
    "MoleculeLibrary",
    "MoleculePool",
    "MultiFidelityObjective",
    "NeuralNetwork",
    "Optimizer",
    "ParticleSwarmOptimizer",
    "PerProperty",
    "PortfolioOptimizer",
    "PythonObjective",
    "RandomForest",
    "RandomForestClassifier",
    "RandomOptimizer",
    "RedoxObjective",
    "Ridge",
    "RunSettings",
    "ScreenFile",
    "ScreenSettings",
    "Screening",
    "SearchSpace",
    "SequenceOptimizer",
    "Stacked",
    "Stage",
    "Status",
    "Step",
    "Stop",
    "SupportVector",
    "SupportVectorClassifier",
    "SurrogateObjective",
    "TableObjective",
    "Targets",
    "TrainingTable",
    "Transformed",
    "WorkerPool",
    "XGBoost",
    "dataset",
    "held_out_predictions",
    "load_surrogate",
    "partial_dependence",
    "permutation_importance",
    "plot",
    "read_campaign",
    "read_screen",
    "read_targets",
    "save_surrogate",
    "scores",
    "screen",
    "shapley_values",
    "write_report",
]
