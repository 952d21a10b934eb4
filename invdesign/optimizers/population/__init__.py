"""Genetic and particle-swarm optimization."""
