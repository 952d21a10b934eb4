"""Rules for molecules of an open-ended space: elements, size, rings, charge, structures, synthetic accessibility."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from invdesign.core.errors import InputError, nearest
from invdesign.space.molecules.structural_rules import STRUCTURAL_RULES, broken_rule
from invdesign.surrogates.features.chemists_scores import alerts, sa_score
from invdesign.surrogates.features.smiles import is_too_large

HEAVIEST = 118


@dataclass(frozen=True)
class MoleculeRules:
    """Limits for molecules. Molecules must also be connected and have no unpaired electrons.

    Attributes:
        elements: symbols of the elements that it may hold; hydrogen always may be.
        max_atoms: most atoms besides hydrogen.
        min_atoms: fewest.
        max_rings: most rings, in the smallest set of them.
        charge: its total charge, in elementary charges.
        forbidden: SMARTS of substructures that it must not have.
        max_sa_score: highest synthetic accessibility score, from 1 (easy) to 10 (Ertl and Schuffenhauer 2009,
            doi:10.1186/1758-2946-1-8, as in RDKit's Contrib folder); None for no limit.
        allow: names of structural rules that are turned off.
        alerts: structural alerts that it may have (see ``chemists_scores.alerts``); None for any.

    Raises:
        InputError: if an element or a SMARTS is invalid, or limits exclude each other.
    """

    elements: tuple[str, ...]
    max_atoms: int = 30
    min_atoms: int = 1
    max_rings: int = 4
    charge: int = 0
    forbidden: tuple[str, ...] = ()
    max_sa_score: float | None = None
    allow: tuple[str, ...] = ()
    alerts: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for symbol in self.elements:
            if symbol not in element_symbols():
                raise InputError(f"{symbol!r} is not a chemical element.{nearest(str(symbol), element_symbols())}")
        if not set(self.elements) - {"H"}:
            raise InputError("The elements must include one besides hydrogen, such as C.")
        if not 1 <= self.min_atoms <= self.max_atoms:
            raise InputError(
                f"min_atoms ({self.min_atoms}) and max_atoms ({self.max_atoms}) exclude all molecules. Use "
                f"numbers from 1 with min_atoms <= max_atoms."
            )
        if self.max_rings < 0:
            raise InputError(f"max_rings must be at least 0, not {self.max_rings}.")
        if self.max_sa_score is not None and not 1.0 < self.max_sa_score <= 10.0:
            raise InputError(f"max_sa_score must be between 1 (easy) and 10, not {self.max_sa_score}.")
        _ = self._patterns

    def refusal(self, molecule: Any) -> str | None:
        """The rule that a sanitized RDKit molecule violates; None if it is allowed."""
        return self.limit_refusal(molecule) or self._structure_refusal(molecule)

    def limit_refusal(self, molecule: Any) -> str | None:
        """The rule about elements or size that a molecule violates, which is quick to check; None if it keeps both."""
        symbols = {atom.GetSymbol() for atom in atoms_of(molecule)} - {"H"}
        strange = sorted(symbols - set(self.elements))
        if strange:
            return f"it contains {strange[0]}, but the allowed elements are {', '.join(self.elements)}"
        atoms = molecule.GetNumHeavyAtoms()
        if not self.min_atoms <= atoms <= self.max_atoms:
            return f"it has {atoms} atoms besides hydrogen, but {self.min_atoms} to {self.max_atoms} are allowed"
        return None

    def _structure_refusal(self, molecule: Any) -> str | None:
        from rdkit import Chem

        if len(Chem.GetMolFrags(molecule)) > 1:
            return "it is not connected"
        if any(atom.GetNumRadicalElectrons() for atom in atoms_of(molecule)):
            return "it has an unpaired electron"
        rings = molecule.GetRingInfo().NumRings()
        if rings > self.max_rings:
            return f"it has {rings} rings, but at most {self.max_rings} are allowed"
        charge = Chem.GetFormalCharge(molecule)
        if charge != self.charge:
            return f"its charge is {charge:+d}, not {self.charge:+d}"
        return self._substructure_refusal(molecule)

    def _substructure_refusal(self, molecule: Any) -> str | None:
        for smarts, pattern in self._patterns:
            if molecule.HasSubstructMatch(pattern):
                return f"it contains the forbidden {smarts}"
        if (broken := broken_rule(molecule, self.allow)) is not None:
            return f"it has {STRUCTURAL_RULES[broken].reason} (rule '{broken}')"
        if self.alerts is not None and (carried := sorted(alerts(molecule) - self.alerts)):
            return f"it has the structural alert '{carried[0]}'"
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
                        f"The forbidden SMARTS {smarts!r} cannot be read. A valid one is '[O][O]' for peroxides."
                    )
                patterns.append((smarts, pattern))
        return tuple(patterns)


def atoms_of(molecule: Any) -> list[Any]:
    """The atoms of a molecule by their numbers: RDKit's own iterator takes several times as long."""
    return [molecule.GetAtomWithIdx(place) for place in range(molecule.GetNumAtoms())]


def constitution(smiles: object) -> str | None:
    """Canonical SMILES without stereochemistry, the same when made again; None if RDKit reads no molecule."""
    from rdkit import Chem
    from rdkit.rdBase import BlockLogs

    text = smiles
    for _ in range(3):
        with BlockLogs():
            readable = isinstance(text, str) and text.strip() and not is_too_large(text)
            molecule = Chem.MolFromSmiles(text) if readable else None
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
