"""A space in which some parameters are pinned to a value, for the proposals of one batch."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from invdesign.core.errors import InputError, nearest
from invdesign.space.parameters import Canonical, Parameter, Pinned
from invdesign.space.search_space import SearchSpace


def pinned(space: SearchSpace, values: Mapping[str, Any]) -> SearchSpace:
    """The space with some of its parameters pinned: only candidates with these values are proposed.

    Args:
        space: the whole space.
        values: by the name of the parameter, as a user writes them.

    Raises:
        InputError: if a parameter is unknown, a value is not one of its values, or no candidate has all of them.
    """
    parameters: dict[str, Parameter] = dict(space.parameters)
    for name, value in values.items():
        if name not in parameters:
            raise InputError(f"Unknown parameter '{name}' to pin.{nearest(name, parameters)}")
        parameter = parameters[name]
        written = parameter.canonical([value])[0] if isinstance(parameter, Canonical) else value
        try:
            parameter.encode(np.array([written], dtype=object))
        except InputError as error:
            raise InputError(f"'{name}' cannot be pinned to {value!r}: {error}") from None
        parameters[name] = Pinned(parameter, written)
    return SearchSpace(parameters, constraints=space.constraints)
