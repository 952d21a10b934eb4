"""What is kept on disk is computed once; a failure too, unless it may pass."""

from __future__ import annotations

import pytest

from invdesign.objectives.failures import CandidateFailure, PassingFailure
from invdesign.objectives.kept_results import KeptResults

KEPT = KeptResults("kept.db", "results", ("of", "by"))


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INVDESIGN_CACHE", str(tmp_path))


def never() -> dict[str, float]:
    raise AssertionError("computed though it is kept")


def failing(error: Exception):
    def compute() -> dict[str, float]:
        raise error

    return compute


def test_a_result_is_computed_once():
    assert KEPT.result(("CO", "xTB"), lambda: {"energy": -1.25}) == {"energy": -1.25}
    assert KEPT.result(("CO", "xTB"), never) == {"energy": -1.25}
    assert KEPT.result(("CO", "DFT"), lambda: {"energy": -2.0}) == {"energy": -2.0}


def test_a_failure_is_kept_with_its_reason():
    for compute in (failing(CandidateFailure("it fell apart")), never):
        with pytest.raises(CandidateFailure, match="it fell apart"):
            KEPT.result(("CC", "xTB"), compute)


def test_what_may_pass_is_tried_again():
    with pytest.raises(PassingFailure, match="time"):
        KEPT.result(("C", "xTB"), failing(PassingFailure("no time")))
    assert KEPT.result(("C", "xTB"), lambda: {"energy": 0.5}) == {"energy": 0.5}
