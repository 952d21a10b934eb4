"""Mutated campaign files, altered databases and hostile texts: each is right or refused in words.

A case is a function of its seed. Cases run in copies of this process (fork), many in each, with limits on the time of
each case and on memory; the outcome of a case that ends its process is how the process ended.
``python benchmarks/reliability.py fuzz`` writes the counts; ``tests/benchmarks/test_fuzz.py`` runs a few hundred.
"""

from __future__ import annotations

import ast
import contextlib
import copy
import faulthandler
import json
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML

import invdesign as ind
from invdesign.campaign_file.consent import ConsentError
from invdesign.campaign_file.schema import campaign_schema
from invdesign.core.errors import InputError
from invdesign.core.trust import VARIABLE
from invdesign.core.units import conversion
from invdesign.space import describe_size
from invdesign.space.expressions import parse_amount
from invdesign.surrogates.features.formulas import composition_keys, elements_of

ROOT = Path(__file__).parent.parent
SECONDS = 5.0
"""Processor time of a case after which it counts as hung."""
MEMORY = 1 << 30
"""Bytes that a process may need beyond those of the imported libraries."""
VALID, REFUSED, CONSENT = "valid", "error in words", "refused without consent"
GOOD = frozenset({VALID, REFUSED, CONSENT, "the same values"})
"""Outcomes that a case may have."""
CANARY = "ran"
"""File that only code of a mutated file creates."""

Case = Callable[[int], str]
"""Runs the case of a seed and returns its outcome."""

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


def outcomes(case: Case, seeds: Sequence[int], *, report: Callable[[int, str], None] | None = None) -> Counter[str]:
    """Counts the outcomes of the cases of some seeds; ``report`` gets each outcome that should not be."""
    counts: Counter[str] = Counter()
    left = list(seeds)
    while left:
        done = _in_child(case, left)
        for seed, outcome in done:
            counts[outcome.splitlines()[0]] += 1
            if outcome not in GOOD and report is not None:
                report(seed, outcome)
        left = left[len(done) :]
    return counts


