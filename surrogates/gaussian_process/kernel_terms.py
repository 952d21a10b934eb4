"""Which features go into which part of a Gaussian process's kernel, and which of them share a length scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from invdesign.surrogates.features.featurizer import MOST_VALUES
from invdesign.surrogates.gaussian_process.parts import Part

if TYPE_CHECKING:
    from invdesign.surrogates.features.featurizer import Block

Combination = Literal["joint", "sum", "product"]
MOST_LENGTHSCALES = 20
"""Numbers and categories up to which each has length scales of its own, where the user does not say."""
ORBITAL = 2.0
"""How many times as much as all descriptors of a molecule one of its orbitals' energies counts in a distance: what the
descriptors share is what the orbitals already tell (hits of 60 on homobenzylic ethers: 58.8 at 1, 59.0 at 2)."""
MOLECULAR = ("molecule", "orbitals")
MIXED = ("amount", "mixture", "set")
"""Of a mixture the amounts have one length scale, and the properties of each role's components another."""
BLENDED = ("amount", "set")
"""Features of a mixture in which its components add up, each in proportion to its amount."""
MANY = ("formula", *MIXED)


def kernel_terms(
    blocks: Sequence[Block], *, combine: Combination, ard: bool | None, averaged: bool = False
) -> list[list[Part]]:
    """The kernel's terms, each a product of parts, for blocks of features; see ``GaussianProcess``.

    Args:
        blocks: of the features.
        combine: how kinds of columns go together.
        ard: whether each feature has a length scale of its own.
        averaged: whether, if ``ard`` is None, a kernel with one length scale stands beside that with several.
    """
    together: dict[str, list[Block]] = {}
    for block in blocks:
        if block.kind in ("fidelity", "fingerprint"):
            continue
        kind = "molecule" if block.kind in MOLECULAR else "number" if block.kind == "temperature" else block.kind
        together.setdefault(kind if combine != "joint" else "features", []).append(block)
    # One part for each molecule: in one of all together, the many fragments of a large one drown those of a small one.
    counts = [Part("tanimoto", _places([block])) for block in blocks if block.kind == "fingerprint"]
    parts = [*(_stationary(chosen, ard) for chosen in together.values()), *counts]
    orbitals = _places([block for block in blocks if block.kind == "orbitals"])
    terms = [parts] if combine == "product" else [[part] for part in parts]
    if len(counts) > 1 and combine == "joint":
        terms.append(counts)  # what a molecule does may depend on the others
    if averaged and ard is None and _few_of_one_group(blocks, groups=len(together)) and parts[0].lengthscales > 1:
        # Few values fit many length scales too well and one for all too badly: the mean of both (see alternatives).
        terms.append([_stationary(blocks, ard=False)])
    if orbitals:
        terms.append([Part("linear", orbitals)])
    terms += _blending(blocks)
    terms += [_trend(block, blocks, ard) for block in blocks if block.kind == "temperature"]
    fidelities = _places([block for block in blocks if block.kind == "fidelity"])
    if not fidelities:
        return terms
    factor, fidelity = Part("factor", fidelities), Part("linear", fidelities)
    return [*([factor, *term] for term in terms), *([fidelity, *term] for term in terms), [fidelity]]


def _blending(blocks: Sequence[Block]) -> list[list[Part]]:
    """Linear blending: each component adds its amount times a coefficient, of its own and by its fingerprint.

    Scheffé 1958, doi:10.1111/j.2517-6161.1958.tb00299.x. Where many components share one length scale, a distance takes
    one that was never measured to be like the others: the model was too sure of it (off by 1.25 standard deviations
    instead of 1.0, from 30 electrolytes), and a search refined known ones.
    """
    if not _crowded(blocks):
        return []
    together: dict[tuple[str, str], list[Block]] = {}
    for block in blocks:
        if block.kind in BLENDED:
            together.setdefault((block.column, block.kind), []).append(block)
    return [[Part("linear", _places(chosen))] for chosen in together.values()]


