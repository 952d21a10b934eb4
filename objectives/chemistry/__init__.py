"""Properties that follow from a molecule's graph alone: mass, polarity, synthetic accessibility, alerts, similarity."""
