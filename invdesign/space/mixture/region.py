"""The mixtures nearest to points of the unit cube, and their children: whole steps that satisfy every rule."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from invdesign.space.composition.simplex import projected, rounded

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.space.mixture.counting import Counting, Group
    from invdesign.space.mixture.role import RoleLattice

ANCHORS = 512
BISECTIONS = 12
TRIES = 8
"""Changes that are tried for a mixture that has not changed."""
BEYOND = 0.25
"""Extrapolation of a blend beyond its parents, as a share of their difference."""


@dataclass(frozen=True)
class Region:
    """The mixtures of a space as steps of each component, among the points of the unit cube.

    Attributes:
        counting: all mixtures.
    """

    counting: Counting

    def coordinates(self, steps: NDArray[np.float64] | NDArray[np.int64]) -> NDArray[np.float64]:
        """Encodes steps: each amount as a share of its largest, shape ``n x components``."""
        return np.asarray(steps / self._high, dtype=np.float64)

    def contains(self, steps: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each row is a mixture of the space."""
        return ~np.array([bool(problem) for problem in self.problems(steps)], dtype=bool)

    def problems(self, steps: NDArray[np.int64]) -> list[str]:
        """What each row violates, in one phrase, such as ``2 components of salt, not 1``; empty if nothing."""
        present = steps > 0
        found = [""] * len(steps)

        def note(broken: Any, phrase: str) -> None:
            for row in np.flatnonzero(broken):
                found[row] = found[row] or phrase

        for role, part in self.parts():
            count = present[:, part].sum(axis=1)
            allowed = f"{role.fewest}" if role.fewest == role.most else f"{role.fewest} to {role.most}"
            note((count < role.fewest) | (count > role.most), f"the number of components of {role.name} is {allowed}")
            outside = present[:, part] & ((steps[:, part] < role.low) | (steps[:, part] > role.high))
            bounds = f"{role.texts[role.low]} to {role.texts[role.high]} {role.role.unit}".strip()
            note(outside.any(axis=1), f"amounts of {role.name} are {bounds}")
        for group in self.counting.groups:
            if group.total is None:
                continue
            roles = [self.counting.roles[role] for role in group.roles]
            columns = np.concatenate([np.arange(part.start, part.stop) for role, part in self.parts() if role in roles])
            names = " and ".join(role.name for role in roles)
            total = group.total * roles[0].step
            note(steps[:, columns].sum(axis=1) != group.total, f"the amounts of {names} sum to {total:g}")
        listed = [name for role in self.counting.roles for name, _ in role.components]
        for one, other in self.counting.excluded:
            note(present[:, one] & present[:, other], f"{listed[one]} and {listed[other]} exclude each other")
        for one, other in self.counting.required:
            note(present[:, one] & ~present[:, other], f"{listed[one]} needs {listed[other]}")
        return found

    def parts(self) -> list[tuple[RoleLattice, slice]]:
        """The roles and their columns."""
        pairs = itertools.pairwise(self.counting.starts)
        return [(role, slice(*pair)) for role, pair in zip(self.counting.roles, pairs, strict=True)]

    def nearest(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """A mixture near each point of the unit cube; the point's own if it is one.

        Of each role the components with the largest coordinates remain, and their amounts are projected on the sum and
        rounded. If that violates a rule, the point is moved toward the nearest of some random mixtures, no further than
        needed.
        """
        wished = np.clip(np.nan_to_num(points, nan=0.5), 0.0, 1.0) * self._high
        steps = np.rint(wished).astype(np.int64)
        exact = np.abs(steps - wished).max(axis=1, initial=0.0) < 1e-6
        exact[exact] = self.contains(steps[exact])
        wrong = np.flatnonzero(~exact)
        if not len(wrong):
            return steps
        steps[wrong] = self._fitted(wished[wrong])
        broken = wrong[~self.contains(steps[wrong])]
        if len(broken):
            steps[broken] = self._toward_anchor(wished[broken])
        return steps

    def mutated(self, steps: NDArray[np.int64], rng: np.random.Generator, step: float) -> NDArray[np.int64]:
        """One child of each mixture: an amount changed, or a component replaced, added or left out.

        Args:
            steps: mixtures, shape ``n x components``.
            rng: source of randomness.
            step: mean change of an amount, as a share of its range.
        """
        children = steps.copy()
        waiting = np.arange(len(steps))
        for _ in range(TRIES):
            if not len(waiting):
                break
            tried = self.nearest(self.coordinates(self._varied(steps[waiting], rng, step)))
            changed = (tried != steps[waiting]).any(axis=1)
            children[waiting[changed]] = tried[changed]
            waiting = waiting[~changed]
        return children

    def crossed(
        self, first: NDArray[np.int64], second: NDArray[np.int64], rng: np.random.Generator
    ) -> NDArray[np.int64]:
        """One child of each pair: each role is one parent's, or a blend of both."""
        blend = np.empty(first.shape)
        for _, part in self.parts():
            share = rng.uniform(-BEYOND, 1.0 + BEYOND, (len(first), 1))
            whole = rng.random((len(first), 1)) < 0.5
            share = np.where(whole, np.rint(np.clip(share, 0.0, 1.0)), share)
            blend[:, part] = first[:, part] + share * (second[:, part] - first[:, part])
        # A little noise decides between components of equal amounts.
        return self.nearest(self.coordinates(np.where(blend > 0, blend + 1e-3 * rng.random(blend.shape), 0.0)))

    def _varied(self, steps: NDArray[np.int64], rng: np.random.Generator, step: float) -> NDArray[np.float64]:
        wished = steps.astype(np.float64)
        rows = np.arange(len(steps))
        kind = rng.random(len(steps))
        chosen = np.argmax((steps > 0) * (0.01 + rng.random(steps.shape)), axis=1)
        role = np.searchsorted(np.array(self.counting.starts[1:]), chosen, side="right")
        start, width = np.array(self.counting.starts[:-1])[role], np.diff(self.counting.starts)[role]
        other = start + (chosen - start + 1 + (rng.random(len(rows)) * np.maximum(width - 1, 1)).astype(int)) % width
        length = rng.exponential(step, len(rows)) * self._high[chosen]
        sign = np.where(rng.random(len(rows)) < 0.5, -1.0, 1.0)
        amount = wished[rows, chosen]
        change, swap = kind < 0.5, (kind >= 0.5) & (kind < 0.8)
        wished[rows[change], chosen[change]] += (sign * np.maximum(length, 1.0))[change]
        wished[rows[swap], chosen[swap]] = wished[rows[swap], other[swap]]
        wished[rows[swap], other[swap]] = amount[swap]
        add = (kind >= 0.8) & (kind < 0.9)
        low = np.concatenate([np.full(one.size, one.low) for one in self.counting.roles])
        wished[rows[add], other[add]] = np.maximum(rng.random(add.sum()) * self._high[other[add]], low[other[add]])
        wished[rows[kind >= 0.9], chosen[kind >= 0.9]] = 0.0
        # An optional role without a component gets one now and then.
        for one, part in self.parts():
            empty = (steps[:, part] == 0).all(axis=1) & (rng.random(len(rows)) < 0.2)
            fresh = part.start + rng.integers(0, one.size, empty.sum())
            wished[rows[empty], fresh] = rng.integers(one.low, one.high + 1, empty.sum())
        return np.clip(wished, 0.0, self._high)

    def _fitted(self, wished: NDArray[np.float64]) -> NDArray[np.int64]:
        kept = np.zeros(wished.shape, dtype=bool)
        for group in self.counting.groups:
            self._keep(group, wished, kept)
        low = np.where(kept, self._low, 0)
        high = np.where(kept, self._high, 0)
        steps = np.clip(np.rint(wished).astype(np.int64), low, high)
        for group in self.counting.groups:
            if group.total is None:
                continue
            columns = np.concatenate([np.arange(*self._span(role)) for role in group.roles])
            possible = (low[:, columns].sum(axis=1) <= group.total) & (high[:, columns].sum(axis=1) >= group.total)
            rows = np.flatnonzero(possible)
            if len(rows):
                part = np.ix_(rows, columns)
                steps[part] = rounded(projected(wished[part], low[part], high[part], group.total), group.total)
        return steps

    def _keep(self, group: Group, wished: NDArray[np.float64], kept: NDArray[np.bool_]) -> None:
        """Marks the components that remain: the largest, as many as are clearly there and as the sum allows."""
        for role in group.roles:
            lattice, (start, stop) = self.counting.roles[role], self._span(role)
            fewest, most = lattice.fewest, lattice.most
            if group.total is not None and len(group.roles) == 1:
                fewest = max(fewest, -(-group.total // lattice.high))
                most = max(fewest, min(most, group.total // lattice.low))
            own = wished[:, start:stop]
            count = np.clip((own >= lattice.low / 2.0).sum(axis=1), fewest, most)
            order = np.argsort(-own, axis=1, kind="stable")
            chosen = np.arange(stop - start) < count[:, None]
            within = np.zeros(own.shape, dtype=bool)
            np.put_along_axis(within, order, chosen, axis=1)
            kept[:, start:stop] = within

    def _toward_anchor(self, wished: NDArray[np.float64]) -> NDArray[np.int64]:
        from scipy.spatial.distance import cdist

        anchors = self._anchors
        points = self.coordinates(wished)
        place = np.argmin(cdist(points, self.coordinates(anchors)), axis=1)
        low, high = np.zeros(len(wished)), np.ones(len(wished))
        steps = anchors[place]
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            tried = self._fitted(wished + middle[:, None] * (anchors[place] - wished))
            good = self.contains(tried)
            steps = np.where(good[:, None], tried, steps)
            high, low = np.where(good, middle, high), np.where(good, low, middle)
        return steps

    def _span(self, role: int) -> tuple[int, int]:
        return self.counting.starts[role], self.counting.starts[role + 1]

    @cached_property
    def _anchors(self) -> NDArray[np.int64]:
        return self.counting.draw(ANCHORS, np.random.default_rng(0))

    @cached_property
    def _low(self) -> NDArray[np.int64]:
        return np.concatenate([np.full(role.size, role.low) for role in self.counting.roles])

    @cached_property
    def _high(self) -> NDArray[np.int64]:
        return np.concatenate([np.full(role.size, role.high) for role in self.counting.roles])
