"""A straight line from low-fidelity values to known values, with its errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray


class LinearFit:
    """A straight line by least squares, with the standard deviation of a new value.

    Args:
        raw: low-fidelity values, at least one.
        known: the known values, in the same order.
    """

    def __init__(self, raw: NDArray[np.float64], known: NDArray[np.float64]) -> None:
        self._center = float(raw.mean())
        spread = raw - self._center
        self._squares = max(float(spread @ spread), 1e-12)
        self.slope = float(spread @ known) / self._squares
        self.intercept = float(known.mean()) - self.slope * self._center
        self._count = len(raw)
        self.residuals = known - self.slope * raw - self.intercept
        self._noise = float(np.sqrt(self.residuals @ self.residuals / max(1, self._count - 2)))
        self._leverage = self._leverages(raw)

    def left_out(self) -> NDArray[np.float64]:
        """Leave-one-out error of each known value: the residual divided by one minus its leverage."""
        return self.residuals / np.maximum(1.0 - self._leverage, 1e-9)

    def predict(self, raw: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Values on the line and the standard deviations of new ones."""
        return self.slope * raw + self.intercept, self._noise * np.sqrt(1.0 + self._leverages(raw))

    def _leverages(self, raw: NDArray[np.float64]) -> NDArray[np.float64]:
        return 1.0 / self._count + (raw - self._center) ** 2 / self._squares
