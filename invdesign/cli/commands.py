"""The command line: one file per campaign, and one command per task."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, ParamSpec, TypeVar

import typer

if TYPE_CHECKING:
    import pandas as pd
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


def _errors_in_words(command: Callable[P, T]) -> Callable[P, T]:
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


@app.command()
@_errors_in_words
def run(
    file: File,
    targets: TargetsFile = None,
    store: StorePlace = None,
    evaluations: Annotated[
        int | None, typer.Option(min=1, help="Total number of candidates, instead of the file's.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="File for the report; NAME.html by default.")] = None,
    *,
    targets_set: TargetsSet = None,
    allow_code: AllowCode = False,
    wait: Annotated[
        bool, typer.Option(help="Wait until no other process runs the campaign; join it by default.")
    ] = False,
    lease: Annotated[
        float, typer.Option(min=1, help="Seconds for which candidates of a process that does not answer are kept.")
    ] = 60.0,
    objective_changed: Annotated[
        Literal["refuse", "keep", "re-evaluate"],
        typer.Option(help="What to do with stored values if the objective has changed since."),
    ] = "refuse",
    stop_after: Annotated[
        int,
        typer.Option(min=0, help="Stop after so many failures for one reason if nothing has succeeded; 0 to go on."),
    ] = 5,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Evaluate failed candidates again first.")
    ] = False,
) -> None:
    """Searches until the budget is spent, verifies the best, prints them and writes the report.

    Run again, it continues. With --targets and a campaign that already has values, it compares them with
    the other targets and evaluates nothing. The exit status is 1 if no candidate has a value at the end.
    """
    from invdesign.campaign import Failures, RunSettings
    from invdesign.campaign_file.running import run_file
    from invdesign.cli.running import ConsoleWatch

    setting, campaign, existed = _opened(file, targets, targets_set, store, allow_code=allow_code)
    _ = report or _page(f"{setting.header.campaign}.html")  # a wrong place is refused before the search
    console = _console()
    for remark in setting.remarks:
        console.print(remark, markup=False)
    if targets is not None and existed:
        console.print(
            f"Read {campaign.status().evaluated} stored values with the targets of {targets}; nothing was evaluated."
        )
    else:
        run_file(
            setting,
            campaign,
            evaluations=evaluations,
            retry_failed=retry_failed,
            settings=RunSettings(lease, wait, objective_changed, Failures(stop_after or None)),
            watch=ConsoleWatch(console),
        )
    _print_hits(campaign, console)
    _print_stages(campaign, console)
    _write_report(setting, campaign, report, console)
    state = campaign.status()
    if state.failed and not state.evaluated:
        console.print(f"No candidate has a value: all {state.failed} evaluations failed.")
        raise typer.Exit(1)


@app.command()
@_errors_in_words
def screen(
    file: File,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Folder for the results; NAME-screen by default.")
    ] = None,
    *,
    allow_code: AllowCode = False,
) -> None:
    """Screens the space of a file with a section 'screen': the funnel, the best candidates, a report.

    Run again after an interruption, it goes on with the blocks that are missing. The exit status is 1 if no candidate
    passes the funnel.
    """
    from invdesign.cli.consent import read_screen_with_consent
    from invdesign.cli.screening import print_screening, screen_file
    from invdesign.report.screening_page import write_screening_page

    setting = read_screen_with_consent(file, allow_code=allow_code)
    folder = output or setting.output
    if output is None and setting.settings.output is None:
        _ = _page(str(folder))
    console = _console()
    done, verified = screen_file(setting, folder, console)
    print_screening(done, console)
    page = write_screening_page(done, name=setting.header.campaign, source=setting.document.text, verified=verified)
    console.print(f"Results: {done.results.resolve()}", soft_wrap=True, markup=False)
    console.print(f"Report: {page.resolve()}", soft_wrap=True, markup=False)
    if done.best.empty:
        console.print("No candidate passed the funnel.")
        raise typer.Exit(1)


@app.command()
@_errors_in_words
def check(
    file: File, targets: TargetsFile = None, targets_set: TargetsSet = None, *, allow_code: AllowCode = False
) -> None:
    """Checks a campaign file: every error with its line, or the size of the space and five samples."""
    import numpy as np

    from invdesign.space import describe_size

    if _is_screen(file):
        from invdesign.cli.consent import read_screen_with_consent

        plan = read_screen_with_consent(file, allow_code=allow_code).plan
        size = plan.pool.size()
        typer.echo(f"{file} is a valid campaign file with a screen.")
        typer.echo(f"The pool has {'an unknown number of' if size is None else f'about {size:,}'} entries.")
        typer.echo(f"Steps: {', '.join(step.name for step in plan.steps)}.")
        return
    setting = _read(file, targets, targets_set, allow_code=allow_code)
    data = setting.check_data()
    typer.echo(f"{file} is a valid campaign file.")
    typer.echo(describe_size(setting.space))
    if data is not None:
        typer.echo(f"Its data have {len(data.frame()):,} results.")
        _print_outside(data, _console())
    for remark in setting.remarks:
        typer.echo(remark)
    typer.echo("Five of them, at random:")
    typer.echo(setting.space.sample(5, np.random.default_rng(setting.header.seed)).to_string(index=False))


@app.command()
@_errors_in_words
def allow(
    place: Annotated[Path, typer.Argument(help="A campaign file, or a folder of them.", show_default=False)],
) -> None:
    """Consents to the code that a campaign file names, until it changes; or to all campaign files in a folder."""
    from invdesign.cli.consent import allow_file, allow_folder

    typer.echo(allow_folder(place) if place.is_dir() else allow_file(place))


@app.command()
@_errors_in_words
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
    setting, campaign, _ = _opened(file, None, targets_set, store, allow_code=allow_code)
    reason = None if go_on else campaign.stop_reason()
    if reason is not None:
        raise InputError(f"{reason} Nothing was proposed. Use --go-on to ask in spite of it.")
    written: list[Path] = []
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
            written.append(output)

    try:
        batch = campaign.ask(n, pin=_pins(pin or []), before_commit=hand_out)
    except Exception:
        for path in written:  # its candidates were not stored
            path.unlink(missing_ok=True)
        raise
    if output is not None:
        wanted = to_fill_in(setting.targets, campaign.units)
        _console().print(
            f"Wrote {len(batch)} candidates to {output}. Fill in {wanted} and use: invdesign tell {file} {output}",
            markup=False,
            soft_wrap=True,
        )


@app.command()
@_errors_in_words
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
    setting, campaign, _ = _opened(file, None, targets_set, store, allow_code=allow_code)
    if setting.objective is not None:
        campaign.use_units_of(setting.objective)
    numbers = campaign.tell(table, again=again)
    ignored = ignored_columns(table, setting.space, setting.targets)
    status_ = campaign.status()
    console = _console()
    console.print(f"Stored {len(numbers)} results. {status_.hits} of {status_.evaluated} candidates meet all targets.")
    _print_outside(campaign, console, numbers)
    if ignored:
        console.print(f"Not stored, because they are not in the campaign file: {', '.join(ignored)}.", markup=False)


@app.command()
@_errors_in_words
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
    _, campaign, _ = _opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    numbers = campaign.amend(table)
    _console().print(f"Corrected {len(numbers)} results: candidates {', '.join(map(str, numbers))}.", markup=False)


@app.command()
@_errors_in_words
def withdraw(
    file: File,
    candidates: Annotated[list[int], typer.Argument(help="Numbers of pending candidates.")],
    store: StorePlace = None,
    reason: Annotated[str, typer.Option(help="Why they are not made.")] = "",
    *,
    allow_code: AllowCode = False,
) -> None:
    """Takes back pending candidates that are not made; they count as no value and are not proposed again."""
    _, campaign, _ = _opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    campaign.withdraw(candidates, reason)
    _console().print(f"Withdrew {len(candidates)} candidates. {campaign.status().pending} are pending.", markup=False)


@app.command()
@_errors_in_words
def reject(
    file: File,
    candidates: Annotated[list[int], typer.Argument(help="Numbers of candidates, with or without a result.")],
    reason: Annotated[str, typer.Option(help="Why they are rejected.")],
    store: StorePlace = None,
    *,
    allow_code: AllowCode = False,
) -> None:
    """Rejects candidates: no model learns from them, and they are not proposed again."""
    _, campaign, _ = _opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    campaign.reject(candidates, reason)
    _console().print(f"Rejected {len(candidates)} candidates. {campaign.status().pending} are pending.", markup=False)


@app.command()
@_errors_in_words
def log(file: File, store: StorePlace = None, *, allow_code: AllowCode = False) -> None:
    """Shows what was done by hand, and when: corrected, edited, withdrawn, rejected, pinned."""
    _, campaign, _ = _opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    for at, action, candidates, detail in campaign.log()[["at", "action", "candidates", "detail"]].itertuples(
        index=False
    ):
        numbers = ", ".join(map(str, candidates))
        typer.echo(f"{at:%Y-%m-%d %H:%M:%S}  {action}  candidates {numbers}{'  ' if detail else ''}{detail}")


@app.command()
@_errors_in_words
def pending(file: File, output: Output = None, store: StorePlace = None, *, allow_code: AllowCode = False) -> None:
    """Writes the sheet of all pending candidates again."""
    from invdesign.campaign.sheet import laboratory_sheet
    from invdesign.core.tables import check_new_file, table_text, write_table

    if output is not None:
        check_new_file(output)
    setting, campaign, _ = _opened(file, None, None, store, must_exist=True, allow_code=allow_code)
    batch, expectation = campaign.pending(), campaign.expectation()
    why = campaign.why(batch, expectation)
    sheet = laboratory_sheet(batch, setting.space, setting.targets, expectation, campaign.units, why=why)
    if output is None:
        typer.echo(table_text(sheet), nl=False)
    else:
        write_table(sheet, output)
        _console().print(f"Wrote {len(batch)} candidates to {output}.", markup=False, soft_wrap=True)


@app.command()
@_errors_in_words
def status(
    file: File,
    targets: TargetsFile = None,
    targets_set: TargetsSet = None,
    store: StorePlace = None,
    *,
    allow_code: AllowCode = False,
) -> None:
    """Shows the progress of a campaign, and the candidates that meet the targets so far."""
    from invdesign.report.console import hits_table, status_table
    from invdesign.report.findings import gather

    _, campaign, _ = _opened(file, targets, targets_set, store, must_exist=True, allow_code=allow_code)
    found = gather(campaign)
    console = _console()
    console.print(status_table(found))
    console.print(hits_table(found))
    _print_outside(campaign, console)


@app.command()
@_errors_in_words
def report(
    file: File,
    output: Output = None,
    targets: TargetsFile = None,
    targets_set: TargetsSet = None,
    store: StorePlace = None,
    *,
    allow_code: AllowCode = False,
) -> None:
    """Writes the report of a campaign as one HTML file."""
    setting, campaign, _ = _opened(file, targets, targets_set, store, must_exist=True, allow_code=allow_code)
    _write_report(setting, campaign, output, _console())


@app.command()
@_errors_in_words
def models(
    file: File,
    *,
    allow_code: AllowCode = False,
    split: Annotated[
        list[str] | None,
        typer.Option(
            help="Hold out whole groups: scaffold, size (molecules), elements (formulas), cluster, or a column of the "
            "table; random alone. May be repeated; the last one decides. By default one that suits the data."
        ),
    ] = None,
    families: Annotated[
        str | None, typer.Option(help="Types of surrogates, separated by commas; all by default.")
    ] = None,
    folds: Annotated[int, typer.Option(min=2, help="Number of cross-validation folds.")] = 5,
    choice: Annotated[bool, typer.Option(help="Also validate the choice among the families (nested; slow).")] = False,
    censored: Annotated[str, typer.Option(help="Values such as <1E-10: error, limit or drop.")] = "error",
    output: Output = None,
) -> None:
    """Compares model families on the file's data by cross-validation, and recommends one."""
    from invdesign.campaign_file.model_comparison import compare_models, training_data
    from invdesign.report.models_page import models_tables, write_models_page
    from invdesign.targets import Targets

    setting = _read(file, None, None, allow_code=allow_code)
    data = training_data(setting, censored=censored)
    console = _console()
    for finding in data.findings:
        console.print(f"{finding.kind}: {finding.message}", markup=False)
    with console.status("Comparing") as status:
        found = compare_models(
            data,
            splits=tuple(split or ()),
            families=[word.strip() for word in families.split(",")] if families else (),
            folds=folds,
            seed=setting.header.seed,
            choice=choice,
            on_progress=lambda family, split: status.update(f"Comparing: {family}, {split} split"),
        )
    for table in models_tables(found):
        console.print(table)
    for family, reason in found.comparison.failed.items():
        console.print(f"{family} could not be fitted: {reason}", markup=False)
    console.print(f"Recommended: {found.recommendation.family}. {found.recommendation.reason}", markup=False)
    known = data.table.properties  # others are of other objectives, or follow from the model
    targets = Targets(*(target for target in setting.targets if target.property in known)).in_units(known)
    page = write_models_page(
        found, output or _page(f"{setting.header.campaign}-models.html"), name=setting.header.campaign, targets=targets
    )
    console.print(f"Page: {page.resolve()}", soft_wrap=True)


