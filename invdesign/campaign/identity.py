"""Identity of a stored campaign: its space and its seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from types import FunctionType
from typing import Any

from pydantic.fields import FieldInfo

from invdesign.campaign.store import Store
from invdesign.core.errors import InputError
from invdesign.space import SearchSpace

PACKAGES = ("invdesign", "numpy", "pandas", "scipy", "torch", "gpytorch", "botorch", "rdkit", "pybamm")


def check_identity(store: Store, *, space: SearchSpace, seed: int) -> None:
    """Writes the campaign's identity to a new store, or compares it with that of an existing one.

    Targets and optimizer may change; see ``invdesign.campaign.changes``.

    Raises:
        InputError: if space or seed differ from those of the stored values, so that the campaign cannot be continued.
    """
    now = {"space": describe(space), "seed": seed}
    if "space" not in store.facts():
        _check_parameters(store, space)
        # One transaction, so that an interruption leaves all of them or nothing, and of two processes one is first.
        store.write_facts({**now, "versions": versions()}, unless="space")
    facts = store.facts()
    for name, value in now.items():
        if facts.get(name) != json.loads(json.dumps(value)):
            raise InputError(
                f"The store '{store.place}' holds the campaign '{store.campaign}' with a different {name}. Use another "
                f"store, another campaign name, or the original {name}."
            )


def _check_parameters(store: Store, space: SearchSpace) -> None:
    """Compares the parameters with those of the stored candidates: a migrated store has nothing else of its space."""
    for parameters in store.columns().parameters[:1]:
        if set(parameters) != set(space.names):
            raise InputError(
                f"The store '{store.place}' holds the campaign '{store.campaign}' with the parameters "
                f"{', '.join(sorted(parameters))}, not {', '.join(space.names)}. Use another store or campaign name."
            )


def describe(space: SearchSpace) -> dict[str, Any]:
    """A space as JSON; long lists of values and the settings of parameters are replaced by checksums."""
    columns = []
    for column in space.columns:
        settings = json.dumps(described(space.parameters[column.name]))
        checksum = hashlib.sha256("\n".join([settings, *column.values]).encode()).hexdigest()
        bounds = list(column.bounds) if column.bounds else None
        columns.append(
            {
                "name": column.name,
                "kind": column.kind,
                "bounds": bounds,
                "unit": column.unit,
                "log": column.log,
                "settings": checksum,
            }
        )
    return {"columns": columns, "constraints": [str(constraint) for constraint in space.constraints]}


def described(settings: object) -> Any:
    """Settings as JSON: the class's name and the values that differ from their defaults.

    If a later version adds a setting whose default is the current behavior, stored campaigns remain valid.
    """
    if isinstance(settings, Mapping):
        return {str(name): described(value) for name, value in settings.items()}
    if isinstance(settings, tuple | list):
        return [described(value) for value in settings]
    if isinstance(settings, partial):
        return {"partial": described(settings.func), "args": described(settings.args), **described(settings.keywords)}
    if isinstance(settings, FunctionType):  # its repr holds an address, which differs from process to process
        return f"{settings.__module__}.{settings.__qualname__}"
    if not is_dataclass(settings) or isinstance(settings, type):
        return repr(settings)
    changed = {}
    for item in fields(settings):
        value = getattr(settings, item.name)
        if item.init and item.repr and not _is_default(item, value):
            changed[item.name] = described(value)
    return {"type": type(settings).__name__, **changed}


def _is_default(item: Field[Any], value: object) -> bool:
    default: Any = item.default
    if isinstance(default, FieldInfo):  # settings store pydantic's description of a field there
        default = default.get_default(call_default_factory=True, validated_data={})
    elif item.default_factory is not MISSING:
        default = item.default_factory()
    return type(value) is type(default) and bool(value == default)


def versions() -> dict[str, str]:
    """Versions of the installed packages that may affect results."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
