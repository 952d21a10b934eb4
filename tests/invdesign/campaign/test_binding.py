"""An objective is given the columns of its space and checked once, from Python as from a campaign file."""

from __future__ import annotations

import pandas as pd
import pytest

import invdesign as ind
from invdesign.campaign.binding import Bindings
from invdesign.core.errors import InputError
from invdesign.objectives.base import valued
from invdesign.objectives.combined import CombinedObjective

SPACE = ind.SearchSpace(x=ind.Continuous(0, 1))
TARGETS = ind.Targets(ind.AtLeast("f", 0.5))


class Counting:
    """Gives x under a name; counts how often it was given the columns and checked."""

    rows_per_call = None

    def __init__(self, name: str = "f", problem: str = "") -> None:
        self.properties = {name: ""}
        self.problem = problem
        self.bound = self.checked = 0

    def for_columns(self, columns):
        self.bound += 1
        return self

    def check(self, columns):
        self.checked += 1
        return [self.problem] if self.problem else []

    def evaluate(self, candidates):
        return valued(pd.DataFrame(dict.fromkeys(self.properties, candidates["x"])), [None] * len(candidates))


def test_a_campaign_binds_and_checks_an_objective_once():
    objective = Counting()
    campaign = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), initial=2)
    for evaluations in (2, 3, 4):
        campaign.run(objective, evaluations=evaluations)
    campaign.verify(objective, stage="again", top=1)
    assert (objective.bound, objective.checked) == (1, 1)


def test_every_problem_is_said_at_every_run():
    objective = Counting("f", "It is too cold.")
    campaign = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer())
    for _ in range(2):
        with pytest.raises(InputError, match="It is too cold"):
            campaign.run(objective, evaluations=3)
    assert objective.checked == 1


def test_a_target_with_the_name_of_a_parameter_is_refused():
    with pytest.raises(InputError, match="'x' is both a parameter and a property"):
        ind.Campaign(SPACE, ind.Targets(ind.AtLeast("x", 0.5)), optimizer=ind.RandomOptimizer())


def test_objectives_of_a_file_are_not_checked_again_by_its_campaign():
    parts = Counting("f"), Counting("g")
    bindings = Bindings(SPACE)
    whole = CombinedObjective(tuple(bindings.of(part).objective for part in parts))
    bindings.joined(whole, parts)
    campaign = ind.Campaign(SPACE, TARGETS, optimizer=ind.RandomOptimizer(), bindings=bindings)
    campaign.run(whole, evaluations=2)
    assert campaign.frame()["g"].notna().all()
    assert [(part.bound, part.checked) for part in parts] == [(1, 1), (1, 1)]


def test_what_is_joined_has_the_problems_of_its_parts():
    parts = Counting("f", "Too cold."), Counting("g", "Too dry.")
    bindings = Bindings(SPACE)
    assert bindings.joined(CombinedObjective(parts), parts).problems == ("Too cold.", "Too dry.")
    with pytest.raises(InputError, match="Too cold"):
        bindings.of(parts[0]).fitting()


def test_a_campaign_file_binds_and_checks_once_and_names_the_line(tmp_path, monkeypatch):
    checked = []
    original = ind.FormulaObjective.check

    def counted(self, columns):
        checked.append(columns)
        return original(self, columns)

    monkeypatch.setattr(ind.FormulaObjective, "check", counted)
    text = """campaign: one
space:
  cathode:
    type: composition
    sites:
      A: {elements: [Li], amount: 1}
      M: {elements: [Ni, Co], amount: 1}
      O: {elements: [O], amount: 2}
targets:
  - {property: capacity, at_least: 1}
optimizer: {type: random}
objective:
  type: formula
  wanted: [capacity]
"""
    (tmp_path / "one.yaml").write_text(text)
    read = ind.read_campaign(tmp_path / "one.yaml")
    read.open(tmp_path / "one.db").run(read.objective, evaluations=2, initial=1)
    assert len(checked) == 1
    (tmp_path / "wrong.yaml").write_text(text.replace("  wanted:", "  formula: anode\n  wanted:"))
    with pytest.raises(InputError, match=r"wrong\.yaml:12: .*anode"):
        ind.read_campaign(tmp_path / "wrong.yaml")
