"""Commands of campaigns, screens, models and data: one file per campaign, and one command per task."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from invdesign.cli.application import (
    AllowCode,
    File,
    Output,
    StorePlace,
    TargetsFile,
    TargetsSet,
    app,
    data_app,
    errors_in_words,
    opened,
    print_outside,
    read_file,
    terminal,
)

if TYPE_CHECKING:
    from rich.console import Console

    from invdesign.campaign import Campaign
    from invdesign.campaign_file.file import CampaignFile


@app.command()
@errors_in_words
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

    setting, campaign, existed = opened(file, targets, targets_set, store, allow_code=allow_code)
    _ = report or _page(f"{setting.header.campaign}.html")  # a wrong place is refused before the search
    console = terminal()
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
@errors_in_words
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
    console = terminal()
    done, verified = screen_file(setting, folder, console)
    print_screening(done, console)
    page = write_screening_page(done, name=setting.header.campaign, source=setting.document.text, verified=verified)
    console.print(f"Results: {done.results.resolve()}", soft_wrap=True, markup=False)
    console.print(f"Report: {page.resolve()}", soft_wrap=True, markup=False)
    if done.best.empty:
        console.print("No candidate passed the funnel.")
        raise typer.Exit(1)


@app.command()
@errors_in_words
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
    setting = read_file(file, targets, targets_set, allow_code=allow_code)
    data = setting.check_data()
    typer.echo(f"{file} is a valid campaign file.")
    typer.echo(describe_size(setting.space))
    if data is not None:
        typer.echo(f"Its data have {len(data.frame()):,} results.")
        print_outside(data, terminal())
    for remark in setting.remarks:
        typer.echo(remark)
    typer.echo("Five of them, at random:")
    typer.echo(setting.space.sample(5, np.random.default_rng(setting.header.seed)).to_string(index=False))


@app.command()
@errors_in_words
def allow(
    place: Annotated[Path, typer.Argument(help="A campaign file, or a folder of them.", show_default=False)],
) -> None:
    """Consents to the code that a campaign file names, until it changes; or to all campaign files in a folder."""
    from invdesign.cli.consent import allow_file, allow_folder

    typer.echo(allow_folder(place) if place.is_dir() else allow_file(place))


@app.command()
@errors_in_words
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

    _, campaign, _ = opened(file, targets, targets_set, store, must_exist=True, allow_code=allow_code)
    found = gather(campaign)
    console = terminal()
    console.print(status_table(found))
    console.print(hits_table(found))
    print_outside(campaign, console)


@app.command()
@errors_in_words
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
    setting, campaign, _ = opened(file, targets, targets_set, store, must_exist=True, allow_code=allow_code)
    _write_report(setting, campaign, output, terminal())


@app.command()
@errors_in_words
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

    setting = read_file(file, None, None, allow_code=allow_code)
    data = training_data(setting, censored=censored)
    console = terminal()
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
@errors_in_words
def schema() -> None:
    """Prints the JSON schema of the campaign file."""
    import json

    from invdesign.campaign_file.schema import campaign_schema

    typer.echo(json.dumps(campaign_schema(), indent=2))


@data_app.command("list")
@errors_in_words
def data_list() -> None:
    """Lists the registered datasets with their licenses."""
    from rich.table import Table

    from invdesign.datasets import registered

    table = Table("name", "license", "about")
    for dataset in registered().values():
        table.add_row(dataset.name, dataset.license, dataset.about)
    terminal().print(table)


@data_app.command("fetch")
@errors_in_words
def data_fetch(name: Annotated[str, typer.Argument(help="Name of the dataset.")]) -> None:
    """Downloads a dataset, checks its checksum and prints its path."""
    from invdesign.datasets import fetch

    typer.echo(fetch(name))


def _is_screen(file: Path) -> bool:
    """Whether a campaign file has a section 'screen'; one that cannot be read has none."""
    from invdesign.campaign_file.lines import FileError, read

    try:
        data = read(file).data
    except FileError:
        return False
    return isinstance(data, dict) and "screen" in data


def _print_hits(campaign: Campaign, console: Console) -> None:
    from invdesign.report.console import hits_table

    console.print(hits_table(campaign))


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
