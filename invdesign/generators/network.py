"""The network behind the generator of molecules: a gated recurrent unit that reads a condition and writes symbols."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from invdesign.generators.vocabulary import END, START


@dataclass(frozen=True)
class Shape:
    """Sizes of a network.

    Attributes:
        symbols: number of symbols.
        condition: length of the condition's vector.
        width: hidden units.
        latent: length of the latent vector of an autoencoder; 0 for a language model.
    """

    symbols: int
    condition: int
    width: int
    latent: int = 0


class Writer(nn.Module):
    """Writes molecules symbol by symbol, given a vector: the wanted ranges, or a point of a latent space.

    Args:
        shape: sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        given = shape.latent or shape.condition
        embedded = max(16, shape.width // 4)
        self.embedding = nn.Embedding(shape.symbols, embedded)
        self.read = nn.Sequential(nn.Linear(given, embedded), nn.SiLU()) if given else None
        self.begin = nn.Linear(embedded, shape.width)
        self.memory = nn.GRU(embedded * 2, shape.width, batch_first=True)
        self.write = nn.Linear(shape.width, shape.symbols)

    def forward(self, codes: torch.Tensor, given: torch.Tensor) -> torch.Tensor:
        """Logits of the next symbol after each, shape ``n x length x symbols``.

        Args:
            codes: symbols so far, a start first, shape ``n x length``.
            given: vectors, shape ``n x condition`` (or ``latent``).
        """
        read = self._read(given)
        steps = torch.cat([self.embedding(codes), read[:, None].expand(-1, codes.shape[1], -1)], dim=2)
        hidden, _ = self.memory(steps, self.begin(read)[None])
        logits: torch.Tensor = self.write(hidden)
        return logits

    def sample(
        self,
        given: torch.Tensor,
        *,
        longest: int,
        temperature: float,
        generator: torch.Generator,
        prefix: torch.Tensor | None = None,
        emphasis: float = 0.0,
    ) -> torch.Tensor:
        """Codes of written molecules, shape ``n x longest``.

        Args:
            given: vectors, one for each molecule.
            longest: most symbols.
            temperature: 1 writes as learned; less writes what is more probable.
            generator: source of randomness, on the CPU.
            prefix: codes that molecules begin with, -1 where they are free, shape ``n x longest``.
            emphasis: by how much the vectors count more than they were learned to: the difference to the logits without
                any vector is added so many times (Ho and Salimans 2022, arXiv:2207.12598).
        """
        count = len(given)
        codes = torch.full((count, longest), END, dtype=torch.long)
        # With emphasis, everything is computed twice: with the vectors, and without.
        read = self._read(torch.cat([given, torch.zeros_like(given)]) if emphasis else given)
        times = len(read) // max(1, count)
        hidden = self.begin(read)[None]
        last = torch.full((count,), START, dtype=torch.long, device=given.device)
        going = torch.arange(count)
        for place in range(longest):
            step = torch.cat([self.embedding(last.repeat(times)), read], dim=1)[:, None]
            out, hidden = self.memory(step, hidden)
            logits = self.write(out[:, 0])
            if emphasis:
                with_, without = torch.log_softmax(logits, dim=1).chunk(2)
                logits = with_ + emphasis * (with_ - without)
            logits = logits / temperature
            logits[:, START] = -torch.inf
            drawn = torch.multinomial(torch.softmax(logits, dim=1).cpu(), 1, generator=generator)[:, 0]
            if prefix is not None:
                fixed = prefix[going, place]
                drawn = torch.where(fixed >= 0, fixed, drawn)
            codes[going, place] = drawn
            open_ = drawn != END
            if not open_.any():
                break
            kept = open_.to(given.device).repeat(times)
            going, last, hidden, read = going[open_], drawn[open_].to(given.device), hidden[:, kept], read[kept]
        return codes

    def _read(self, given: torch.Tensor) -> torch.Tensor:
        if self.read is None:
            return torch.zeros(len(given), self.begin.in_features, device=given.device)
        read: torch.Tensor = self.read(given)
        return read


class Autoencoder(nn.Module):
    """A variational autoencoder (Gomez-Bombarelli et al. 2018, doi:10.1021/acscentsci.7b00572): reader and writer.

    Args:
        shape: sizes.
    """

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.writer = Writer(shape)
        self.reader = nn.GRU(self.writer.embedding.embedding_dim, shape.width, batch_first=True, bidirectional=True)
        self.moments = nn.Linear(2 * shape.width, 2 * shape.latent)

    def encode(self, codes: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Mean and logarithm of the variance of each molecule's latent vector, both ``n x latent``."""
        lengths = (codes != END).sum(dim=1).clamp_min(1).cpu()
        packed = nn.utils.rnn.pack_padded_sequence(
            self.writer.embedding(codes), lengths, batch_first=True, enforce_sorted=False
        )
        _, last = self.reader(packed)
        mean, logarithm = self.moments(torch.cat([last[0], last[1]], dim=1)).chunk(2, dim=1)
        return mean, logarithm.clamp(-8.0, 2.0)


def with_start(codes: torch.Tensor) -> torch.Tensor:
    """Inputs of a writer that is to write codes: a start, then all but the last."""
    return torch.cat([torch.full_like(codes[:, :1], START), codes[:, :-1]], dim=1)


def writing_loss(logits: torch.Tensor, codes: torch.Tensor) -> torch.Tensor:
    """Negative log-likelihood of each molecule, its end included, in nats, shape ``n``."""
    each = functional.cross_entropy(logits.transpose(1, 2), codes, reduction="none")
    # Ends beyond the first fill up, and are not written.
    written = torch.cumsum((codes == END).long(), dim=1) <= 1
    return (each * written).sum(dim=1)
