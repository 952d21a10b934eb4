"""A lithium-ion cell simulated by PyBaMM: design parameters in, energy, rate and safety out."""
