from __future__ import annotations

import resource

import pytest

from invdesign.core.errors import InputError
from invdesign.core.failures import reason_of
from invdesign.core.memory import bytes_of, limited_memory, written


@pytest.mark.parametrize(
    ("size", "number"), [("2 GB", 2 * 10**9), ("2gb", 2 * 10**9), ("1.5 GiB", 3 * 2**29), ("600MB", 6 * 10**8)]
)
def test_sizes_are_read(size, number):
    assert bytes_of(size) == number


@pytest.mark.parametrize("size", ["2", "GB", "2 G B", "-1 GB", "2 GV", "nan GB", ""])
def test_what_is_not_a_size_is_refused(size):
    with pytest.raises(InputError, match=r"is not a size of memory\. Write it as 2 GB"):
        bytes_of(size)


def test_a_limit_below_what_python_needs_is_refused():
    with pytest.raises(InputError, match="must be at least 500 MB, not '100 MB'"):
        bytes_of("100 MB")


def test_a_limit_holds_within_its_block():
    before = resource.getrlimit(resource.RLIMIT_DATA)
    assert reason_of(MemoryError()) == "MemoryError"
    with limited_memory(3 * 10**9):
        assert reason_of(MemoryError()) == "used more than 3 GB of memory"
    assert resource.getrlimit(resource.RLIMIT_DATA) == before
    assert written(bytes_of("1.5 GiB")) == "1.611 GB"
