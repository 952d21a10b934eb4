"""Temperatures as reciprocals: scaled to their bounds, and worth it where a property follows Arrhenius or Vogel."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from invdesign.core.columns import Column, Component
from invdesign.surrogates.features.featurizer import Featurizer
from invdesign.surrogates.features.settings import Features
from invdesign.surrogates.features.temperatures import VOGEL, is_temperature, reciprocal
from invdesign.surrogates.gaussian_process.surrogate import GaussianProcess
from invdesign.surrogates.transformed import Transformed

KELVIN = Column("T", "number", bounds=(200.0, 400.0), unit="K")
SOLVENTS = {"EC": "O=C1OCCO1", "DMC": "COC(=O)OC", "EMC": "CCOC(=O)OC"}
MIXTURE = Column(
    "e", "mixture", values=tuple(SOLVENTS), components=tuple(Component(n, "s", smiles=s) for n, s in SOLVENTS.items())
)


@pytest.mark.parametrize(("kind", "zero"), [("arrhenius", 0.0), ("vogel-fulcher-tammann", VOGEL * 200.0)])
def test_the_reciprocal_is_linear_in_that_of_the_law_and_runs_from_hot_to_cold(kind, zero):
    temperatures = np.array([400.0, 200.0, 300.0, 180.0])
    found = reciprocal(KELVIN, temperatures, kind)
    assert found[:2].tolist() == [0.0, 1.0]
    law = 1.0 / (temperatures - zero)
    np.testing.assert_allclose(found, (law - law[0]) / (law[1] - law[0]))


def test_units_do_not_matter():
    celsius = Column("T", "number", bounds=(-73.15, 126.85), unit="degC")
    for kind in ("arrhenius", "vogel-fulcher-tammann"):
        np.testing.assert_allclose(
            reciprocal(celsius, np.array([0.0, 50.0]), kind), reciprocal(KELVIN, np.array([273.15, 323.15]), kind)
        )


def test_far_below_the_bounds_the_reciprocal_stays_finite():
    found = reciprocal(KELVIN, np.array([140.0, 100.0, np.nan]), "vogel-fulcher-tammann")
    assert np.isfinite(found[:2]).all()
    assert found[0] == found[1] > 1.0
    assert np.isnan(found[2])


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        (KELVIN, True),
        (Column("T", "number", unit="degC"), True),
        (Column("T", "number", bounds=(0.0, 300.0), unit="K"), False),
        (Column("T", "number", bounds=(1.0, 2.0), unit="kelvin/s"), False),
        (Column("T", "number", bounds=(1.0, 2.0)), False),
        (Column("T", "category", values=("K", "L"), unit="K"), False),
    ],
)
def test_a_temperature_is_known_by_its_unit(column, expected):
    assert is_temperature(column) is expected


def test_the_feature_is_named_and_is_no_number_of_the_cube():
    columns = (KELVIN, Column("c", "number", bounds=(0.0, 2.0), unit="mol/l"))
    frame = pd.DataFrame({"T": [200.0, 400.0], "c": [1.0, 2.0]})
    featurizer = Featurizer(Features(temperatures="arrhenius")).fit(frame, columns)
    assert featurizer.names == ("T", "c")
    assert featurizer.transform(frame).tolist() == [[1.0, 0.5], [0.0, 1.0]]
    assert (featurizer.number_index("T"), featurizer.number_index("c")) == (None, 1)
    assert Featurizer().fit(frame, columns).number_index("T") == 0


def conductivities(n: int, rng: np.random.Generator) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Electrolytes of three solvents whose conductivity follows Vogel, Fulcher and Tammann, measured with 4 % noise."""
    shares = np.round(rng.dirichlet(np.ones(3), n), 3)
    shares[:, 2] = np.round(1.0 - shares[:, :2].sum(axis=1), 3)
    texts = [" + ".join(f"{x} {a:g}" for x, a in zip(SOLVENTS, row, strict=True) if a > 0) for row in shares]
    temperature = rng.uniform(213.0, 333.0, n)
    energy = shares @ np.array([900.0, 500.0, 650.0])
    values = 2.0e2 * np.exp(-energy / (temperature - 150.0) + 0.04 * rng.standard_normal(n))
    return pd.DataFrame({"e": texts, "T": temperature}), pd.DataFrame({"k": values})


def test_the_coldest_rows_are_extrapolated():
    """A logarithm and 1/(T - T0), both chosen by held-out error, against a temperature as it is."""
    frame, values = conductivities(160, np.random.default_rng(0))
    columns = (MIXTURE, Column("T", "number", bounds=(213.0, 333.0), unit="K"))
    cold = (frame["T"] < 240.0).to_numpy()
    errors = {}
    for name, process in (("chosen", GaussianProcess()), ("plain", GaussianProcess(features=Features()))):
        model = Transformed(surrogate=process).fit(frame[~cold], values[~cold], columns=columns)
        assert model.transforms() == {"k": "log"}
        off = np.log(model.predict(frame[cold])["k"].to_numpy() / values["k"][cold].to_numpy())
        errors[name] = float(np.sqrt(np.mean(off**2)))
    assert errors["chosen"] < 0.5 * errors["plain"]
