"""What a model sees of a candidate: named numbers, built from its columns."""
