"""Drawings of molecules for pages."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from typing import Any

DRAWING = (240, 160)
"""Width and height of a drawn molecule in pixels."""


def drawn_molecules(molecules: Iterable[tuple[str, str]]) -> str:
    """HTML of molecules side by side.

    Args:
        molecules: SMILES that RDKit can read, each with a caption.
    """
    figures = (
        f'<figure class="molecule">{_svg(smiles)}<figcaption>{escape(caption)}</figcaption></figure>'
        for smiles, caption in molecules
    )
    return f'<div class="molecules">{"".join(figures)}</div>'


def _svg(smiles: str) -> str:
    from rdkit import Chem
    from rdkit.Chem.Draw import rdMolDraw2D

    drawer: Any = rdMolDraw2D.MolDraw2DSVG(*DRAWING)
    drawer.drawOptions().clearBackground = False
    rdMolDraw2D.PrepareAndDrawMolecule(drawer, Chem.MolFromSmiles(smiles))
    drawer.FinishDrawing()
    text = str(drawer.GetDrawingText())
    label = f'<svg role="img" aria-label="{escape(smiles)}"'
    return text[text.index("<svg") :].replace("<svg", label, 1)
