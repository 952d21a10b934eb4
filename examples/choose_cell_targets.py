"""How the targets of nmc811-cell.yaml were chosen: missed by the published cell, and by 99 of 100 random designs.

    python examples/choose_cell_targets.py

It simulates uniform random designs of the demo's own search space and prints (1) the published cell under SPMe and DFN,
(2) the retention at 3C that one design in a hundred reaches among those with 95 % of the published specific energy and
10 mV of margin against plating, (3) what share of fresh designs meets the file's targets, and (4) how many of those DFN
confirms. A thousand designs take about half a minute on one core, DFN some tenths of a second a design.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

import invdesign as ind

FILE = Path(__file__).with_name("nmc811-cell.yaml")
KEPT_ENERGY = 0.95
MARGIN_V = 0.010
SHARE = 0.01


def published_cell(search: ind.CellObjective) -> pd.DataFrame:
    """The published cell's properties under SPMe and DFN, one row each."""
    thickness = pd.DataFrame({"thickness": [75.6]})
    plain = ind.CellObjective(
        inputs={"thickness": "Positive electrode thickness [m]"}, units={"thickness": "um"}, wanted=search.wanted
    )
    rows = [replace(plain, model=model).evaluate(thickness) for model in ("SPMe", "DFN")]
    return pd.concat(rows).set_axis(["SPMe", "DFN"]).drop(columns="reason")


def main() -> None:
    """Prints the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--designs", type=int, default=2000)
    parser.add_argument("--confirm", type=int, default=20)
    arguments = parser.parse_args()
    setting = ind.read_campaign(FILE)
    published = published_cell(setting.objective)
    print("The published cell\n", published.round(4).to_string(), "\n")

    chosen_on, checked_on = (setting.space.sample(arguments.designs, np.random.default_rng(seed)) for seed in (0, 1))
    values = setting.objective.evaluate(chosen_on)
    print(values.drop(columns="reason").quantile([0.05, 0.5, 0.95, 0.99]).round(4).to_string(), "\n")
    enough = values["specific_energy"] >= KEPT_ENERGY * published.loc["SPMe", "specific_energy"]
    rest = values[enough & (values["plating_margin"] >= MARGIN_V)]
    retention = rest["energy_retention"].nlargest(round(SHARE * len(values))).min()
    print(f"Retention that {SHARE:.0%} of the designs reach beside the other two targets: {retention:.3f}\n")

    targets = setting.targets.in_units(setting.objective.properties)
    print("The published cell meets\n", targets.met(published).to_string(), "\n")
    fresh = setting.objective.evaluate(checked_on)
    met = targets.all_met(fresh)
    print(f"Of {len(met)} fresh random designs {met.sum()} meet all targets of {FILE.name}: {met.mean():.2%}")
    confirmed = setting.stages[0].objective.evaluate(checked_on[met].head(arguments.confirm))
    print(f"Of {len(confirmed)} of these DFN confirms {targets.all_met(confirmed).sum()}.")


if __name__ == "__main__":
    main()
