"""BoTorch's acquisition functions on a surrogate's BoTorch model, maximized by BoTorch's own optimizers.

Any Monte Carlo acquisition function of ``botorch.acquisition`` serves: what its constructor asks for is given by name.
Targets become what BoTorch takes: properties to maximize or minimize are the objectives (one by random weights for a
single-objective function), the others are outcome
constraints; where every target is a bound or a window, the objective is the summed shortfall, to be as small as
possible.
"""

from __future__ import annotations

import functools
import inspect
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError, nearest
from invdesign.optimizers.bayesian.acquisition import property_scales
from invdesign.optimizers.deduplication import joined
from invdesign.optimizers.success import SUCCESS
from invdesign.space.duplicates import without_duplicates
from invdesign.space.parameters import is_smooth
from invdesign.space.variation import mutated
from invdesign.surrogates.base import DifferentiableSurrogate

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from invdesign.space import SearchSpace
    from invdesign.targets import Targets

SAMPLES = 64
"""Monte Carlo samples of the posterior, quasi-random."""
RESTARTS, RAW_SAMPLES = 4, 128
"""Starts of the gradient ascent, and the points from which BoTorch chooses them."""
MOST_COMBINATIONS = 32
"""Combinations of discrete parameters, each of which is optimized; beyond, the best of a random pool are refined."""
POOL, REFINED = 1024, 6
"""Random candidates that are scored in spaces with constraints or many combinations, and how many are refined."""
MOST_STEPS = 50
"""Steps of an ascent."""
AT_ONCE = 2048
"""Candidates that BoTorch scores in one call."""


@runtime_checkable
class BotorchModelSurrogate(DifferentiableSurrogate, Protocol):
    """A surrogate that gives its properties as a BoTorch model over its features."""

    def botorch_model(self, properties: Sequence[str]) -> Any:
        """One model of the properties, in their order and units."""


def acquisition_class(acquisition: str | Callable[..., Any]) -> Callable[..., Any]:
    """The acquisition function that a name stands for; a class, or a partial one, is returned as it is.

    Raises:
        InputError: where BoTorch has none of that name; the nearest is named.
    """
    if not isinstance(acquisition, str):
        return acquisition
    import botorch.acquisition as single
    import botorch.acquisition.multi_objective as multiple

    known = {name: getattr(home, name) for home in (single, multiple) for name in home.__all__ if name.startswith("q")}
    if acquisition not in known:
        raise InputError(f"BoTorch has no acquisition function '{acquisition}'.{nearest(acquisition, known)}")
    found: Callable[..., Any] = known[acquisition]
    return found


def acquisition_problems(acquisition: str | Callable[..., Any]) -> list[str]:
    """Says what is wrong with an acquisition function, before anything is evaluated."""
    try:
        function = acquisition_class(acquisition)
    except InputError as error:
        return [str(error)]
    if "X_pending" not in inspect.signature(function).parameters:
        return [
            (
                f"The acquisition function {_name_of(function)} takes no pending points (X_pending). Use a Monte Carlo "
                "one, such as qLogNoisyExpectedImprovement or qLogNoisyExpectedHypervolumeImprovement."
            )
        ]
    return []


def _name_of(function: Callable[..., Any]) -> str:
    return str(getattr(function, "__name__", getattr(getattr(function, "func", None), "__name__", function)))


