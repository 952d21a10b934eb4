"""Sentences on calibrations and on the verification of the search."""

from __future__ import annotations

from typing import TYPE_CHECKING

from invdesign.report.words import counted, listed, number, spoken

if TYPE_CHECKING:
    from collections.abc import Mapping

    from invdesign.campaign.calibrations import NotedCalibration
    from invdesign.campaign.correction import Correction
    from invdesign.objectives.calibrated import CalibrationReport
    from invdesign.report.findings import Findings

MOST_FAILED = 3
"""Largest number of known values that a sentence names."""
KINDS = {"none": "nothing", "offset": "an offset", "line": "a straight line"}


def stage_sentences(found: Findings) -> list[str]:
    """Sentences on calibrations, on each stage, and on the corrections of rounds."""
    lines = [_about_calibration(one) for one in found.calibrations]
    for stage in found.stages:
        lines += [_about_stage(found, stage), *_about_agreement(found, stage)]
    return [*lines, *_about_rounds(found)]


def with_unit_behind(value: float, unit: str) -> str:
    """A number with three digits and its unit."""
    return f"{number(value, 3)} {unit}".rstrip()


def _about_calibration(one: NotedCalibration) -> str:
    what = f"{spoken(one.property)}{f' in “{one.stage}”' if one.stage else ''}"
    if one.report is None:
        return f"The calibration of {what} failed: {one.reason}"
    report = one.report
    raw, mae, rmse = (with_unit_behind(value, one.unit) for value in (report.raw_mae, report.loo_mae, report.loo_rmse))
    return (
        f"The {report.kind} calibration of {what} was fitted to {counted(report.rows, 'known value')}: mean absolute "
        f"error {raw} raw, {mae} for values left out (root mean square {rmse}); straight line "
        f"{line_of(report, one.unit)}."
        f"{_without(report.failed)}"
    )


def line_of(report: CalibrationReport, unit: str) -> str:
    """The straight line of a calibration as a formula, such as ``0.93 × raw + 0.8 V``."""
    sign = "−" if report.intercept < 0.0 else "+"
    return f"{number(report.slope, 3)} × raw {sign} {with_unit_behind(abs(report.intercept), unit)}"


def _without(failed: Mapping[str, str]) -> str:
    if not failed:
        return ""
    first = "; ".join(f"{what}: {why}" for what, why in list(failed.items())[:MOST_FAILED])
    more = f"; and {len(failed) - MOST_FAILED} more" if len(failed) > MOST_FAILED else ""
    return f" {counted(len(failed), 'known value')} could not be used ({first}{more})."


def _about_stage(found: Findings, stage: str) -> str:
    rows = found.by_stage(stage)
    share = ""
    believed = rows["low_fidelity_met"]
    if believed.any() and found.targets.bounded:
        confirmed = int((believed & rows["all_met"]).sum())
        are = "is" if confirmed == 1 else "are"
        share = f"; of the {int(believed.sum())} that do by the search’s own values, {confirmed} {are} confirmed"
    return f"Evaluated again by “{stage}”, {int(rows['all_met'].sum())} of {len(rows)} meet all targets{share}."


def _about_agreement(found: Findings, stage: str) -> list[str]:
    lines = []
    for row in found.agreement[found.agreement["stage"] == stage].to_dict("records"):
        if not found.differs(stage, row["property"]):
            continue
        unit = found.units.get(row["property"], "")
        mae, mean = with_unit_behind(row["mae"], unit), with_unit_behind(row["mean"], unit)
        sign = "+" if row["mean"] > 0 else ""
        lines.append(
            f"In {spoken(row['property'])} “{stage}” and the search differ by {mae} on average (mean "
            f"absolute difference), with a mean "
            f"difference of {sign}{mean}."
        )
    return lines


def _about_rounds(found: Findings) -> list[str]:
    if not found.rounds:
        return []
    lines = [_about_correction(found, one) for one in found.corrections.values() if one.pairs]
    if len(found.rounds) > 1 and found.targets.bounded:
        counts = [str(confirmed_in(found, place)) for place in range(len(found.rounds))]
        lines.append(f"Round by round, {listed(counts)} of the verified candidates met all targets.")
    return lines


def confirmed_in(found: Findings, place: int) -> int:
    """How many of the candidates that one round verified meet all targets."""
    one = found.rounds[place]
    return int(found.by_stage(one.stage)["all_met"].reindex(list(one.candidates)).sum())


def _about_correction(found: Findings, one: Correction) -> str:
    unit = found.units.get(one.property, "")
    pairs = counted(one.pairs, "verified candidate")
    raw, taken = (with_unit_behind(one.errors[kind].mae, unit) for kind in ("none", one.kind))
    if one.kind == "none":
        return (
            f"No correction of {spoken(one.property)} from {pairs} improves the search’s own values: "
            f"mean absolute error {raw}."
        )
    return (
        f"The search’s {spoken(one.property)} is corrected by {KINDS[one.kind]} learned from {pairs}: mean absolute "
        f"error {raw} raw, {taken} for values left out."
    )
