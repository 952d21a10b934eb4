"""A search in rounds: search, verify the best, learn what the verified ones teach, search on with corrected values."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from invdesign.campaign.correction import Correction, learn_correction
from invdesign.campaign.records import properties_of
from invdesign.campaign.stage import Stage, due_counts
from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from invdesign.campaign.campaign import Campaign
    from invdesign.campaign.reading import Status
    from invdesign.campaign.store import Store
    from invdesign.objectives.base import Objective

FACT = "rounds"


@dataclass(frozen=True)
class Round:
    """One round, as it was planned before its verification began.

    Attributes:
        stage: that verifies.
        evaluations: candidates proposed when the round was due.
        candidates: that the round has verified, and those that the stage had verified without a round before it.
    """

    stage: str
    evaluations: int
    candidates: tuple[int, ...]


@dataclass(frozen=True)
class TaughtRound:
    """A complete round and what the search knew after it.

    Attributes:
        stage: that verified.
        evaluations: candidates proposed when it was due.
        candidates: that it verified.
        corrections: by property, learned from this round and all before.
    """

    stage: str
    evaluations: int
    candidates: tuple[int, ...]
    corrections: Mapping[str, Correction]


def noted_rounds(store: Store) -> list[Round]:
    """The rounds that a store remembers, the first first; the last may not be verified to its end yet."""
    told = store.facts().get(FACT, [])
    return [Round(one["stage"], one["evaluations"], tuple(one["candidates"])) for one in told]


def complete_rounds(store: Store) -> list[Round]:
    """The rounds of which every candidate is verified."""
    noted = noted_rounds(store)
    answered = _answered(store, noted[0].stage) if noted else set()
    return [one for one in noted if answered.issuperset(one.candidates)]


def corrections_after(store: Store, rounds: Sequence[Round], names: Sequence[str]) -> dict[str, Correction]:
    """What rounds teach of each property: a function of the store alone, so that a resumed search goes on exactly.

    Only the rounds' own candidates count. While a round is being verified, its values are there one by one; whoever is
    killed meanwhile must come to the same correction as who is not.

    Args:
        store: where the values are.
        rounds: complete ones.
        names: of the properties.
    """
    if not rounds:
        return {}
    verifications = store.verifications()
    mine = verifications[verifications["stage"] == rounds[0].stage]
    mine = mine.loc[sorted({candidate for one in rounds for candidate in one.candidates})]
    steering = properties_of(store.evaluations().loc[mine.index], names)
    verified = properties_of(mine, names)
    return {name: learn_correction(name, steering[name].to_numpy(), verified[name].to_numpy()) for name in names}


def taught_rounds(store: Store, names: Sequence[str]) -> list[TaughtRound]:
    """Every complete round with the corrections that were in force after it."""
    rounds = complete_rounds(store)
    return [
        TaughtRound(one.stage, one.evaluations, one.candidates, corrections_after(store, rounds[: number + 1], names))
        for number, one in enumerate(rounds)
    ]


def run_rounds(
    campaign: Campaign,
    objective: Objective,
    stage: Stage,
    *,
    evaluations: int,
    batch: int = 1,
    executor: Executor | None = None,
    on_progress: Callable[[Status], None] | None = None,
    on_verified: Callable[[int, str], None] | None = None,
) -> None:
    """See ``Campaign.run_rounds``."""
    if campaign.space.level is not None:
        raise InputError(
            "A space with levels needs no rounds: its truest level verifies what the others tell. Make the stage's "
            "objective the truest level instead."
        )
    noted = noted_rounds(campaign.store)
    if noted and noted[0].stage != stage.name:
        raise InputError(
            f"The store '{campaign.store.place}' corrects its search by the stage '{noted[0].stage}'; this one is "
            f"'{stage.name}'. Use another store, or the stage's name of before."
        )
    for due in [0, *due_counts(evaluations, initial=campaign.initial, rounds=stage.rounds)]:
        if due > max((one.evaluations for one in noted_rounds(campaign.store)), default=0):
            campaign.run(objective, evaluations=due, batch=batch, executor=executor, on_progress=on_progress)
            _plan(campaign, stage, due)
        # A round that was cut short ends before anything else: the step from 0 is there for it.
        # Without any round yet it verifies nothing, and still refuses an objective that does not fit.
        planned = noted_rounds(campaign.store)[-1:]
        candidates = [candidate for one in planned for candidate in one.candidates]
        campaign.verify(stage.objective, candidates=candidates, stage=stage.name, on_progress=on_verified)


def _plan(campaign: Campaign, stage: Stage, due: int) -> None:
    """Notes which candidates the round verifies, before it does: the best that the stage has not verified yet."""
    noted = noted_rounds(campaign.store)
    answered = _answered(campaign.store, stage.name)
    before = {candidate for one in noted for candidate in one.candidates}
    best = campaign.best(len(answered) + stage.top)
    chosen = [int(number) for number in best.index if number not in answered][: stage.top]
    told = Round(stage.name, due, (*sorted(answered - before), *chosen))
    campaign.store.write_fact(FACT, [asdict(one) for one in (*noted, told)])


def _answered(store: Store, stage: str) -> set[int]:
    verifications = store.verifications()
    return {int(number) for number in verifications.index[verifications["stage"] == stage]}
