"""The layout of the package in numbers, before and after: names that an installation adds, storeys, circles, settings.

Counts are taken from the sources of two commits: ``python benchmarks/layout.py [BEFORE]``; before is by default the
last commit in which the wheel claimed three names. What is counted of the JSON schema needs the commit's own package,
which is imported from its checkout in a process of its own.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from _record import write_result

ROOT = Path(__file__).parents[1]
BEFORE = "8c0b6aa"
STOREYS = ("core", "surrogates", "objectives")
OLD_WORDS = (
    "truest",
    "truer",
    "told",
    "drawn in",
    "under way",
    "dearer",
    "dearest",
    "speaks of",
    "steering",
    "raised to",
)
SCHEMA = """
import importlib, json
for name in ("invdesign.campaign_file.schema", "invdesign.schema"):
    try:
        schema = importlib.import_module(name).campaign_schema()
        break
    except ModuleNotFoundError:
        continue
fields = described = bounded = 0
def walk(node):
    global fields, described, bounded
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict):
            for value in node["properties"].values():
                fields += 1
                described += isinstance(value, dict) and "description" in value
                text = json.dumps(value)
                bounded += any(word in text for word in ('"minimum"', '"exclusiveMinimum"', '"maximum"', '"minItems"'))
        for value in node.values():
            walk(value)
    elif isinstance(node, list):
        for value in node:
            walk(value)
walk(schema)
print(json.dumps({"fields": fields, "described": described, "with a bound": bounded}))
"""


def main() -> None:
    """Counts both commits and writes the result."""
    before = sys.argv[1] if len(sys.argv) > 1 else BEFORE
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["git", "clone", "--quiet", str(ROOT), folder], check=True)
        subprocess.run(["git", "checkout", "--quiet", before], cwd=folder, check=True)
        found = {"before": {"commit": before, **counted(Path(folder))}, "after": counted(ROOT)}
    plugin = ROOT / "examples" / "plugin" / "src" / "invdesign_cmaes" / "__init__.py"
    found["plugin lines"] = len(plugin.read_text(encoding="utf-8").splitlines())
    print(json.dumps(found, indent=2))
    write_result("layout", found, packages=("pydantic",))


def counted(root: Path) -> dict[str, Any]:
    """What one checkout holds."""
    modules = sources(root)
    texts = [path.read_text(encoding="utf-8") for path in modules.values()]
    graph = {name: imports(path, modules) for name, path in modules.items()}
    names = {name.partition(".")[0] for name in modules}
    return {
        "names that the wheel adds": sorted(names),
        "files": len(modules),
        "lines": sum(len(text.splitlines()) for text in texts),
        "files in circles of imports": files_in_circles(graph),
        "imports that go up": upward(graph),
        "__post_init__": sum(text.count("def __post_init__") for text in texts),
        "isinstance(..., GaussianProcess)": sum(
            len(re.findall(r"isinstance\([^)]*\bGaussianProcess\b", text)) for text in texts
        ),
        "old words": {word: sum(len(re.findall(rf"\b{word}\b", text)) for text in texts) for word in OLD_WORDS},
        "schema": schema(root),
    }


def sources(root: Path) -> dict[str, Path]:
    """The modules of the wheel by name; links to folders are followed, and counted once."""
    links = (root / "invdesign" / "objectives").is_symlink()
    found = {}
    for top in ("invdesign", "objectives", "surrogates"):
        for path in (root / top).rglob("*.py"):
            inside = path.relative_to(root).with_suffix("").parts
            if top == "invdesign" and len(inside) > 1 and inside[1] in ("objectives", "surrogates"):
                continue
            parts = ("invdesign", *inside) if links and top != "invdesign" else inside
            found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(path: Path, modules: dict[str, Path]) -> set[str]:
    """Modules of the wheel that a file imports, anywhere in its text."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in modules}
        elif isinstance(node, ast.ImportFrom) and node.module in modules:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules else str(node.module) for name in whole}
    return found


def files_in_circles(graph: dict[str, set[str]]) -> int:
    """How many files import themselves through others."""

    def reached(start: str) -> set[str]:
        seen: set[str] = set()
        ahead = list(graph[start] - {start})
        while ahead:
            name = ahead.pop()
            if name not in seen:
                seen.add(name)
                ahead += graph[name] - {name}
        return seen

    return sum(name in reached(name) for name in graph)


def upward(graph: dict[str, set[str]]) -> int:
    """Imports from a lower storey of a higher one: core < surrogates < objectives < the rest."""

    def storey(name: str) -> int:
        plain = name.removeprefix("invdesign.")
        first = plain.partition(".")[0]
        return STOREYS.index(first) if first in STOREYS else len(STOREYS)

    return sum(
        storey(other) > storey(name) for name, others in graph.items() for other in others if name != "invdesign"
    )


def schema(root: Path) -> dict[str, int]:
    """Fields of the JSON schema, those that are described, and those with a bound."""
    environment = {**os.environ, "PYTHONPATH": str(root)}
    done = subprocess.run(
        [sys.executable, "-c", SCHEMA], cwd=root, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


if __name__ == "__main__":
    main()
