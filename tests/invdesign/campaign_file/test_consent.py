"""A campaign file from a stranger runs nothing and stays in its folder, unless the user consents."""

from __future__ import annotations

import json
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

from invdesign import read_campaign
from invdesign.campaign_file.consent import ConsentError
from invdesign.campaign_file.lines import FileError
from invdesign.core.trust import VARIABLE, TrustRecord

HEAD = """\
campaign: strange
space:
  x: {type: continuous, low: 0, high: 1}
targets: [{property: f, at_least: 0.5}]
"""
FORMULA = """\
campaign: strange
space:
  m: {type: composition, sites: {A: {elements: [Li, Na], amount: 1, pick: 1}, O: {elements: [O], amount: 2}}}
targets: [{property: voltage, at_least: 0.5, unit: V}]
"""
TABLE = "objective: {{type: table, data: {data}, key: {{x: x}}, values: {{f: f}}}}\n"
CODE = {
    "function in a file": (HEAD + "objective: {type: python, function: mine.py:f, units: {f: ''}}", "mine.py:f", 5),
    "function in a module": (HEAD + "objective: {type: python, function: os:system, units: {f: ''}}", "os:system", 5),
    "program": (HEAD + "objective: {type: command, command: touch run, units: {f: ''}}", "program 'touch run'", 5),
    "program as a list": (HEAD + "objective: {type: command, command: [touch, run], units: {f: ''}}", "touch", 5),
    "shell": (HEAD + "objective: {type: command, command: 'a; b', shell: true, units: {f: ''}}", "program 'a; b'", 5),
    "calculator": (
        FORMULA + "objective:\n  type: electrode\n  prototype: layered\n  calculator: subprocess:getoutput\n"
        "  settings: {cmd: touch run}",
        "calculator 'subprocess:getoutput'",
        8,
    ),
    "one of several": (
        HEAD + "objective:\n- {type: table, data: t.csv, key: {x: x}, values: {f: f}}\n"
        "- {type: python, function: mine.py:f, units: {f: ''}, verify: top 3}",
        "mine.py:f",
        7,
    ),
    "one of several fidelities": (
        HEAD + "objective:\n  type: multi-fidelity\n  fidelities:\n"
        "    - {name: a, cost: 1, objective: {type: table, data: t.csv, key: {x: x}, values: {f: f}}}\n"
        "    - {name: b, cost: 2, objective: {type: python, function: mine.py:f, units: {f: ''}}}",
        "mine.py:f",
        9,
    ),
}
ELSEWHERE = {
    "table": (HEAD + TABLE.format(data="../secret.csv"), "secret.csv"),
    "absolute path": (HEAD + TABLE.format(data="{top}/secret.csv"), "secret.csv"),
    "a link in the folder": (HEAD + TABLE.format(data="link.csv"), "link.csv"),
    "targets": (HEAD.partition("targets")[0] + "targets: ../targets.yaml\n", "targets.yaml"),
    "pool": (HEAD.replace("x: {", "m: {type: molecule, pool: ../secret.csv}\n  x: {"), "secret.csv"),
    "seeds": (HEAD.replace("x: {", "m: {type: molecule-graph, seeds: ../secret.csv}\n  x: {"), "secret.csv"),
    "structure": (FORMULA + "objective: {type: electrode, prototype: ../secret.csv}", "secret.csv"),
    "store": (HEAD + "store: ../other.db\n", "other.db"),
    "hidden store": (HEAD + "store: .profile\n", ".profile"),
    "server": (HEAD + "store: postgresql://stranger.example/db\n", "stranger.example"),
    "URL of a file": (HEAD + "store: sqlite:////etc/other.db\n", "other.db"),
}


@pytest.fixture
def record(tmp_path, monkeypatch):
    """A record without any consent."""
    monkeypatch.setenv(VARIABLE, str(tmp_path / "state" / "trust.json"))
    return TrustRecord.of_user()


@pytest.fixture
def folder(tmp_path, record, monkeypatch):
    (tmp_path / "secret.csv").write_text("x,f\n0.25,1\n0.5,2\n")
    (tmp_path / "targets.yaml").write_text("- {property: f, at_least: 0}\n")
    made = tmp_path / "strange"
    made.mkdir()
    (made / "mine.py").write_text("import helper\ndef f(x):\n    return {'f': helper.double(x)}\n")
    (made / "helper.py").write_text("def double(x):\n    return 2 * x\n")
    (made / "t.csv").write_text("x,f\n0.25,1\n0.5,2\n")
    (made / "link.csv").symlink_to(tmp_path / "secret.csv")
    monkeypatch.syspath_prepend(made)
    monkeypatch.chdir(tmp_path / "state" if (tmp_path / "state").exists() else made.parent)
    return made


def written(folder: Path, text: str) -> Path:
    path = folder / "c.yaml"
    path.write_text(text.replace("{top}", str(folder.parent)))
    return path


@pytest.mark.parametrize("case", CODE)
def test_code_is_named_with_its_line_and_not_run(folder, case):
    text, what, line = CODE[case]
    (folder / "mine.py").write_text("from pathlib import Path\nPath(__file__).with_name('run').touch()\n")
    with pytest.raises(ConsentError) as caught:
        read_campaign(written(folder, text))
    assert what in caught.value.requests[0].what
    assert f"c.yaml:{line}: " in str(caught.value)
    assert f"invdesign allow {folder / 'c.yaml'}" in str(caught.value)
    assert "--allow-code" in str(caught.value)
    assert not list(folder.parent.rglob("run"))


