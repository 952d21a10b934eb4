"""A package beside ours: installed, its optimizer is a word of campaign files, the schema and suggestions."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PLUGIN = Path(__file__).parents[2] / "examples" / "plugin"


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> dict[str, str]:
    """An environment in which the plugin is installed, and nothing else that pip would bring."""
    site = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "--target", str(site), str(PLUGIN)], check=True, capture_output=True)
    return {**os.environ, "PYTHONPATH": str(site)}


def run(environment, *words, folder):
    return subprocess.run(words, env=environment, cwd=folder, capture_output=True, text=True, check=False)


def test_a_campaign_file_can_name_it(installed, tmp_path):
    text = (PLUGIN / "valley.yaml").read_text().replace("evaluations: 600", "evaluations: 96")
    (tmp_path / "valley.yaml").write_text(text)
    (tmp_path / "valley.py").write_text((PLUGIN / "valley.py").read_text())
    done = run(installed, sys.executable, "-m", "invdesign", "run", "valley.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    (tmp_path / "valley.yaml").write_text(text.replace("type: cross-entropy", "type: cross-entropi"))
    wrong = run(installed, sys.executable, "-m", "invdesign", "check", "valley.yaml", folder=tmp_path)
    assert "Did you mean 'cross-entropy'?" in wrong.stdout + wrong.stderr
    schema = run(installed, sys.executable, "-m", "invdesign", "schema", folder=tmp_path)
    known = json.loads(schema.stdout)["$defs"]["optimizer-cross-entropy"]["properties"]
    assert known["window"]["minimum"] == 4
    assert known["window"]["description"] == "Latest evaluated candidates that are considered."


def test_it_keeps_to_the_contract(installed, tmp_path):
    code = (
        "from invdesign.core.plugins import settings_class; from invdesign.testing import check_optimizer;"
        "check_optimizer(settings_class('optimizer', 'cross-entropy')(window=4))"
    )
    done = run(installed, sys.executable, "-c", code, folder=tmp_path)
    assert done.returncode == 0, done.stderr


def test_it_is_small():
    assert len((PLUGIN / "src" / "invdesign_cross_entropy" / "__init__.py").read_text().splitlines()) < 60


def test_a_plugin_that_cannot_be_loaded_is_named(tmp_path):
    folder = tmp_path / "broken-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[invdesign.optimizers]\nbroken = no_such_module:Optimizer\n")
    code = "from invdesign.core.plugins import settings_class; settings_class('optimizer', 'broken')"
    done = run({**os.environ, "PYTHONPATH": str(tmp_path)}, sys.executable, "-c", code, folder=tmp_path)
    assert "The optimizer type 'broken' ('no_such_module:Optimizer'; repair or uninstall" in done.stderr
    assert "uninstall broken" in done.stderr
