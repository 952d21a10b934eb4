"""Objectives bound to a search space: given its columns and checked against it, each once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from invdesign.campaign.coverage import Coverage, coverage
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.space import SearchSpace


@dataclass(frozen=True)
class Binding:
    """An objective together with the columns of a space.

    Attributes:
        objective: as returned by ``for_columns``.
        problems: messages for what does not fit the space; empty if there are none.
        remarks: sentences for what will be missing, such as candidates without a row in a table.
    """

    objective: Objective
    problems: tuple[str, ...]
    remarks: tuple[str, ...] = ()

    def fitting(self) -> Objective:
        """The objective.

        Raises:
            InputError: listing every problem, if it does not fit the space.
        """
        if self.problems:
            raise InputError("\n".join(self.problems))
        return self.objective


@dataclass(frozen=True)
class Bindings:
    """The objectives of one space. Each is bound and checked when it is first used.

    An objective keeps its binding for all runs of a campaign, so that files are read and models built only once.

    Attributes:
        space: the search space.
    """

    space: SearchSpace
    _known: list[tuple[Objective, Binding]] = field(default_factory=list, init=False, repr=False, compare=False)

    def of(self, objective: Objective, columns: Sequence[Column] | None = None) -> Binding:
        """The binding of an objective, given either unbound or as bound before.

        Args:
            objective: the objective.
            columns: of its candidates: the space's (None), or these with properties of other objectives.
        """
        for given, binding in self._known:
            if objective is given or objective is binding.objective:
                return binding
        known = self.space.columns if columns is None else columns
        bound = objective.for_columns(known)
        problems = [*bound.check(known), *self.space.clashes(bound.properties)]
        found = Coverage() if problems else coverage(bound, self.space)
        return self._noted(objective, Binding(bound, (*problems, *found.problems), found.remarks))

    def joined(self, whole: Objective, parts: tuple[Objective, ...]) -> Binding:
        """The binding of an objective that is composed of bound ones; its problems and remarks are theirs.

        Args:
            whole: composed of the bound ``parts``.
            parts: its parts.
        """
        bound = [self.of(part) for part in parts]
        problems = tuple(problem for one in bound for problem in one.problems)
        return self._noted(whole, Binding(whole, problems, tuple(remark for one in bound for remark in one.remarks)))

    def _noted(self, given: Objective, binding: Binding) -> Binding:
        self._known.append((given, binding))
        return binding
