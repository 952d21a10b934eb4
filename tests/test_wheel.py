"""The wheel, built from the source distribution as a user gets it, holds one name and leaves the user's own alone."""

from __future__ import annotations

import site
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = """\
import objectives, surrogates
import invdesign as ind

assert objectives.MINE and surrogates.MINE
assert "site-packages" in ind.__file__, ind.__file__
space = ind.SearchSpace(porosity=ind.Continuous(0.2, 0.45), layers=ind.Integer(1, 8))
campaign = ind.Campaign(space, ind.Targets(ind.AtLeast("energy", 1.0, unit="Wh")), seed=1, initial=4)
objective = ind.PythonObjective(lambda porosity, layers: {"energy": layers * porosity}, {"energy": "Wh"})
campaign.run(objective, evaluations=12)
print(campaign.status().hits)
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "hatchling", "build", "--directory", str(folder), "--target"]
    subprocess.run([*build, "sdist"], cwd=ROOT, check=True, capture_output=True)
    (source,) = folder.glob("*.tar.gz")
    with tarfile.open(source) as archive:
        archive.extractall(folder, filter="data")
    subprocess.run([*build, "wheel"], cwd=folder / source.name.removesuffix(".tar.gz"), check=True, capture_output=True)
    (built,) = folder.glob("*.whl")
    return built


def test_it_holds_one_name_and_no_tests(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"invdesign"}
    assert {"invdesign/objectives/base.py", "invdesign/surrogates/base.py", "invdesign/py.typed"} <= set(names)
    assert "invdesign/__init__.pyi" in names
    assert not [name for name in names if "test_" in name or name.startswith(("docs", "benchmarks"))]


def test_it_runs_beside_a_users_own_objectives_and_surrogates(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "env")], check=True)
    (packages,) = (tmp_path / "env" / "lib").glob("python*/site-packages")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(packages), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    # The libraries come from this environment; its own invdesign does not, for it stands there as a path alone.
    (packages / "libraries.pth").write_text("\n".join(site.getsitepackages()))
    script = tmp_path / "mine"
    script.mkdir()
    for name in ("objectives", "surrogates"):
        (script / f"{name}.py").write_text("MINE = True\n")
    (script / "campaign.py").write_text(SCRIPT)
    python = tmp_path / "env" / "bin" / "python"
    done = subprocess.run([python, "campaign.py"], cwd=script, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 0
