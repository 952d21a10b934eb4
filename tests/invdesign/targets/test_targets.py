from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.errors import InputError
from invdesign.targets import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Targets

VALUES = pd.DataFrame({"v": [1.0, 2.0, 3.0, np.nan], "w": [5.0, 4.0, 1.0, 2.0]}, index=[3, 5, 7, 9])


def test_all_targets_must_be_met():
    targets = Targets(AtLeast("v", 2), AtMost("w", 4))
    assert targets.all_met(VALUES).tolist() == [False, True, True, False]
    assert targets.met(VALUES).index.tolist() == [3, 5, 7, 9]
    assert targets.met(VALUES)["v at least 2"].tolist() == [False, True, True, False]
    assert targets.shortfall(VALUES)["v at least 2"].tolist()[:3] == [1.0, 0.0, 0.0]
    assert targets.properties == ("v", "w")


def test_margin_is_positive_within_and_negative_outside():
    margin = Targets(Between("v", 1.5, 3.5)).margin(VALUES)
    assert (margin > 0).tolist() == [False, True, True, False]
    assert margin[3] == -np.inf


def test_two_targets_on_one_property_are_met_together():
    targets = Targets(AtLeast("v", 1), AtMost("v", 3), CloseTo("v", 3, 1))
    mean, std = pd.DataFrame({"v": [2.5]}), pd.DataFrame({"v": [1.0]})
    assert targets.probability(mean, std) == pytest.approx(Between("v", 2, 3).probability(2.5, 1.0))
    impossible = Targets(AtLeast("v", 3), AtMost("v", 1))
    assert impossible.probability(mean, std) == [0.0]


def test_independent_properties_multiply():
    targets = Targets(AtLeast("v", 2), AtMost("w", 4))
    mean = pd.DataFrame({"v": [2.5], "w": [3.0]})
    std = pd.DataFrame({"v": [1.0], "w": [2.0]})
    expected = AtLeast("v", 2).probability(2.5, 1.0) * AtMost("w", 4).probability(3.0, 2.0)
    assert targets.probability(mean, std)[0] == pytest.approx(float(expected))


def test_rank_puts_what_meets_the_targets_first():
    targets = Targets(AtLeast("v", 2), Minimize("w"))
    assert targets.pareto_rank(VALUES).tolist() == [2, 1, 0, 3]


def test_maximize_mirrors_minimize():
    up = Targets(Maximize("v"), Minimize("w")).pareto_rank(VALUES)
    down = Targets(Minimize("v"), Maximize("w")).pareto_rank(-VALUES)
    assert up.tolist() == down.tolist()


def test_a_row_without_a_value_ranks_last():
    assert Targets(Maximize("v")).pareto_rank(VALUES).tolist() == [2, 1, 0, 3]


def test_unknown_property_names_the_nearest():
    with pytest.raises(InputError, match="Did you mean 'voltage'"):
        Targets(AtLeast("volatge", 2)).in_units({"voltage": "V", "capacity": "mAh/g"})


def test_unit_of_another_quantity_is_refused():
    with pytest.raises(InputError, match=r"'V' cannot be converted to 'kg'"):
        Targets(AtLeast("mass", 2, unit="V")).in_units({"mass": "kg"})


def test_bad_collections_are_refused():
    with pytest.raises(InputError, match="At least one target"):
        Targets()
    with pytest.raises(InputError, match="more than once"):
        Targets(Maximize("v"), Minimize("v"))
    with pytest.raises(InputError, match="is not a target"):
        Targets("v > 3")


def test_margin_is_in_standard_deviations_of_the_property():
    spread = np.std([1.0, 2.0, 3.0])
    margin = Targets(Between("v", 1.5, 3.5)).margin(VALUES)
    np.testing.assert_allclose(margin, [-0.5 / spread, 0.5 / spread, 0.5 / spread, -np.inf])
    wide = VALUES * 100.0
    np.testing.assert_allclose(Targets(Between("v", 150, 350)).margin(wide), margin)


def test_margin_is_in_the_unit_of_the_property_where_its_values_do_not_differ():
    equal = pd.DataFrame({"v": [2.0, 2.0]})
    assert Targets(Between("v", 1.5, 3.5)).margin(equal).tolist() == [0.5, 0.5]
    assert Targets(Between("v", 1.5, 3.5)).margin(equal * np.nan).tolist() == [-np.inf, -np.inf]


def test_gains_are_the_values_with_the_sign_of_their_direction():
    gains = Targets(Maximize("v"), AtLeast("v", 0), Minimize("w")).gains(VALUES)
    np.testing.assert_array_equal(gains, [[1.0, -5.0], [2.0, -4.0], [3.0, -1.0], [np.nan, -2.0]])


def test_the_window_of_a_property_is_the_intersection_of_its_targets():
    assert Targets(AtLeast("v", 1), AtMost("v", 3), AtMost("w", 9)).window("v") == Between("v", 1.0, 3.0)
    assert Targets(AtLeast("v", 1), AtLeast("v", 2)).window("v") == AtLeast("v", 2.0)
    assert Targets(AtMost("v", 1), AtMost("v", 2)).window("v") == AtMost("v", 1.0)
    assert Targets(AtLeast("v", 2), AtMost("v", 2)).window("v") == Equals("v", 2.0)
    assert Targets(AtLeast("v", 3), AtMost("v", 2)).window("v") is None