@dataclass(frozen=True)
class BotorchProposal:
    """What one proposal by a BoTorch acquisition function rests on.

    Attributes:
        acquisition: a class of BoTorch's, or a partial one with settings.
        model: fitted.
        space: what is searched.
        targets: in the units of the properties.
        candidates: those with values.
        values: their property values.
        rng: source of randomness.
        grid: every feasible candidate of a finite space; None where there are too many.
    """

    acquisition: Callable[..., Any]
    model: BotorchModelSurrogate
    space: SearchSpace
    targets: Targets
    candidates: pd.DataFrame
    values: pd.DataFrame
    rng: np.random.Generator
    grid: pd.DataFrame | None

    def candidates_for(self, n: int, pending: pd.DataFrame, proposed: pd.DataFrame) -> pd.DataFrame:
        """Up to ``n`` candidates, chosen one after the other, each with those before it pending.

        Args:
            n: how many.
            pending: candidates that wait for their values.
            proposed: all that were ever proposed.
        """
        chosen = pending
        for _ in range(n):
            with _seeded(int(self.rng.integers(2**31))):
                pick = self._best(self._function(chosen), joined(proposed, chosen.iloc[len(pending) :]))
            if pick.empty:
                break
            chosen = joined(chosen, pick)
        return chosen.iloc[len(pending) :].reset_index(drop=True)

    def _best(self, function: Any, seen: pd.DataFrame) -> pd.DataFrame:
        """The best new candidate, a frame of one row or none."""
        if self.grid is not None:
            return self._first_new(self._ranked(function, without_duplicates(self.grid, seen)), seen)
        found = [self._pool(function)] if self._needs_pool else [self._optimized(function)]
        best = self._first_new(self._ranked(function, pd.concat(found, ignore_index=True)), seen)
        return best if len(best) else self._first_new(self._ranked(function, self.space.sample(64, self.rng)), seen)

    @property
    def _smooth(self) -> list[str]:
        return [name for name, parameter in self.space.parameters.items() if is_smooth(parameter)]

    @property
    def _continuous(self) -> dict[str, int]:
        """The index among the features of every continuous parameter that is a feature itself."""
        places = {name: self.model.feature_index(name) for name in self._smooth}
        return {name: place for name, place in places.items() if place is not None}

    @property
    def _needs_pool(self) -> bool:
        others = [one for one in self.space.parameters.values() if not is_smooth(one)]
        combinations = float(np.prod([one.size for one in others])) if others else 1.0
        held = len(self._continuous) < max(1, len(self._smooth))
        return bool(self.space.constraints) or held or combinations > MOST_COMBINATIONS

    def _optimized(self, function: Any) -> pd.DataFrame:
        """The best point of each combination of the discrete parameters, by ``optimize_acqf`` with these held."""
        first = self.space.sample(1, self.rng)
        discrete = [name for name in self.space.names if name not in self._continuous]
        if not discrete:
            return self._ascended(function, first, RESTARTS)
        parts = {name: self.space.parameters[name] for name in discrete}
        places = np.indices([int(part.size) for part in parts.values()]).reshape(len(parts), -1)
        grid = pd.DataFrame({name: part.at(row) for (name, part), row in zip(parts.items(), places, strict=True)})
        bases = (
            first.iloc[np.zeros(len(grid), dtype=int)]
            .reset_index(drop=True)
            .assign(**{name: grid[name] for name in discrete})
        )
        bases = bases[list(self.space.names)]
        return pd.concat(
            [self._ascended(function, bases.iloc[[row]], 2) for row in range(len(bases))], ignore_index=True
        )

    def _pool(self, function: Any) -> pd.DataFrame:
        """The best of random candidates and of neighbors of the best known ones, their continuous parts refined."""
        order = np.argsort(self.targets.pareto_rank(self.values), kind="stable")[:8]
        near = [mutated(self.space, self.candidates.iloc[order], self.rng, step=step) for step in (0.05, 0.02, 0.1)]
        pool = pd.concat([self.space.sample(POOL, self.rng), *near], ignore_index=True)
        best = self._ranked(function, pool).head(16)
        if not self._continuous:
            return best
        refined = [self._ascended(function, best.iloc[[row]], 1) for row in range(min(REFINED, len(best)))]
        return pd.concat([*refined, best], ignore_index=True)

    def _ascended(self, function: Any, base: pd.DataFrame, restarts: int) -> pd.DataFrame:
        """A candidate whose continuous parameters are optimized by ``optimize_acqf``, all others held."""
        import torch
        from botorch.optim import optimize_acqf

        features = self._tensor(self.model.transform(base))
        free = self._continuous
        held = {place: float(features[0, place]) for place in range(features.shape[1]) if place not in free.values()}
        bounds = torch.stack([torch.zeros_like(features[0]), torch.ones_like(features[0])])
        point, _ = optimize_acqf(
            function,
            bounds=bounds,
            q=1,
            num_restarts=restarts,
            raw_samples=None if restarts == 1 else RAW_SAMPLES,
            batch_initial_conditions=features[None] if restarts == 1 else None,
            fixed_features=held or None,
            options={"maxiter": MOST_STEPS},
        )
        cube = self.space.encode(base)
        start_of = np.cumsum([0, *(part.dimension for part in self.space.parameters.values())])
        for column, name in enumerate(self.space.names):
            if name in free:
                cube[0, start_of[column]] = float(point[0, free[name]])
        return self.space.decode(self.space.repair(np.clip(cube, 0.0, 1.0)))

    def _ranked(self, function: Any, candidates: pd.DataFrame) -> pd.DataFrame:
        """Candidates by their acquisition, the best first."""
        import torch

        if candidates.empty:
            return candidates
        features = self._tensor(self.model.transform(candidates)).unsqueeze(1)
        with torch.no_grad():
            scores = torch.cat([function(part) for part in torch.split(features, AT_ONCE)]).cpu().numpy()
        return candidates.iloc[np.argsort(-scores, kind="stable")].reset_index(drop=True)

    def _tensor(self, array: NDArray[np.float64]) -> torch.Tensor:
        """An array where the surrogate's model is: on its GPU, or on the CPU."""
        import torch

        return torch.as_tensor(array, dtype=torch.float64, device=self._device)

    @functools.cached_property
    def _device(self) -> torch.device:
        import torch

        model = self.model.botorch_model(list(self.targets.properties))
        return next((one.device for one in model.parameters()), torch.device("cpu"))

    def _first_new(self, ranked: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
        return without_duplicates(ranked, seen).head(1)

    def _function(self, pending: pd.DataFrame) -> Any:
        """The acquisition function with what its constructor asks for."""
        import torch
        from botorch.sampling import SobolQMCNormalSampler

        names = list(self.targets.properties)
        known = self.values.notna().all(axis=1).to_numpy()
        baseline = self._tensor(self.model.transform(self.candidates[known]))
        observed = self._tensor(self.values.loc[known, names].to_numpy(np.float64))
        objective, constraints = self._objective(observed)
        gains = objective(observed)
        met = (
            self.targets.all_met(self.values[known])
            if self.targets.optimized
            else np.ones(int(known.sum()), dtype=bool)
        )
        feasible = gains[torch.as_tensor(met)] if met.any() else gains
        reference = _reference(feasible, self.targets.reference) if feasible.ndim > 1 else None
        offered: dict[str, Any] = {
            "model": self.model.botorch_model(names),
            "X_baseline": baseline,
            "best_f": feasible.max() if feasible.ndim == 1 else None,
            "ref_point": reference,
            "objective": objective,
            "constraints": constraints or None,
            "sampler": SobolQMCNormalSampler(torch.Size([SAMPLES]), seed=int(self.rng.integers(2**31))),
            "X_pending": self._tensor(self.model.transform(pending)) if len(pending) else None,
            "partitioning": None if reference is None else _partitioning(feasible, reference),
        }
        taken = inspect.signature(self.acquisition).parameters
        needed = {name for name, one in taken.items() if one.default is inspect.Parameter.empty and name != "kwargs"}
        missing = sorted(name for name in needed if offered.get(name) is None)
        if missing:
            raise InputError(
                f"{_name_of(self.acquisition)} needs '{missing[0]}', which these targets do not give. Give it by "
                f"functools.partial({_name_of(self.acquisition)}, {missing[0]}=...), or use another one."
            )
        given = functools.partial(self.acquisition).keywords
        return self.acquisition(
            **{
                name: value
                for name, value in offered.items()
                if name in taken and value is not None and name not in given
            }
        )

    def _objective(self, observed: torch.Tensor) -> tuple[Any, list[Callable[[torch.Tensor], torch.Tensor]]]:
        """The objective, larger is better, and the constraints, negative where they are met."""
        from botorch.acquisition.multi_objective.objective import WeightedMCMultiOutputObjective
        from botorch.acquisition.objective import GenericMCObjective

        names = list(self.targets.properties)
        optimized = [(names.index(target.property), float(target.direction)) for target in self.targets.optimized]
        bounds = self._bounds()
        if len(optimized) > 1:
            weights = self._tensor(np.array([sign for _, sign in optimized]))
            places = [place for place, _ in optimized]
            if not {"ref_point", "partitioning"} & set(inspect.signature(self.acquisition).parameters):
                return self._scalarized(weights * observed[:, places], places, weights), bounds
            return WeightedMCMultiOutputObjective(weights, outcomes=places, num_outcomes=len(names)), bounds
        if optimized:
            ((place, sign),) = optimized
            return GenericMCObjective(lambda samples, X=None: sign * samples[..., place]), bounds

        def shortfall(samples: torch.Tensor, X: torch.Tensor | None = None) -> torch.Tensor:
            return -sum(bound(samples).clamp_min(0.0) for bound in bounds)  # type: ignore[return-value]

        return GenericMCObjective(shortfall), []

    def _scalarized(self, gains: torch.Tensor, places: list[int], signs: torch.Tensor) -> Any:
        """Several optimized properties as one, by Chebyshev's scalarization with random weights (Knowles 2006)."""
        from botorch.acquisition.objective import GenericMCObjective
        from botorch.utils.multi_objective.scalarization import get_chebyshev_scalarization

        weights = self._tensor(self.rng.dirichlet(np.ones(len(places))))
        scalarized = get_chebyshev_scalarization(weights, gains)
        return GenericMCObjective(lambda samples, X=None: scalarized(signs * samples[..., places]))

    def _bounds(self) -> list[Callable[[torch.Tensor], torch.Tensor]]:
        """How far samples lie beyond each finite bound, in spreads of the property, negative within it."""
        scales = property_scales(self.targets, self.values)
        names = list(self.targets.properties)
        bounds: list[Callable[[torch.Tensor], torch.Tensor]] = []
        for target in self.targets.bounded:
            low, high = target.interval
            place, scale = names.index(target.property), scales[target.property]
            if target.property == SUCCESS:
                bounds.append(functools.partial(_expected_below, place=place, bound=float(low)))
                continue
            if np.isfinite(low):
                bounds.append(functools.partial(_below, place=place, bound=float(low), scale=scale))
            if np.isfinite(high):
                bounds.append(functools.partial(_above, place=place, bound=float(high), scale=scale))
        return bounds


def _below(samples: torch.Tensor, *, place: int, bound: float, scale: float) -> torch.Tensor:
    return (bound - samples[..., place]) / scale


def _expected_below(samples: torch.Tensor, *, place: int, bound: float) -> torch.Tensor:
    """The same of the expectation over all samples, sharply: see ``invdesign.optimizers.success``."""
    missing = bound - samples[..., place].mean(dim=0, keepdim=True)
    return missing.expand(samples.shape[:-1])


def _above(samples: torch.Tensor, *, place: int, bound: float, scale: float) -> torch.Tensor:
    return (samples[..., place] - bound) / scale


def _reference(gains: torch.Tensor, given: NDArray[np.float64]) -> list[float]:
    """The given reference point; where it is NaN, a tenth of the range behind the worst (Ishibuchi et al. 2018)."""
    worst, best = gains.min(dim=0).values, gains.max(dim=0).values
    own = (worst - 0.1 * (best - worst).clamp_min(1e-9)).cpu().numpy()
    return [float(value) for value in np.where(np.isnan(given), own, given)]


def _partitioning(gains: torch.Tensor, reference: list[float]) -> Any:
    import torch
    from botorch.utils.multi_objective.box_decompositions import FastNondominatedPartitioning

    return FastNondominatedPartitioning(ref_point=torch.tensor(reference).to(gains), Y=gains)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Torch's global random state follows from a seed within, and is what it was afterwards; one thread."""
    import torch

    from invdesign.core.threads import single_thread

    with torch.random.fork_rng(devices=[]), single_thread(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # BoTorch warns of restarts that end early; the best of all is taken
        torch.manual_seed(seed)
        yield
