"""Compares model families on the data of a campaign file and recommends one."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.plugins import known_words, settings_class
from invdesign.objectives.surrogate import SurrogateObjective
from invdesign.objectives.table import TableObjective
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.data_checks import Finding, check_data, cleaned
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.selection import CHOICE, Chosen, Comparison, Recommendation, compare, recommend

if TYPE_CHECKING:
    from invdesign.campaign_file.file import CampaignFile
    from invdesign.core.columns import Column

CLASSIFIERS = (
    "gaussian-naive-bayes",
    "logistic-regression",
    "random-forest-classifier",
    "support-vector-classifier",
)
SLOW = ("botorch",)
"""Words that are compared only where they are named."""
RANDOM = "random"
SCAFFOLD, ELEMENTS = "scaffold", "elements"


@dataclass(frozen=True)
class TrainingData:
    """The training data of the models.

    Attributes:
        frame: candidates, one row each.
        y: property values; NaN if one is missing.
        columns: what the columns of ``frame`` are.
        findings: doubtful values in the data.
        table: the source of the data.
    """

    frame: pd.DataFrame
    y: pd.DataFrame
    columns: tuple[Column, ...]
    findings: list[Finding]
    table: TableObjective


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
    return TrainingData(frame[known], y[known], described.own_columns(frame), findings, table)


def compare_models(
    data: TrainingData,
    *,
    group_by: str | None = None,
    families: Sequence[str | Surrogate] = (),
    folds: int = 5,
    seed: int = 0,
    choice: bool = True,
    on_progress: Callable[[str, str], None] | None = None,
) -> ModelReport:
    """Compares families by cross-validation with random and, where groups are given, grouped splits.

    Args:
        data: to learn from.
        group_by: a column of the table (such as the paper), ``scaffold`` of a molecule, or ``elements`` of a formula.
        families: words of the surrogate section, or surrogates with settings of their own; all words that fit the
            values where empty.
        folds: of the outer cross-validation.
        seed: decides the folds.
        choice: whether to judge the choice among the families too, by nested cross-validation.
        on_progress: called with a family and a split before they are tried.

    Raises:
        InputError: if a family or the column of the groups is unknown, or nothing can be fitted.
    """
    built = {name: _variants(family, data) for name, family in _families(families, data).items()}
    tried: dict[str, Surrogate] = {
        word: Chosen(tuple(variants), seed=seed) if len(variants) > 1 else variants[0]
        for word, variants in built.items()
    }
    if choice and len(built) > 1:
        everything = tuple(variant for variants in built.values() for variant in variants)
        tried[CHOICE] = Chosen(everything, seed=seed)
    splits: dict[str, Sequence[Hashable] | None] = {RANDOM: None}
    if group_by is not None:
        splits[f"grouped by {group_by}"] = _groups(data, group_by)
    comparison = compare(
        tried,
        data.frame,
        data.y,
        columns=data.columns,
        splits=splits,
        folds=folds,
        seed=seed,
        on_progress=on_progress,
    )
    return ModelReport(data, comparison, recommend(comparison, split=list(splits)[-1]))


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
    if not families:
        yes_or_no = bool(data.y.isin([0.0, 1.0]).where(data.y.notna(), other=True).all().all())
        known = [word for word in known_words("surrogate") if word not in SLOW]
        families = [word for word in known if (word in CLASSIFIERS) == yes_or_no]
    found: dict[str, Surrogate] = {}
    for family in families:
        surrogate = settings_class("surrogate", family)() if isinstance(family, str) else family
        if not isinstance(surrogate, Surrogate):
            raise InputError(f"{surrogate!r} is not a surrogate: it has no fit and predict.")
        name = family if isinstance(family, str) else type(family).__name__
        same = sum(known == name or known.startswith(f"{name} ") for known in found)
        found[f"{name} {same + 1}" if same else name] = surrogate
    return found


def _variants(family: Any, data: TrainingData) -> list[Surrogate]:
    """The family with the features between which its inner cross-validation chooses."""
    features = getattr(family, "features", None)
    if not isinstance(features, Features):
        return [family]
    if data.frame.isna().any().any():
        features = replace(features, missing="impute")
    settings = [features]
    if "molecule" in {column.kind for column in data.columns} and features.molecules == Features().molecules:
        settings = [replace(features, molecules=kind) for kind in ("descriptors", "both")]
    return [replace(family, features=setting) for setting in settings]


def _groups(data: TrainingData, group_by: str) -> Sequence[Hashable]:
    kinds: Mapping[str, str] = {column.kind: column.name for column in data.columns}
    if group_by == SCAFFOLD and "molecule" in kinds:
        return _scaffolds(data.frame[kinds["molecule"]])
    if group_by == ELEMENTS and "formula" in kinds:
        from invdesign.surrogates.features.formulas import elements_of

        return ["-".join(sorted(elements_of([formula]))) for formula in data.frame[kinds["formula"]]]
    if group_by in data.frame:
        return list(data.frame[group_by])
    return list(data.table.column(group_by).loc[data.frame.index])


def _scaffolds(molecules: pd.Series) -> list[str]:
    """Murcko scaffolds (Bemis and Murcko 1996, doi:10.1021/jm9602928); a molecule without rings has its own group."""
    from rdkit import Chem
    from rdkit.Chem.Scaffolds import MurckoScaffold

    scaffold: Any = MurckoScaffold.GetScaffoldForMol  # untyped
    return [Chem.MolToSmiles(scaffold(Chem.MolFromSmiles(smiles))) or str(smiles) for smiles in molecules]
