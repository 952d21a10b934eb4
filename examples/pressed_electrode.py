"""The geometry of a pressed positive electrode, for porous-electrode.yaml: what the cell is simulated with."""

from __future__ import annotations

POROSITY_AS_COATED = 0.50
ACTIVE_HEIGHT_UM = 50.3  # active material per area, as a dense layer: the published LG M50 electrode (Chen et al. 2020)
CARBON_S_PER_M = 100.0  # conductivity of a layer of pure carbon black, which enters to the power 1.5 (Bruggeman)


def electrode(active_share: float, carbon_share: float, compaction: float, **others: float) -> dict[str, float]:
    """Volume fractions, thickness and conductivity at a constant amount of active material per area.

    Args:
        active_share: volume share of active material in the solid; the rest is binder and carbon.
        carbon_share: volume share of carbon in binder and carbon.
        compaction: relative loss of the coating's thickness in the press, in which only pores close.
        others: parameters on which the geometry does not depend.

    Returns:
        ``porosity`` and ``active_fraction`` of the pressed coating, ``thickness`` in um and electronic
        ``conductivity`` in S/m.
    """
    solid = (1.0 - POROSITY_AS_COATED) / (1.0 - compaction)
    active = solid * active_share
    carbon = solid * (1.0 - active_share) * carbon_share
    return {
        "porosity": 1.0 - solid,
        "active_fraction": active,
        "thickness": ACTIVE_HEIGHT_UM / active,
        "conductivity": CARBON_S_PER_M * carbon**1.5,
    }
