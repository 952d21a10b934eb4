"""Shared by all tests: generators, the folder of real datasets, hypothesis without a clock, Ctrl-C that works."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A shell's background job ignores Ctrl-C and hands that on to the campaigns that tests interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)

EXAMPLES = Path(__file__).parent.parent / "examples"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def examples() -> Path:
    return EXAMPLES


@pytest.fixture
def real_data() -> Path:
    """The folder of registered datasets; tests that need it are skipped where it is not provided."""
    folder = os.environ.get("INVDESIGN_DATA")
    if not folder:
        pytest.skip("INVDESIGN_DATA names no folder with the registered datasets")
    return Path(folder)


@pytest.fixture
def python_calls() -> Callable[[Callable[[], object]], int]:
    """Counts the Python functions that an action calls: a measure of work that depends on no clock and no machine."""

    def counted(action: Callable[[], object]) -> int:
        calls = 0

        def count(_frame: object, event: str, _argument: object) -> None:
            nonlocal calls
            calls += event == "call"

        before = sys.getprofile()
        sys.setprofile(count)
        try:
            action()
        finally:
            sys.setprofile(before)
        return calls

    return counted
