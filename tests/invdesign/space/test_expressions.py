from __future__ import annotations

import pytest

from invdesign.core.errors import InputError
from invdesign.space.expressions import parse, parse_amount


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("(" * 250 + "x" + ")" * 250 + " <= 1", "cannot be read"),
        ("-" * 100 + "x <= 1", "nested more than 40 levels deep"),
        ("abs(" * 60 + "x" + ")" * 60 + " <= 1", "nested more than 40 levels deep"),
        ("+".join("x" * 60) + " <= 1", "nested more than 40 levels deep"),
        ("x <= " + "9" * 400, "a number larger than 1e"),
        ("x <= 1e400", "a number larger than 1e"),
        ("x <= 9j", "not allowed"),
        ("x + " * 600 + "x <= 1", "at most 2000 characters"),
    ],
)
def test_expressions_have_limits(text, words):
    with pytest.raises(InputError, match=words):
        parse(text)


def test_python_never_warns_about_what_is_refused_anyway():
    with pytest.raises(InputError, match="not allowed"):
        parse_amount("1(2)", "cost")
