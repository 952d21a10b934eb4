"""Oxidation and reduction potentials of molecules by GFN2-xTB."""
