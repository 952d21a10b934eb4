"""A trained model as a fast source of property values with standard deviations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Annotated, Any, Literal, Self

import numpy as np
import pandas as pd
from pydantic import Field
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.plugins import ByWord
from invdesign.core.settings import InputFile, Real, from_elsewhere, settings
from invdesign.core.units import Unit
from invdesign.objectives.base import DISTANCE, STD_SUFFIX, TravelsByFields, valued
from invdesign.objectives.predicted import HeldOutScore
from invdesign.objectives.table import TableObjective
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.classifiers import RandomForestClassifier
from invdesign.surrogates.data_checks import cleaned
from invdesign.surrogates.distance import TrainingDistance
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.per_property import PerProperty
from invdesign.surrogates.validation import held_out_predictions, scores

TRIED = 40
"""Values of each property that a check fits a model to."""
FOLDS = 5
FEWEST_ROWS = 2 * FOLDS
"""Rows with a value from which the model is scored."""


@settings
class SurrogateObjective(TravelsByFields):
    """Predicts candidates by a surrogate that is fitted on a table at first use.

    Rows without a value of a property are used for the other properties only.

    Raises:
        InputError: if the file or a column is missing (the nearest column is named).
    """

    data: InputFile | SkipJsonSchema[pd.DataFrame] = field(repr=False)
    """Path of a CSV or .xlsx file, or a frame."""
    key: Annotated[dict[str, str], Field(min_length=1)]
    """For each input of the model, the table's column with its values."""
    values: Annotated[dict[str, str], Field(min_length=1)]
    """For each property, the table's column with its values."""
    units: dict[str, Unit] = field(default_factory=dict)
    """Unit of each property; where missing, that of the column's header, or dimensionless; see ``TableObjective``."""
    thresholds: dict[str, Real] = field(default_factory=dict)
    """For properties to learn as yes or no, the value, in the table's unit, from which it is yes (1); for classifiers,
    whose prediction is then the probability."""
    classes: tuple[str, ...] = ()
    """Properties that are classes; see ``TableObjective``. Their predictions are the probabilities of the classes."""
    surrogate: Annotated[Surrogate, ByWord("surrogate")] | None = None
    """The model, or one for each property by name (``{voltage: {type: ridge}, stable: {type: logistic-regression}}``);
    by default a Gaussian process, and a random forest classifier for classes. Copies are fitted."""
    distance: bool = True
    """Whether the property ``distance`` is given: how far a candidate is from the table's rows, in units of how far
    these are from each other; see ``TrainingDistance``. The target ``{property: distance, at_most: 1}`` keeps a search
    where the model has data."""
    censored: Literal["error", "limit", "drop"] = "error"
    """What to do with values such as ``<1E-10``: refuse (``error``), take the limit, or leave them out."""
    duplicates: Literal["keep", "mean", "first", "error"] = "keep"
    """What to do with equal rows: leave them to the model, which averages them (``keep``), replace them by their mean,
    take the first, or refuse those with different values (``error``)."""
    sheet: str | None = None
    """Sheet of an .xlsx file; may be missing if only one has cells."""
    columns: tuple[Column, ...] = from_elsewhere(default=())
    """Description of the candidates' columns, set by ``for_columns``."""

    def __post_init__(self) -> None:
        _ = self._table  # raises the table's errors here
        for name in self.thresholds:
            if name not in self.values:
                raise InputError(f"'thresholds' refers to unknown property '{name}'.{nearest(name, self.values)}")
        if isinstance(self.surrogate, PerProperty):
            self.surrogate.check_names(list(self.properties))

    @property
    def properties(self) -> Mapping[str, str]:
        own = {**self._table.properties, **dict.fromkeys(self.thresholds, "")}
        return {**own, DISTANCE: ""} if self.distance and DISTANCE not in own else own

    @property
    def _modeled(self) -> list[str]:
        """The properties that the model predicts."""
        return [*self._table.properties]

    @property
    def input_names(self) -> tuple[str, ...]:
        return tuple(self.key)

    @property
    def rows_per_call(self) -> int | None:
        return None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        # Unchanged columns: the fitted model is reused, because a campaign passes its columns at every run.
        return self if self.columns == tuple(columns) else replace(self, columns=tuple(columns))

    def check(self, columns: Sequence[Column]) -> list[str]:
        known = [column.name for column in columns]
        problems = [
            f"The model's key '{name}' is not a parameter.{nearest(name, known)}"
            for name in self.key
            if name not in known
        ]
        if problems:
            return problems
        try:
            self.for_columns(columns).try_fit()
        except InputError as error:
            problems.append(str(error))
        return problems

    def try_fit(self) -> None:
        """Fits a copy of the model to a few rows, in which every property has values: a check must not take minutes.

        Raises:
            InputError: if the table cannot be learned from.
        """
        frame, y = self.training()
        few = y.apply(lambda values: values.notna() & (values.notna().cumsum() <= TRIED)).any(axis=1).to_numpy()
        columns = self.own_columns(frame) or None
        replace(self._model).fit(frame[few].reset_index(drop=True), y[few].reset_index(drop=True), columns=columns)

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        names = [*self.properties, *(f"{name}{STD_SUFFIX}" for name in self._modeled)]
        values, reasons = self._predicted(candidates[list(self.key)], names)
        return valued(values.astype(float), reasons)

    def _predicted(self, candidates: pd.DataFrame, names: list[str]) -> tuple[pd.DataFrame, list[str | None]]:
        """Values and reasons; candidates that cannot be read are found by halves, so that the others keep theirs."""
        model = self.fitted
        try:
            mean, std = model.predict(candidates, return_std=True)
        except InputError as error:
            if len(candidates) == 1:
                return pd.DataFrame(np.nan, index=candidates.index, columns=names), [str(error)]
            half = len(candidates) // 2
            first, second = (self._predicted(part, names) for part in (candidates.iloc[:half], candidates.iloc[half:]))
            return pd.concat([first[0], second[0]]), [*first[1], *second[1]]
        values = pd.concat([mean, std.add_suffix(STD_SUFFIX)], axis=1)
        if DISTANCE in names and DISTANCE not in values:
            values[DISTANCE] = self.training_distance.of(candidates)
        return values[names], [None] * len(candidates)

    @cached_property
    def fitted(self) -> Surrogate:
        """The model, fitted on the table.

        Raises:
            InputError: if the table cannot be learned from.
        """
        frame, y = self.training()
        fresh: Surrogate = replace(self._model)
        return fresh.fit(frame, y, columns=self.own_columns(frame) or None)

    @cached_property
    def training_distance(self) -> TrainingDistance:
        """How far candidates are from the table's rows; fitted on the table.

        Raises:
            InputError: if the table cannot be learned from.
        """
        frame, _ = self.training()
        return TrainingDistance.fitted(frame, self.own_columns(frame) or None)

    def held_out_scores(self) -> Mapping[str, HeldOutScore | None]:
        """See ``Predicting.held_out_scores``; the rows of the table are split at random, always alike."""
        frame, y = self.training()
        enough = [str(name) for name in y if y[name].notna().sum() >= FEWEST_ROWS]
        found: dict[str, HeldOutScore | None] = {str(name): None for name in y}
        if enough:
            columns = self.own_columns(frame) or None
            predictions = held_out_predictions(
                self._model, frame, y[enough], columns=columns, folds=FOLDS, rng=np.random.default_rng(0)
            )
            for name, row in scores(predictions).iterrows():
                found[str(name)] = HeldOutScore(
                    int(row["count"]), float(row["mae"]), float(row["r2"]), float(row["coverage"])
                )
        return found

    def training(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Candidates and numeric values of the table, rows without any value left out."""
        frame, raw = self._table.training()
        frame, y, _ = cleaned(frame, raw, censored=self.censored, duplicates=self.duplicates)
        for name, threshold in self.thresholds.items():
            y[name] = (y[name] >= threshold).astype(float).where(y[name].notna())
        valued_rows = y.notna().any(axis=1)
        return frame[valued_rows].reset_index(drop=True), y[valued_rows].reset_index(drop=True)

    @property
    def _model(self) -> Any:
        if self.surrogate is not None:
            return self.surrogate
        return PerProperty(dict.fromkeys(self.classes, RandomForestClassifier())) if self.classes else GaussianProcess()

    @cached_property
    def _table(self) -> TableObjective:
        table = TableObjective(self.data, self.key, self.values, self.units, classes=self.classes, sheet=self.sheet)
        return table.for_columns(self.columns) if self.columns else table

    def own_columns(self, frame: pd.DataFrame) -> tuple[Column, ...]:
        """The columns of the model, with bounds and values that cover both the table and the space."""
        return tuple(_widened(column, frame) for column in self.columns if column.name in self.key)


def _widened(column: Column, frame: pd.DataFrame) -> Column:
    if column.kind == "formula":
        from invdesign.surrogates.features.formulas import elements_of

        present = elements_of(frame[column.name])
        return replace(column, values=tuple(dict.fromkeys([*column.values, *present])))
    if column.kind == "category":
        return replace(column, values=tuple(dict.fromkeys([*column.values, *frame[column.name].dropna().astype(str)])))
    if column.kind == "number" and column.bounds is not None:
        values = pd.to_numeric(frame[column.name], errors="coerce")
        low, high = min(column.bounds[0], values.min()), max(column.bounds[1], values.max())
        return replace(column, bounds=(float(low), float(high)))
    return column
