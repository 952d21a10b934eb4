"""Draws the picture of the README: random designs, the campaign's designs and the target region of nmc811-cell.yaml.

    make demo && .venv/bin/python examples/draw_cell_search.py nmc811-cell.db docs/nmc811-cell.svg

Needs matplotlib, which the `dev` extra brings.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

import invdesign as ind

FILE = Path(__file__).with_name("nmc811-cell.yaml")
ENERGY, RETENTION, MARGIN = "specific_energy", "energy_retention", "plating_margin"


def campaign_frame(setting: ind.CampaignFile, store: str) -> tuple[pd.DataFrame, pd.Index]:
    """Every design that the campaign evaluated, and those that DFN confirmed."""
    campaign = setting.open(store)
    verified = campaign.verified()
    return campaign.frame(), verified.index[verified["all_met"]]


def main() -> None:
    """Draws and saves."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("store")
    parser.add_argument("picture")
    arguments = parser.parse_args()
    setting = ind.read_campaign(FILE)
    goals = {target.property: target.interval[0] for target in setting.targets.in_units(setting.objective.properties)}
    chance = setting.objective.evaluate(setting.space.sample(400, np.random.default_rng(5)))
    found, confirmed = campaign_frame(setting, arguments.store)
    searched = found[found["origin"] != "initial"]

    plt.rcParams.update({"svg.hashsalt": "invdesign", "font.size": 9})
    figure, axes = plt.subplots(1, 2, figsize=(8.2, 3.4), constrained_layout=True)
    for axis, (across, label) in zip(
        axes, [(RETENTION, "share of energy kept at 3C"), (MARGIN, "plating margin at 1.5C (V)")], strict=True
    ):
        axis.scatter(chance[across], chance[ENERGY], s=9, color="#b0b6bd", label=f"{len(chance)} random designs")
        axis.scatter(
            searched[across], searched[ENERGY], s=14, color="#1f5fa8", label=f"{len(searched)} proposed designs"
        )
        chosen = found.loc[confirmed]
        axis.scatter(
            chosen[across], chosen[ENERGY], s=46, facecolor="none", edgecolor="#d1495b", label="confirmed by DFN"
        )
        axis.set_xlim(*axis.get_xlim())
        axis.set_ylim(*axis.get_ylim())
        corner = (goals[across], goals[ENERGY])
        width, height = axis.get_xlim()[1] - corner[0], axis.get_ylim()[1] - corner[1]
        axis.add_patch(plt.Rectangle(corner, width, height, color="#2e7d32", alpha=0.12, zorder=0, label="targets"))
        axis.set_xlabel(label)
        axis.set_ylabel("specific energy (Wh/kg)")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0].legend(loc="lower left", fontsize=8)
    figure.savefig(arguments.picture, metadata={"Date": None})


if __name__ == "__main__":
    main()
