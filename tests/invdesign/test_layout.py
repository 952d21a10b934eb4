"""The layout of the package: imports only go down, and no two modules import each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import invdesign

ROOT = Path(invdesign.__file__).parent
BELOW = {
    "invdesign.core": ("invdesign.core",),
    "invdesign.surrogates": ("invdesign.core", "invdesign.surrogates"),
    "invdesign.objectives": ("invdesign.core", "invdesign.surrogates", "invdesign.objectives"),
}


def modules() -> dict[str, ast.Module]:
    """Every module of the package by its name; the links to the folders at the top are followed."""
    found = {}
    for folder in (ROOT, ROOT / "surrogates", ROOT / "objectives"):
        for path in folder.rglob("*.py"):
            parts = ("invdesign", *path.relative_to(ROOT).with_suffix("").parts)
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


def imported(tree: ast.Module, known: set[str]) -> Iterator[str]:
    """Modules of the package that a module imports, anywhere in its text."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in known)
        elif isinstance(node, ast.ImportFrom) and node.module in known:
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                yield whole if whole in known else node.module


def test_imports_only_go_down():
    """core <- surrogates <- objectives <- the rest, as the design has it."""
    known = modules()
    assert {"invdesign.surrogates.base", "invdesign.objectives.base"} <= set(known)
    for name, tree in known.items():
        for storey, allowed in BELOW.items():
            if name == storey or name.startswith(f"{storey}."):
                wrong = [other for other in imported(tree, set(known)) if not other.startswith(allowed)]
                assert not wrong, f"{name} imports {wrong}"


def test_no_circle_of_imports():
    known = modules()
    names = set(known)
    try:
        tuple(
            TopologicalSorter(
                {name: set(imported(tree, names)) - {name} for name, tree in known.items()}
            ).static_order()
        )
    except CycleError as error:
        raise AssertionError(f"These modules import each other: {error.args[1]}") from None
