"""Runs evaluations: in this process, in worker processes, or on any executor."""
