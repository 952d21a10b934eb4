"""Changes of targets, optimizer and surrogate in a running campaign: each is stored with its time."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from invdesign.campaign.identity import described

if TYPE_CHECKING:
    from invdesign.campaign.store import Store
    from invdesign.optimizers.base import Optimizer
    from invdesign.targets import Targets

FACT = "changes"
SURROGATE = "surrogate"


@dataclass(frozen=True)
class Change:
    """A setting that was changed while the campaign ran.

    Attributes:
        time: when the campaign first went on with it, in ISO 8601 with the time zone.
        candidate: number of the first candidate that was proposed with it.
        setting: ``targets``, ``optimizer`` or ``surrogate``.
        before: the former setting as text.
        after: the new one.
    """

    time: str
    candidate: int
    setting: str
    before: str
    after: str


def note_changes(store: Store, *, targets: Targets, optimizer: Optimizer) -> None:
    """Stores what differs from the settings with which the campaign proposed before; nothing at its beginning.

    Args:
        store: of the campaign.
        targets: as the user wrote them.
        optimizer: with its surrogate.
    """
    now = json.loads(json.dumps({"targets": [str(target) for target in targets], "optimizer": described(optimizer)}))
    if all(store.facts().get(name) == value for name, value in now.items()):
        return
    with store.transaction():
        facts = store.facts()
        found = [
            Change(datetime.now(UTC).astimezone().isoformat(timespec="seconds"), store.proposals(), *words)
            for name, value in now.items()
            if facts.get(name, value) != value
            for words in _differences(name, facts[name], value)
        ]
        store.write_facts({**now, FACT: [*facts.get(FACT, []), *map(asdict, found)]})


def noted_changes(store: Store) -> list[Change]:
    """The stored changes, in their order."""
    return [Change(**one) for one in store.facts().get(FACT, [])]


def _differences(name: str, before: Any, after: Any) -> list[tuple[str, str, str]]:
    """The settings that differ, each with its name and both texts; an optimizer's surrogate is one of its own."""
    if name == "targets":
        return [(name, "; ".join(before), "; ".join(after))]
    parts = [(SURROGATE, before.get(SURROGATE), after.get(SURROGATE)), (name, _rest(before), _rest(after))]
    return [(word, _text(old), _text(new)) for word, old, new in parts if old != new]


def _rest(optimizer: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in optimizer.items() if key != SURROGATE}


def _text(settings: Any) -> str:
    """Settings as text, such as ``RandomForest(n_estimators=50)``; the default if there are none."""
    if settings is None:
        return "default"
    if isinstance(settings, Mapping) and "type" in settings:
        rest = ", ".join(f"{key}={_text(value)}" for key, value in settings.items() if key != "type")
        return f"{settings['type']}({rest})"
    return str(settings)
