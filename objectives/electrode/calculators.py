"""The calculator behind an electrode's energies: CHGNet, or any other that ASE can drive, by its import path."""

from __future__ import annotations

import contextlib
import importlib
import importlib.util
import inspect
import io
import json
import warnings
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from invdesign.core.errors import InputError, nearest
from invdesign.core.foreign import importing

if TYPE_CHECKING:
    from ase.calculators.calculator import Calculator

CHGNET = "chgnet"
CHGNET_MODELS = ("0.3.0", "r2scan")
"""Trained on PBE+U and on r2SCAN energies (Deng et al. 2023, doi:10.1038/s42256-023-00716-3)."""
HEAVIEST = 94
"""Atomic number of the heaviest element that CHGNet embeds."""
Setting = str | int | float | bool


def check_calculator(name: str, settings: Mapping[str, Setting]) -> None:
    """Raises InputError if the calculator or a setting of CHGNet is unknown.

    Args:
        name: ``chgnet``, or ``package.module:Class``.
        settings: keyword arguments of the class; for CHGNet only ``model``.
    """
    if name != CHGNET:
        module, _, attribute = name.partition(":")
        if not module or not attribute.isidentifier():
            raise InputError(f"'{name}' is not a calculator. Use '{CHGNET}' or package.module:Class.")
        return
    for key in settings:
        if key != "model":
            raise InputError(f"Unknown CHGNet setting '{key}'.{nearest(key, ['model'])}")
    model = settings.get("model", CHGNET_MODELS[0])
    if model not in CHGNET_MODELS:
        raise InputError(f"Unknown CHGNet model '{model}'.{nearest(str(model), CHGNET_MODELS)}")


def check_available(name: str, settings: Mapping[str, Setting]) -> None:
    """Raises InputError if the calculator cannot be created; CHGNet's weights are not loaded for this."""
    if name != CHGNET:
        calculator(name, settings)
    elif importlib.util.find_spec("chgnet") is None:
        raise InputError("CHGNet is not installed. Install invdesign[physics], or use another calculator.")


def calculator(name: str, settings: Mapping[str, Setting]) -> Calculator:
    """Returns the calculator, created once per process.

    Raises:
        InputError: if it cannot be imported or does not take the settings.
    """
    return _made(name, json.dumps(dict(settings), sort_keys=True))


def label(name: str, settings: Mapping[str, Setting]) -> str:
    """Returns what identifies a calculator: its name, version and settings."""
    package = name.partition(":")[0].partition(".")[0]
    try:
        found = version(package)
    except PackageNotFoundError:
        found = "unversioned"
    return " ".join((name, found, json.dumps(dict(settings), sort_keys=True)))


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Silences torch's warning at every evaluation of CHGNet about a tensor that is read as a number."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Converting a tensor with requires_grad=True", UserWarning)
        yield


@lru_cache(maxsize=2)
def _made(name: str, settings: str) -> Calculator:
    given: dict[str, Setting] = json.loads(settings)
    if name == CHGNET:
        return _chgnet(str(given.get("model", CHGNET_MODELS[0])))
    module, _, attribute = name.partition(":")
    with importing(f"The calculator's module '{module}'"):
        built = getattr(importlib.import_module(module), attribute, None)
    if not callable(built):
        known = [word for word, found in vars(importlib.import_module(module)).items() if inspect.isclass(found)]
        raise InputError(f"'{module}' has no calculator '{attribute}'.{nearest(attribute, known)}")
    try:
        return built(**given)
    except Exception as error:  # noqa: BLE001 - third-party calculators may raise anything
        raise InputError(f"The calculator '{name}' refuses its settings: {type(error).__name__}: {error}") from None


def _chgnet(model: str) -> Calculator:
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # it prints its size and its device
            from chgnet.model import CHGNet
            from chgnet.model.dynamics import CHGNetCalculator

            loaded = CHGNet.load(model_name=model, use_device="cpu", verbose=False)
            return CHGNetCalculator(loaded, use_device="cpu", on_isolated_atoms="ignore")
    except ImportError as error:
        raise InputError(f"CHGNet is not installed ({error}). Install invdesign[physics].") from None
