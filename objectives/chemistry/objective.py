"""Properties of a molecule without a simulation: mass, polarity, accessibility, alerts, similarity, substructures."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from functools import cached_property
from typing import Annotated, Any, Self

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest, quoted
from invdesign.core.settings import OneOf, settings
from invdesign.objectives.base import REASON, TravelsByFields, failed, valued
from invdesign.objectives.chemistry.properties import PROPERTIES
from invdesign.objectives.named_column import column_problems, named_or_only
from invdesign.surrogates.features.smiles import canonical_smiles, smiles_problem

Value = Callable[[Any], float]


@settings
class ChemistryObjective(TravelsByFields):
    """Computes properties of molecules from their graphs by RDKit, some hundred to thousand molecules per second.

    * ``molar_mass`` (g/mol), ``heavy_atoms`` (number), ``charge`` (elementary charges).
    * ``logp``: octanol-water partition, and ``molar_refractivity`` (cm^3/mol), both by atom contributions (Wildman and
      Crippen 1999, doi:10.1021/ci990307l).
    * ``tpsa`` (angstrom^2): topological polar surface of nitrogen and oxygen (Ertl et al. 2000,
      doi:10.1021/jm000942e).
    * ``hydrogen_donors``, ``hydrogen_acceptors``, ``rotatable_bonds``, ``rings``, ``aromatic_rings``: numbers of each;
      ``largest_ring``: atoms of the largest ring of the smallest set of rings, 0 without rings; ``sp3_share``: share of
      the carbon atoms that are sp3.
    * ``sa_score``: synthetic accessibility, from 1 (easy) to 10 (Ertl and Schuffenhauer 2009,
      doi:10.1186/1758-2946-1-8).
    * ``qed``: quantitative estimate of drug-likeness, 0 to 1 (Bickerton et al. 2012, doi:10.1038/nchem.1243).
    * ``alerts``: number of kinds of structural alerts, groups that are reactive, unstable or toxic (Brenk et al. 2008,
      doi:10.1002/cmdc.200700139).

    Example:
        >>> ChemistryObjective(wanted=("logp",), similar_to={"to_carbonate": "O=C1OCCO1"}, substructures={"C_F": "CF"})

    Raises:
        InputError: if a name is unknown or used twice, or a SMILES or SMARTS is invalid.
    """

    molecule: str | None = None
    """The parameter that holds molecules: one of molecules, or a categorical one whose values are SMILES. None for the
    only parameter of molecules."""
    wanted: tuple[Annotated[str, OneOf("property", tuple(PROPERTIES))], ...] = ()
    """The properties to compute; empty for all, or for none if ``similar_to`` or ``substructures`` are given."""
    similar_to: dict[str, str] = field(default_factory=dict)
    """Further properties by a name of your choice, each with the SMILES of a molecule: the Tanimoto similarity to it,
    0 to 1, of count Morgan fingerprints of radius 2 (Rogers and Hahn 2010, doi:10.1021/ci100050t)."""
    substructures: dict[str, str] = field(default_factory=dict)
    """Further properties by a name of your choice, each with the SMARTS of a substructure: how often it occurs."""

    def __post_init__(self) -> None:
        """Refuses names that are used twice, and invalid SMILES and SMARTS."""
        ready = self._ready
        for name in (*self.similar_to, *self.substructures):
            if name in ready or (name in self.similar_to and name in self.substructures):
                raise InputError(f"Two properties have the name '{name}'. Rename one of them.")
            if not name.isidentifier() or name == REASON:
                raise InputError(
                    f"'{name}' is not a property's name. Use letters, digits and _, such as 'to_carbonate'."
                )
        for name, smiles in self.similar_to.items():
            if canonical_smiles([smiles])[0] is None:
                raise InputError(f"similar_to: '{name}' is {quoted(smiles)}, not a molecule: {smiles_problem(smiles)}.")
        _ = self._functions

    @property
    def properties(self) -> Mapping[str, str]:
        own = dict.fromkeys((*self.similar_to, *self.substructures), "")
        return {name: PROPERTIES[name].unit for name in self._ready} | own

    @property
    def rows_per_call(self) -> int | None:
        return None

    def for_columns(self, columns: Sequence[Column]) -> Self:
        molecule = named_or_only(columns, "molecule", self.molecule)
        return self if molecule == self.molecule else replace(self, molecule=molecule)

    def check(self, columns: Sequence[Column]) -> list[str]:
        found = next((column for column in columns if column.name == self.molecule), None)
        if found is None or found.kind != "category":
            return column_problems(columns, "molecule", self.molecule)
        invalid = [
            value for value, smiles in zip(found.values, canonical_smiles(found.values), strict=True) if not smiles
        ]
        return [
            f"The value {quoted(value)} of '{found.name}' is not a molecule: {smiles_problem(value)}. Use SMILES."
            for value in invalid
        ]

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        if self.molecule not in candidates.columns:
            known = nearest(str(self.molecule), candidates.columns)
            return failed(candidates.index, self.properties, f"the column '{self.molecule}' is missing.{known}")
        rows, reasons = [], []
        for smiles in candidates[self.molecule]:
            molecule = _parsed(smiles)
            reasons.append(None if molecule is not None else f"it is not a molecule: {smiles_problem(smiles)}")
            rows.append([np.nan if molecule is None else function(molecule) for function in self._functions.values()])
        frame = pd.DataFrame(rows, index=candidates.index, columns=list(self._functions), dtype=np.float64)
        return valued(frame, reasons)

    @property
    def _ready(self) -> tuple[str, ...]:
        return self.wanted or (() if self.similar_to or self.substructures else tuple(PROPERTIES))

    @cached_property
    def _functions(self) -> dict[str, Value]:
        """The function of each property, on RDKit molecules."""
        functions: dict[str, Value] = {name: PROPERTIES[name].of for name in self._ready}
        functions |= {name: _similarity(smiles) for name, smiles in self.similar_to.items()}
        return functions | {name: _occurrences(name, smarts) for name, smarts in self.substructures.items()}


def _parsed(smiles: object) -> Any:
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    with BlockLogs():
        return Chem.MolFromSmiles(smiles) if canonical_smiles([smiles])[0] is not None else None


def _similarity(smiles: str) -> Value:
    from rdkit.Chem import rdFingerprintGenerator
    from rdkit.DataStructs import TanimotoSimilarity

    generator: Any = rdFingerprintGenerator.GetMorganGenerator(radius=2)
    target = generator.GetSparseCountFingerprint(_parsed(smiles))
    return lambda molecule: float(TanimotoSimilarity(target, generator.GetSparseCountFingerprint(molecule)))


def _occurrences(name: str, smarts: str) -> Value:
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    with BlockLogs():
        pattern = Chem.MolFromSmarts(smarts) if smarts.strip() else None
    if pattern is None:
        raise InputError(
            f"substructures: '{name}' is {quoted(smarts)}, not SMARTS. A valid one is '[CX3]=O' for carbonyls."
        )
    return lambda molecule: float(len(molecule.GetSubstructMatches(pattern)))
