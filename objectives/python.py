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
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.foreign import importing
from invdesign.core.settings import FileContext, bounded, in_file, settings
from invdesign.core.text_files import is_file
from invdesign.core.trust import python_files
from invdesign.core.units import PropertyUnits
from invdesign.objectives.base import REASON, TravelsByFields

PropertyFunction = Callable[..., Mapping[str, float]]


def _from_folder(file: FileContext, function: str) -> str:
    """Resolves the path of a function's file relative to the campaign file; running it needs consent."""
    place, _, name = function.rpartition(":")
    path = next((path for path in (file.folder / place, Path(place)) if place and is_file(path)), None)
    file.ask(f"calls the Python function '{function}'", python_files(path) if path else ())
    return f"{path}:{name}" if path else function


FunctionPlace = Annotated[str, in_file(_from_folder)]
"""``package.module:name`` or ``path/to/file.py:name``."""


@settings
class PythonObjective(TravelsByFields):
    """Calls a function for each candidate, with its parameters as keyword arguments.

    The function returns a mapping from property to number. An exception becomes the candidate's reason. Naming a
    function in a campaign file runs its code, for which reading the file needs consent.

    Raises:
        InputError: if the function cannot be found, no property is named, or the limit is not above zero.
    """

    function: FunctionPlace | SkipJsonSchema[PropertyFunction]
    """The function, or its location: ``package.module:name`` or ``path/to/file.py:name``."""
    units: PropertyUnits
    """Each property that it returns, and its unit (empty for dimensionless)."""
    time_limit: float | None = bounded(default=None, gt=0)
    """Time limit per candidate in seconds; None for no limit. With a limit, the function runs in its own process,
    which is ended when the limit is exceeded; state that the function keeps between calls stays in that process."""

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
            values = {name: float(given[name]) for name in self.units}
        except KeyError as error:
            return {
                REASON: f"the function did not return {error}" if str(error.args[0]) in self.units else _reason(error)
            }
        except Exception as error:  # noqa: BLE001 - the user's code may raise anything, which becomes a reason
            return {REASON: _reason(error)}
        lacking = [name for name, value in values.items() if not math.isfinite(value)]
        return {
            **{name: value for name, value in values.items() if math.isfinite(value)},
            REASON: f"the function returned no finite {', '.join(lacking)}" if lacking else None,
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
        with importing(f"The module '{place}'"):
            return importlib.import_module(place)
    path = Path(place)
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if not is_file(path) or specification is None or specification.loader is None:
        raise InputError(f"The Python file '{path}' does not exist.")
    module = importlib.util.module_from_spec(specification)
    with importing(f"The Python file '{path}'"):
        specification.loader.exec_module(module)
    return module


def _reason(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
