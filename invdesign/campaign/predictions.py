"""Which properties of a search are predictions of a model, in the store, with the model's held-out scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from invdesign.campaign.store import Store
from invdesign.objectives.base import Objective
from invdesign.objectives.predicted import HeldOutScore, Predicting

FACT = "predictions"


def note_predictions(store: Store, objective: Objective, digest: str) -> None:
    """Stores the held-out scores of an objective's model, once for each model.

    Args:
        store: of the campaign.
        objective: of the search.
        digest: the objective's fingerprint.
    """
    if not isinstance(objective, Predicting) or store.facts().get(FACT, {}).get("objective") == digest:
        return
    scores = {name: None if score is None else asdict(score) for name, score in objective.held_out_scores().items()}
    store.write_fact(FACT, {"objective": digest, "scores": scores})


def noted_predictions(store: Store) -> Mapping[str, HeldOutScore | None]:
    """The predicted properties of the search and their models' scores."""
    scores = store.facts().get(FACT, {}).get("scores", {})
    return {name: None if score is None else HeldOutScore(**score) for name, score in scores.items()}
