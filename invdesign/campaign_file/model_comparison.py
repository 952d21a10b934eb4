"""Compares model families on the data of a campaign file and recommends one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.plugins import known_words, settings_class
from invdesign.objectives.surrogate import SurrogateObjective
from invdesign.objectives.table import TableObjective
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.data_checks import Finding, check_data, cleaned
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.graph_network.surrogate import GraphNetwork
from invdesign.surrogates.selection import CHOICE, Chosen, Comparison, Recommendation, compare, recommend
from invdesign.surrogates.splits import (
    Groups,
    Surroundings,
    cluster_groups,
    element_groups,
    matching_split,
    scaffold_groups,
    size_groups,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.campaign_file.file import CampaignFile
    from invdesign.core.columns import Column
    from invdesign.space import SearchSpace

CLASSIFIERS = (
    "gaussian-naive-bayes",
    "logistic-regression",
    "random-forest-classifier",
    "support-vector-classifier",
)
SLOW = ("botorch",)
"""Words that are compared only where they are named."""
GRAPHS = "graph-network"
FEWEST_GRAPHS = 1_000
"""Rows with molecules from which a graph network is compared, if its extra is installed, though it is not named."""
RANDOM = "random"
SCAFFOLD, SIZE, ELEMENTS, CLUSTER = "scaffold", "size", "elements", "cluster"
SAMPLED = 200
"""Candidates of the space whose distance from the data says which split is like the campaign."""


@dataclass(frozen=True)
class TrainingData:
    """The training data of the models.

    Attributes:
        frame: candidates, one row each.
        y: property values; NaN if one is missing.
        columns: what the columns of ``frame`` are.
        findings: doubtful values in the data.
        table: the source of the data.
        space: the search space, whose candidates will be predicted.
    """

    frame: pd.DataFrame
    y: pd.DataFrame
    columns: tuple[Column, ...]
    findings: list[Finding]
    table: TableObjective
    space: SearchSpace


@dataclass(frozen=True)
class ModelReport:
    """The result of a comparison of model families.

    Attributes:
        data: the training data.
        comparison: the scores of every family by every split.
        recommendation: the recommended family.
    """

    data: TrainingData
    comparison: Comparison
    recommendation: Recommendation


def training_data(setting: CampaignFile, *, censored: str = "error") -> TrainingData:
    """The table of the campaign's objective as training data.

    Args:
        setting: the campaign; its objective, or one of them, reads a table.
        censored: what to do with values such as ``<1E-10``; see ``invdesign.surrogates.data_checks.cleaned``.

    Raises:
        InputError: if no objective reads a table, or its values cannot be learned from.
    """
    parts: Sequence[Any] = getattr(setting.objective, "parts", (setting.objective,))
    source = next((part for part in parts if isinstance(part, TableObjective | SurrogateObjective)), None)
    if source is None:
        raise InputError(
            "Comparing models needs data: the objective must be a table or a surrogate, such as "
            "objective: {type: surrogate, data: table.csv, key: {...}, values: {...}}."
        )
    table = TableObjective(
        source.data, source.key, source.values, source.units, classes=source.classes, sheet=source.sheet
    )
    table = table.for_columns(setting.space.columns)
    described = replace(_as_surrogate(source), columns=setting.space.columns)
    frame, raw = table.training()
    columns = tuple(column for column in setting.space.columns if column.name in source.key)
    findings = check_data(frame, raw, columns=columns)
    choice: Any = censored if censored != "error" else described.censored
    frame, y, _ = cleaned(frame, raw, censored=choice, duplicates=described.duplicates)
    known = y.notna().any(axis=1)
    return TrainingData(frame[known], y[known], described.own_columns(frame), findings, table, setting.space)


def compare_models(
    data: TrainingData,
    *,
    splits: Sequence[str] = (),
    families: Sequence[str | Surrogate] = (),
    folds: int = 5,
    seed: int = 0,
    choice: bool = True,
    on_progress: Callable[[str, str], None] | None = None,
) -> ModelReport:
    """Compares families by cross-validation with a random split and one that holds out groups.

    A split that is named decides. Otherwise that one decides whose held-out rows are as far from the rest as the
    candidates of the space are from the data; see ``matching_split``.

    Args:
        data: to learn from.
        splits: ``random``, ``scaffold`` or ``size`` of a molecule, ``elements`` of a formula, ``cluster`` of the
            features, or a column of the table, such as the paper. Where empty, random and the first of the others for
            which the data suffice.
        families: words of the surrogate section, or surrogates with settings of their own; all words that fit the
            values where empty.
        folds: of the outer cross-validation.
        seed: decides the folds.
        choice: whether to judge the choice among the families too (without graph networks), by nested cross-validation.
        on_progress: called with a family and a split before they are tried.

    Raises:
        InputError: if a family or the column of the groups is unknown, or nothing can be fitted.
    """
    built = {name: _variants(family, data) for name, family in _families(families, data).items()}
    tried: dict[str, Surrogate] = {
        word: Chosen(tuple(variants), seed=seed) if len(variants) > 1 else variants[0]
        for word, variants in built.items()
    }
    # A choice fits every member again and again, a graph network for some minutes each time.
    quick = {word: variants for word, variants in built.items() if not isinstance(variants[0], GraphNetwork)}
    if choice and len(quick) > 1:
        everything = tuple(variant for variants in quick.values() for variant in variants)
        tried[CHOICE] = Chosen(everything, seed=seed)
    sampled = data.space.sample(SAMPLED, np.random.default_rng(seed))
    surroundings = Surroundings.of(data.frame, sampled, data.columns)
    groups = _splits(data, splits, rows=surroundings.rows, folds=folds, seed=seed)
    comparison = compare(
        tried,
        data.frame,
        data.y,
        columns=data.columns,
        splits=groups,
        folds=folds,
        seed=seed,
        on_progress=on_progress,
    )
    if splits and any(split == splits[-1] for _, split in comparison.predictions):
        return ModelReport(data, comparison, recommend(comparison, split=splits[-1]))
    decides, because = matching_split(surroundings, _folds(comparison, data), random=RANDOM)
    return ModelReport(data, comparison, recommend(comparison, split=decides, because=because))


def _folds(comparison: Comparison, data: TrainingData) -> dict[str, NDArray[np.int64]]:
    """The fold of each training row by split; rows without a value of the first property are in none (-1)."""
    found = {}
    for (_, split), held in comparison.predictions.items():
        one = held[held["property"] == held["property"].iloc[0]]
        found[split] = one["fold"].reindex(data.frame.index).fillna(-1).to_numpy(dtype=np.int64)
    return found


def _as_surrogate(source: TableObjective | SurrogateObjective) -> SurrogateObjective:
    if isinstance(source, SurrogateObjective):
        return source
    duplicates = "keep" if source.duplicates == "error" else source.duplicates
    return SurrogateObjective(
        source.data,
        source.key,
        source.values,
        source.units,
        classes=source.classes,
        duplicates=duplicates,
        sheet=source.sheet,
    )


def _families(families: Sequence[str | Surrogate], data: TrainingData) -> dict[str, Surrogate]:
    """The surrogates to compare by name: the word, or the class of one with settings of its own."""
    found: dict[str, Surrogate] = {}
    for family in families or families_of(data):
        surrogate = settings_class("surrogate", family)() if isinstance(family, str) else family
        if not isinstance(surrogate, Surrogate):
            raise InputError(f"{surrogate!r} is not a surrogate: it has no fit and predict.")
        name = family if isinstance(family, str) else type(family).__name__
        same = sum(known == name or known.startswith(f"{name} ") for known in found)
        found[f"{name} {same + 1}" if same else name] = surrogate
    return found


def families_of(data: TrainingData) -> list[str]:
    """The words of the surrogate section that are compared where none is named: those that fit the values.

    Args:
        data: to learn from. A graph network takes part if there are molecules enough, and its extra is installed.
    """
    yes_or_no = bool(data.y.isin([0.0, 1.0]).where(data.y.notna(), other=True).all().all())
    molecules = any(column.kind == "molecule" for column in data.columns) and len(data.frame) >= FEWEST_GRAPHS
    slow = SLOW if molecules and find_spec("chemprop") is not None else (*SLOW, GRAPHS)
    return [word for word in known_words("surrogate") if word not in slow and (word in CLASSIFIERS) == yes_or_no]


def _variants(family: Any, data: TrainingData) -> list[Surrogate]:
    """The family with the features between which its inner cross-validation chooses."""
    features = getattr(family, "features", None)
    if not isinstance(features, Features):
        return [family]
    if data.frame.isna().any().any():
        features = replace(features, missing="impute")
    settings = [features]
    molecules = "molecule" in {column.kind for column in data.columns} and not isinstance(family, GraphNetwork)
    if molecules and features.molecules == Features().molecules:
        settings = [replace(features, molecules=kind) for kind in ("descriptors", "both")]
    return [replace(family, features=setting) for setting in settings]


def _splits(data: TrainingData, names: Sequence[str], *, rows: NDArray[np.float64], folds: int, seed: int) -> Groups:
    """The random split and the named ones; without names the first of extrapolation for which the data suffice."""
    found: dict[str, Sequence[Hashable] | None] = {RANDOM: None}
    kinds = {column.kind: column.name for column in data.columns}

    def grouped(name: str) -> Sequence[Hashable]:
        if name == SCAFFOLD and "molecule" in kinds:
            return scaffold_groups(list(data.frame[kinds["molecule"]]))
        if name == SIZE and "molecule" in kinds:
            return size_groups(list(data.frame[kinds["molecule"]]), folds)
        if name == ELEMENTS and "formula" in kinds:
            return element_groups(list(data.frame[kinds["formula"]]))
        if name == CLUSTER:
            return cluster_groups(rows, folds, seed)
        column = data.frame[name] if name in data.frame else data.table.column(name).loc[data.frame.index]
        if column.isna().any():
            raise InputError(
                f"The column '{name}' has no value in row {column.index[column.isna()][0]}, which then is in no group. "
                "Fill it in, or use another split."
            )
        return list(column)

    def fewest(groups: Sequence[Hashable]) -> int:
        codes = pd.factorize(np.array([str(group) for group in groups]))[0]
        return min(len(np.unique(codes[data.y[column].notna()])) for column in data.y)

    if names:
        named = {name: grouped(name) for name in names if name != RANDOM}
        for name, groups in named.items():
            if fewest(groups) < folds:
                raise InputError(
                    f"The split '{name}' makes {fewest(groups)} groups, fewer than {folds} folds. Use another split or "
                    "fewer folds."
                )
        return found | named
    offered = (
        [SCAFFOLD, SIZE, CLUSTER] if "molecule" in kinds else [ELEMENTS, CLUSTER] if "formula" in kinds else [CLUSTER]
    )
    for name in offered:
        groups = grouped(name)
        if fewest(groups) >= folds:
            return found | {name: groups}
    return found
