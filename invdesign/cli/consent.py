"""Asks the person at the terminal for consent to what a campaign file does, once for each content."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import typer

from invdesign.campaign_file.consent import ConsentError
from invdesign.campaign_file.file import CampaignFile
from invdesign.campaign_file.reader import read_campaign
from invdesign.core.trust import TrustRecord

if TYPE_CHECKING:
    from invdesign.campaign_file.screen_section import ScreenFile

Read = TypeVar("Read")


def read_with_consent(
    file: Path, *, allow_code: bool, store: str | None, targets_set: str | None = None
) -> CampaignFile:
    """Reads a campaign file; where consent is missing and somebody is at the terminal, asks for it and records it.

    Raises:
        FileError: as ``read_campaign``.
    """
    return _asked(file, lambda: read_campaign(file, allow_code=allow_code, store=store, targets_set=targets_set))


def read_screen_with_consent(file: Path, *, allow_code: bool) -> ScreenFile:
    """Reads a campaign file with a screen, and asks for consent as ``read_with_consent``.

    Raises:
        FileError: as ``read_screen``.
    """
    from invdesign.campaign_file.screen_section import read_screen

    return _asked(file, lambda: read_screen(file, allow_code=allow_code))


def _asked(file: Path, read: Callable[[], Read]) -> Read:
    while True:  # consent to a function lets the file be read further, where more may need consent
        try:
            return read()
        except ConsentError as error:
            if not (sys.stdin.isatty() and sys.stderr.isatty()):
                raise
            typer.echo(str(error), err=True)
            if not typer.confirm("Do you trust this file and consent?", err=True):
                raise typer.Exit(2) from None
            TrustRecord.of_user().allow(error.requests, file)


def allow_file(file: Path) -> str:
    """Records consent to all that a campaign file does; returns a message, or raises FileError for other problems."""
    record = TrustRecord.of_user()
    listed: list[str] = []
    while True:  # as above
        try:
            _read(file)
        except ConsentError as error:
            record.allow(error.requests, file)
            listed += [one.what for one in error.requests]
        else:
            break
    what = "\n".join(f"  - {one}" for one in listed)
    return f"Consent recorded in {record.place}: {file}\n{what}" if listed else f"{file} needs no further consent."


def _read(file: Path) -> Any:
    """Reads a campaign file as its commands do: with a section 'screen' as a screen."""
    from invdesign.campaign_file.lines import read
    from invdesign.campaign_file.screen_section import read_screen

    data = read(file).data
    return read_screen(file) if isinstance(data, dict) and "screen" in data else read_campaign(file)


def allow_folder(folder: Path) -> str:
    """Records consent to all campaign files in a folder; returns a message."""
    record = TrustRecord.of_user()
    record.allow_folder(folder)
    return f"Consent recorded in {record.place}: all campaign files in {folder.resolve()}, now and later."
