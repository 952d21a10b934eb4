"""Graph networks: an ensemble that learns from the atoms and bonds of molecules, by chemprop."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from invdesign.core.errors import InputError
from invdesign.core.settings import bounded, settings
from invdesign.surrogates.ensembles import EnsembleModel, EnsembleRegressor
from invdesign.surrogates.neural_network.surrogate import FEWEST_MEMBERS
from invdesign.surrogates.noise import RowNoise

OF_MOLECULES = ("molecule", "fingerprint", "orbitals")
"""Kinds of features that describe molecules, which the network sees as graphs."""


@settings(frozen=False, kw_only=True)
class GraphNetwork(EnsembleRegressor):
    """An ensemble of directed message-passing networks (chemprop; Yang et al. 2019, doi:10.1021/acs.jcim.9b00237).

    It suits tables of a thousand molecules and more. Each member learns a vector of a molecule from its atoms and
    bonds, puts the features of the other columns beside it, and predicts a mean and a variance from both by the
    beta-weighted likelihood of Seitzer et al. (2022, arXiv:2203.09168). Several columns of molecules are read by the
    same network; without any, it is one of the other features alone. Each member stops where a fifth of the rows,
    another one for each member, is predicted best; the ensemble's variance is calibrated on these rows.

    Needs the extra ``graph-network``. Training takes about a quarter of an hour for 7,000 molecules on one core.
    """

    members: int = bounded(default=10, ge=FEWEST_MEMBERS)
    """Number of networks; at least ten, so that every row is held out by two."""
    width: int = bounded(default=200, ge=1)
    """Size of the vectors of bonds and molecules."""
    depth: int = bounded(default=3, ge=1)
    """Bonds over which an atom is described."""
    learning_rate: float = bounded(default=1e-3, gt=0)
    """Largest learning rate of the optimizer AdamW, in a cycle (Smith and Topin 2018, arXiv:1708.07120)."""
    updates: int = bounded(default=1600, ge=1)
    """Steps of the optimizer, in whole passes over the rows."""
    descriptors: bool = False
    """Whether the molecules' features, too (RDKit's descriptors by default), stand beside what is learned of them."""

    def __post_init__(self) -> None:
        if find_spec("chemprop") is None:
            raise InputError("A graph network needs chemprop. Install it: pip install 'invdesign[graph-network]'")

    def _matrix(self, frame: pd.DataFrame) -> NDArray[Any]:
        """Features, and beside them the SMILES of the molecules."""
        numbers = super()._matrix(frame)
        smiles = frame[self._molecules].to_numpy(dtype=object)
        return np.concatenate([numbers.astype(object), smiles], axis=1) if self._molecules else numbers

    def _numbers(self, matrix: NDArray[Any]) -> NDArray[np.float64]:
        return matrix[:, : len(self._fitted_featurizer().names)].astype(np.float64, copy=False)

    @property
    def _molecules(self) -> list[str]:
        """The columns of molecules."""
        return [column.name for column in self._fitted_featurizer().columns if column.kind == "molecule"]

    def _fitted(self, features: NDArray[Any], values: NDArray[np.float64], noise: RowNoise | None) -> EnsembleModel:
        from invdesign.surrogates.graph_network.model import GraphEnsemble, Training

        blocks = self._fitted_featurizer().blocks
        beside = [block for block in blocks if self.descriptors or block.kind not in OF_MOLECULES]
        training = Training(
            members=self.members,
            width=self.width,
            depth=self.depth,
            learning_rate=self.learning_rate,
            updates=self.updates,
            seed=self.seed,
        )
        places = np.concatenate([np.arange(0), *(np.arange(b.places.start, b.places.stop) for b in beside)])
        return GraphEnsemble.trained(features, values, training, noise, numbers=places, molecules=len(self._molecules))
