"""Inverse design of battery materials: from targets to formulas, molecules, processes and cells.

Everything a user needs is a name of this package, listed once in ``__init__.pyi``; each is loaded when first used, so
that importing the package is quick.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
