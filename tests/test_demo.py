"""The demo, as `make demo` runs it: a real cell by real physics, also when it is killed on the way."""

from __future__ import annotations

import subprocess
import sys
import time

import numpy as np
import pandas as pd
import pytest

import invdesign as ind

pytestmark = pytest.mark.xdist_group("demo")  # one undisturbed run serves all
MOMENTS = np.random.default_rng(20261122).uniform(12.0, 30.0, size=1).tolist()


def demo(examples) -> list[str]:
    return [sys.executable, "-m", "invdesign", "run", str(examples / "nmc811-cell.yaml")]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory, examples):
    folder = tmp_path_factory.mktemp("whole")
    done = subprocess.run(demo(examples), cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return folder, done.stdout


def opened(examples, folder) -> ind.Campaign:
    return ind.read_campaign(examples / "nmc811-cell.yaml").open(folder / "nmc811-cell.db")


def test_it_ends_with_designs_that_the_full_model_confirms(undisturbed, examples):
    folder, reported = undisturbed
    campaign = opened(examples, folder)
    assert campaign.status().evaluated == 64
    verified = campaign.verified()
    assert len(verified) == 8
    assert verified["all_met"].sum() >= 4
    assert (folder / "nmc811-cell.html").is_file()
    assert "nmc811-cell.html" in reported
    proposed = campaign.frame().query("origin != 'initial'")
    assert proposed.index.isin(campaign.hits().index).mean() > 0.5


@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_at_a_random_moment_it_goes_on_with_the_same_candidates(undisturbed, examples, tmp_path, moment):
    process = subprocess.Popen(demo(examples), cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(moment)
    process.kill()
    process.wait()
    subprocess.run(demo(examples), cwd=tmp_path, capture_output=True, check=True)
    whole, resumed = opened(examples, undisturbed[0]), opened(examples, tmp_path)
    pd.testing.assert_frame_equal(whole.frame(), resumed.frame())
    pd.testing.assert_frame_equal(whole.verified(), resumed.verified())
