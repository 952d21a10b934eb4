"""The command line."""

from invdesign.cli.commands import app

__all__ = ["app"]
