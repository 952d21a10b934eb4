"""The ready properties of a molecule: their names, units and functions, all of RDKit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from invdesign.surrogates.features.chemists_scores import alerts, sa_score


@dataclass(frozen=True)
class MoleculeProperty:
    """A number that follows from a molecule's graph.

    Attributes:
        unit: of the number; empty if it is dimensionless.
        of: the number of a sanitized RDKit molecule.
    """

    unit: str
    of: Callable[[Any], float]


def _descriptor(name: str) -> Callable[[Any], float]:
    """A descriptor of RDKit by its name, looked up at the first call, because importing them takes time."""

    def value(molecule: Any) -> float:
        from rdkit.Chem import Descriptors

        return float(getattr(Descriptors, name)(molecule))

    return value


def _largest_ring(molecule: Any) -> float:
    return float(max(map(len, molecule.GetRingInfo().AtomRings()), default=0))


def _charge(molecule: Any) -> float:
    return float(sum(atom.GetFormalCharge() for atom in molecule.GetAtoms()))


PROPERTIES: Mapping[str, MoleculeProperty] = {
    "molar_mass": MoleculeProperty("g/mol", _descriptor("MolWt")),
    "heavy_atoms": MoleculeProperty("", lambda molecule: float(molecule.GetNumHeavyAtoms())),
    "charge": MoleculeProperty("", _charge),
    "logp": MoleculeProperty("", _descriptor("MolLogP")),
    "molar_refractivity": MoleculeProperty("cm^3/mol", _descriptor("MolMR")),
    "tpsa": MoleculeProperty("angstrom^2", _descriptor("TPSA")),
    "hydrogen_donors": MoleculeProperty("", _descriptor("NumHDonors")),
    "hydrogen_acceptors": MoleculeProperty("", _descriptor("NumHAcceptors")),
    "rotatable_bonds": MoleculeProperty("", _descriptor("NumRotatableBonds")),
    "rings": MoleculeProperty("", _descriptor("RingCount")),
    "aromatic_rings": MoleculeProperty("", _descriptor("NumAromaticRings")),
    "largest_ring": MoleculeProperty("", _largest_ring),
    "sp3_share": MoleculeProperty("", _descriptor("FractionCSP3")),
    "sa_score": MoleculeProperty("", sa_score),
    "qed": MoleculeProperty("", _descriptor("qed")),
    "alerts": MoleculeProperty("", lambda molecule: float(len(alerts(molecule)))),
}
