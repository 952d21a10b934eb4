"""Fitted surrogates in files without pickle: a file cannot run code when it is loaded.

Files are written by skops (skops.readthedocs.io), which stores arrays and the attributes of objects by the names of
their classes; only the classes of this package and of the libraries that it fits are restored.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Iterable, Mapping
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

from invdesign.core.errors import InputError
from invdesign.surrogates.base import Surrogate

FORMAT = 1
LIBRARIES = ("invdesign", "scikit-learn", "numpy")
OWN = "invdesign.surrogates."
TRUSTED = frozenset(
    {
        "collections.OrderedDict",
        "invdesign.core.columns.Column",
        "invdesign.space.molecules.packed_strings.PackedStrings",
        "lightgbm.basic.Booster",
        "lightgbm.sklearn.LGBMClassifier",
        "lightgbm.sklearn.LGBMRegressor",
        "sklearn.calibration._CalibratedClassifier",
        "sklearn.calibration._SigmoidCalibration",
        "sklearn.metrics._dist_metrics.EuclideanDistance64",
        "sklearn.metrics._dist_metrics.ManhattanDistance64",
        "sklearn.model_selection._split.StratifiedKFold",
        "sklearn.neighbors._ball_tree.BallTree",
        "sklearn.neighbors._kd_tree.KDTree",
        "sklearn.tree._tree.Tree",
        "xgboost.core.Booster",
        "xgboost.sklearn.XGBClassifier",
        "xgboost.sklearn.XGBRegressor",
    }
)
"""Classes besides our own and those that skops trusts, which fitted families consist of; none runs code of a file."""


def save_surrogate(surrogate: Surrogate, path: str | Path) -> None:
    """Writes a fitted surrogate to a file, which ``load_surrogate`` reads.

    Args:
        surrogate: fitted; any family but those of BoTorch, whose models only torch's pickle can hold.
        path: of the file, such as ``voltage.skops``; an old one is replaced.

    Raises:
        InputError: if the surrogate cannot be saved, or the file cannot be written.
    """
    from skops.io import dumps

    about = {"format": FORMAT, "versions": {name: version(name) for name in LIBRARIES}}
    try:
        data = dumps({**about, "surrogate": surrogate}, compression=zipfile.ZIP_DEFLATED)
    except (TypeError, RuntimeError, ValueError) as error:
        raise InputError(
            f"A fitted {type(surrogate).__name__} cannot be saved: {error}. Keep its data and settings, and "
            "fit it again."
        ) from None
    hidden = Path(f"{path}.part")
    try:
        hidden.write_bytes(data)
        hidden.replace(path)
    except OSError as error:
        raise InputError(f"'{path}' cannot be written: {error.strerror}.") from None


def load_surrogate(path: str | Path, *, trusted: Iterable[str] = ()) -> Surrogate:
    """Reads a surrogate that was saved by ``save_surrogate``; it predicts exactly what it predicted then.

    A file that was altered can at worst give wrong predictions or end the process: it holds no code.

    Args:
        path: of the file.
        trusted: further classes that the file may restore, such as those of a plugin: ``their_package.Model``.

    Raises:
        InputError: if the file cannot be read, is not a saved surrogate, or needs classes that are not trusted.
    """
    from skops.io import get_untrusted_types, loads

    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.") from None
    damaged = (zipfile.BadZipFile, KeyError, ValueError, TypeError, AttributeError, ImportError)
    try:
        needed = get_untrusted_types(data=data)
    except damaged as error:
        raise InputError(f"'{path}' is not a saved surrogate, or it is damaged: {error}") from None
    wrong = sorted(name for name in needed if name not in {*TRUSTED, *trusted} and not _is_own_class(name))
    if wrong:
        raise InputError(
            f"'{path}' needs classes that are not known to be safe: {', '.join(wrong)}. If you trust the file and "
            "these classes, pass their names as trusted."
        )
    try:
        found: Any = loads(data, trusted=needed)
    except damaged as error:
        raise InputError(f"'{path}' is not a saved surrogate, or it is damaged: {error}") from None
    if not isinstance(found, dict) or not isinstance(found.get("surrogate"), Surrogate):
        raise InputError(f"'{path}' is not a saved surrogate.")
    if found.get("format") != FORMAT:
        raise InputError(f"'{path}' has the format {found.get('format')}; this version reads {FORMAT}. Fit it again.")
    _compare(path, found.get("versions") or {})
    surrogate: Surrogate = found["surrogate"]
    return surrogate


def _is_own_class(name: str) -> bool:
    """Whether a name is that of a class of this package's surrogates, and not of a function, which could be called."""
    module, _, own = name.rpartition(".")
    if not module.startswith(OWN):
        return False
    try:
        found = getattr(import_module(module), own, None)
    except ImportError:
        return False
    return isinstance(found, type) and found.__module__ == module


def _compare(path: str | Path, versions: Mapping[str, str]) -> None:
    """Warns if another version of a library may predict otherwise."""
    for name in LIBRARIES:
        if versions.get(name) != version(name):
            warnings.warn(
                f"'{path}' was saved with {name} {versions.get(name, 'of an unknown version')}, and this is "
                f"{version(name)}: predictions may differ. Fit the surrogate again if they do.",
                stacklevel=3,
            )
