"""What all commands share: the application, their options, and how a file is opened."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from invdesign.campaign import Campaign
    from invdesign.campaign_file.file import CampaignFile

MOST_OUTSIDE = 5
"""Results outside of the space that a message lists."""
P = ParamSpec("P")
T = TypeVar("T")

# Numerical libraries read these when they are first loaded, which no command has done yet; more threads than one only
# get in each other's way on matrices of this size.
for _variable in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_variable, "1")

app = typer.Typer(
    help="Inverse design of battery materials: from targets to candidates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
data_app = typer.Typer(help="Public datasets: list them, fetch one.", no_args_is_help=True)
app.add_typer(data_app, name="data")

File = Annotated[Path, typer.Argument(help="The campaign file (YAML).", show_default=False)]
TargetsFile = Annotated[Path | None, typer.Option("--targets", help="Read targets from this file instead.")]
TargetsSet = Annotated[
    str | None, typer.Option("--targets-set", help="Name of the targets, if the file has several sets; the first.")
]
StorePlace = Annotated[str | None, typer.Option("--store", help="Store of the campaign: file or URL.")]
AllowCode = Annotated[
    bool, typer.Option("--allow-code", help="Consent to the code that the file names, for this command only.")
]
Output = Annotated[Path | None, typer.Option("-o", "--output", help="Output file.")]


def errors_in_words(command: Callable[P, T]) -> Callable[P, T]:
    """Shows invalid input as a message (status 2); an interruption explains how to resume (status 130)."""

    @functools.wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> T:
        from invdesign.core.errors import InputError

        try:
            return command(*args, **kwargs)
        except InputError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        except KeyboardInterrupt:
            typer.echo("Stopped. All results so far are stored: run the same command to continue.", err=True)
            raise typer.Exit(130) from None

    return wrapped


def read_file(
    file: Path, targets: Path | None, targets_set: str | None, *, allow_code: bool, store: str | None = None
) -> CampaignFile:
    """A checked campaign file, with the targets of another file if there is one."""
    from dataclasses import replace

    from invdesign.campaign_file.target_sets import read_targets
    from invdesign.cli.consent import read_with_consent

    own = targets_set if targets is None else None
    setting = read_with_consent(file, allow_code=allow_code, store=store, targets_set=own)
    if targets is None:
        return setting
    other = read_targets(targets, targets_set)
    if setting.objective is not None:
        other.in_units(setting.objective.properties)
    return replace(setting, targets=other, target_sets={})


def opened(
    file: Path,
    targets: Path | None,
    targets_set: str | None,
    store: str | None,
    *,
    allow_code: bool,
    must_exist: bool = False,
) -> tuple[CampaignFile, Campaign, bool]:
    """The checked file, its campaign, and whether the campaign already had values."""
    from invdesign.campaign.store import exists
    from invdesign.core.errors import InputError

    setting = read_file(file, targets, targets_set, allow_code=allow_code, store=store)
    if must_exist and not exists(setting.store):
        raise InputError(
            f"The store '{setting.store}' does not exist yet. Start the campaign with: invdesign run {file}"
        )
    campaign = setting.open()
    return setting, campaign, campaign.status().evaluated > 0


def terminal() -> Console:
    """Where commands print."""
    from rich.console import Console

    return Console()


def print_outside(campaign: Campaign, console: Console, among: Sequence[int] | None = None) -> None:
    """Says how many results are outside of the space, and why the first few are."""
    found = campaign.outside()
    found = found if among is None else found[found.index.isin(among)]
    if len(found):
        are = "1 result is" if len(found) == 1 else f"{len(found):,} results are"
        console.print(f"{are} outside of the space: data for the model, but not hits.", markup=False)
        for number, why in found.head(MOST_OUTSIDE).items():
            console.print(f"  candidate {number}: {why}", markup=False, soft_wrap=True)
