"""Neural networks: an ensemble of small networks, each predicting a mean and a variance."""

import numpy as np
from numpy.typing import NDArray

from invdesign.core.settings import bounded, settings
from invdesign.surrogates.ensembles import EnsembleModel, EnsembleRegressor
from invdesign.surrogates.noise import RowNoise

FEWEST_MEMBERS = 10


@settings(frozen=False, kw_only=True)
class NeuralNetwork(EnsembleRegressor):
    """An ensemble of networks with two hidden layers (torch; Lakshminarayanan et al. 2017, arXiv:1612.01474).

    Each member predicts a mean and a variance, learned by the beta-weighted likelihood of Seitzer et al. (2022,
    arXiv:2203.09168), and stops where a fifth of the rows, another one for each member, is predicted best. The
    ensemble's variance, the mean of the members' own and their disagreement, is calibrated on these rows.
    """

    members: int = bounded(default=15, ge=FEWEST_MEMBERS)
    """Number of networks; at least ten, so that every row is held out by two."""
    width: int = bounded(default=48, ge=1)
    """Neurons in each hidden layer."""
    learning_rate: float = bounded(default=5e-3, gt=0)
    """Learning rate of the optimizer AdamW."""
    weight_decay: float = bounded(default=0.03, ge=0)
    """Decay of the weights toward zero."""
    epochs: int = bounded(default=250, ge=1)
    """Largest number of epochs in the training of each network."""

    def _fitted(
        self, features: NDArray[np.float64], values: NDArray[np.float64], noise: RowNoise | None
    ) -> EnsembleModel:
        from invdesign.surrogates.neural_network.model import NetworkEnsemble, Training

        training = Training(
            members=self.members,
            width=self.width,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            epochs=self.epochs,
            seed=self.seed,
        )
        return NetworkEnsemble.trained(features, values, training, noise)
