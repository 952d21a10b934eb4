"""Compares the values of verifying stages with those of the search."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from invdesign.campaign.correction import Correction
from invdesign.campaign.records import properties_of, spreads_of
from invdesign.objectives.base import DISTANCE, REASON, STD_SUFFIX
from invdesign.targets import Targets

LOW_FIDELITY, DISAGREEMENT, CORRECTED = "_low_fidelity", "_disagreement", "_corrected"
"""Suffixes of a property's columns: value of the search, difference of the stage from it, corrected value."""
MET = "_met"


def verified_frame(
    evaluations: pd.DataFrame,
    verifications: pd.DataFrame,
    *,
    names: Sequence[str],
    targets: Targets,
    corrections: Mapping[str, Correction],
) -> pd.DataFrame:
    """Every verified candidate with both values of every property.

    Args:
        evaluations: the store's rows.
        verifications: the store's rows.
        names: of the properties.
        targets: in the units of the properties.
        corrections: the current ones, by property.

    Returns:
        One row for each candidate and stage, indexed by candidate: ``stage``; each property by the stage; ``reason``;
        ``all_met`` by the stage. Then for each property its value by the search as ``<property>_low_fidelity``, its
        standard deviation as ``<property>_low_fidelity_std`` if known, and ``<property>_disagreement``: the
        stage's value minus it; ``low_fidelity_met``: whether the search's own values meet all targets. Where a
        correction is in force, ``<property>_corrected`` and ``corrected_met`` too.
    """
    found = properties_of(verifications, names)
    own = spreads_of(verifications, names).add_suffix(STD_SUFFIX)
    rows = evaluations.loc[verifications.index]
    low_fidelity, spread = properties_of(rows, names), spreads_of(rows, names)
    if DISTANCE in found:  # to the data of the search's model, whatever verifies it
        found = found.assign(**{DISTANCE: found[DISTANCE].fillna(low_fidelity[DISTANCE])})
    known_spread = spread.loc[:, spread.notna().any()]
    uncertain = known_spread.add_suffix(STD_SUFFIX)
    parts = [
        verifications[["stage"]],
        found,
        verifications[[REASON]].assign(all_met=targets.all_met(pd.concat([found, own], axis=1))),
        low_fidelity.add_suffix(LOW_FIDELITY),
        known_spread.add_suffix(LOW_FIDELITY + STD_SUFFIX),
        (found - low_fidelity).add_suffix(DISAGREEMENT),
        pd.DataFrame(
            {LOW_FIDELITY[1:] + MET: targets.all_met(pd.concat([low_fidelity, uncertain], axis=1))}, index=rows.index
        ),
    ]
    if corrections:
        right = corrected(low_fidelity, corrections)
        met = pd.DataFrame(
            {CORRECTED[1:] + MET: targets.all_met(pd.concat([right, uncertain], axis=1))}, index=rows.index
        )
        parts += [right.add_suffix(CORRECTED), met]
    return pd.concat(parts, axis=1)


def corrected(values: pd.DataFrame, corrections: Mapping[str, Correction]) -> pd.DataFrame:
    """Values of the search with the current corrections; the frame itself if there are none."""
    taken = {name: fix.apply(values[name].to_numpy(np.float64)) for name, fix in corrections.items() if name in values}
    return values.assign(**taken) if taken else values


def agreement(verified: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Agreement of each stage with the search, property by property.

    Args:
        verified: as ``verified_frame`` returns it.
        names: of the properties.

    Returns:
        One row for each stage and property with pairs of values: ``stage``, ``property``, ``pairs``, ``mean`` (the mean
        of the stage's value minus the search's, in the property's unit), ``mae``, ``rmse``, ``correlation`` (Pearson's)
        and ``rank_correlation`` (Spearman's); these two are NaN for fewer than three pairs or equal
        values.
    """
    rows = []
    for stage, part in verified.groupby("stage", sort=False):
        for name in names:
            pairs = part[[name + LOW_FIDELITY, name]].dropna()
            if pairs.empty:
                continue
            off = (pairs[name] - pairs[name + LOW_FIDELITY]).to_numpy(np.float64)
            rows.append(
                {
                    "stage": stage,
                    "property": name,
                    "pairs": len(pairs),
                    "mean": float(off.mean()),
                    "mae": float(np.abs(off).mean()),
                    "rmse": float(np.sqrt((off**2).mean())),
                    "correlation": _correlation(pairs),
                    "rank_correlation": _correlation(pairs.rank()),
                }
            )
    columns = ["stage", "property", "pairs", "mean", "mae", "rmse", "correlation", "rank_correlation"]
    return pd.DataFrame(rows, columns=columns)


def _correlation(pairs: pd.DataFrame) -> float:
    if len(pairs) < 3 or (pairs.nunique() < 2).any():
        return float("nan")
    return float(np.corrcoef(pairs.to_numpy(np.float64).T)[0, 1])
