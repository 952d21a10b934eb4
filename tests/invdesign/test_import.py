"""Importing invdesign and asking for help are quick because nothing heavy is loaded by them."""

from __future__ import annotations

import subprocess
import sys

import pytest

import invdesign

HEAVY = ("torch", "pybamm", "rdkit", "botorch", "gpytorch", "sklearn", "scipy", "pandas", "plotly", "sqlalchemy")


@pytest.mark.parametrize(
    "code",
    [
        "import invdesign",
        "import invdesign.cli",
        "from typer.testing import CliRunner; from invdesign.cli import app; CliRunner().invoke(app, ['--help'])",
    ],
    ids=["import", "command line", "help"],
)
def test_nothing_heavy_is_loaded(code):
    command = f"{code}\nimport sys; print(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_a_space_of_numbers_loads_neither_torch_nor_rdkit_nor_pybamm():
    code = (
        "import invdesign as ind, sys; ind.SearchSpace(x=ind.Continuous(0, 1));"
        "ind.Targets(ind.AtLeast('f', 1, unit='V'));"
        "ind.CellObjective(inputs={'x': 'Positive electrode porosity'});"
        "print(*[name for name in ('torch', 'pybamm', 'rdkit') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_every_public_name_is_there():
    for name in invdesign.__all__:
        assert getattr(invdesign, name).__doc__
    with pytest.raises(AttributeError, match="No invdesign attribute Campain"):
        _ = invdesign.Campain
