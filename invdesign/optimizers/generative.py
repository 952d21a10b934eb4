"""Generative search: a model learns from the history which candidates have the wanted properties, and samples more."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError
from invdesign.core.settings import InputFile, bounded, settings
from invdesign.generators.formulas import FEWEST, FormulaGenerator
from invdesign.generators.molecules import MOLECULE, MoleculeGenerator
from invdesign.generators.training_table import TrainingTable
from invdesign.optimizers.base import History, step_generator
from invdesign.optimizers.deduplication import Deduplication, completed, joined
from invdesign.optimizers.fidelity import target_fidelity_history
from invdesign.optimizers.population.fitness import Fitness
from invdesign.optimizers.random import RandomOptimizer
from invdesign.space import SearchSpace
from invdesign.space.molecules.graph import MoleculeGraph
from invdesign.space.molecules.rules import MoleculeRules
from invdesign.targets import Targets

KNOWN_BEST = 200
"""Best candidates of the history that a generator of molecules also learns from."""


@settings
class GenerativeOptimizer:
    """Samples candidates for the targets from a generator that also learns from what was evaluated.

    Formulas, numbers and words are sampled by forests from the history alone; see ``FormulaGenerator``. Molecules of an
    open-ended space come from a trained generator of molecules, which the best evaluated ones are added to (experience
    replay). Without one, only known molecules are sampled; use the genetic optimizer there.

    Raises:
        InputError: if a setting is out of its range.
    """

    generator: TrainingTable | InputFile | None = None
    """For the molecules of an open-ended space: the file of a ``MoleculeGenerator``, or a table to train one on."""
    epochs: int = bounded(default=3, ge=0)
    """Passes of the generator of molecules over the best evaluated ones before it samples; 0 leaves it as it is."""
    exploration: float = bounded(default=0.2, ge=0, le=1)
    """Probability that a part of a candidate is drawn freely; see ``FormulaGenerator``."""

    def check(self, space: SearchSpace) -> list[str]:
        """Problems with a space; see ``Checked``."""
        if self.generator is None:
            return []
        graphs = [name for name, parameter in space.parameters.items() if isinstance(parameter, MoleculeGraph)]
        if len(graphs) != 1:
            return ["A generator of molecules needs a space with one parameter of the type molecule-graph."]
        if isinstance(self.generator, TrainingTable):
            return []
        try:
            _loaded(str(self.generator), _changed(self.generator))
        except InputError as error:
            return [str(error)]
        return []

    @property
    def remarks(self) -> list[str]:
        """What the training leaves out, and whether it is still to be done; see ``Remarked``."""
        return self.generator.remarks if isinstance(self.generator, TrainingTable) else []

    def propose(
        self, n: int, *, space: SearchSpace, targets: Targets, history: History, seed: np.random.SeedSequence
    ) -> pd.DataFrame:
        """Samples candidates; see ``Optimizer.propose``. With few values, a Sobol sequence."""
        history = target_fidelity_history(space, history)
        values = history.properties.reindex(columns=list(targets.properties)).astype(float)
        complete = np.isfinite(values.to_numpy()).all(axis=1)
        if n < 1 or complete.sum() < FEWEST:
            return RandomOptimizer().propose(n, space=space, targets=targets, history=history, seed=seed)
        rng = step_generator(seed, history)
        learned = FormulaGenerator(space, n_estimators=50, exploration=self.exploration).fit(history.candidates, values)
        made = learned.sample(n, targets, seed=rng, known=history.proposed)[list(space.names)]
        if self.generator is not None:
            made = self._with_molecules(made, n, space=space, targets=targets, history=history, rng=rng)
        fresh = Deduplication(space, history.proposed).renewed(made, rng)
        return completed(n, fresh, space=space, targets=targets, history=history, seed=seed)

    def _with_molecules(
        self,
        made: pd.DataFrame,
        n: int,
        *,
        space: SearchSpace,
        targets: Targets,
        history: History,
        rng: np.random.Generator,
    ) -> pd.DataFrame:
        """Candidates whose molecules come from the generator, as many as it finds within the space's rules."""
        name, graph = next(
            (key, parameter) for key, parameter in space.parameters.items() if isinstance(parameter, MoleculeGraph)
        )
        if isinstance(self.generator, TrainingTable):
            generator = self.generator.fitted(graph.rules)
        else:
            generator = _loaded(str(self.generator), _changed(self.generator), graph.rules)
        fitness = Fitness.of(history.properties, targets)
        best = np.argsort(fitness.ranks(), kind="stable")[:KNOWN_BEST]
        best = best[fitness.valued[best]]
        if self.epochs and len(best):
            generator = generator.tuned(
                history.candidates[name].iloc[best].tolist(),
                history.properties.iloc[best],
                epochs=self.epochs,
                seed=int(rng.integers(2**31)),
            )
        asked = [target for target in targets if target.property in generator.properties]
        known = [*generator.molecules, *history.proposed[name]]
        written = generator.sample(4 * n, Targets(*asked) if asked else None, seed=rng, known=known)
        frame = made if len(made) else space.sample(n, rng)
        frame = joined(frame, space.sample(n - len(frame), rng)) if len(frame) < n else frame
        rows = np.arange(len(written)) % max(1, len(frame))
        candidates = frame.iloc[rows].reset_index(drop=True).assign(**{name: written[MOLECULE].to_numpy()})
        return candidates[space.feasible(candidates)].head(n).reset_index(drop=True)


@lru_cache(maxsize=4)
def _loaded(place: str, changed: float, rules: MoleculeRules | None = None) -> MoleculeGenerator:
    """The generator in a file that was changed at some time, with the rules of the space that it writes for."""
    return MoleculeGenerator.load(place, rules=rules)


def _changed(place: Any) -> float:
    try:
        return Path(place).stat().st_mtime
    except OSError:
        raise InputError(f"The file of the generator '{place}' does not exist. Train one and save it there.") from None
