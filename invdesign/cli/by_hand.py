"""Commands of a laboratory: proposals to make, results to store, corrections, rejections."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from invdesign.cli.application import (
    AllowCode,
    File,
    Output,
    StorePlace,
    TargetsSet,
    app,
    errors_in_words,
    opened,
    print_outside,
    terminal,
)

if TYPE_CHECKING:
    import pandas as pd


@app.command()
@errors_in_words
def ask(
    file: File,
    n: Annotated[int, typer.Option("-n", min=1, help="Number of candidates.")] = 1,
    output: Output = None,
    targets_set: TargetsSet = None,
    store: StorePlace = None,
    *,
    pin: Annotated[
        list[str] | None, typer.Option("--pin", help="NAME=VALUE that all of them have; may be given several times.")
    ] = None,
    go_on: Annotated[
        bool, typer.Option("--go-on", help="Propose even if the file's 'stop' says that the campaign ends.")
    ] = False,
    allow_code: AllowCode = False,
) -> None:
    """Proposes candidates to synthesize or measure, as a table to fill in: CSV, or .xlsx by the name of the output."""
    from invdesign.campaign.sheet import laboratory_sheet, to_fill_in
    from invdesign.core.errors import InputError
    from invdesign.core.tables import check_new_file, table_text, write_table

    if output is not None:
        check_new_file(output)
    setting, campaign, _ = opened(file, None, targets_set, store, allow_code=allow_code)
    reason = None if go_on else campaign.stop_reason()
    if reason is not None:
        raise InputError(f"{reason} Nothing was proposed. Use --go-on to ask in spite of it.")
    expectation = campaign.expectation()

    def hand_out(batch: pd.DataFrame) -> None:
        if batch.empty:
            raise InputError("The search space has no more candidates to propose.")
        why = campaign.why(batch, expectation)
        sheet = laboratory_sheet(batch, setting.space, setting.targets, expectation, campaign.units, why=why)
        if output is None:
            typer.echo(table_text(sheet), nl=False)
        else:
            write_table(sheet, output)
            undo.callback(output.unlink, missing_ok=True)

    with ExitStack() as undo:  # a sheet whose candidates were not stored is removed
        batch = campaign.ask(n, pin=_pins(pin or []), before_commit=hand_out)
        undo.pop_all()
    if output is not None:
        wanted = to_fill_in(setting.targets, campaign.units)
        terminal().print(
            f"Wrote {len(batch)} candidates to {output}. Fill in {wanted} and use: invdesign tell {file} {output}",
            markup=False,
            soft_wrap=True,
        )


@app.command()
@errors_in_words
def tell(
    file: File,
    results: Annotated[Path, typer.Argument(help="Table (CSV or .xlsx) with candidates and their properties.")],
    store: StorePlace = None,
    sheet: Annotated[str | None, typer.Option(help="Sheet of an .xlsx file, if several have cells.")] = None,
    *,
    targets_set: TargetsSet = None,
    allow_code: AllowCode = False,
    again: Annotated[bool, typer.Option("--again", help="Rows that are stored already are new measurements.")] = False,
) -> None:
    """Stores measured properties of candidates, in the units of their headers or else of the targets."""
    from invdesign.campaign.laboratory import ignored_columns
    from invdesign.core.tables import read_table

    table = read_table(results, sheet=sheet)
    setting, campaign, _ = opened(file, None, targets_set, store, allow_code=allow_code)
    if setting.objective is not None:
        campaign.use_units_of(setting.objective)
    numbers = campaign.tell(table, again=again)
    ignored = ignored_columns(table, setting.space, setting.targets)
    status_ = campaign.status()
    console = terminal()
    console.print(f"Stored {len(numbers)} results. {status_.hits} of {status_.evaluated} candidates meet all targets.")
    print_outside(campaign, console, numbers)
    if ignored:
        console.print(f"Not stored, because they are not in the campaign file: {', '.join(ignored)}.", markup=False)


@app.command()
@errors_in_words
def amend(
    file: File,
    results: Annotated[Path, typer.Argument(help="Table (CSV or .xlsx) with the corrected results.")],
    store: StorePlace = None,
    *,
    allow_code: AllowCode = False,
) -> None:
    """Corrects stored results, whose former values are kept, or the parameters of pending candidates."""
    from invdesign.core.tables import read_table

    table = read_table(results)
    _, campaign, _ = opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    numbers = campaign.amend(table)
    terminal().print(f"Corrected {len(numbers)} results: candidates {', '.join(map(str, numbers))}.", markup=False)


@app.command()
@errors_in_words
def withdraw(
    file: File,
    candidates: Annotated[list[int], typer.Argument(help="Numbers of pending candidates.")],
    store: StorePlace = None,
    reason: Annotated[str, typer.Option(help="Why they are not made.")] = "",
    *,
    allow_code: AllowCode = False,
) -> None:
    """Takes back pending candidates that are not made; they count as no value and are not proposed again."""
    _, campaign, _ = opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    campaign.withdraw(candidates, reason)
    terminal().print(f"Withdrew {len(candidates)} candidates. {campaign.status().pending} are pending.", markup=False)


@app.command()
@errors_in_words
def reject(
    file: File,
    candidates: Annotated[list[int], typer.Argument(help="Numbers of candidates, with or without a result.")],
    reason: Annotated[str, typer.Option(help="Why they are rejected.")],
    store: StorePlace = None,
    *,
    allow_code: AllowCode = False,
) -> None:
    """Rejects candidates: no model learns from them, and they are not proposed again."""
    _, campaign, _ = opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    campaign.reject(candidates, reason)
    terminal().print(f"Rejected {len(candidates)} candidates. {campaign.status().pending} are pending.", markup=False)


@app.command()
@errors_in_words
def log(file: File, store: StorePlace = None, *, allow_code: AllowCode = False) -> None:
    """Shows what was done by hand, and when: corrected, edited, withdrawn, rejected, pinned."""
    _, campaign, _ = opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    for at, action, candidates, detail in campaign.log()[["at", "action", "candidates", "detail"]].itertuples(
        index=False
    ):
        numbers = ", ".join(map(str, candidates))
        typer.echo(f"{at:%Y-%m-%d %H:%M:%S}  {action}  candidates {numbers}{'  ' if detail else ''}{detail}")


@app.command()
@errors_in_words
def pending(file: File, output: Output = None, store: StorePlace = None, *, allow_code: AllowCode = False) -> None:
    """Writes the sheet of all pending candidates again."""
    from invdesign.campaign.sheet import laboratory_sheet
    from invdesign.core.tables import check_new_file, table_text, write_table

    if output is not None:
        check_new_file(output)
    setting, campaign, _ = opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    batch, expectation = campaign.pending(), campaign.expectation()
    why = campaign.why(batch, expectation)
    sheet = laboratory_sheet(batch, setting.space, setting.targets, expectation, campaign.units, why=why)
    if output is None:
        typer.echo(table_text(sheet), nl=False)
    else:
        write_table(sheet, output)
        terminal().print(f"Wrote {len(batch)} candidates to {output}.", markup=False, soft_wrap=True)


def _pins(texts: Sequence[str]) -> dict[str, str | float]:
    """The values of ``--pin NAME=VALUE``."""
    from invdesign.core.errors import InputError

    pins: dict[str, str | float] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        if not (name and equals and value):
            raise InputError(f"'{text}' must name a parameter and its value, such as --pin temperature=25.")
        try:
            pins[name] = float(value)
        except ValueError:
            pins[name] = value
    return pins
