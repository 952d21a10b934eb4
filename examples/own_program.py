"""The program of own-program.yaml: an electrode's capacity and the resistance of its pores, by hand.

python own_program.py candidate.json results.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

ACTIVE_SHARE = 0.95
"""Of the solid's volume."""
ACTIVE_CAPACITY = 180.0 * 4.75
"""mAh/cm3 of a nickel-rich oxide: 180 mAh/g at 4.75 g/cm3."""
CONDUCTIVITY = 0.01
"""S/cm of a carbonate electrolyte."""


def main() -> None:
    """Reads a candidate and writes its properties."""
    candidate = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    thickness = candidate["thickness"] * 1e-4  # um to cm
    porosity = candidate["porosity"]
    results = {
        "areal_capacity": thickness * (1.0 - porosity) * ACTIVE_SHARE * ACTIVE_CAPACITY,
        # Bruggeman: the pores conduct as porosity to the power 1.5; a third of the thickness counts on average.
        "resistance": thickness / (3.0 * CONDUCTIVITY * porosity**1.5),
    }
    Path(sys.argv[2]).write_text(json.dumps(results), encoding="utf-8")


if __name__ == "__main__":
    main()
