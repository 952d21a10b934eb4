"""Campaign files with changed keys, values, types and texts, a third of them with code: the cases of their reading."""

from __future__ import annotations

import ast
import contextlib
import copy
import json
import os
import random
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from _fuzz_cases import VALID, Case
from ruamel.yaml import YAML, YAMLError

import invdesign as ind
from invdesign.campaign_file.schema import campaign_schema
from invdesign.core.errors import InputError
from invdesign.space import describe_size

ROOT = Path(__file__).parent.parent
CANARY = "ran"
"""File that only code of a mutated file creates."""

HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2, 3.5, -0.0, 1e308, -1e308, 1e-308, 10**18, 2**63 - 1, -(2**63), 10**9, 0.1),
    *("", " ", "x", "none", ".nan", ".inf", "1e999", "\0", "é" * 50, "A" * 5000, "../../etc/passwd", "/dev/zero"),
    *("dataset:", "dataset:nothing", "dataset:hbe", "9**9**9 m", "((((", "Li1e999", "C" * 300, "top 10", "%s%n", "{0}"),
    *(
        [],
        {},
        [[]],
        [{}],
        {"type": "python"},
        {"type": "composition"},
        [1, 2],
        ["Li", "Na"],
        {"a": 1},
        [None],
        [0.0, 1.0],
    ),
    *(
        ["Li"] * 200,
        {"type": "continuous", "low": 0, "high": 1e300},
        {"x": {"type": "integer", "low": 0, "high": 10**15}},
    ),
)
NUMBERS = (
    *(0, 1, 2, 3, 7, -1, 100, 10_000, 10**6, 10**9, 10**12, 2**63 - 1, -(2**62), 0.5, 0.1, 1 / 3, 0.9999999, 1e-6),
    *(1e-12, 1e-300, 1e12, 1e100, 1e300, -1e300, 0.0, -0.0, 1.7976931348623157e308, 5e-324),
)
CODE: tuple[Any, ...] = (
    {"type": "command", "command": f"touch {CANARY}", "units": {"f": ""}},
    {"type": "command", "command": f"touch {CANARY}", "shell": True, "units": {"f": ""}},
    {"type": "python", "function": "canary.py:touch", "units": {"f": ""}},
    {"type": "electrode", "prototype": "layered", "calculator": "canary:touch"},
    {
        "type": "electrode",
        "prototype": "layered",
        "calculator": "subprocess:getoutput",
        "settings": {"cmd": f"touch {CANARY}"},
    },
    f"__import__('os').system('touch {CANARY}')",
    {"!!python/object/apply:os.system": [f"touch {CANARY}"]},
)


