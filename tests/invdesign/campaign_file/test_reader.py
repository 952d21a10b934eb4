from __future__ import annotations

import json
import math
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from invdesign import read_campaign, read_targets
from invdesign.campaign_file.header import VERSION
from invdesign.campaign_file.lines import FileError, read
from invdesign.campaign_file.schema import campaign_schema
from invdesign.campaign_file.target_sets import read_target_sets
from invdesign.core.errors import InputError
from invdesign.optimizers import RandomOptimizer
from invdesign.space import Continuous, Integer, SearchSpace, describe_size
from invdesign.surrogates.features.elements import element_symbols
from invdesign.targets import AtLeast, Between, Equals

GOOD = """\
campaign: small
seed: 4
space:
  x: {type: continuous, low: 0, high: 1}
  thickness:
    type: continuous
    low: 40
    high: 120
    unit: um
  solvent: {type: categorical, values: [water, DMSO]}
constraints:
  - x * thickness <= 100
targets:
  - {property: voltage, between: [1.4, 1.7], unit: V}
  - property: cost
    minimize: true
objective:
  type: python
  function: mine.py:value
  units: {voltage: mV, cost: ''}
surrogate: {type: gaussian-process}
optimizer: {type: bayesian}
budget: {initial: 5, evaluations: 20, batch: 2}
"""
FUNCTION = "def value(x, thickness, solvent):\n    return {'voltage': 1500 * x, 'cost': thickness}\n"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "mine.py").write_text(FUNCTION)
    return tmp_path


def written(folder, text):
    path = folder / "campaign.yaml"
    path.write_text(text)
    return path


def test_a_good_file_becomes_the_objects_that_it_names(folder):
    setting = read_campaign(written(folder, GOOD))
    assert setting.header.campaign == "small"
    assert setting.header.seed == 4
    assert setting.space.names == ("x", "thickness", "solvent")
    assert setting.targets.items[0] == Between("voltage", 1.4, 1.7, unit="V")
    assert setting.targets.in_units(setting.objective.properties).items[0].interval == (1400, 1700)
    assert setting.optimizer.surrogate == setting.surrogate
    assert (setting.budget.initial, setting.budget.evaluations, setting.budget.batch) == (5, 20, 2)


def test_a_reference_belongs_to_what_is_optimized_in_its_unit(folder):
    text = GOOD.replace("minimize: true", "minimize: true\n    reference: 3")
    (target,) = read_campaign(written(folder, text)).targets.optimized
    assert (target.reference, target.direction) == (3.0, -1)


def test_defaults_and_a_word_that_swaps_the_optimizer(folder):
    text = GOOD.replace("type: bayesian", "type: random").replace("seed: 4\n", "")
    setting = read_campaign(written(folder, text))
    assert setting.optimizer == RandomOptimizer()
    assert setting.header.seed == 0
    assert setting.header.workers == 1


def test_targets_from_a_file_of_their_own(folder):
    head, rest = GOOD.split("targets:\n")
    items, tail = rest.split("objective:\n")
    (folder / "wishes.yaml").write_text("targets:\n" + items)
    setting = read_campaign(written(folder, head + "targets: wishes.yaml\nobjective:\n" + tail))
    assert setting.targets == read_targets(folder / "wishes.yaml")
    (folder / "wishes.yaml").write_text(items.replace("  - ", "- ").replace("    minimize", "  minimize"))
    assert setting.targets == read_targets(folder / "wishes.yaml")
    (folder / "wishes.yaml").write_text("targets:\n  - {property: voltage, betwen: [1, 2]}\n")
    with pytest.raises(FileError, match=r"campaign.yaml:13: .*wishes.yaml:2: Unknown setting 'betwen'"):
        read_campaign(folder / "campaign.yaml")


