"""The ablation changes what it says and nothing else, and leaves no constant out without a word."""

from __future__ import annotations

import ast
import importlib
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def ablation():
    sys.path.insert(0, str(ROOT / "benchmarks"))
    try:
        return importlib.import_module("ablation")
    finally:
        sys.path.remove(str(ROOT / "benchmarks"))


def constants() -> dict[str, str]:
    """Numbers and tuples of numbers that modules of optimizers and surrogates name, by module and name."""
    found = {}
    for folder in ("invdesign/optimizers", "surrogates"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            if "features" in file.parts:
                continue
            for node in ast.parse(file.read_text(encoding="utf-8")).body:
                if isinstance(node, ast.Assign):
                    for target in node.targets:
                        names = target.elts if isinstance(target, ast.Tuple) else [target]
                        for name in names:
                            if isinstance(name, ast.Name) and name.id.isupper() and _is_number(node.value):
                                found[f"{file.stem}.{name.id}"] = str(file)
    return found


def _is_number(node: ast.expr) -> bool:
    if isinstance(node, ast.Tuple):
        return all(_is_number(one) for one in node.elts)
    if isinstance(node, ast.UnaryOp):
        return _is_number(node.operand)
    if isinstance(node, ast.BinOp):
        return _is_number(node.left) and _is_number(node.right)
    return isinstance(node, ast.Constant) and isinstance(node.value, int | float) and not isinstance(node.value, bool)


def test_every_constant_is_measured_or_left_out_with_a_word(ablation):
    measured = {".".join(entry.name.split(".")[-2:]) for entry in ablation.entries()}
    left_out = {name.replace(".*", ""): word for name, word in ablation.LEFT_OUT.items()}
    known = measured | set(left_out)
    missing = [name for name in constants() if name not in known and name.split(".")[0] not in known]
    assert not missing, missing
    assert all(word.isalpha() for word in left_out.values())


def test_names_are_unique_and_every_panel_exists(ablation):
    entries = ablation.entries()
    assert len({entry.name for entry in entries}) == len(entries)
    assert {panel for entry in entries for panel in entry.panels} <= set(ablation.PANELS)
    assert all(entry.changes for entry in entries)


def test_a_changed_constant_is_changed_where_it_is_imported_and_restored(ablation):
    from invdesign.optimizers.bayesian import acquisition, fidelity_choice, policy

    with ablation.changed(ablation.Change({("invdesign.optimizers.bayesian.acquisition", "LIKELY"): 0.5})):
        assert (acquisition.LIKELY, policy.LIKELY, fidelity_choice.LIKELY) == (0.5, 0.5, 0.5)
    assert acquisition.LIKELY == policy.LIKELY == fidelity_choice.LIKELY == 1e-2


def test_a_constant_of_the_same_name_and_value_elsewhere_stays(ablation):
    from invdesign.surrogates import conformal, tuning

    assert conformal.FOLDS == tuning.FOLDS
    with ablation.changed(ablation.Change({("invdesign.surrogates.conformal", "FOLDS"): 3})):
        assert (conformal.FOLDS, tuning.FOLDS) == (3, 5)


@pytest.mark.parametrize(
    ("shift", "expected"), [(0.0, "inert"), (1.0, "earns its place"), (-1.0, "improved"), (0.01, "undecided")]
)
def test_the_verdict_follows_from_paired_differences(ablation, shift, expected):
    rng = np.random.default_rng(1)
    default = {"one": [(value,) for value in rng.normal(size=8)]}
    noise = rng.normal(0.0, 0.1, 8) if shift else np.zeros(8)
    other = {"one": [(value + shift + more,) for (value,), more in zip(default["one"], noise, strict=True)]}
    row = ablation.difference("swarm, functions", default, other)
    assert ablation.verdict({"changes": {"off": {"swarm, functions": row}}}) == expected
