"""The pictures in docs: small, of pages that exist, and drawn by their script."""

from __future__ import annotations

import importlib.util
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PICTURES = sorted((ROOT / "docs" / "screenshots").glob("*.png"))


def test_pictures_are_small_and_linked():
    assert [picture.stem for picture in PICTURES] == [
        *("doan2020_redox_flow", "li2022_mxenes", "liow2022_ncm_cathodes", "report"),
    ]
    linked = (ROOT / "docs" / "pictures.md").read_text(encoding="utf-8")
    for picture in PICTURES:
        assert 5_000 < picture.stat().st_size < 200_000
        assert f"screenshots/{picture.name}" in linked


def test_the_script_draws_a_page(tmp_path):
    pytest.importorskip("nbconvert")
    described = importlib.util.spec_from_file_location("screenshots", ROOT / "docs" / "screenshots.py")
    assert described is not None
    assert described.loader is not None
    script = importlib.util.module_from_spec(described)
    described.loader.exec_module(script)
    for name in script.NOTEBOOKS:
        cells = script.shown(ROOT / "notebooks" / f"{name}.ipynb").cells
        assert any("image/png" in output.get("data", {}) for output in cells[-1].outputs)
    if not any(map(shutil.which, script.BROWSERS)):
        pytest.skip("no browser is on the PATH")
    page = tmp_path / "page.html"
    page.write_text("<body style='margin: 0; background: #fff'><h1>campaign</h1></body>", encoding="utf-8")
    script.photographed(page, tmp_path / "page.png", profile=tmp_path / "profile")
    assert 200 < (tmp_path / "page.png").stat().st_size < 50_000
