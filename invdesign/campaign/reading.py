"""Evaluates a store against a space and targets: results, best candidates, verified candidates."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, fields
from functools import cached_property, partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import numpy as np
import pandas as pd

from invdesign.campaign.agreement import agreement, corrected, verified_frame
from invdesign.campaign.censoring import decided
from invdesign.campaign.changes import Change, noted_changes
from invdesign.campaign.columns import Evaluations
from invdesign.campaign.correction import Correction
from invdesign.campaign.designs import AMONG, unlike
from invdesign.campaign.html_view import MOST, campaign_html
from invdesign.campaign.measurements import ABOVE, BELOW, limit_text, standard_errors
from invdesign.campaign.outside_results import OutsideResults
from invdesign.campaign.records import properties_of
from invdesign.campaign.rounds import (
    Round,
    TaughtRound,
    complete_rounds,
    corrections_after,
    noted_rounds,
    taught_rounds,
)
from invdesign.campaign.status import Status
from invdesign.campaign.store import CANDIDATE, DONE, FAILED, PENDING, STATES, Store
from invdesign.core.errors import InputError, nearest
from invdesign.objectives.base import REASON, STD_SUFFIX
from invdesign.optimizers.base import History
from invdesign.optimizers.fidelity import at_target_fidelity, costs
from invdesign.space import SearchSpace
from invdesign.space.outside import learnable
from invdesign.space.rounding import as_proposed
from invdesign.targets import Targets

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from numpy.typing import NDArray

LABORATORY_UNITS = "laboratory_units"
"""Name of the fact with the units in which values of a laboratory were stored before any objective was run."""
PLOTS = ("convergence", "targets", "front", "parallel")
"""Functions of ``invdesign.plot`` that draw a campaign."""
P = ParamSpec("P")
T = TypeVar("T")
ReadingT = TypeVar("ReadingT", bound="Reading")


def of_one_moment(method: Callable[Concatenate[ReadingT, P], T]) -> Callable[Concatenate[ReadingT, P], T]:
    """A method whose results belong together, even if another process writes to the store meanwhile."""

    @wraps(method)
    def wrapped(self: ReadingT, /, *args: P.args, **kwargs: P.kwargs) -> T:
        with self.store.snapshot():
            return method(self, *args, **kwargs)

    return wrapped


class Reading:
    """Results of a campaign, computed from its store alone.

    Args:
        space: the search space.
        targets: the targets.
        store: the proposed candidates and their values.
    """

    def __init__(self, space: SearchSpace, targets: Targets, store: Store) -> None:
        self.space = space
        self.targets = targets
        self.store = store
        self._outside_results = OutsideResults(space)

    @property
    def units(self) -> dict[str, str]:
        """The unit of each stored property: the objective's, or the target's if a laboratory gives the values."""
        facts = self.store.facts()
        return {**self.targets.units, **facts.get(LABORATORY_UNITS, {}), **facts.get("units", {})}

    def rounds(self) -> list[Round]:
        """The rounds in order, including an incomplete last one: the candidates to verify, and when it was due."""
        return noted_rounds(self.store)

    @of_one_moment
    def taught_rounds(self) -> list[TaughtRound]:
        """The completed rounds, with the corrections after each."""
        return taught_rounds(self.store, list(self.units))

    @of_one_moment
    def corrections(self) -> dict[str, Correction]:
        """The correction of each property after the last completed round; empty if there is none."""
        return corrections_after(self.store, complete_rounds(self.store), list(self.units))

    @of_one_moment
    def history(self) -> History:
        """The history for the optimizer, in the order of proposal; values are corrected after completed rounds."""
        columns = self.store.columns()
        # What a laboratory gave back is neither a value nor a failure, but is not proposed again.
        is_pending, given = columns.in_state(PENDING) | columns.withdrawn(), columns.given()
        outside = self._outside()
        inside = ~is_pending & ~outside
        return History(
            self._candidates(inside).reset_index(drop=True),
            self._corrected(self._properties(inside)).reset_index(drop=True),
            self._candidates(is_pending).reset_index(drop=True),
            given=np.concatenate([given[inside], given[is_pending]]),
            as_proposed=partial(as_proposed, self.space),
            noise_std=self._noise(inside),
            outside=self._data(outside) if outside.any() else None,
            failures=self._failures(inside),
        )

    def _data(self, chosen: NDArray[np.bool_]) -> History:
        """The results of some candidates, as data for a model; those that it cannot learn from count as pending."""
        usable = chosen.copy()
        usable[chosen] = learnable(self.space, self._candidates(chosen))
        return History(
            self._candidates(usable).reset_index(drop=True),
            self._corrected(self._properties(usable)).reset_index(drop=True),
            self._candidates(chosen & ~usable).reset_index(drop=True),
            noise_std=self._noise(usable),
            failures=self._failures(usable),
        )

    def _failures(self, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Which of the chosen candidates have a reason why values are missing."""
        return self.store.columns().reasoned()[chosen]

    @of_one_moment
    def outside(self) -> pd.Series:
        """Why results are outside of the space, by candidate: they are data for the model, but not hits."""
        reasons = self._outside_results.reasons(self.store.columns())
        return pd.Series(reasons.values(), index=pd.Index(reasons, name=CANDIDATE, dtype=int), dtype=object)

    @of_one_moment
    def frame(self) -> pd.DataFrame:
        """Every proposed candidate: parameters, properties, ``origin``, ``state`` and ``reason``, indexed by number.

        The properties are as the objective gave them; ``best`` and ``hits`` use corrected ones. Predictions have their
        standard deviation, ``<property>_std``, and the probabilities to meet targets; see ``Targets.probabilities``.
        Means of several measurements have their standard error there, and ``measurements`` is how many there are;
        ``<property>_limit`` is ``<5`` if the value was below the range of the instrument, and ``outside`` whether a
        result is outside of the space.
        """
        columns = self.store.columns()
        everything = np.ones(len(columns), dtype=bool)
        about = {name: columns.about[name].array() for name in ("origin", "state", REASON)}
        frame = self._with_probabilities(
            pd.concat([self._candidates(everything), self._properties(everything), self._spreads(everything)], axis=1)
        )
        return self._with_measurements(frame.assign(**{name: values.astype(object) for name, values in about.items()}))

    @of_one_moment
    def measurements(self) -> pd.DataFrame:
        """Every measurement of a laboratory, in the order of the candidates.

        Columns: ``candidate``, ``replicate`` (its label), each property, ``<property>_std`` if it is known, ``reason``,
        ``source`` (the file) and ``measured_at``. Censored values are text, such as ``<5``. Results in stores before
        format 4 are not listed until they are measured again.
        """
        found = self.store.measurements()
        cells = {
            name: [limit_text(one, name) or one.get(name, math.nan) for one in found["properties"]]
            for name in self.units
        }
        deviations = properties_of(found, [name + STD_SUFFIX for name in self.units])
        known = deviations.loc[:, deviations.notna().any()]
        values = pd.concat([pd.DataFrame(cells, index=found.index), known], axis=1)
        about = found[["reason", "source", "measured_at"]]
        return pd.concat([found[[CANDIDATE, "replicate"]], values, about], axis=1)

    def log(self) -> pd.DataFrame:
        """What was done by hand, in order: action, candidates, detail, and ``at``, its time."""
        return self.store.log()

    @of_one_moment
    def hits(self) -> pd.DataFrame:
        """Candidates that meet all targets: parameters, properties, and met or missed target by target.

        Predictions have their standard deviation and the probabilities to meet the targets, as in ``frame``.
        With Maximize or Minimize among the targets, the column ``pareto_rank`` is 0 for non-dominated candidates.
        """
        frame = self._valued()
        targets = self.targets.in_units(self.units)
        met = frame[targets.all_met(frame)]
        found = self._with_measurements(self._with_probabilities(pd.concat([met, targets.met(met)], axis=1)))
        return found.assign(pareto_rank=targets.pareto_rank(met)) if targets.optimized else found

    @of_one_moment
    def front(self) -> pd.DataFrame:
        """The candidates of Pareto rank 0: those that meet all bounds and that no other dominates.

        Without Maximize or Minimize all hits. If no candidate meets all bounds, those whose shortfalls no other
        dominates. A candidate that is worse than the reference of a target is not among them. Parameters and properties
        as in ``best``, sorted by the first property to optimize.
        """
        frame = self._valued()
        targets = self.targets.in_units(self.units)
        found = frame[targets.on_front(frame)]
        first = next((target.property for target in targets.optimized), targets.properties[0])
        return found.sort_values(first, kind="stable")

    def changes(self) -> pd.DataFrame:
        """Changes of targets, optimizer and surrogate while the campaign ran.

        Returns:
            Columns ``time``, ``candidate`` (the first that was proposed with it), ``setting``, ``before``, ``after``.
        """
        return pd.DataFrame(
            list(map(asdict, noted_changes(self.store))), columns=[item.name for item in fields(Change)]
        )

    def plot(self, kind: str = "convergence", **options: Any) -> Figure:
        """A figure of the campaign (matplotlib), which ``savefig`` writes.

        Args:
            kind: ``convergence``, ``targets``, ``front`` or ``parallel``: the function of ``invdesign.plot``.
            options: of that function.

        Raises:
            InputError: if the kind is unknown, or the figure does not fit the campaign.
        """
        import invdesign

        if kind not in PLOTS:
            raise InputError(f"Unknown kind of plot '{kind}'.{nearest(kind, PLOTS)}")
        drawn: Figure = getattr(invdesign.plot, kind)(self, **options)
        return drawn

    @of_one_moment
    def _repr_html_(self) -> str:
        """Progress and the best candidates, as a notebook shows them."""
        return campaign_html(
            self.store.campaign,
            self.status(),
            self.best(MOST),
            columns=self.space.columns,
            units=self.units,
            targets=self.targets.in_units(self.units),
        )

    @of_one_moment
    def best(self, top: int) -> pd.DataFrame:
        """The candidates nearest to, or deepest within, the targets; parameters and properties, best first.

        Ranked by Pareto rank if anything is optimized, then by the smallest margin to any bound, in units of each
        property's spread; a candidate that misses a target has a negative margin. Weights and priorities of targets
        count as ``Targets.order`` says.
        """
        frame = self._valued()
        return frame.iloc[self.targets.in_units(self.units).order(frame)[:top]]

    @of_one_moment
    def different(self, top: int, *, besides: Iterable[int] = ()) -> list[int]:
        """Numbers of the best candidates that are different designs, best first: what a verification should try.

        Two designs are alike if their numbers and the amounts in their formulas and mixtures differ by less than a
        twentieth of the ranges and everything else is equal; different molecules, categories and elements are different
        designs. If there are not enough of them among the candidates that meet all targets, and among the best if
        anything is optimized, the best of the others follow: no design is verified only because it is different.

        Args:
            top: how many.
            besides: numbers of candidates that are not chosen, such as those that were verified before.
        """
        known = set(besides)
        best = self.best(len(self.store.columns()))
        best = best[~best.index.isin(known)]
        targets = self.targets.in_units(self.units)
        met = targets.all_met(best)
        good = best[met].head(top * AMONG) if targets.optimized else best[met]
        chosen: list[int] = []
        for part in (good, best[~met].head(top * AMONG)):
            rows = part[list(self.space.names)]
            chosen += list(rows.index[unlike(self.space, rows, top - len(chosen))])
            chosen += [number for number in part.index if number not in chosen][: top - len(chosen)]
        chosen += [number for number in best.index if number not in chosen][: top - len(chosen)]
        return [int(number) for number in chosen]

    @of_one_moment
    def verified(self) -> pd.DataFrame:
        """Values of the verifying stages next to those of the search: one row for each candidate and stage.

        Each property by the stage, ``all_met``, ``reason``, and the same by the search with their disagreement; see
        ``invdesign.campaign.agreement.verified_frame``.
        """
        verifications = self.store.verifications()
        return verified_frame(
            self.store.evaluations(list(dict.fromkeys(verifications.index))),
            verifications,
            names=list(self.units),
            targets=self.targets.in_units(self.units),
            corrections=self.corrections(),
        )

    @of_one_moment
    def agreement(self) -> pd.DataFrame:
        """Agreement of each stage with the search, property by property; see ``invdesign.campaign.agreement``."""
        return agreement(self.verified(), list(self.units))

    @of_one_moment
    def status(self) -> Status:
        """Numbers of candidates that were evaluated, failed, are pending and meet all targets."""
        columns = self.store.columns()
        targets = self.targets.in_units(self.units)
        counted = columns.in_state(DONE)
        outside = self._outside()
        inside = counted & ~outside
        if self.space.fidelity is not None:
            inside &= at_target_fidelity(self.space, self._candidates(np.ones(len(columns), dtype=bool)))
        values = pd.concat([self._decided(inside), self._spreads(inside)], axis=1)
        hits = int(targets.all_met(values).sum())
        counts = columns.counts
        return Status(counts[DONE], counts[FAILED], counts[PENDING], hits, int(outside.sum()))

    @of_one_moment
    def finished(self) -> list[int]:
        """The numbers of the candidates that have a result, with or without a value."""
        return [int(number) for number in np.flatnonzero(~self.store.columns().in_state(PENDING))]

    @of_one_moment
    def cost(self) -> float:
        """Cost of the proposed candidates at their fidelities, pending ones included; 1 each without fidelities.

        A failed candidate costs as much as one with a value.
        """
        return float(costs(self.space, self._candidates(self.store.columns().in_state(*STATES))).sum())

    def affordable(self, wanted: int, cost: float | None) -> int:
        """Number of further evaluations at the target fidelity that a total cost allows.

        Args:
            wanted: largest number.
            cost: limit for all evaluations, proposed ones included; None for no limit.
        """
        if cost is None:
            return wanted
        highest = max(self.space.fidelity[1].costs.values()) if self.space.fidelity is not None else 1.0
        # Costs are sums of decimals; a rounding error must not cost an evaluation.
        return min(wanted, math.floor((cost - self.cost()) / highest + 1e-9))

    @of_one_moment
    def by_fidelity(self) -> pd.DataFrame:
        """Evaluations at each fidelity: ``evaluated``, ``failed``, ``pending`` and ``cost``, cheapest first.

        No rows if the space has no fidelities.
        """
        counted = ["evaluated", "failed", "pending"]
        if self.space.fidelity is None:
            return pd.DataFrame(columns=[*counted, "cost"])
        column, fidelity = self.space.fidelity
        everything = self.store.columns().in_state(*STATES)
        fidelities = self._candidates(everything)[column]
        table = pd.crosstab(fidelities, self.store.columns().about["state"].array()).reindex(
            index=list(fidelity.names), columns=[DONE, FAILED, PENDING], fill_value=0
        )
        counts = table.set_axis(counted, axis=1)
        return counts.assign(cost=counts.sum(axis=1) * pd.Series(fidelity.costs)).rename_axis(
            index="fidelity", columns=None
        )

    def _valued(self) -> pd.DataFrame:
        """The results that count: those at the target fidelity, if there are several."""
        done = self.store.columns().in_state(DONE) & ~self._outside()
        values = self._decided(done)
        frame = pd.concat([self._candidates(done), values, self._spreads(done)], axis=1)
        return frame[at_target_fidelity(self.space, frame)]

    def _candidates(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        """The parameters of the chosen candidates, indexed by number."""
        index = pd.Index(np.flatnonzero(chosen), name=CANDIDATE)
        if index.empty:  # has the dtypes of the space's own frames
            return self._no_candidates.set_axis(index)
        columns = self.store.columns()
        return pd.DataFrame({name: columns.parameter(name)[chosen] for name in self.space.names}, index=index)

    @of_one_moment
    def _numbered(self, numbers: Sequence[int]) -> pd.DataFrame:
        """The parameters of candidates by their numbers."""
        columns = self.store.columns()
        places = np.array(numbers, dtype=np.int64)
        index = pd.Index(places, name=CANDIDATE)
        return pd.DataFrame({name: columns.parameter(name)[places] for name in self.space.names}, index=index)

    @cached_property
    def _no_candidates(self) -> pd.DataFrame:
        return self.space.sample(0, np.random.default_rng(0))

    def _properties(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        """The properties of the chosen candidates, indexed by number."""
        columns = self.store.columns()
        index = pd.Index(np.flatnonzero(chosen), name=CANDIDATE)
        return pd.DataFrame({name: columns.property(name)[chosen] for name in self.units}, index=index, dtype=float)

    def _spreads(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        """The standard deviations of predictions and of means; no column for properties without any."""
        columns = self.store.columns()
        index = pd.Index(np.flatnonzero(chosen), name=CANDIDATE)
        spread = [name for name in self.units if name + STD_SUFFIX in columns.names or self.store.repeated()]
        known = {name + STD_SUFFIX: self._spread(columns, name) for name in spread}
        return pd.DataFrame(
            {name: values[chosen] for name, values in known.items() if not np.isnan(values).all()}, index=index
        )

    def _outside(self) -> NDArray[np.bool_]:
        """Which results of a laboratory are outside of the space."""
        return self._outside_results.array(self.store.columns())

    def _spread(self, columns: Evaluations, name: str) -> NDArray[np.float64]:
        """The standard deviations of a property: of a prediction, as a laboratory gave it, or of several values."""
        known = columns.property(name + STD_SUFFIX)
        errors = standard_errors(self.store.repeated(), name)
        if not errors:
            return known
        found = known.copy()
        places = np.array(list(errors), dtype=np.int64)
        found[places] = np.where(np.isnan(known[places]), list(errors.values()), known[places])
        return found

    def _noise(self, chosen: NDArray[np.bool_]) -> pd.DataFrame | None:
        """The known standard deviations of measured values, numbered from 0; those of predictions do not count."""
        spreads = self._spreads(chosen)
        if spreads.empty:
            return None
        measured = self.store.columns().measured()[chosen]
        spreads = spreads.set_axis([str(name).removesuffix(STD_SUFFIX) for name in spreads], axis=1)
        found = spreads.reindex(columns=list(self.units))[measured].reindex(spreads.index).reset_index(drop=True)
        return None if found.isna().all(axis=None) else found

    def _limits(self, chosen: NDArray[np.bool_], end: str) -> pd.DataFrame:
        """The limits of censored values, by property; no column for properties without any."""
        columns = self.store.columns()
        index = pd.Index(np.flatnonzero(chosen), name=CANDIDATE)
        known = {name: columns.property(name + end)[chosen] for name in self.units if name + end in columns.names}
        return pd.DataFrame({name: limits for name, limits in known.items() if not np.isnan(limits).all()}, index=index)

    def _decided(self, chosen: NDArray[np.bool_]) -> pd.DataFrame:
        """Corrected values, and limits where these decide what is met; see ``censoring.decided``."""
        targets = self.targets.in_units(self.units)
        values = self._corrected(self._properties(chosen))
        return decided(values, self._limits(chosen, BELOW), self._limits(chosen, ABOVE), targets)

    def _with_measurements(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with the number of measurements, if any candidate has several, and texts of censored values."""
        columns = self.store.columns()
        limited = {
            f"{name}_limit": [limit_text(columns.properties[number], name) for number in frame.index]
            for name in self.units
        }
        found = frame.assign(**{name: texts for name, texts in limited.items() if any(texts)})
        outside = self._outside()
        if outside.any():
            found = found.assign(outside=outside[frame.index.to_numpy()])
        if not self.store.repeated():
            return found
        counts = {number: len(given) for number, given in self.store.all_measured().items()}
        return found.assign(measurements=[counts.get(number, 0) for number in frame.index])

    def _with_probabilities(self, frame: pd.DataFrame) -> pd.DataFrame:
        """The frame with the probabilities to meet the targets, if there are standard deviations."""
        if not any(name + STD_SUFFIX in frame for name in self.targets.properties):
            return frame
        return pd.concat([frame, self.targets.in_units(self.units).probabilities(frame)], axis=1)

    def _corrected(self, values: pd.DataFrame) -> pd.DataFrame:
        return corrected(values, self.corrections())
