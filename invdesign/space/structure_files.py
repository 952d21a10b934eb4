"""Where the structures of materials are: a folder or a zip archive of files, or the cells of a table."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from invdesign.core.errors import InputError, quoted
from invdesign.core.failures import CandidateFailure
from invdesign.core.trust import within

ENDINGS = (".cif", ".vasp", ".poscar", ".json")
"""Endings of the files of a folder or archive that are structures."""
LARGEST = 20_000_000
"""Bytes of a structure file beyond which it is not read, and counts as empty."""


def holds_files(path: Path) -> bool:
    """Whether a pool is a folder or a zip archive of structure files rather than a table."""
    return path.is_dir() or path.suffix == ".zip"


def structure_files(path: Path) -> Iterator[tuple[str, str]]:
    """The name without its ending and the text of each structure of a folder or archive, sorted by name.

    Raises:
        InputError: if the archive cannot be read.
    """
    if path.is_dir():
        for file in sorted(one for one in path.iterdir() if one.suffix.lower() in ENDINGS):
            yield file.stem, _read(file)
        return
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                place = PurePosixPath(name)
                hidden = place.name.startswith(".") or "__MACOSX" in place.parts
                if place.suffix.lower() in ENDINGS and not hidden:
                    large = archive.getinfo(name).file_size > LARGEST
                    yield place.stem, "" if large else archive.read(name).decode("utf-8", "replace")
    except (OSError, zipfile.BadZipFile) as error:
        raise InputError(f"'{path}' cannot be read as a zip archive: {error}.") from None


def structure_text(cell: str, folder: Path) -> str:
    """The structure of a table's cell: the text itself, or that of the file in the table's folder that it names.

    Raises:
        CandidateFailure: if the file does not exist, or is outside of the folder (a table may be a stranger's).
    """
    if not cell or "\n" in cell or cell.startswith("{"):
        return cell
    place = folder / cell
    if not within(place, folder):
        raise CandidateFailure(f"the structure file {quoted(cell)} is outside of the table's folder '{folder}'")
    if not place.is_file():
        raise CandidateFailure(f"the structure file {quoted(cell)} does not exist in '{folder}'")
    return _read(place)


def digest_of_files(path: Path) -> str:
    """SHA-256 of the names and texts of a folder's structures."""
    digest = hashlib.sha256()
    for name, text in structure_files(path):
        digest.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(text.encode()).digest())
    return digest.hexdigest()


def _read(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace") if path.stat().st_size <= LARGEST else ""
