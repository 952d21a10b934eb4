"""Checks of the parameters and constraints of a search space."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from invdesign.core.errors import InputError, nearest
from invdesign.space.constraints import Constraint
from invdesign.space.fidelity import Fidelity
from invdesign.space.lattice import is_counted
from invdesign.space.parameters import Continuous, Parameter, Pinned, is_smooth
from invdesign.space.sampling import Region

RESERVED = frozenset({"reason"})


def parameter_problems(parameters: Mapping[str, Parameter]) -> list[str]:
    """Messages for invalid names and parameters, and for misplaced fidelities."""
    problems = [] if parameters else ["A search space needs at least one parameter."]
    for name, parameter in parameters.items():
        if not str(name).isidentifier() or name in RESERVED:
            problems.append(f"'{name}' cannot be a parameter's name. Use letters, digits and _, such as 'x_1'.")
        if not callable(getattr(parameter, "decode", None)):
            problems.append(
                f"'{name}' must be a parameter, not {parameter!r}. Use Continuous, Integer, Categorical, ..."
            )
    fidelities = [name for name, parameter in parameters.items() if isinstance(parameter, Fidelity)]
    if len(fidelities) > 1:
        problems.append(
            f"'{fidelities[1]}' is a second fidelity column, besides '{fidelities[0]}'. Remove one of them."
        )
    if parameters and len(fidelities) == len(parameters):
        problems.append(f"'{fidelities[0]}' is a fidelity column, but the space has no parameters to search. Add one.")
    return problems


def constraint_problems(constraint: Constraint, parameters: Mapping[str, Parameter]) -> list[str]:
    """Problems of a constraint with the parameters; empty if there are none."""
    problems = [
        f"The constraint '{constraint}' refers to unknown parameter '{name}'.{nearest(name, parameters)}"
        for name in sorted(constraint.names - set(parameters))
    ]
    problems += [
        f"The constraint '{constraint}' compares '{name}' with '{word}', which is not one of its values."
        f"{nearest(word, parameters[name].column(name).values[:1000])}"
        for name, word in constraint.compared_words()
        if name in parameters and not _is_value(parameters[name], word)
    ]
    problems += _derived_problems(constraint, parameters)
    if any(isinstance(parameters.get(name), Fidelity) for name in constraint.names):
        problems.append(
            f"The constraint '{constraint}' refers to the fidelity, which the optimizer chooses by cost. Remove it."
        )
    return problems or _equality_problems(constraint, parameters)


def emptiness(constraints: Sequence[Constraint], region_of: Callable[[tuple[Constraint, ...]], Region]) -> str:
    """Names the constraints that exclude all candidates: a single one, or a smallest set that conflicts."""
    for constraint in constraints:
        region = region_of((constraint,))
        if region.first_point is None:
            return (
                f"No candidate meets the constraint '{constraint}': within the parameters' bounds it is violated by "
                f"at least {region.least_violation:.3g}. Widen the bounds or relax it."
            )
    guilty = list(constraints)
    for constraint in constraints:
        rest = tuple(item for item in guilty if item is not constraint)
        if region_of(rest).first_point is None:
            guilty = list(rest)
    listed = " and ".join(f"'{constraint}'" for constraint in guilty)
    return f"No candidate meets the constraints {listed} at once, though each alone can be met. Relax one of them."


def _equality_problems(constraint: Constraint, parameters: Mapping[str, Parameter]) -> list[str]:
    words = {name for name, parameter in parameters.items() if parameter.column("").kind != "number"}
    if not constraint.demands_equality() or constraint.names & words:
        return []
    forms = constraint.equalities()
    left = [parameters[name] for name in constraint.names if not isinstance(parameters[name], Pinned)]
    smooth = all(is_smooth(parameter) and not _is_log(parameter) for parameter in left)
    if forms and (smooth or all(is_counted(form, parameters) for form in forms)):
        return []
    message = f"The constraint '{constraint}' has an equality that cannot be sampled"
    if forms and any(is_smooth(parameters[name]) for name in constraint.names):
        return [f"{message}: == needs numbers that are all with steps, or all without and not logarithmic."]
    needed = "== needs a linear expression of continuous parameters without log, or of numbers with steps"
    return [f"{message}: {needed}. Write two inequalities with a tolerance instead."]


def _is_log(parameter: Parameter) -> bool:
    return isinstance(parameter, Continuous) and parameter.log


def _derived_problems(constraint: Constraint, parameters: Mapping[str, Parameter]) -> list[str]:
    problems = []
    for quantity in sorted(constraint.derived):
        name, _, part = quantity.partition(".")
        parameter = parameters.get(name)
        if parameter is None:
            continue
        sample = parameter.decode(parameter.draw(1, np.random.default_rng(0)))
        try:
            if parameter.derived(part, sample) is None:
                problems.append(f"The constraint '{constraint}' refers to unknown quantity '{quantity}' of '{name}'.")
        except InputError as error:
            problems.append(f"The constraint '{constraint}': {error}")
    return problems


def _is_value(parameter: Parameter, word: str) -> bool:
    try:
        parameter.encode([word])
    except InputError:
        return False
    return True
