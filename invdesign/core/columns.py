"""Descriptions of the columns of a candidate frame, for surrogates and objectives.

The search space passes this plain description on, so that surrogates and objectives need not import the space.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from pydantic.json_schema import SkipJsonSchema

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

ColumnKind = Literal["number", "category", "molecule", "formula", "mixture", "fidelity", "material"]


@runtime_checkable
class Described(Protocol):
    """What is known of the materials of a column before anything is measured."""

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the descriptors."""

    @property
    def matrix(self) -> NDArray[np.float64]:
        """Descriptors of all materials, shape ``n x len(names)``; NaN where one is missing."""

    @property
    def formulas(self) -> Sequence[str]:
        """Formulas of all materials, shape ``n``; empty if they have none."""

    def places(self, ids: Sequence[object]) -> NDArray[np.int64]:
        """The row of each id; InputError for one that is unknown."""


@dataclass(frozen=True)
class Component:
    """A component that mixtures of a column can contain.

    Attributes:
        name: in the text of a mixture.
        role: such as ``solvent``.
        smiles: canonical SMILES; empty if it is not a molecule.
        formula: chemical formula; empty if it is unknown.
        unit: of its amount; empty for a fraction.
        largest: largest amount.
    """

    name: str
    role: str
    smiles: str = ""
    formula: str = ""
    unit: str = ""
    largest: float = 1.0


@dataclass(frozen=True)
class Column:
    """One column of a candidate frame.

    Attributes:
        name: the parameter's name, the column's label in the frame.
        kind: a number, an unordered category, a molecule (canonical SMILES), a chemical formula, a mixture of
            components, the fidelity at which the row's properties are computed, or the id of a material that
            ``described`` says more of.
        bounds: smallest and largest value of a number, in ``unit``.
        unit: the unit of a number, as pint reads it; empty for dimensionless.
        log: True if a number spans orders of magnitude and needs a logarithmic scale.
        values: the values that a category can take, or those of a molecule pool; a surrogate may fit scalers and
            principal components on them, since they are known before anything is measured. Of a formula, the symbols
            of the elements that can occur. The fidelities, the cheapest first and the target fidelity last. Of a
            mixture, the names of the components.
        components: of a mixture, in the order of ``values``.
        described: descriptors and formulas of materials; None for other kinds.
    """

    name: str
    kind: ColumnKind
    bounds: tuple[float, float] | None = None
    unit: str = ""
    log: bool = False
    values: Sequence[str] = field(default=(), repr=False)
    described: SkipJsonSchema[Described] | None = field(default=None, repr=False)
    components: tuple[Component, ...] = field(default=(), repr=False)