@app.command()
@_errors_in_words
def schema() -> None:
    """Prints the JSON schema of the campaign file."""
    import json

    from invdesign.campaign_file.schema import campaign_schema

    typer.echo(json.dumps(campaign_schema(), indent=2))


@data_app.command("list")
@_errors_in_words
def data_list() -> None:
    """Lists the registered datasets with their licenses."""
    from rich.table import Table

    from invdesign.datasets import registered

    table = Table("name", "license", "about")
    for dataset in registered().values():
        table.add_row(dataset.name, dataset.license, dataset.about)
    _console().print(table)


@data_app.command("fetch")
@_errors_in_words
def data_fetch(name: Annotated[str, typer.Argument(help="Name of the dataset.")]) -> None:
    """Downloads a dataset, checks its checksum and prints its path."""
    from invdesign.datasets import fetch

    typer.echo(fetch(name))


def _read(
    file: Path, targets: Path | None, targets_set: str | None, *, allow_code: bool, store: str | None = None
) -> CampaignFile:
    from dataclasses import replace

    from invdesign.campaign_file.file import read_targets
    from invdesign.cli.consent import read_with_consent

    own = targets_set if targets is None else None
    setting = read_with_consent(file, allow_code=allow_code, store=store, targets_set=own)
    if targets is None:
        return setting
    other = read_targets(targets, targets_set)
    if setting.objective is not None:
        other.in_units(setting.objective.properties)
    return replace(setting, targets=other, target_sets={})


