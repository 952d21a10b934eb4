"""Every word of the registry builds, and nested settings are checked like the rest."""

from __future__ import annotations

import pytest

from invdesign.campaign_file.lines import FileError
from invdesign.campaign_file.reader import read_campaign
from invdesign.campaign_file.schema import campaign_schema
from invdesign.core.plugins import known_words
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
  n_estimators: 50
  features:
    molecules: both
    missing: impute
"""


COMPOSED = ("stacked", "transformed")


@pytest.mark.parametrize("word", [word for word in known_words("surrogate") if word not in COMPOSED])
def test_every_surrogate_can_be_named_in_a_file(tmp_path, word):
    path = tmp_path / "campaign.yaml"
    path.write_text(FILE.replace("random-forest", word).replace("  n_estimators: 50\n", ""))
    assert read_campaign(path).surrogate.features == Features(molecules="both", missing="impute")
    assert campaign_schema()["$defs"][f"surrogate-{word}"]["properties"]["features"]["description"]


@pytest.mark.parametrize("word", COMPOSED)
def test_surrogates_of_surrogates_can_be_named_in_a_file(tmp_path, word):
    path = tmp_path / "campaign.yaml"
    head = FILE[: FILE.index("surrogate:")]
    path.write_text(head + f"surrogate: {{type: {word}}}\n")
    assert type(read_campaign(path).surrogate).__name__.lower() == word


def test_features_become_settings(tmp_path):
    path = tmp_path / "campaign.yaml"
    path.write_text(FILE)
    expected = RandomForest(n_estimators=50, features=Features(molecules="both", missing="impute"))
    assert read_campaign(path).surrogate == expected


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("n_estimators: 50", "n_estimators: many", 8, "'n_estimators' must be a whole number, not 'many'"),
        ("n_estimators: 50", "n_estimators: 0", 8, "'n_estimators' must be at least 1, not 0"),
        ("n_estimators: 50", "trees: 50", 8, "Unknown setting 'trees'. It is called 'n_estimators'"),
        ("missing: impute", "missing: imput", 11, "Unknown features.missing 'imput'. Did you mean 'impute'"),
        ("missing: impute", "misssing: impute", 11, "Unknown setting 'misssing'. Did you mean 'missing'"),
        ("missing: impute", "components: 0", 11, "'features.components' must be at least 1, not 0"),
        (
            "  features:\n    molecules: both\n    missing: impute",
            "  features: all",
            9,
            "'features' must be a mapping.*, not 'all'",
        ),
    ],
)
def test_a_wrong_setting_names_its_line(tmp_path, old, new, line, words):
    assert old in FILE
    path = tmp_path / "campaign.yaml"
    path.write_text(FILE.replace(old, new))
    with pytest.raises(FileError, match=words) as caught:
        read_campaign(path)
    assert [problem.line for problem in caught.value.problems] == [line]
