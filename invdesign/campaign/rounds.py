"""A search in rounds: search, verify the best, learn a correction from them, continue with corrected values."""

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
    """One round, as planned before its verification.

    Attributes:
        stage: the verifying stage.
        evaluations: number of candidates proposed when the round was due.
        candidates: those of the round, and those that the stage had verified before without a round.
    """

    stage: str
    evaluations: int
    candidates: tuple[int, ...]


@dataclass(frozen=True)
class TaughtRound:
    """A completed round and the corrections after it.

    Attributes:
        stage: the verifying stage.
        evaluations: number of candidates proposed when it was due.
        candidates: the verified ones.
        corrections: by property, learned from this and all earlier rounds.
    """

    stage: str
    evaluations: int
    candidates: tuple[int, ...]
    corrections: Mapping[str, Correction]


def noted_rounds(store: Store) -> list[Round]:
    """The stored rounds in their order; the last may be incomplete."""
    stored = store.facts().get(FACT, [])
    return [Round(one["stage"], one["evaluations"], tuple(one["candidates"])) for one in stored]


def complete_rounds(store: Store) -> list[Round]:
    """The rounds whose candidates are all verified."""
    noted = noted_rounds(store)
    answered = verified_candidates(store, noted[0].stage) if noted else set()
    return [one for one in noted if answered.issuperset(one.candidates)]


def corrections_after(store: Store, rounds: Sequence[Round], names: Sequence[str]) -> dict[str, Correction]:
    """The correction of each property: a function of the store alone, so that a resumed search continues exactly.

    Only the rounds' own candidates count. The values of a round arrive one by one; a search that is interrupted
    in between must arrive at the same correction as one that is not.

    Args:
        store: the store with the values.
        rounds: completed rounds.
        names: of the properties.
    """
    if not rounds:
        return {}
    verifications = store.verifications()
    mine = verifications[verifications["stage"] == rounds[0].stage]
    mine = mine.loc[sorted({candidate for one in rounds for candidate in one.candidates})]
    low_fidelity = properties_of(store.evaluations(list(mine.index)), names)
    verified = properties_of(mine, names)
    return {name: learn_correction(name, low_fidelity[name].to_numpy(), verified[name].to_numpy()) for name in names}


def taught_rounds(store: Store, names: Sequence[str]) -> list[TaughtRound]:
    """Every completed round with the corrections after it."""
    rounds = complete_rounds(store)
    return [
        TaughtRound(one.stage, one.evaluations, one.candidates, corrections_after(store, rounds[: number + 1], names))
        for number, one in enumerate(rounds)
    ]


def check_rounds(store: Store, space: SearchSpace, stage: Stage) -> None:
    """Checks that a search can be corrected by a stage, before anything runs.

    Raises:
        InputError: if the space has fidelities, or another stage corrects the stored search.
    """
    if space.fidelity is not None:
        raise InputError(
            "A space with fidelities cannot have rounds: its target fidelity verifies the others. Use the "
            "stage's objective as the target fidelity instead."
        )
    noted = noted_rounds(store)
    if noted and noted[0].stage != stage.name:
        raise InputError(
            f"The store '{store.place}' corrects its search with the stage '{noted[0].stage}', not "
            f"'{stage.name}'. Use another store, or the original name of the stage."
        )


def plan_round(store: Store, stage: Stage, due: int, ranked: Sequence[int]) -> None:
    """Stores the candidates that a round will verify: the best that the stage has not verified yet.

    Args:
        store: where the plan is stored.
        stage: the verifying stage.
        due: number of candidates proposed when the round is due.
        ranked: numbers of candidates, best first; at least ``stage.top`` more than the stage has verified, if possible.
    """
    with store.transaction():
        noted = noted_rounds(store)
        if any(one.evaluations >= due for one in noted):
            return  # another process planned it
        answered = verified_candidates(store, stage.name)
        before = {candidate for one in noted for candidate in one.candidates}
        chosen = [number for number in ranked if number not in answered][: stage.top]
        planned = Round(stage.name, due, (*sorted(answered - before), *chosen))
        store.write_fact(FACT, [asdict(one) for one in (*noted, planned)])


def verified_candidates(store: Store, stage: str) -> set[int]:
    """Numbers of the candidates that a stage has verified."""
    verifications = store.verifications()
    return {int(number) for number in verifications.index[verifications["stage"] == stage]}
