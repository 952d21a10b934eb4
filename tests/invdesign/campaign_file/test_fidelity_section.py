from __future__ import annotations

import json
import re

import pytest

from invdesign import read_campaign
from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.schema import campaign_schema
from invdesign.space import Fidelity

FILE = """\
campaign: two-fidelities
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, between: [1, 2], unit: V}
objective:
  type: multi-fidelity
  fidelities:
    - {name: cheap, cost: 1, objective: {type: python, function: mine.py:cheap, units: {f: V}}}
    - name: dear
      cost: 20
      objective:
        type: python
        function: mine.py:dear
        units: {f: V}
budget: {initial: 5, evaluations: 90, cost: 300}
"""
FUNCTIONS = "def cheap(x):\n    return {'f': x}\n\ndef dear(x):\n    return {'f': x + 1}\n"


def read(folder, text, functions=FUNCTIONS):
    (folder / "mine.py").write_text(functions)
    (folder / "campaign.yaml").write_text(text)
    return read_campaign(folder / "campaign.yaml")


def test_the_space_gets_the_fidelities(tmp_path):
    setting = read(tmp_path, FILE)
    assert setting.space.fidelity == ("fidelity", Fidelity({"cheap": 1, "dear": 20}))
    assert list(setting.objective.objectives) == ["cheap", "dear"]
    assert setting.objective.properties == {"f": "V"}
    assert (setting.budget.cost, setting.stages) == (300, ())
    campaign = setting.open(tmp_path / "c.db")
    campaign.run(setting.objective, evaluations=8)
    assert set(campaign.frame()["fidelity"]) == {"cheap", "dear"}


def test_the_column_may_have_another_name(tmp_path):
    text = FILE.replace("  type: multi-fidelity\n", "  type: multi-fidelity\n  column: theory\n")
    setting = read(tmp_path, text.replace("  x: {", "  fidelity: {"), FUNCTIONS.replace("x", "fidelity"))
    assert setting.space.names == ("fidelity", "theory")
    assert setting.objective.column == "theory"


def test_a_space_may_name_its_fidelities_where_a_laboratory_answers(tmp_path):
    head, rest = FILE.split("objective:\n", 1)
    fidelities = "  fidelity: {type: fidelity, costs: {cheap: 1, dear: 20}}\n"
    text = head.replace("targets:", fidelities + "targets:") + rest[rest.index("budget:") :]
    assert read(tmp_path, text).space.fidelity == ("fidelity", Fidelity({"cheap": 1, "dear": 20}))


BROKEN = {
    "misspelled key": ("cost: 20", "costs: 20", 11, "Unknown setting 'costs'. Did you mean 'cost'"),
    "no cost": ("      cost: 20\n", "", 10, "'fidelities.1.cost' is missing"),
    "cost of nothing": ("cost: 20", "cost: 0", 11, "must be above 0, not 0"),
    "cheaper than the cheap": ("cost: 20", "cost: 0.5", 8, "costs 0.5, less than the 1 of the one before"),
    "one name twice": ("name: dear", "name: cheap", 10, "Two fidelities have the name 'cheap'"),
    "another unit": ("        units: {f: V}", "        units: {f: mV}", 8, "'cheap' gives f in 'V', and the"),
    "other properties": ("        units: {f: V}", "        units: {f: V, g: V}", 8, "the same properties"),
    "unknown objective": ("        type: python", "        type: pyton", 13, "Did you mean 'python'"),
    "misspelled in a fidelity": ("        function:", "        functoin:", 14, "Did you mean 'function'"),
    "verify": ("  type: multi-fidelity\n", "  type: multi-fidelity\n  verify: top 5\n", 8, "Unknown setting 'verify'"),
    "name of a parameter": ("  x: {", "  fidelity: {", 3, "'fidelity' is both a parameter and the name of the fid"),
    "a list": ("  type: multi-fidelity\n  fidelities:", "  - type: multi-fidelity\n    fidelities:", 7,
        "multi-fidelity objective cannot be combined with others"),
    "cost of one": ("cost: 300", "cost: 30", 16, r"at least 2 evaluations at the target fidelity \(40\)"),
    "negative budget": ("cost: 300", "cost: -3", 16, "must be above 0"),
    "constraint on the fidelity": (
        "targets:\n", "constraints: [fidelity == 'cheap']\ntargets:\n", 4, "refers to unknown parameter 'fidelity'"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_reported_with_its_line(tmp_path, old, new, line, words):
    assert old in FILE
    text = FILE.replace(old, new, 1)
    if "- type: multi-fidelity" in new:
        head, tail = text.split("    fidelities:\n")
        body, budget = tail.split("budget:")
        text = head + "    fidelities:\n" + "".join(f"  {row}\n" for row in body.splitlines()) + "budget:" + budget
    with pytest.raises(FileError, match=re.compile(words)) as caught:
        read(tmp_path, text)
    assert line in [problem.line for problem in caught.value.problems]


def test_one_fidelity_is_none(tmp_path):
    head, tail = FILE.split("    - name: dear\n")
    with pytest.raises(FileError, match="needs 2 entries or more, not 1"):
        read(tmp_path, head + "budget:" + tail.split("budget:")[1])


def test_a_cost_needs_fidelities(tmp_path):
    head, tail = FILE.split("objective:\n", 1)
    with pytest.raises(FileError, match="cost needs an objective with several fidelities") as caught:
        read(tmp_path, head + "budget:" + tail.split("budget:")[1])
    assert caught.value.problems[0].line == 6


def test_the_schema_knows_fidelities():
    schema = campaign_schema()
    assert schema["$defs"]["objective-multi-fidelity"]["properties"]["fidelities"]["items"] == {
        "$ref": "#/$defs/FidelitySettings"
    }
    assert schema["$defs"]["FidelitySettings"]["properties"]["objective"]["oneOf"]
    assert "cost" in schema["$defs"]["budget"]["properties"]
    json.dumps(schema)
