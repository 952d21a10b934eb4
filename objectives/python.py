"""A user's Python function as a source of property values."""

from __future__ import annotations

import importlib
import inspect
import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Self

import pandas as pd
from pydantic.json_schema import SkipJsonSchema

from invdesign.core.columns import Column
from invdesign.core.errors import InputError, nearest
from invdesign.core.failures import reason_of
from invdesign.core.foreign import importing
from invdesign.core.memory import MemorySize
from invdesign.core.settings import FileContext, bounded, in_file, settings
from invdesign.core.text_files import is_file
from invdesign.core.trust import importable_files
from invdesign.core.units import PropertyUnits
from invdesign.objectives.base import REASON, WRONG_RETURN, TravelsByFields
from invdesign.objectives.function_files import beside, load, neighbors
from invdesign.objectives.limits import memory_of

PropertyFunction = Callable[..., Mapping[str, float]]


def _from_folder(file: FileContext, function: str) -> str:
    """Resolves the path of a function's file relative to the campaign file; running it needs consent."""
    place, _, name = function.rpartition(":")
    path = next((path for path in (file.folder / place, Path(place)) if place and is_file(path)), None)
    file.ask(f"calls the Python function '{function}'", importable_files(path) if path else ())
    return f"{path}:{name}" if path else function


FunctionPlace = Annotated[str, in_file(_from_folder)]
"""``package.module:name`` or ``path/to/file.py:name``."""


@settings
class PythonObjective(TravelsByFields):
    """Calls a function for each candidate, with its parameters as keyword arguments.

    The function returns a mapping from property to number. An exception becomes the candidate's reason. Modules beside
    its file can be imported. Naming a function in a campaign file runs its code, for which reading the file needs
    consent.

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
    def input_names(self) -> tuple[str, ...]:
        """The arguments of the function; none if it cannot be loaded, which ``check`` reports."""
        try:
            return _argument_names(self._called)
        except InputError:
            return ()

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
        """Loads the function and compares its signature with the parameters; it is not called."""
        try:
            return signature_problems(self._called, [column.name for column in columns])
        except InputError as error:
            return [str(error)]

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        rows = [self._evaluate_one(row) for row in candidates.to_dict("records")]
        result = pd.DataFrame(rows, index=candidates.index, columns=[*self.units, REASON])
        return result.astype(dict.fromkeys(self.units, float))

    def _evaluate_one(self, row: dict[Any, Any]) -> dict[str, Any]:
        try:
            function = self._called
            with self._imports:
                given = function(**row)
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
        function: PropertyFunction = getattr(module, name)
        return function

    @property
    def _imports(self) -> AbstractContextManager[None]:
        """The folder of the function's file is on the import path while it runs, for what it imports then."""
        place = None if callable(self.function) else _split(self.function)[0]
        return beside(Path(place)) if place is not None and place.endswith(".py") else nullcontext()

    def __getstate__(self) -> dict[str, Any]:
        """The settings, and when the function's file and its neighbors were written: a worker loads them again."""
        place = "" if callable(self.function) else _split(self.function)[0]
        files = [Path(place), *neighbors(Path(place))] if place.endswith(".py") and Path(place).is_file() else []
        return {**super().__getstate__(), "written": [file.stat().st_mtime_ns for file in files]}


def _split(function: str) -> tuple[str, str]:
    place, _, name = function.rpartition(":")
    if not place or not name.isidentifier():
        raise InputError(f"'{function}' is not a function. Use package.module:name or path/to/file.py:name.")
    return place, name


def _module(place: str) -> ModuleType:
    what = f"The Python file '{place}'" if place.endswith(".py") else f"The module '{place}'"
    with importing(what):
        return load(Path(place)) if place.endswith(".py") else importlib.import_module(place)


def signature_problems(function: Callable[..., object], parameters: Sequence[str]) -> list[str]:
    """Messages for a function that cannot be called with the parameters as keyword arguments.

    Args:
        function: the function; one without a signature, such as some in C, is not checked.
        parameters: names of the space's parameters.
    """
    arguments = _arguments(function)
    if arguments is None:
        return []
    name = getattr(function, "__name__", "the function")
    named = _argument_names(function)
    takes_all = any(one.kind is one.VAR_KEYWORD for one in arguments)
    required = [
        one for one in arguments if one.default is one.empty and one.kind not in (one.VAR_KEYWORD, one.VAR_POSITIONAL)
    ]
    problems = []
    for one in required:
        if one.kind is one.POSITIONAL_ONLY:
            problems.append(
                f"The function '{name}' takes '{one.name}' by position only, but parameters are passed by name. "
                "Remove '/' from its signature, or wrap it in another function."
            )
        elif one.name not in parameters:
            problems.append(
                f"The function '{name}' needs the argument '{one.name}', which is not a parameter of the space."
                f"{nearest(one.name, parameters)}"
            )
    unexpected = [] if takes_all else [parameter for parameter in parameters if parameter not in named]
    problems += [
        f"The function '{name}' does not take the parameter '{parameter}' of the space.{nearest(parameter, named)} Add "
        "it as an argument, or add **others."
        for parameter in unexpected
    ]
    return problems


def _arguments(function: Callable[..., object]) -> tuple[inspect.Parameter, ...] | None:
    try:
        return tuple(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return None


def _argument_names(function: Callable[..., object]) -> tuple[str, ...]:
    """The arguments that can be given by name."""
    by_name = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
    return tuple(one.name for one in _arguments(function) or () if one.kind in by_name)


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
