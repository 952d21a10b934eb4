"""A file's section 'screen': every problem has its line, and what is read is what runs."""

from __future__ import annotations

import jsonschema
import numpy as np
import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.lines import read as read_yaml
from invdesign.campaign_file.schema import campaign_schema
from invdesign.screening.pools import MaterialStream, MoleculeStream, SpacePool
from invdesign.surrogates.linear import Ridge

FILE = """campaign: ladder
space:
  molecule: {type: molecule, pool: pool.smi}
targets:
  - {property: level, between: [1.5, 3.5], unit: V}
objective:
  type: table
  data: table.csv
  key: {molecule: smiles}
  values: {level: level}
  units: {level: V}
screen:
  block: 10
  top: 3
  diverse: max-min
  steps:
    - {name: light, keep: molecule.MolWt <= 100}
    - keep: molecule.NumHeteroatoms >= 1
"""
SMILES = ["C" * n for n in range(1, 9)] + ["C" * n + "O" for n in range(1, 9)]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "pool.smi").write_text("\n".join(SMILES))
    rows = {"smiles": SMILES, "level": np.arange(16) / 4}
    pd.DataFrame(rows).to_csv(tmp_path / "table.csv", index=False)
    (tmp_path / "screen.yaml").write_text(FILE)
    return tmp_path


def problems(folder, text):
    (folder / "screen.yaml").write_text(text)
    with pytest.raises(FileError) as caught:
        ind.read_screen(folder / "screen.yaml")
    return [(one.line, one.message) for one in caught.value.problems]


def test_it_reads_and_runs(folder):
    setting = ind.read_screen(folder / "screen.yaml")
    assert isinstance(setting.plan.pool, MoleculeStream)
    assert [step.name for step in setting.plan.steps] == ["light", "molecule.NumHeteroatoms >= 1", "objective"]
    assert (setting.settings.block, setting.settings.top, setting.settings.diverse) == (10, 3, "max-min")
    assert str(setting.output) == "ladder-screen"
    done = setting.run(folder / "out")
    light_alcohols = SMILES[8:13]
    assert pd.read_parquet(done.results)["molecule"].tolist() == light_alcohols
    assert done.hits == sum(1.5 <= SMILES.index(one) / 4 <= 3.5 for one in light_alcohols)


def test_the_examples_are_valid(examples, real_data):
    for name in ("sendek-screen.yaml", "hbe-screen.yaml"):
        setting = ind.read_screen(examples / name)
        jsonschema.validate(read_yaml(examples / name).data, campaign_schema())
        assert setting.plan.steps


WRONG = [
    ("screen:\n", "screen:\n  blocks: 3\n", 13, "Unknown setting 'blocks'. Did you mean 'block'?"),
    ("  block: 10\n", "  block: 0\n", 13, "'block' must be at least 1, not 0."),
    ("diverse: max-min", "diverse: maxmin", 15, "Unknown diverse 'maxmin'. Did you mean 'max-min'?"),
    ("molecule.MolWt <= 100", "molecule.MolWt", 17, "needs a comparison"),
    ("molecule.MolWt <= 100", "molecule.Mass <= 100", 17, "'molecule.Mass', which is not a quantity of 'molecule'"),
    ("molecule.MolWt <= 100", "weight <= 100", 17, "The step 'light' refers to unknown 'weight'."),
    ("name: light,", "name: light, probability: 0.5,", 17, "needs an objective"),
    ("name: light,", "name: light, probability: 2,", 17, "must be below 1"),
    ("data: table.csv", "data: tables.csv", 6, "tables.csv"),
    ("key: {molecule: smiles}", "key: {molecul: smiles}", 6, "Did you mean 'molecule'?"),
    ("pool: pool.smi", "pool: pools.smi", 3, "does not exist"),
    ("property: level", "property: levels", 4, "the property 'levels'. Did you mean 'level'?"),
    ("screen:\n  block: 10", "executor: {type: dusk}\nscreen:\n  block: 10", 12, "Did you mean 'dask'?"),
    ("screen:\n", "workers: 2\nexecutor: {type: processes}\nscreen:\n", 12, "Remove 'workers'"),
    ("unit: V}\nobjective", "unit: mm}\nobjective", 5, "cannot be converted"),
]


@pytest.mark.parametrize(("before", "after", "line", "message"), WRONG)
def test_every_problem_names_its_line(folder, before, after, line, message):
    assert before in FILE
    found = problems(folder, FILE.replace(before, after, 1))
    assert any(message in text for _, text in found), found
    assert abs(next(number for number, text in found if message in text) - line) <= 1, found


