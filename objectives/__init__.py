"""Objectives: sources of property values, one file each, behind one interface."""
