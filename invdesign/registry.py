"""Which words of a campaign file stand for which class: one line each, loaded when first used."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from functools import cache
from typing import Any, Literal, get_type_hints

from pydantic import BaseModel, ConfigDict, create_model

from surrogates.errors import InputError, nearest

Section = Literal["parameter", "objective", "surrogate", "optimizer"]

REGISTRY: Mapping[Section, Mapping[str, str]] = {
    "parameter": {
        "continuous": "invdesign.space.parameters:Continuous",
        "integer": "invdesign.space.parameters:Integer",
        "categorical": "invdesign.space.parameters:Categorical",
        "composition": "invdesign.space.composition.composition:Composition",
        "level": "invdesign.space.level:Level",
        "molecule": "invdesign.space.molecules.pool:MoleculePool.from_file",
        "molecule-graph": "invdesign.space.molecules.graph:MoleculeGraph",
        "molecule-library": "invdesign.space.molecules.library:MoleculeLibrary",
    },
    "objective": {
        "cell": "objectives.cell:CellObjective",
        "command": "objectives.command:CommandObjective",
        "electrode": "objectives.electrode:ElectrodeObjective",
        "formula": "objectives.formula:FormulaObjective",
        "python": "objectives.python:PythonObjective",
        "redox": "objectives.redox:RedoxObjective",
        "surrogate": "objectives.surrogate:SurrogateObjective",
        "table": "objectives.table:TableObjective",
    },
    "surrogate": {
        "decision-tree": "surrogates.decision_tree:DecisionTree",
        "extra-trees": "surrogates.forests:ExtraTrees",
        "gaussian-naive-bayes": "surrogates.classifiers:GaussianNaiveBayes",
        "gaussian-process": "surrogates.gaussian_process:GaussianProcess",
        "gradient-boosting": "surrogates.boosting:GradientBoosting",
        "k-nearest-neighbors": "surrogates.neighbors:KNearestNeighbors",
        "kernel-ridge": "surrogates.kernel_machines:KernelRidge",
        "lasso": "surrogates.linear:Lasso",
        "lightgbm": "surrogates.boosting:LightGBM",
        "logistic-regression": "surrogates.classifiers:LogisticRegression",
        "neural-network": "surrogates.neural_network:NeuralNetwork",
        "random-forest": "surrogates.forests:RandomForest",
        "random-forest-classifier": "surrogates.classifiers:RandomForestClassifier",
        "ridge": "surrogates.linear:Ridge",
        "support-vector": "surrogates.kernel_machines:SupportVector",
        "support-vector-classifier": "surrogates.classifiers:SupportVectorClassifier",
        "xgboost": "surrogates.boosting:XGBoost",
    },
    "optimizer": {
        "bayesian": "invdesign.optimizers.bayesian:BayesianOptimizer",
        "genetic": "invdesign.optimizers.genetic:GeneticOptimizer",
        "particle-swarm": "invdesign.optimizers.particle_swarm:ParticleSwarmOptimizer",
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

    from surrogates.base import Surrogate

    return "surrogate" if Surrogate in (hint, *typing.get_args(hint)) else None


def _is_plain(part: Any) -> bool:
    import typing

    return is_dataclass(part) or typing.get_origin(part) in (dict, list, tuple, typing.Literal)
