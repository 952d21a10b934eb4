from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column, Component
from invdesign.core.errors import InputError
from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.fingerprints import count_fingerprints
from invdesign.surrogates.features.mixture_text import mixture_amounts, mixture_key
from invdesign.surrogates.features.mixtures import MixtureFeatures, compared, role_properties
from invdesign.surrogates.forests import RandomForest
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess

SOLVENTS = {"EC": "O=C1OCCO1", "DMC": "COC(=O)OC", "EMC": "CCOC(=O)OC", "EA": "CCOC(C)=O"}
COMPONENTS = (
    *(Component(name, "solvent", smiles=smiles) for name, smiles in SOLVENTS.items()),
    Component("LiPF6", "salt", unit="mol/kg", largest=2.0),
    Component("Super P 65", "filler"),
)
COLUMNS = (
    Column("e", "mixture", values=tuple(one.name for one in COMPONENTS), components=COMPONENTS),
    Column("t", "number", bounds=(250.0, 330.0)),
)


def test_features_do_not_depend_on_the_order_and_are_weighted_moments():
    features = MixtureFeatures(COMPONENTS)
    one, other = features.transform(["EC 0.25 + DMC 0.75 | LiPF6 1 mol/kg", "LiPF6 1.0 | DMC 0.75 + EC 0.25"])
    assert one.tolist() == other.tolist()
    names = [name for _, block in features.blocks for name in block]
    values = dict(zip(names, one, strict=True))
    assert (values["amount_EC"], values["amount_LiPF6"], values["total_salt"]) == (0.25, 0.5, 0.5)
    properties = role_properties(COMPONENTS[:4])
    mean = 0.25 * properties[0] + 0.75 * properties[1]
    spread = np.sqrt(0.25 * 0.75) * np.abs(properties[0] - properties[1])
    for place in range(properties.shape[1]):
        assert values[f"mean_solvent_{place + 1}"] == pytest.approx(mean[place])
        assert values[f"spread_solvent_{place + 1}"] == pytest.approx(spread[place], abs=1e-9)


def test_the_product_of_fingerprint_features_is_the_set_kernel():
    """The sum of the MinMax kernel over all pairs of components, weighted by their shares."""
    features = MixtureFeatures(COMPONENTS[:4], "both")
    places = [number for number, name in enumerate(names_of(features)) if name.startswith("fingerprint_solvent")]
    shares = np.array([[0.25, 0.75, 0.0, 0.0], [0.0, 0.2, 0.5, 0.3]])
    points = features.transform(["EC 0.25 + DMC 0.75", "DMC 0.2 + EMC 0.5 + EA 0.3"])[:, places]
    counts = count_fingerprints(list(SOLVENTS.values())).astype(float)
    alike = np.array([[np.minimum(a, b).sum() / np.maximum(a, b).sum() for b in counts] for a in counts])
    np.testing.assert_allclose(points @ points.T, shares @ alike @ shares.T, atol=1e-6)


def test_names_and_single_molecules_have_no_fingerprints():
    assert compared(COMPONENTS)
    assert not compared(COMPONENTS[4:])
    assert not compared(COMPONENTS[:1])
    assert names_of(MixtureFeatures(COMPONENTS[4:], "both")) == names_of(MixtureFeatures(COMPONENTS[4:]))


def names_of(features):
    return [name for _, block in features.blocks for name in block]


def test_names_with_spaces_and_numbers_are_read():
    amounts = mixture_amounts(["Super P 65 0.5 + EC 0.5"], {one.name: one.unit for one in COMPONENTS})
    assert amounts.tolist() == [[0.5, 0, 0, 0, 0, 0.5]]


def test_keys_of_equal_mixtures_are_equal():
    assert mixture_key("EC 0.30 + DMC 0.7 | LiPF6 1.0 mol/kg") == mixture_key("LiPF6 1 mol/kg | DMC 0.7 + EC 0.3")


def test_an_unknown_component_is_named():
    with pytest.raises(InputError, match="unknown component 'DCM'"):
        MixtureFeatures(COMPONENTS).transform(["DCM 1"])


@pytest.mark.parametrize("surrogate", [GaussianProcess(), RandomForest()], ids=lambda one: type(one).__name__)
def test_surrogates_learn_a_mixture_beside_a_temperature(surrogate):
    rng = np.random.default_rng(0)
    shares = np.round(rng.dirichlet(np.ones(4), 150), 3)
    shares[:, 3] = np.round(1 - shares[:, :3].sum(axis=1), 3)
    texts = [" + ".join(f"{name} {x:.3f}" for name, x in zip(SOLVENTS, row, strict=True) if x > 0) for row in shares]
    salt = rng.uniform(0.5, 2.0, 150).round(2)
    frame = pd.DataFrame(
        {
            "e": [f"{text} | LiPF6 {m} mol/kg" for text, m in zip(texts, salt, strict=True)],
            "t": rng.uniform(250, 330, 150),
        }
    )
    y = pd.DataFrame({"k": 3 * shares[:, 0] * salt + 0.02 * (frame["t"] - 250) - (salt - 1.2) ** 2})
    surrogate.fit(frame[:110], y[:110], columns=COLUMNS)
    error = (surrogate.predict(frame[110:])["k"] - y["k"][110:]).abs().mean()
    assert error < {"GaussianProcess": 0.08, "RandomForest": 0.35}[type(surrogate).__name__]


def test_the_names_of_all_features_say_where_they_come_from():
    frame = pd.DataFrame({"e": ["EC 1 | LiPF6 1 mol/kg", "DMC 1 | LiPF6 1 mol/kg"], "t": [260.0, 270.0]})
    featurizer = Featurizer().fit(frame, COLUMNS)
    assert len(featurizer.names) == featurizer.transform(frame).shape[1] == len(set(featurizer.names))
    assert set(featurizer.citations) == set(featurizer.names)
