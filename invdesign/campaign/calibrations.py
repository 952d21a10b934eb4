"""Calibrations of objectives as the store remembers them: what they rest on, and how well they do."""

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
"""Stands for the objective of the search, where others are named by their stage."""


@dataclass(frozen=True)
class NotedCalibration:
    """A calibration that a store remembers.

    Attributes:
        stage: whose objective it corrects; empty for the search's.
        property: which is corrected.
        unit: of the property, and so of the errors.
        report: how well it does; None where it failed.
        reason: why it failed; None where it did not.
    """

    stage: str
    property: str
    unit: str
    report: CalibrationReport | None
    reason: str | None


def check_calibration(store: Store, stage: str, objective: Objective) -> None:
    """Compares what calibrations rest on with what the store notes, and notes it in a store without values.

    Raises:
        InputError: where the stored values come from another calibration: the two kinds could not be compared.
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
            f"The store '{store.place}' keeps values of '{name}' that {whose} found "
            f"{_told(name in noted, name in basis)}. Values by two calibrations cannot be compared. Use another store, "
            "another campaign name, or the calibration of before."
        )
    store.write_fact(FACT, {**everything, stage: {"basis": basis, "reports": None}})


def note_reports(store: Store, stage: str, objective: Objective) -> None:
    """Writes how well an objective's calibrations do, once; a calibration that fails is noted with its reason."""
    if not isinstance(objective, Calibrated):
        return
    everything = store.facts().get(FACT, {})
    noted = everything.get(stage, {})
    if not noted.get("basis") or noted.get("reports") is not None:
        return
    units = objective.properties
    reports = {
        name: {"unit": units.get(name, ""), **({"reason": told} if isinstance(told, str) else asdict(told))}
        for name, told in _reports(objective, noted["basis"]).items()
    }
    store.write_fact(FACT, {**everything, stage: {**noted, "reports": reports}})


def noted_calibrations(store: Store) -> list[NotedCalibration]:
    """Every calibration that the store remembers, the search's first."""
    return [
        _noted(stage, name, dict(told))
        for stage, noted in sorted(store.facts().get(FACT, {}).items())
        for name, told in (noted["reports"] or {}).items()
    ]


def _noted(stage: str, name: str, told: dict[str, Any]) -> NotedCalibration:
    unit = told.pop("unit")
    reason = told.pop("reason", None)
    return NotedCalibration(stage, name, unit, None if reason is not None else CalibrationReport(**told), reason)


def _reports(objective: Calibrated, names: Mapping[str, str]) -> Mapping[str, CalibrationReport | str]:
    try:
        return objective.calibration_reports()
    except Exception as error:  # noqa: BLE001 - foreign code: its failure is a record, not the end of the campaign
        return dict.fromkeys(names, f"{type(error).__name__}: {error}")


def _told(before: bool, now: bool) -> str:
    if before and now:
        return "with another calibration: by other known values, or of another kind"
    return "with a calibration, and now there is none" if before else "without a calibration"


def _has_values(store: Store, stage: str) -> bool:
    if stage == SEARCH:
        return bool((store.evaluations()["state"] == DONE).any())
    return bool((store.verifications()["stage"] == stage).any())
