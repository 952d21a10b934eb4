"""A search in rounds: search, verify the best, learn what the verified ones teach, search on with corrected values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from invdesign.campaign.correction import Correction, learn_correction
from invdesign.campaign.records import properties_of
from invdesign.core.errors import InputError

if TYPE_CHECKING:
    from invdesign.campaign.stage import Stage
    from invdesign.campaign.store import Store
    from invdesign.space import SearchSpace

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
    answered = verified_candidates(store, noted[0].stage) if noted else set()
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
    low_fidelity = properties_of(store.evaluations().loc[mine.index], names)
    verified = properties_of(mine, names)
    return {name: learn_correction(name, low_fidelity[name].to_numpy(), verified[name].to_numpy()) for name in names}


def taught_rounds(store: Store, names: Sequence[str]) -> list[TaughtRound]:
    """Every complete round with the corrections that were in force after it."""
    rounds = complete_rounds(store)
    return [
        TaughtRound(one.stage, one.evaluations, one.candidates, corrections_after(store, rounds[: number + 1], names))
        for number, one in enumerate(rounds)
    ]


def check_rounds(store: Store, space: SearchSpace, stage: Stage) -> None:
    """Checks that a search can be corrected by a stage, before anything runs.

    Raises:
        InputError: where the space has fidelities, or another stage corrects the stored search.
    """
    if space.fidelity is not None:
        raise InputError(
            "A space with fidelities needs no rounds: its target fidelity verifies the others. Make the "
            "stage's objective the target fidelity instead."
        )
    noted = noted_rounds(store)
    if noted and noted[0].stage != stage.name:
        raise InputError(
            f"The store '{store.place}' corrects its search by the stage '{noted[0].stage}'; this one is "
            f"'{stage.name}'. Use another store, or the earlier name of the stage."
        )


def plan_round(store: Store, stage: Stage, due: int, ranked: Sequence[int]) -> None:
    """Notes which candidates a round verifies, before it does: the best that the stage has not verified yet.

    Args:
        store: where the plan is kept.
        stage: which verifies.
        due: candidates proposed when the round is due.
        ranked: numbers of candidates, best first; at least ``stage.top`` more than the stage has verified, if possible.
    """
    noted = noted_rounds(store)
    answered = verified_candidates(store, stage.name)
    before = {candidate for one in noted for candidate in one.candidates}
    chosen = [number for number in ranked if number not in answered][: stage.top]
    planned = Round(stage.name, due, (*sorted(answered - before), *chosen))
    store.write_fact(FACT, [asdict(one) for one in (*noted, planned)])


def verified_candidates(store: Store, stage: str) -> set[int]:
    """Numbers of the candidates that a stage has verified."""
    verifications = store.verifications()
    return {int(number) for number in verifications.index[verifications["stage"] == stage]}
