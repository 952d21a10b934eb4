"""Properties of a formula: capacity, oxidation states, cost, abundance, supply and toxicity of its elements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Annotated, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field, Strict

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.settings import OneOf, bounded, settings
from invdesign.objectives.base import TravelsByFields, failed, valued
from invdesign.objectives.formula.elements import fixed_charges, highest_states, prices
from invdesign.objectives.formula.properties import PROPERTIES, ElementTables, FormulaProperties
from invdesign.objectives.named_column import column_problems, named_or_only
from invdesign.surrogates.features.elements import element_symbols, nearest_element
from invdesign.surrogates.features.formulas import element_amounts

Amount = Annotated[float, Strict(), Field(ge=0, allow_inf_nan=False)]
Density = Annotated[float, Strict(), Field(gt=0, allow_inf_nan=False)]


@settings
class FormulaObjective(TravelsByFields):
    """Computes properties of formulas without a simulation, some hundred thousand formulas per second.

    * ``oxidation_state``: mean oxidation state of the redox metals (``elements.HIGHEST_STATES``) that
      makes the formula neutral; all other elements have fixed charges (``elements.fixed_charges``).
      pymatgen's ``oxi_state_guesses`` gives the same if its answer is unique, but takes a thousand times longer.
      Peroxides, thiophosphates and intermetallic compounds do not follow this rule.
    * ``capacity`` (mAh/g of the formula as written): the charge of the extractable working ions
      (``extractable`` times their number), bounded by the electrons that the redox metals can give until they reach
      ``highest_states``; times the Faraday constant, over the molar mass. LiFePO4: 169.9. Oxygen is not oxidized, so
      that Li2MnO3 has 0.
    * ``volumetric_capacity`` (mAh/cm^3): the same times ``density``.
    * ``molar_mass`` (g/mol), of the formula as written.
    * ``cobalt_share``: atomic share of cobalt among all metals except the working ion.
    * ``element_cost`` (USD/kg): prices of the pure elements, weighted by mass. Most are of 2013, and manufacturers pay
      for salts: useful to rank formulas by their expensive elements, not as a cost estimate. Set ``prices`` to your
      own.
    * ``crustal_abundance`` (mg/kg): geometric mean of the elements' abundances in the earth's crust, weighted by mass.
    * ``production_hhi``, ``reserves_hhi``: Herfindahl-Hirschman indices by country, weighted by mass (Gaultois et al.
      2013, doi:10.1021/cm400893e): below 1500 unconcentrated, above 2500 highly concentrated. Hydrogen, which has none,
      is left out.
    * ``toxicity_class``: the worst class among the elements in ICH Q3D(R2): 1 and 2 toxic by any route, 3 of low
      toxicity by mouth, 4 not classed. It refers to ingested impurities and does not cover elements that the
      guideline does not assess, such as beryllium, or the compound itself.

    Raises:
        InputError: if a name is unknown or a number is invalid.
    """

    formula: str | None = None
    """The formula parameter; None for the only one of the space."""
    wanted: tuple[Annotated[str, OneOf("property", tuple(PROPERTIES))], ...] = ()
    """The properties to compute; empty for all (``volumetric_capacity`` only with a ``density``)."""
    working_ion: str = "Li"
    """Symbol of the working ion."""
    extractable: float = bounded(default=1.0, gt=0, le=1)
    """Extractable share of the working ion, 0 to 1."""
    highest_states: dict[str, Amount] = field(default_factory=dict)
    """Highest oxidation states of redox metals that differ from the defaults."""
    density: Density | str | None = None
    """Density of all formulas in g/cm3, or the parameter that holds it."""
    prices: dict[str, Amount] = field(default_factory=dict)
    """Prices of elements in USD/kg that replace the included ones."""

    def __post_init__(self) -> None:
        """Refuses unknown properties and elements, and invalid numbers."""
        for symbol in (self.working_ion, *self.highest_states, *self.prices):
            if symbol not in element_symbols():
                raise InputError(f"'{symbol}' is not an element.{nearest_element(symbol)}")
        if not fixed_charges()[0][element_symbols().index(self.working_ion)] > 0.0:
            raise InputError(f"'{self.working_ion}' is not a working ion. Use a metal such as Li, Na or Mg.")
        if self.density is None and "volumetric_capacity" in self.wanted:
            raise InputError("'volumetric_capacity' needs a 'density' in g/cm3, or the parameter that holds it.")

    @property
    def properties(self) -> Mapping[str, str]:
        given = [name for name in PROPERTIES if name != "volumetric_capacity" or self.density is not None]
        return {name: PROPERTIES[name][0] for name in self.wanted or given}

    @property
    def rows_per_call(self) -> int | None:
        return None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        formula = named_or_only(columns, "formula", self.formula)
        return self if formula == self.formula else replace(self, formula=formula)

    def check(self, columns: Sequence[Column]) -> list[str]:
        kinds = {column.name: column.kind for column in columns}
        problems = column_problems(columns, "formula", self.formula)
        if isinstance(self.density, str) and kinds.get(self.density) != "number":
            problems.append(f"The density '{self.density}' is not a numeric parameter.{nearest(self.density, kinds)}")
        return problems

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        for column in (self.formula, self.density if isinstance(self.density, str) else self.formula):
            if column not in candidates.columns:
                return failed(candidates.index, self.properties, f"the column '{column}' is missing")
        amounts, unread = _amounts(candidates[self.formula].tolist())
        batch = FormulaProperties(
            amounts,
            self._tables,
            working_ion=self.working_ion,
            extractable=self.extractable,
            density=self._densities(candidates),
        )
        values = {}
        reasons: list[list[str]] = [[reason] if reason else [] for reason in unread]
        readable = np.array([reason is None for reason in unread], dtype=bool)
        for name in self.properties:
            found, lacking = batch.of(name)
            values[name] = np.where(readable, found, np.nan)
            for row, reason in enumerate(lacking):
                if reason and readable[row] and reason not in reasons[row]:
                    reasons[row].append(reason)
        frame = pd.DataFrame(values, index=candidates.index, columns=list(self.properties))
        return valued(frame, ["; ".join(row) or None for row in reasons])

    def _densities(self, candidates: pd.DataFrame) -> NDArray[np.float64] | None:
        if isinstance(self.density, str):
            return pd.to_numeric(candidates[self.density], errors="coerce").to_numpy(dtype=np.float64)
        return None if self.density is None else np.full(len(candidates), float(self.density))

    @cached_property
    def _tables(self) -> ElementTables:
        return ElementTables(highest_states(self.highest_states), prices(self.prices))


def _amounts(formulas: Sequence[object]) -> tuple[NDArray[np.float64], list[str | None]]:
    """Atoms of each element, all at once; one by one if a formula cannot be read, which then counts as hydrogen."""
    texts = [text if isinstance(text, str) else str(text) for text in formulas]
    try:
        return element_amounts(texts, element_symbols()), [None] * len(texts)
    except InputError:
        amounts = np.zeros((len(texts), len(element_symbols())))
    reasons: list[str | None] = []
    for row, text in enumerate(texts):
        try:
            amounts[row] = element_amounts([text], element_symbols())[0]
            reasons.append(None)
        except InputError as error:
            amounts[row, 0] = 1.0
            reasons.append(str(error))
    return amounts, reasons
