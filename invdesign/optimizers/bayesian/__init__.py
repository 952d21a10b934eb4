"""Bayesian optimization towards targets."""
