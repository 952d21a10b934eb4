"""Constraints between parameters: conditions that every candidate of the space satisfies."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np

from invdesign.space import expressions

if TYPE_CHECKING:
    from numpy.typing import NDArray

SLACK = 1e-9
"""Relative tolerance of a condition, for rounding."""


@dataclass(frozen=True)
class Constraint:
    """A condition over parameter names, in the parameters' own units.

    Example:
        >>> Constraint("2 * coating_thickness + foil <= 200")
        >>> Constraint("solvent != 'water' or temperature <= 90")

    Attributes:
        expression: the condition; see ``invdesign.space.expressions`` for the allowed syntax.

    Raises:
        InputError: if the expression cannot be read.
    """

    expression: str

    def __post_init__(self) -> None:
        _ = self._tree

    @cached_property
    def _tree(self) -> ast.expr:
        return expressions.parse(self.expression)

    @property
    def names(self) -> frozenset[str]:
        """The parameters that the condition refers to."""
        return expressions.names(self._tree)

    @property
    def derived(self) -> frozenset[str]:
        """The derived quantities that the condition refers to, each as ``name.quantity``."""
        return frozenset(name for name in expressions.quantities(self._tree) if "." in name)

    def violation(self, columns: Mapping[str, Any]) -> NDArray[np.float64]:
        """The violation of the condition by each row, in the compared numbers' own unit: zero if satisfied.

        Args:
            columns: an array of values for each name, all of one length. If an expression has no finite value, the
                violation is infinite.
        """
        with np.errstate(all="ignore"):
            broken = _violation(self._tree, columns)
        rows = len(next(iter(columns.values())))
        return np.broadcast_to(np.where(np.isnan(broken), np.inf, broken), (rows,)).astype(np.float64)

    def equalities(self) -> list[expressions.Affine]:
        """The linear forms that must be zero, if the condition is (a chain of) ``==``; else an empty list."""
        if not isinstance(self._tree, ast.Compare) or not all(isinstance(op, ast.Eq) for op in self._tree.ops):
            return []
        sides = [self._tree.left, *self._tree.comparators]
        differences = [expressions.affine(ast.BinOp(left, ast.Sub(), right)) for left, right in pairwise(sides)]
        return [form for form in differences if form is not None]

    def bounds(self) -> list[tuple[expressions.Affine, float, float]] | None:
        """The condition as linear forms between two bounds each; None if it is not linear.

        A strict comparison counts as one that includes equality: its bound still has to be checked.
        """
        parts = self._tree.values if _is_and(self._tree) else [self._tree]
        found: list[tuple[expressions.Affine, float, float]] = []
        for part in parts:
            if not isinstance(part, ast.Compare):
                return None
            sides = [part.left, *part.comparators]
            for (left, right), op in zip(pairwise(sides), part.ops, strict=True):
                form = expressions.affine(ast.BinOp(left, ast.Sub(), right))
                if form is None or isinstance(op, ast.NotEq):
                    return None
                below = -np.inf if isinstance(op, ast.Lt | ast.LtE) else 0.0
                above = np.inf if isinstance(op, ast.Gt | ast.GtE) else 0.0
                found.append((form, below, above))
        return found

    def is_strict(self) -> bool:
        """Whether a bound itself does not satisfy the condition."""
        return any(isinstance(node, ast.Lt | ast.Gt) for node in ast.walk(self._tree))

    def demands_equality(self) -> bool:
        """True if numbers are compared by ``==``, which random points never satisfy."""
        if not isinstance(self._tree, ast.Compare) or not any(isinstance(op, ast.Eq) for op in self._tree.ops):
            return False
        sides = [self._tree.left, *self._tree.comparators]
        return not any(isinstance(side, ast.Constant) and isinstance(side.value, str) for side in sides)

    def compared_words(self) -> list[tuple[str, str]]:
        """Pairs of a parameter's name and a quoted word that it is compared with."""
        found = []
        for node in ast.walk(self._tree):
            if isinstance(node, ast.Compare):
                for left, right in pairwise([node.left, *node.comparators]):
                    for name, word in ((left, right), (right, left)):
                        if (
                            isinstance(name, ast.Name)
                            and isinstance(word, ast.Constant)
                            and isinstance(word.value, str)
                        ):
                            found.append((name.id, word.value))
        return found

    def __str__(self) -> str:
        return self.expression


def _is_and(node: ast.expr) -> TypeGuard[ast.BoolOp]:
    return isinstance(node, ast.BoolOp) and isinstance(node.op, ast.And)


def _violation(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    match node:
        case ast.BoolOp():
            parts = np.broadcast_arrays(*(_violation(part, columns) for part in node.values))
            return np.maximum.reduce(parts) if isinstance(node.op, ast.And) else np.minimum.reduce(parts)
        case ast.UnaryOp(op=ast.Not()):
            return np.where(_violation(node.operand, columns) > 0.0, 0.0, 1.0)
        case ast.Compare():
            sides = [expressions.value(side, columns) for side in (node.left, *node.comparators)]
            pairs = zip(sides[:-1], node.ops, sides[1:], strict=True)
            return np.maximum.reduce(np.broadcast_arrays(*(_compared(*pair) for pair in pairs)))
    raise AssertionError(f"parse let {ast.dump(node)} through")  # pragma: no cover


def _compared(left: Any, op: ast.cmpop, right: Any) -> Any:
    if np.asarray(left).dtype.kind in "OUS" or np.asarray(right).dtype.kind in "OUS":
        if not isinstance(op, ast.Eq | ast.NotEq):
            raise TypeError("words cannot be ordered")
        same = np.asarray(left, dtype=object) == np.asarray(right, dtype=object)
        return np.where(same == isinstance(op, ast.Eq), 0.0, 1.0)
    broken = _compared_numbers(left, op, right)
    return np.where(np.isfinite(left) & np.isfinite(right), broken, np.inf)


def _compared_numbers(left: Any, op: ast.cmpop, right: Any) -> Any:
    slack = SLACK * np.maximum(np.abs(left), np.abs(right))
    match op:
        case ast.LtE() | ast.GtE():
            over = left - right if isinstance(op, ast.LtE) else right - left
            return np.where(over <= slack, 0.0, over)
        case ast.Lt() | ast.Gt():
            over = left - right if isinstance(op, ast.Lt) else right - left
            return np.where(over < 0.0, 0.0, np.maximum(over, np.finfo(float).tiny))
        case ast.Eq():
            return np.where(np.abs(left - right) <= slack, 0.0, np.abs(left - right))
    return np.where(np.abs(left - right) > slack, 0.0, 1.0)
