"""Splits that hold groups out, and which of them is like the use of a model."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column
from invdesign.surrogates.splits import (
    Surroundings,
    cluster_groups,
    element_groups,
    matching_split,
    nearest_distances,
    scaffold_groups,
    size_groups,
)

COLUMNS = (Column("x", "number", bounds=(0.0, 10.0)), Column("z", "number", bounds=(0.0, 10.0)))


def test_scaffolds_are_murckos_and_chains_stand_alone():
    found = scaffold_groups(["Cc1ccccc1", "OCc1ccccc1", "CCO", "CCN", "C1CCCCC1C"])
    assert found == ["c1ccccc1", "c1ccccc1", "CCO", "CCN", "C1CCCCC1"]


def test_sizes_are_cut_into_parts_that_do_not_overlap():
    molecules = ["C" * count for count in (1, 2, 3, 4, 5, 6, 7, 8, 9, 10)]
    assert size_groups(molecules, 5) == [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]
    assert len(set(size_groups(["CCO", "CCN", "CCC"], 5))) == 1  # equal sizes stay together


def test_chemical_systems_do_not_depend_on_the_order_of_elements():
    assert element_groups(["LiCoO2", "Co2LiO4", "LiMnO2"]) == ["Co-Li-O", "Co-Li-O", "Li-Mn-O"]


def test_clusters_are_those_of_the_features():
    centers = np.repeat(np.arange(10.0)[:, None] * 5.0, 8, axis=0)
    groups = np.array(cluster_groups(centers + np.random.default_rng(0).normal(0, 0.1, (80, 1)), 5, seed=0))
    assert len(set(groups)) == 10
    assert all(len(set(groups[8 * k : 8 * k + 8])) == 1 for k in range(10))
    assert len(set(cluster_groups(np.zeros((6, 2)), 5, seed=0))) == 1


def test_distances_are_those_to_the_nearest_row(rng):
    one, other = rng.random((20, 3)), rng.random((30, 3))
    expected = np.sqrt(((one[:, None] - other[None]) ** 2).sum(axis=2)).min(axis=1)
    np.testing.assert_allclose(nearest_distances(one, other), expected)


@pytest.mark.parametrize(("shift", "expected"), [(0.0, "random"), (4.0, "cluster")])
def test_the_split_that_is_as_far_from_the_data_as_the_candidates_decides(rng, shift, expected):
    """Rows in five clusters: candidates lie within them, or between them."""
    centers = rng.integers(0, 5, 100)
    frame = pd.DataFrame({"x": centers * 2.0 + rng.normal(0, 0.05, 100), "z": rng.normal(0, 0.05, 100)})
    candidates = pd.DataFrame({"x": rng.integers(0, 5, 50) * 2.0 + rng.normal(0, 0.05, 50), "z": 0.1 * shift})
    surroundings = Surroundings.of(frame, candidates, COLUMNS)
    folds = {"random": rng.integers(0, 5, 100), "cluster": centers}
    split, reason = matching_split(surroundings, folds, random="random")
    assert split == expected
    assert "random split" in reason
    assert "cluster split" in reason


def test_where_all_candidates_are_in_the_table_the_random_split_decides(rng):
    frame = pd.DataFrame({"x": rng.random(30), "z": rng.random(30)})
    surroundings = Surroundings.of(frame, frame.sample(10, random_state=0), COLUMNS)
    folds = {"random": np.arange(30) % 5, "cluster": np.arange(30) // 6}
    assert matching_split(surroundings, folds, random="random") == (
        "random",
        "every candidate of the space is in the table",
    )


def test_missing_values_are_imputed_for_the_distances(rng):
    frame = pd.DataFrame({"x": rng.random(30), "z": np.where(np.arange(30) % 4 == 0, np.nan, rng.random(30))})
    assert np.isfinite(Surroundings.of(frame, frame.dropna() + 0.1, COLUMNS).asked())
