"""What makes a campaign the same campaign when it is opened again: its space, its seed, its optimizer."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from invdesign.campaign.store import Store
from invdesign.core.errors import InputError
from invdesign.optimizers.base import Optimizer
from invdesign.space import SearchSpace

PACKAGES = ("invdesign", "numpy", "pandas", "scipy", "torch", "gpytorch", "botorch", "rdkit", "pybamm")


def check_identity(store: Store, *, space: SearchSpace, seed: int, optimizer: Optimizer) -> None:
    """Notes in a new store what the campaign is; compares with what an old one notes.

    Raises:
        InputError: where space, seed or optimizer are others than those of the stored values, whose continuation would
            then be no continuation.
    """
    told = {"space": describe(space), "seed": seed, "optimizer": repr(optimizer)}
    facts = store.facts()
    if "space" not in facts:
        for name, value in {**told, "versions": versions()}.items():
            store.write_fact(name, value)
        return
    for name, value in told.items():
        if facts.get(name) != json.loads(json.dumps(value)):
            raise InputError(
                f"The store '{store.place}' holds the campaign '{store.campaign}' with another {name}. Use another "
                f"store, another campaign name, or the {name} of before."
            )


def describe(space: SearchSpace) -> dict[str, Any]:
    """A space in words that JSON can hold; long lists of values, and what else a parameter was told, by checksum."""
    columns = []
    for column in space.columns:
        settings = [repr(space.parameters[column.name]), *column.values]
        bounds = list(column.bounds) if column.bounds else None
        columns.append(
            {
                "name": column.name,
                "kind": column.kind,
                "bounds": bounds,
                "unit": column.unit,
                "log": column.log,
                "settings": hashlib.sha256("\n".join(settings).encode()).hexdigest(),
            }
        )
    return {"columns": columns, "constraints": [str(constraint) for constraint in space.constraints]}


def versions() -> dict[str, str]:
    """Versions of the installed packages on which results may depend."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
