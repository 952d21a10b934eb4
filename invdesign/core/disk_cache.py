"""Where what is dear to compute is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """The folder that ``INVDESIGN_CACHE`` names, or one in the user's own cache; made where it is not there."""
    folder = Path(os.environ.get("INVDESIGN_CACHE", Path.home() / ".cache" / "invdesign"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder
