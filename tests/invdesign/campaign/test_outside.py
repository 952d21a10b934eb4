"""Results outside of the space: data for the model, neither hits nor proposals."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.campaign import Campaign
from invdesign.core.errors import InputError
from invdesign.optimizers import GeneticOptimizer, ParticleSwarmOptimizer, RandomOptimizer
from invdesign.optimizers.bayesian.optimizer import BayesianOptimizer
from invdesign.report import write_report
from invdesign.space import (
    Categorical,
    Continuous,
    Integer,
    Mixture,
    MoleculeGraph,
    MoleculeLibrary,
    MoleculePool,
    SearchSpace,
)
from invdesign.targets import AtLeast, Maximize, Targets

SPACE = SearchSpace(a=Continuous(0, 1), b=Continuous(0, 1), k=Integer(1, 4), constraints=["a + b <= 1.2"])


def opened(optimizer=None, targets=None, store=None):
    targets = targets or Targets(AtLeast("f", 2.0))
    return Campaign(SPACE, targets, optimizer=optimizer or RandomOptimizer(), store=store, seed=1, initial=4)


def rows():
    frame = pd.DataFrame({"a": [0.5, 1.4, 0.9, 0.2], "b": [0.5, 0.1, 0.8, 0.2], "k": [2, 2, 2, 7]})
    return frame.assign(f=frame["a"] + frame["b"] + frame["k"])


def test_they_are_stored_and_counted_but_are_no_hits(tmp_path):
    campaign = opened(store=tmp_path / "c.db")
    assert campaign.tell(rows()) == [0, 1, 2, 3]
    for one in (campaign, opened(store=tmp_path / "c.db")):
        assert one.frame()["outside"].tolist() == [False, True, True, True]
        assert one.hits().index.tolist() == [0]
        assert one.best(9).index.tolist() == [0]
        status = one.status()
        assert (status.evaluated, status.hits, status.outside) == (4, 1, 3)
    assert campaign.outside().to_dict() == {
        1: "'a' is 1.4, outside [0, 1].",
        2: "The candidate violates the constraint 'a + b <= 1.2' by 0.5, more than the tolerance 0.002.",
        3: "'k' is 7, outside [1, 4].",
    }


@pytest.mark.parametrize("kind", [BayesianOptimizer, RandomOptimizer, GeneticOptimizer, ParticleSwarmOptimizer])
def test_every_optimizer_goes_on_inside_of_the_space(kind):
    campaign = opened(kind(), Targets(Maximize("f")))
    campaign.tell(rows())
    inside = SPACE.sample(6, np.random.default_rng(0))
    campaign.tell(inside.assign(f=inside.sum(axis=1)))
    asked = campaign.ask(4)
    assert SPACE.feasible(asked).all()
    SPACE.encode(asked)


def test_the_model_learns_from_them():
    x = [0.0, 0.1, 0.2, 0.3, 0.4]
    data = pd.DataFrame({"a": x, "b": 0.0, "k": 2}).assign(f=lambda frame: frame["a"] ** 2)
    beyond = pd.DataFrame({"a": [1.1, 1.2, 1.3], "b": 0.0, "k": 2}).assign(f=lambda frame: frame["a"] ** 2)
    alone, both = opened(), opened()
    alone.tell(data)
    both.tell(pd.concat([data, beyond]))
    edge = pd.DataFrame({"a": [0.95], "b": [0.0], "k": [2]})
    off = [abs(one.predict(edge)["f expected"][0] - 0.95**2) for one in (both, alone)]
    assert off[0] < 0.2 * off[1]
    history = both.history()
    assert history.count == 8
    assert history.with_outside().candidates["a"].tolist() == [*x, 1.1, 1.2, 1.3]


def test_what_cannot_be_encoded_is_still_an_error():
    with pytest.raises(InputError, match=r"row 1: Column 'k': 2\.5 is not a whole number"):
        opened().tell(rows().assign(k=2.5))
    with pytest.raises(InputError, match="row 1: Column 'a': the cell is empty"):
        opened().tell(rows().assign(a=np.nan))


def test_what_was_made_outside_completes_its_proposal():
    campaign = opened()
    asked = campaign.ask(1)
    campaign.tell(asked.assign(a=1.3, f=1.0))
    assert campaign.status().pending == 0
    assert campaign.frame()["outside"].tolist() == [True]


def test_mixtures_off_their_rules_are_data_and_unknown_components_are_errors():
    mixture = Mixture(roles={"m": {"components": ["NMC", "C65", "PVDF"], "pick": 3, "amount": [0.02, 1], "step": 0.02}})
    campaign = Campaign(SearchSpace(slurry=mixture), Targets(AtLeast("f", 1)), seed=1, initial=2)
    rows = pd.DataFrame({"slurry": ["NMC 0.9 + C65 0.06 + PVDF 0.04", "NMC 0.9 + C65 0.1 + PVDF 0.1"], "f": [0.5, 2.0]})
    campaign.tell(rows)
    assert campaign.status().hits == 0
    assert campaign.outside()[1].startswith("'slurry': The mixture 'NMC 0.9 + C65 0.1 + PVDF 0.1' is not in this space")
    more = campaign.ask(3)
    campaign.tell(more.assign(f=0.1))
    assert campaign.space.feasible(campaign.ask(2)).all()
    assert len(campaign.predict(more)) == 3
    with pytest.raises(InputError, match="contains unknown component 'NMX'"):
        campaign.tell(rows.assign(slurry="NMX 0.9 + C65 0.06 + PVDF 0.04"))


POOL = ["C", "CC", "CCC", "CCCC", "CCCCC", "CCCCCC"]


def of_molecules(**more):
    space = SearchSpace(molecule=MoleculePool.from_smiles(POOL), **more)
    return Campaign(space, Targets(AtLeast("f", 9.0)), seed=1, initial=2)


def test_a_molecule_that_is_not_in_the_pool_is_data_for_the_model_and_never_proposed(tmp_path):
    known = pd.DataFrame({"molecule": POOL[:4], "f": [1.0, 2.0, 3.0, 4.0]})
    longer = pd.DataFrame({"molecule": ["C(CCCCCC)", "CCCCCCCC", "CCCCCCCCC"], "f": [7.0, 8.0, 9.0]})
    alone, both = of_molecules(), of_molecules()
    alone.tell(known)
    both.tell(pd.concat([known, longer]))
    assert both.outside().to_dict() == {
        4: "'molecule': 'CCCCCCC' is not in the pool of 6 molecules.",
        5: "'molecule': 'CCCCCCCC' is not in the pool of 6 molecules.",
        6: "'molecule': 'CCCCCCCCC' is not in the pool of 6 molecules.",
    }
    assert (both.status().hits, both.status().outside) == (0, 3)
    last = pd.DataFrame({"molecule": ["CCCCCC"]})
    off = [abs(one.predict(last)["f expected"][0] - 6.0) for one in (both, alone)]
    assert off[0] < 0.5 * off[1]
    assert sorted(both.ask(5)["molecule"]) == ["CCCCC", "CCCCCC"]
    assert "could not be validated" not in write_report(both, tmp_path / "report.html").read_text()


def test_what_is_not_a_molecule_is_an_error():
    with pytest.raises(InputError, match="row 1: Column 'molecule': 'C1CC' is not in the pool of 6 molecules, and not"):
        of_molecules().tell(pd.DataFrame({"molecule": ["C1CC"], "f": [1.0]}))


def test_a_word_that_is_not_listed_is_stored_but_not_learned_from(tmp_path):
    space = SearchSpace(a=Continuous(0, 1), salt=Categorical(["LiPF6", "LiFSI"]))
    plain, more = (
        Campaign(space, Targets(Maximize("f")), optimizer=BayesianOptimizer(), seed=1, initial=2) for _ in range(2)
    )
    inside = space.sample(9, np.random.default_rng(0)).assign(f=lambda frame: frame["a"])
    other = pd.DataFrame({"a": [0.5], "salt": ["LiDFOB"], "f": [50.0]})
    plain.tell(inside)
    more.tell(pd.concat([inside, other]))
    assert more.outside()[9].startswith("'salt': 'LiDFOB' is not one of the values.")
    assert more.outside()[9].endswith("The model does not use it.")
    assert more.frame()["f"].max() == 50.0
    assert more.status().hits == plain.status().hits
    pd.testing.assert_frame_equal(more.predict(inside), plain.predict(inside))
    assert set(more.ask(3)["salt"]) <= {"LiPF6", "LiFSI"}
    assert "could not be validated" not in write_report(more, tmp_path / "report.html").read_text()


@pytest.mark.parametrize("slip", ["lipf6", "LiPF_6", "Li PF6"])
def test_a_slip_in_a_listed_word_is_an_error(slip):
    space = SearchSpace(a=Continuous(0, 1), salt=Categorical(["LiPF6", "LiFSI"]))
    campaign = Campaign(space, Targets(Maximize("f")), seed=1, initial=2)
    with pytest.raises(InputError, match=f"'{slip}' is not one of the values. Did you mean 'LiPF6'?"):
        campaign.tell(pd.DataFrame({"a": [0.5], "salt": [slip], "f": [1.0]}))


def test_another_word_or_molecule_is_not_the_result_of_a_proposal():
    """What was asked for stays pending, even if all numbers agree."""
    for space, name, other in (
        (SearchSpace(a=Continuous(0, 1), salt=Categorical(["LiPF6", "LiFSI"])), "salt", "LiDFOB"),
        (SearchSpace(a=Continuous(0, 1), molecule=MoleculePool.from_smiles(POOL)), "molecule", "CO"),
    ):
        campaign = Campaign(space, Targets(Maximize("f")), optimizer=RandomOptimizer(), seed=1, initial=4)
        asked = campaign.ask(4).reset_index(drop=True)
        campaign.tell(asked.assign(f=1.0, **{name: other}))
        assert (campaign.status().pending, campaign.status().outside) == (4, 4)


def chains(numbers):
    return pd.DataFrame({"molecule": ["C" * number + "OC" for number in numbers], "f": [float(n) for n in numbers]})


@pytest.mark.parametrize(
    ("parameter", "reason"),
    [
        (MoleculeLibrary("CO[*:1]", {"R1": ["*" + "C" * n for n in range(1, 7)]}), "is not one of the library's 6"),
        (MoleculeGraph(seeds=("COC", "CCOC"), max_atoms=8, max_rings=0, alerts="any"), "is not in this space: "),
    ],
)
def test_a_molecule_that_a_library_or_a_graph_does_not_contain_is_data_and_never_proposed(tmp_path, parameter, reason):
    alone, both = (
        Campaign(
            SearchSpace(molecule=parameter),
            Targets(Maximize("f")),
            optimizer=BayesianOptimizer(),
            store=tmp_path / name,
            seed=1,
            initial=2,
        )
        for name in ("alone.db", "both.db")
    )
    alone.tell(chains([1, 2, 3]))
    both.tell(chains([1, 2, 3, 7, 8, 9, 10]))
    assert both.outside().index.tolist() == [3, 4, 5, 6]
    assert all(reason in sentence for sentence in both.outside())
    assert (both.status().evaluated, both.status().outside) == (7, 4)
    off = [abs(one.predict(chains([6])[["molecule"]])["f expected"][0] - 6.0) for one in (both, alone)]
    assert off[0] < 0.5 * off[1]
    asked = both.ask(2)
    both.space.encode(asked)
    both.tell(asked.assign(f=0.0))
    assert "could not be validated" not in write_report(both, tmp_path / "report.html").read_text()
    with pytest.raises(InputError, match=r"row 1: Column 'molecule': 'C1CC' is not a molecule that RDKit can read"):
        both.tell(pd.DataFrame({"molecule": ["C1CC"], "f": [1.0]}))
