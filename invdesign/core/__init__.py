"""Shared by all subpackages: errors, columns, units, settings, the disk cache. Imports nothing from the others."""
