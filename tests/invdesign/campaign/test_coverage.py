from __future__ import annotations

import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign.binding import Bindings
from invdesign.core.errors import InputError
from invdesign.objectives.combined import CombinedObjective

ROWS = pd.DataFrame({"n": [1, 2, 3], "f": [0.1, 0.2, None]})
TABLE = ind.TableObjective(ROWS, key={"n": "n"}, values={"f": "f"})


def bound(objective, **parameters):
    return Bindings(ind.SearchSpace(parameters)).of(objective)


def test_a_table_over_a_continuous_parameter_is_a_problem():
    with pytest.raises(InputError, match="single numbers of 'n', which is continuous: no candidate would be found"):
        bound(TABLE, n=ind.Continuous(0, 5)).fitting()


def test_a_table_without_any_candidate_is_a_problem():
    with pytest.raises(InputError, match="no value of 'f' for any of the 6 candidates of the space"):
        bound(TABLE, n=ind.Integer(10, 15)).fitting()


def test_missing_candidates_are_a_remark():
    found = bound(TABLE, n=ind.Integer(1, 4))
    assert not found.problems
    assert found.remarks == ("2 of 4 candidates of the space have no 'f' in the table.",)
    assert bound(TABLE, n=ind.Integer(1, 2)).remarks == ()


def test_of_a_large_space_a_sample_is_looked_up():
    (remark,) = bound(TABLE, n=ind.Integer(1, 4), x=ind.Continuous(0, 1)).remarks
    missing = int(remark.split(" of 1,000 candidates drawn at random")[0])
    assert 400 < missing < 600


def test_tables_of_a_combination_count():
    other = ind.TableObjective(ROWS.assign(g=1.0), key={"n": "n"}, values={"g": "g"})
    space = ind.SearchSpace(n=ind.Integer(1, 4))
    bindings = Bindings(space)
    parts = tuple(bindings.of(one).objective for one in (TABLE, other))
    assert bindings.joined(CombinedObjective(parts), parts).remarks == (
        "2 of 4 candidates of the space have no 'f' in the table.",
        "1 of 4 candidates of the space have no 'g' in the table.",
    )
