"""Lets libraries that draw from Python's and numpy's global random state draw from a generator of ours instead."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np


@contextmanager
def drawing_from(rng: np.random.Generator) -> Iterator[None]:
    """Within the context the global random states follow from a generator; afterward they are what they were.

    pyswarms draws from ``numpy.random``, DEAP from ``random`` and from ``numpy.random``. Neither takes a generator.

    Args:
        rng: source of randomness; two draws are taken from it.
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002 - the state that is to be given back
    try:
        random.seed(int(rng.integers(2**63)))
        np.random.seed(int(rng.integers(2**32)))  # noqa: NPY002 - the library draws from it
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
