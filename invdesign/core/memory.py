"""Memory limits: their sizes as text, and the limit of a process while it runs a call (Linux)."""

from __future__ import annotations

import re
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, Field

from invdesign.core.errors import InputError

FACTORS = {"MB": 10**6, "GB": 10**9, "TB": 10**12, "MIB": 2**20, "GIB": 2**30, "TIB": 2**40}
SMALLEST = 500_000_000
"""Smallest limit in bytes: Python with numpy and pandas needs some 200 MB by itself."""
SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([A-Za-z]+)")


def bytes_of(size: str) -> int:
    """Returns the bytes of a size such as ``2 GB`` or ``500 MiB``.

    Raises:
        InputError: if it is not a size, or less than 500 MB.
    """
    found = SIZE.fullmatch(size.strip())
    if found is None or found[2].upper() not in FACTORS:
        raise InputError(f"'{size}' is not a size of memory. Write it as 2 GB, 500 MB or 4 GiB.")
    number = int(float(found[1]) * FACTORS[found[2].upper()])
    if number < SMALLEST:
        raise InputError(f"A memory limit must be at least 500 MB, not '{size}': Python itself needs 200 MB.")
    return number


def _checked(size: str) -> str:
    bytes_of(size)
    return size


MemorySize = Annotated[str, AfterValidator(_checked), Field(json_schema_extra={"examples": ["2 GB"]})]
"""A size of memory of at least 500 MB, such as ``2 GB``."""


@contextmanager
def limited_memory(limit: int | None) -> Iterator[None]:
    """Limits the data of this process (heap and private mappings) during the block.

    Args:
        limit: in bytes; None for no limit.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    if limit is not None:
        resource.setrlimit(resource.RLIMIT_DATA, (limit, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def exceeded() -> str | None:
    """The reason of a MemoryError if the memory of this process is limited; None if it is not."""
    limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
    return None if limit == resource.RLIM_INFINITY else f"used more than {written(limit)} of memory"


def written(limit: int) -> str:
    """A number of bytes as text, such as ``2 GB``."""
    return f"{limit / 1e9:.4g} GB"


def data_size() -> int:
    """Bytes of this process that a limit counts; 0 if unknown."""
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[5]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()
