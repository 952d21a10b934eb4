from __future__ import annotations

import pytest

from invdesign.core.errors import InputError
from invdesign.space.expressions import names, parse, parse_amount, quantities


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


def test_quantities_may_ask_for_something_by_name():
    tree = parse('2 * e.share("EC") + e.count <= x')
    assert quantities(tree) == {"e.share('EC')", "e.count", "x"}
    assert names(tree) == {"e", "x"}


@pytest.mark.parametrize("text", ["e.share(EC) <= 1", 'a.b.c("x") <= 1', 'e.share("a", "b") <= 1', "e.share(1) <= 1"])
def test_no_other_calls_are_allowed(text):
    with pytest.raises(InputError, match="not allowed"):
        parse(text)