def _in_child(case: Case, seeds: Sequence[int]) -> list[tuple[int, str]]:
    """Runs cases in a copy of this process until one ends it: the outcomes so far, that one's included."""
    read, write = os.pipe()
    child = os.fork()
    if not child:
        os.close(read)
        faulthandler.disable()
        limit = _data_bytes() + MEMORY
        resource.setrlimit(resource.RLIMIT_DATA, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        with os.fdopen(write, "w") as stream:
            for seed in seeds:
                signal.setitimer(signal.ITIMER_PROF, SECONDS)
                outcome = _outcome(case, seed)
                signal.setitimer(signal.ITIMER_PROF, 0)
                stream.write(json.dumps(outcome) + "\n")
                stream.flush()
                if outcome.startswith("MEMORY"):
                    break
        os._exit(0)
    os.close(write)
    with os.fdopen(read) as stream:
        done = [json.loads(line) for line in stream]
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code:
        done.append("HUNG" if code == -signal.SIGPROF else f"ENDED with {code}")
    return list(zip(seeds, done, strict=False))


def _outcome(case: Case, seed: int) -> str:
    try:
        return case(seed)
    except ConsentError:
        return CONSENT
    except InputError as error:
        return REFUSED if 0 < len(str(error)) < 20_000 else f"MESSAGE of {len(str(error))} characters"
    except MemoryError:
        return "MEMORY"
    except BaseException as error:  # noqa: BLE001 - what else comes out is what is counted
        return f"TRACEBACK {type(error).__name__}\n{traceback.format_exc()}"


def _data_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmData"))


# Campaign files


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
    except Exception:  # noqa: BLE001 - templates within tests are not YAML
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


# Databases


def databases(folder: Path) -> Case:
    """The case of a store with altered bytes: opened through its campaign file, its status and values read."""
    path = folder / "c.yaml"
    path.write_text(
        "campaign: parabola\nseed: 1\nspace: {x: {type: continuous, low: 0, high: 1}}\n"
        "targets: [{property: f, at_least: 0.5}]\noptimizer: {type: random}\n"
    )
    whole = folder / "whole.db"
    campaign = ind.read_campaign(path, store=str(whole)).open()
    objective = ind.PythonObjective(lambda x: {"f": x * x}, {"f": ""})
    campaign.run(objective, evaluations=60)
    campaign.verify(objective, stage="again", top=5)
    right = campaign.frame(), campaign.verified(), campaign.status()
    campaign.store.close()
    content = whole.read_bytes()

    def case(seed: int) -> str:
        rng = np.random.default_rng(seed)
        changed = bytearray(content)
        for place in rng.integers(0, len(content), size=1 + seed % 40):
            changed[place] = int(rng.integers(0, 256))
        store = folder / "copy.db"
        for ending in ("", "-wal", "-shm"):
            Path(f"{store}{ending}").unlink(missing_ok=True)
        store.write_bytes(changed[: int(rng.integers(len(content)))] if seed % 7 == 0 else changed)
        found = ind.read_campaign(path, store=str(store)).open()
        same = found.frame().equals(right[0]) and found.verified().equals(right[1]) and found.status() == right[2]
        return "the same values" if same else "OTHER VALUES"

    return case


# Texts


@dataclass(frozen=True)
class Texts:
    """Texts of one kind.

    Attributes:
        check: reads a text.
        valid: texts that can be read.
        parts: of hostile texts.
    """

    check: Callable[[str], object]
    valid: tuple[str, ...]
    parts: tuple[str, ...]

    def case(self, seed: int) -> str:
        """Reads a text: made of parts, or a valid one with some inserted; now and then repeated."""
        rng = random.Random(seed)
        if seed % 2:
            text = "".join(rng.choice(self.parts) for _ in range(rng.randint(1, 12)))
        else:
            text = rng.choice(self.valid)
            for _ in range(rng.randint(0, 2)):
                place = rng.randrange(len(text) + 1)
                text = text[:place] + rng.choice(self.parts) + text[place + rng.randint(0, 1) :]
        self.check(text * rng.choice([10, 1000]) if rng.random() < 0.1 else text)
        return VALID


def _molecule(text: str) -> None:
    ind.MoleculePool.from_smiles([text, "CCO", "CC"])
    ind.MoleculeGraph(seeds=(text,))


def _formula(text: str) -> None:
    composition_keys([text], ("(OH)",))
    metals = {"elements": ["Li", "Na"], "amount": 1, "step": 0.1}
    anions = {"species": ["O", "OH"], "amount": 2, "pick": 1}
    elements_of([text])
    ind.Composition(sites={"M": metals, "X": anions}).encode([text])


def _expression(text: str) -> None:
    parse_amount(text, "cost")
    space = ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(-1, 1), constraints=[f"{text} <= 1"])
    space.sample(3, np.random.default_rng(0))


def _constraint(text: str) -> None:
    ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(-1, 1), constraints=[text]).sample(
        3, np.random.default_rng(0)
    )