def _trend(temperature: Block, blocks: Sequence[Block], ard: bool | None) -> list[Part]:
    """A line in the reciprocal of a temperature, whose slope depends on everything else: an energy of activation."""
    rest = [one for one in blocks if one is not temperature and one.kind not in ("fidelity", "fingerprint")]
    line = Part("linear", _places([temperature]))
    return [line, _stationary(rest, ard)] if rest else [line]


def _stationary(blocks: Sequence[Block], ard: bool | None) -> Part:
    """A kernel on distances, with a length scale for each feature, for those that go together, or for all."""
    crowded = _crowded(blocks)
    shared = crowded and ard is None
    groups = _groups(blocks, shared=shared)
    if ard is False or (shared and len(set(groups)) == 1):
        groups = ()
    # Where length scales are shared, the distance goes by all features; a category of one length scale is one thing.
    varied = _things(blocks) if crowded or not groups else len(set(groups))
    return Part(
        "stationary",
        _places(blocks),
        groups,
        dimension=varied,
        pooled=bool(groups and crowded and ard),
        weights=_weights(blocks),
    )


def _crowded(blocks: Sequence[Block]) -> bool:
    """Whether the features are too many for a length scale each."""
    return _things(blocks) > MOST_LENGTHSCALES or any(block.kind == "molecule" for block in blocks)


def _few_of_one_group(blocks: Sequence[Block], *, groups: int) -> bool:
    """Whether one kernel on distances is all there is, for few features."""
    others = any(block.kind in ("fidelity", "fingerprint", "orbitals", "temperature") for block in blocks)
    return groups == 1 and not others and not _crowded(blocks)


def _groups(blocks: Sequence[Block], *, shared: bool) -> tuple[int, ...]:
    """The number of each feature's length scale.

    Args:
        blocks: of the features.
        shared: whether features that are many go together: a molecule's, a formula's, and numbers and categories where
            they are more than 20. Then what stands beside a molecule still has length scales of its own: one number
            would be lost among two hundred descriptors.
    """
    few = _things([block for block in blocks if block.kind not in (*MOLECULAR, *MANY)]) <= MOST_LENGTHSCALES
    keys: list[tuple[object, ...]] = []
    for block in blocks:
        if shared and block.kind in MIXED:
            keys += [("many", block.column, block.kind, block.start)] * len(block.names)
        elif shared and (block.kind in MOLECULAR or (few and block.kind == "formula")):
            keys += [("many", block.column)] * len(block.names)
        elif shared and not few:
            keys += [("rest",)] * len(block.names)
        elif block.kind == "category" and len(block.names) > MOST_VALUES:
            keys += [("values", block.column)] * len(block.names)
        else:
            keys += [(block.column, name) for name in block.names]
    numbers = {key: number for number, key in enumerate(dict.fromkeys(keys))}
    return tuple(numbers[key] for key in keys)


def _things(blocks: Sequence[Block]) -> int:
    """How many things vary: a category is one, however many values it has."""
    return sum(1 if block.kind == "category" else len(block.names) for block in blocks)


def _weights(blocks: Sequence[Block]) -> tuple[float, ...]:
    """Weights that make orbitals' energies count beside all descriptors of their molecule; none without orbitals."""
    if not any(block.kind == "orbitals" for block in blocks):
        return ()
    weights: list[float] = []
    for block in blocks:
        beside = sum(len(one.names) for one in blocks if one.kind == "molecule" and one.column == block.column)
        heavy = block.kind == "orbitals" and beside > 0
        weights += [math.sqrt(ORBITAL * beside) if heavy else 1.0] * len(block.names)
    return tuple(weights)


def _places(blocks: Sequence[Block]) -> tuple[int, ...]:
    return tuple(place for block in blocks for place in range(block.places.start, block.places.stop))
