"""Objectives bound to a search space: given its columns and checked against it, each once."""

from __future__ import annotations

from dataclasses import dataclass, field

from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.space import SearchSpace


@dataclass(frozen=True)
class Binding:
    """An objective that knows the columns of a space.

    Attributes:
        objective: as ``for_columns`` gives it.
        problems: what does not fit the space, and what would be right; empty where all is well.
    """

    objective: Objective
    problems: tuple[str, ...]

    def fitting(self) -> Objective:
        """The objective.

        Raises:
            InputError: where it does not fit the space, with every problem.
        """
        if self.problems:
            raise InputError("\n".join(self.problems))
        return self.objective


@dataclass(frozen=True)
class Bindings:
    """The objectives of one space. Each is bound and checked when it is first asked for.

    The same objective has the same binding at every run of a campaign, so that what it has read or built stays.

    Attributes:
        space: what is searched.
    """

    space: SearchSpace
    _known: list[tuple[Objective, Binding]] = field(default_factory=list, init=False, repr=False, compare=False)

    def of(self, objective: Objective) -> Binding:
        """The binding of an objective, given as it was made or as it was bound before."""
        for given, binding in self._known:
            if objective is given or objective is binding.objective:
                return binding
        bound = objective.for_columns(self.space.columns)
        problems = [*bound.check(self.space.columns), *self.space.clashes(bound.properties)]
        return self._noted(objective, Binding(bound, tuple(problems)))

    def joined(self, whole: Objective, parts: tuple[Objective, ...]) -> Binding:
        """The binding of an objective that is made of bound ones: their problems are all that it has.

        Args:
            whole: made of ``parts`` as they were bound.
            parts: its parts.
        """
        return self._noted(whole, Binding(whole, tuple(one for part in parts for one in self.of(part).problems)))

    def _noted(self, given: Objective, binding: Binding) -> Binding:
        self._known.append((given, binding))
        return binding
