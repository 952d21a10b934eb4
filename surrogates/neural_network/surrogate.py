"""Neural networks: an ensemble of small ones, each with a mean and a variance of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from invdesign.core.errors import InputError
from invdesign.surrogates.checks import check_positive
from invdesign.surrogates.ensembles import EnsembleModel, EnsembleRegressor

FEWEST_MEMBERS = 10


@dataclass(kw_only=True)
class NeuralNetwork(EnsembleRegressor):
    """An ensemble of networks with two hidden layers (torch; Lakshminarayanan et al. 2017, arXiv:1612.01474).

    Each member predicts a mean and a variance, learned by the beta-weighted likelihood of Seitzer et al. (2022,
    arXiv:2203.09168), and stops where a fifth of the rows, another one for each member, is predicted best. The
    ensemble's variance, the mean of the members' own and their disagreement, is calibrated on these rows; it is that
    of an observed value.

    Attributes:
        members: how many networks; at least ten, so that every row is held out by two.
        width: neurons in each hidden layer.
        learning_rate: of the optimizer AdamW.
        weight_decay: pull of the weights towards zero.
        epochs: how often each network sees the rows at most.
    """

    members: int = 15
    width: int = 48
    learning_rate: float = 5e-3
    weight_decay: float = 0.03
    epochs: int = 250

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(width=self.width, learning_rate=self.learning_rate, epochs=self.epochs)
        if self.members < FEWEST_MEMBERS:
            raise InputError(
                f"members must be {FEWEST_MEMBERS} or more, not {self.members}: each row is to be held out by two."
            )
        if self.weight_decay < 0:
            raise InputError(f"weight_decay must not be negative, but it is {self.weight_decay}.")

    def _fitted(self, features: NDArray[np.float64], values: NDArray[np.float64]) -> EnsembleModel:
        from invdesign.surrogates.neural_network.model import NetworkEnsemble, Training

        training = Training(
            members=self.members,
            width=self.width,
            learning_rate=self.learning_rate,
            weight_decay=self.weight_decay,
            epochs=self.epochs,
            seed=self.seed,
        )
        return NetworkEnsemble.trained(features, values, training)
