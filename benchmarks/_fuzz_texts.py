"""SMILES, formulas, expressions, constraints and units made hostile: the cases of reading what users write."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from _fuzz_cases import VALID

import invdesign as ind
from invdesign.core.units import conversion
from invdesign.space.expressions import parse_amount
from invdesign.surrogates.features.formulas import composition_keys, elements_of


@dataclass(frozen=True)
class Texts:
    """Texts of one kind.

    Attributes:
        check: reads a text.
        valid: texts that can be read.
        parts: of hostile texts.
    """

    check: Callable[[str], object]
    valid: tuple[str, ...]
    parts: tuple[str, ...]

    def case(self, seed: int) -> str:
        """Reads a text: made of parts, or a valid one with some inserted; now and then repeated."""
        rng = random.Random(seed)
        if seed % 2:
            text = "".join(rng.choice(self.parts) for _ in range(rng.randint(1, 12)))
        else:
            text = rng.choice(self.valid)
            for _ in range(rng.randint(0, 2)):
                place = rng.randrange(len(text) + 1)
                text = text[:place] + rng.choice(self.parts) + text[place + rng.randint(0, 1) :]
        self.check(text * rng.choice([10, 1000]) if rng.random() < 0.1 else text)
        return VALID


def _molecule(text: str) -> None:
    ind.MoleculePool.from_smiles([text, "CCO", "CC"])
    ind.MoleculeGraph(seeds=(text,))


def _formula(text: str) -> None:
    composition_keys([text], ("(OH)",))
    metals = {"elements": ["Li", "Na"], "amount": 1, "step": 0.1}
    anions = {"species": ["O", "OH"], "amount": 2, "pick": 1}
    elements_of([text])
    ind.Composition(sites={"M": metals, "X": anions}).encode([text])


def _expression(text: str) -> None:
    parse_amount(text, "cost")
    space = ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(-1, 1), constraints=[f"{text} <= 1"])
    space.sample(3, np.random.default_rng(0))


def _constraint(text: str) -> None:
    ind.SearchSpace(x=ind.Continuous(0, 1), y=ind.Continuous(-1, 1), constraints=[text]).sample(
        3, np.random.default_rng(0)
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


OPERATORS = (
    *_words("x y 1 0 9 1e308 ** * / // % + - ( ) abs( log( min( , . ' x.y [ ] exp( 9**9**9 __import__('os') { := 0x"),
    *_words("_ sqrt(-1) 1/0 @ é"),
    *("lambda: ", "for ", " if ", " else ", " and ", "not ", "\n", "\0", "-" * 90, "(" * 90),
)
TEXTS = {
    "SMILES": Texts(
        _molecule,
        ("CCO", "c1ccccc1", "[Na+].[Cl-]", "C[C@H](N)C(=O)O", "O=C1OCCO1", "FC(F)(F)C#N"),
        (
            *_words("C N O H c1ccccc1 ( ) [ ] = # %99 1 2 9 . / \\ @ [Na+] [999C] [C+99] [Fe] [U] * $ : -> >> é"),
            *(" ", "\t", "\0", "C" * 400, "(" * 300),
        ),
    ),
    "formulas": Texts(
        _formula,
        ("LiO2", "Li0.5Na0.5O2", "Na(OH)2", "Li0.3Na0.7(OH)2", "O2Li", "Li2O4"),
        (
            *_words("Li Na O O2 H2O Xx li ( ) (( (((( [ ] { } (OH) (((O)2)2)2 1e999 1000000000 0 0.5 . .. -1 nan"),
            *_words("é · + *"),
            *(" ", "\n", "9" * 40, "(" * 300),
        ),
    ),
    "expressions": Texts(_expression, ("x + y", "2 * x - y / 3", "x ** 2", "log(x + 1)", "min(x, y)"), OPERATORS),
    "constraints": Texts(
        _constraint,
        ("x + y <= 1", "0 <= x < 0.5", "x <= 0.5 or y >= 0", "not x > 0.9", "x * y == 0.1", "abs(y) <= x"),
        (*OPERATORS, "<=", "<", "==", "!=", " or ", ">="),
    ),
    "units": Texts(
        lambda text: conversion(text, "m"),
        ("m", "km", "m^2/m", "um", "angstrom"),
        (" ", *_words("m s V degC dB 9 1e9 ** ^ * / ( ) - ² ⁹ % . ' é")),
    ),
}
