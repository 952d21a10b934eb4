"""The campaign: proposes candidates, has them evaluated and stores every result.

Names are loaded when first used: a worker process needs ``execution`` alone, and starts in a third of the time.
"""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