@pytest.mark.parametrize(
    ("pool", "content", "message"),
    [
        ("{type: molecule, pool: p.csv, smiles: SMILE}", "SMILES\nCC\n", "no column 'SMILE'. Did you mean 'SMILES'?"),
        ("{type: molecule, pool: p.csv, smiles: name}", "name\nethane\n", "no readable entry among its first 1"),
        ("{type: material-pool, pool: p.csv, id: ID, descriptors: [gap]}", "ID,Gap\nx,1\n", "Did you mean 'Gap'?"),
        ("{type: material-pool, pool: p.csv, id: ID, descriptors: [gap]}", "ID,gap\nx,wide\n", "not a finite number"),
        ("{type: material-pool, pool: p.csv, id: ID}", "ID\nx\n", "needs 'descriptors'"),
    ],
)
def test_a_pool_that_cannot_be_read_is_a_problem_of_its_line(folder, pool, content, message):
    (folder / "p.csv").write_text(content)
    found = problems(folder, FILE.replace("{type: molecule, pool: pool.smi}", pool).replace("molecule: smiles", "x: y"))
    assert any(line == 3 and message in text for line, text in found), found


def test_problems_of_several_sections_are_named_at_once(folder):
    text = (
        FILE.replace("block: 10", "block: 0")
        .replace("molecule.MolWt <= 100", "molecule.MolWt")
        .replace("data: table.csv", "data: tables.csv")
    )
    assert len(problems(folder, text)) == 3


def test_a_model_without_settings_of_its_own_is_that_of_the_file(folder):
    text = FILE.replace("type: table", "type: surrogate") + "surrogate: {type: ridge}\n"
    (folder / "screen.yaml").write_text(text)
    setting = ind.read_screen(folder / "screen.yaml")
    objective = setting.plan.steps[-1].objective
    assert isinstance(objective, ind.SurrogateObjective)
    assert isinstance(objective.surrogate, Ridge)


def test_pools_of_all_kinds(folder):
    (folder / "m.csv").write_text("id,formula,gap\nx,LiF,8\ny,NaCl,6\n")
    spaces = {
        "{m: {type: material-pool, pool: m.csv, id: id, formula: formula, descriptors: [gap]}}": MaterialStream,
        "{x: {type: integer, low: 0, high: 3}}": SpacePool,
        "{m: {type: composition, sites: {A: {elements: [Li, Na], amount: 1, step: 0.5}, "
        "X: {elements: [F, Cl], amount: 1, step: 0.5}}}}": SpacePool,
    }
    for space, kind in spaces.items():
        name = space[1]
        text = (
            f"campaign: a\nspace: {space}\ntargets:\n  - {{property: f, at_least: 1}}\n"
            f"objective: {{type: python, function: f.py:f, units: {{f: ''}}}}\nscreen: {{}}\n"
        )
        (folder / "f.py").write_text(f"def f({name}, **others):\n    return {{'f': 2.0}}\n")
        (folder / "any.yaml").write_text(text)
        setting = ind.read_screen(folder / "any.yaml", allow_code=True)
        assert isinstance(setting.plan.pool, kind)
        done = setting.run(folder / f"out-{len(space)}")
        assert done.hits == done.funnel[0].entered > 1


def test_the_output_is_beside_the_file_and_elsewhere_with_consent_alone(folder, monkeypatch):
    (folder / "screen.yaml").write_text(FILE.replace("  block: 10", "  block: 10\n  output: found"))
    assert ind.read_screen(folder / "screen.yaml").output == folder / "found"
    monkeypatch.setenv("INVDESIGN_TRUST", str(folder / "trust.json"))
    (folder / "screen.yaml").write_text(FILE.replace("  block: 10", "  block: 10\n  output: ../found"))
    with pytest.raises(FileError, match="writes to"):
        ind.read_screen(folder / "screen.yaml")


def test_a_scheduler_elsewhere_needs_consent(folder, monkeypatch):
    monkeypatch.setenv("INVDESIGN_TRUST", str(folder / "trust.json"))
    text = FILE + "executor: {type: dask, address: 'tcp://127.0.0.1:1'}\n"
    (folder / "screen.yaml").write_text(text)
    with pytest.raises(FileError, match=r"sends calls to the Dask scheduler 'tcp://127\.0\.0\.1:1'"):
        ind.read_screen(folder / "screen.yaml")
    assert ind.read_screen(folder / "screen.yaml", allow_code=True).executor is not None


ACTIVE = "surrogate: {type: random-forest, n_estimators: 20}\nscreen:\n  budget: 10\n  initial: 4\n  passes: 2\n"


def test_a_budget_evaluates_few_candidates_and_predicts_the_others(folder):
    (folder / "screen.yaml").write_text(FILE.replace("screen:\n", ACTIVE))
    setting = ind.read_screen(folder / "screen.yaml")
    done = setting.run(folder / "out")
    evaluated = pd.read_csv(folder / "out" / "evaluated.csv")
    assert len(evaluated) == 5  # only so many pass the steps
    assert len(pd.read_parquet(done.results)) == 5


def test_a_budget_that_cannot_be_meant_is_a_problem(folder):
    text = FILE.replace("screen:\n", ACTIVE)
    low = text.replace("budget: 10", "budget: 5")
    assert any("A budget of 5 is too low" in message for _, message in problems(folder, low))
    predicted = text.replace("type: table", "type: surrogate")
    assert any("needs an objective that measures" in message for _, message in problems(folder, predicted))
