"""The command line; each module adds its commands, those of campaigns first in the help."""

from invdesign.cli import commands

# isort: split
from invdesign.cli import by_hand
from invdesign.cli.application import app

__all__ = ["app", "by_hand", "commands"]