def _is_screen(file: Path) -> bool:
    """Whether a campaign file has a section 'screen'; one that cannot be read has none."""
    from invdesign.campaign_file.lines import FileError, read

    try:
        data = read(file).data
    except FileError:
        return False
    return isinstance(data, dict) and "screen" in data


def _opened(
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

    setting = _read(file, targets, targets_set, allow_code=allow_code, store=store)
    if must_exist and not exists(setting.store):
        raise InputError(
            f"The store '{setting.store}' does not exist yet. Start the campaign with: invdesign run {file}"
        )
    campaign = setting.open()
    return setting, campaign, campaign.status().evaluated > 0


def _print_hits(campaign: Campaign, console: Console) -> None:
    from invdesign.report.console import hits_table

    console.print(hits_table(campaign))


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


def _print_outside(campaign: Campaign, console: Console, among: Sequence[int] | None = None) -> None:
    """Says how many results are outside of the space, and why the first few are."""
    found = campaign.outside()
    found = found if among is None else found[found.index.isin(among)]
    if len(found):
        are = "1 result is" if len(found) == 1 else f"{len(found):,} results are"
        console.print(f"{are} outside of the space: data for the model, but not hits.", markup=False)
        for number, why in found.head(MOST_OUTSIDE).items():
            console.print(f"  candidate {number}: {why}", markup=False, soft_wrap=True)


def _print_stages(campaign: Campaign, console: Console) -> None:
    from invdesign.report.findings import gather
    from invdesign.report.stage_words import stage_sentences

    for sentence in stage_sentences(gather(campaign)):
        console.print(sentence, markup=False)


def _write_report(setting: CampaignFile, campaign: Campaign, output: Path | None, console: Console) -> None:
    from invdesign.report import write_report

    path = output or _page(f"{setting.header.campaign}.html")
    written = write_report(
        campaign,
        path,
        source=setting.document.text,
        command=f"invdesign run {setting.document.path}",
        surrogate=setting.surrogate,
    )
    console.print(f"Report: {written.resolve()}", soft_wrap=True)


def _page(name: str) -> Path:
    """Place of a page in the working directory; a link there, which may be a stranger's, would lead elsewhere."""
    from invdesign.core.errors import InputError

    if Path(name).is_symlink():
        raise InputError(f"The page '{name}' is a link, which is not followed. Remove it, or name another file.")
    return Path(name)


def _console() -> Console:
    from rich.console import Console

    return Console()


if __name__ == "__main__":
    app()
