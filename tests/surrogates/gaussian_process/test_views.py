"""The features of molecules are those by which the known values are predicted best."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column, Component
from invdesign.space import MoleculePool
from invdesign.surrogates.features.fingerprints import count_fingerprints
from invdesign.surrogates.features.molecules import MoleculeFeatures, descriptor_names, descriptors
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.gaussian_process import views as chosen_views
from invdesign.surrogates.gaussian_process.kernels import tanimoto
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.gaussian_process.views import (
    COMPACT,
    MOLECULE_VIEWS,
    MOST_JUDGED,
    View,
    best_view,
    judged_rows,
    left_out_density,
    refitted_density,
    views,
)

CHAINS = [
    f"{head}{'C' * length}{tail}"
    for head in ("C", "N", "O", "CC(C)", "FC", "ClC", "c1ccccc1C", "C1CCCC1C")
    for length in range(1, 7)
    for tail in ("C", "O", "N", "C(=O)O", "C#N", "OC", "C(F)(F)F", "c1ccncc1")
]
POOL = MoleculePool.from_smiles(CHAINS)
MOLECULE = Column("molecule", "molecule", values=tuple(POOL.smiles))


def fitted(values: np.ndarray, rows: np.ndarray, **settings: object) -> GaussianProcess:
    frame = pd.DataFrame({"molecule": [POOL.smiles[row] for row in rows]})
    return GaussianProcess(**settings).fit(frame, pd.DataFrame({"f": values[rows]}), columns=[MOLECULE])


def width(model: GaussianProcess) -> int:
    return model.transform(pd.DataFrame({"molecule": [POOL.smiles[0]]})).shape[1]


def test_a_property_that_goes_by_fragments_is_learned_from_fingerprints_too():
    """A draw from the process whose covariance is the shared fragments."""
    rng = np.random.default_rng(0)
    counts = count_fingerprints(list(POOL.smiles)).astype(np.float64)
    values = rng.multivariate_normal(np.zeros(len(counts)), tanimoto(counts, counts), method="eigh")
    rows = rng.permutation(len(values))[:150]
    chosen = fitted(values, rows)
    plain = fitted(values, rows, features=COMPACT)
    rest = np.setdiff1d(np.arange(len(values)), rows)
    frame = pd.DataFrame({"molecule": [POOL.smiles[row] for row in rest]})
    errors = [np.abs(model.predict(frame)["f"].to_numpy() - values[rest]).mean() for model in (chosen, plain)]
    assert width(chosen) > 2048
    assert errors[0] < errors[1]


def test_a_property_of_few_descriptors_is_learned_with_length_scales_of_their_own():
    smiles = list(POOL.smiles)
    few = descriptors(smiles)[:, [descriptor_names().index(name) for name in ("TPSA", "MolLogP")]]
    few = (few - few.mean(axis=0)) / few.std(axis=0)
    values = few[:, 0] + np.sin(2.0 * few[:, 1])
    rows = np.random.default_rng(0).permutation(len(values))[:80]
    rest = np.setdiff1d(np.arange(len(values)), rows)
    frame = pd.DataFrame({"molecule": [smiles[row] for row in rest]})
    chosen, plain = fitted(values, rows), fitted(values, rows, features=COMPACT)
    errors = [np.abs(model.predict(frame)["f"].to_numpy() - values[rest]).mean() for model in (chosen, plain)]
    (model,) = chosen.models(["f"])
    assert sum(map(len, model.covariance.lengthscales)) > 100
    assert errors[0] < 0.8 * errors[1]


def test_values_that_say_nothing_leave_the_plainest_features():
    values = np.random.default_rng(1).normal(size=len(POOL.smiles))
    chosen = fitted(values, np.arange(0, len(values), 12))
    assert width(chosen) == width(fitted(values, np.arange(0, len(values), 12), features=COMPACT))


def test_given_features_are_taken():
    values = np.array([float(text.count("C")) for text in POOL.smiles])
    assert width(fitted(values, np.arange(60), features=Features(components=3))) == 3


def test_molecules_have_several_views():
    assert views([Column("x", "number", bounds=(0.0, 1.0))]) == (View(COMPACT),)
    assert views(None) == (View(COMPACT),)
    assert views([MOLECULE]) == MOLECULE_VIEWS
    assert views([MOLECULE], ard=True) == (
        View(COMPACT, ard=True),
        *(View(replace(COMPACT, molecules=kind), ard=True) for kind in ("both", "quick")),
    )
    large = Column("molecule", "molecule", values=tuple(f"C{place}" for place in range(20_001)))
    assert views([MOLECULE, large]) == MOLECULE_VIEWS[:2]


SOLVENTS = tuple(Component(f"S{place}", "solvent", smiles=smiles) for place, smiles in enumerate(POOL.smiles))
LIQUID = Column("liquid", "mixture", values=tuple(one.name for one in SOLVENTS), components=SOLVENTS)
KELVIN = Column("T", "number", bounds=(250.0, 350.0), unit="K")


def test_mixtures_have_views_with_fingerprints_and_with_a_reciprocal_temperature_beside_them():
    fingerprints, vogel = replace(COMPACT, mixtures="both"), replace(COMPACT, temperatures="vogel-fulcher-tammann")
    assert views([LIQUID]) == (View(fingerprints), View(COMPACT))
    both = replace(vogel, mixtures="both")
    assert views([LIQUID, KELVIN]) == tuple(map(View, (both, vogel, fingerprints, COMPACT)))
    names = tuple(Component(name, "filler") for name in ("carbon", "binder"))
    slurry = Column("slurry", "mixture", values=("carbon", "binder"), components=names)
    assert views([slurry]) == (View(COMPACT),)
    assert views([slurry, KELVIN]) == (View(vogel), View(COMPACT))
    assert views([KELVIN]) == (View(COMPACT),), "without a mixture the user chooses"


def test_a_property_of_mixtures_that_goes_by_fragments_is_learned_from_fingerprints():
    rng = np.random.default_rng(0)
    counts = count_fingerprints(list(POOL.smiles)).astype(np.float64)
    pure = rng.multivariate_normal(np.zeros(len(counts)), tanimoto(counts, counts), method="eigh")
    pairs, share = rng.integers(len(pure), size=(260, 2)), np.round(rng.uniform(0.05, 0.95, 260), 2)
    pairs = pairs[distinct := pairs[:, 0] != pairs[:, 1]]
    share = share[distinct]
    texts = [f"S{a} {x:g} + S{b} {1 - x:g}" for (a, b), x in zip(pairs.tolist(), share.tolist(), strict=True)]
    frame = pd.DataFrame({"liquid": texts})
    values = pd.DataFrame({"f": share * pure[pairs[:, 0]] + (1 - share) * pure[pairs[:, 1]]})
    errors = {}
    for name, features in (("chosen", None), ("plain", COMPACT)):
        model = GaussianProcess(features=features).fit(frame[:210], values[:210], columns=[LIQUID])
        errors[name] = float(np.abs(model.predict(frame[210:])["f"] - values["f"][210:]).mean())
        assert model.chosen_features.mixtures == ("both" if features is None else "properties")
    assert errors["chosen"] < 0.9 * errors["plain"]


def test_views_of_many_mixtures_are_compared_by_some_of_the_rows():
    y = pd.DataFrame({"f": np.arange(500.0)})
    drawn = judged_rows(y, [LIQUID], by_refits=False)
    assert len(drawn) == len(set(drawn.tolist())) == MOST_JUDGED
    assert len(judged_rows(y, [MOLECULE], by_refits=False)) == len(judged_rows(y, None, by_refits=False)) == 500
    assert judged_rows(y, [MOLECULE], by_refits=True).tolist() == drawn.tolist()
    assert len(judged_rows(y[:200], [LIQUID], by_refits=False)) == 200
    rare = y.assign(g=np.where(y["f"] < 60.0, 1.0, np.nan))
    assert len(judged_rows(rare, [LIQUID], by_refits=False)) == 500, "g has few values among those drawn"


class Known:
    """A model whose known values have given densities."""

    def __init__(self, densities):
        self.standard, self.spread, self.centre = np.zeros(len(densities)), 1.0, 0.0
        self.deviations = np.exp(-np.asarray(densities))

    def left_out(self):
        return np.zeros(len(self.standard)), self.deviations


def test_a_view_has_to_be_clearly_better_and_by_its_margin():
    first = [Known([0.0, 0.0, 0.0, 0.0])]
    assert left_out_density([Known([0.5, -1.0])]) == pytest.approx([0.5, -1.0])
    better, little, single = (
        [Known(given)] for given in ([0.5, 0.4, 0.6, 0.5], [0.1, 0.2, 0.1, 0.2], [4.0, *[-1.0] * 3])
    )
    plain, hard = View(COMPACT), View(COMPACT, margin=0.4)
    assert best_view([plain, plain], [first, better]) == 1
    assert best_view([plain, plain], [first, single]) == 0
    assert best_view([plain, plain, plain], [first, little, better]) == 2
    assert best_view([plain, hard], [first, better]) == 1
    assert best_view([plain, plain, hard], [first, little, better]) == 1, "0.5 less 0.4 is less than 0.15"
    assert best_view([plain, View(COMPACT, margin=0.5)], [first, better]) == 0


def test_refits_choose_no_view_that_has_to_win_by_its_margin(monkeypatch):
    monkeypatch.setattr(chosen_views, "refitted_density", left_out_density)
    fits = [[Known([level] * 4)] for level in (0.0, 0.5, 0.9)]
    plain = View(COMPACT)
    assert best_view([plain, plain, View(COMPACT, margin=1.0)], fits, by_refits=True) == 2
    hard = View(COMPACT, margin=1.0, only_by_margin=True)
    assert best_view([plain, plain, hard], fits, by_refits=True) == 1
    assert best_view([plain, plain, replace(hard, margin=0.3)], fits, by_refits=True) == 2
    assert not any(view.only_by_margin or view.margin for view in views([MOLECULE], ard=True))


def test_many_length_scales_that_overfit_are_refused_by_refits_and_by_the_margin():
    """Of a draw that goes by fragments, leaving out one prefers them, though they predict the rest worse."""
    rng = np.random.default_rng(0)
    counts = count_fingerprints(list(POOL.smiles)).astype(np.float64)
    values = rng.multivariate_normal(np.zeros(len(counts)), tanimoto(counts, counts), method="eigh")
    rows = rng.permutation(len(values))[:60]
    many, one = (
        fitted(values, rows, features=COMPACT, ard=ard, calibrate=False).models(["f"]) for ard in (True, False)
    )
    assert left_out_density(many).mean() > left_out_density(one).mean() + 0.2
    assert refitted_density(many).mean() < refitted_density(one).mean()
    for calibrate in (True, False):
        (model,) = fitted(values, rows, calibrate=calibrate).models(["f"])
        assert sum(map(len, model.covariance.lengthscales)) == 1


@pytest.mark.parametrize("count", [2, 5, 7])
def test_few_values_are_learned_from(count):
    values = np.array([float(text.count("C")) for text in POOL.smiles])
    mean, std = fitted(values, np.arange(count)).predict(pd.DataFrame({"molecule": CHAINS[:3]}), return_std=True)
    assert np.isfinite(mean).all(axis=None)
    assert (std > 0.0).all(axis=None)


@pytest.mark.parametrize(("smooth", "chosen"), [(False, "names"), (True, "descriptors")])
def test_of_several_molecules_it_counts_in_a_search_which_they_are_unless_what_they_are_predicts_better(smooth, chosen):
    columns = [
        Column(name, "molecule", values=tuple(CHAINS[start : start + 60 : 5])) for name, start in (("a", 0), ("b", 90))
    ]
    rng = np.random.default_rng(4)
    frame = pd.DataFrame({column.name: rng.choice(column.values, 40) for column in columns})
    y = np.zeros(40)
    for column in columns:
        own = MoleculeFeatures(components=1).fit(list(column.values)).transform(list(column.values))[:, 0]
        effects = dict(zip(column.values, own if smooth else rng.permutation(own), strict=True))
        y += frame[column.name].map(effects)
    y += (0.0 if smooth else 0.5) * rng.standard_normal(40)
    model = GaussianProcess(calibrate=False).fit(frame, pd.DataFrame({"f": y}), columns=columns)
    assert (model.chosen_features.molecules == "names") == (chosen == "names")
    assert len(views(columns[:1])) == len(MOLECULE_VIEWS)


def test_names_are_no_view_where_no_list_of_molecules_is_short():
    built = [Column(name, "molecule") for name in "ab"]
    assert views(built) == views([MOLECULE, replace(MOLECULE, name="other")]) == MOLECULE_VIEWS
