"""Settings: dataclasses whose types, bounds and documentation serve Python, files and the JSON schema alike.

``settings`` is pydantic's dataclass with one configuration for the whole package. A setting is a field with a type,
bounds (``bounded``) and a docstring below it; nothing is written twice. Invalid values raise an ``InputError`` in plain
words, both from Python and from a file.
"""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, wraps
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, TypeVar, dataclass_transform, get_args, overload

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    GetJsonSchemaHandler,
    Strict,
    ValidationError,
    ValidationInfo,
)
from pydantic.dataclasses import dataclass as pydantic_dataclass
from pydantic.dataclasses import is_pydantic_dataclass
from pydantic.fields import FieldInfo
from pydantic_core import CoreSchema, PydanticUndefined, core_schema

from invdesign.core.errors import InputError, nearest, quoted
from invdesign.core.trust import within

Class = TypeVar("Class")
Location = tuple[int | str, ...]

CONFIG = ConfigDict(extra="forbid", arbitrary_types_allowed=True)
Real = Annotated[float, Strict(), Field(allow_inf_nan=False)]
"""A finite number; text and booleans are refused."""
FROM_ELSEWHERE = "from elsewhere"
"""Marks fields that a file does not set here, because another section sets them."""


@dataclass(frozen=True)
class FileContext:
    """The file that settings come from; passed to the validators of its fields.

    Attributes:
        folder: of the file; relative paths start there.
        resolve: gives the path of a file that is named by a relative path or as ``dataset:NAME``.
        ask: raises InputError unless the user consents to what is described; with the files of code that it would run.
    """

    folder: Path
    resolve: Callable[[str], str]
    ask: Callable[[str, Sequence[Path]], None]

    def output(self, text: str) -> str:
        """Path of a folder or file to write, relative to the file's folder; outside of it only with consent."""
        place = self.folder / text
        if not within(place, self.folder):
            self.ask(f"writes to '{place}'", ())
        return str(place)


def in_file(convert: Callable[[FileContext, str], str]) -> BeforeValidator:
    """Converts text that a file gives, such as a path; Python's own values stay as they are.

    It belongs around the whole type: pydantic tries the other members of a union after an error in one.

    Args:
        convert: function of the file and the text; it raises InputError for text that is refused.
    """

    def converted(value: Any, info: ValidationInfo) -> Any:
        if isinstance(info.context, FileContext) and isinstance(value, str):
            return convert(info.context, value)
        return value

    return BeforeValidator(converted)


InputFile = Annotated[str | Path, in_file(lambda file, text: file.resolve(text))]
"""Path of a file to read; in a campaign file relative to it, or ``dataset:NAME``."""
OutputFolder = Annotated[str, in_file(lambda file, text: file.output(text))]
"""Path of a folder to write to; in a campaign file relative to it."""
MaybeOutputFolder = Annotated[str | None, in_file(lambda file, text: file.output(text))]
"""The same, or None."""


def bounded(
    *,
    default: Any = ...,
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
) -> Any:
    """A setting that is a finite number within bounds; text and booleans are refused.

    Args:
        default: the default value; the setting is required without one.
        ge: smallest value.
        gt: value that it must exceed.
        le: largest value.
        lt: value that it must stay below.
    """
    bounds = {name: bound for name, bound in {"ge": ge, "gt": gt, "le": le, "lt": lt}.items() if bound is not None}
    return Field(default, strict=True, **bounds)  # type: ignore[call-overload]


