"""How good generated molecules are: valid, new, different, easily made, and whether they meet the targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.space.molecules.rules import constitution
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.features.chemists_scores import EASY, alerts, sa_score
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

MOST_PAIRED = 1000
"""Molecules among which similarities are computed."""


@dataclass(frozen=True)
class Quality:
    """Shares of generated molecules.

    Attributes:
        count: number of molecules.
        valid: share that RDKit reads.
        unique: share of different constitutions among the valid ones.
        novel: share of the different ones that are not known.
        diversity: one minus the mean Tanimoto similarity of Morgan fingerprints (radius 2) among the different ones.
        easily_made: share of the different ones with a synthetic accessibility score of at most 4.5.
        alerts: share of the different ones with a structural alert of Brenk et al. (2008, doi:10.1002/cmdc.200700139).
        met: share of the different ones that meet all targets by a judge; None without one.
        expected: mean probability of meeting all targets by the judge; None without one.
    """

    count: int
    valid: float
    unique: float
    novel: float
    diversity: float
    easily_made: float
    alerts: float
    met: float | None = None
    expected: float | None = None


def assessed(
    molecules: Sequence[str],
    *,
    known: Sequence[str] = (),
    targets: Targets | None = None,
    judge: Surrogate | None = None,
) -> Quality:
    """Assesses generated molecules.

    Args:
        molecules: SMILES.
        known: SMILES that are not new, such as those that the generator learned from.
        targets: in the units of the judge's properties.
        judge: a fitted surrogate of a column ``molecule``. It must have learned from other rows than the generator.

    Raises:
        InputError: if no molecule is valid, or only one of targets and judge is given.
    """
    if (targets is None) != (judge is None):
        raise InputError("Targets need a judge, and a judge needs targets.")
    read = [constitution(smiles) for smiles in molecules]
    valid = [smiles for smiles in read if smiles is not None]
    if not valid:
        raise InputError(f"None of {len(read)} molecules is valid.")
    different = list(dict.fromkeys(valid))
    before = {constitution(smiles) for smiles in known}
    parsed = [_molecule(smiles) for smiles in different]
    met = expected = None
    if targets is not None and judge is not None:
        mean, std = judge.predict(pd.DataFrame({"molecule": different}), return_std=True)
        met = float(targets.all_met(mean).mean())
        expected = float(np.exp(targets.log_probability(mean, std)).mean())
    return Quality(
        count=len(read),
        valid=len(valid) / len(read),
        unique=len(different) / len(valid),
        novel=float(np.mean([smiles not in before for smiles in different])),
        diversity=diversity(different[:MOST_PAIRED]),
        easily_made=float(np.mean([sa_score(molecule) <= EASY for molecule in parsed])),
        alerts=float(np.mean([bool(alerts(molecule)) for molecule in parsed])),
        met=met,
        expected=expected,
    )


def fitted_judge(surrogate: Surrogate, molecules: Sequence[str], properties: pd.DataFrame) -> Surrogate:
    """A surrogate fitted to molecules, as ``assessed`` needs it."""
    frame = pd.DataFrame({"molecule": list(molecules)})
    return surrogate.fit(frame, properties.reset_index(drop=True), columns=(Column("molecule", "molecule"),))


def diversity(molecules: Sequence[str]) -> float:
    """One minus the mean Tanimoto similarity of Morgan fingerprints (radius 2, 2,048 bits); 0 for one molecule."""
    if len(molecules) < 2:
        return 0.0
    from rdkit import DataStructs
    from rdkit.Chem.rdFingerprintGenerator import GetMorganGenerator

    generator = GetMorganGenerator(radius=2, fpSize=2048)
    prints = [generator.GetFingerprint(_molecule(smiles)) for smiles in molecules]
    rows: list[NDArray[np.float64]] = [
        np.array(DataStructs.BulkTanimotoSimilarity(prints[place], prints[:place])) for place in range(1, len(prints))
    ]
    return 1.0 - float(np.concatenate(rows).mean())


def _molecule(smiles: str) -> Any:
    from rdkit import Chem

    return Chem.MolFromSmiles(smiles)
