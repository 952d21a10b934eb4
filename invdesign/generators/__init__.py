"""Generators: models that learn which candidates have which properties, and sample candidates from wanted ranges.

Names are loaded when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