BROKEN = {
    "misspelled section": ("optimizer:", "optimiser:", 22, "Did you mean 'optimizer'"),
    "misspelled setting": ("low: 0,", "lo: 0,", 4, "Unknown setting 'lo'. Did you mean 'low'"),
    "missing setting": ("low: 0, ", "", 4, "The setting 'low' is missing"),
    "unknown parameter type": ("{type: continuous, low: 0", "{type: continous, low: 0", 4, "Did you mean 'continuous'"),
    "parameter without type": ("{type: continuous, low: 0", "{low: 0", 4, "must be a mapping with a type"),
    "text for a number": ("low: 40", "low: forty", 7, "'low' must be a number, not 'forty'"),
    "bounds in the wrong order": ("high: 120", "high: 12", 5, "below the upper one"),
    "unknown unit": ("unit: um", "unit: umm", 9, "'umm' is not a known unit"),
    "one category": ("[water, DMSO]", "[water]", 10, "'values' needs 2 entries or more"),
    "category twice": ("[water, DMSO]", "[water, water]", 10, "more than once"),
    "numbers as categories": ("[water, DMSO]", "[1, 2]", 10, "'values.0' must be text, not 1"),
    "name that is not a name": ("  x: {", "  2x: {", 4, "cannot be a parameter's name"),
    "constraint on nothing": ("x * thickness", "x * thicknes", 12, "Did you mean 'thickness'"),
    "constraint that is code": ("x * thickness", "open('f').read()", 12, "not allowed"),
    "constraint without comparison": ("x * thickness <= 100", "x * thickness", 12, "needs a comparison"),
    "constraint that empties the space": ("<= 100", ">= 1000", 12, "No candidate meets"),
    "constraint on a word": ("x * thickness <= 100", "solvent == 'watr'", 12, "Did you mean 'water'"),
    "constraints as text": ("\n  - x * thickness <= 100", " x <= 1", 11, "a list of expressions"),
    "target without bounds": ("between: [1.4, 1.7], ", "", 14, "exactly one of"),
    "target of two kinds": ("minimize: true", "minimize: true\n    at_most: 3", 15, "found at_most and minimize"),
    "misspelled kind of target": ("between:", "betwen:", 14, "Did you mean 'between'"),
    "window in the wrong order": ("[1.4, 1.7]", "[1.7, 1.4]", 14, "lower value first"),
    "window with one end": ("[1.4, 1.7]", "[1.4]", 14, "between"),
    "misspelled property": ("property: voltage", "property: volatge", 14, "Did you mean 'voltage'"),
    "target in another quantity": ("unit: V}", "unit: kg}", 14, "cannot be converted"),
    "negative tolerance": ("between: [1.4, 1.7]", "close_to: 1.5, tolerance: -1", 14, "tolerance must be positive"),
    "close without tolerance": ("between: [1.4, 1.7]", "close_to: 1.5", 14, "close_to needs tolerance"),
    "reference of a bound": ("between: [1.4, 1.7]", "at_least: 1, reference: 1", 14, "maximize or minimize. Remove"),
    "reference that is text": ("minimize: true", "minimize: true\n    reference: x", 17, "must be a number, not 'x'"),
    "no targets": (GOOD[GOOD.index("targets:") : GOOD.index("objective:")], "targets: []\n", 13, "must be a list"),
    "unknown objective type": ("type: python", "type: pyton", 18, "Did you mean 'python'"),
    "function that is not there": ("mine.py:value", "mine.py:valeu", 17, "Did you mean 'value'"),
    "file that is not there": ("mine.py:value", "yours.py:value", 17, "does not exist"),
    "unknown kernel": ("{type: gaussian-process}", "{type: gaussian-process, kernel: linear}", 21, "kernel"),
    "unknown surrogate": ("type: gaussian-process", "type: gausian-process", 21, "Did you mean 'gaussian-process'"),
    "unknown optimizer": ("type: bayesian", "type: bayesain", 22, "Did you mean 'bayesian'"),
    "separation too large": ("{type: bayesian}", "{type: bayesian, separation: 3}", 22, "separation"),
    "negative budget": ("evaluations: 20", "evaluations: -20", 23, "evaluations"),
    "in flight in one process": ("initial: 5", "in_flight: 4, initial: 5", 23, "Set workers, or an executor"),
    "batch and in flight": ("batch: ", "in_flight: 4, batch: ", 23, "exclude each other"),
    "more initial than all": ("initial: 5", "initial: 50", 23, "initial .50. exceeds"),
    "campaign name with a slash": ("campaign: small", "campaign: ../small", 1, "campaign"),
    "seed that is not a number": ("seed: 4", "seed: four", 2, "'seed' must be a whole number, not 'four'"),
    "missing section": ("campaign: small\n", "", 1, "The section 'campaign' is missing"),
    "key twice": ("seed: 4", "seed: 4\nseed: 5", 3, "not valid YAML"),
    "tab": ("  x: {", "\tx: {", 4, "not valid YAML"),
    "unclosed bracket": ("[1.4, 1.7]", "[1.4, 1.7", 14, "not valid YAML"),
    "python object": ("campaign: small", "campaign: !!python/object/apply:os.system ['ls']", 1, "campaign"),
    "verify without number": ("type: python", "type: python\n  verify: best", 19, "top 10"),
    "only verifying": ("type: python", "type: python\n  verify: top 3", 17, "is a verifying stage"),
}  # fmt: skip


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_names_the_line(folder, case):
    old, new, line, words = BROKEN[case]
    assert old in GOOD
    with pytest.raises(FileError) as caught:
        read_campaign(written(folder, GOOD.replace(old, new, 1)))
    found = [(problem.line, problem.message) for problem in caught.value.problems]
    matching = [where for where, message in found if re.search(words, message)]
    assert matching, found
    # ruamel marks an error of syntax where it notices it, which may be a line on.
    assert line in matching or ("not valid YAML" in words and line + 1 in matching), found


