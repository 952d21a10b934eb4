"""Which words of a campaign file stand for which class: one line each, loaded when first used."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from invdesign.core.errors import InputError, nearest

Section = Literal["parameter", "objective", "surrogate", "optimizer"]

REGISTRY: Mapping[Section, Mapping[str, str]] = {
    "parameter": {
        "continuous": "invdesign.space.parameters:Continuous",
        "integer": "invdesign.space.parameters:Integer",
        "categorical": "invdesign.space.parameters:Categorical",
        "composition": "invdesign.space.composition.composition:Composition",
        "fidelity": "invdesign.space.fidelity:Fidelity",
        "molecule": "invdesign.space.molecules.pool:MoleculePool.from_file",
        "molecule-graph": "invdesign.space.molecules.graph:MoleculeGraph",
        "molecule-library": "invdesign.space.molecules.library:MoleculeLibrary",
    },
    "objective": {
        "cell": "invdesign.objectives.cell.objective:CellObjective",
        "command": "invdesign.objectives.command.objective:CommandObjective",
        "electrode": "invdesign.objectives.electrode.objective:ElectrodeObjective",
        "formula": "invdesign.objectives.formula.objective:FormulaObjective",
        "python": "invdesign.objectives.python:PythonObjective",
        "redox": "invdesign.objectives.redox.objective:RedoxObjective",
        "surrogate": "invdesign.objectives.surrogate:SurrogateObjective",
        "table": "invdesign.objectives.table:TableObjective",
    },
    "surrogate": {
        "decision-tree": "invdesign.surrogates.decision_tree:DecisionTree",
        "extra-trees": "invdesign.surrogates.forests:ExtraTrees",
        "gaussian-naive-bayes": "invdesign.surrogates.classifiers:GaussianNaiveBayes",
        "gaussian-process": "invdesign.surrogates.gaussian_process.surrogate:GaussianProcess",
        "gradient-boosting": "invdesign.surrogates.boosting:GradientBoosting",
        "k-nearest-neighbors": "invdesign.surrogates.neighbors:KNearestNeighbors",
        "kernel-ridge": "invdesign.surrogates.kernel_machines:KernelRidge",
        "lasso": "invdesign.surrogates.linear:Lasso",
        "lightgbm": "invdesign.surrogates.boosting:LightGBM",
        "logistic-regression": "invdesign.surrogates.classifiers:LogisticRegression",
        "neural-network": "invdesign.surrogates.neural_network.surrogate:NeuralNetwork",
        "random-forest": "invdesign.surrogates.forests:RandomForest",
        "random-forest-classifier": "invdesign.surrogates.classifiers:RandomForestClassifier",
        "ridge": "invdesign.surrogates.linear:Ridge",
        "support-vector": "invdesign.surrogates.kernel_machines:SupportVector",
        "support-vector-classifier": "invdesign.surrogates.classifiers:SupportVectorClassifier",
        "xgboost": "invdesign.surrogates.boosting:XGBoost",
    },
    "optimizer": {
        "bayesian": "invdesign.optimizers.bayesian.optimizer:BayesianOptimizer",
        "genetic": "invdesign.optimizers.population.genetic:GeneticOptimizer",
        "particle-swarm": "invdesign.optimizers.population.particle_swarm:ParticleSwarmOptimizer",
        "portfolio": "invdesign.optimizers.portfolio:PortfolioOptimizer",
        "random": "invdesign.optimizers.random:RandomOptimizer",
    },
}
FROM_ELSEWHERE: Mapping[Section, frozenset[str]] = {
    "parameter": frozenset(),
    "objective": frozenset({"columns", "molecules", "units_of_inputs"}),
    "surrogate": frozenset(),
    "optimizer": frozenset({"surrogate"}),
}
"""Fields that a campaign file says elsewhere: in the space's columns, in the surrogate section."""


@cache
def builder(section: Section, word: str) -> Callable[..., Any]:
    """The class, or its constructor, that a word stands for.

    Raises:
        InputError: where the word is unknown; the nearest is named.
    """
    known = REGISTRY[section]
    if word not in known:
        raise InputError(f"There is no {section} type '{word}'.{nearest(word, known)}")
    module, _, attribute = known[word].partition(":")
    found: Any = importlib.import_module(module)
    for part in attribute.split("."):
        found = getattr(found, part)
    return found


@cache
def settings_model(section: Section, word: str) -> type[BaseModel]:
    """What a campaign file may say of a type, made from the fields of its class, so that nothing is written twice.

    Raises:
        InputError: where the word is unknown.
    """
    built = builder(section, word)
    hints = get_type_hints(built.__init__ if inspect.isclass(built) else built)
    fields: dict[str, Any] = {"type": (Literal[word], ...)}
    for name, parameter in inspect.signature(built).parameters.items():
        if name in FROM_ELSEWHERE[section]:
            continue
        default = ... if parameter.default is inspect.Parameter.empty else parameter.default
        if _named_by_word(hints[name]) is not None:
            fields[name] = (dict[str, Any] | None, default)
            continue
        fields[name] = (_fileable(hints[name]), None if callable(default) or repr(default) == "<factory>" else default)
    model: type[BaseModel] = create_model(
        word,
        __config__=ConfigDict(extra="forbid", arbitrary_types_allowed=True),
        __doc__=inspect.getdoc(built),
        **fields,
    )
    return model


def _fileable(hint: Any) -> Any:
    """The part of a type that a file can hold: no frame, no function, and text for a path."""
    import types
    import typing
    from pathlib import Path

    if typing.get_origin(hint) in (typing.Union, types.UnionType):
        kept = [
            part for part in typing.get_args(hint) if part in (str, int, float, bool, type(None)) or _is_plain(part)
        ]
        return typing.Union[tuple(kept)]  # noqa: UP007 - built from a list
    return str if hint is Path else hint


def _named_by_word(hint: Any) -> Section | None:
    """The section whose words name values of a type: a surrogate within an objective is a section of its own."""
    import typing

    from invdesign.surrogates.base import Surrogate

    return "surrogate" if Surrogate in (hint, *typing.get_args(hint)) else None


def _is_plain(part: Any) -> bool:
    import typing

    return is_dataclass(part) or typing.get_origin(part) in (dict, list, tuple, typing.Literal)