class _State:
    """Excludes the learned state of an object from validation by pydantic."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.any_schema()


STATE = _State()
"""Annotates fields that are not settings: ``_models: Annotated[dict[str, Model], STATE] = field(init=False, ...)``."""


@dataclass(frozen=True)
class OneOf:
    """Annotates text that must be one of some words: ``Annotated[str, OneOf("property", tuple(PROPERTIES))]``.

    Attributes:
        what: what the words are, for the message.
        known: the allowed words.
    """

    what: str
    known: tuple[str, ...]

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Refuses other words and suggests the nearest."""

        def check(word: str) -> str:
            if word not in self.known:
                raise InputError(f"Unknown {self.what} '{word}'.{nearest(word, self.known)}")
            return word

        return core_schema.no_info_after_validator_function(check, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        """Lists the allowed words."""
        return {"type": "string", "enum": list(self.known)}


def from_elsewhere(*, default: Any = ..., default_factory: Callable[[], Any] | None = None) -> Any:
    """A field that Python may set, but that a campaign file sets in another section, such as the space's columns."""
    if default_factory is not None:
        return Field(default_factory=default_factory, json_schema_extra={FROM_ELSEWHERE: True})
    return Field(default, json_schema_extra={FROM_ELSEWHERE: True})


@overload
def settings(cls: type[Class], /) -> type[Class]: ...
@overload
def settings(
    *, frozen: bool = True, kw_only: bool = False, eq: bool = True
) -> Callable[[type[Class]], type[Class]]: ...
@dataclass_transform(field_specifiers=(Field, field, bounded, from_elsewhere))
def settings(cls: Any = None, /, *, frozen: bool = True, kw_only: bool = False, eq: bool = True) -> Any:
    """Turns a class into a dataclass whose fields are validated, documented and part of the JSON schema.

    Every field has a type, bounds if it is a number (``bounded``), and a docstring below it. Checks of a single
    field belong in its type; ``__post_init__`` checks combinations of fields.

    Args:
        cls: the class.
        frozen: whether instances cannot be changed; surrogates, which learn, are not frozen.
        kw_only: whether settings are given by name only.
        eq: whether instances of equal settings are equal.
    """

    def decorate(cls: type[Class]) -> type[Class]:
        built: Any = pydantic_dataclass(cls, config=CONFIG, frozen=frozen, kw_only=kw_only, eq=eq)
        for name, info in built.__pydantic_fields__.items():
            if isinstance(built.__dict__.get(name), FieldInfo):  # as with dataclasses, the class shows the default
                delattr(built, name) if info.default is PydanticUndefined else setattr(built, name, info.default)
        validate = built.__init__

        @wraps(validate)
        def __init__(self: Any, *args: Any, **kwargs: Any) -> None:  # noqa: N807 - the constructor of the class
            try:
                validate(self, *map(_plain, args), **{name: _plain(value) for name, value in kwargs.items()})
            except ValidationError as error:
                given = dict(zip(setting_names(type(self)), args, strict=False)) | kwargs
                raise InputError("\n".join(fault.message for fault in faults(error, type(self), given))) from None

        built.__init__ = __init__
        return built

    return decorate if cls is None else decorate(cls)


def is_settings(cls: Any) -> bool:
    """Whether a class was decorated with ``settings``."""
    return isinstance(cls, type) and is_pydantic_dataclass(cls)


def setting_names(cls: Any) -> tuple[str, ...]:
    """Names of the settings of a class, in the order of its constructor."""
    return tuple(item.name for item in fields(cls) if item.init)


def file_setting_names(cls: Any) -> tuple[str, ...]:
    """Names of the settings that a file may set."""
    known = cls.__pydantic_fields__
    return tuple(name for name in setting_names(cls) if not _is_from_elsewhere(known[name]))


def _is_from_elsewhere(info: Any) -> bool:
    return isinstance(info.json_schema_extra, dict) and FROM_ELSEWHERE in info.json_schema_extra


def descriptions(cls: Any) -> dict[str, str]:
    """The documentation of each setting, inherited ones included."""
    found: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        if is_settings(base):
            found |= _own_descriptions(base)
    return found


@cache
def _own_descriptions(cls: Any) -> dict[str, str]:
    """The docstrings below the fields of a class, read from its source when they are asked for.

    Pydantic's ``use_attribute_docstrings`` would read them at every import, which takes longer than the classes do.
    """
    try:
        source = textwrap.dedent(inspect.getsource(cls))
    except (OSError, TypeError):  # a class without a file, such as one of an interactive session
        return {}
    (definition,) = ast.parse(source).body
    found = {}
    for item, after in pairwise(getattr(definition, "body", [])):
        text = getattr(getattr(after, "value", None), "value", None)
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and isinstance(text, str):
            found[item.target.id] = inspect.cleandoc(text)
    return found


def from_mapping(cls: type[Class], given: Mapping[str, Any], context: FileContext | None = None) -> Class:
    """Builds settings from a mapping, such as one read from a file.

    Args:
        cls: the settings class.
        given: names and values.
        context: where the mapping comes from; None for a mapping of the program's own.

    Raises:
        pydantic.ValidationError: if a value is invalid; ``faults`` turns it into plain words.
    """
    validator: Any = cls.__pydantic_validator__  # type: ignore[attr-defined]
    built: Class = validator.validate_python(dict(given), context=context)
    return built


@dataclass(frozen=True)
class Fault:
    """One invalid value.

    Attributes:
        place: its position in the given mapping.
        message: what is wrong, and what would be right.
    """

    place: Location
    message: str


def faults(error: ValidationError, cls: Any, given: Any) -> list[Fault]:
    """The errors of pydantic in plain words, one entry for each place.

    Args:
        error: the error raised by pydantic.
        cls: the settings class.
        given: what was given.
    """
    by_place: dict[Location, list[Any]] = {}
    for detail in error.errors():
        location = detail["loc"]
        if location and isinstance(location[0], int) and isinstance(given, Mapping):
            location = (setting_names(cls)[location[0]], *location[1:])
        place = _within(given, location)
        named = detail["type"] in ("missing", "missing_argument", "missing_keyword_only_argument")
        location = (*place, location[-1]) if named else location
        by_place.setdefault(location if named else place, []).append({**detail, "loc": location})
    return [
        Fault(place, _words(details, place, cls))
        for place, details in by_place.items()
        # A list with an invalid entry is also reported as too short, and what one member of a union would take, but for
        # a setting within it, as of the wrong type for the others.
        if not (
            all(detail["type"] in ("too_short", *_KINDS) for detail in details)
            and any(other[: len(place)] == place for other in by_place if other != place)
        )
    ]


def _plain(value: Any) -> Any:
    """Converts a numpy number to a Python number; returns anything else unchanged."""
    return value.item() if type(value).__module__ == "numpy" and getattr(value, "shape", None) == () else value


def _within(given: Any, location: Location) -> Location:
    """The part of a location that exists in what was given: pydantic adds words of its own for unions."""
    place: list[str | int] = []
    here = given
    for step in location:
        in_list = isinstance(here, list | tuple) and isinstance(step, int) and step < len(here)
        if in_list or (isinstance(here, Mapping) and step in here):
            place.append(step)
            here = here[step]
    return tuple(place)


_KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "int_parsing": "a whole number",
    "float_type": "a number",
    "float_parsing": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "bool_parsing": "true or false",
    "string_type": "text",
    "list_type": "a list",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "dataclass_type": "a mapping",
    "path_type": "a path",
    "callable_type": "a function",
}
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("above", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("below", "lt"),
}


