from __future__ import annotations

import re

import pytest

from invdesign import read_campaign
from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.schema import campaign_schema

FILE = """\
campaign: staged
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, between: [1, 2], unit: V}
objective:
  - {type: python, function: mine.py:cheap, units: {f: V, g: ''}}
  - type: python
    function: mine.py:dear
    units: {f: V}
    name: dear
    verify: {top: 4, rounds: 3}
  - type: python
    function: mine.py:dear
    units: {f: V}
    name: dearest
    verify: top 2
budget: {initial: 5, evaluations: 20}
"""
FUNCTIONS = "def cheap(x):\n    return {'f': x, 'g': 1}\n\ndef dear(x):\n    return {'f': x + 1}\n"


def read(folder, text):
    (folder / "mine.py").write_text(FUNCTIONS)
    (folder / "campaign.yaml").write_text(text)
    return read_campaign(folder / "campaign.yaml")


def test_stages_are_read_in_both_spellings(tmp_path):
    setting = read(tmp_path, FILE)
    assert [(stage.name, stage.top, stage.rounds) for stage in setting.stages] == [("dear", 4, 3), ("dearest", 2, 1)]
    assert setting.correcting is setting.stages[0]
    assert setting.objective.properties == {"f": "V", "g": ""}


def test_one_round_corrects_nothing(tmp_path):
    for spelling in ("top 4", "{top: 4}", "{top: 4, rounds: 1}"):
        setting = read(tmp_path, FILE.replace("{top: 4, rounds: 3}", spelling))
        assert setting.correcting is None
        assert setting.stages[0].top == 4


def test_a_stage_without_a_name_is_called_by_its_type(tmp_path):
    text = FILE.replace("    name: dear\n", "").replace("    name: dearest\n", "")
    assert [stage.name for stage in read(tmp_path, text).stages] == ["python 1", "python 2"]


BROKEN = {
    "text without number": ("{top: 4, rounds: 3}", "best", 12, r"'top 10', or {top: 10, rounds: 3}.*not 'best'"),
    "list": ("{top: 4, rounds: 3}", "[4, 3]", 12, "verify must be the number"),
    "misspelled setting": ("rounds: 3", "round: 3", 12, "Unknown setting 'round'. Did you mean 'rounds'"),
    "no top": ("{top: 4, rounds: 3}", "{rounds: 3}", 12, "The setting 'top' is missing"),
    "top of nothing": ("top: 4", "top: 0", 12, "'top' must be at least 1, not 0"),
    "half a round": ("rounds: 3", "rounds: 2.5", 12, "'rounds' must be a whole number, not 2.5"),
    "no round": ("rounds: 3", "rounds: 0", 12, "'rounds' must be at least 1, not 0"),
    "more rounds than evaluations": ("rounds: 3", "rounds: 16", 12, "16 rounds need at least .* not 15"),
    "two stages that correct": ("verify: top 2", "verify: {top: 2, rounds: 2}", 17, "'dear' already corrects the"),
    "two stages of one name": ("name: dearest", "name: dear", 16, "Two stages have the name 'dear'"),
    "another unit": ("{f: V}\n    name: dear\n", "{f: mV}\n    name: dear\n", 8, "'f' is in 'mV' here and in 'V'"),
    "another property": ("{f: V}\n    name: dear\n", "{h: V}\n    name: dear\n", 8, "nothing: it gives 'h'"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_stage_names_the_line(tmp_path, case):
    old, new, line, words = BROKEN[case]
    assert old in FILE
    with pytest.raises(FileError) as caught:
        read(tmp_path, FILE.replace(old, new, 1))
    reported = [(problem.line, problem.message) for problem in caught.value.problems]
    assert any(where == line and re.search(words, message) for where, message in reported), reported


def test_the_schema_knows_how_a_stage_verifies():
    jsonschema = pytest.importorskip("jsonschema")
    from ruamel.yaml import YAML

    schema = campaign_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def wrong(text):
        return list(validator.iter_errors(YAML(typ="safe", pure=True).load(text)))

    assert not wrong(FILE)
    for case in ("text without number", "misspelled setting", "no top", "top of nothing", "no round"):
        old, new, _, _ = BROKEN[case]
        assert wrong(FILE.replace(old, new, 1)), case


CHAINED = """\
campaign: chained
space:
  pressing: {type: continuous, low: 50, high: 250, unit: MPa}
targets:
  - {property: resistance, minimize: true}
objective:
  - &cell
    type: cell
    inputs: {porosity: Positive electrode porosity}
    wanted: [resistance]
    model: SPM
    pulse_seconds: 1
  - {type: surrogate, data: pressed.csv, key: {pressing: pressing}, values: {porosity: porosity}}
  - <<: *cell
    verify: top 1
    name: longer
    pulse_seconds: 10
budget: {initial: 3, evaluations: 3}
"""


def chained(folder, text):
    rows = "".join(f"{pressing},{0.5 - 0.001 * pressing}\n" for pressing in range(40, 270, 20))
    (folder / "pressed.csv").write_text("pressing,porosity\n" + rows)
    (folder / "chained.yaml").write_text(text)
    return read_campaign(folder / "chained.yaml", store=str(folder / "chained.db"))


def test_one_objective_of_a_file_reads_a_property_of_another(tmp_path):
    setting = chained(tmp_path, CHAINED)
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=3)
    found = campaign.frame()
    assert found["resistance"].notna().all()
    assert found["porosity"].to_numpy() == pytest.approx(0.5 - 0.001 * found["pressing"].to_numpy(), abs=0.01)
    (stage,) = setting.stages
    verified = campaign.verify(stage.objective, top=1, stage=stage.name)
    assert verified["resistance"].iloc[0] > found["resistance"].min()
    assert verified["porosity"].iloc[0] == pytest.approx(found["porosity"].loc[verified.index[0]])


def test_a_stage_replaces_the_objectives_that_give_its_properties(tmp_path):
    targets = "  - {property: porosity, at_most: 0.4}\n"
    text = CHAINED.replace("minimize: true}\n", "minimize: true}\n" + targets, 1)
    other = "  - {type: surrogate, data: pressed.csv, key: {pressing: pressing}, values: {resistance: porosity}, "
    other += "units: {resistance: ohm*cm^2}, verify: top 1, name: other}\n"
    setting = chained(tmp_path, text[: text.index("  - <<: *cell")] + other + text[text.index("budget") :])
    (stage,) = setting.stages
    assert set(stage.objective.properties) == {"resistance", "porosity", "distance"}
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=3)
    verified = campaign.verify(stage.objective, top=1, stage=stage.name)
    assert verified["porosity"].iloc[0] == pytest.approx(campaign.frame()["porosity"].loc[verified.index[0]])


