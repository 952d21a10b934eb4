"""The classes behind the types of a campaign file: the package's own, and those of installed third-party packages.

A third-party package adds a type by an entry point, for example in its ``pyproject.toml``::

    [project.entry-points."invdesign.optimizers"]
    cma-es = "my_package:CmaEsOptimizer"

The class is a dataclass whose fields are its settings, preferably with ``invdesign.core.settings.settings``.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, is_dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, core_schema

from invdesign.core.errors import InputError, nearest
from invdesign.core.foreign import importing
from invdesign.core.settings import FileContext, from_mapping, is_settings, setting_names, settings

Section = Literal["parameter", "objective", "surrogate", "optimizer", "executor"]
SECTION_REFERENCE = "invdesign-section"
"""Key in a JSON schema whose value names the section that is allowed there."""

OTHER_WORDS: Mapping[Section, tuple[str, ...]] = {"objective": ("multi-fidelity",)}
"""Types that the campaign file builds itself, for suggestions."""
_BY_NAME: Mapping[Section, str] = {"surrogate": "invdesign.surrogates.per_property:PerProperty"}
"""Sections that may be a mapping from names to several types, and the class of that."""
_OWN: Mapping[Section, Mapping[str, str]] = {
    "parameter": {
        "continuous": "invdesign.space.parameters:Continuous",
        "integer": "invdesign.space.parameters:Integer",
        "categorical": "invdesign.space.parameters:Categorical",
        "composition": "invdesign.space.composition.composition:Composition",
        "fidelity": "invdesign.space.fidelity:Fidelity",
        "material-pool": "invdesign.space.materials:MaterialPoolFile",
        "mixture": "invdesign.space.mixture.mixture:Mixture",
        "molecule": "invdesign.space.molecules.pool:MoleculePoolFile",
        "molecule-graph": "invdesign.space.molecules.graph:MoleculeGraph",
        "molecule-library": "invdesign.space.molecules.library:MoleculeLibrary",
    },
    "objective": {
        "cell": "invdesign.objectives.cell.objective:CellObjective",
        "chemistry": "invdesign.objectives.chemistry.objective:ChemistryObjective",
        "command": "invdesign.objectives.command.objective:CommandObjective",
        "electrode": "invdesign.objectives.electrode.objective:ElectrodeObjective",
        "formula": "invdesign.objectives.formula.objective:FormulaObjective",
        "python": "invdesign.objectives.python:PythonObjective",
        "redox": "invdesign.objectives.redox.objective:RedoxObjective",
        "surrogate": "invdesign.objectives.surrogate:SurrogateObjective",
        "table": "invdesign.objectives.table:TableObjective",
    },
    "surrogate": {
        "botorch": "invdesign.surrogates.botorch:BotorchSurrogate",
        "decision-tree": "invdesign.surrogates.decision_tree:DecisionTree",
        "extra-trees": "invdesign.surrogates.forests:ExtraTrees",
        "gaussian-naive-bayes": "invdesign.surrogates.classifiers:GaussianNaiveBayes",
        "gaussian-process": "invdesign.surrogates.gaussian_process.surrogate:GaussianProcess",
        "gradient-boosting": "invdesign.surrogates.boosting:GradientBoosting",
        "graph-network": "invdesign.surrogates.graph_network.surrogate:GraphNetwork",
        "k-nearest-neighbors": "invdesign.surrogates.neighbors:KNearestNeighbors",
        "kernel-ridge": "invdesign.surrogates.kernel_machines:KernelRidge",
        "lasso": "invdesign.surrogates.linear:Lasso",
        "lightgbm": "invdesign.surrogates.boosting:LightGBM",
        "logistic-regression": "invdesign.surrogates.classifiers:LogisticRegression",
        "neural-network": "invdesign.surrogates.neural_network.surrogate:NeuralNetwork",
        "random-forest": "invdesign.surrogates.forests:RandomForest",
        "random-forest-classifier": "invdesign.surrogates.classifiers:RandomForestClassifier",
        "ridge": "invdesign.surrogates.linear:Ridge",
        "stacked": "invdesign.surrogates.stacked:Stacked",
        "support-vector": "invdesign.surrogates.kernel_machines:SupportVector",
        "support-vector-classifier": "invdesign.surrogates.classifiers:SupportVectorClassifier",
        "transformed": "invdesign.surrogates.transformed:Transformed",
        "xgboost": "invdesign.surrogates.boosting:XGBoost",
    },
    "optimizer": {
        "bayesian": "invdesign.optimizers.bayesian.optimizer:BayesianOptimizer",
        "cma-es": "invdesign.optimizers.population.cma_es:CmaEsOptimizer",
        "generative": "invdesign.optimizers.generative:GenerativeOptimizer",
        "genetic": "invdesign.optimizers.population.genetic:GeneticOptimizer",
        "particle-swarm": "invdesign.optimizers.population.particle_swarm:ParticleSwarmOptimizer",
        "portfolio": "invdesign.optimizers.portfolio:PortfolioOptimizer",
        "random": "invdesign.optimizers.random:RandomOptimizer",
        "sequence": "invdesign.optimizers.sequence:SequenceOptimizer",
    },
    "executor": {
        "dask": "invdesign.campaign.execution.dask_cluster:DaskCluster",
        "processes": "invdesign.campaign.execution.settings:LocalProcesses",
        "slurm": "invdesign.campaign.execution.slurm_cluster:SlurmCluster",
    },
}


@cache
def known_words(section: Section) -> Mapping[str, EntryPoint]:
    """The types of a section: the package's own, then those of installed packages, which cannot replace ours."""
    group = f"invdesign.{section}s"
    own = {word: EntryPoint(word, target, group) for word, target in _OWN[section].items()}
    foreign = {point.name: point for point in sorted(entry_points(group=group), key=lambda point: point.name)}
    return {**own, **{word: point for word, point in foreign.items() if word not in own}}


