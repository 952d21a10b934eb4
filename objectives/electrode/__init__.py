"""Insertion electrodes by CHGNet or any ASE calculator: voltage, capacity, volume change."""
