"""Calibrations of objectives in the store: their data and their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from invdesign.campaign.store import DONE, Store
from invdesign.core.errors import InputError
from invdesign.objectives.base import Objective
from invdesign.objectives.calibrated import Calibrated, CalibrationReport

FACT = "calibrations"
SEARCH = ""
"""Key of the search's own objective; others are named by their stage."""


@dataclass(frozen=True)
class NotedCalibration:
    """A stored calibration.

    Attributes:
        stage: the stage whose objective it corrects; empty for the search.
        property: the corrected property.
        unit: of the property and the errors.
        report: its errors; None if it failed.
        reason: why it failed, or None.
    """

    stage: str
    property: str
    unit: str
    report: CalibrationReport | None
    reason: str | None


def check_calibration(store: Store, stage: str, objective: Objective) -> None:
    """Compares the data of calibrations with what is stored, and stores it if there are no values yet.

    Raises:
        InputError: if the stored values come from another calibration and are not comparable.
    """
    basis = dict(objective.calibration_basis()) if isinstance(objective, Calibrated) else {}
    everything = store.facts().get(FACT, {})
    noted = everything.get(stage, {}).get("basis")
    if noted == basis:
        return
    if noted is not None and _has_values(store, stage):
        name = next(name for name in (*noted, *basis) if noted.get(name) != basis.get(name))
        whose = f"the stage '{stage}'" if stage else "the search"
        raise InputError(
            f"The store '{store.place}' holds values of '{name}' that {whose} computed "
            f"{_difference(name in noted, name in basis)}. Values by two calibrations cannot be compared. Use another "
            "store, another campaign name, or the previous calibration."
        )
    store.write_fact(FACT, {**everything, stage: {"basis": basis, "reports": None}})


def note_reports(store: Store, stage: str, objective: Objective) -> None:
    """Stores the errors of an objective's calibrations once; a failed calibration is stored with its reason."""
    if not isinstance(objective, Calibrated):
        return
    everything = store.facts().get(FACT, {})
    noted = everything.get(stage, {})
    if not noted.get("basis") or noted.get("reports") is not None:
        return
    units = objective.properties
    reports = {
        name: {"unit": units.get(name, ""), **({"reason": report} if isinstance(report, str) else asdict(report))}
        for name, report in _reports(objective, noted["basis"]).items()
    }
    store.write_fact(FACT, {**everything, stage: {**noted, "reports": reports}})


def noted_calibrations(store: Store) -> list[NotedCalibration]:
    """Every stored calibration, those of the search first."""
    return [
        _noted(stage, name, dict(report))
        for stage, noted in sorted(store.facts().get(FACT, {}).items())
        for name, report in (noted["reports"] or {}).items()
    ]


def _noted(stage: str, name: str, report: dict[str, Any]) -> NotedCalibration:
    unit = report.pop("unit")
    reason = report.pop("reason", None)
    return NotedCalibration(stage, name, unit, None if reason is not None else CalibrationReport(**report), reason)


def _reports(objective: Calibrated, names: Mapping[str, str]) -> Mapping[str, CalibrationReport | str]:
    try:
        return objective.calibration_reports()
    except Exception as error:  # noqa: BLE001 - third-party code: its failure is recorded and does not end the campaign
        return dict.fromkeys(names, f"{type(error).__name__}: {error}")


def _difference(before: bool, now: bool) -> str:
    if before and now:
        return "with another calibration (other known values or another method)"
    return "with a calibration, which is now missing" if before else "without a calibration"


def _has_values(store: Store, stage: str) -> bool:
    if stage == SEARCH:
        return store.columns().counts[DONE] > 0
    return bool((store.verifications()["stage"] == stage).any())