def _words(details: Sequence[Any], place: Location, cls: Any) -> str:
    """The message for one place: the first error that is not about the type, or else the types that would be right."""
    where = ".".join(str(step) for step in place)
    other = [detail for detail in details if detail["type"] not in (*_KINDS, "is_instance_of")]
    if other:
        return _one(other[0], where, cls)
    kinds = [_KINDS.get(detail["type"]) or f"a {detail['ctx']['class']}" for detail in details]
    return f"'{where}' must be {' or '.join(dict.fromkeys(kinds))}, not {quoted(details[0]['input'])}."


def _one(detail: Any, where: str, cls: Any) -> str:
    kind, given = detail["type"], detail["input"]
    if kind in ("unexpected_keyword_argument", "extra_forbidden", "unexpected_positional_argument"):
        word = str(detail["loc"][-1])
        return f"Unknown setting '{word}'.{nearest(word, _known_at(cls, detail['loc'][:-1]))}"
    if kind.startswith("missing"):
        return f"The setting '{'.'.join(str(step) for step in detail['loc'])}' is missing."
    if kind == "value_error":  # raised by our own classes, in whole sentences
        message = str(detail["ctx"]["error"])
        return f"{where}: {message}" if where and f"'{where.rpartition('.')[2]}'" not in message else message
    if kind == "literal_error":
        expected = re.findall(r"'([^']*)'", detail["ctx"]["expected"])
        return f"Unknown {where} {quoted(given)}.{nearest(str(given), expected)}"
    if kind in _BOUNDS:
        words, key = _BOUNDS[kind]
        return f"'{where}' must be {words} {detail['ctx'][key]:g}, not {quoted(given)}."
    if kind == "too_short":
        return f"'{where}' needs {_entries(detail['ctx']['min_length'])} or more, not {detail['ctx']['actual_length']}."
    if kind == "too_long":
        return f"'{where}' takes at most {_entries(detail['ctx']['max_length'])}, not {detail['ctx']['actual_length']}."
    message = detail["msg"].removeprefix("Value error, ").removeprefix("Input ")
    return f"'{where}' {message}, not {quoted(given)}."


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def _known_at(cls: Any, location: Location) -> tuple[str, ...]:
    """The settings allowed at a location: the class's own, or those of settings nested in it."""
    owner = cls
    for step in location:
        info = getattr(owner, "__pydantic_fields__", {}).get(step)
        owner = _nested(info.annotation) if info is not None else owner
    return file_setting_names(owner) if is_settings(owner) else ()


def _nested(annotation: Any) -> Any:
    """The first settings class within a type, such as that of ``list[Calibration] | None``."""
    return next(_classes_within(annotation), None)


def _classes_within(annotation: Any) -> Iterator[Any]:
    if is_settings(annotation):
        yield annotation
    for part in get_args(annotation):
        yield from _classes_within(part)


def nested_classes(cls: Any) -> dict[str, Any]:
    """The settings classes that the settings of a class take, and those within them, by name."""
    found: dict[str, Any] = {}
    waiting = [cls]
    while waiting:
        for info in waiting.pop().__pydantic_fields__.values():
            new = {one.__name__: one for one in _classes_within(info.annotation) if one.__name__ not in found}
            found |= new
            waiting += new.values()
    return found
