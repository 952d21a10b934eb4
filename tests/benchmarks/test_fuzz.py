"""Some hundred of the cases of ``benchmarks/fuzz.py``, the same in every run: each is right or refused in words."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent.parent.parent / "benchmarks"


def test_mutated_files_databases_and_texts_are_right_or_refused_in_words():
    # A process of its own: it forks, which threads of libraries that other tests have loaded do not survive.
    command = [sys.executable, "-W", "ignore", str(FOLDER / "fuzz.py"), "60", "10", "20"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    found = {kind: Counter(counts) for kind, counts in json.loads(done.stdout).items()}
    assert {kind: counts.total() for kind, counts in found.items()} == {
        **dict.fromkeys(found, 20), "campaign files": 60, "databases": 10
    }  # fmt: skip
    for kind, counts in found.items():
        right = {"databases": {"the same values"}, "campaign files": {"valid", "refused without consent"}}
        assert counts.keys() == right.get(kind, {"valid"}) | {"error in words"}, done.stderr


@pytest.mark.filterwarnings("ignore")  # Python's of forks beside threads
def test_each_way_to_fail_is_counted(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    import _fuzz_cases as cases

    def case(seed: int) -> str:
        match seed:
            case 1:
                raise KeyError("x")
            case 2:
                os.abort()
            case 3:
                _ = [0] * 10**9
            case 4:
                while True:
                    pass
        return cases.VALID

    monkeypatch.setattr(cases, "SECONDS", 0.5)
    counts = cases.outcomes(case, range(6))
    assert counts == {"valid": 2, "TRACEBACK KeyError": 1, "ENDED with -6": 1, "MEMORY": 1, "HUNG": 1}
    sys.modules.pop("_fuzz_cases")
