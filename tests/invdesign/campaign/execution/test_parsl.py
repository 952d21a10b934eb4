"""The example of Parsl runs: its executor, which cannot cancel calls, serves campaigns as it is."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("parsl")


def test_the_example_runs_on_parsls_workers(examples, tmp_path):
    # Parsl starts its own scripts by their names.
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}
    words = [sys.executable, str(examples / "parsl_campaign.py")]
    done = subprocess.run(
        words, env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    found = re.match(r"40 evaluations; the least f is ([0-9.]+)", done.stdout)
    assert found is not None
    assert float(found[1]) < 1.0
