"""Active screening: between passes over a pool the candidates most likely to be among the best are evaluated.

Each pass screens the whole pool with a surrogate that is fitted to all values so far; the candidates with the largest
probability of meeting the targets, and of exceeding the best ``top`` where a property is optimized (their upper tail),
are evaluated next. This is the acquisition "probability of being in the top k" of pool-based active search (Graff et
al. 2021, doi:10.1039/D0SC06805E).
"""

from __future__ import annotations

import heapq
import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from invdesign.campaign.fingerprint import parts_of
from invdesign.core.errors import InputError
from invdesign.core.tables import table_text
from invdesign.objectives.base import REASON, STD_SUFFIX, Objective
from invdesign.objectives.surrogate import SurrogateObjective
from invdesign.screening.best import SHORTLIST
from invdesign.screening.checkpoints import Checkpoints
from invdesign.screening.funnel import Step, StepCount, applied, ordered
from invdesign.screening.passes import Chosen, passes_of
from invdesign.screening.plan import LOG_PROBABILITY, Plan, bound, planned
from invdesign.screening.pools import Pool, RawBlock, names_of
from invdesign.screening.running import Progress, Screening, ScreenSettings, run
from invdesign.screening.values_file import ValuesFile
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.targets import Targets

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACTIVE = "active"
"""Folder, beside the results, of what was chosen and its values."""
EVALUATED = "evaluated.csv"
FEWEST_VALUES = 3
SMALLEST_STD = 1e-12


