"""The campaign's model: kept while nothing changes, and saved without pickle."""

from __future__ import annotations

import pandas as pd
import pytest

import invdesign as ind
from invdesign.core.errors import InputError

SPACE = ind.SearchSpace(x=ind.Continuous(0.0, 1.0))
ROWS = pd.DataFrame({"x": [0.0, 0.25, 0.5, 0.75, 1.0], "f": [0.0, 0.4, 0.9, 1.3, 2.1]})


def measured(rows=ROWS):
    campaign = ind.Campaign(SPACE, ind.Targets(ind.AtLeast("f", 1.5)))
    campaign.tell(rows)
    return campaign


def test_the_model_is_kept_until_there_is_a_new_value():
    campaign = measured()
    model = campaign.model()
    campaign.predict(ROWS)
    assert campaign.model() is model
    campaign.tell(pd.DataFrame({"x": [0.9], "f": [0.1]}))
    fresh = campaign.model()
    assert fresh is not model
    asked = pd.DataFrame({"x": [0.9]})
    assert fresh.predict(asked)["f"].item() < model.predict(asked)["f"].item()
    campaign.targets = ind.Targets(ind.AtMost("f", 0.5))
    assert "chance: f at most 0.5" in campaign.predict(asked)


def test_the_model_can_be_saved(tmp_path):
    campaign = measured()
    ind.save_surrogate(campaign.model(), tmp_path / "f.skops")
    loaded = ind.load_surrogate(tmp_path / "f.skops")
    asked = pd.DataFrame({"x": [0.1, 0.6]})
    pd.testing.assert_frame_equal(loaded.predict(asked), campaign.model().predict(asked), check_exact=True)


def test_no_model_of_too_few_values():
    with pytest.raises(InputError, match="needs at least 3 values"):
        measured(ROWS.iloc[:2]).model()
