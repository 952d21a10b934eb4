"""Lithium-ion cells simulated by PyBaMM: energy, rate capability and plating from design parameters."""
