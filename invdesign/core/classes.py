"""Names of classes as properties: the class ``layered`` of ``structure`` is the property ``structure=layered``.

Its value is 1 or 0 if it is known, and a probability if it is predicted. So a class is a number everywhere: in stores,
in models, and in targets.
"""

from __future__ import annotations

SIGN = "="


def class_name(name: str, value: str) -> str:
    """The property that is 1 for candidates of a class."""
    return f"{name}{SIGN}{value}"


def class_property(name: str) -> str:
    """The property whose class a name means, such as ``structure``; other names are unchanged."""
    return name.partition(SIGN)[0]