@dataclass(frozen=True)
class ActiveScreen:
    """A checked active screen.

    Attributes:
        pool: of the candidates.
        steps: of the funnel, as written and bound to the pool.
        objective: that evaluates, bound to the pool.
        surrogate: unfitted.
        targets: as given.
        settings: with a budget.
        seed: of the first candidates.
    """

    pool: Pool
    steps: tuple[Step, ...]
    objective: Objective
    surrogate: Surrogate
    targets: Targets
    settings: ScreenSettings
    seed: int

    @classmethod
    def planned(
        cls,
        pool: Pool,
        steps: Sequence[Step],
        objective: Objective | None,
        surrogate: Surrogate | None,
        targets: Targets,
        *,
        settings: ScreenSettings,
        seed: int,
    ) -> ActiveScreen:
        """Checks pool, steps, objective and targets as a screen without a budget does.

        Raises:
            InputError: if they do not fit together, or the objective is missing or predicts itself.
        """
        if objective is None or isinstance(objective, SurrogateObjective):
            raise InputError("A budget needs an objective that measures or simulates. Set objective, or remove budget.")
        plan = planned(pool, steps, objective, targets)
        whole, _ = bound(pool, steps, objective)
        known = next(step.objective for step in plan.steps if step.name == whole[-1].name)
        if known is None or not set(known.properties) & set(targets.properties):
            raise InputError("No target is on a property of the objective, so that nothing can be learned from it.")
        if not any(column.kind != "material" for column in pool.columns):
            raise InputError("Nothing is known of the pool's materials to learn from. Give it descriptors or formulas.")
        model = surrogate if surrogate is not None else GaussianProcess()
        return cls(pool, tuple(whole[:-1]), known, model, plan.targets, settings, seed)

    def run(
        self,
        output: Path,
        *,
        executor: Executor | None = None,
        on_progress: Callable[[Progress], None] | None = None,
    ) -> Screening:
        """Runs or continues the screen in a folder; see ``screen``.

        What is chosen and every value are on disk before the next step, so that an interrupted screen continues with
        the same candidates.

        Raises:
            InputError: if the folder holds another screen, or too few candidates have a value.
        """
        folder = output / ACTIVE
        Checkpoints(folder, {}).begin(self._described(), block=self.settings.block)
        values = ValuesFile(folder / "values.jsonl", self.objective)
        chosen = [self._noted(folder, 0, lambda: Chosen(self._first()))]
        known = self._evaluated(values, chosen, executor)
        for number, count in enumerate(self._counts(), start=1):

            def most_likely(number: int = number, count: int = count, known: pd.DataFrame = known) -> Chosen:
                place = folder / f"pass-{number}"
                done = run(self._plan(known), place, self.settings, executor=executor, on_progress=on_progress)
                found = Chosen(self._most_likely(done, count, known), done.funnel, done.hits)
                shutil.rmtree(place)
                return found

            chosen.append(self._noted(folder, number, most_likely))
            known = self._evaluated(values, chosen, executor)
        plan = replace(self._plan(known), measured=known[self._learned])
        beside = (ACTIVE, EVALUATED)
        done = run(plan, output, self.settings, executor=executor, on_progress=on_progress, beside=beside)
        (output / EVALUATED).write_text(table_text(known.rename_axis(self.pool.place_word).reset_index()), "utf-8")
        judged = Targets(*(target for target in self.targets if target.property in self._learned))
        return replace(done, passes=passes_of(chosen, known, judged))

    @property
    def _learned(self) -> list[str]:
        """The properties that the surrogate learns."""
        return [name for name in self.objective.properties if name in self.targets.properties]

    def _counts(self) -> list[int]:
        """How many candidates each pass adds."""
        left = (self.settings.budget or 0) - self.settings.initial
        ends = [round(left * one / self.settings.passes) for one in range(self.settings.passes + 1)]
        return [end - start for start, end in pairwise(ends)]

    def _described(self) -> dict[str, str]:
        """What the choice depends on, by name."""
        steps = {f"step '{one.name}'": f"{one.keep} {one.probability}" for one in self.steps}
        parts = {
            f"step '{one.name}': {name}": digest
            for one in self.steps
            if one.objective is not None
            for name, digest in parts_of(one.objective).items()
        }
        about = {"surrogate": repr(self.surrogate), "targets": repr(self.targets), "seed": str(self.seed)}
        names = ("budget", "initial", "passes", "top")
        settings = {name: str(getattr(self.settings, name)) for name in names}
        return {**self.pool.described(), **steps, **parts, **parts_of(self.objective), **about, **settings}

    def _plan(self, known: pd.DataFrame) -> Plan:
        """The funnel with the surrogate, fitted to the values so far, in place of the objective."""
        names = [column.name for column in self.pool.columns if column.kind != "material" or column.described]
        data = known[known[self._learned].notna().any(axis=1)].reset_index(drop=True)
        for name in self._learned:
            if (count := int(data[name].notna().sum())) < FEWEST_VALUES:
                reasons = known[REASON].dropna()
                why = f" The last reason: {reasons.iloc[-1]}." if len(reasons) else ""
                raise InputError(
                    f"Only {count} of {len(known)} evaluated candidates have a value of '{name}'; a surrogate needs "
                    f"{FEWEST_VALUES}.{why} Correct the objective, or set a larger initial."
                )
        same = {name: name for name in self._learned}
        units = {name: self.objective.properties[name] for name in same}
        model = SurrogateObjective(
            data[[*names, *same]], {name: name for name in names}, same, units, surrogate=self.surrogate
        )
        return planned(self.pool, self.steps, model, self.targets)

    def _noted(self, folder: Path, number: int, choose: Callable[[], Chosen]) -> Chosen:
        """The candidates chosen before a pass, from disk where they were chosen before."""
        place = folder / f"chosen-{number}.json"
        if not place.exists():
            found = choose()
            about = {"likely": found.likely, "funnel": [count.as_json() for count in found.funnel]}
            cells = {"places": [int(one) for one in found.rows.index], "rows": found.rows.to_dict("records")}
            hidden = place.with_suffix(".part")
            hidden.write_text(json.dumps({**cells, **about}), encoding="utf-8")
            hidden.replace(place)
        given: dict[str, Any] = json.loads(place.read_text(encoding="utf-8"))
        index = pd.Index(given["places"], dtype=np.int64)
        rows = pd.DataFrame(given["rows"], index=index, columns=list(names_of(self.pool.columns)))
        funnel = tuple(StepCount.from_json(one) for one in given.get("funnel", ()))  # missing in older folders
        return Chosen(rows, funnel, given.get("likely"))

    def _evaluated(self, values: ValuesFile, chosen: Sequence[Chosen], executor: Executor | None) -> pd.DataFrame:
        picked = pd.concat([one.rows for one in chosen])
        return pd.concat([picked, values.of(picked, executor)], axis=1)

    def _first(self) -> pd.DataFrame:
        """Random candidates that pass the steps: those whose places have the smallest random numbers."""
        wanted, take = self.settings.initial, 4 * self.settings.initial
        while True:
            entries = heapq.nsmallest(take, self._entries())
            picked = sorted(entries, key=lambda one: one[1])
            cells = [one[2] for one in picked]
            places = [one[1] for one in picked]
            rows = self.pool.read(RawBlock(0, len(places), places, None if None in cells else cells)).rows
            for step in ordered(self.steps, self.pool):
                rows, _ = applied(step, rows, self.pool, self.targets)
            ranks = {place: rank for rank, place in enumerate(one[1] for one in entries)}
            names = list(names_of(self.pool.columns))
            rows = rows[names].loc[sorted(rows.index, key=lambda place: ranks[int(place)])]
            rows = self.pool.canonical(rows).drop_duplicates(list(self.pool.identity))
            if len(rows) >= wanted or len(entries) < take:
                return rows.iloc[:wanted]
            take *= 4

    def _entries(self) -> Any:
        """A random number, the place and the cells of each entry."""
        rng = np.random.default_rng(self.seed)
        for block in self.pool.blocks(self.settings.block):
            cells = block.cells if block.cells is not None else [None] * len(block.places)
            yield from zip(rng.random(len(block.places)).tolist(), map(int, block.places), cells, strict=True)

    def _most_likely(self, done: Screening, count: int, known: pd.DataFrame) -> pd.DataFrame:
        """The candidates of a pass that are most likely to be among the best, without those that are evaluated."""
        best = self._kth_best(done)
        names, seen = list(names_of(self.pool.columns)), set(self._identities(known))
        kept = pd.DataFrame()
        for rows in done.checkpoints.results():
            new = rows[~rows.index.isin(known.index)]
            scored = new.assign(**{LOG_PROBABILITY: self._scores(new, best)})
            kept = pd.concat([kept, scored]) if len(kept) else scored
            order = np.lexsort([kept.index.to_numpy(), -kept[LOG_PROBABILITY].to_numpy()])
            kept = kept.iloc[order[: SHORTLIST * count]]
        if kept.empty:
            return pd.DataFrame(columns=names, index=pd.Index([], dtype=np.int64))
        found = self.pool.canonical(kept[names]).drop_duplicates(list(self.pool.identity))
        fresh = [one not in seen for one in self._identities(found)]
        return found[fresh].iloc[:count]

    def _identities(self, rows: pd.DataFrame) -> list[tuple[Any, ...]]:
        return list(rows[list(self.pool.identity)].itertuples(index=False, name=None))

    def _kth_best(self, done: Screening) -> NDArray[np.float64]:
        """For each property to optimize, the gain that the best ``top`` candidates of the pool reach."""
        top = np.empty((0, len(self.targets.optimized)))
        for rows in done.checkpoints.results():
            top = np.sort(np.concatenate([top, self.targets.gains(rows)]), axis=0)[-self.settings.top :]
        return top[0] if len(top) else np.empty(top.shape[1])

    def _scores(self, rows: pd.DataFrame, best: NDArray[np.float64]) -> NDArray[np.float64]:
        """Logarithm of the probability of meeting all targets and of exceeding the best in what is optimized."""
        total = rows[LOG_PROBABILITY].to_numpy(dtype=np.float64).copy()
        gains = self.targets.gains(rows)
        for place, target in enumerate(self.targets.optimized):
            spread = np.maximum(rows[f"{target.property}{STD_SUFFIX}"].to_numpy(dtype=np.float64), SMALLEST_STD)
            total += norm.logsf((best[place] - gains[:, place]) / spread)
        return total
