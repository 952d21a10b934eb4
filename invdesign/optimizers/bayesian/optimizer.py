"""Bayesian optimization towards targets: model the properties, ask for what probably meets them all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import field, replace
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import STATE, bounded, from_elsewhere, settings
from invdesign.optimizers.base import History, Optimizer, optimizer_problems, optimizer_remarks, step_generator
from invdesign.optimizers.bayesian.botorch_acquisition import (
    BotorchModelSurrogate,
    BotorchProposal,
    acquisition_class,
    acquisition_problems,
)
from invdesign.optimizers.bayesian.cost import Cost, check_cost, cost_problems
from invdesign.optimizers.bayesian.fidelity_choice import lacking_pairs
from invdesign.optimizers.bayesian.model_fit import ModelFits, rows_to_learn
from invdesign.optimizers.bayesian.molecule_search import MoleculeSearch, is_built, is_open_ended
from invdesign.optimizers.bayesian.optimize import AcquisitionOptimizer, ExhaustiveSearch, GeneticSearch
from invdesign.optimizers.bayesian.outcome_transforms import FIRST, arcsinh_warped, power_warped, warped_noise
from invdesign.optimizers.bayesian.policy import Policy
from invdesign.optimizers.deduplication import joined
from invdesign.optimizers.fidelity import at_target_fidelity, target_fidelity_history, to_target_fidelity
from invdesign.optimizers.initial_design import RepresentativeDesign
from invdesign.optimizers.random import RandomOptimizer
from invdesign.optimizers.success import with_success
from invdesign.space import SearchSpace
from invdesign.surrogates.base import CalibratedSurrogate, MultiFidelitySurrogate, Surrogate
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import Targets

Goal = Literal["most-hits", "first-hit"]
Design = Literal["representative", "random"]
NEAREST = 16
"""Best known candidates around which a search looks. Off: regret 2.7 times as large on development."""
MOST_PARENTS = 500
"""Best known candidates whose children are molecules that are built."""
MOST_ROWS = 1_000
"""Evaluated open-ended molecules up to which the model is fitted to all; of more, to a part, so that a suggestion stays
quick. Of 1,500 it takes 0.3 s."""
OPEN_ENDED = Features(molecules="quick", formulas="compact")
"""Features of open-ended molecules, most of which are new: all descriptors take several times as long.

