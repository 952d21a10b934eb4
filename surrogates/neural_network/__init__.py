"""Ensembles of small neural networks with predicted noise."""
