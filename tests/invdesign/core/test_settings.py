"""Settings are checked alike from Python and from mappings, in words that say what would be right."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import ValidationError

from invdesign.core.errors import InputError
from invdesign.core.plugins import settings_class
from invdesign.core.settings import (
    InputFile,
    OneOf,
    Real,
    bounded,
    descriptions,
    faults,
    file_setting_names,
    from_elsewhere,
    from_mapping,
    settings,
)


@settings
class Coating:
    """One layer."""

    thickness: float = bounded(gt=0, le=500)
    """Thickness in um."""
    binder: Annotated[str, OneOf("binder", ("PVDF", "CMC"))] = "PVDF"
    """The binder."""


@settings
class Cell:
    """A cell for tests."""

    layers: int = bounded(default=2, ge=1)
    """Number of layers."""
    model: Literal["SPM", "DFN"] = "SPM"
    """The model."""
    window: tuple[Real, Real] | None = None
    """Voltage limits in V."""
    coating: Coating | None = None
    """The coating."""
    others: tuple[Coating, ...] = ()
    """Further coatings."""
    double_sided: bool = True
    """Whether both sides are coated."""
    data: InputFile | None = None
    """A table."""
    lid: Coating | InputFile | None = None
    """One more layer, or a file that describes it."""
    columns: tuple[str, ...] = from_elsewhere(default=())
    """The space's columns."""

    def __post_init__(self) -> None:
        if self.window is not None and not self.window[0] < self.window[1]:
            raise InputError(f"The lower limit of 'window' comes first, not {self.window}.")


@settings
class PouchCell(Cell):
    """A cell with a tab."""

    tab_width: float = bounded(default=8.0, gt=0)
    """Width of the tab in mm."""


WRONG = [
    ({"layers": 0}, ("layers",), "'layers' must be at least 1, not 0."),
    ({"layers": 1.5}, ("layers",), "'layers' must be a whole number, not 1.5."),
    ({"layers": True}, ("layers",), "'layers' must be a whole number, not True."),
    ({"layers": "two"}, ("layers",), "'layers' must be a whole number, not 'two'."),
    ({"layer": 2}, ("layer",), "Unknown setting 'layer'. Did you mean 'layers'?"),
    (
        {"columns_": 2},
        ("columns_",),
        "Unknown setting 'columns_'. Known: 'coating', 'data', 'double_sided', 'layers', ",
    ),
    ({"model": "DFM"}, ("model",), "Unknown model 'DFM'. Did you mean 'DFN'?"),
    ({"window": [3.0]}, ("window", 1), "The setting 'window.1' is missing."),
    ({"window": [4.2, 2.5]}, (), "The lower limit of 'window' comes first, not (4.2, 2.5)."),
    ({"window": ["low", 4.2]}, ("window", 0), "'window.0' must be a number, not 'low'."),
    ({"window": [float("nan"), 4.2]}, ("window", 0), "'window.0' must be a finite number, not nan."),
    ({"coating": {"thickness": -1.0}}, ("coating", "thickness"), "'coating.thickness' must be above 0, not -1."),
    ({"coating": {"thicknes": 1.0}}, ("coating", "thicknes"), "Unknown setting 'thicknes'. Did you mean 'thickness'?"),
    (
        {"coating": {"thickness": 1.0, "binder": "CMX"}},
        ("coating", "binder"),
        "Unknown binder 'CMX'. Did you mean 'CMC'?",
    ),
    ({"others": [{"binder": "CMC"}]}, ("others", 0, "thickness"), "The setting 'others.0.thickness' is missing."),
    ({"coating": 3}, ("coating",), "'coating' must be a mapping"),
    ({"double_sided": "both"}, ("double_sided",), "'double_sided' must be true or false, not 'both'."),
    ({"data": 3}, ("data",), "'data' must be text or a path, not 3."),
    ({"lid": 3}, ("lid",), "'lid' must be a mapping or text or a path, not 3."),
    ({"lid": {"thickness": -1.0}}, ("lid", "thickness"), "'lid.thickness' must be above 0, not -1."),
    ({"lid": {"binder": "CMC"}}, ("lid", "thickness"), "The setting 'lid.thickness' is missing."),
]


@pytest.mark.parametrize(("given", "place", "message"), WRONG, ids=[str(given) for given, _, _ in WRONG])
def test_what_is_wrong_is_said_alike_from_python_and_from_a_mapping(given, place, message):
    with pytest.raises(InputError) as from_python:
        Cell(**given)
    with pytest.raises(ValidationError) as caught:
        from_mapping(Cell, given)
    found = faults(caught.value, Cell, given)
    assert message in str(from_python.value)
    assert any(message in fault.message for fault in found)
    assert any(fault.place in (place, place[:-1]) for fault in found)
    places = [fault.place for fault in found]
    assert not any(outer != inner and inner[: len(outer)] == outer for outer in places for inner in places)


def test_every_fault_is_named_at_once():
    with pytest.raises(InputError) as caught:
        Cell(layers=0, model="DFM", thickness=3)
    assert len(str(caught.value).splitlines()) == 3


def test_numbers_of_numpy_and_lists_are_taken():
    assert Cell(layers=np.int64(3), window=[2.5, np.float64(4.2)]) == Cell(layers=3, window=(2.5, 4.2))


def test_a_positional_argument_is_named_by_its_setting():
    with pytest.raises(InputError, match="'layers' must be at least 1, not 0"):
        Cell(0)


def test_settings_are_frozen_hashable_and_replaceable():
    cell = Cell(layers=3)
    with pytest.raises(AttributeError):
        cell.layers = 4
    assert replace(cell, layers=4) == Cell(layers=4)
    assert hash(cell) == hash(Cell(layers=3))
    with pytest.raises(InputError, match="'layers' must be at least 1"):
        replace(cell, layers=0)


def test_an_old_name_says_the_new_one():
    @settings
    class Forest:
        """Trees."""

        n_estimators: int = bounded(default=10, ge=1)
        """Number of trees."""

    with pytest.raises(InputError, match=r"Unknown setting 'trees'\. It is called 'n_estimators'"):
        Forest(trees=3)


def test_documentation_and_settings_are_inherited():
    assert descriptions(PouchCell)["layers"] == "Number of layers."
    assert descriptions(PouchCell)["tab_width"] == "Width of the tab in mm."
    assert PouchCell(layers=4, tab_width=9.0).layers == 4
    with pytest.raises(InputError, match="'layers' must be at least 1"):
        PouchCell(layers=0)


def test_what_comes_from_elsewhere_is_no_setting_of_a_file():
    assert "columns" not in file_setting_names(Cell)
    assert Cell(columns=("a",)).columns == ("a",)


def test_an_earlier_type_says_todays():
    with pytest.raises(InputError, match=r"Unknown objective type 'levels'\. It is called 'multi-fidelity'"):
        settings_class("objective", "levels")