def test_every_error_is_named_at_once(folder):
    text = GOOD
    for case in (
        "misspelled setting",
        "misspelled kind of target",
        "unknown objective type",
        "unknown optimizer",
        "negative budget",
    ):
        old, new, _, _ = BROKEN[case]
        text = text.replace(old, new, 1)
    with pytest.raises(FileError) as caught:
        read_campaign(written(folder, text))
    assert {4, 14, 18, 22, 23} <= {problem.line for problem in caught.value.problems}
    lines = str(caught.value).splitlines()
    assert all(re.match(r".*campaign\.yaml:\d+: ", line) for line in lines)


@pytest.mark.parametrize("content", ["", "- a\n- b\n", "just words", "&a [*a]", "null", "a: &b {c: *b}"])
def test_files_that_are_no_campaign(folder, content):
    with pytest.raises(FileError):
        read_campaign(written(folder, content))


def test_files_that_cannot_be_read(folder):
    with pytest.raises(FileError, match="cannot be read"):
        read_campaign(folder / "none.yaml")
    (folder / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(FileError, match="not UTF-8"):
        read_campaign(folder / "binary.yaml")


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "file.yaml"
    path.write_text(text, encoding="utf-8", errors="surrogatepass" if "\ud800" in text else "strict")
    found = str(path)
    try:
        read(path)
    except InputError as error:
        found = str(error)
    assert str(path) in found


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-5, 5) | st.text("abc: -", max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(
            st.sampled_from(["a", "b", "type", "space", "targets", "objective", "property"]), inner, max_size=4
        ),
        max_leaves=12,
    )
)  # fmt: skip
def test_any_structure_is_refused_without_a_traceback(tmp_path_factory, structure):
    path = tmp_path_factory.mktemp("any") / "file.yaml"
    path.write_text(json.dumps({"campaign": "c", "space": structure, "targets": structure, "objective": structure}))
    with pytest.raises(InputError):
        read_campaign(path)


def test_numbers_and_words_as_yaml_1_2_reads_them(folder):
    document = read(written(folder, "a: 1e-3\nb: NO\nc: true\nd: 007\ne: ~\nf: 'text'\n"))
    assert document.data == {"a": 0.001, "b": "NO", "c": True, "d": 7, "e": None, "f": "text"}
    assert document.line(("f",)) == 6


def test_the_schema_accepts_what_the_reader_accepts():
    jsonschema = pytest.importorskip("jsonschema")
    from ruamel.yaml import YAML

    schema = campaign_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)
    assert list(validator.iter_errors(YAML(typ="safe", pure=True).load(GOOD))) == []
    for case in (
        "misspelled setting",
        "misspelled section",
        "unknown optimizer",
        "negative budget",
        "text for a number",
    ):
        old, new, _, _ = BROKEN[case]
        assert list(validator.iter_errors(YAML(typ="safe", pure=True).load(GOOD.replace(old, new, 1)))), case


