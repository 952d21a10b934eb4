"""Why a candidate was proposed, in a sentence or two for the laboratory's sheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from invdesign.campaign.schema import INITIAL, LABORATORY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from invdesign.campaign.expectation import Expectation
    from invdesign.space import SearchSpace

WHY = "why this one"
"""The column of a sheet."""
LIKELY = 0.5
"""Chance from which a candidate exploits what is known."""


def why(
    batch: pd.DataFrame,
    expectation: Expectation | None,
    *,
    space: SearchSpace,
    measured: pd.DataFrame,
    origins: Sequence[str],
) -> list[str]:
    """One text for each candidate.

    A candidate exploits what is known if it is expected to meet all targets, or to be better than the best if something
    is optimized; else it explores. The least likely target, and the nearest measured candidate with its distance in the
    unit cube, are named.

    Args:
        batch: the candidates.
        expectation: what the model expects; None if there are too few values.
        space: of the candidates.
        measured: results within the space, parameters and properties, indexed by number.
        origins: of the candidates.
    """
    if batch.empty:
        return []
    near = _nearest(batch, space, measured)
    if expectation is None:
        purposes = [_blind(origin) for origin in origins]
    else:
        modeled = _purposes(batch, expectation, measured)
        purposes = [
            _blind(origin) if origin in (INITIAL, LABORATORY) else text
            for origin, text in zip(origins, modeled, strict=True)
        ]
    return [" ".join(filter(None, both)) for both in zip(purposes, near, strict=True)]


def _blind(origin: str) -> str:
    if origin == INITIAL:
        return "Explores: part of the initial design, which spreads over the space."
    return "Chosen by the laboratory." if origin == LABORATORY else "Explores: there are too few values for a model."


def _purposes(batch: pd.DataFrame, expectation: Expectation, measured: pd.DataFrame) -> list[str]:
    targets = expectation.targets
    mean, std = expectation.surrogate.predict(batch, return_std=True)
    chances = pd.DataFrame(
        {str(one): one.probability(mean[one.property], std[one.property]) for one in targets.bounded}, index=batch.index
    )
    every = targets.probability(mean, std)
    met = measured[targets.all_met(measured)] if len(measured) else measured
    texts = []
    for place in range(len(batch)):
        parts = []
        exploits = not targets.bounded or every[place] >= LIKELY
        for target in targets.optimized:
            if len(met):
                known = target.direction * met[target.property].to_numpy(dtype=np.float64)
                best = met.index[int(np.argmax(known))]
                better = target.direction * mean[target.property].iloc[place] > known.max()
                exploits &= bool(better)
                than = f"the best, candidate {best}"
                parts.append(
                    f"{target.property} is expected to be better than {than}"
                    if better
                    else f"{target.property} may be better than {than}"
                )
        if targets.bounded:
            parts.append(f"the chance to meet all targets is {_percent(every[place])}")
            least = chances.iloc[place].idxmin()
            if len(targets.bounded) > 1:
                parts.append(f"the least likely is {least} ({_percent(chances[least].iloc[place])})")
        texts.append(f"{'Exploits' if exploits else 'Explores'}: {', '.join(parts) or 'nothing is known yet'}.")
    return texts


def _percent(chance: float) -> str:
    return f"{100.0 * chance:.2g} %" if chance < 0.995 else f"{100.0 * chance:.0f} %"


def _nearest(batch: pd.DataFrame, space: SearchSpace, measured: pd.DataFrame) -> list[str]:
    from scipy.spatial.distance import cdist

    if measured.empty:
        return [""] * len(batch)
    gaps = cdist(space.encode(batch), space.encode(measured))
    places = gaps.argmin(axis=1)
    return [
        f"Nearest measured: candidate {measured.index[place]}, distance {gaps[row, place]:.2g}."
        for row, place in enumerate(places)
    ]
