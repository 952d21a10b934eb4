"""How chemists score a molecule: synthetic accessibility and structural alerts, both as RDKit has them."""

from __future__ import annotations

import importlib.util
from collections import Counter
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from invdesign.core.errors import InputError

COMMON = 0.1
"""Share of molecules from which on an alert that they carry, or how hard they are to make, is wanted."""
EASY = 4.5
"""Synthetic accessibility up to which a molecule counts as easy to make."""


def sa_score(molecule: Any) -> float:
    """Synthetic accessibility from 1 (easy) to 10 (Ertl and Schuffenhauer 2009, doi:10.1186/1758-2946-1-8).

    Args:
        molecule: sanitized, of RDKit.
    """
    return float(_scorer().calculateScore(molecule))


def alerts(molecule: Any) -> frozenset[str]:
    """Names of a molecule's structural alerts (Brenk et al. 2008, doi:10.1002/cmdc.200700139).

    Args:
        molecule: sanitized, of RDKit.
    """
    return frozenset(match.GetDescription() for match in _catalog().GetMatches(molecule))


def common_alerts(molecules: Iterable[Any]) -> frozenset[str]:
    """Structural alerts that at least a tenth of molecules carry: whoever gives these molecules wants them.

    Args:
        molecules: sanitized, of RDKit.
    """
    each = [alerts(molecule) for molecule in molecules]
    counts = Counter(name for found in each for name in found)
    return frozenset(name for name, count in counts.items() if count >= COMMON * len(each))


def usual_sa_score(molecules: Iterable[Any]) -> float:
    """The synthetic accessibility that nine of ten molecules keep to, at least that of one which is easy to make.

    Args:
        molecules: sanitized, of RDKit.
    """
    return max(EASY, float(np.quantile([sa_score(molecule) for molecule in molecules], 1.0 - COMMON)))


@cache
def _catalog() -> Any:
    from rdkit.Chem.FilterCatalog import FilterCatalog, FilterCatalogParams

    return FilterCatalog(FilterCatalogParams(FilterCatalogParams.FilterCatalogs.BRENK))


@cache
def _scorer() -> Any:
    """RDKit's Contrib is a folder of scripts, no package: the scorer is loaded from its file."""
    from rdkit import RDConfig

    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    specification = importlib.util.spec_from_file_location("sascorer", path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise InputError(
            f"The Contrib folder of RDKit ('{path}') is missing, which scores synthetic accessibility. Reinstall rdkit."
        )
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
