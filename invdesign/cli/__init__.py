"""The command line."""

from invdesign.cli import by_hand, commands  # noqa: F401 - which add their commands
from invdesign.cli.application import app

__all__ = ["app"]
