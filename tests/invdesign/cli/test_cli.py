from __future__ import annotations

import html
import json
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from invdesign.campaign_file.reader import read_campaign
from invdesign.cli import app
from invdesign.core.errors import InputError
from invdesign.core.tables import write_table

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
from contextlib import closing
from pathlib import Path

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


def test_run_status_report_and_rereading(invdesign, folder):
    reported = invdesign("run", "p.yaml")
    assert "parabola.html" in reported
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


def test_a_larger_budget_goes_on(invdesign, folder):
    invdesign("run", "p.yaml", "--evaluations", "6")
    assert "6" in invdesign("status", "p.yaml")
    assert "8/8" in invdesign("run", "p.yaml", "--evaluations", "8")


def test_check_shows_the_size_and_five_samples(invdesign, folder):
    reported = invdesign("check", "p.yaml")
    assert "p.yaml is a valid campaign file" in reported
    assert "continuous, with 3 dimensions" in reported
    assert sum("plus" in line or "minus" in line for line in reported.splitlines()) == 5
    assert not (folder / "parabola.db").exists()


def test_ask_and_tell_through_files(invdesign, folder):
    invdesign("ask", "p.yaml", "-n", "3", "-o", "batch.csv")
    batch = pd.read_csv("batch.csv")
    assert batch.columns.tolist() == ["candidate", "x", "word", "f (V)", "why this one"]
    batch.assign(**{"f (V)": [0.5, 0.1, 0.2]}).to_csv("done.csv", index=False)
    assert "1 of 3 candidates meet all targets" in invdesign("tell", "p.yaml", "done.csv")
    assert "3 of 3 rows are already stored" in invdesign("tell", "p.yaml", "done.csv", code=2)
    assert invdesign("ask", "p.yaml").startswith("candidate,x,word,f (V),f expected (V),f low (V),f high (V),chance: f")


