"""Figures of materials: molecules, elements in the periodic table, mixtures of three."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError, nearest
from invdesign.plot.style import MET, figure, label
from invdesign.report.mixtures import CORNERS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SUM_TOLERANCE = 1e-3


def molecules(
    smiles: Sequence[str], captions: Sequence[str] | None = None, *, columns: int = 5, most: int = 50
) -> Figure:
    """Molecules in a grid, each with a caption.

    Args:
        smiles: readable by RDKit.
        captions: one for each molecule, such as its value and unit.
        columns: molecules side by side.
        most: largest number of molecules.

    Raises:
        InputError: naming the molecule, if one cannot be read or there is none.
    """
    from matplotlib.image import imread
    from rdkit import Chem
    from rdkit.Chem.Draw import rdMolDraw2D

    shown = list(smiles)[:most]
    if not shown:
        raise InputError("There are no molecules to draw.")
    words = list(captions)[:most] if captions is not None else [""] * len(shown)
    if len(words) != len(shown):
        raise InputError(f"There are {len(shown)} molecules, but {len(words)} captions.")
    columns = min(columns, len(shown))
    rows = -(-len(shown) // columns)
    with figure(rows, columns, width=1.5, height=1.6) as (made, several):
        for axes in several:
            axes.axis("off")
        for place, (text, caption, axes) in enumerate(zip(shown, words, several, strict=False)):
            molecule = Chem.MolFromSmiles(text)
            if molecule is None:
                raise InputError(f"Molecule {place} ({text!r}) is not a readable SMILES.")
            drawer = rdMolDraw2D.MolDraw2DCairo(400, 360)
            rdMolDraw2D.PrepareAndDrawMolecule(drawer, molecule)
            drawer.FinishDrawing()
            axes.imshow(imread(io.BytesIO(drawer.GetDrawingText())))
            axes.set_title(caption, fontsize=7, pad=1)
        return made


def periodic_table(values: Mapping[str, float], *, title: str = "", colors: str = "viridis") -> Figure:
    """A value for each element as a color in the periodic table.

    Args:
        values: by element symbol.
        title: of the color bar, with the unit.
        colors: matplotlib's color map.

    Raises:
        InputError: if a symbol is not an element.
    """
    import matplotlib as mpl
    from matplotlib.patches import Rectangle
    from pymatgen.core.periodic_table import Element

    from invdesign.surrogates.features.elements import element_symbols, nearest_element

    for symbol in values:
        if symbol not in element_symbols():
            raise InputError(f"'{symbol}' is not an element.{nearest_element(symbol)}")
    known = [value for value in values.values() if np.isfinite(value)]
    norm = mpl.colors.Normalize(min(known, default=0.0), max(known, default=1.0))
    paint = mpl.colormaps[colors]
    scale = mpl.cm.ScalarMappable(norm, paint)
    with figure(width=7.0, height=3.4) as (made, (axes,)):
        for symbol in element_symbols():
            element = Element(symbol)
            x, y = element.group, float(element.row)
            if element.is_lanthanoid or element.is_actinoid:
                x, y = 3 + element.Z - (57 if element.is_lanthanoid else 89), 9.5 if element.is_lanthanoid else 10.5
            has = symbol in values and np.isfinite(values[symbol])
            color: Any = paint(norm(values[symbol])) if has else "0.95"
            dark = has and np.dot(color[:3], (0.3, 0.6, 0.1)) < 0.5
            axes.add_patch(Rectangle((x - 0.5, -y - 0.5), 0.94, 0.94, color=color, lw=0))
            axes.text(x, -y, symbol, ha="center", va="center", fontsize=7, color="white" if dark else "0.2")
        axes.set_xlim(0.4, 18.6)
        axes.set_ylim(-11.2, -0.4)
        axes.set_aspect("equal")
        axes.axis("off")
        if known:
            made.colorbar(scale, ax=axes, label=title, shrink=0.7)
        return made


def ternary(
    frame: pd.DataFrame,
    shares: tuple[str, str, str],
    value: str,
    *,
    unit: str = "",
    best: object = None,
    colors: str = "viridis",
) -> Figure:
    """A property over mixtures of three, one point for each candidate.

    Args:
        frame: candidates.
        shares: the three columns of shares, which sum to one.
        value: the column of the property.
        unit: of the property.
        best: label of the row that is ringed; None to ring none.
        colors: matplotlib's color map.

    Raises:
        InputError: if a column or the best row is missing, or shares do not sum to one (naming the row).
    """
    if best is not None and best not in frame.index:
        raise InputError(f"Row {best} of the best candidate is not in the frame.")
    for name in (*shares, value):
        if name not in frame:
            raise InputError(f"Unknown column '{name}'.{nearest(name, map(str, frame))}")
    parts = frame[list(shares)].to_numpy(dtype=np.float64)
    wrong = np.abs(parts.sum(axis=1) - 1.0) > SUM_TOLERANCE
    if wrong.any():
        row = int(np.argmax(wrong))
        raise InputError(f"Row {frame.index[row]}: {', '.join(shares)} sum to {parts[row].sum():g}, not to 1.")
    points = parts @ CORNERS
    with figure(width=3.8, height=3.2) as (made, (axes,)):
        axes.plot(*CORNERS[[0, 1, 2, 0]].T, color="0.4", lw=0.8)
        for step in np.linspace(0.2, 0.8, 4):
            for one, two, three in ((0, 1, 2), (1, 2, 0), (2, 0, 1)):
                ends = np.array([step * CORNERS[one] + (1 - step) * CORNERS[other] for other in (two, three)])
                axes.plot(*ends.T, color="0.9", lw=0.6, zorder=0)
        drawn = axes.scatter(points[:, 0], points[:, 1], c=frame[value], cmap=colors, s=18, edgecolor=MET, lw=0.2)
        if best is not None:
            ringed = points[frame.index == best]
            axes.scatter(ringed[:, 0], ringed[:, 1], s=90, facecolor="none", edgecolor="0.1", lw=1.4)
        offsets = ((-6, -10), (6, -10), (0, 6))
        for corner, name, offset in zip(CORNERS, shares, offsets, strict=True):
            axes.annotate(name.replace("_", " "), corner, xytext=offset, textcoords="offset points", ha="center")
        axes.set_aspect("equal")
        axes.axis("off")
        made.colorbar(drawn, ax=axes, label=label(value, {value: unit}), shrink=0.75)
        return made