def test_candidates_that_meet_everything_share_the_best_rank_where_nothing_is_optimized():
    assert Targets(AtLeast("v", 2)).pareto_rank(VALUES).tolist() == [1, 0, 0, 2]


def test_rank_where_no_candidate_meets_the_targets():
    targets = Targets(AtLeast("v", 10), AtMost("w", 0), Minimize("w"))
    # shortfalls (9, 5), (8, 4), (7, 1): each undercuts the one before in both
    assert targets.pareto_rank(VALUES).tolist() == [2, 1, 0, 3]


def test_an_optimizer_gets_the_interval_that_is_certain_enough():
    targets = Targets(
        AtLeast("f", 1.0, unit="V", min_probability=0.9), Between("g", 0.0, 1.0, min_probability=0.9), Minimize("h")
    )
    known = pd.DataFrame({"f_std": [0.1, 0.2, 0.3], "g_std": [2.0, 2.0, np.nan]})
    first, second, third = targets.for_search(known)
    assert isinstance(first, AtLeast)
    assert (first.unit, first.min_probability) == ("V", None)
    assert first.value == pytest.approx(1.0 + 0.2 * 1.2815515655)
    assert second.interval == pytest.approx((0.495, 0.505))
    assert third == Minimize("h")
    assert tuple(targets.for_search(pd.DataFrame())) == (AtLeast("f", 1.0, unit="V"), Between("g", 0, 1), Minimize("h"))


def test_probabilities_of_known_and_predicted_values():
    targets = Targets(AtLeast("f", 1.0), AtMost("g", 2.0), Minimize("h"))
    values = pd.DataFrame({"f": [1.0, 3.0, np.nan], "f_std": [0.5, np.nan, 0.5], "g": [1.0, 3.0, 1.0], "h": 0.0})
    found = targets.probabilities(values)
    assert found.columns.tolist() == [f"probability: {target}" for target in targets.bounded] + ["probability"]
    np.testing.assert_allclose(found.to_numpy(), [[0.5, 1, 0.5], [1, 0, 0], [np.nan] * 3])


def test_the_unit_of_a_property_is_that_of_its_first_target_with_one():
    targets = Targets(Maximize("f"), AtLeast("f", 1, unit="V"), AtMost("f", 3000, unit="mV"), AtLeast("g", 1))
    assert targets.units == {"f": "V", "g": ""}
    assert targets.in_units(targets.units).window("f").interval == (1.0, 3.0)


def test_two_classes_of_one_property_exclude_each_other():
    both = Targets(Equals("phase", "layered"), Equals("phase", "spinel"))
    with pytest.raises(InputError, match="exclude each other: phase equal to layered and phase equal to spinel"):
        both.in_units({"phase=layered": "", "phase=spinel": ""})


def test_weights_and_priorities_scale_what_a_miss_counts_and_are_written():
    heavy = AtLeast("f", 1.0, weight=2.0, priority=2)
    assert heavy.importance == pytest.approx(0.2)
    assert str(heavy) == "f at least 1 (weight 2, priority 2)"
    assert str(Maximize("f", weight=0.5)) == "maximize f (weight 0.5)"
    values = pd.DataFrame({"f": [0.0, 2.0], "g": [0.0, 0.0]})
    plain, weighted = (Targets(AtLeast("f", 1.0, weight=weight)).margin(values)[0] for weight in (1.0, 3.0))
    assert weighted == pytest.approx(3.0 * plain)
    for wrong in ({"weight": 0.0}, {"weight": "much"}, {"priority": 0}, {"priority": 1.5}):
        with pytest.raises(InputError, match=next(iter(wrong))):
            AtLeast("f", 1.0, **wrong)


def test_what_is_worse_than_a_reference_is_behind_and_not_on_the_front():
    targets = Targets(Maximize("f", reference=1.0), Minimize("g", reference=5.0))
    values = pd.DataFrame({"f": [3.0, 2.0, 0.5, 4.0, 0.0], "g": [4.0, 4.5, 0.0, 6.0, 9.0]})
    assert targets.within(values).tolist() == [True, True, False, False, False]
    assert targets.pareto_rank(values).tolist() == [0, 1, 2, 2, 3]
    assert targets.on_front(values).tolist() == [True, False, False, False, False]
    assert not targets.on_front(values.iloc[2:]).any()
    assert targets.reference.tolist() == [1.0, -5.0]
    plain = Targets(Maximize("f"), Minimize("g", reference=5.0))
    assert plain.on_front(values).tolist() == [True, False, True, False, False]
    assert np.isnan(plain.reference).tolist() == [True, False]


def test_a_reference_changes_nothing_among_what_is_within():
    rng = np.random.default_rng(3)
    values = pd.DataFrame(rng.random((40, 2)), columns=["f", "g"])
    far = Targets(Maximize("f", reference=-1.0), Minimize("g", reference=2.0))
    plain = Targets(Maximize("f"), Minimize("g"))
    assert far.pareto_rank(values).tolist() == plain.pareto_rank(values).tolist()
    assert far.order(values).tolist() == plain.order(values).tolist()
