"""Screens a pool once, or in passes between which the most informative candidates are evaluated."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from pathlib import Path

from invdesign import datasets
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.screening.active import ActiveScreen
from invdesign.screening.funnel import Step
from invdesign.screening.plan import planned
from invdesign.screening.pools import MaterialStream, MoleculeStream, Pool, enumerated
from invdesign.screening.running import Progress, Screening, ScreenSettings, run
from invdesign.space import Parameter, SearchSpace
from invdesign.space.materials import MaterialFile
from invdesign.space.molecules.files import MoleculeFile
from invdesign.surrogates.base import Surrogate
from invdesign.targets import Targets

__all__ = ["Progress", "ScreenSettings", "Screening", "as_pool", "screen"]

Source = str | Path | MoleculeFile | MaterialFile | SearchSpace | Parameter | Pool


def screen(
    pool: Source,
    targets: Targets,
    *,
    objective: Objective | None = None,
    steps: Sequence[Step] = (),
    surrogate: Surrogate | None = None,
    output: str | Path,
    settings: ScreenSettings | None = None,
    seed: int = 0,
    executor: Executor | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Screening:
    """Screens a pool block by block, and chooses the candidates that most likely meet all targets.

    Every block is kept in ``output`` once it is screened. Interrupted, the same call goes on with the blocks that are
    missing, and its results are the same, byte by byte.

    Args:
        pool: the candidates: a search space or a parameter that can be enumerated; or a file that is read block by
            block: the path of a file of SMILES (``dataset:NAME`` too), a MoleculeFile or a MaterialFile. A parameter or
            file is the column ``molecule``, ``material`` and so on.
        targets: what they should meet.
        objective: of the targets' properties that no step gives; evaluated for what passes the steps. With a budget
            in ``settings`` only so many candidates are evaluated, and a surrogate predicts the others.
        steps: of the funnel; cheap ones run first.
        surrogate: predicts the objective's properties if there is a budget; a Gaussian process if None.
        output: folder for the results: ``results.parquet`` (everything that passed), ``best.csv``, ``funnel.json`` and
            ``rejected.csv`` (entries that cannot be read).
        settings: size of the blocks, number of chosen candidates, budget.
        seed: of the first candidates to evaluate, if there is a budget.
        executor: where blocks run; None for this process.
        on_progress: called after each block.

    Raises:
        InputError: before anything runs, if the pool, steps, objective and targets do not fit together, or the folder
            holds another screen.
    """
    chosen_settings = settings or ScreenSettings()
    if chosen_settings.budget is not None:
        active = ActiveScreen.planned(
            as_pool(pool), steps, objective, surrogate, targets, settings=chosen_settings, seed=seed
        )
        return active.run(Path(output), executor=executor, on_progress=on_progress)
    if surrogate is not None:
        raise InputError("A surrogate of a screen needs a budget. Set budget, or use a SurrogateObjective instead.")
    plan = planned(as_pool(pool), steps, objective, targets)
    return run(plan, Path(output), chosen_settings, executor=executor, on_progress=on_progress)


def as_pool(given: Source) -> Pool:
    """A pool of what the user gave; see ``screen``.

    Raises:
        InputError: if it is nothing that can be screened.
    """
    if isinstance(given, str | Path):
        given = MoleculeFile(datasets.resolve(given))
    if isinstance(given, MoleculeFile):
        return MoleculeStream("molecule", given)
    if isinstance(given, MaterialFile):
        return MaterialStream("material", given)
    if isinstance(given, SearchSpace):
        return enumerated(given)
    if isinstance(given, Pool):
        return given
    if isinstance(given, Parameter):
        return enumerated(SearchSpace({given.column("").kind: given}))
    raise InputError(f"{given!r} is not a pool. Use a SearchSpace, a parameter such as MoleculePool, or a file.")
