"""``python -m invdesign``: the command line."""

from invdesign.cli import app

app()
