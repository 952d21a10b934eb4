"""Every word of the registry builds, and nested settings are checked like the rest."""

from __future__ import annotations

import pytest

from invdesign.campaign_file.file import read_campaign
from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.registry import REGISTRY, settings_model
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.forests import RandomForest

FILE = """\
campaign: small
space:
  x: {type: continuous, low: 0, high: 1}
targets:
  - {property: f, at_least: 1}
surrogate:
  type: random-forest
  trees: 50
  features:
    molecules: both
    missing: impute
"""


@pytest.mark.parametrize("word", REGISTRY["surrogate"])
def test_every_surrogate_can_be_named_in_a_file(tmp_path, word):
    path = tmp_path / "campaign.yaml"
    path.write_text(FILE.replace("random-forest", word).replace("  trees: 50\n", ""))
    assert read_campaign(path).surrogate.features == Features(molecules="both", missing="impute")
    assert settings_model("surrogate", word).model_json_schema()["properties"]["features"]


def test_features_become_settings(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(FILE)
    expected = RandomForest(trees=50, features=Features(molecules="both", missing="impute"))
    assert read_campaign(path).surrogate == expected


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("trees: 50", "trees: many", 8, "trees: .* not 'many'"),
        ("trees: 50", "trees: 0", 6, "trees must be positive, not 0"),
        ("trees: 50", "tres: 50", 8, "Did you mean 'trees'"),
        ("missing: impute", "missing: imput", 11, "features.missing: .*'error' or 'impute'"),
        ("missing: impute", "misssing: impute", 11, "'misssing' is not known here. Did you mean 'missing'"),
        ("missing: impute", "components: 0", 9, "features: At least one component is needed, not 0.$"),
        ("  features:\n    molecules: both\n    missing: impute", "  features: all", 9, "features: .* not 'all'"),
    ],
)
def test_a_wrong_setting_names_its_line(tmp_path, old, new, line, words):
    assert old in FILE
    path = tmp_path / "campaign.yaml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(FileError, match=words) as caught:
        read_campaign(path)
    assert [problem.line for problem in caught.value.problems] == [line]