@cache
def settings_class(section: Section, word: str) -> type[Any]:
    """The class of a type, with validated settings.

    Raises:
        InputError: if the type is unknown (the nearest is suggested), or a third-party class cannot be used.
    """
    known = known_words(section)
    if word not in known:
        raise InputError(f"Unknown {section} type '{word}'.{nearest(word, (*known, *OTHER_WORDS.get(section, ())))}")
    point = known[word]
    package = point.dist.name if point.dist else "its package"
    with importing(f"The {section} type '{word}' ('{point.value}'; repair or uninstall {package})"):
        found: Any = importlib.import_module(point.module)
        for part in point.attr.split("."):
            found = getattr(found, part)
    if not (inspect.isclass(found) and is_dataclass(found)):
        raise InputError(
            f"The {section} type '{word}' ('{point.value}') must be a dataclass; its fields are its settings."
        )
    return found if is_settings(found) else settings(found)


def built(section: Section, given: Mapping[str, Any], context: FileContext | None = None) -> Any:
    """Builds the object that a mapping with a ``type`` describes.

    Args:
        section: of the file.
        given: ``type`` and settings.
        context: where the mapping comes from.

    Raises:
        InputError: if the type is missing or unknown.
        pydantic.ValidationError: if a setting is invalid.
    """
    group = by_name(section, given)
    if group is not None:
        return from_mapping(group, {setting_names(group)[0]: given}, context)
    if "type" not in given:
        raise InputError(f"This must be a mapping with a type, such as {{type: {next(iter(known_words(section)))}}}.")
    cls = settings_class(section, str(given["type"]))
    made = from_mapping(cls, {name: value for name, value in given.items() if name != "type"}, context)
    return made.build() if hasattr(made, "build") else made


def by_name(section: Section, given: object) -> type[Any] | None:
    """The class of a section that is written as a mapping from names to types; None if it is written otherwise."""
    if section not in _BY_NAME or not isinstance(given, Mapping) or not given or "type" in given:
        return None
    if not all(isinstance(entry, Mapping) for entry in given.values()):
        return None
    module, _, name = _BY_NAME[section].partition(":")
    found: type[Any] = getattr(importlib.import_module(module), name)
    return found


@dataclass(frozen=True)
class ByWord:
    """Annotates a field whose value is a mapping with a ``type`` in a file, and an object in Python.

    Attributes:
        section: the section whose types are allowed.
    """

    section: Section

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Returns an object as it is, and builds one from a mapping or from the type alone."""

        def validated(value: Any, info: ValidationInfo) -> Any:
            described = {"type": value} if isinstance(value, str) else value
            return built(self.section, described, info.context) if isinstance(described, Mapping) else value

        return core_schema.with_info_before_validator_function(validated, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Names the section; the schema of the campaign file replaces it by the section's types."""
        return {SECTION_REFERENCE: self.section}