@pytest.mark.parametrize(
    ("words", "reported"),
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
def test_mistakes_are_shown_without_a_traceback(invdesign, folder, words, reported):
    (folder / "broken.yaml").write_text(FILE.replace("between", "betwen").replace("seed: 1\n", ""))
    (folder / "wrong.yaml").write_text("- {property: ff, at_least: 0}\n")
    (folder / "lab.yaml").write_text("\n".join(line for line in FILE.splitlines() if "objective" not in line))
    output = invdesign(*words, code=2)
    assert reported in output
    assert "Traceback" not in output


def test_schema_and_datasets(invdesign):
    schema = json.loads(invdesign("schema"))
    assert "space" in schema["properties"]
    assert "hbe" in invdesign("data", "list")


def values_in(place: Path) -> int:
    if not place.exists():
        return 0
    with closing(sqlite3.connect(place)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM evaluations WHERE state = 'done'").fetchone()[0]
        except sqlite3.OperationalError:
            return 0  # its tables are not there yet


def test_ctrl_c_leaves_a_campaign_that_resumes(invdesign, folder):
    (folder / "p.yaml").write_text(FILE + "optimizer: {type: random}\n")
    command = [sys.executable, "-W", "ignore", "-m", "invdesign", "run", "p.yaml", "--evaluations"]
    environment = {**os.environ, "COLUMNS": "120"}
    subprocess.run([*command, "20", "--store", "whole.db"], check=True, capture_output=True, env=environment)
    process = subprocess.Popen(
        [*command, "20"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    )
    deadline = time.monotonic() + 60
    # Libraries that are still being loaded may swallow an interruption.
    while time.monotonic() < deadline and not values_in(folder / "parabola.db"):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, reported = process.communicate(timeout=60)
    assert process.returncode == 130, reported
    assert "run the same command to continue" in reported
    subprocess.run([*command, "20"], check=True, capture_output=True, env=environment)
    whole, resumed = (invdesign("status", "p.yaml", "--store", place) for place in ("whole.db", "parabola.db"))
    assert whole == resumed


def test_a_sheet_is_never_overwritten_and_nothing_is_pending_without_one(invdesign, folder):
    invdesign("ask", "p.yaml", "-n", "2", "-o", "batch.csv")
    assert "'batch.csv' exists and is not overwritten. Choose another name, such as 'batch-2.csv'" in invdesign(
        "ask", "p.yaml", "-n", "2", "-o", "batch.csv", code=2
    )
    assert "The folder 'none' of 'none/batch.csv' does not exist" in invdesign(
        "ask", "p.yaml", "-o", "none/batch.csv", code=2
    )
    assert read_campaign("p.yaml").open().status().pending == 2


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Files cannot grow beyond a size, as on a full disk."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def test_a_sheet_that_cannot_be_written_leaves_nothing_pending(folder):
    mine = read_campaign("p.yaml").open()
    sheet = folder / "batch.csv"

    def write_on_a_full_disk(batch):
        with file_size_limit(100):
            write_table(batch, sheet)

    with pytest.raises(InputError, match="cannot be written: File too large"):
        mine.ask(9, before_commit=write_on_a_full_disk)
    assert mine.status().pending == 0
    assert not sheet.exists()


def test_a_sheet_whose_candidates_cannot_be_stored_is_removed(folder):
    mine = read_campaign("p.yaml").open()
    mine.ask(1)
    # Enough for the sheet and the beginning of the transaction, too little for its end.
    with file_size_limit((folder / "parabola.db-wal").stat().st_size + 30_000):
        result = CliRunner().invoke(app, ["ask", "p.yaml", "-n", "3", "-o", "batch.csv"])
    assert result.exit_code != 0
    assert mine.status().pending == 1
    assert not (folder / "batch.csv").exists()


def test_ask_and_tell_through_a_spreadsheet(invdesign, folder):
    reported = invdesign("ask", "p.yaml", "-n", "3", "-o", "batch.xlsx")
    assert "Fill in f in V and use: invdesign tell p.yaml batch.xlsx" in reported
    batch = pd.read_excel("batch.xlsx")
    assert batch.columns.tolist() == ["candidate", "x", "word", "f (V)", "why this one"]
    batch = batch.rename(columns={"f (V)": "f (mV)"}).assign(operator="Ada", **{"f (mV)": [500, 100, None]})
    batch.to_excel("done.xlsx", index=False)
    output = invdesign("tell", "p.yaml", "done.xlsx")
    assert "Stored 3 results. 1 of 2 candidates meet all targets" in output
    assert "Not stored, because they are not in the campaign file: operator" in output
    assert "3 of 3 rows are already stored" in invdesign("tell", "p.yaml", "done.xlsx", code=2)
    assert "Stored 3 results. 1 of 2" in invdesign("tell", "p.yaml", "done.xlsx", "--again")
    assert "has no sheet 'data'" in invdesign("tell", "p.yaml", "done.xlsx", "--sheet", "data", code=2)


def test_results_have_the_unit_of_the_target_before_and_after_a_run(invdesign, folder):
    (folder / "p.yaml").write_text(FILE.replace("[0.45, 0.55], unit: V", "[450, 550], unit: mV"))
    (folder / "r.csv").write_text("x;word;f\n0,25;plus;500,5\n")
    for store in ("before.db", "after.db"):
        if store == "after.db":
            invdesign("run", "p.yaml", "--evaluations", "5", "--store", store)
        invdesign("tell", "p.yaml", "r.csv", "--store", store)
        mine = read_campaign("p.yaml").open(store)
        assert mine.units == {"f": "V"}
        assert mine.frame()["f"].iloc[-1] == pytest.approx(0.5005)
    invdesign("run", "p.yaml", "--evaluations", "5", "--store", "before.db")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"x,word,f\n0,5,plus,0,5\n", "line 2, has 5 fields"),
        (b"x,word,f\n0.5,plus\n", "line 2, has 2 fields"),
        (
            "x;word;f\n0,5;plus;1,234\n0,5;plus;0.5\n".encode("latin-1"),
            "line 2, column 'f': '1,234' may have a decimal comma",
        ),
        (b"x,word,f\n0.5,plus,inf\n", "line 2: f is inf, which is not a finite number"),
        (b"candidate,x,word,f\n0.5,0.5,plus,1\n", "line 2: candidate is 0.5"),
        (b"x,word,f,f\n0.5,plus,1,2\n", "has 2 columns 'f'"),
    ],
)
def test_tables_that_are_not_sure_are_refused(invdesign, folder, content, words):
    (folder / "r.csv").write_bytes(content)
    output = invdesign("tell", "p.yaml", "r.csv", code=2)
    assert words in output
    assert read_campaign("p.yaml").open().frame().empty