def sources() -> list[tuple[Path, str]]:
    """Campaign files of the examples and of the tests, also those within the tests' text, with their folders."""
    found = [(path.parent, path.read_text()) for path in sorted(ROOT.glob("examples/*.yaml"))]
    found += [(path.parent, path.read_text()) for path in sorted(ROOT.glob("tests/**/version-*.yaml"))]
    for path in sorted(ROOT.glob("tests/**/test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "space:\n" in node.value:
                found.append((path.parent, node.value))
    return [(folder, text) for folder, text in found if _parsed(text) is not None]


def _parsed(text: str) -> Any:
    try:
        data = YAML(typ="safe", pure=True).load(text)
    except YAMLError:  # templates within tests
        return None
    return data if isinstance(data, dict) and "space" in data else None


def campaign_files(folder: Path) -> Case:
    """The case of a mutated campaign file in a folder: read, sampled as ``invdesign check`` does, and opened.

    A third of them holds code and is read without consent. Nothing is evaluated.
    """
    for path in (*ROOT.glob("examples/*.py"), *ROOT.glob("examples/*.smi")):
        shutil.copy(path, folder)
    (folder / "mine.py").write_text("def value(**given):\n    return {'f': 1.0}\n")
    (folder / "canary.py").write_text(f"open({str(folder / CANARY)!r}, 'w')\ndef touch(**given): pass\n")
    texts = [text for _, text in sources()]
    trees = [_parsed(text) for text in texts]
    weights = [1 if "dataset:" in text else 8 for text in texts]  # a pool takes a second to read
    os.chdir(folder)
    for text in texts:  # so that a case's time is not that of importing libraries and of filling caches
        (folder / "c.yaml").write_text(text)
        with contextlib.suppress(InputError):
            ind.read_campaign(folder / "c.yaml", allow_code=True)

    def case(seed: int) -> str:
        rng = random.Random(seed)
        number = rng.choices(range(len(texts)), weights)[0]
        hostile = seed % 3 == 0
        text = mutated_text(rng, texts[number]) if rng.random() < 0.35 else mutated(rng, trees[number], trees, hostile)
        path = folder / "c.yaml"
        path.write_text(text, encoding="utf-8", errors="replace")
        try:
            setting = ind.read_campaign(path, allow_code=not hostile)
            describe_size(setting.space)
            setting.space.sample(5, np.random.default_rng(0)).to_string(index=False)
            for ending in ("", "-wal", "-shm"):
                (folder / f"c.db{ending}").unlink(missing_ok=True)
            replace(setting, header=replace(setting.header, store=str(folder / "c.db"))).open().status()
        finally:
            if (folder / CANARY).exists():
                (folder / CANARY).unlink()
                if hostile:
                    raise RuntimeError("CODE RAN")
        return VALID

    return case


def mutated(rng: random.Random, tree: Any, others: Sequence[Any], hostile: bool) -> str:
    """A campaign file with some changes of its keys, values and types, as JSON, which is YAML."""
    made = copy.deepcopy(tree)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        places = [
            (holder, key)
            for holder in _holders(made)
            for key in (list(holder) if isinstance(holder, dict) else range(len(holder)))
        ]
        if not places:
            break
        holder, key = rng.choice(places)
        if rng.random() < 0.6:
            holder[key] = _alike(rng, holder[key], others)
        elif isinstance(holder, dict) and rng.random() < 0.3:
            name, value = rng.choice(_settings())
            holder[name] = _alike(rng, value, others)
        else:
            _broken(rng, holder, key, others)
    if hostile:
        made["objective"] = copy.deepcopy(rng.choice(CODE))
        if rng.random() < 0.3:
            made["objective"] = [made["objective"], copy.deepcopy(tree.get("objective"))]
    return json.dumps(made)


def _broken(rng: random.Random, holder: Any, key: Any, others: Sequence[Any]) -> None:
    """Renames, removes or repeats an entry, or gives it a value of another type."""
    match rng.randrange(6):
        case 0 if isinstance(holder, dict):
            holder[_misspelled(rng, str(key))] = holder.pop(key)
        case 1:
            holder[key] = copy.deepcopy(rng.choice(HOSTILE))
        case 2:
            holder[key] = [copy.deepcopy(holder[key])] * rng.choice([1, 2, 30])
        case 3:
            del holder[key]
        case 4:
            donor = rng.choice(list(_holders(rng.choice(others))))
            holder[key] = copy.deepcopy(rng.choice(list(donor.values() if isinstance(donor, dict) else donor)))
        case _:
            holder[key] = _other_type(rng, holder[key])


def _alike(rng: random.Random, value: Any, others: Sequence[Any]) -> Any:
    """Another value of the same type, which the checks of types let through."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return rng.choice([*NUMBERS, value * 1000, value / 1000, -value, value + 1])
    leaves = [leaf for leaf in _leaves(rng.choice(others)) if type(leaf) is type(value)]
    if isinstance(value, list) and value:
        return rng.choice([value[::-1], value * 2, value[:1], value[1:], [_alike(rng, one, others) for one in value]])
    if isinstance(value, dict) and value:
        name = rng.choice(list(value))
        return {**value, name: _alike(rng, value[name], others)}
    return copy.deepcopy(rng.choice([*leaves, *(one for one in HOSTILE if type(one) is type(value))] or [value]))


def _leaves(node: Any) -> Any:
    """All values that are neither mappings nor lists, and the keys of mappings."""
    if isinstance(node, dict):
        yield from node
    for item in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from _leaves(item)
    if not isinstance(node, dict | list):
        yield node


@cache
def _settings() -> list[tuple[str, Any]]:
    """Every setting that a file may have, with a value of its type."""
    examples = {"integer": 2, "number": 0.5, "string": "x", "boolean": True, "array": ["x"], "object": {"x": 1}}
    found = []
    for definition in campaign_schema()["$defs"].values():
        for name, about in definition.get("properties", {}).items():
            kinds = [about, *about.get("anyOf", ())]
            values = [examples[kind["type"]] for kind in kinds if kind.get("type") in examples]
            values += [word for kind in kinds for word in kind.get("enum", ())]
            found += [(name, value) for value in values]
    return found


def _holders(node: Any) -> Any:
    """All mappings and lists with entries."""
    if isinstance(node, dict | list) and node:
        yield node
        for item in node.values() if isinstance(node, dict) else node:
            yield from _holders(item)


def _misspelled(rng: random.Random, word: str) -> str:
    place = rng.randrange(len(word) + 1)
    changes = (
        word[:place] + word[place + 1 :],
        word[:place] + rng.choice("aeioux_- .") + word[place:],
        word.upper(),
        word[::-1],
        "",
    )
    return rng.choice(changes)


def _other_type(rng: random.Random, value: Any) -> Any:
    makers: tuple[Callable[[], Any], ...] = (
        lambda: str(value),
        lambda: {"value": value},
        lambda: [value, value],
        lambda: len(str(value)),
        lambda: {str(value)[:20]: None},
        lambda: str(value)[::-1],
        lambda: not value,
    )
    return rng.choice(makers)()


def mutated_text(rng: random.Random, text: str) -> str:
    """A campaign file with its text cut, repeated, nested, or with characters replaced."""
    lines = text.splitlines(keepends=True)
    place = rng.randrange(len(lines))
    character = rng.randrange(len(text))
    made = [
        text[:character],
        text[:character] + rng.choice(list("[]{}:,&*!|>'\"%@`#-? \t\n\x00\x07é\ud800")) + text[character:],
        "".join(lines[:place] + lines[place : place + 1] * 2 + lines[place + 1 :]),
        "".join(lines[:place] + lines[place + 1 :]),
        "".join([*lines[:place], " " * rng.randint(1, 4), *lines[place:]]),
        text.replace(
            rng.choice(text.split()), rng.choice(["", "*a", "&a", "[" * 500, "{" * 30, "9" * 500, "!!set", "<<"]), 1
        ),
        text + "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)),
        "".join(rng.sample(lines, len(lines))),
    ]
    return rng.choice(made)
