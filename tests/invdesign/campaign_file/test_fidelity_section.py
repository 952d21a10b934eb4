from __future__ import annotations

import json
import re

import pytest

from invdesign import read_campaign
from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.schema import campaign_schema
from invdesign.space import Level

FILE = """\
campaign: levelled
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, between: [1, 2], unit: V}
objective:
  type: levels
  levels:
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


def read(folder, text):
    (folder / "mine.py").write_text(FUNCTIONS)
    (folder / "campaign.yaml").write_text(text)
    return read_campaign(folder / "campaign.yaml")


def test_the_space_gets_the_levels(tmp_path):
    setting = read(tmp_path, FILE)
    assert setting.space.level == ("level", Level({"cheap": 1, "dear": 20}))
    assert list(setting.objective.objectives) == ["cheap", "dear"]
    assert setting.objective.properties == {"f": "V"}
    assert (setting.budget.cost, setting.stages) == (300, ())
    campaign = setting.open(tmp_path / "c.db")
    campaign.run(setting.objective, evaluations=8)
    assert set(campaign.frame()["level"]) == {"cheap", "dear"}


def test_the_column_may_have_another_name(tmp_path):
    text = FILE.replace("  type: levels\n", "  type: levels\n  column: theory\n")
    setting = read(tmp_path, text.replace("  x: {", "  level: {"))
    assert setting.space.names == ("level", "theory")
    assert setting.objective.column == "theory"


def test_a_space_may_name_its_levels_where_a_laboratory_answers(tmp_path):
    head, rest = FILE.split("objective:\n", 1)
    levels = "  level: {type: level, costs: {cheap: 1, dear: 20}}\n"
    text = head.replace("targets:", levels + "targets:") + rest[rest.index("budget:") :]
    assert read(tmp_path, text).space.level == ("level", Level({"cheap": 1, "dear": 20}))


BROKEN = {
    "misspelt key": ("cost: 20", "costs: 20", 11, "'costs' is not known here. Did you mean 'cost'"),
    "no cost": ("      cost: 20\n", "", 10, "'levels.1.cost' is missing"),
    "cost of nothing": ("cost: 20", "cost: 0", 11, "greater than 0, not 0"),
    "cheaper than the cheap": ("cost: 20", "cost: 0.5", 8, "costs 0.5, less than the 1 of the level before"),
    "one name twice": ("name: dear", "name: cheap", 10, "Two levels are called 'cheap'"),
    "another unit": ("        units: {f: V}", "        units: {f: mV}", 8, "'cheap' gives f in 'V', and the"),
    "other properties": ("        units: {f: V}", "        units: {f: V, g: V}", 8, "the same properties"),
    "unknown objective": ("        type: python", "        type: pyton", 13, "Did you mean 'python'"),
    "misspelt in a level": ("        function:", "        functoin:", 14, "Did you mean 'function'"),
    "verify": ("  type: levels\n", "  type: levels\n  verify: top 5\n", 8, "'verify' is not known here"),
    "name of a parameter": ("  x: {", "  level: {", 3, "'level' is a parameter, and the name of the column"),
    "a list": ("  type: levels\n  levels:", "  - type: levels\n    levels:", 7, "stands alone"),
    "cost of one": ("cost: 300", "cost: 30", 16, r"at least 2 evaluations at the truest level \(40\)"),
    "negative budget": ("cost: 300", "cost: -3", 16, "greater than 0"),
    "constraint on the level": (
        "targets:\n", "constraints: [level == 'cheap']\ntargets:\n", 4, "speaks of 'level', which is no parameter"
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "line", "words"), BROKEN.values(), ids=BROKEN.keys())
def test_what_is_wrong_is_told_with_its_line(tmp_path, old, new, line, words):
    assert old in FILE
    text = FILE.replace(old, new, 1)
    if "- type: levels" in new:
        head, tail = text.split("    levels:\n")
        body, budget = tail.split("budget:")
        text = head + "    levels:\n" + "".join(f"  {row}\n" for row in body.splitlines()) + "budget:" + budget
    with pytest.raises(FileError, match=re.compile(words)) as caught:
        read(tmp_path, text)
    assert line in [problem.line for problem in caught.value.problems]


def test_one_level_is_none(tmp_path):
    head, tail = FILE.split("    - name: dear\n")
    with pytest.raises(FileError, match="at least 2 items"):
        read(tmp_path, head + "budget:" + tail.split("budget:")[1])


def test_a_cost_needs_levels(tmp_path):
    head, tail = FILE.split("objective:\n", 1)
    with pytest.raises(FileError, match="Evaluations cost alike here") as caught:
        read(tmp_path, head + "budget:" + tail.split("budget:")[1])
    assert caught.value.problems[0].line == 6


def test_the_schema_knows_levels():
    schema = campaign_schema()
    assert schema["$defs"]["objective-levels"]["properties"]["levels"]["items"] == {"$ref": "#/$defs/LevelSettings"}
    assert schema["$defs"]["LevelSettings"]["properties"]["objective"]["oneOf"]
    assert "cost" in schema["$defs"]["budget"]["properties"]
    json.dumps(schema)
