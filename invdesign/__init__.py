"""Inverse design of battery materials: from targets to formulas, molecules, processes and cells.

Everything a user needs is a name of this package; each is loaded when it is first used, so that importing it is quick.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from invdesign.campaign import Campaign, Status, WorkerPool
    from invdesign.optimizers import BayesianOptimizer, History, Optimizer, RandomOptimizer
    from invdesign.space import (
        Categorical,
        Composition,
        Constraint,
        Continuous,
        Integer,
        MoleculeGraph,
        MoleculeLibrary,
        MoleculePool,
        SearchSpace,
    )
    from invdesign.target_file import CampaignFile, read_campaign
    from invdesign.targets import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Targets
    from objectives.cell import CellObjective
    from objectives.combined import CombinedObjective
    from objectives.python import PythonObjective
    from objectives.table import TableObjective
    from surrogates.errors import InputError
    from surrogates.gaussian_process import GaussianProcess

_HOME = {
    "invdesign.campaign": ("Campaign", "Status", "WorkerPool"),
    "invdesign.optimizers": ("BayesianOptimizer", "History", "Optimizer", "RandomOptimizer"),
    "invdesign.space": (
        "Categorical",
        "Composition",
        "Constraint",
        "Continuous",
        "Integer",
        "MoleculeGraph",
        "MoleculeLibrary",
        "MoleculePool",
        "SearchSpace",
    ),
    "invdesign.target_file": ("CampaignFile", "read_campaign"),
    "invdesign.targets": ("AtLeast", "AtMost", "Between", "CloseTo", "Equals", "Maximize", "Minimize", "Targets"),
    "objectives.cell": ("CellObjective",),
    "objectives.combined": ("CombinedObjective",),
    "objectives.python": ("PythonObjective",),
    "objectives.table": ("TableObjective",),
    "surrogates.errors": ("InputError",),
    "surrogates.gaussian_process": ("GaussianProcess",),
}
_MODULE = {name: module for module, names in _HOME.items() for name in names}

__all__ = [
    "AtLeast",
    "AtMost",
    "BayesianOptimizer",
    "Between",
    "Campaign",
    "CampaignFile",
    "Categorical",
    "CellObjective",
    "CloseTo",
    "CombinedObjective",
    "Composition",
    "Constraint",
    "Continuous",
    "Equals",
    "GaussianProcess",
    "History",
    "InputError",
    "Integer",
    "Maximize",
    "Minimize",
    "MoleculeGraph",
    "MoleculeLibrary",
    "MoleculePool",
    "Optimizer",
    "PythonObjective",
    "RandomOptimizer",
    "SearchSpace",
    "Status",
    "TableObjective",
    "Targets",
    "WorkerPool",
    "read_campaign",
]


def __getattr__(name: str) -> Any:
    if name not in _MODULE:
        raise AttributeError(f"module 'invdesign' has no attribute '{name}'")
    return getattr(importlib.import_module(_MODULE[name]), name)


def __dir__() -> list[str]:
    return __all__
