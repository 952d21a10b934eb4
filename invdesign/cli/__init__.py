"""The command line."""

from invdesign.cli import commands  # noqa: F401 - adds its commands, which the help lists first

# isort: split
from invdesign.cli import by_hand  # noqa: F401 - adds its commands
from invdesign.cli.application import app

__all__ = ["app"]
