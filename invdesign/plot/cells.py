"""Figures of simulated cells: discharge curves of chosen candidates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invdesign.core.errors import InputError
from invdesign.plot.style import SERIES, figure

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


def discharge(curves: pd.DataFrame) -> Figure:
    """Voltage over capacity, one line a candidate.

    Args:
        curves: as ``CellObjective.discharge_curves`` returns them.

    Raises:
        InputError: if there is no curve.
    """
    if curves.empty:
        raise InputError("There is no discharge curve. Give candidates that the cell can discharge.")
    with figure() as (made, (axes,)):
        for place, (name, curve) in enumerate(curves.groupby("candidate", sort=False)):
            style = ("-", "--", "-.", ":")[place // len(SERIES) % 4]
            axes.plot(curve["capacity"], curve["voltage"], style, color=SERIES[place % len(SERIES)], label=str(name))
        axes.set_xlabel("capacity (mAh/cm²)")
        axes.set_ylabel("voltage (V)")
        axes.legend(title="candidate")
        return made
