"""What a molecule of an open-ended space may be: elements, size, rings, charge, substructures, ease of synthesis."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from invdesign.core.errors import InputError, nearest

HEAVIEST = 118


@dataclass(frozen=True)
class MoleculeRules:
    """Limits that a molecule must keep. Whatever they are, it hangs together and has no unpaired electron.

    Attributes:
        elements: symbols of the elements that it may hold; hydrogen always may be.
        max_atoms: most atoms besides hydrogen.
        min_atoms: fewest.
        max_rings: most rings, in the smallest set of them.
        charge: its total charge, in elementary charges.
        forbidden: SMARTS of substructures that it must not have.
        max_sa_score: highest synthetic accessibility score, from 1 (easy) to 10 (Ertl and Schuffenhauer 2009,
            doi:10.1186/1758-2946-1-8, as in RDKit's Contrib folder); None for no limit.

    Raises:
        InputError: where an element or a SMARTS is none, or limits exclude each other.
    """

    elements: tuple[str, ...]
    max_atoms: int = 30
    min_atoms: int = 1
    max_rings: int = 4
    charge: int = 0
    forbidden: tuple[str, ...] = ()
    max_sa_score: float | None = None

    def __post_init__(self) -> None:
        for symbol in self.elements:
            if symbol not in element_symbols():
                raise InputError(f"{symbol!r} is no chemical element.{nearest(str(symbol), element_symbols())}")
        if not set(self.elements) - {"H"}:
            raise InputError("Molecules need an element besides hydrogen, such as C.")
        if not 1 <= self.min_atoms <= self.max_atoms:
            raise InputError(
                f"min_atoms ({self.min_atoms}) and max_atoms ({self.max_atoms}) leave no molecule: 1 or more, in order."
            )
        if self.max_rings < 0:
            raise InputError(f"max_rings is 0 or more, not {self.max_rings}.")
        if self.max_sa_score is not None and not 1.0 < self.max_sa_score <= 10.0:
            raise InputError(f"Synthetic accessibility goes from 1 (easy) to 10; {self.max_sa_score} is no limit.")
        _ = self._patterns

    def refusal(self, molecule: Any) -> str | None:
        """Says which rule a sanitized RDKit molecule breaks; None where it is allowed."""
        symbols = {atom.GetSymbol() for atom in molecule.GetAtoms()} - {"H"}
        strange = sorted(symbols - set(self.elements))
        if strange:
            return f"it holds {strange[0]}, and the elements are {', '.join(self.elements)}"
        atoms = molecule.GetNumHeavyAtoms()
        if not self.min_atoms <= atoms <= self.max_atoms:
            return f"it has {atoms} atoms besides hydrogen, and {self.min_atoms} to {self.max_atoms} are allowed"
        return self._structure_refusal(molecule)

    def _structure_refusal(self, molecule: Any) -> str | None:
        from rdkit import Chem

        if len(Chem.GetMolFrags(molecule)) > 1:
            return "it is in several pieces"
        if any(atom.GetNumRadicalElectrons() for atom in molecule.GetAtoms()):
            return "it has an unpaired electron"
        rings = molecule.GetRingInfo().NumRings()
        if rings > self.max_rings:
            return f"it has {rings} rings, and at most {self.max_rings} are allowed"
        charge = Chem.GetFormalCharge(molecule)
        if charge != self.charge:
            return f"its charge is {charge:+d}, not {self.charge:+d}"
        for smarts, pattern in self._patterns:
            if molecule.HasSubstructMatch(pattern):
                return f"it holds the forbidden {smarts}"
        if self.max_sa_score is not None and (score := sa_score(molecule)) > self.max_sa_score:
            return f"its synthetic accessibility score is {score:.2f}, above {self.max_sa_score}"
        return None

    @cached_property
    def _patterns(self) -> tuple[tuple[str, Any], ...]:
        from rdkit import Chem
        from rdkit.rdBase import BlockLogs

        patterns = []
        with BlockLogs():
            for smarts in self.forbidden:
                pattern = Chem.MolFromSmarts(smarts) if smarts.strip() else None
                if pattern is None:
                    raise InputError(
                        f"The forbidden SMARTS {smarts!r} cannot be read. A right one is '[O][O]' for peroxides."
                    )
                patterns.append((smarts, pattern))
        return tuple(patterns)


def constitution(smiles: object) -> str | None:
    """Canonical SMILES without stereochemistry, the same when made again; None where RDKit reads no molecule."""
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    text = smiles
    for _ in range(3):
        with BlockLogs():
            molecule = Chem.MolFromSmiles(text) if isinstance(text, str) and text.strip() else None
        if molecule is None or not molecule.GetNumAtoms():
            return None
        Chem.RemoveStereochemistry(molecule)
        again = str(Chem.MolToSmiles(molecule))
        if again == text:
            return again
        text = again
    return None


@lru_cache(maxsize=1)
def element_symbols() -> tuple[str, ...]:
    """The symbols of all elements, by atomic number."""
    from rdkit import Chem

    table = Chem.GetPeriodicTable()
    return tuple(table.GetElementSymbol(number) for number in range(1, HEAVIEST + 1))


def sa_score(molecule: Any) -> float:
    """Synthetic accessibility from 1 (easy) to 10 (Ertl and Schuffenhauer 2009), of a sanitized RDKit molecule."""
    return float(_scorer().calculateScore(molecule))


@lru_cache(maxsize=1)
def _scorer() -> Any:
    """RDKit's Contrib is a folder of scripts, no package: the scorer is loaded from its file."""
    from rdkit import RDConfig

    path = Path(RDConfig.RDContribDir) / "SA_Score" / "sascorer.py"
    specification = importlib.util.spec_from_file_location("sascorer", path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise InputError(f"This RDKit lacks its Contrib folder ('{path}'), which scores synthesis. Reinstall rdkit.")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
