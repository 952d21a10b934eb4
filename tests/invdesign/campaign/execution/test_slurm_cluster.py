"""Slurm's jobs: by submitit's processes of this machine, and by stand-ins for sbatch and its kin on the PATH."""

from __future__ import annotations

import itertools
import os
import stat
from pathlib import Path

import pytest

import invdesign as ind
from invdesign.campaign.execution.slurm_cluster import SlurmCluster
from invdesign.core.errors import InputError
from invdesign.testing import check_executor

pytest.importorskip("submitit")
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
SBATCH = """#!/bin/bash
# Runs the job here in the background, and notes its state as Slurm's accounting would.
number={first}
set -o noclobber  # two jobs that are submitted at once get two numbers
until echo RUNNING 2> /dev/null > {folder}/states/$number; do number=$(( number + 1 )); done
set +o noclobber
grep '^#SBATCH' "$1" > {folder}/options-$number
(
  export SLURM_JOB_ID=$number SLURM_NTASKS=1 SLURM_JOB_NUM_NODES=1 SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0
  export SLURM_JOB_NODELIST=here
  if [ -n "$STATE" ]; then echo "$STATE" > {folder}/states/$number; exit; fi
  bash "$1" && echo COMPLETED > {folder}/states/$number || echo FAILED > {folder}/states/$number
) > /dev/null 2>&1 < /dev/null &
echo "Submitted batch job $number"
"""
SRUN = """#!/bin/bash
while [ "${1#-}" != "$1" ]; do
  case "$1" in --output|--error) shift 2;; *) shift;; esac
done
exec "$@"
"""
SACCT = """#!/bin/bash
echo "JobID|State|NodeList"
for state in {folder}/states/*; do echo "$(basename $state)|$(cat $state)|here"; done
"""
FIRST_JOBS = itertools.count(1000, 1000)
"""Numbers of the first job of each test: submitit keeps the states of jobs by number, as long as its process lives."""


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> Path:
    """A folder with stand-ins for Slurm's commands, which is first on the PATH."""
    folder = tmp_path / "slurm"
    (folder / "states").mkdir(parents=True)
    first = str(next(FIRST_JOBS))
    for name, text in {"sbatch": SBATCH, "srun": SRUN, "sacct": SACCT, "scancel": "#!/bin/bash\n"}.items():
        (folder / name).write_text(text.replace("{folder}", str(folder)).replace("{first}", first))
        (folder / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def squared(x: float) -> dict[str, float]:
    return {"f": float(x) ** 2}


def campaign_on(executor, evaluations=4):
    space = ind.SearchSpace(x=ind.Integer(0, 1000))
    campaign = ind.Campaign(
        space, ind.Targets(ind.AtLeast("f", 0.0)), optimizer=ind.RandomOptimizer(), initial=evaluations
    )
    objective = ind.PythonObjective(squared, {"f": ""}, isolated=False)
    settings = ind.RunSettings(failures=ind.Failures(stop_after=None))
    campaign.run(objective, evaluations=evaluations, executor=executor, settings=settings)
    return campaign


def test_processes_of_this_machine_keep_to_the_contract(tmp_path):
    settings = SlurmCluster(cluster="local", poll=0.1, jobs=4, folder=str(tmp_path / "jobs"))
    with settings.started("test") as executor:
        check_executor(executor)


def test_a_campaign_submits_jobs_and_collects_their_values(slurm, tmp_path):
    settings = SlurmCluster(
        partition="short", time="00:30:00", cores=2, memory="2GB", poll=0.1, folder=str(tmp_path / "jobs"), jobs=2
    )
    with settings.started("test") as executor:
        found = campaign_on(executor).frame()
    assert (found["f"] == found["x"].astype(float) ** 2).all()
    # A job that dies on a busy machine is submitted once more; a call whose job ran to its end is not.
    states = {state.name: state.read_text().strip() for state in (slurm / "states").iterdir()}
    assert sum(state != "FAILED" for state in states.values()) == 4, states
    options = min(slurm.glob("options-*")).read_text()
    for option in ("--partition=short", "--time=30", "--cpus-per-task=2", "--mem=2GB"):
        assert option in options


@pytest.mark.parametrize(
    ("state", "reason"),
    [("TIMEOUT", "the time limit was exceeded"), ("OUT_OF_MEMORY", "ended in the state OUT_OF_MEMORY")],
)
def test_a_job_that_ends_without_a_result_is_a_failure_with_its_state(slurm, tmp_path, monkeypatch, state, reason):
    monkeypatch.setenv("STATE", state)
    monkeypatch.setattr("submitit.core.core.Job._results_timeout_s", 1)  # the result of a slow network disk: none comes
    with SlurmCluster(poll=0.02, folder=str(tmp_path / "jobs")).started("test") as executor:
        campaign = campaign_on(executor, evaluations=1)
    assert campaign.status().failed == 1
    assert reason in campaign.frame()["reason"].iloc[0]


def test_without_slurm_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match="'srun' is not on the PATH"), SlurmCluster().started("test"):
        pass


def test_times_are_those_of_slurm():
    assert SlurmCluster(time="01:00:00").minutes == 60
    assert SlurmCluster(time="2-01:30:01").minutes == 2 * 24 * 60 + 91
    with pytest.raises(InputError, match="must be written as HH:MM:SS"):
        SlurmCluster(time="1 hour")
    assert SlurmCluster().requests == ("submits jobs to Slurm",)
