"""Surrogates, models learned from values: one interface, one file per model family."""
