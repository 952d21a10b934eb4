"""The search space: named parameters, the constraints between them, and their encoding in the unit cube."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from invdesign.core.errors import InputError, nearest
from invdesign.core.html import html_table
from invdesign.space.constraints import Constraint
from invdesign.space.fidelity import Fidelity
from invdesign.space.lattice import lattice_of
from invdesign.space.parameters import Canonical, Continuous, FromSource, Parameter, Pinned, Sampled, Seeded, is_smooth
from invdesign.space.sampling import EmptyRegionError, Region
from invdesign.space.space_checks import constraint_problems, emptiness, parameter_problems

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from invdesign.core.columns import Column

ANCHORS = 512
BLOCK = 2048
LARGEST_GRID = 1_000_000
LARGEST_EXACT = 2**53
"""Numbers of candidates below this are counted exactly."""


class SearchSpace:
    """The parameters and constraints of a search. All returned candidates satisfy every constraint.

    Example:
        >>> space = SearchSpace(
        ...     {"thickness": Continuous(40, 120, unit="um"), "porosity": Continuous(0.2, 0.45)},
        ...     constraints=["thickness * porosity <= 40"],
        ... )
        >>> space.sample(2, np.random.default_rng(0))

    Args:
        parameters: parameters by name. Names must be Python identifiers, because constraints refer to them.
        constraints: conditions between parameters, as ``Constraint`` or as its expression.
        named: more parameters, by keyword.

    Raises:
        InputError: if a name or a constraint is invalid, or if no candidate meets the constraints (which are named).
    """

    def __init__(
        self,
        parameters: Mapping[str, Parameter] | None = None,
        *,
        constraints: Iterable[Constraint | str] = (),
        **named: Parameter,
    ) -> None:
        self.parameters: dict[str, Parameter] = {**(parameters or {}), **named}
        self.constraints = tuple(item if isinstance(item, Constraint) else Constraint(item) for item in constraints)
        problems = parameter_problems(self.parameters)
        if not problems:
            problems = [problem for constraint in self.constraints for problem in self.constraint_problems(constraint)]
        if problems:
            raise InputError("\n".join(problems))
        if self.constraints:
            self._demand_a_candidate()

    def _repr_html_(self) -> str:
        """A table of the parameters and constraints, as a notebook shows them."""
        rows = [[name, _values(parameter, name)] for name, parameter in self.parameters.items()]
        rows += [["constraint", str(constraint)] for constraint in self.constraints]
        size = "continuous" if math.isinf(self.size) else f"{self.size:,.0f} candidates"
        kept = " before constraints" if self.constraints and not math.isinf(self.size) else ""
        return html_table(f"Search space, {size}{kept}", ["parameter", "values"], rows)

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters' names in order, which are the columns of a candidate frame."""
        return tuple(self.parameters)

    @property
    def columns(self) -> tuple[Column, ...]:
        """A plain description of the columns, for surrogates and objectives."""
        return tuple(parameter.column(name) for name, parameter in self.parameters.items())

    @property
    def fidelity(self) -> tuple[str, Fidelity] | None:
        """The fidelity column and its fidelities; None if the space has none."""
        return next(((name, found) for name, found in self.parameters.items() if isinstance(found, Fidelity)), None)

    @property
    def dimension(self) -> int:
        """Number of coordinates of the unit cube."""
        return sum(parameter.dimension for parameter in self.parameters.values())

    @property
    def size(self) -> float:
        """Number of candidates without constraints, at most the largest float; infinite if one is continuous."""
        sizes = [parameter.size for parameter in self.parameters.values()]
        # Whole numbers, because a product with a float overflows.
        return math.inf if math.inf in sizes else min(math.prod(map(int, sizes)), sys.float_info.max)

    @property
    def remarks(self) -> list[str]:
        """One sentence for each parameter whose source had entries that were left out, such as invalid molecules."""
        sources = {name: found for name, found in self.parameters.items() if isinstance(found, FromSource)}
        return [f"{name}: {remark}" for name, found in sources.items() if (remark := found.source_remark())]

    def canonical(self, candidates: pd.DataFrame) -> pd.DataFrame:
        """Candidates as this space writes them, so that equal candidates are equal rows.

        Molecules become canonical SMILES, and formulas get the order and scale of the space. What cannot be read stays
        as it is; ``encode`` says why.

        Args:
            candidates: one row each, as a user or a laboratory wrote them; further columns are unchanged.
        """
        written = {
            name: pd.Series(parameter.canonical(candidates[name].to_numpy()), candidates.index).infer_objects()
            for name, parameter in self.parameters.items()
            if isinstance(parameter, Canonical)
        }
        return candidates.assign(**written)

    def sample(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        """Draws candidates uniformly from the feasible region, with replacement.

        Args:
            n: number of candidates.
            rng: source of randomness; the same state gives the same candidates.
        """
        if self.constraints:
            return self.decode(self._region.sample(n, rng))
        # In blocks, to save memory in a cube with many one-hot coordinates.
        sizes = [min(BLOCK, n - start) for start in range(0, max(n, 1), BLOCK)]
        return pd.concat([self._sampled(size, rng) for size in sizes], ignore_index=True)

    def seeded(self, candidates: pd.DataFrame, seen: pd.DataFrame) -> pd.DataFrame:
        """Candidates that begin with the user's seeds (such as those of a MoleculeGraph) which were not proposed yet.

        Args:
            candidates: to return; with further parameters, the seeds take the places of the first ones' values.
            seen: proposed candidates.

        Returns:
            As many candidates at most, without duplicates.
        """
        waiting = {
            name: pd.Series([seed for seed in found.seeds if seed not in set(seen[name])], dtype=object)
            for name, found in self.parameters.items()
            if isinstance(found, Seeded)
        }
        count = min(len(candidates), max(map(len, waiting.values()), default=0))
        if not count:
            return candidates
        first = candidates.head(count)
        seeds = first.assign(
            **{name: values.reindex(first.index).fillna(first[name]) for name, values in waiting.items()}
        )
        ordered = [seeds[self.feasible(seeds)], candidates.iloc[count:], first]
        return pd.concat(ordered, ignore_index=True).drop_duplicates(ignore_index=True).head(len(candidates))

    def encode(self, candidates: pd.DataFrame) -> NDArray[np.float64]:
        """Encodes candidates in the unit cube, shape ``n x dimension``.

        Raises:
            InputError: naming the column and the value that is not in this space.
        """
        self._demand_columns(candidates)
        blocks = []
        for name, parameter in self.parameters.items():
            try:
                blocks.append(parameter.encode(candidates[name].to_numpy()))
            except InputError as error:
                raise InputError(f"Column '{name}': {error}") from None
        return np.concatenate(blocks, axis=1)

    def decode(self, points: NDArray[np.float64]) -> pd.DataFrame:
        """Decodes points of the unit cube, shape ``n x dimension``; the inverse of ``encode``.

        Constraints are not checked: see ``repair``.
        """
        return pd.DataFrame(self._decoded(np.asarray(points, dtype=np.float64)))

    def feasible(self, candidates: pd.DataFrame) -> NDArray[np.bool_]:
        """Whether candidates satisfy every constraint, shape ``n``."""
        self._demand_columns(candidates)
        columns = self._with_derived({name: candidates[name].to_numpy() for name in self.names})
        good = np.ones(len(candidates), dtype=bool)
        for constraint in self.constraints:
            good &= constraint.violation(columns) == 0.0
        return good

    def repair(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Moves points of the unit cube to feasible ones nearby, shape ``n x dimension``.

        Every returned point decodes to a candidate that satisfies all constraints; feasible points are unchanged.
        """
        clipped = np.clip(np.asarray(points, dtype=np.float64), 0.0, 1.0)
        return self._region.repair(clipped, self._anchors) if self.constraints else clipped

    def filter(self, points: NDArray[np.float64]) -> NDArray[np.float64]:
        """Selects the points of the unit cube that are feasible without repair."""
        return points[self._region.feasible(points)]

    @property
    def is_even(self) -> bool:
        """Whether uniform points of the cube decode to uniform candidates, so that low-discrepancy sequences apply."""
        return all(parameter.is_even for parameter in self.parameters.values())

    @property
    def countable(self) -> bool:
        """Whether candidates can be enumerated: no parameter is continuous, and each parameter's size is exact."""
        return math.isfinite(self.size) and all(parameter.size_is_exact for parameter in self.parameters.values())

    def at(self, places: NDArray[np.int64]) -> pd.DataFrame:
        """The candidates at indices of the space's own order, ``0 <= place < size``; constraints are not checked."""
        sizes = [int(parameter.size) for parameter in self.parameters.values()]
        digits = np.unravel_index(np.asarray(places, dtype=np.int64), sizes)
        pairs = zip(self.parameters.items(), digits, strict=True)
        return pd.DataFrame({name: parameter.at(digit) for (name, parameter), digit in pairs})

    def grid(self, most: int = LARGEST_GRID) -> pd.DataFrame | None:
        """All feasible candidates, if there are at most ``most`` without constraints; else None.

        The frame is cached and must not be modified.
        """
        return self._grid if self.countable and self.size <= most else None

    @property
    def count(self) -> int | None:
        """Number of candidates that meet the constraints; None if it is infinite or not counted."""
        if not self.countable:
            return None
        if not self.constraints:
            return int(self.size)
        lattice = self._region.lattice
        if not lattice.complete or any(one.count >= LARGEST_EXACT for one in lattice.sums):
            return None
        sizes = math.prod(int(parameter.size) for parameter in self.parameters.values())
        return math.prod(one.count for one in lattice.sums) * (
            sizes // math.prod(size for one in lattice.sums for size in one.sizes)
        )

    def feasible_share(self, rng: np.random.Generator, points: int = 2048) -> float:
        """Estimates the share of drawn candidates that meet the constraints; zero if none does."""
        if not self.constraints:
            return 1.0
        region = self._region
        drawn = self._draw(points, rng)
        share = 0.0 if region.lattice.equalities else float(region.feasible(drawn).mean())
        if share or not region.lattice.sums or region.lattice.is_empty:
            return share
        return float(region.feasible(region.lattice.redrawn(drawn, rng)).mean()) * region.lattice.share

    def clashes(self, properties: Iterable[str]) -> list[str]:
        """Messages for properties with the name of a parameter; both are columns of one table."""
        return [
            f"'{name}' is both a parameter and a property. Rename the parameter."
            for name in properties
            if name in self.parameters
        ]

    def _decoded(self, points: NDArray[np.float64]) -> dict[str, NDArray[Any]]:
        columns: dict[str, NDArray[Any]] = {}
        start = 0
        for name, parameter in self.parameters.items():
            columns[name] = parameter.decode(points[:, start : start + parameter.dimension])
            start += parameter.dimension
        return columns

    def _sampled(self, n: int, rng: np.random.Generator) -> pd.DataFrame:
        return pd.DataFrame(
            {
                name: found.sampled(n, rng) if isinstance(found, Sampled) else found.decode(found.draw(n, rng))
                for name, found in self.parameters.items()
            }
        )

    def _draw(self, n: int, rng: np.random.Generator) -> NDArray[np.float64]:
        return np.concatenate([parameter.draw(n, rng) for parameter in self.parameters.values()], axis=1)

    def constraint_problems(self, constraint: Constraint) -> list[str]:
        """Problems of a constraint with the space's parameters; empty if there are none."""
        problems = constraint_problems(constraint, self.parameters)
        if problems:
            return problems
        # Evaluation on a few points detects words used as numbers.
        try:
            constraint.violation(self._with_derived(self._decoded(self._draw(4, np.random.default_rng(0)))))
        except InputError as error:
            return [f"The constraint '{constraint}': {error}"]
        except (TypeError, ValueError) as error:
            return [f"The constraint '{constraint}' cannot be evaluated: {error}. Compare words only with == and !=."]
        return []

    def quantities(self, candidates: pd.DataFrame, wanted: Iterable[str]) -> dict[str, NDArray[Any]]:
        """Returns values of candidates by name, and numbers derived from them.

        Args:
            candidates: one row each.
            wanted: derived numbers, each as ``name.quantity``, such as ``cathode.Co``; one that does not exist is left
                out.

        Returns:
            An array of shape ``n`` for each parameter and each of ``wanted``.
        """
        columns = {name: candidates[name].to_numpy() for name in self.names}
        return self._with_derived(columns, wanted)

    def _with_derived(
        self, columns: dict[str, NDArray[Any]], wanted: Iterable[str] | None = None
    ) -> dict[str, NDArray[Any]]:
        """Adds quantities derived from values, each as ``name.quantity``: those of the constraints if None."""
        if wanted is None:
            wanted = {quantity for constraint in self.constraints for quantity in constraint.derived}
        for quantity in sorted(wanted):
            name, _, part = quantity.partition(".")
            parameter = self.parameters.get(name) if part else None
            found = parameter.derived(part, columns[name]) if parameter is not None else None
            if found is not None:
                columns[quantity] = found
        return columns

    @cached_property
    def _grid(self) -> pd.DataFrame:
        everything = self.at(np.arange(int(self.size)))
        return everything[self.feasible(everything)].reset_index(drop=True)

    @cached_property
    def _region(self) -> Region:
        return self._region_of(self.constraints)

    @cached_property
    def _anchors(self) -> NDArray[np.float64]:
        return self._region.sample(ANCHORS, np.random.default_rng(0))

    def _region_of(self, constraints: tuple[Constraint, ...]) -> Region:
        def violation(points: NDArray[np.float64]) -> NDArray[np.float64]:
            total = np.zeros(len(points))
            if constraints and len(points):
                columns = self._with_derived(self._decoded(points))
                for constraint in constraints:
                    total += constraint.violation(columns)
            return total

        forms = [form for constraint in constraints for form in constraint.equalities()]
        rows = [self._equality_row(form) for form in forms if self._is_plane(form[0])]
        return Region(
            self.dimension,
            self._draw,
            violation,
            np.array(rows).reshape(len(rows), self.dimension + 1 if rows else 0),
            lattice_of(constraints, self.parameters),
        )

    def _is_plane(self, names: Iterable[str]) -> bool:
        """Whether an equality is one of smooth numbers; those that are pinned are constants."""
        parameters = [self.parameters[name] for name in names]
        left = [parameter for parameter in parameters if not isinstance(parameter, Pinned)]
        return bool(left) and all(map(is_smooth, left))

    def _equality_row(self, form: tuple[dict[str, float], float]) -> NDArray[np.float64]:
        """Converts ``sum(c * value) + constant == 0`` to the coordinates of the cube, as ``[a | b]``."""
        coefficients, constant = form
        row = np.zeros(self.dimension + 1)
        start = 0
        for name, parameter in self.parameters.items():
            if name in coefficients and isinstance(parameter, Continuous):
                low, high = parameter.bounds
                row[start] = coefficients[name] * (high - low)
                constant += coefficients[name] * low
            elif name in coefficients and isinstance(parameter, Pinned):
                constant += coefficients[name] * parameter.value
            start += parameter.dimension
        row[-1] = -constant
        return row / max(1e-300, float(np.linalg.norm(row[:-1])))

    def _demand_a_candidate(self) -> None:
        try:
            self._region.sample(1, np.random.default_rng(0))
        except EmptyRegionError:
            raise InputError(emptiness(self.constraints, self._region_of)) from None

    def _demand_columns(self, candidates: pd.DataFrame) -> None:
        missing = [name for name in self.names if name not in candidates]
        if missing:
            raise InputError(f"The candidates have no column '{missing[0]}'.{nearest(missing[0], candidates.columns)}")


def _values(parameter: Parameter, name: str) -> str:
    """The values of a parameter in words."""
    column = parameter.column(name)
    if column.kind == "number" and column.bounds is not None:
        low, high = column.bounds
        whole = "" if math.isinf(parameter.size) else ", whole numbers"
        scale = ", logarithmic" if column.log else ""
        return f"{low:g} to {high:g} {column.unit}".rstrip() + whole + scale
    if column.kind in ("category", "fidelity"):
        return ", ".join(column.values)
    count = "open-ended" if math.isinf(parameter.size) else f"{parameter.size:,.0f}"
    if column.kind == "formula":
        return f"{count} formulas of {', '.join(column.values)}"
    return f"{count} molecules"
