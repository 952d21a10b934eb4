"""The report of a campaign: one self-contained HTML file, and tables for the command line.

Names are loaded when first used.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
