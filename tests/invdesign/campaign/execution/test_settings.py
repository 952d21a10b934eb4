"""One line of a campaign file decides where evaluations run; candidates and values are the same everywhere."""

from __future__ import annotations

import pytest

import invdesign as ind
from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.running import executor_of

pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
FILE = """campaign: squares
space:
  x: {type: integer, low: 0, high: 100}
targets:
  - {property: f, at_least: 50}
objective: {type: python, function: squares.py:square, units: {f: ""}}
optimizer: {type: random}
budget: {initial: 4, evaluations: 8, batch: 4}
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "squares.py").write_text("def square(x):\n    return {'f': float(x) ** 2}\n")
    return tmp_path


def values(folder, more):
    (folder / "run.yaml").write_text(FILE + more)
    setting = ind.read_campaign(folder / "run.yaml", allow_code=True)
    campaign = setting.open(":memory:")
    with executor_of(setting.executor, setting.header) as executor:
        campaign.run(setting.objective, evaluations=8, batch=4, executor=executor)
    return campaign.frame()[["x", "f"]]


@pytest.mark.parametrize(
    "line",
    [
        "executor: {type: processes, workers: 2}",
        "executor: {type: dask, workers: 2}",
        "executor: {type: slurm, cluster: local, jobs: 4, poll: 0.1, folder: jobs}",
    ],
)
def test_every_executor_gives_the_same(folder, line):
    if "dask" in line:
        pytest.importorskip("distributed")
    if "slurm" in line:
        pytest.importorskip("submitit")
    assert values(folder, line).equals(values(folder, ""))


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("executor: {type: dask}", "needs either 'workers' or 'address'"),
        ("executor: {type: slurm, time: soon}", "must be written as HH:MM:SS"),
        ("executor: {type: slurm, memory: much}", "memory"),
        ("executor: {type: grid}", "Unknown executor type 'grid'"),
        ("executor: {type: processes, workers: 0}", "'workers' must be at least 1"),
        ("workers: 2\nexecutor: {type: processes}", "Remove 'workers'"),
    ],
)
def test_wrong_settings_name_their_line(folder, line, message):
    (folder / "run.yaml").write_text(FILE + line)
    with pytest.raises(FileError) as caught:
        ind.read_campaign(folder / "run.yaml", allow_code=True)
    assert message in str(caught.value)
    assert caught.value.problems[0].line >= 9


def test_jobs_of_slurm_need_consent(folder, monkeypatch):
    monkeypatch.setenv("INVDESIGN_TRUST", str(folder / "trust.json"))
    text = FILE.replace('{type: python, function: squares.py:square, units: {f: ""}}', "{type: table}")
    (folder / "run.yaml").write_text(text + "executor: {type: slurm}")
    with pytest.raises(FileError, match="submits jobs to Slurm"):
        ind.read_campaign(folder / "run.yaml")
