"""Screening: a pool of any size goes block by block through an ordered funnel of steps, then is held to the targets."""
