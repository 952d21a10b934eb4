"""The command line asks for consent at a terminal and refuses where nobody can be asked."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from invdesign.core.trust import VARIABLE

FILE = """\
campaign: strange
space:
  x: {type: continuous, low: 0, high: 1}
targets: [{property: f, at_least: 0.5}]
objective: {type: python, function: mine.py:f, units: {f: ''}}
optimizer: {type: random}
budget: {initial: 2, evaluations: 4}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path / "trust.json"))
    made = tmp_path / "strange"
    made.mkdir()
    (made / "c.yaml").write_text(FILE)
    (made / "mine.py").write_text("def f(x):\n    return {'f': x}\n")
    monkeypatch.chdir(made)
    return made


def at_a_terminal(answer: bytes, *words: str) -> tuple[int, str]:
    """Exit code and output of the command line at a pseudo-terminal where somebody types an answer."""
    mine, theirs = pty.openpty()
    os.write(mine, answer)
    command = [sys.executable, "-W", "ignore", "-m", "invdesign", *words]
    process = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True)
    os.close(theirs)
    shown = b""
    try:
        while part := os.read(mine, 4096):
            shown += part
    except OSError:  # how Linux reports that the other end is closed
        pass
    finally:
        os.close(mine)
    return process.wait(timeout=60), shown.decode()


@pytest.mark.parametrize("command", ["run", "check", "ask", "status", "report", "models"])
def test_without_a_terminal_code_is_refused_and_explained(invdesign, folder, command):
    shown = invdesign(command, "c.yaml", code=2)
    assert "c.yaml:5: function: The campaign file calls the Python function 'mine.py:f', which needs your" in shown
    assert "invdesign allow c.yaml" in shown
    assert "--allow-code" in shown
    assert sorted(path.name for path in folder.iterdir()) == ["c.yaml", "mine.py"]


def test_one_command_may_be_allowed(invdesign, folder):
    assert "is a valid campaign file" in invdesign("check", "c.yaml", "--allow-code", code=0)
    invdesign("check", "c.yaml", code=2)


def test_allow_records_consent_until_a_change(invdesign, folder):
    assert "mine.py:f" in invdesign("allow", "c.yaml", code=0)
    assert "needs no further consent" in invdesign("allow", "c.yaml", code=0)
    invdesign("run", "c.yaml", code=0)
    invdesign("status", "c.yaml", code=0)
    (folder / "mine.py").write_text("def f(x):\n    return {'f': 2 * x}\n")
    invdesign("status", "c.yaml", code=2)


def test_allow_takes_a_folder(invdesign, folder):
    assert str(folder) in invdesign("allow", ".", code=0)
    (folder / "mine.py").write_text("def f(x):\n    return {'f': 2 * x}\n")
    invdesign("check", "c.yaml", code=0)


def test_allow_shows_other_problems(invdesign, folder):
    Path("c.yaml").write_text(FILE.replace("low: 0", "lo: 0"))
    assert "Did you mean 'low'" in invdesign("allow", "c.yaml", code=2)


def test_a_person_at_the_terminal_is_asked_once(folder):
    code, shown = at_a_terminal(b"n\n", "check", "c.yaml")
    assert (code, "mine.py:f" in shown) == (2, True)
    code, shown = at_a_terminal(b"y\n", "check", "c.yaml")
    assert (code, "Do you trust this file" in shown, "is a valid campaign file" in shown) == (0, True, True)
    code, shown = at_a_terminal(b"", "check", "c.yaml")
    assert (code, "Do you trust this file" in shown) == (0, False)


def test_a_link_in_the_place_of_the_report_is_not_followed(invdesign, folder):
    Path("../mine.txt").write_text("mine")
    Path("strange.html").symlink_to("../mine.txt")
    assert "'strange.html' is a link, which is not followed" in invdesign("run", "c.yaml", "--allow-code", code=2)
    assert Path("../mine.txt").read_text() == "mine"
    invdesign("run", "c.yaml", "--allow-code", "--report", "other.html", code=0)


@pytest.mark.parametrize("ending", ["", "-wal", "-journal"])
def test_a_link_in_the_place_of_the_store_needs_consent(invdesign, folder, ending):
    Path("c.yaml").write_text("\n".join(line for line in FILE.splitlines() if "objective" not in line))
    Path("../mine.txt").write_text("mine")
    Path(f"strange.db{ending}").symlink_to("../mine.txt")
    assert "uses the store 'strange.db', which is outside of its folder" in invdesign("ask", "c.yaml", code=2)
    assert Path("../mine.txt").read_text() == "mine"


def test_a_script_within_a_shell_command_is_part_of_the_consent(invdesign, folder):
    command = "{type: command, shell: true, command: 'cat {candidate}|./run.sh', units: {f: ''}}"
    Path("c.yaml").write_text(FILE.replace("{type: python, function: mine.py:f, units: {f: ''}}", command))
    Path("run.sh").write_text("echo 1\n")
    invdesign("allow", "c.yaml", code=0)
    invdesign("check", "c.yaml", code=0)
    Path("run.sh").write_text("echo 2\n")
    assert "runs the program 'cat {candidate}|./run.sh'" in invdesign("check", "c.yaml", code=2)
