"""Ensembles of graph networks over molecules (chemprop)."""
