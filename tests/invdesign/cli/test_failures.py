"""What the command line says of failures, and its exit status."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from invdesign.campaign_file.reader import read_campaign

FILE = """\
campaign: failing
seed: 1
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, at_least: 0.5}
objective: {type: python, function: mine.py:value, units: {f: ''}}
optimizer: {type: random}
budget: {initial: 4, evaluations: 12}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "f.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "400")
    return tmp_path


def function(folder, body, arguments="x"):
    (folder / "mine.py").write_text(f"import os, sys\n\ndef value({arguments}):\n    {body}\n")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("y", "f.yaml:7: The function 'value' needs the argument 'y', which is not a parameter of the space."),
        ("x, y", "needs the argument 'y'"),
        ("*, porosity=0.3", "does not take the parameter 'x' of the space."),
    ],
)
def test_check_and_run_compare_the_signature(invdesign, folder, arguments, words):
    function(folder, "return {'f': 1.0}", arguments)
    for command in ("check", "run"):
        assert words in invdesign(command, "f.yaml", code=2)
    assert not (folder / "failing.db").exists()


def test_check_looks_the_candidates_up_in_a_table(invdesign, folder):
    (folder / "t.csv").write_text("n,f\n1,0.4\n2,0.6\n")
    table = "objective: {type: table, data: t.csv, key: {x: n}, values: {f: f}}"
    lines = [table if line.startswith("objective") else line for line in FILE.splitlines()]
    text = "\n".join(lines)
    (folder / "t.yaml").write_text(text)
    assert "single numbers of 'x', which is continuous" in invdesign("check", "t.yaml", code=2)
    (folder / "t.yaml").write_text(text.replace("continuous, low: 0, high: 1", "integer, low: 1, high: 4"))
    assert "2 of 4 candidates of the space have no 'f' in the table." in invdesign("check", "t.yaml")
    (folder / "t.yaml").write_text(text.replace("continuous, low: 0, high: 1", "integer, low: 7, high: 9"))
    assert "no value of 'f' for any of the 3 candidates" in invdesign("check", "t.yaml", code=2)


def test_reasons_are_printed_as_they_come_and_counted_at_the_end(invdesign, folder):
    function(folder, "return {'f': 1.0 / (x > 0.5)}")
    printed = invdesign("run", "f.yaml")
    failed = read_campaign("f.yaml").open().frame().query("state == 'failed'")
    first = failed.index[0]
    assert printed.count(f"Candidate {first} failed: ZeroDivisionError: float division by zero") == 1
    assert f"{len(failed)} candidates failed as candidate {first} did: ZeroDivisionError" in printed


def test_a_run_that_gives_only_failures_stops_and_is_retried(invdesign, folder):
    function(folder, "raise ValueError(f'{x} is wrong')")
    assert "5 evaluations failed for one reason, and none has succeeded" in invdesign("run", "f.yaml", code=2)
    assert read_campaign("f.yaml").open().status().failed == 5
    printed = invdesign("run", "f.yaml", "--stop-after", "0", code=1)
    assert "No candidate has a value: all 12 evaluations failed." in printed
    function(folder, "return {'f': x}")
    assert "No candidate has a value" in invdesign("run", "f.yaml", code=1)
    assert "12 failed candidates are evaluated again." in invdesign("run", "f.yaml", "--retry-failed")
    campaign = read_campaign("f.yaml").open()
    assert campaign.status().evaluated == 12
    assert len(campaign.attempts()) == 12


def test_half_of_a_character_is_printed_and_stored_escaped(invdesign, folder):
    function(folder, "raise ValueError('name \\udc80')")
    printed = invdesign("run", "f.yaml", code=2)
    assert "Candidate 0 failed: ValueError: name \\udc80" in printed
    assert "none has succeeded: ValueError: name \\udc80" in printed


def test_a_float_instead_of_a_mapping_ends_a_run_after_the_first_evaluation(invdesign, folder):
    function(folder, "return x")
    printed = invdesign("run", "f.yaml", code=2)
    assert "the function must return a mapping such as {'f': ...}, not float" in printed
    assert read_campaign("f.yaml").open().status().failed == 1


@pytest.mark.parametrize("body", ["os._exit(0) if x > 0.5 else None", "sys.exit() if x > 0.5 else None"])
@pytest.mark.parametrize("workers", [1, 2])
def test_code_that_ends_its_process_does_not_end_the_campaign(invdesign, folder, body, workers):
    function(folder, f"{body}\n    return {{'f': x}}")
    (folder / "f.yaml").write_text(f"{FILE}workers: {workers}\n")
    invdesign("run", "f.yaml")
    frame = read_campaign("f.yaml").open().frame()
    assert len(frame) == 12
    assert (frame["x"] > 0.5).tolist() == (frame["state"] == "failed").tolist()


def test_a_stage_that_ends_its_process_does_not_end_the_campaign(invdesign, folder):
    (folder / "mine.py").write_text("import os\ndef value(x):\n    return {'f': x}\ndef fine(x):\n    os._exit(7)\n")
    stage = "  - {type: python, function: mine.py:fine, units: {f: ''}, name: fine, verify: top 2}"
    text = FILE.replace("objective: {", "objective:\n  - {").replace("optimizer", f"{stage}\noptimizer")
    (folder / "f.yaml").write_text(text)
    printed = invdesign("run", "f.yaml")
    assert "2 candidates failed as candidate" in printed
    reasons = read_campaign("f.yaml").open().verified()["reason"].tolist()
    assert reasons == ["the worker process died: exit code 7"] * 2


COMMAND = FILE.replace(
    "{type: python, function: mine.py:value, units: {f: ''}}",
    "{type: command, command: \"sh -c 'sleep 300 & echo $$ $! > ../pids; wait'\", units: {f: ''}}",
)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_a_program_ends_with_its_campaign(folder, number):
    (folder / "f.yaml").write_text(COMMAND)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-W", "ignore", "-m", "invdesign", "run", "f.yaml"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        pids = folder / "runs" / "pids"
        awaited(lambda: pids.exists() and len(pids.read_text().split()) == 2)
        started = [int(word) for word in pids.read_text().split()]
        process.send_signal(number)
        process.wait(20)
    for pid in started:
        awaited(lambda pid=pid: ended(pid))


def awaited(condition):
    for _ in range(300):
        if condition():
            return
        time.sleep(0.1)
    raise AssertionError("in vain")


def ended(pid: int) -> bool:
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] == "Z"
