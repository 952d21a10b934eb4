"""The best are the same whatever the blocks, each once, and different ones are far from each other."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import invdesign as ind
from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.screening.best import Shortlist, check_diverse, chosen
from invdesign.screening.pools import MoleculeStream, SpacePool
from invdesign.space.molecules.files import MoleculeFile
from invdesign.targets import AtLeast, Maximize, Targets

POOL = SpacePool(ind.SearchSpace(molecule=ind.Categorical(list("abcdefgh"))))
MOLECULES = (Column("molecule", "molecule"),)


def frame(pairs):
    logs = np.array([log for _, log, _ in pairs], dtype=float)
    return pd.DataFrame(
        {
            "molecule": [name for name, _, _ in pairs],
            "f": [f for _, _, f in pairs],
            "probability": np.exp(logs),
            "log_probability": logs,
        }
    )


ROWS = st.tuples(st.sampled_from("abcdefgh"), st.sampled_from([0.0, -1.0, -2.0]), st.sampled_from([0.0, 1.0, 2.0]))


@given(st.lists(ROWS, min_size=1, max_size=30), st.integers(1, 5), st.integers(1, 7))
def test_blocks_do_not_matter(pairs, most, size):
    rows = frame(pairs)
    targets = Targets(AtLeast("f", 0.0), Maximize("f"))
    whole, parts = (Shortlist(targets, POOL, most) for _ in range(2))
    whole.add(rows)
    for start in range(0, len(rows), size):
        parts.add(rows.iloc[start : start + size])
    assert parts.rows.equals(whole.rows)
    assert whole.rows["molecule"].is_unique
    ordered = sorted(range(len(pairs)), key=lambda place: (-pairs[place][1], -pairs[place][2], place))
    assert whole.rows.index[0] == ordered[0]


def test_max_min_takes_the_best_and_what_is_unlike_it():
    rows = frame([("CCCCO", 0.0, 1.0), ("CCCCCO", -0.01, 1.0), ("c1ccccc1", -0.02, 1.0), ("N#CC#N", -0.5, 1.0)])
    assert chosen(rows, 2, "none", MOLECULES)["molecule"].tolist() == ["CCCCO", "CCCCCO"]
    assert chosen(rows, 2, "max-min", MOLECULES)["molecule"].tolist() == ["CCCCO", "c1ccccc1"]


def test_unlikely_candidates_are_not_chosen_for_being_different():
    rows = frame([("CCCCO", 0.0, 1.0), ("CCCCCO", -0.01, 1.0), ("c1ccccc1", -3.0, 1.0)])
    assert chosen(rows, 2, "max-min", MOLECULES)["molecule"].tolist() == ["CCCCO", "CCCCCO"]


def test_butina_takes_the_best_of_each_cluster_and_then_the_next_best():
    names = ["CCCCCCCCO", "CCCCCCCCCO", "CCCCCCCCCCO", "c1ccccc1"]
    rows = frame([(name, -0.01 * place, 1.0) for place, name in enumerate(names)])
    assert chosen(rows, 2, "butina", MOLECULES)["molecule"].tolist() == ["CCCCCCCCO", "c1ccccc1"]
    assert chosen(rows, 3, "butina", MOLECULES)["molecule"].tolist() == ["CCCCCCCCO", "CCCCCCCCCO", "c1ccccc1"]


def test_numbers_have_distances_too():
    rows = frame([("a", 0.0, 1.0), ("b", 0.0, 1.0), ("c", 0.0, 1.0)]).assign(x=[0.0, 0.1, 5.0])
    columns = (Column("molecule", "material"), Column("x", "number"))
    assert chosen(rows, 2, "max-min", columns)["molecule"].tolist() == ["a", "c"]


def test_what_has_no_distance_is_refused():
    with pytest.raises(InputError, match="Butina's clusters need molecules"):
        check_diverse("butina", (Column("x", "number"),))
    with pytest.raises(InputError, match="Remove diverse"):
        check_diverse("max-min", (Column("x", "category"),))


def test_one_molecule_written_in_two_ways_is_one_candidate(tmp_path):
    names = ["CCO", "OCC", "C(C)O", "CCCO", "OCCC", "CC"]
    (tmp_path / "pool.smi").write_text("\n".join(names))
    pool = MoleculeStream("molecule", MoleculeFile(tmp_path / "pool.smi"))
    rows = frame([(name, -0.1 * place, 1.0) for place, name in enumerate(names)])
    for size in (1, 2, 6):
        shortlist = Shortlist(Targets(AtLeast("f", 0.0)), pool, 3)
        for start in range(0, len(rows), size):
            shortlist.add(rows.iloc[start : start + size])
        assert shortlist.rows["molecule"].tolist() == ["CCO", "CCCO", "CC"]
        assert shortlist.rows.index.tolist() == [0, 3, 5]