def test_the_examples_are_valid(examples, real_data):
    for path in sorted(examples.glob("*.yaml")):
        if not path.stem.endswith("-screen"):  # those are read in test_screen_section.py
            assert read_campaign(path).budget.evaluations > 0


VERSIONS = sorted((Path(__file__).parent / "versions").glob("version-*.yaml"))


def test_there_is_a_file_of_every_version():
    assert [path.stem for path in VERSIONS] == [f"version-{number}" for number in range(1, VERSION + 1)]


@pytest.mark.parametrize("path", VERSIONS, ids=lambda path: path.stem)
def test_a_file_of_any_version_is_read_and_runs(path, tmp_path):
    setting = read_campaign(path)
    campaign = setting.open(tmp_path / "store.db")
    campaign.run(setting.objective, evaluations=setting.budget.evaluations, batch=setting.budget.batch)
    assert campaign.status().hits > 0


def test_a_file_of_a_later_version_is_refused_in_words(folder):
    with pytest.raises(FileError, match=r"campaign.yaml:1: This file has version 9; .* up to 1\. Upgrade invdesign"):
        read_campaign(written(folder, GOOD.replace("campaign: small", "version: 9\ncampaign: small").lstrip()))


ELEMENTS = "[" + ", ".join(element_symbols()[:90]) + "]"
RANGES = (
    "{" + ", ".join(f"{symbol}: [0, {place / 100}]" for place, symbol in enumerate(element_symbols()[:90], 1)) + "}"
)
HUGE = {
    "ranges": (f"sites: {{A: {{elements: {ELEMENTS}, amount: 1, range: {RANGES}}}}}", "different ranges are too many"),
    "sites": (f"sites: {{{', '.join(f'S{n}: {{elements: [Li, Na], amount: 1}}' for n in range(21))}}}", "at most 20"),
    "pairs": (
        f"sites: {{A: {{elements: [Li, Na], amount: 1}}}}, exclude: {[['Li', 'Na']] * 301}",
        "at most 300 entries",
    ),
    "tiny step": ("sites: {A: {elements: [Li, Na], amount: 1, step: 1.0e-12}}", "more than 6 decimals"),
    "fine step": (f"sites: {{A: {{elements: {ELEMENTS}, amount: 1, step: 0.000001}}}}", "too fine to enumerate"),
    "misspelled key of a site": ("sites: {A: {elementss: [Li, Na], amount: 1}}", "Did you mean 'elements'"),
}


@pytest.mark.parametrize("case", HUGE)
def test_combinatorics_are_refused_with_their_line(folder, case):
    settings, words = HUGE[case]
    text = f"campaign: c\nspace:\n  m: {{type: composition, {settings}}}\ntargets: [{{property: f, at_least: 1}}]\n"
    with pytest.raises(FileError, match=words) as caught:
        read_campaign(written(folder, text))
    assert {problem.line for problem in caught.value.problems} == {3}


def test_too_many_constraints_are_refused(folder):
    many = GOOD.replace("  - x * thickness <= 100\n", "  - x <= 0.9\n" * 101)
    with pytest.raises(FileError, match=r"campaign.yaml:11: A space takes at most 100 constraints, not 101"):
        read_campaign(written(folder, many))


def test_more_candidates_than_a_float_can_count_are_described():
    space = SearchSpace({f"x{n}": Integer(-(2**60), 2**60) for n in range(30)})
    assert describe_size(space) == "The space has about 1.8e+308 candidates (estimate)."
    assert SearchSpace({**space.parameters, "y": Continuous(0, 1)}).size == math.inf


NUMBER = "space: {x: {type: continuous, low: 0, high: 1}}"
NAMING = {
    "pool": 'space: {m: {type: molecule, pool: "NAME"}}',
    "seeds": 'space: {m: {type: molecule-graph, seeds: "NAME"}}',
    "function": NUMBER + '\nobjective: {type: python, function: "NAME:f", units: {f: ""}}',
    "table": NUMBER + '\nobjective: {type: table, data: "NAME", key: {x: x}, values: {f: f}}',
    "model": NUMBER + '\nobjective: {type: surrogate, data: "NAME", key: {x: x}, values: {f: f}}',
}


