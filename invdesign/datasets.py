"""The registry of public datasets: source, license and a verified copy of each.

A dataset is found in this order: in the folder named by the environment variable ``INVDESIGN_DATA``, in the user's
cache, or at its registered source, pinned to a commit, from where it is downloaded once.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import quote

import pandas as pd

from invdesign.core.errors import InputError, nearest
from invdesign.core.tables import read_table

PREFIX = "dataset:"
FOLDER_VARIABLE = "INVDESIGN_DATA"
REGISTRY = Path(__file__).with_name("datasets.json")


@dataclass(frozen=True)
class Dataset:
    """One registered dataset.

    Attributes:
        name: as written after ``dataset:`` in a campaign file.
        file: path below a data folder.
        sha256: checksum of the file's bytes.
        bytes: size of the file.
        license: of the source.
        about: columns, units and publication.
        doi: of the publication; None if there is none.
        repository: address of the public repository; None if the file was made from another dataset.
        commit: the pinned commit.
        path: of the file in the repository.
    """

    name: str
    file: str
    sha256: str
    bytes: int
    license: str
    about: str
    doi: str | None = None
    repository: str | None = None
    commit: str | None = None
    path: str | None = None

    @property
    def url(self) -> str | None:
        """Address of the file at its pinned commit; None if it has no public source."""
        if not (self.repository and self.commit and self.path):
            return None
        owner_and_name = self.repository.removeprefix("https://github.com/")
        return f"https://raw.githubusercontent.com/{owner_and_name}/{self.commit}/{quote(self.path)}"


@lru_cache(maxsize=1)
def registered() -> dict[str, Dataset]:
    """All registered datasets by name."""
    return {entry["name"]: Dataset(**entry) for entry in json.loads(REGISTRY.read_text(encoding="utf-8"))}


def resolve(place: str | Path) -> Path:
    """Returns the path of a verified copy for ``dataset:NAME``, and any other path unchanged.

    Raises:
        InputError: as for ``fetch``.
    """
    text = str(place)
    return fetch(text.removeprefix(PREFIX).strip()) if text.startswith(PREFIX) else Path(text)


def fetch(name: str) -> Path:
    """Returns the path of a dataset's file with a verified checksum; downloads it if needed.

    Raises:
        InputError: if the name is unknown, the download fails, or the file is not the registered one.
    """
    known = registered()
    if name not in known:
        raise InputError(f"Unknown dataset '{name}'.{nearest(name, known)}")
    dataset = known[name]
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        return _local(dataset, Path(folder))
    return _downloaded(dataset)


def dataset(name: str, *, sheet: str | None = None) -> pd.DataFrame:
    """A registered dataset as a frame; rows are as they are in the file, with all their defects.

    Args:
        name: such as ``hbe``.
        sheet: of an .xlsx file with several.

    Returns:
        One row a row of the file. A list of molecules has the one column ``smiles``.

    Raises:
        InputError: as for ``fetch``, and if the file is not a table.
    """
    path = fetch(name)
    if path.suffix == ".txt":
        return pd.DataFrame({"smiles": path.read_text(encoding="utf-8").split()})
    return read_table(path, sheet=sheet).frame


def _local(dataset: Dataset, folder: Path) -> Path:
    path = folder / dataset.file
    if not path.is_file():
        raise InputError(
            f"{FOLDER_VARIABLE} is '{folder}', where '{dataset.file}' is missing. Copy it there, or unset the variable "
            f"to download it from {dataset.url or 'its source'}."
        )
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != dataset.sha256:
        raise InputError(
            f"'{path}' is not the registered file of dataset '{dataset.name}': its SHA-256 is {found}, expected "
            f"{dataset.sha256}. Replace it with the original."
        )
    return path


def _downloaded(dataset: Dataset) -> Path:
    import pooch
    import requests

    if dataset.url is None:
        raise InputError(
            f"Dataset '{dataset.name}' cannot be downloaded, because it has no public address. Copy "
            f"'{dataset.file}' to a folder "
            f"and set {FOLDER_VARIABLE} to that folder."
        )
    pooch.get_logger().setLevel("WARNING")
    try:
        return Path(
            pooch.retrieve(
                dataset.url,
                known_hash=f"sha256:{dataset.sha256}",
                fname=Path(dataset.file).name,
                path=pooch.os_cache("invdesign") / dataset.name,
            )
        )
    except requests.exceptions.RequestException as error:
        raise InputError(
            f"Dataset '{dataset.name}' could not be downloaded from {dataset.url}: {error}. Try again, or download it "
            f"manually to a folder as '{dataset.file}' and set {FOLDER_VARIABLE} to that folder."
        ) from None
    except ValueError as error:
        raise InputError(
            f"The download from {dataset.url} is not the registered dataset '{dataset.name}' (SHA-256 "
            f"{dataset.sha256}): "
            f"{error}. It was deleted."
        ) from None
