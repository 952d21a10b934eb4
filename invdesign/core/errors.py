"""The exception for invalid input: what is wrong, where, and what would be right."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class InputError(ValueError):
    """Invalid input from a user: a file, a frame or an argument.

    The message names what is wrong, where, and what would be right. The command line shows it without a traceback;
    any other exception is a bug in invdesign.
    """


def quoted(value: object, longest: int = 80) -> str:
    """A value as messages show it: its ``repr``, cut where it is too long."""
    text = repr(value)
    return text if len(text) <= longest else f"{text[: longest - 3]}..."


RENAMED: Mapping[str, tuple[str, ...]] = {
    "assisted": ("surrogate_assisted",),
    "depth": ("max_depth",),
    "global": ("star",),
    "leaf": ("min_samples_leaf",),
    "level": ("fidelity", "ionization"),
    "levels": ("fidelities", "multi-fidelity"),
    "local": ("ring",),
    "neighbors": ("n_neighbors",),
    "neighbours": ("neighbors", "n_neighbors"),
    "share": ("max_features",),
    "trees": ("n_estimators",),
}
"""Words of earlier campaign files, and today's in one place or another."""


def nearest(word: str, valid: Iterable[str]) -> str:
    """Returns a hint such as ``" Did you mean 'voltage'?"``.

    Names of earlier campaign files give the current name. If no valid word is similar, all of them are listed.

    Args:
        word: what the user wrote.
        valid: the words that would have been right.
    """
    words = sorted(set(valid))
    if not words:
        return ""
    today = next((new for new in RENAMED.get(word, ()) if new in words), None)
    if today is not None:
        return f" It is called '{today}'."
    folded = {known.lower(): known for known in reversed(words)}
    close = difflib.get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f" Did you mean '{folded[close[0]]}'?"
    shown = ", ".join(f"'{known}'" for known in words[:12])
    return f" Known: {shown}{' and more' if len(words) > 12 else ''}."
