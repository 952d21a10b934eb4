"""Sections on calibrations, verified candidates and the corrections of rounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from invdesign.report.candidates import CORRECTED, MOST_ROWS, PARAMETERS, SEARCH, is_corrected, yes_or_no
from invdesign.report.stage_words import KINDS, confirmed_in, line_of, with_unit_behind
from invdesign.report.tables import TableColumn, plain_table, sortable_table
from invdesign.report.words import NOTHING, number, spoken, with_unit

if TYPE_CHECKING:
    import pandas as pd

    from invdesign.campaign.correction import Correction, CorrectionKind
    from invdesign.report.findings import Findings

MOST_FAILED = 100


def calibration_html(found: Findings) -> str:
    """The errors of each calibration, and the known values that could not be used; empty if there is none."""
    if not found.calibrations:
        return ""
    heads = ["property", "of", "kind", "known values", "failed", "raw MAE", "left-out MAE", "left-out RMSE", "line"]
    rows, failed = [], []
    for one in found.calibrations:
        name, stage = spoken(one.property), one.stage or SEARCH
        if one.report is None:
            failed.append(["all", name, stage, str(one.reason)])
            rows.append([name, stage, *[NOTHING] * (len(heads) - 2)])
            continue
        report = one.report
        errors = [with_unit_behind(value, one.unit) for value in (report.raw_mae, report.loo_mae, report.loo_rmse)]
        counts = [str(report.rows), str(len(report.failed))]
        rows.append([name, stage, report.kind, *counts, *errors, line_of(report, one.unit)])
        failed += [[what, name, stage, why] for what, why in report.failed.items()]
    caption = "Calibrations. Left out: each known value predicted from all others. Line: the straight line through all"
    table = plain_table(caption, heads, rows, numbers=range(3, 8))
    if not failed:
        return table
    lost = f"Known values that could not be used{'' if len(failed) <= MOST_FAILED else f' (the first {MOST_FAILED})'}"
    return table + plain_table(lost, ["known value", "property", "of", "reason"], failed[:MOST_FAILED])


def verification_html(found: Findings) -> str:
    """The agreement of stages with the search, every verified candidate, and the rounds."""
    parts = [_agreement(found), _confirmation(found) if found.targets.bounded else ""]
    parts += [_pairs(found, stage, place) for place, stage in enumerate(found.stages)]
    return "".join([*parts, _rounds(found)])


def _agreement(found: Findings) -> str:
    heads = ["stage", "property", "pairs", "mean disagreement", "mean absolute", "root mean square"]
    heads += ["correlation", "rank correlation"]
    rows = []
    for row in found.agreement.to_dict("records"):
        if not found.differs(row["stage"], row["property"]):
            continue
        unit = found.units.get(row["property"], "")
        errors = [with_unit_behind(row[name], unit) for name in ("mean", "mae", "rmse")]
        alike = [f"{row[n]:.2f}" if np.isfinite(row[n]) else NOTHING for n in ("correlation", "rank_correlation")]
        rows.append([row["stage"], spoken(row["property"]), str(row["pairs"]), *errors, *alike])
    if not rows:
        return "<p>No verified candidate has a value yet.</p>"
    caption = "Disagreement: the stage’s value minus the search’s own, for candidates that have both"
    return plain_table(caption, heads, rows, numbers=range(2, len(heads)))


def _confirmation(found: Findings) -> str:
    """How many hits of the search each stage confirms."""
    rows = []
    for stage in found.stages:
        part = found.by_stage(stage)
        judges = [(SEARCH, part["low_fidelity_met"])]
        judges += [(f"{SEARCH}, {CORRECTED}", part["corrected_met"])] if "corrected_met" in part else []
        for by, met in judges:
            hits, others = int(met.sum()), int((~met).sum())
            confirmed, besides = int((met & part["all_met"]).sum()), int((~met & part["all_met"]).sum())
            share = f"{confirmed / hits:.0%}" if hits else NOTHING
            rows.append([stage, by, str(hits), str(confirmed), share, str(others), str(besides)])
    heads = ["stage", "targets met by", "verified that meet them", "confirmed", "share", "that do not", "yet meet them"]
    caption = "Hits of the search that the stage confirms"
    if found.corrections:
        caption += ". The correction was learned from the same candidates; the rounds below show its effect"
    return plain_table(caption, heads, rows, numbers=range(2, len(heads)))


def _pairs(found: Findings, stage: str, place: int) -> str:
    """Every verified candidate of a stage, with both values and their difference."""
    part = found.by_stage(stage).head(MOST_ROWS)
    columns = [TableColumn("candidate", "candidate", [int(index) for index in part.index])]
    for name in found.properties:
        columns += _pair_columns(found, part, name, stage)
    group = "Meets all targets"
    columns.append(TableColumn(f"met by {SEARCH}", f"by {SEARCH}", yes_or_no(part["low_fidelity_met"]), group))
    if "corrected_met" in part:
        columns.append(TableColumn(f"met {CORRECTED}", CORRECTED, yes_or_no(part["corrected_met"]), group))
    columns.append(TableColumn(f"met by {stage}", f"by {stage}", yes_or_no(part["all_met"]), group))
    for column in found.columns:
        values = found.over[column.name].reindex(part.index).tolist()
        columns.append(TableColumn(column.name, with_unit(column.name, column.unit), values, PARAMETERS))
    caption = f"Every candidate that “{stage}” verified"
    if len(part) < len(found.by_stage(stage)):
        caption += f": the first {MOST_ROWS}"
    return sortable_table(f"verified-{place}", caption, columns)


def _pair_columns(found: Findings, part: pd.DataFrame, name: str, stage: str) -> list[TableColumn]:
    label = with_unit(name, found.units.get(name, ""))
    columns = [TableColumn(f"{name} by {SEARCH}", SEARCH, part[f"{name}_low_fidelity"].tolist(), label)]
    spread = part.get(f"{name}_low_fidelity_std")
    if spread is not None and spread.notna().any():
        columns.append(TableColumn(f"{name} std", "± std", spread.tolist(), label))
    if is_corrected(found, name):
        columns.append(TableColumn(f"{name} {CORRECTED}", CORRECTED, part[f"{name}_corrected"].tolist(), label))
    if not found.differs(stage, name):
        return columns
    columns.append(TableColumn(f"{name} by {stage}", stage, part[name].tolist(), label))
    difference = part[f"{name}_disagreement"].tolist()
    columns.append(TableColumn(f"{name} disagreement", f"{stage} − {SEARCH}", difference, label, signed=True))
    return columns


def _rounds(found: Findings) -> str:
    rows = []
    for place, one in enumerate(found.rounds):
        for name, correction in one.corrections.items():
            begun = [str(place + 1), str(one.evaluations), str(len(one.candidates)), str(confirmed_in(found, place))]
            rows.append([*begun, spoken(name), *_correction_cells(correction, found.units.get(name, ""))])
    if not rows:
        return ""
    heads = ["round", "evaluations", "verified", "that meet all targets", "property", "pairs", "correction"]
    heads += ["slope", "intercept", "raw MAE", "offset: left-out MAE", "line: left-out MAE"]
    caption = (
        "Rounds: the correction after each. Of no correction, an offset and a straight line, "
        "the one with the smallest leave-one-out root mean square error is used from then on"
    )
    return plain_table(caption, heads, rows, numbers=[0, 1, 2, 3, 5, *range(7, len(heads))])


def _correction_cells(one: Correction, unit: str) -> list[str]:
    def error(kind: CorrectionKind) -> str:
        return with_unit_behind(one.errors[kind].mae, unit) if kind in one.errors else NOTHING

    line = [number(one.slope, 3), with_unit_behind(one.intercept, unit)]
    return [str(one.pairs), KINDS[one.kind], *line, error("none"), error("offset"), error("line")]
