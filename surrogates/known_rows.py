"""The rows that a surrogate was fitted to, which it is fitted to again where further values come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import pandas as pd

from invdesign.core.columns import Column
from invdesign.surrogates.checks import joined_noise, known_noise

if TYPE_CHECKING:
    from numpy.typing import NDArray


@dataclass(frozen=True)
class KnownRows:
    """Candidates, their values and the known noise, as arrays by column: a saved surrogate holds nothing of pandas.

    Attributes:
        candidates: by column.
        y: values by property.
        noise_std: known noise by property; None if none is known.
        columns: what the columns of the candidates are; None if they are guessed.
    """

    candidates: Mapping[str, NDArray[Any]]
    y: Mapping[str, NDArray[Any]]
    noise_std: Mapping[str, NDArray[Any]] | None
    columns: tuple[Column, ...] | None

    @classmethod
    def of(
        cls, frame: pd.DataFrame, y: pd.DataFrame, columns: Sequence[Column] | None, noise_std: pd.DataFrame | None
    ) -> Self:
        """The rows of frames of equal length."""
        noise = None if noise_std is None else _arrays(noise_std)
        return cls(_arrays(frame), _arrays(y), noise, None if columns is None else tuple(columns))

    @property
    def values(self) -> pd.DataFrame:
        """The values, one column a property."""
        return pd.DataFrame(dict(self.y))

    def with_more(self, frame: pd.DataFrame, y: pd.DataFrame, noise_std: pd.DataFrame | None) -> Self:
        """These rows and further ones below them."""
        before = None if self.noise_std is None else pd.DataFrame(dict(self.noise_std))
        return type(self).of(
            pd.concat([pd.DataFrame(dict(self.candidates)), frame], ignore_index=True),
            pd.concat([self.values, y], ignore_index=True),
            self.columns,
            joined_noise((before, self.values), (known_noise(noise_std, y), y)),
        )

    def arguments(self) -> dict[str, Any]:
        """What ``fit`` takes."""
        noise = None if self.noise_std is None else pd.DataFrame(dict(self.noise_std))
        frames = {"frame": pd.DataFrame(dict(self.candidates)), "y": self.values}
        return {**frames, "columns": self.columns, "noise_std": noise}


def _arrays(frame: pd.DataFrame) -> dict[str, NDArray[Any]]:
    return {str(name): frame[name].to_numpy() for name in frame}
