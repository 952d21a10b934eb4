from __future__ import annotations

import os
from contextlib import contextmanager

import pytest

from invdesign import Failures, InputError, RunSettings, read_campaign
from invdesign.campaign.failures import FailingObjectiveError
from invdesign.campaign_file.running import Listeners, Watch

FILE = """\
campaign: staged
seed: 1
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, between: [0.7, 0.8], unit: V}
objective:
  - {type: python, function: mine.py:cheap, units: {f: V, process: ''}}
  - {type: python, function: mine.py:costly, units: {f: V}, name: costly, verify: {top: 3, rounds: 2}}
  - {type: python, function: mine.py:costly, units: {f: V}, name: costliest, verify: top 2}
optimizer: {type: random}
budget: {initial: 6, evaluations: 20, batch: 2}
workers: 2
"""
FUNCTIONS = """\
import os
from pathlib import Path

def cheap(x):
    if x > 0.9 and Path('broken').exists():
        raise ValueError('too thick')
    return {'f': x, 'process': os.getpid()}

def costly(x):
    return {'f': x + 0.25}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "mine.py").write_text(FUNCTIONS)
    (tmp_path / "s.yaml").write_text(FILE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Notes(Watch):
    """Notes what a run shows."""

    def __init__(self):
        self.seen = []

    def message(self, text):
        self.seen.append(text)

    @contextmanager
    def search(self, campaign, evaluations, stage):
        yield Listeners(
            lambda status: self.seen.append(status.evaluated + status.failed),
            lambda count, _: self.seen.append(f"{stage.name} {count}"),
            lambda number, reason: self.seen.append(f"{number}: {reason}"),
        )

    @contextmanager
    def verification(self, stage):
        yield Listeners(on_verified=lambda count, _: self.seen.append(f"{stage.name} {count}"))


def test_one_call_does_all_that_the_file_says(folder):
    watch = Notes()
    campaign = read_campaign("s.yaml").run(watch=watch)
    frame = campaign.frame()
    assert len(frame) == 20
    assert os.getpid() not in frame["process"].to_numpy(), "evaluated by the file's workers"
    assert [one.evaluations for one in campaign.rounds()] == [13, 20]
    assert campaign.verified()["stage"].value_counts().to_dict() == {"costly": 6, "costliest": 2}
    assert [note for note in watch.seen if isinstance(note, str)] == [
        *(f"costly {count}" for count in range(1, 7)),
        "costliest 1",
        "costliest 2",
    ]
    assert watch.seen.index(20) < watch.seen.index("costly 4")
    again = read_campaign("s.yaml").run()
    assert again.frame().equals(frame), "it goes on with the file's store, where nothing is left to do"


def test_another_number_of_evaluations_and_another_store(folder):
    setting = read_campaign("s.yaml")
    assert len(setting.run(folder / "other.db", evaluations=13).frame()) == 13
    assert setting.open().frame().empty


def test_it_is_what_the_command_runs(folder, invdesign):
    ours = read_campaign("s.yaml").run(folder / "ours.db")
    invdesign("run", "s.yaml")
    theirs = read_campaign("s.yaml").open()
    columns = ["x", "f", "origin"]
    assert ours.frame()[columns].equals(theirs.frame()[columns])
    assert ours.verified()["f"].equals(theirs.verified()["f"])


@pytest.mark.parametrize("rounds", ["", ", rounds: 2"])
def test_failed_candidates_are_tried_again(folder, rounds):
    (folder / "s.yaml").write_text(FILE.replace(", rounds: 2", rounds))
    (folder / "broken").touch()
    watch = Notes()
    failed = read_campaign("s.yaml").run(watch=watch).status().failed
    assert failed > 0
    assert sum(str(note).endswith("too thick") for note in watch.seen) == failed
    (folder / "broken").unlink()
    watch = Notes()
    status = read_campaign("s.yaml").run(retry_failed=True, watch=watch).status()
    assert watch.seen[0] == f"{failed} failed candidates are evaluated again."
    assert (status.evaluated, status.failed) == (20, 0)


def test_a_search_that_only_fails_ends(folder):
    (folder / "mine.py").write_text("def cheap(x):\n    raise ValueError('a')\n\ndef costly(x):\n    return {'f': x}\n")
    with pytest.raises(FailingObjectiveError, match="2 evaluations failed for one reason"):
        read_campaign("s.yaml").run(settings=RunSettings(failures=Failures(stop_after=2)))


def test_a_file_of_a_laboratory_has_nothing_to_run(folder):
    head, _ = FILE.split("objective:")
    (folder / "s.yaml").write_text(head)
    with pytest.raises(InputError, match=r"s\.yaml has no objective to run\. Add one, or use ask and tell"):
        read_campaign("s.yaml").run()


def test_why_a_search_ended_is_shown(folder):
    (folder / "s.yaml").write_text(FILE.replace("workers: 2", "stop: {hits: 1}"))
    watch = Notes()
    campaign = read_campaign("s.yaml").run(watch=watch)
    assert campaign.ended is not None
    assert f"The search ended: {campaign.ended}" in watch.seen
