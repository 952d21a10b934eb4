"""Draws the pictures of notebooks and of a report in ``docs/screenshots``, by headless Chromium.

    python docs/screenshots.py    (needs the extras notebooks and physics)

Of each notebook its beginning and its first figure are shown, as committed; the report is that of the first campaign,
which is run.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbconvert import HTMLExporter
from PIL import Image, ImageChops

ROOT = Path(__file__).parents[1]
PICTURES = Path(__file__).parent / "screenshots"
NOTEBOOKS = ("li2022_mxenes", "liow2022_ncm_cathodes", "doan2020_redox_flow")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
SIZE = (1100, 1000)
"""Width and height in pixels."""
MARGIN = 24
"""White below what is drawn, in pixels."""
COLORS = 96
"""Colors of a picture, so that it stays below 200 KB."""


def browser() -> str:
    """The first browser on the PATH.

    Raises:
        FileNotFoundError: if there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise FileNotFoundError(f"Screenshots need one of {', '.join(BROWSERS)} on the PATH.")
    return found


def shown(path: Path) -> Any:
    """The notebook's first cell, and its first figure with the text before it; all of it if it has no figure."""
    notebook = nbformat.read(path, as_version=4)
    figures = [
        place
        for place, cell in enumerate(notebook.cells)
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", ()))
    ]
    if not figures:
        return notebook
    drawn = figures[0]
    text = max((place for place in range(drawn) if notebook.cells[place].cell_type == "markdown"), default=0)
    notebook.cells = [notebook.cells[0], *(notebook.cells[place] for place in range(max(1, text), drawn + 1))]
    return notebook


def photographed(page: Path, picture: Path, *, profile: Path) -> None:
    """Draws a page of HTML as PNG."""
    command = [
        *(browser(), "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"),
        *("--disable-background-networking", "--disable-component-update", "--virtual-time-budget=20000"),
        f"--user-data-dir={profile}",
        f"--window-size={SIZE[0]},{SIZE[1]}",
        f"--screenshot={picture}",
        page.as_uri(),
    ]
    subprocess.run(command, check=True, capture_output=True, timeout=120)  # noqa: S603 - our own words
    with Image.open(picture) as image:
        colored = image.convert("RGB")
        drawn = ImageChops.invert(colored).getbbox() or (0, 0, *colored.size)  # what is not white
        small = colored.crop((0, 0, colored.width, min(colored.height, drawn[3] + MARGIN))).quantize(COLORS)
    small.save(picture, optimize=True)


def first_report(folder: Path) -> Path:
    """The report of the campaign of the first notebook, which is run."""
    namespace: dict[str, Any] = {}
    for cell in nbformat.read(ROOT / "notebooks" / "first_campaign.ipynb", as_version=4).cells:
        if cell.cell_type == "code":
            exec(cell.source, namespace)  # noqa: S102 - the project's own notebook
    written: Path = namespace["campaign"].report(folder / "report.html")
    return written


def main() -> None:
    """Draws all pictures."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for notebook in NOTEBOOKS:
            page = folder / f"{notebook}.html"
            page.write_text(
                HTMLExporter().from_notebook_node(shown(ROOT / "notebooks" / f"{notebook}.ipynb"))[0], encoding="utf-8"
            )
            photographed(page, PICTURES / f"{notebook}.png", profile=folder / "profile")
        photographed(first_report(folder), PICTURES / "report.png", profile=folder / "profile")


if __name__ == "__main__":
    main()
