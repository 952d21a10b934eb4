"""The command line as tests call it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from typer.testing import CliRunner

from invdesign.cli import app


@pytest.fixture
def invdesign() -> Callable[..., str]:
    """Calls a command by its words, as in ``invdesign("run", "p.yaml", code=2)``; returns what it prints."""

    def call(*words: str, code: int = 0) -> str:
        result = CliRunner().invoke(app, list(words))
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        assert result.exit_code == code, result.output
        return result.output

    return call