OPERATORS = (
    *(
        "x",
        "y",
        "1",
        "0",
        "9",
        "1e308",
        "**",
        "*",
        "/",
        "//",
        "%",
        "+",
        "-",
        "(",
        ")",
        "abs(",
        "log(",
        "min(",
        ",",
        ".",
    ),
    *(
        "'",
        "x.y",
        "lambda: ",
        "[",
        "]",
        "for ",
        " if ",
        " else ",
        "exp(",
        "9**9**9",
        "__import__('os')",
        "\0",
        "é",
        "{",
    ),
    *(":=", "0x", "_", "\n", "sqrt(-1)", "1/0", "@", " and ", "not ", "-" * 90, "(" * 90),
)
TEXTS = {
    "SMILES": Texts(
        _molecule,
        ("CCO", "c1ccccc1", "[Na+].[Cl-]", "C[C@H](N)C(=O)O", "O=C1OCCO1", "FC(F)(F)C#N"),
        (
            *(
                "C",
                "N",
                "O",
                "c1ccccc1",
                "(",
                ")",
                "[",
                "]",
                "=",
                "#",
                "%99",
                "1",
                "2",
                "9",
                ".",
                "/",
                "\\",
                "@",
                "[Na+]",
            ),
            *(
                "[999C]",
                "[C+99]",
                "[Fe]",
                "*",
                "$",
                ":",
                "->",
                ">>",
                " ",
                "\t",
                "\0",
                "é",
                "C" * 400,
                "(" * 300,
                "[U]",
                "H",
            ),
        ),
    ),
    "formulas": Texts(
        _formula,
        ("LiO2", "Li0.5Na0.5O2", "Na(OH)2", "Li0.3Na0.7(OH)2", "O2Li", "Li2O4"),
        (
            *(
                "Li",
                "Na",
                "O",
                "O2",
                "(",
                ")",
                "((((",
                "[",
                "]",
                "{",
                "}",
                "1e999",
                "1000000000",
                "0",
                "0.5",
                ".",
                "..",
                "-1",
            ),
            *("nan", "Xx", "li", " ", "\n", "é", "9" * 40, "(OH)", "(((O)2)2)2", "·", "+", "*", "(" * 300, "H2O"),
        ),
    ),
    "expressions": Texts(_expression, ("x + y", "2 * x - y / 3", "x ** 2", "log(x + 1)", "min(x, y)"), OPERATORS),
    "constraints": Texts(
        _constraint,
        ("x + y <= 1", "0 <= x < 0.5", "x <= 0.5 or y >= 0", "not x > 0.9", "x * y == 0.1", "abs(y) <= x"),
        (*OPERATORS, "<=", "<", "==", "!=", " or ", ">="),
    ),
    "units": Texts(
        lambda text: conversion(text, "m"),
        ("m", "km", "m^2/m", "um", "angstrom"),
        (
            "m",
            "s",
            "V",
            "degC",
            "dB",
            "9",
            "1e9",
            "**",
            "^",
            "*",
            "/",
            "(",
            ")",
            " ",
            "-",
            "²",
            "⁹",
            "%",
            ".",
            "'",
            "é",
        ),
    ),
}


def fuzz(
    *,
    files: int = 10_000,
    stores: int = 1_000,
    words: int = 1_000,
    report: Callable[[str, int, str], None] | None = None,
) -> dict[str, dict[str, int]]:
    """Counts of outcomes of each kind of case.

    Args:
        files: number of mutated campaign files.
        stores: number of altered databases.
        words: number of SMILES, of formulas, of expressions and of units.
        report: gets the kind, seed and outcome of each case that is neither right nor refused in words.
    """
    found: dict[str, dict[str, int]] = {}

    def add(kind: str, case: Case, count: int) -> None:
        counts = outcomes(case, range(count), report=report and (lambda seed, outcome: report(kind, seed, outcome)))
        found[kind] = dict(counts)

    before = os.environ.get(VARIABLE), Path.cwd()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ[VARIABLE] = str(folder / "trust.json")
        try:
            (folder / "files").mkdir()
            add("campaign files", campaign_files(folder / "files"), files)
            add("databases", databases(folder), stores)
            for kind, texts in TEXTS.items():
                add(kind, texts.case, words)
        finally:
            os.environ.pop(VARIABLE) if before[0] is None else os.environ.update({VARIABLE: before[0]})
            os.chdir(before[1])
    return found


if __name__ == "__main__":
    numbers = dict(zip(("files", "stores", "words"), map(int, sys.argv[1:]), strict=False))
    print(json.dumps(fuzz(**numbers, report=lambda *found: print(*found, file=sys.stderr, flush=True)), indent=2))
