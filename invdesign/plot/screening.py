"""The figure of a screening: how many candidates passed each step of its funnel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from invdesign.core.errors import InputError
from invdesign.plot.style import MET, QUIET, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from invdesign.screening.funnel import StepCount


def funnel(counts: Sequence[StepCount]) -> Figure:
    """The candidates that entered and passed each step, on a logarithmic axis.

    Args:
        counts: the steps in their order, such as ``Screening.funnel``.

    Raises:
        InputError: if there is no step.
    """
    if not counts:
        raise InputError("A funnel needs at least one step.")
    places = np.arange(len(counts))
    entered, passed = ([getattr(one, name) for one in counts] for name in ("entered", "passed"))
    with figure(height=0.9 + 0.4 * len(counts)) as (made, (axes,)):
        axes.barh(places, entered, color=QUIET, alpha=0.35, height=0.7, label="entered")
        axes.barh(places, passed, color=MET, height=0.45, label="passed")
        for place, one in zip(places, counts, strict=True):
            axes.annotate(
                f"{one.passed:,}", (max(one.passed, 1), place), xytext=(3, 0), textcoords="offset points",
                va="center", fontsize=7,
            )  # fmt: skip
        axes.set_yticks(places, [one.name for one in counts])
        axes.invert_yaxis()
        axes.set_xscale("log")
        axes.set_xlim(left=0.8, right=3.0 * max(1, *entered))
        axes.set_xlabel("candidates")
        axes.legend(loc="lower right")
        return made
