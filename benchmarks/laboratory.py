"""The laboratory played through its sheets: rows get lost, values are amended, candidates replicated, three people ask.

    INVDESIGN_DATA=... OMP_NUM_THREADS=1 python benchmarks/laboratory.py [--seeds 0 1] [--rounds 5]

The judge of ``formulation_campaigns.py`` (trees fitted to all of CALiSol-23) plays the instrument: electrolytes of one
or two solvents and a salt shall reach at least 6 mS/cm at or below 253 K. Three campaigns of equally many candidates:

- ``one person`` asks for batches of 8, and tells exact values.
- ``three people`` (processes) ask for 8 at once in each round, and tell exact values.
- ``mishaps``: the same three people. Each value has 3 % noise; 5 % of the rows are lost, and are measured from a sheet
  of what is pending a round later; 5 % of the values are wrong by half at first and amended a round later; 20 % of the
  candidates are measured three times.

A hit is a completed candidate that meets the target by the judge itself. Development seeds: from 100. Report: 0, 1.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from _record import write_result
from formulation_campaigns import PACKAGES, Judge, electrolytes

from invdesign.campaign import Campaign
from invdesign.campaign.sheet import laboratory_sheet
from invdesign.core.tables import read_table, write_table
from invdesign.targets import AtLeast, Targets

LEAST = 6.0
TARGETS = Targets(AtLeast("k", LEAST, unit="mS/cm"))
HEADER = "k (mS/cm)"
PEOPLE, BATCH, INITIAL = 3, 8, 24
REPLICATES = 3


@dataclass(frozen=True)
class Mishaps:
    """What goes wrong: relative noise, and shares of rows lost, values wrong at first, candidates measured again."""

    noise: float = 0.0
    lost: float = 0.0
    wrong: float = 0.0
    replicated: float = 0.0


CAMPAIGNS = {
    "one person": None,
    "three people": Mishaps(),
    "mishaps": Mishaps(noise=0.03, lost=0.05, wrong=0.05, replicated=0.2),
}


def opened(place: Path, seed: int) -> Campaign:
    """The campaign of a store."""
    return Campaign(electrolytes(), TARGETS, store=place, seed=seed, initial=INITIAL)


def ask_sheet(place: Path, seed: int, sheet: Path) -> Path:
    """One person asks for a batch and gets a sheet."""
    campaign = opened(place, seed)
    expectation = campaign.expectation()

    def hand_out(batch: pd.DataFrame) -> None:
        write_table(laboratory_sheet(batch, campaign.space, TARGETS, expectation, campaign.units), sheet)

    campaign.ask(BATCH, before_commit=hand_out)
    return sheet


class Bench:
    """Measures sheets with the judge, and makes mistakes.

    Args:
        judge: the instrument.
        mishaps: what goes wrong.
        rng: source of noise and mistakes.
    """

    def __init__(self, judge: Judge, mishaps: Mishaps, rng: np.random.Generator) -> None:
        self._judge, self._mishaps, self._rng = judge, mishaps, rng
        self.amendments: list[pd.DataFrame] = []
        self.counts = dict.fromkeys(("measurements", "lost", "amended", "replicated"), 0)

    def filled(self, sheet: pd.DataFrame) -> pd.DataFrame:
        """A sheet with values, without the rows that were lost; the right values of wrong ones are kept for later."""
        rows = sheet.drop(columns=HEADER)
        truth = self._judge(rows.rename(columns={"temperature (K)": "temperature"}))
        there = self._rng.random(len(rows)) >= self._mishaps.lost
        self.counts["lost"] += int((~there).sum())
        rows, truth = rows[there], truth[there]
        times = np.where(self._rng.random(len(rows)) < self._mishaps.replicated, REPLICATES, 1)
        self.counts["replicated"] += int((times > 1).sum())
        filled = rows.loc[rows.index.repeat(times)].reset_index(drop=True)
        values = np.repeat(truth, times) * (1.0 + self._mishaps.noise * self._rng.standard_normal(len(filled)))
        labels = np.concatenate([np.arange(1, count + 1) for count in times]) if len(times) else np.empty(0)
        filled = filled.assign(**{"replicate": labels.astype(int), HEADER: values})
        wrong = self._rng.random(len(filled)) < self._mishaps.wrong
        self.amendments.append(filled[wrong])
        self.counts["amended"] += int(wrong.sum())
        self.counts["measurements"] += len(filled)
        return filled.assign(**{HEADER: np.where(wrong, 0.5 * values, values)})


def three_people(judge: Judge, mishaps: Mishaps, seed: int, rounds: int, folder: Path) -> dict[str, Any]:
    """Plays a campaign of three people, and counts what was lost or given out twice."""
    place, bench = folder / "laboratory.db", Bench(judge, mishaps, np.random.default_rng(seed))
    opened(place, seed)
    given: list[pd.DataFrame] = []
    stored = 0
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(PEOPLE, mp_context=context) as people:
        for number in range(rounds):
            sheets = [folder / f"round-{number}-{person}.csv" for person in range(PEOPLE)]
            asked = [people.submit(ask_sheet, place, seed, sheet) for sheet in sheets]
            before = opened(place, seed).pending() if number else pd.DataFrame()
            late, bench.amendments = bench.amendments, []
            campaign = opened(place, seed)
            for amended in late:
                if len(amended):
                    write_table(amended, folder / "amended.csv")
                    campaign.amend(read_table(folder / "amended.csv"))
                    (folder / "amended.csv").unlink()
            frames = [pd.read_csv(one.result()) for one in asked]
            given += frames
            lost = before.loc[before.index.isin(campaign.pending().index)]
            lost = lost.loc[~lost.index.isin(pd.concat(frames)["candidate"])] if len(lost) else lost
            if len(lost):
                sheet = laboratory_sheet(lost, campaign.space, TARGETS, None, campaign.units)
                frames.append(sheet.reset_index())
            for person, frame in enumerate(frames):
                filled = bench.filled(frame)
                if len(filled):
                    path = folder / f"filled-{number}-{person}.csv"
                    write_table(filled.sample(frac=1, random_state=seed), path)
                    stored += len(set(campaign.tell(read_table(path))))
    campaign = opened(place, seed)
    sheets_given = pd.concat(given, ignore_index=True)
    frame = campaign.frame()
    done = int((frame["state"] == "done").sum())
    return {
        **scored(judge, campaign),
        **bench.counts,
        "given_out": len(sheets_given),
        "given_out_twice": int(sheets_given.duplicated(["electrolyte", "temperature (K)"]).sum()),
        "candidates_lost": len(set(sheets_given["candidate"]).symmetric_difference(frame.index)) + abs(stored - done),
        "measurements_lost": bench.counts["measurements"] - len(campaign.measurements()),
    }


def one_person(judge: Judge, seed: int, candidates: int, folder: Path) -> dict[str, Any]:
    """Plays a campaign of one person who makes no mistake."""
    campaign = opened(folder / "plain.db", seed)
    for number in range(candidates // BATCH):
        path = ask_sheet(folder / "plain.db", seed, folder / f"plain-{number}.csv")
        sheet = pd.read_csv(path)
        values = judge(sheet.rename(columns={"temperature (K)": "temperature"}))
        write_table(sheet.assign(**{HEADER: values}), folder / f"plain-{number}-filled.csv")
        campaign.tell(read_table(folder / f"plain-{number}-filled.csv"))
    return scored(judge, campaign)


def scored(judge: Judge, campaign: Campaign) -> dict[str, Any]:
    """The completed candidates that meet the target by the judge, and those that do by what was measured."""
    frame = campaign.frame()
    done = frame[frame["state"] == "done"]
    truth = judge(done)
    return {
        "completed": len(done),
        "hits": int((truth >= LEAST).sum()),
        "hits_as_measured": campaign.status().hits,
        "best": round(float(truth.max()), 3),
    }


def main() -> None:
    """Plays both campaigns with every seed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="print only")
    given = parser.parse_args()
    judge = Judge()
    drawn = electrolytes().sample(20_000, np.random.default_rng(99))
    share = float((judge(drawn) >= LEAST).mean())
    runs: dict[str, Any] = {}
    for seed in given.seeds:
        found: dict[str, Any] = {}
        for name, mishaps in CAMPAIGNS.items():
            start = time.perf_counter()
            with tempfile.TemporaryDirectory() as folder:
                if mishaps is None:
                    result = one_person(judge, seed, given.rounds * PEOPLE * BATCH, Path(folder))
                else:
                    result = three_people(judge, mishaps, seed, given.rounds, Path(folder))
            found[name] = {**result, "seconds": round(time.perf_counter() - start, 1)}
            print(seed, name, found[name], flush=True)
        runs[str(seed)] = found
        if not given.dry:
            payload = {"share_of_hits": share, "rounds": given.rounds, "people": PEOPLE, "batch": BATCH, "runs": runs}
            write_result("laboratory", payload, packages=PACKAGES)


if __name__ == "__main__":
    main()
