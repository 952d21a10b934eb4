"""Whatever a user's module raises while it is imported is a message with its file and line, never a traceback."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from invdesign.cli import app

FILE = """\
campaign: c
space: {x: {type: continuous, low: 0, high: 1}}
targets: [{property: f, at_least: 0.5}]
objective: {type: python, function: PLACE, units: {f: ''}}
"""
CODES = {
    "syntax": ("def f(x)\n", "SyntaxError: expected ':' (mine.py, line 1)"),
    "name": ("\nf = g\n", "NameError: name 'g' is not defined ("),
    "exit": ("import sys\nsys.exit(3)\n", "SystemExit: 3 ("),
    "own exception": ("raise RuntimeError('not today')\n", "RuntimeError: not today ("),
    "missing module": ("import nothing_of_this_name\n", "No module named 'nothing_of_this_name'"),
    "zero byte": ("\0", "source code string cannot contain null bytes"),
}


@pytest.mark.parametrize("place", ["mine.py:f", "mine:f"])
@pytest.mark.parametrize("case", CODES)
def test_a_failing_import_is_a_message(tmp_path, monkeypatch, case, place):
    code, words = CODES[case]
    (tmp_path / "mine.py").write_text(code)
    (tmp_path / "c.yaml").write_text(FILE.replace("PLACE", place))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(app, ["check", "c.yaml"])
    assert result.exit_code == 2, result.output
    assert "c.yaml:4: The " in result.output
    assert "cannot be imported" in result.output
    assert words in result.output
    assert "Traceback" not in result.output
