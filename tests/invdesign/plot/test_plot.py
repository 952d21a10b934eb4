"""Figures show what they are given: values, labels with units, targets, and messages where nothing can be drawn."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import pytest

from invdesign import Campaign, InputError, PythonObjective, plot
from invdesign.objectives.cell.objective import CellObjective
from invdesign.optimizers import GeneticOptimizer, RandomOptimizer
from invdesign.screening.funnel import StepCount
from invdesign.space import Categorical, Continuous, Integer, SearchSpace
from invdesign.surrogates.explain import partial_dependence, permutation_importance
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.validation import held_out_predictions
from invdesign.targets import AtLeast, Between, Maximize, Targets

SPACE = SearchSpace(x=Continuous(0, 1, unit="um"), layers=Integer(1, 6), binder=Categorical(["PVDF", "CMC"]))
WINDOW = Targets(Between("energy", 1.0, 1.5, unit="W*h"), AtLeast("life", 40.0))
BOTH = Targets(Maximize("energy"), Maximize("life"))


def values(x, layers, binder):
    return {"energy": x * layers - 0.3 * (binder == "CMC"), "life": 100 / (1 + layers) + 30 * x}


def ran(targets: Targets, *, seed: int = 1, optimizer=None, evaluations: int = 25) -> Campaign:
    campaign = Campaign(SPACE, targets, optimizer=optimizer or GeneticOptimizer(), seed=seed)
    objective = PythonObjective(values, {"energy": "W*h", "life": ""}, isolated=False)
    campaign.run(objective, evaluations=evaluations)
    return campaign


@pytest.fixture(scope="module")
def window() -> Campaign:
    return ran(WINDOW, seed=2)  # with hits


@pytest.fixture(scope="module")
def known(window) -> pd.DataFrame:
    return window.frame()


def test_convergence_counts_hits(window, tmp_path):
    figure = plot.convergence(window)
    line = figure.axes[0].lines[0]
    assert line.get_ydata()[-1] == len(window.hits())
    assert figure.axes[0].get_ylabel() == "candidates that meet all targets"
    figure.savefig(tmp_path / "convergence.pdf")
    assert (tmp_path / "convergence.pdf").read_bytes().startswith(b"%PDF")
    assert figure._repr_png_().startswith(b"\x89PNG")


def test_convergence_over_seeds_has_quartiles_and_a_legend():
    runs = {
        "genetic": [ran(WINDOW, seed=seed) for seed in range(3)],
        "random": [ran(WINDOW, seed=seed, optimizer=RandomOptimizer(), evaluations=20) for seed in range(3)],
    }
    axes = plot.convergence(runs).axes[0]
    assert [text.get_text() for text in axes.get_legend().get_texts()] == ["genetic", "random"]
    final = np.median([len(one.hits()) for one in runs["genetic"]])
    assert axes.lines[0].get_ydata()[-1] == final
    assert len(axes.lines[1].get_ydata()) == 20
    assert len(axes.collections) == 2


def test_convergence_of_an_optimized_property_and_of_a_front():
    best = ran(Targets(Maximize("energy", unit="W*h")))
    axes = plot.convergence(best).axes[0]
    assert axes.lines[0].get_ydata()[-1] == pytest.approx(best.frame()["energy"].max())
    assert axes.get_ylabel() == "highest energy (W*h)"
    front = plot.convergence(ran(BOTH)).axes[0].lines[0].get_ydata()
    assert (np.diff(front) >= 0).all()
    assert 0 < front[-1] <= 1


def test_targets_are_a_box(window):
    axes = plot.targets(window).axes[0]
    assert axes.get_xlabel() == "energy (W*h)"
    assert axes.get_ylabel() == "life"
    assert len(axes.patches) == 2
    drawn = sum(len(points.get_offsets()) for points in axes.collections)
    assert drawn == len(window.frame())
    turned = plot.targets(window, x="life").axes[0]
    assert (turned.get_xlabel(), turned.get_ylabel()) == ("life", "energy (W*h)")
    with pytest.raises(InputError, match="Did you mean 'life'"):
        plot.targets(window, x="lives")


def test_a_front_is_that_of_the_campaign():
    campaign = ran(BOTH)
    axes = plot.front(campaign).axes[0]
    hits = campaign.hits()
    front = hits[hits["pareto_rank"] == 0].sort_values("energy")
    assert axes.lines[0].get_xdata() == pytest.approx(front["energy"].to_numpy())
    with pytest.raises(InputError, match="this campaign has 0"):
        plot.front(ran(WINDOW, evaluations=5))


def test_parallel_axes_hold_words_and_numbers(window):
    axes = plot.parallel(window).axes[0]
    assert [text.get_text() for text in axes.get_xticklabels()] == [
        "x (um)",
        "layers",
        "binder",
        "energy (W*h)",
        "life",
    ]
    assert {"CMC", "PVDF"} <= {text.get_text() for text in axes.texts}
    assert len(plot.parallel(window, parameters=["x"]).axes[0].get_xticklabels()) == 3
    with pytest.raises(InputError, match="Unknown parameter 'y'"):
        plot.parallel(window, parameters=["y"])


def test_nothing_is_drawn_of_nothing():
    empty = Campaign(SPACE, WINDOW)
    for draw in (plot.convergence, plot.parallel):
        with pytest.raises(InputError, match="no evaluated candidates"):
            draw(empty)


def test_parity_and_calibration_are_those_of_held_out_rows(known):
    rows, y = known[list(SPACE.names)], known[["energy", "life"]]
    found = held_out_predictions(RandomForest(n_estimators=30), rows, y, columns=None, rng=np.random.default_rng(0))
    axes = plot.parity(found, units={"energy": "W*h"}).axes
    assert [one.get_xlabel() for one in axes] == ["energy (W*h), known", "life, known"]
    error = (found["observed"] - found["mean"]).abs()[found["property"] == "energy"].mean()
    assert f"{error:.3g} W*h" in axes[0].texts[0].get_text()
    curves = plot.calibration(found).axes[0].lines[1:]
    assert len(curves) == 2
    assert all((np.diff(curve.get_ydata()) >= 0).all() for curve in curves)
    with pytest.raises(InputError, match="nothing to draw"):
        plot.parity(found.head(0))


def test_importance_and_partial_dependence(known):
    rows, y = known[list(SPACE.names)], known[["energy", "life"]]
    model = RandomForest(n_estimators=30).fit(rows[:15], y[:15])
    table = permutation_importance(model, rows[15:], y[15:], rng=np.random.default_rng(0))
    bars = plot.importance(table, units={"energy": "W*h"}).axes
    assert len(bars) == 2
    assert bars[0].get_xlabel() == "energy: rise of the RMSE (W*h)"
    words = plot.partial_dependence(partial_dependence(model, rows, "binder"), "binder").axes
    assert len(words) == 2
    curve = partial_dependence(model, rows, "x")
    line = plot.partial_dependence(curve, "x", units={"x": "um"}).axes[0].lines[0]
    assert line.get_ydata() == pytest.approx(curve["energy"].to_numpy())
    with pytest.raises(InputError, match="Unknown column 'z'"):
        plot.partial_dependence(curve, "z")


def test_molecules_are_drawn_with_captions():
    figure = plot.molecules(["CCO", "c1ccccc1", "CC(=O)OC"], ["a", "b", "c"], columns=2)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c", ""]
    assert [len(axes.images) for axes in figure.axes] == [1, 1, 1, 0]
    with pytest.raises(InputError, match=r"Molecule 1 \('C1'\)"):
        plot.molecules(["C", "C1"])
    with pytest.raises(InputError, match="2 molecules, but 1 captions"):
        plot.molecules(["C", "O"], ["one"])
    with pytest.raises(InputError, match="no molecules"):
        plot.molecules([])


def test_elements_and_mixtures():
    table = plot.periodic_table({"Ni": 0.8, "Co": 0.1}, title="share")
    assert {text.get_text() for text in table.axes[0].texts} >= {"Ni", "La", "Og"}
    assert table.axes[1].get_ylabel() == "share"
    with pytest.raises(InputError, match="'Nx' is not an element"):
        plot.periodic_table({"Nx": 1.0})
    shares = pd.DataFrame({"EC": [0.2, 1.0], "DMC": [0.3, 0.0], "EMC": [0.5, 0.0], "k": [1.0, 2.0]})
    points = plot.ternary(shares, ("EC", "DMC", "EMC"), "k", unit="mS/cm").axes[0].collections[0].get_offsets()
    assert np.asarray(points)[1] == pytest.approx([0.0, 0.0])
    ringed = plot.ternary(shares, ("EC", "DMC", "EMC"), "k", best=0).axes[0].collections[1].get_offsets()
    assert np.asarray(ringed) == pytest.approx(np.asarray(points)[:1])
    with pytest.raises(InputError, match="Row 7 of the best candidate"):
        plot.ternary(shares, ("EC", "DMC", "EMC"), "k", best=7)
    with pytest.raises(InputError, match=r"Row 0: EC, DMC, EMC sum to 1.1"):
        plot.ternary(shares.assign(EC=[0.3, 1.0]), ("EC", "DMC", "EMC"), "k")


def test_the_funnel_shows_what_entered_and_passed_each_step():
    counts = [StepCount("rules", 1000, Counter({"toxic": 900})), StepCount("model", 100, Counter({"missed": 97}))]
    axes = plot.funnel(counts).axes[0]
    assert [bar.get_width() for bar in axes.containers[0]] == [1000, 100]
    assert [bar.get_width() for bar in axes.containers[1]] == [100, 3]
    assert [label.get_text() for label in axes.get_yticklabels()] == ["rules", "model"]
    assert axes.get_xscale() == "log"
    with pytest.raises(InputError, match="at least one step"):
        plot.funnel([])


def test_discharge_curves_end_at_the_lower_voltage_with_the_capacity_of_the_cell():
    pytest.importorskip("pybamm")
    cell = CellObjective({"thickness": "Positive electrode thickness [m]"}, units={"thickness": "um"})
    chosen = pd.DataFrame({"thickness": [50.0, 65.0, 200.0]}, index=[7, 3, 5])
    curves = cell.discharge_curves(chosen, rate=0.2)
    assert list(curves["candidate"].unique()) == [7, 3], "the thickest electrode needs more graphite than there is"
    known = cell.evaluate(chosen)["areal_capacity"]
    for name, curve in curves.groupby("candidate"):
        assert curve["capacity"].iloc[-1] == pytest.approx(known[name], rel=0.05)
        assert curve["voltage"].iloc[-1] == pytest.approx(2.5, abs=0.02)
    axes = plot.discharge(curves).axes[0]
    assert [line.get_label() for line in axes.get_lines()] == ["7", "3"]
    assert axes.get_xlabel() == "capacity (mAh/cm²)"
    with pytest.raises(InputError, match="must be positive"):
        cell.discharge_curves(chosen, rate=0.0)
    with pytest.raises(InputError, match="no discharge curve"):
        plot.discharge(curves.iloc[:0])
