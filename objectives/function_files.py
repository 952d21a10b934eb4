"""Python files with a user's functions: loaded by path, with their folder on the import path."""

from __future__ import annotations

import ast
import importlib.util
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from invdesign.core.errors import InputError


def load(path: Path) -> ModuleType:
    """Loads a file as a module of its own; modules beside it are imported again, as they are now.

    Raises:
        InputError: if the file does not exist.
        Exception: whatever the file raises.
    """
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise InputError(f"The Python file '{path}' does not exist.")
    _forget_neighbors(path)
    module = importlib.util.module_from_spec(specification)
    with beside(path):
        specification.loader.exec_module(module)
    return module


@contextmanager
def beside(path: Path) -> Iterator[None]:
    """Puts the folder of a file first on the import path, as for a script."""
    folder = str(path.parent.resolve())
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


def neighbors(path: Path) -> list[Path]:
    """The modules beside a file that it imports, directly or through others, sorted; without those in packages."""
    found: set[Path] = set()
    waiting = [path]
    while waiting:
        for name in _imported(waiting.pop()):
            neighbor = path.parent / f"{name}.py"
            if neighbor.is_file() and neighbor != path and neighbor not in found:
                found.add(neighbor)
                waiting.append(neighbor)
    return sorted(found)


def _imported(path: Path) -> set[str]:
    try:
        tree = ast.parse(path.read_bytes())
    except (SyntaxError, ValueError):
        return set()
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module.partition(".")[0])
    return names


def _forget_neighbors(path: Path) -> None:
    """Removes neighbors from the loaded modules: edited since, or of the same name beside another function's file."""
    usual = {Path(place).resolve() for place in sys.path}
    for neighbor in neighbors(path):
        loaded = sys.modules.get(neighbor.stem)
        file = getattr(loaded, "__file__", None)
        if file is not None and Path(file).resolve().parent not in usual:
            del sys.modules[neighbor.stem]