Sums of areas under the ten best on development, with fingerprints alone, with quick descriptors beside them, and with
a length scale for each of these: 1.19, 1.65, 1.84 (five oracles, 20 molecules of ZINC and 100 further calls); 1.89 and
2.13 with the last two (four oracles, 100 molecules and 350 further calls). Some of these oracles are made of what the
descriptors count; in pools of reduction potentials and ethers, with the one view or the other alone, 132.6 and 125.7
of 240 proposals are hits (four pools, four seeds)."""
FEWEST_VALUES = 2
SUGGESTED = 64
"""Candidates of another optimizer that the acquisition also compares."""


@settings
class BayesianOptimizer:
    """Asks for the candidates that most probably meet all targets, by a model of the properties themselves.

    While no candidate is likely to meet them, it asks for the one that is expected to come nearer to them by most. With
    one Maximize or Minimize among the targets it asks for the largest expected improvement, with two to four for the
    largest expected gain of the front, with more for that of a random scalarization; the other targets are constraints.
    A batch is chosen one by one: the model takes what it predicts for a chosen or pending candidate as if it had been
    measured (kriging believer, Ginsbourger et al. 2010); a surrogate that cannot be conditioned keeps its distance from
    them instead (local penalization, González et al. 2016).

    Where evaluations have failed, whether one succeeds is learned as well and weighs every acquisition (see
    ``invdesign.optimizers.success``).

    A property with one bound, whose values span orders of magnitude, is modeled after arcsinh warping (see
    ``outcome_transforms``).

    Where the space has fidelities, a Gaussian process learns all of them, a candidate is judged by its value at the
    target fidelity, and evaluated at the fidelity that tells most about it for its cost (see ``fidelity_choice``).
    """

    surrogate: Annotated[Surrogate, ByWord("surrogate")] = from_elsewhere(default_factory=GaussianProcess)
    """The model of the properties; it is never fitted itself, only copies of it."""
    goal: Goal = "most-hits"
    """``most-hits`` counts, with a Gaussian process over a finite space, the hits that the next few evaluations may
    bring besides the candidate's own; ``first-hit`` asks for the likeliest candidate alone."""
    separation: float = bounded(default=0.05, ge=0, lt=1)
    """In spaces with continuous parameters, distance in the unit cube that proposals for met-or-missed targets keep
    from each other and from evaluated candidates, so that hits differ. If something is optimized, only those of a
    laboratory keep it, from each other, and from evaluated ones what a laboratory can tell apart."""
    design: Design = "representative"
    """How a campaign begins: ``representative`` takes, from a finite space of molecules, formulas or categories,
    candidates that stand for all (see RepresentativeDesign), and elsewhere the Sobol sequence, of numbers alone begun
    with their centre; ``random`` draws blindly."""
    cost: Cost | None = None
    """What evaluating a candidate costs, where that differs: an expression over parameters (``"2 + 0.1 *
    temperature"``), or what values of columns cost, added up (``{"solvent": {"water": 1, "acetonitrile": 3}}``). It
    then asks for the most per cost, and looks no further ahead."""
    exhaustive: int = bounded(default=20_000, ge=1)
    """Candidates of a finite space up to which all of them are scored at each proposal. A larger pool of molecules can
    be scored whole too: give the surrogate components as features (``features: {molecules: fingerprints, components:
    15}``), which are computed once and kept on disk."""
    acquisition: str | SkipJsonSchema[Callable[..., Any]] | None = None
    """A Monte Carlo acquisition function of BoTorch's by name, such as ``qLogNoisyExpectedImprovement``; from Python
    also its class, or ``functools.partial`` of it with settings. It is maximized by BoTorch's ``optimize_acqf``, on the
    surrogate's BoTorch model. None: the package's own policy, which is faster and serves every surrogate."""
    suggested_by: Annotated[Optimizer | None, ByWord("optimizer")] = None
    """Another optimizer whose proposals the acquisition function also compares in a space that is too large to score
    whole, such as ``{type: generative, generator: additives.safetensors}``."""
    _fits: Annotated[ModelFits, STATE] = field(default_factory=ModelFits, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.cost is not None:
            check_cost(self.cost)
        if self.acquisition is not None and self.cost is not None:
            raise InputError("A BoTorch acquisition function knows no cost. Leave out 'acquisition' or 'cost'.")

    @property
    def remarks(self) -> list[str]:
        """What is to be known before a run of the optimizer that also suggests candidates."""
        return optimizer_remarks(self.suggested_by)

    def check(self, space: SearchSpace) -> list[str]:
        """Says what of the settings does not fit a space."""
        problems = [] if self.suggested_by is None else optimizer_problems(self.suggested_by, space)
        if self.acquisition is None:
            return problems + ([] if self.cost is None else cost_problems(self.cost, space))
        problems += acquisition_problems(self.acquisition)
        if not isinstance(self.surrogate, BotorchModelSurrogate):
            problems.append(
                f"'acquisition' needs a surrogate with a BoTorch model, such as a Gaussian process; "
                f"{type(self.surrogate).__name__} has none."
            )
        if space.fidelity is not None:
            problems.append("A BoTorch acquisition function chooses no fidelity. Leave out 'acquisition'.")
        return problems

    @property
    def initial_design(self) -> Optimizer:
        """Proposes the candidates with which a campaign begins."""
        if self.design == "random":
            return RandomOptimizer()
        features = getattr(self.surrogate, "features", None)
        return RepresentativeDesign(features) if isinstance(features, Features) else RepresentativeDesign()

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Proposes candidates one by one; see ``Optimizer.propose``.

        Before every property has two values there is nothing to model: candidates then come from the Sobol sequence.
        """
        names = list(targets.properties)
        target_history = target_fidelity_history(space, history)
        if (target_history.properties.reindex(columns=names).notna().sum() < FEWEST_VALUES).any():
            return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
        known = history.with_outside()
        candidates, values = known.candidates, known.properties[names]
        noise = None if known.noise_std is None else known.noise_std.reindex(columns=names)
        if space.fidelity is None:  # between fidelities there is a factor, which a bent property would not keep
            # A search among many components gathers values of one kind, and a power fitted to these hides all others.
            first = FIRST if any(column.kind == "mixture" for column in space.columns) else None
            noise = warped_noise(targets, values, noise, first=first)
            targets, values = power_warped(*arcsinh_warped(targets, values), first=first)
        targets, values = with_success(targets, values, known)
        rng = step_generator(seed, history)
        if self.acquisition is not None:
            model: Any = self._fits.fitted(self._model(space), candidates, values, space.columns, noise)
            function = acquisition_class(self.acquisition)
            grid = space.grid(self.exhaustive)
            own, found = history.candidates, values.iloc[: len(history.candidates)]
            proposal = BotorchProposal(function, model, space, targets, own, found, rng, grid)
            return proposal.candidates_for(n, history.pending, history.proposed)
        counting = at_target_fidelity(space, candidates) & (np.arange(len(candidates)) < len(history.candidates))
        if is_open_ended(space):
            rows = rows_to_learn(targets, values, MOST_ROWS)
            candidates, values, counting = candidates.iloc[rows], values.iloc[rows], counting[rows]
            noise = None if noise is None else noise.iloc[rows]
        policy = Policy(
            model=self._fits.fitted(self._model(space), candidates, values, space.columns, noise),
            space=space,
            targets=targets,
            candidates=candidates[counting].reset_index(drop=True),
            values=values[counting].reset_index(drop=True),
            seed=int(rng.integers(2**31)),
            cost=self.cost,
        )
        suggested = self._suggested(space=space, targets=targets, history=history, rng=rng)
        acquisition_optimizer = self._acquisition_optimizer(policy, rng, suggested)
        if isinstance(acquisition_optimizer, GeneticSearch) and targets.optimized and history.resolution is not None:
            acquisition_optimizer = replace(
                acquisition_optimizer,
                separation=self.separation,
                resolution=history.resolution,
                evaluated=len(target_history.evaluated),
            )
        chosen = history.pending
        if isinstance(self.surrogate, MultiFidelitySurrogate) and self.surrogate.learns_fidelities():
            chosen = joined(chosen, lacking_pairs(space, history).head(n))
        while len(chosen) < len(history.pending) + n:
            # What is pending at a cheaper fidelity waits for its value before it is asked for again.
            seen = joined(target_history.evaluated, to_target_fidelity(space, chosen))
            pick = policy.best(acquisition_optimizer, chosen, seen, look_ahead=self.goal == "most-hits")
            if pick.empty:
                break
            chosen = joined(chosen, policy.placed(pick, chosen, history.proposed))
        return chosen.iloc[len(history.pending) :].reset_index(drop=True)

    def _model(self, space: SearchSpace) -> Surrogate:
        """The surrogate's settings, without the calibration that few values make too sure of itself to explore.

        A Gaussian process without settings for features takes fingerprints and quick descriptors of open-ended
        molecules, each of the latter with a length scale of its own unless the settings say otherwise.
        """
        model: Any = self.surrogate  # by the Surrogate protocol a dataclass, which typing cannot say
        if is_open_ended(space) and getattr(model, "features", OPEN_ENDED) is None:
            model = replace(
                model,
                features=OPEN_ENDED,
                ard=True if model.ard is None else model.ard,
                combine="product" if len(space.parameters) > 1 else model.combine,
            )
        return model.uncalibrated() if isinstance(model, CalibratedSurrogate) else model

    def _suggested(
        self, *, space: SearchSpace, targets: Targets, history: History, rng: np.random.Generator
    ) -> pd.DataFrame:
        if self.suggested_by is None or space.grid(self.exhaustive) is not None:
            return space.sample(0, np.random.default_rng(0))
        seed = np.random.SeedSequence(int(rng.integers(2**31)))
        return self.suggested_by.propose(SUGGESTED, space=space, targets=targets, history=history, seed=seed)

    def _acquisition_optimizer(
        self, policy: Policy, rng: np.random.Generator, suggested: pd.DataFrame
    ) -> AcquisitionOptimizer:
        space, targets = policy.space, policy.targets
        grid = space.grid(self.exhaustive)
        if grid is not None:
            return ExhaustiveSearch(grid)
        found = policy.values.notna().all(axis=1).to_numpy()
        nearest_known = np.argsort(targets.pareto_rank(policy.values[found]), kind="stable")
        ordered = policy.candidates[found].iloc[nearest_known]
        separation = 0.0 if targets.optimized else self.separation
        if is_built(space):
            return MoleculeSearch(space, rng, ordered.head(MOST_PARENTS), separation, suggested)
        around = ordered.head(NEAREST)
        return GeneticSearch(space, rng, around=around, separation=separation, suggested=suggested)
