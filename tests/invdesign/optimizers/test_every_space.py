"""Every optimizer takes every space: one word apart in the campaign file."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from invdesign.optimizers import (
    BayesianOptimizer,
    CmaEsOptimizer,
    GenerativeOptimizer,
    GeneticOptimizer,
    History,
    ParticleSwarmOptimizer,
    RandomOptimizer,
)
from invdesign.space import Composition, Continuous, Mixture, MoleculeGraph, MoleculeLibrary, MoleculePool, SearchSpace
from invdesign.targets import AtLeast, AtMost, Between, CloseTo, Equals, Maximize, Minimize, Targets

SPACES = {
    "layered oxide with dopant": lambda: SearchSpace(
        cathode=Composition(
            sites={
                "A": {"elements": ["Li"], "amount": 1},
                "M": {
                    "elements": ["Ni", "Mn", "Co", "Al", "Mg"],
                    "amount": 1,
                    "range": {"Ni": [0.3, 0.9]},
                    "max_elements": 4,
                    "step": 0.01,
                },
                "O": {"elements": ["O"], "amount": 2},
            },
            charge_balanced=True,
        ),
        temperature=Continuous(700, 950, unit="degC"),
        constraints=["cathode.share_Co <= 0.1", "cathode.share_Ni <= 0.8 or temperature <= 800"],
    ),
    "simplex of eight": lambda: SearchSpace(
        alloy=Composition(
            sites={"M": {"elements": ["Ti", "V", "Cr", "Mn", "Fe", "Co", "Ni", "Cu"], "amount": 1, "max_elements": 4}}
        )
    ),
    "MXene": lambda: SearchSpace(
        mxene=Composition(
            sites={
                "M": {"elements": ["Sc", "Ti", "V", "Cr", "Zr", "Nb", "Mo", "Hf", "Ta"], "amount": 2, "pick": 1},
                "X": {"elements": ["C", "N"], "amount": 1, "pick": 1},
                "T": {"species": ["F", "H", "O", "OH", "none"], "amount": 2, "pick": 1},
                "Z": {"elements": ["Li", "Na", "K", "Mg"], "amount": 2, "pick": 1},
            }
        )
    ),
    "pool": lambda: SearchSpace(solvent=MoleculePool.from_smiles(["C" * n + "O" for n in range(1, 40)])),
    "pool by components": lambda: SearchSpace(
        solvent=MoleculePool(tuple("C" * n + "O" for n in range(1, 40)), coordinates="components", components=3),
        temperature=Continuous(20, 90),
    ),
    "mixture": lambda: SearchSpace(
        electrolyte=Mixture(
            roles={
                "solvent": {
                    "components": {"EC": "C1COC(=O)O1", "DMC": "COC(=O)OC", "EMC": "CCOC(=O)OC", "EA": "CCOC(C)=O"},
                    "pick": [1, 3],
                    "amount": [0.05, 1.0],
                    "step": 0.05,
                },
                "salt": {"components": ["LiPF6", "LiFSI"], "pick": 1, "amount": [0.5, 2.0], "unit": "mol/kg"},
                "additive": {"components": ["VC", "FEC"], "pick": [0, 1], "amount": [0.0, 0.05], "step": 0.01},
            },
            exclude=[("LiFSI", "EA")],
        ),
        temperature=Continuous(250, 330, unit="K"),
        constraints=['electrolyte.share("EC") <= 0.4', "electrolyte.count <= 4"],
    ),
    "library": lambda: SearchSpace(
        ether=MoleculeLibrary(
            scaffold="[*:1]OCC[*:2]", substituents={"R1": ["*C", "*CC", "*C(F)F"], "R2": ["*C#N", "*F", "*OC", "[H]"]}
        )
    ),
}
GRAPH = SearchSpace(solvent=MoleculeGraph(seeds=["CCO", "COC(=O)OC", "C1COC(=O)O1"], max_atoms=10))
SEED = np.random.SeedSequence(4)
OPTIMIZERS = {
    "random": RandomOptimizer(),
    "bayesian": BayesianOptimizer(),
    "genetic": GeneticOptimizer(),
    "generative": GenerativeOptimizer(),
    "cma-es": CmaEsOptimizer(population=4),
    "particle swarm": ParticleSwarmOptimizer(particles=4),
}


def length(frame: pd.DataFrame) -> pd.DataFrame:
    """A number that depends on the candidate; the search need not find anything here."""
    name = frame.columns[0]
    return pd.DataFrame({"f": [float(len(str(value))) for value in frame[name]]}, dtype=float)


def known(space: SearchSpace) -> History:
    candidates = space.sample(60, np.random.default_rng(0)).drop_duplicates(ignore_index=True).head(6)
    return History(candidates, length(candidates), candidates.iloc[:0])


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("targets", [Targets(AtLeast("f", 12)), Targets(Maximize("f"))], ids=["window", "direction"])
def test_it_proposes_new_feasible_candidates(kind, optimizer, targets):
    space = SPACES[kind]()
    history = known(space)
    new = optimizer.propose(2, space=space, targets=targets, history=history, seed=SEED)
    assert len(new) == 2
    assert space.feasible(new).all()
    space.encode(new)
    assert not pd.concat([history.candidates, new]).duplicated().any()
    again = optimizer.propose(2, space=SPACES[kind](), targets=targets, history=history, seed=SEED)
    pd.testing.assert_frame_equal(new, again)


KINDS = {
    "between": Targets(Between("f", 12, 14)),
    "at most": Targets(AtMost("f", 10)),
    "close to": Targets(CloseTo("f", 12, 0.5)),
    "equals": Targets(Equals("f", 11)),
    "minimize": Targets(Minimize("f")),
    "with a probability": Targets(AtLeast("f", 12, min_probability=0.9)),
    "three": Targets(AtLeast("f", 8), AtMost("g", 3), Maximize("f")),
    "four": Targets(Between("f", 8, 20), AtLeast("g", 1), Maximize("f"), Minimize("g")),
}


@pytest.mark.parametrize("kind", SPACES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
@pytest.mark.parametrize("targets", KINDS.values(), ids=KINDS)
def test_every_kind_of_target(kind, optimizer, targets):
    space = SPACES[kind]()
    history = known(space)
    values = history.properties.assign(g=history.properties["f"] % 5)[list(targets.properties)]
    new = optimizer.propose(1, space=space, targets=targets, history=replace(history, properties=values), seed=SEED)
    assert len(new) == 1
    assert space.feasible(new).all()
    assert not pd.concat([history.candidates, new]).duplicated().any()


@pytest.mark.parametrize("optimizer", OPTIMIZERS.values(), ids=OPTIMIZERS)
def test_a_molecule_graph_is_searched_too(optimizer):
    history = known(GRAPH)
    new = optimizer.propose(1, space=GRAPH, targets=Targets(Maximize("f")), history=history, seed=SEED)
    GRAPH.encode(new)
    assert not pd.concat([history.candidates, new]).duplicated().any()
