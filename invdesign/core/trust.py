"""Consent to what a file does with its user's rights: given once for each content and recorded on this machine."""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.machinery import all_suffixes
from pathlib import Path
from typing import Any

from invdesign.core.errors import InputError

VARIABLE = "INVDESIGN_TRUST"


@dataclass(frozen=True)
class Request:
    """One thing that a campaign file would do and that needs consent.

    Attributes:
        what: such as ``calls the Python function 'mine.py:value'``.
        digest: SHA-256 of the file's folder and content, of ``what``, and of the code that it names.
    """

    what: str
    digest: str


def request(what: str, source: Path, text: str, code: Sequence[Path] = ()) -> Request:
    """The request of a campaign file; if the file, its folder or the code changes, it is another one.

    Args:
        what: it would do.
        source: path of the campaign file.
        text: content of the campaign file.
        code: files that would be run.
    """
    # The folder counts, because a function imports its neighbors: the same text elsewhere may run other code.
    parts = [os.fsencode(source.resolve().parent), text.encode("utf-8", "surrogatepass"), what.encode()]
    for file in code:
        parts += [os.fsencode(file), file.read_bytes()]
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return Request(what, digest.hexdigest())


@dataclass(frozen=True)
class TrustRecord:
    """The consents of this user on this machine, in one JSON file.

    Attributes:
        place: of the file.
    """

    place: Path

    @classmethod
    def of_user(cls) -> TrustRecord:
        """The record that ``INVDESIGN_TRUST`` names, or else ``invdesign/trust.json`` in ``XDG_STATE_HOME``."""
        named = os.environ.get(VARIABLE)
        state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
        return cls(Path(named) if named else Path(state) / "invdesign" / "trust.json")

    def allows(self, wanted: Request, source: Path) -> bool:
        """Whether the user has consented to a request, or to everything in a folder that holds the campaign file.

        Raises:
            InputError: if the record cannot be read.
        """
        known = self._read()
        return wanted.digest in known["allowed"] or any(within(source, Path(folder)) for folder in known["folders"])

    def allow(self, wanted: Iterable[Request], source: Path) -> None:
        """Records consent to requests of a campaign file.

        Raises:
            InputError: if the record cannot be read or written.
        """
        known = self._read()
        for one in wanted:
            known["allowed"][one.digest] = f"{source.resolve()} {one.what}"
        self._write(known)

    def allow_folder(self, folder: Path) -> None:
        """Records consent to everything that campaign files in a folder do, now and later.

        Raises:
            InputError: if the record cannot be read or written.
        """
        known = self._read()
        known["folders"] = sorted({*known["folders"], str(folder.resolve())})
        self._write(known)

    def _read(self) -> dict[str, Any]:
        try:
            known = json.loads(self.place.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"allowed": {}, "folders": []}
        except OSError as error:
            raise InputError(f"The record of consents '{self.place}' cannot be read: {error.strerror}.") from None
        except (ValueError, RecursionError):
            known = None
        if not (
            isinstance(known, dict)
            and isinstance(known.get("allowed"), dict)
            and isinstance(known.get("folders"), list)
            and all(isinstance(folder, str) and folder for folder in known["folders"])
        ):
            raise InputError(f"The record of consents '{self.place}' is damaged. Delete it, and consent again.")
        return known

    def _write(self, known: dict[str, Any]) -> None:
        try:
            self.place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            # A private file that replaces the old one at once: a reader never meets half of it.
            handle, name = tempfile.mkstemp(dir=self.place.parent, prefix=".trust-")
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(known, stream, indent=2)
            Path(name).replace(self.place)
        except OSError as error:
            raise InputError(f"The record of consents '{self.place}' cannot be written: {error.strerror}.") from None


def within(place: Path, folder: Path) -> bool:
    """Whether a path lies in a folder, links followed."""
    try:
        return place.resolve().is_relative_to(folder.resolve())
    except (OSError, ValueError, RuntimeError):  # too long, a zero byte, or links in a circle
        return False


def importable_files(file: Path) -> tuple[Path, ...]:
    """A Python file and what it may import from its folder: modules, compiled ones too, there and in all packages."""
    suffixes = tuple(all_suffixes())
    found = {file} if file.is_file() else set()
    for folder, below, names in os.walk(file.parent):
        below[:] = [name for name in below if name.isidentifier() and name != "__pycache__"]
        found.update(Path(folder, name) for name in names if name.endswith(suffixes))
    return tuple(sorted(path for path in found if path.is_file()))