FOLLOWING = {
    "a property of a refused function": "- {type: python, function: mine.py:f, units: {g: ''}}\n",
    "a stage on its property": (
        "- {type: python, function: mine.py:f, units: {g: ''}}\n"
        "- {type: table, data: t.csv, key: {x: x}, values: {g: f}, verify: top 2}\n"
    ),
    "a surrogate of its property": (
        "- {type: python, function: mine.py:f, units: {g: ''}}\nsurrogate: {f: {type: ridge}, g: {type: ridge}}\n"
    ),
}


@pytest.mark.parametrize("case", FOLLOWING)
def test_a_refusal_stands_alone(folder, case):
    """What the refused function gives is unknown, so that nothing is said of it."""
    head = HEAD.replace("{type: continuous, low: 0, high: 1}", "{type: categorical, values: ['0.25', '0.5']}").replace(
        "]\n", ", {property: g, at_least: 0}]\n"
    )
    table = "objective:\n- {type: table, data: t.csv, key: {x: x}, values: {f: f}}\n"
    with pytest.raises(ConsentError) as caught:
        read_campaign(written(folder, head + table + FOLLOWING[case]))
    (problem,) = caught.value.problems
    assert "calls the Python function 'mine.py:f', which needs your consent" in problem.message
    wrong = head.replace("property: g", "property: h") + table + FOLLOWING[case].replace("{f:", "{h: {type: ridge}, f:")
    with pytest.raises(FileError, match="No objective gives the property 'h'"):
        read_campaign(written(folder, wrong), allow_code=True)


@pytest.mark.parametrize("case", ELSEWHERE)
def test_places_outside_of_the_folder_need_consent(folder, case):
    text, what = ELSEWHERE[case]
    with pytest.raises(ConsentError) as caught:
        read_campaign(written(folder, text))
    assert what in caught.value.requests[0].what
    assert "needs your consent" in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        HEAD + TABLE.format(data="t.csv"),
        HEAD + TABLE.format(data="../strange/t.csv"),
        HEAD + "store: mine.db",
        HEAD + f"store: {'{top}'}/strange/deep/mine.db",
        FORMULA + "objective: {type: electrode, prototype: layered}",
    ],
)
def test_the_folder_itself_needs_none(folder, text):
    try:
        read_campaign(written(folder, text))
    except FileError as error:
        assert not isinstance(error, ConsentError)  # noqa: PT017 - CHGNet or rows may be missing


def test_a_store_given_by_the_user_replaces_that_of_the_file(folder):
    path = written(folder, HEAD + "store: /elsewhere/other.db\n")
    assert read_campaign(path, store="mine.db").store == "mine.db"


def test_consent_holds_until_the_file_the_function_or_what_it_may_import_changes(folder, record):
    path = written(folder, CODE["function in a file"][0])
    deep, compiled = "package/below/deep.py", f"fast{EXTENSION_SUFFIXES[0]}"
    (folder / deep).parent.mkdir(parents=True)
    (folder / deep).write_text("VALUE = 1\n")
    (folder / compiled).write_text("not really compiled")
    other = folder.parent / "copy"

    def asked(place: Path = path) -> bool:
        try:
            read_campaign(place)
        except ConsentError:
            return True
        return False

    assert asked()
    with pytest.raises(ConsentError) as caught:
        read_campaign(path)
    record.allow(caught.value.requests, path)
    assert not asked()
    for changed in ("c.yaml", "mine.py", "helper.py", deep, compiled):
        before = (folder / changed).read_text()
        (folder / changed).write_text(before + "\n# altered\n")
        assert asked()
        (folder / changed).write_text(before)
        assert not asked()
    folder.rename(other)
    assert asked(other / "c.yaml")


def test_python_consents_by_argument_and_records_nothing(folder, record):
    path = written(folder, CODE["function in a file"][0])
    assert read_campaign(path, allow_code=True).objective.properties == {"f": ""}
    assert not record.place.exists()
    with pytest.raises(ConsentError):
        read_campaign(path)


def test_a_trusted_folder_covers_its_files_and_no_others(folder, record):
    path = written(folder, CODE["function in a file"][0])
    (folder.parent / "strange-too").mkdir()
    twin = folder.parent / "strange-too" / "c.yaml"
    twin.write_text(path.read_text())
    record.allow_folder(folder)
    assert read_campaign(path).objective is not None
    with pytest.raises(ConsentError):
        read_campaign(twin)


@pytest.mark.parametrize(
    "content", ["", "[", "[]", '{"allowed": [], "folders": []}', '{"allowed": {}, "folders": [""]}']
)
def test_a_damaged_record_consents_to_nothing(folder, record, content):
    record.place.parent.mkdir(exist_ok=True)
    record.place.write_text(content)
    with pytest.raises(ValueError, match=r"is damaged\. Delete it"):
        read_campaign(written(folder, CODE["program"][0]))


def test_the_record_is_private_and_says_what_was_allowed(folder, record):
    path = written(folder, CODE["program"][0])
    with pytest.raises(ConsentError) as caught:
        read_campaign(path)
    record.allow(caught.value.requests, path)
    assert record.place.stat().st_mode & 0o077 == 0
    (entry,) = json.loads(record.place.read_text())["allowed"].values()
    assert "runs the program 'touch run'" in entry


def test_control_characters_cannot_hide_what_would_run(folder):
    with pytest.raises(ConsentError) as caught:
        read_campaign(written(folder, HEAD + 'store: "/evil\\e[2K\\r\\u202egood"\n'))
    assert r"'/evil\x1b[2K\r\u202egood'" in caught.value.requests[0].what
    assert "\x1b" not in str(caught.value)