@pytest.mark.parametrize("name", ["A" * 5000, "a\\0b", "C" * 300])
@pytest.mark.parametrize("what", NAMING)
def test_a_name_that_no_file_can_have_is_a_message(folder, name, what):
    section = NAMING[what].replace("NAME", name)
    with pytest.raises(FileError):
        read_campaign(written(folder, f"campaign: c\ntargets: [{{property: f, at_least: 1}}]\n{section}\n"))


def test_a_target_of_a_file_may_ask_for_a_probability(tmp_path):
    place = tmp_path / "targets.yaml"
    place.write_text("- {property: f, at_least: 1, unit: V, with: 0.9}\n")
    (target,) = read_targets(place)
    assert target == AtLeast("f", 1.0, unit="V", min_probability=0.9)
    place.write_text("- property: f\n  at_least: 1\n  with: 1.5\n- {property: g, at_most: 1}\n")
    with pytest.raises(FileError, match=r"'min_probability' must be below 1, not 1.5") as caught:
        read_targets(place)
    assert [problem.line for problem in caught.value.problems] == [1]


def test_a_target_of_a_file_may_list_its_classes(tmp_path):
    place = tmp_path / "targets.yaml"
    place.write_text("- {property: phase, equals: layered, classes: [layered, spinel]}\n")
    (target,) = read_targets(place)
    assert target == Equals("phase", "layered", classes=("layered", "spinel"))
    place.write_text(
        "- {property: phase, equals: layerd, classes: [layered, spinel]}\n"
        "- {property: g, at_most: 1, classes: [a, b]}\n"
    )
    with pytest.raises(FileError) as caught:
        read_targets(place)
    assert "'layerd' is not one of the classes layered, spinel." in caught.value.problems[0].message
    assert "classes needs equals" in caught.value.problems[1].message


SETS = """\
campaign: sets
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  lean:
    - {property: f, at_most: 1, unit: V}
  rich:
    - {property: f, at_least: 2000, unit: mV}
    - {property: g, maximize: true}
"""


def test_a_file_may_have_several_sets_of_targets(tmp_path):
    place = written(tmp_path, SETS)
    setting = read_campaign(place)
    assert list(setting.target_sets) == ["lean", "rich"]
    assert setting.targets == setting.target_sets["lean"]
    assert setting.remarks == ["Targets of the set 'lean'; choose another with --targets-set: 'rich'."]
    rich = read_campaign(place, targets_set="rich")
    assert rich.targets == rich.target_sets["rich"]
    with pytest.raises(FileError, match=r"Unknown set of targets 'reich'\. .*'rich'"):
        read_campaign(place, targets_set="reich")
    (tmp_path / "apart.yaml").write_text(SETS[SETS.index("  lean") :])
    assert read_targets(tmp_path / "apart.yaml", "rich") == rich.targets
    other = written(tmp_path, SETS[: SETS.index("  lean")].replace("targets:", "targets: apart.yaml"))
    assert read_campaign(other, targets_set="rich").targets == rich.targets
    (tmp_path / "one.yaml").write_text("- {property: f, at_least: 1}\n")
    with pytest.raises(InputError, match="single list"):
        read_targets(tmp_path / "one.yaml", "rich")


@pytest.mark.parametrize(
    ("wish", "line"), [("at_most: 1999, unit: mV", 7), ("at_most: 1.9, unit: V", 7), ("equals: 3, unit: mV", 7)]
)
def test_targets_that_exclude_each_other_are_refused(tmp_path, wish, line):
    text = SETS.replace("    - {property: g, maximize: true}", f"    - {{property: f, {wish}}}")
    with pytest.raises(FileError, match="exclude each other: f at least 2") as caught:
        read_campaign(written(tmp_path, text))
    assert [problem.line for problem in caught.value.problems] == [line]


@pytest.mark.parametrize(
    ("name", "campaign"), [("nmc", "cell-and-cathode"), ("mxene", "mxene-inverse"), ("redox", "redox-solvents")]
)
def test_the_target_files_fit_their_campaigns(examples, name, campaign):
    sets = read_target_sets(examples / "targets" / f"{name}.yaml")
    objective = read_campaign(examples / f"{campaign}.yaml").objective
    assert {key: len(targets) for key, targets in sets.items()} == {"three": 3, "four": 4}
    for targets in sets.values():
        assert len(targets.in_units(objective.properties)) == len(targets)
