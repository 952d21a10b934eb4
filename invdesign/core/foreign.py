"""Imports of code that is not ours: whatever it raises becomes a message that names its file and line."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from invdesign.core.errors import InputError


@contextmanager
def importing(what: str) -> Iterator[None]:
    """Raises InputError for anything that code raises while it is imported, its ``sys.exit()`` included.

    Args:
        what: is imported, as the message begins, such as ``The module 'mine'``.
    """
    try:
        yield
    except InputError:
        raise
    except (Exception, SystemExit) as error:  # noqa: BLE001 - foreign code may raise anything
        last = traceback.extract_tb(error.__traceback__)[-1]
        within = isinstance(error, ImportError | SyntaxError)  # their text names the module or the line
        place = "" if within else f" ({last.filename}, line {last.lineno})"
        raise InputError(f"{what} cannot be imported: {type(error).__name__}: {error}{place}.") from None
