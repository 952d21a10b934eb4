"""`invdesign models` on a file whose targets are not all of the table's properties."""

from __future__ import annotations

from typer.testing import CliRunner

from invdesign.cli import app

FILE = """\
campaign: pressed
space:
  pressing: {type: continuous, low: 50, high: 250, unit: MPa}
targets:
  - {property: porosity, at_most: 0.4}
  - {property: distance, at_most: 1}
objective: {type: surrogate, data: pressed.csv, key: {pressing: pressing}, values: {porosity: porosity}}
"""


def test_targets_that_the_table_does_not_hold_are_left_out_of_the_page(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = "".join(f"{pressing},{0.5 - 0.001 * pressing}\n" for pressing in range(40, 270, 10))
    (tmp_path / "pressed.csv").write_text("pressing,porosity\n" + rows)
    (tmp_path / "pressed.yaml").write_text(FILE)
    done = CliRunner().invoke(app, ["models", "pressed.yaml", "--families", "ridge,lasso", "--split", "random"])
    assert done.exit_code == 0, done.output
    assert "Recommended" in done.output
    assert "porosity" in (tmp_path / "pressed-models.html").read_text()
