"""Expressions over parameter names, parsed safely and never run as Python.

Allowed are numbers, quoted words, parameter names, their quantities (``cathode.Co``, ``electrolyte.share("EC")``),
``+ - * / **``, comparisons (chained too), ``and``, ``or``, ``not``,
parentheses and the functions in FUNCTIONS. ``parse`` refuses everything else.
"""

from __future__ import annotations

import ast
import operator
import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from invdesign.core.errors import InputError

LONGEST = 2000
DEEPEST = 40
"""Operations within operations."""
LARGEST_NUMBER = 1e300
FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "exp": np.exp,
    "log": np.log,
    "log10": np.log10,
    "min": lambda *values: np.minimum.reduce(np.broadcast_arrays(*values)),
    "max": lambda *values: np.maximum.reduce(np.broadcast_arrays(*values)),
}
_ARITHMETIC: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)

Affine = tuple[dict[str, float], float]


def parse(text: str) -> ast.expr:
    """Parses a condition over parameter names.

    Args:
        text: such as ``"porosity + active <= 0.95"`` or ``"solvent != 'water' or temperature <= 90"``.

    Raises:
        InputError: if the text is not a condition, or contains anything that is not allowed.
    """
    tree = _read(text, "constraint", "x + y <= 1")
    if not _is_condition(tree):
        raise InputError(f"The constraint '{text}' needs a comparison, such as '{text} <= 1'.")
    _check(tree, text, "constraint")
    return tree


def parse_amount(text: str, what: str) -> ast.expr:
    """Parses a number that depends on parameters.

    Args:
        text: such as ``"2 + 0.1 * temperature"``.
        what: description for messages.

    Raises:
        InputError: if the text is not a number, or contains anything that is not allowed.
    """
    tree = _read(text, what, "2 + 0.1 * temperature")
    compared = [node for node in ast.walk(tree) if isinstance(node, ast.Compare | ast.BoolOp | ast.Not)]
    if compared:
        raise InputError(f"The {what} '{text}' must be a number, such as '2 + 0.1 * temperature', not a comparison.")
    _check(tree, text, what)
    return tree


def _read(text: str, what: str, example: str) -> ast.expr:
    if not isinstance(text, str) or not text.strip():
        raise InputError(f"A {what} must be an expression such as '{example}', not {text!r}.")
    if len(text) > LONGEST:
        raise InputError(f"A {what} may have at most {LONGEST} characters, not {len(text)}.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SyntaxWarning)  # such as that of "1(2)", which is refused below
            tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InputError(f"The {what} '{text}' cannot be read: {message}.") from None
    layer: list[ast.AST] = [tree]
    for _ in range(DEEPEST):
        layer = [child for node in layer for child in ast.iter_child_nodes(node)]
    if layer:
        raise InputError(f"The {what} '{text}' is nested more than {DEEPEST} levels deep. Use fewer parentheses.")
    return tree


def names(tree: ast.expr) -> frozenset[str]:
    """The parameter names in a parsed condition."""
    return frozenset(name.partition(".")[0] for name in quantities(tree))


def quantities(tree: ast.expr) -> frozenset[str]:
    """The names in a parsed condition: parameters, and numbers derived from them as ``name.quantity``."""
    passed = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    passed |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    asked = [node for node in ast.walk(tree) if _is_question(node)]
    found = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and id(node) not in passed}
    attributes = [node for node in ast.walk(tree) if isinstance(node, ast.Attribute) and id(node) not in passed]
    return frozenset(found | {ast.unparse(node) for node in (*attributes, *asked)})


def value(node: ast.expr, columns: Mapping[str, Any]) -> Any:
    """Evaluates an arithmetic (sub)expression on arrays.

    Args:
        node: the parsed expression.
        columns: an array of values for each name and each derived quantity.
    """
    match node:
        case ast.Constant():
            return node.value if isinstance(node.value, str) else float(node.value)  # type: ignore[arg-type]
        case ast.Name():
            return columns[node.id]
        case ast.Attribute() | ast.Call(func=ast.Attribute()):
            return columns[ast.unparse(node)]
        case ast.UnaryOp():
            operand = value(node.operand, columns)
            return -operand if isinstance(node.op, ast.USub) else operand
        case ast.BinOp():
            left, right = value(node.left, columns), value(node.right, columns)
            return _ARITHMETIC[type(node.op)](np.asarray(left, dtype=np.float64), right)
        case ast.Call(func=ast.Name(id=function)):
            return FUNCTIONS[function](*(value(argument, columns) for argument in node.args))
    raise AssertionError(f"parse let {ast.dump(node)} through")  # pragma: no cover


