"""One look for all figures: the size of a journal's column, and colors that differ in lightness."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from invdesign.report.words import with_unit

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MET, MISSED, WINDOW, QUIET = "#1b5e9e", "#c98a4b", "#2e7d50", "#8a8a8a"
"""Blue, ochre, green and grey differ in lightness, and marks in shape, so that figures can be read in grey."""
SERIES = ("#1b5e9e", "#c98a4b", "#2e7d50", "#7a3b69", "#555555", "#b0a030")
MARKS = ("o", "s", "^", "D", "v", "P")
COLUMN = 3.5
"""Width of a figure of one column, in inches."""
LOOK: dict[Any, Any] = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.labelsize": 9,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "savefig.dpi": 300,
    "figure.dpi": 120,
    "savefig.bbox": "tight",
}


class NotebookFigure(Figure):
    """A figure that a notebook shows when it is the last value of a cell, whatever pyplot is set to."""

    def _repr_png_(self) -> bytes:
        """The figure as PNG."""
        drawn = io.BytesIO()
        self.savefig(drawn, format="png", dpi=self.dpi, bbox_inches="tight")
        return drawn.getvalue()


@contextmanager
def figure(
    rows: int = 1, columns: int = 1, *, width: float = COLUMN, height: float = 2.6
) -> Iterator[tuple[Figure, list[Axes]]]:
    """A figure in the package's look, and its axes row by row; it belongs to no global state of pyplot.

    Args:
        rows: of axes.
        columns: of axes.
        width: of one of them, in inches.
        height: of one of them, in inches.
    """
    import matplotlib as mpl

    with mpl.rc_context(LOOK):
        made = NotebookFigure(figsize=(width * columns, height * rows), layout="constrained")
        FigureCanvasAgg(made)
        axes = made.subplots(rows, columns, squeeze=False)
        yield made, list(axes.ravel())


def label(name: str, units: dict[str, str]) -> str:
    """The label of an axis: a name for readers with its unit."""
    return with_unit(name, units.get(name, ""))
