from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest
from typer.testing import CliRunner

from invdesign.cli import app

FILE = """\
campaign: parabola
seed: 1
space:
  x: {type: continuous, low: -1, high: 1}
  word: {type: categorical, values: [plus, minus]}
targets:
  - {property: f, between: [0.45, 0.55], unit: V}
objective: {type: python, function: mine.py:value, units: {f: V}}
budget: {initial: 5, evaluations: 12, batch: 2}
"""
FUNCTION = """\
import time

def value(x, word):
    time.sleep(0.05)
    return {"f": x * x * (1 if word == "plus" else -1)}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FUNCTION)
    (tmp_path / "p.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def invdesign(*words: str, code: int = 0) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    assert result.exit_code == code, result.output
    return result.output


def test_run_status_report_and_rereading(folder):
    told = invdesign("run", "p.yaml")
    assert "parabola.html" in told
    assert (folder / "parabola.db").is_file()
    page = (folder / "parabola.html").read_text()
    assert "f between 0.45 and 0.55" in page
    assert "12" in invdesign("status", "p.yaml")
    (folder / "other.yaml").write_text("- {property: f, at_least: 0, unit: mV}\n")
    reread = invdesign("run", "p.yaml", "--targets", "other.yaml")
    assert "nothing was evaluated" in reread
    assert "12" in invdesign("status", "p.yaml", "--targets", "other.yaml")
    invdesign("report", "p.yaml", "-o", "mine.html", "--targets", "other.yaml")
    assert "f at least 0" in (folder / "mine.html").read_text()


def test_a_larger_budget_goes_on(folder):
    invdesign("run", "p.yaml", "--evaluations", "6")
    assert "6" in invdesign("status", "p.yaml")
    assert "8/8" in invdesign("run", "p.yaml", "--evaluations", "8")


def test_check_shows_the_size_and_five_samples(folder):
    told = invdesign("check", "p.yaml")
    assert "p.yaml is a valid campaign file" in told
    assert "continuous, with 3 dimensions" in told
    assert sum("plus" in line or "minus" in line for line in told.splitlines()) == 5
    assert not (folder / "parabola.db").exists()


def test_ask_and_tell_through_files(folder):
    invdesign("ask", "p.yaml", "-n", "3", "-o", "batch.csv")
    batch = pd.read_csv("batch.csv")
    assert batch.columns.tolist() == ["candidate", "x", "word", "f"]
    batch.assign(f=[0.5, 0.1, 0.2]).to_csv("done.csv", index=False)
    assert "1 of 3 candidates meet all targets" in invdesign("tell", "p.yaml", "done.csv")
    assert "3 of 3 rows are already stored" in invdesign("tell", "p.yaml", "done.csv", code=2)
    assert invdesign("ask", "p.yaml").startswith("candidate,x,word,f\n3,")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["check", "none.yaml"], "none.yaml:1: The file cannot be read"),
        (["run", "broken.yaml"], "broken.yaml:6: Unknown setting 'betwen'"),
        (["status", "p.yaml"], "The store 'parabola.db' does not exist yet"),
        (["report", "p.yaml"], "The store 'parabola.db' does not exist yet"),
        (["tell", "p.yaml", "none.csv"], "'none.csv' does not exist"),
        (["run", "p.yaml", "--store", "none/x.db"], "The folder 'none' of the store"),
        (["check", "p.yaml", "--targets", "wrong.yaml"], "Did you mean 'f'"),
        (["run", "lab.yaml"], "has no objective to run"),
        (["data", "fetch", "hbee"], "Did you mean 'hbe'"),
    ],
)
def test_mistakes_are_shown_without_a_traceback(folder, words, told):
    (folder / "broken.yaml").write_text(FILE.replace("between", "betwen").replace("seed: 1\n", ""))
    (folder / "wrong.yaml").write_text("- {property: ff, at_least: 0}\n")
    (folder / "lab.yaml").write_text("\n".join(line for line in FILE.splitlines() if "objective" not in line))
    output = invdesign(*words, code=2)
    assert told in output
    assert "Traceback" not in output


def test_schema_and_datasets():
    schema = json.loads(invdesign("schema"))
    assert "space" in schema["properties"]
    assert "hbe" in invdesign("data", "list")


def test_ctrl_c_leaves_a_campaign_that_resumes(folder):
    (folder / "p.yaml").write_text(FILE + "optimizer: {type: random}\n")
    command = [sys.executable, "-W", "ignore", "-m", "invdesign.cli.commands", "run", "p.yaml", "--evaluations"]
    environment = {**os.environ, "COLUMNS": "120"}
    subprocess.run([*command, "20", "--store", "whole.db"], check=True, capture_output=True, env=environment)
    process = subprocess.Popen(
        [*command, "20"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and not (folder / "parabola.db").exists():
        time.sleep(0.01)
    time.sleep(0.3)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130, told
    assert "run the same command to continue" in told
    subprocess.run([*command, "20"], check=True, capture_output=True, env=environment)
    whole, resumed = (invdesign("status", "p.yaml", "--store", place) for place in ("whole.db", "parabola.db"))
    assert whole == resumed
