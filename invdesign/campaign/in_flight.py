"""Proposing as results arrive, instead of waiting for the slowest of a batch; what had arrived is recorded.

A proposal depends on the results that it is based on, and these come in an order that no seed decides. The store
therefore notes with every proposal the candidates whose results had arrived since the one before: from this and the
seed, every candidate can be proposed again, and an interrupted campaign goes on as if it had not been interrupted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from invdesign.campaign.schema import PENDING

if TYPE_CHECKING:
    from invdesign.campaign.store import Store

FACT = "arrivals:"
"""Beginning of the names of the facts, one for each proposal, that end with the number of its first candidate."""


@dataclass(frozen=True)
class Proposal:
    """Candidates that were proposed together.

    Attributes:
        first: number of the first one.
        count: how many.
        arrived: the candidates whose results had arrived since the proposal before, in the order of arrival.
    """

    first: int
    count: int
    arrived: tuple[int, ...]


def noted_proposals(store: Store) -> list[Proposal]:
    """The proposals of a campaign that does not wait, in their order."""
    stored = (value for name, value in store.facts().items() if name.startswith(FACT))
    found = [Proposal(one["first"], one["count"], tuple(one["arrived"])) for one in stored]
    return sorted(found, key=lambda one: one.first)


def arrived_since(store: Store, order: Sequence[int]) -> tuple[int, ...]:
    """The candidates with a result that no proposal has noted yet.

    Args:
        store: of the campaign; call it in the snapshot that the next proposal is made from.
        order: of arrival in this process; results of other processes follow in the order of their numbers.
    """
    noted = {number for one in noted_proposals(store) for number in one.arrived}
    left = {int(number) for number in np.flatnonzero(~store.columns().in_state(PENDING))} - noted
    mine = [number for number in order if number in left]
    return (*mine, *sorted(left.difference(mine)))


def note_proposal(store: Store, proposal: Proposal) -> None:
    """Stores what a proposal was based on, in the transaction that stores its candidates."""
    store.write_fact(f"{FACT}{proposal.first}", asdict(proposal))
