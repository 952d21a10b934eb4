"""Consent of the user to the code that a campaign file runs and to the places outside of its folder that it uses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from invdesign.campaign_file.lines import Document, FileError, Problem
from invdesign.core.errors import InputError
from invdesign.core.trust import Request, TrustRecord, request, within

STORE_ENDINGS = (".db", ".sqlite", ".sqlite3")
COMPANIONS = ("-wal", "-shm", "-journal")
"""Endings of files that SQLite writes next to a store."""


class ConsentError(FileError):
    """A campaign file that does something for which consent is missing.

    Attributes:
        requests: what it would do.
    """

    def __init__(self, path: str | Path, problems: Sequence[Problem], requests: Sequence[Request]) -> None:
        super().__init__(path, problems)
        self.requests = tuple(requests)

    def __str__(self) -> str:
        """The problems, everything that needs consent, and how to give it."""
        listed = "\n".join(f"  - {one.what}" for one in self.requests)
        return (
            f"{super().__str__()}\n{self.path} does the following with your rights:\n{listed}\n"
            f"Read what it names. If you trust it, consent once with: invdesign allow {self.path}\n"
            "That holds until the file or the code changes. For a single command use --allow-code (in Python: "
            "allow_code=True)."
        )


@dataclass(frozen=True)
class Consent:
    """Answers whether one campaign file may do what it describes, and collects what was refused.

    Attributes:
        document: the campaign file.
        everything: whether the caller has consented to all that it does.
        trust: the consents that the user gave before.
        refused: requests without consent.
    """

    document: Document
    everything: bool
    trust: TrustRecord = field(default_factory=TrustRecord.of_user)
    refused: list[Request] = field(default_factory=list)

    def ask(self, what: str, code: Sequence[Path] = ()) -> None:
        """Raises InputError unless there is consent.

        Args:
            what: the file would do, such as ``runs the program 'make'``.
            code: files that would be run.
        """
        if self.everything:
            return
        # Control characters in a name could hide from a terminal what would run.
        what = "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in what)
        wanted = request(what, self.document.path, self.document.text, code)
        if self.trust.allows(wanted, self.document.path):
            return
        if wanted not in self.refused:
            self.refused.append(wanted)
        raise InputError(f"The campaign file {what}, which needs your consent.")

    def ask_store(self, store: str) -> None:
        """Raises InputError for a store outside of the file's folder that is not a NAME.db in the working directory."""
        folder = self.document.path.parent
        files = [Path(f"{store}{ending}") for ending in ("", *COMPANIONS)]
        here = Path(store).name == store and store.endswith(STORE_ENDINGS)
        if "://" in store or not all(within(file, folder) or (here and not file.is_symlink()) for file in files):
            self.ask(f"uses the store '{store}', which is outside of its folder")