def test_a_stage_keeps_the_distance_to_the_data_of_the_model_that_it_verifies(tmp_path):
    (tmp_path / "mine.py").write_text("def measured(pressing):\n    return {'porosity': 0.5 - 0.001 * pressing}\n")
    head = CHAINED[: CHAINED.index("targets")] + "targets:\n  - {property: porosity, at_most: 0.4}\n"
    model = "  - {type: surrogate, data: pressed.csv, key: {pressing: pressing}, values: {porosity: porosity}}\n"
    stage = "  - {type: python, function: mine.py:measured, units: {porosity: ''}, verify: top 2, name: measured}\n"
    tail = "budget: {initial: 3, evaluations: 6}\n"
    bound = "  - {property: distance, at_most: 1}\n"
    setting = chained(tmp_path, head + bound + "objective:\n" + model + stage + tail)
    campaign = setting.open()
    campaign.run(setting.objective, evaluations=6)
    (one,) = setting.stages
    verified = campaign.verify(one.objective, top=2, stage=one.name)
    assert verified["all_met"].all()
    assert verified["distance"].tolist() == campaign.frame()["distance"].loc[verified.index].tolist()


@pytest.mark.parametrize(
    ("old", "new", "line", "message"),
    [
        ("inputs: {porosity:", "inputs: {porosty:", 7, "'porosty' is not a parameter.*Did you mean 'porosity'"),
        (
            "values: {porosity: porosity}}",
            "values: {porosity: porosity}, units: {porosity: V}}",
            7,
            "The unit of 'porosity'",
        ),
        ("key: {pressing: pressing}", "key: {resistance: pressing}", 6, "in a circle"),
    ],
)
def test_a_broken_chain_is_an_error_with_its_line(tmp_path, old, new, line, message):
    with pytest.raises(FileError) as caught:
        chained(tmp_path, CHAINED.replace(old, new))
    assert (line, True) in [(one.line, re.search(message, one.message) is not None) for one in caught.value.problems]
