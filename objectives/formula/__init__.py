"""Properties that follow from a formula alone: capacity, molar mass, cost, supply."""
