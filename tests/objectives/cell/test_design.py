"""What follows from the numbers that a design gives."""

from __future__ import annotations

import numpy as np
import pytest

pytest.importorskip("pybamm")

from invdesign.objectives.cell.design import Cell

PORES, ACTIVE = "Negative electrode porosity", "Negative electrode active material volume fraction"


@pytest.mark.parametrize(
    ("parameter_set", "porosity", "active"),
    [
        ("Chen2020", 0.40, 0.60),  # published: 25 % pores, 75 % active, so no binder and carbon
        ("Marquis2019", 0.40, 0.50),  # published: 30 % pores, 60 % active, so 10 % binder and carbon
    ],
)
def test_binder_and_carbon_keep_their_share_where_only_the_porosity_is_given(parameter_set, porosity, active):
    cell = Cell(parameter_set, {}, voltage_window=None, temperature=None)
    reasons: list[str | None] = [None]
    design = cell.design({PORES: np.array([porosity])}, reasons)
    assert design[ACTIVE] == pytest.approx([active])
    assert reasons == [None]


def test_currents_and_concentrations_start_a_protocol_at_its_own_end():
    cell = Cell("Chen2020", {}, voltage_window=None, temperature=None)
    design = cell.design({}, [None])
    balance = cell.solve(design)
    discharge = cell.protocol(design, balance, "discharge", 0.5)
    charge = cell.protocol(design, balance, "charge", 2.0)
    capacity = float(balance.reversible[0]) * 0.065 * 1.58  # Ah; electrode height and width, Chen et al. 2020
    assert discharge["Current function [A]"] == pytest.approx([0.5 * capacity])
    assert charge["Current function [A]"] == pytest.approx([-2.0 * capacity])
    concentration = "Initial concentration in negative electrode [mol.m-3]"
    assert discharge[concentration] == pytest.approx(33133.0 * balance.x_100)
    assert charge[concentration] == pytest.approx(33133.0 * balance.x_0)
