"""How the seconds of a physics objective are shared out, and a cache that holds nothing."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


class Clock:
    """Adds up the seconds spent inside functions."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def on(self, owner: Any, attribute: str, name: str) -> Iterator[None]:
        """Times every call of a function while the context is open."""
        original: Callable[..., Any] = getattr(owner, attribute)
        self.seconds[name] = 0.0

        def timed(*args: Any, **settings: Any) -> Any:
            start = time.perf_counter()
            try:
                return original(*args, **settings)
            finally:
                self.seconds[name] += time.perf_counter() - start

        setattr(owner, attribute, timed)
        try:
            yield
        finally:
            setattr(owner, attribute, original)


@contextmanager
def empty_cache() -> Iterator[None]:
    """A cache folder that holds nothing, so that everything is computed."""
    before = os.environ.get("INVDESIGN_CACHE")
    with tempfile.TemporaryDirectory() as folder:
        os.environ["INVDESIGN_CACHE"] = folder
        try:
            yield
        finally:
            os.environ.pop("INVDESIGN_CACHE")
            if before is not None:
                os.environ["INVDESIGN_CACHE"] = before
