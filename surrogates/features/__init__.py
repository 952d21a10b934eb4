"""Features of candidates: named numbers, computed from their columns."""
