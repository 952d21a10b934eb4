"""BayBE and Ax on electrolytes, each on the form of the problem that it can take, as its documentation shows it.

BayBE takes a list of candidates, one column of numbers for each component: it cannot search a space of millions, so
that it is given some of it. Ax takes slots: two solvents and a salt by name, a fraction, a concentration and a
temperature.
"""

from __future__ import annotations

import logging
import warnings
from typing import Protocol

import numpy as np
import pandas as pd
from _electrolytes import SALTS, SOLVENTS

from invdesign.surrogates.features.mixture_text import mixture_amounts

UNITS = {**dict.fromkeys(SOLVENTS, ""), **dict.fromkeys(SALTS, "mol/l")}


class Peer(Protocol):
    """Takes measured electrolytes and asks for the next one."""

    def tell(self, candidates: pd.DataFrame, values: np.ndarray) -> None: ...

    def ask(self) -> pd.DataFrame: ...


class BayBE:
    """BayBE's BotorchRecommender on a list of candidates.

    Args:
        candidates: the list, one row each.
        window: of the conductivity; None to maximize it.
    """

    def __init__(self, candidates: pd.DataFrame, window: tuple[float, float] | None) -> None:
        from baybe import Campaign
        from baybe.objectives import SingleTargetObjective
        from baybe.parameters import NumericalDiscreteParameter
        from baybe.recommenders import BotorchRecommender
        from baybe.searchspace import SearchSpace as BayBESpace
        from baybe.targets import NumericalTarget

        warnings.simplefilter("ignore")
        self._candidates = candidates.drop_duplicates(ignore_index=True)
        self._numbers = self._as_numbers(self._candidates)
        rows = self._numbers.drop(columns=[name for name in self._numbers if np.ptp(self._numbers[name]) == 0])
        self._columns = list(rows)
        parameters = [NumericalDiscreteParameter(name, sorted(rows[name].unique())) for name in rows]
        if window is None:
            target = NumericalTarget("k")
        else:
            target = NumericalTarget.match_bell("k", sum(window) / 2, (window[1] - window[0]) / 2)
        self._campaign = Campaign(
            BayBESpace.from_dataframe(rows, parameters), SingleTargetObjective(target), BotorchRecommender()
        )
        self._place = {key: row for row, key in enumerate(rows.itertuples(index=False, name=None))}

    def tell(self, candidates: pd.DataFrame, values: np.ndarray) -> None:
        """Adds measurements, which need not be of the list."""
        rows = self._as_numbers(candidates)[self._columns].reset_index(drop=True)
        self._campaign.add_measurements(rows.assign(k=values), numerical_measurements_must_be_within_tolerance=False)

    def ask(self) -> pd.DataFrame:
        """The next candidate of the list, one row."""
        (key,) = self._campaign.recommend(1)[self._columns].itertuples(index=False, name=None)
        return self._candidates.iloc[[self._place[key]]].reset_index(drop=True)

    def _as_numbers(self, candidates: pd.DataFrame) -> pd.DataFrame:
        amounts = mixture_amounts(candidates["electrolyte"].tolist(), UNITS)
        numbers = pd.DataFrame(amounts.round(6), columns=[name.replace(" ", "_") for name in UNITS])
        return numbers.assign(temperature=candidates["temperature"].to_numpy(dtype=float))


class Ax:
    """Ax's Client with its default generation strategy; solvents, salt and amounts in slots.

    Args:
        seed: of its random numbers.
        window: of the conductivity; None to maximize it.
        temperatures: that can be chosen, in K.
    """

    def __init__(self, seed: int, window: tuple[float, float] | None, temperatures: list[float]) -> None:
        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        logging.disable(logging.WARNING)
        warnings.simplefilter("ignore")
        self._window, self._temperatures = window, temperatures
        choices = {"first": list(SOLVENTS), "second": list(SOLVENTS), "salt": list(SALTS)}
        ranges = {"fraction": (0.05, 1.0, 0.05), "concentration": (0.4, 2.0, 0.1)}
        if len(temperatures) > 1:
            ranges["temperature"] = (temperatures[0], temperatures[-1], temperatures[1] - temperatures[0])
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(
            [
                *(
                    ChoiceParameterConfig(name=name, parameter_type="str", values=values, is_ordered=False)
                    for name, values in choices.items()
                ),
                *(
                    RangeParameterConfig(name=name, parameter_type="float", bounds=(low, high), step_size=step)
                    for name, (low, high, step) in ranges.items()
                ),
            ]
        )
        self._client.configure_optimization(objective="score")
        self._trial: int | None = None

    def tell(self, candidates: pd.DataFrame, values: np.ndarray) -> None:
        """Completes the trial that was asked for, or attaches others."""
        scores = values if self._window is None else -np.abs(values - sum(self._window) / 2)
        for place, score in enumerate(scores):
            trial = self._trial
            if trial is None:
                trial = self._client.attach_trial(self._slots(candidates.iloc[place]))
            self._client.complete_trial(trial_index=trial, raw_data={"score": float(score)})
            self._trial = None

    def ask(self) -> pd.DataFrame:
        """The next candidate, one row."""
        ((self._trial, slots),) = self._client.get_next_trials(max_trials=1).items()
        first, second, fraction = slots["first"], slots["second"], float(slots["fraction"])
        pure = first == second or fraction > 0.999
        parts = f"{first} 1" if pure else f"{first} {fraction:.2f} + {second} {1 - fraction:.2f}"
        text = f"{parts} | {slots['salt']} {float(slots['concentration']):.1f} mol/l"
        temperature = float(slots.get("temperature", self._temperatures[0]))
        return pd.DataFrame({"electrolyte": [text], "temperature": [temperature]})

    def _slots(self, candidate: pd.Series) -> dict[str, float | str]:
        amounts = dict(zip(UNITS, mixture_amounts([candidate["electrolyte"]], UNITS)[0], strict=True))
        present = [name for name in SOLVENTS if amounts[name] > 0]
        (salt,) = (name for name in SALTS if amounts[name] > 0)
        slots: dict[str, float | str] = {
            "first": present[0],
            "second": present[-1],
            "salt": salt,
            "fraction": round(float(amounts[present[0]]), 2),
            "concentration": round(float(amounts[salt]), 1),
        }
        return slots if len(self._temperatures) == 1 else slots | {"temperature": float(candidate["temperature"])}