def test_what_a_pool_leaves_out_is_said_everywhere(invdesign, folder):
    lines = ["CCO", "C1CC", *("C" * n for n in range(1, 9))]
    (folder / "pool.smi").write_text("\n".join(lines))
    (folder / "mine.py").write_text("def value(m):\n    return {'f': len(m) / 10}\n")
    text = (
        FILE[: FILE.index("space:")]
        + "space:\n  m: {type: molecule, pool: pool.smi}\n"
        + FILE[FILE.index("targets:") :]
    )
    (folder / "p.yaml").write_text(text.replace("evaluations: 12", "evaluations: 6") + "optimizer: {type: random}\n")
    words = "1 of 10 entries was left out (1 not molecules): line 2: 'C1CC' is not a molecule"
    assert words in invdesign("check", "p.yaml")
    assert words in " ".join(invdesign("run", "p.yaml").split())
    assert html.escape(words) in (folder / "parabola.html").read_text()
    repeated = text.replace("pool: pool.smi", "pool: pool.smi, duplicates: error")
    (folder / "pool.smi").write_text("\n".join([*lines, "OCC"]))
    (folder / "p.yaml").write_text(repeated)
    assert "line 11: 'CCO' repeats the molecule of line 1" in invdesign("check", "p.yaml", code=2)


def test_duplicates_are_a_key_of_tables(invdesign, folder):
    (folder / "t.csv").write_text("x;word;f (mV)\n0;plus;500\n0;plus;400\n1;minus;200\n")
    table = "{type: table, data: t.csv, key: {x: x, word: word}, values: {f: f}, units: {f: V}%s}"
    text = FILE.replace("{type: python, function: mine.py:value, units: {f: V}}", table).replace(
        "continuous", "integer"
    )
    (folder / "p.yaml").write_text(text % "")
    output = invdesign("check", "p.yaml", code=2)
    assert "different values for 1 candidates" in output
    assert "0, plus has line 2: 0.5; line 3: 0.4" in output
    (folder / "p.yaml").write_text(text % ", duplicates: mean")
    invdesign("check", "p.yaml")
    objective = read_campaign("p.yaml").objective
    assert objective is not None
    values = objective.evaluate(pd.DataFrame({"x": [0.0], "word": ["plus"]}))
    assert values["f"].tolist() == pytest.approx([0.45])


def test_an_exhausted_space_gives_no_sheet(invdesign, folder):
    space = "space:\n  k: {type: integer, low: 1, high: 2}\n"
    (folder / "p.yaml").write_text(
        f"{FILE[: FILE.index('space:')]}{space}{FILE[FILE.index('targets:') : FILE.index('objective')]}"
    )
    invdesign("ask", "p.yaml", "-n", "9", "-o", "all.csv")
    assert len(pd.read_csv("all.csv")) == 2
    assert "no more candidates" in invdesign("ask", "p.yaml", "-o", "more.csv", code=2)
    assert not (folder / "more.csv").exists()


def test_a_changed_objective_is_asked_about(invdesign, folder):
    invdesign("run", "p.yaml")
    (folder / "mine.py").write_text(FUNCTION.replace("x * x", "x * x * x"))
    reported = invdesign("run", "p.yaml", "--evaluations", "14", code=2)
    assert "The objective has changed" in reported
    assert "mine.py" in reported
    assert "--objective-changed keep" in reported
    invdesign("run", "p.yaml", "--evaluations", "14", "--objective-changed", "keep", "--wait", "--lease", "5")
    assert "14" in invdesign("status", "p.yaml")


def test_a_damaged_store_is_refused_in_words(invdesign, folder):
    invdesign("run", "p.yaml")
    place = folder / "parabola.db"
    place.write_bytes(place.read_bytes()[:9000])
    for words in (["run"], ["status"], ["report"], ["ask"]):
        assert "its content is damaged" in invdesign(*words, "p.yaml", code=2)


def test_one_of_several_sets_of_targets_is_searched(invdesign, folder):
    lists = "half: [{property: f, between: [0.45, 0.55], unit: V}], large: [{property: f, at_least: 0.9}]"
    sets = f"targets: {{{lists}}}\n"
    (folder / "p.yaml").write_text(FILE[: FILE.index("targets:")] + sets + FILE[FILE.index("objective:") :])
    assert "'half'; choose another with --targets-set: 'large'" in invdesign("check", "p.yaml")
    invdesign("run", "p.yaml", "--targets-set", "large")
    assert "f at least 0.9" in (folder / "parabola.html").read_text()
    assert "f between 0.45 and 0.55" in invdesign("status", "p.yaml")
    assert "Unknown set of targets 'lage'" in invdesign("status", "p.yaml", "--targets-set", "lage", code=2)
