"""What an objective's values depend on, as hashes: its settings, the source of its functions, its files."""

from __future__ import annotations

import hashlib
import inspect
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, Literal

import pandas as pd

from invdesign.campaign.store import DONE, Store
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.objectives.function_files import neighbors

FACT = "objectives"
ChangedObjective = Literal["refuse", "keep", "re-evaluate"]
WITHOUT_EFFECT = frozenset({"time_limit", "memory_limit", "isolated"})
"""Settings that decide whether there is a value, but not which."""


def parts_of(objective: Objective) -> dict[str, str]:
    """A hash for each part of an objective, under a name for messages; equal hashes mean equal values."""
    return {name: _hash(value) for name, value in sorted(_parts(objective, type(objective).__name__))}


def digest_of(parts: Mapping[str, str]) -> str:
    """One hash for all parts."""
    return _hash(json.dumps(parts, sort_keys=True))


def check_unchanged(store: Store, objective: Objective, changed: ChangedObjective) -> str:
    """Compares an objective with those that gave the stored values, and stores its parts.

    Args:
        store: the store with the values.
        objective: as bound to the space.
        changed: what to do if it has changed: refuse, keep the stored values, or evaluate their candidates again.

    Returns:
        The objective's digest, to be stored with each value.

    Raises:
        InputError: if it has changed and is refused; the message names the changed parts.
    """
    parts = parts_of(objective)
    digest = digest_of(parts)
    with store.transaction():
        noted: dict[str, dict[str, Any]] = store.facts().get(FACT, {})
        columns = store.columns()
        given = columns.about["objective"].array()
        # Failed candidates have no value that could be mixed with others.
        others = [one for one in dict.fromkeys(given[columns.in_state(DONE)]) if one not in (None, digest)]
        others = [one for one in others if digest not in noted.get(one, {}).get("kept_with", ())]
        if others and changed == "refuse":
            raise InputError(_refusal(store, parts, noted.get(others[-1], {}).get("parts", {})))
        if others and changed == "keep":
            for one in others:
                known = noted.setdefault(one, {"parts": {}})
                known["kept_with"] = [*known.get("kept_with", []), digest]
        elif others:
            store.reopen([number for number, one in enumerate(given) if one in others])
        if others or digest not in noted:
            store.write_fact(FACT, {**noted, digest: {"parts": parts, **noted.get(digest, {})}})
    return digest


def _refusal(store: Store, now: Mapping[str, str], before: Mapping[str, str]) -> str:
    names = [name for name in dict.fromkeys([*before, *now]) if before.get(name) != now.get(name)]
    return (
        f"The objective has changed since it gave values in the store '{store.place}': {', '.join(names)}. Values by "
        "two objectives cannot be compared. Use another store or restore the objective. If the change does not affect "
        "values, use --objective-changed keep (RunSettings(objective_changed='keep')); to evaluate those candidates "
        "again, use --objective-changed re-evaluate."
    )


def _parts(value: object, name: str) -> Iterator[tuple[str, str | bytes]]:
    if is_dataclass(value) and not isinstance(value, type):
        yield f"type of {name}", type(value).__qualname__
        for field in fields(value):
            if field.init and field.name not in WITHOUT_EFFECT:
                yield from _parts(getattr(value, field.name), f"{name}.{field.name}")
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _parts(item, f"{name}[{str(key)!r}]")
    elif isinstance(value, list | tuple):
        for place, item in enumerate(value):
            yield from _parts(item, f"{name}[{place}]")
    elif isinstance(value, pd.DataFrame):
        yield name, value.to_json(double_precision=15) or ""
    elif callable(value):
        yield f"source of {name}", _source(value)
    elif isinstance(value, str | Path) and (file := _file(str(value))) is not None:
        yield f"content of '{file}'", file.read_bytes()
        for neighbor in neighbors(file) if file.suffix == ".py" else ():
            yield f"content of '{neighbor}'", neighbor.read_bytes()
    else:
        written = repr(value)
        # An address differs from process to process.
        yield name, type(value).__qualname__ if " at 0x" in written else written


def _file(text: str) -> Path | None:
    """The file that a setting names: a path, or ``path:function``."""
    for place in (text, text.rpartition(":")[0]):
        try:
            if place and Path(place).is_file():
                return Path(place)
        except OSError:  # too long, or not a path at all
            continue
    return None


def _source(function: Callable[..., object]) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError):
        code = getattr(function, "__code__", None)
        return repr((code.co_code, code.co_consts, code.co_names)) if code is not None else repr(type(function))


def _hash(value: str | bytes) -> str:
    content = value if isinstance(value, bytes) else value.encode("utf-8", "surrogatepass")
    return hashlib.blake2b(content, digest_size=8).hexdigest()