def affine(node: ast.expr) -> Affine | None:
    """Converts an arithmetic expression to coefficients of names and a constant; None if it is not linear."""
    match node:
        case ast.Constant():
            return None if isinstance(node.value, str) else ({}, float(node.value))  # type: ignore[arg-type]
        case ast.Name() | ast.Attribute() | ast.Call(func=ast.Attribute()):
            return {ast.unparse(node): 1.0}, 0.0
        case ast.UnaryOp():
            inner = affine(node.operand)
            return inner if inner is None or isinstance(node.op, ast.UAdd) else _scaled(inner, -1.0)
        case ast.BinOp():
            left, right = affine(node.left), affine(node.right)
            if left is None or right is None:
                return None
            return _combined(left, right, node.op)
    return None


def _combined(left: Affine, right: Affine, op: ast.operator) -> Affine | None:
    match op:
        case ast.Add() | ast.Sub():
            other = right if isinstance(op, ast.Add) else _scaled(right, -1.0)
            total = {name: left[0].get(name, 0.0) + other[0].get(name, 0.0) for name in {**left[0], **other[0]}}
            return total, left[1] + other[1]
        case ast.Mult() if not right[0]:
            return _scaled(left, right[1])
        case ast.Mult() if not left[0]:
            return _scaled(right, left[1])
        case ast.Div() if not right[0] and right[1] != 0.0:
            return _scaled(left, 1.0 / right[1])
    return None


def _scaled(form: Affine, factor: float) -> Affine:
    return {name: factor * coefficient for name, coefficient in form[0].items()}, factor * form[1]


def _is_question(node: ast.AST) -> bool:
    """Whether this is a quantity of something named, such as ``electrolyte.share("EC")``."""
    match node:
        case ast.Call(func=ast.Attribute(value=ast.Name()), args=[ast.Constant(value=str())], keywords=[]):
            return True
    return False


def _is_condition(node: ast.expr) -> bool:
    match node:
        case ast.Compare():
            return True
        case ast.BoolOp():
            return all(_is_condition(part) for part in node.values)
        case ast.UnaryOp(op=ast.Not()):
            return _is_condition(node.operand)
    return False


def _check(node: ast.expr, text: str, what: str) -> None:
    """Raises InputError for the first part that is not allowed."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            if not abs(number) <= LARGEST_NUMBER:
                raise InputError(f"The {what} '{text}' contains a number larger than {LARGEST_NUMBER:g}.")
            return None
        case ast.Constant(value=str()):
            return None
        case ast.Name() | ast.Attribute(value=ast.Name()):
            return None
        case ast.Call() if _is_question(node):
            return None
        case ast.UnaryOp(op=ast.USub() | ast.UAdd() | ast.Not()):
            return _check(node.operand, text, what)
        case ast.BinOp() if type(node.op) in _ARITHMETIC:
            parts = [node.left, node.right]
        case ast.BoolOp():
            parts = node.values
        case ast.Compare() if all(isinstance(op, _COMPARISONS) for op in node.ops):
            parts = [node.left, *node.comparators]
        case ast.Call(func=ast.Name(id=function), keywords=[]) if function in FUNCTIONS and node.args:
            if function not in ("min", "max") and len(node.args) != 1:
                raise InputError(f"The {what} '{text}': {function} takes one argument, not {len(node.args)}.")
            parts = node.args
        case _:
            raise InputError(
                f"The {what} '{text}' contains '{ast.unparse(node)}', which is not allowed. Use numbers, parameter "
                f"names, + - * / **, comparisons, and, or, not, and {', '.join(FUNCTIONS)}."
            )
    for part in parts:
        _check(part, text, what)
    return None
