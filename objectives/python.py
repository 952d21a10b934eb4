"""A user's Python function as a source of property values."""

from __future__ import annotations

import importlib
import importlib.util
import math
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import pandas as pd
from pydantic import BeforeValidator, ValidationInfo
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.failures import reason_of
from invdesign.core.memory import MemorySize
from invdesign.core.settings import FileContext, bounded, settings
from invdesign.core.units import PropertyUnits
from invdesign.objectives.base import REASON, WRONG_RETURN, TravelsByFields
from invdesign.objectives.limits import memory_of

PropertyFunction = Callable[..., Mapping[str, float]]


def _from_folder(value: Any, info: ValidationInfo) -> Any:
    """Resolves the path of a function's file relative to the campaign file."""
    if not (isinstance(value, str) and isinstance(info.context, FileContext)):
        return value
    place, _, name = value.rpartition(":")
    return f"{info.context.folder / place}:{name}" if (info.context.folder / place).is_file() else value


FunctionPlace = Annotated[str, BeforeValidator(_from_folder)]
"""``package.module:name`` or ``path/to/file.py:name``."""


@settings
class PythonObjective(TravelsByFields):
    """Calls a function for each candidate, with its parameters as keyword arguments.

    The function returns a mapping from property to number. An exception becomes the candidate's reason. Naming a
    function in a campaign file runs the user's own code, as importing it would: run only files that you trust.

    Raises:
        InputError: if the function cannot be found, no property is named, or the limit is not above zero.
    """

    function: FunctionPlace | SkipJsonSchema[PropertyFunction]
    """The function, or its location: ``package.module:name`` or ``path/to/file.py:name``."""
    units: PropertyUnits
    """Each property that it returns, and its unit (empty for dimensionless)."""
    time_limit: float | None = bounded(default=None, gt=0)
    """Time limit per candidate in seconds; None for no limit. The worker process is ended when it is exceeded."""
    memory_limit: MemorySize | None = None
    """Memory that the worker process may use, such as ``2 GB`` (Linux); None for no limit."""
    isolated: bool = True
    """Whether the function runs in a worker process, so that a crash or ``sys.exit()`` only fails its candidate. State
    that it keeps between calls stays in that process. Set it to false for a function that must change objects of the
    campaign's own process. Functions that cannot be sent to another process run in the campaign's unless limited."""

    def __post_init__(self) -> None:
        if not callable(self.function):
            _split(self.function)

    @property
    def properties(self) -> Mapping[str, str]:
        return dict(self.units)

    @property
    def rows_per_call(self) -> int | None:
        return 1

    def for_columns(self, columns: Sequence[Column]) -> Self:
        return self

    def seconds_allowed(self, candidates: int) -> float | None:
        return None if self.time_limit is None else candidates * self.time_limit

    def memory_allowed(self) -> int | None:
        return memory_of(self.memory_limit)

    def check(self, columns: Sequence[Column]) -> list[str]:
        try:
            _ = self._called
        except InputError as error:
            return [str(error)]
        return []

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        rows = [self._evaluate_one(row) for row in candidates.to_dict("records")]
        result = pd.DataFrame(rows, index=candidates.index, columns=[*self.units, REASON])
        return result.astype(dict.fromkeys(self.units, float))

    def _evaluate_one(self, row: dict[Any, Any]) -> dict[str, Any]:
        try:
            given = self._called(**row)
            wrong = _wrong_return(given, self.units)
            if wrong is not None:
                return {REASON: f"{WRONG_RETURN}: {wrong}"}
            values = {name: float(given[name]) for name in self.units}
        except (Exception, SystemExit) as error:  # noqa: BLE001 - the user's code may raise anything: it becomes a reason
            return {REASON: reason_of(error)}
        invalid = [name for name, value in values.items() if not math.isfinite(value)]
        return {
            **{name: value for name, value in values.items() if math.isfinite(value)},
            REASON: f"the function returned no finite {', '.join(invalid)}" if invalid else None,
        }

    @cached_property
    def _called(self) -> PropertyFunction:
        if callable(self.function):
            return self.function
        place, name = _split(self.function)
        module = _module(place)
        if not callable(getattr(module, name, None)):
            raise InputError(f"'{place}' has no function '{name}'.{nearest(name, vars(module))}")
        return getattr(module, name)


def _split(function: str) -> tuple[str, str]:
    place, _, name = function.rpartition(":")
    if not place or not name.isidentifier():
        raise InputError(f"'{function}' is not a function. Use package.module:name or path/to/file.py:name.")
    return place, name


def _module(place: str) -> Any:
    if not place.endswith(".py"):
        try:
            return importlib.import_module(place)
        except ImportError as error:
            raise InputError(f"The module '{place}' cannot be imported: {error}.") from None
    path = Path(place)
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if not path.is_file() or specification is None or specification.loader is None:
        raise InputError(f"The Python file '{path}' does not exist.")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def _wrong_return(given: Any, units: Mapping[str, str]) -> str | None:
    """What is wrong with an answer that is not a mapping, or misses a property; None if nothing is."""
    example = ", ".join(f"'{name}': ..." for name in units)
    if not hasattr(given, "keys"):
        return f"the function must return a mapping such as {{{example}}}, not {type(given).__name__} ({given!r:.60})"
    missing = [name for name in units if name not in given]
    if missing:
        named = ", ".join(f"'{name}'" for name in missing)
        return f"the function did not return {named}.{nearest(missing[0], map(str, given.keys()))}"
    return None
