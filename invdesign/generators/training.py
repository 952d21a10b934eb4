"""Trains a network in epochs, with held-out rows, checkpoints and an exact continuation after an interruption."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from invdesign.core.errors import InputError
from invdesign.core.threads import single_thread

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import nn

HELD_OUT = 0.05
"""Share of the rows on which an epoch is judged."""
CLIP = 1.0
"""Largest norm of a gradient."""
POOL = 40
"""Batches whose rows are sorted by length together, so that little is filled up."""

Loss = Callable[["nn.Module", "NDArray[np.int64]", np.random.Generator], torch.Tensor]
"""The loss of some rows, one number a row; the generator draws what the loss needs."""


@dataclass(frozen=True)
class Schedule:
    """How a network is trained.

    Attributes:
        epochs: most passes over the rows.
        batch: rows of a step.
        learning_rate: of Adam (Kingma and Ba 2015, arXiv:1412.6980) at the start; it falls to zero along a cosine.
        patience: epochs without a better held-out loss after which training ends.
        seed: of the network's first weights, the batches and all else that is drawn.
    """

    epochs: int
    batch: int
    learning_rate: float
    patience: int
    seed: int


@dataclass(frozen=True)
class Epoch:
    """One point of the learning curve.

    Attributes:
        number: from 1.
        training: mean loss of the rows that were learned from, in nats a molecule.
        held_out: mean loss of the other rows.
    """

    number: int
    training: float
    held_out: float


def split(rows: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rows to learn from, and rows to hold out: ``HELD_OUT`` of them, at least one."""
    order = np.random.default_rng([seed, 1]).permutation(rows)
    count = max(1, round(HELD_OUT * rows))
    return np.sort(order[count:]), np.sort(order[:count])


def trained(
    network: nn.Module,
    loss: Loss,
    lengths: NDArray[np.int64],
    schedule: Schedule,
    *,
    checkpoint: Path | None = None,
    digest: str = "",
    on_epoch: Callable[[Epoch], None] | None = None,
) -> tuple[Epoch, ...]:
    """Trains a network in place; it ends with the weights of its best held-out loss.

    Args:
        network: with the weights to start from.
        loss: of rows.
        lengths: of each row, to batch rows of similar length; shape ``n``.
        schedule: how.
        checkpoint: a file that is written after each epoch, and continued from if it exists.
        digest: of data and settings; a checkpoint of another one is refused.
        on_epoch: called after each epoch.

    Returns:
        The learning curve.

    Raises:
        InputError: if the checkpoint is of other data or settings, or cannot be used.
    """
    learned, held = split(len(lengths), schedule.seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=schedule.learning_rate)
    best = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
    curve: list[Epoch] = []
    if checkpoint is not None and checkpoint.exists():
        curve, best = _restored(checkpoint, digest, network, optimizer)
    with single_thread():
        while len(curve) < schedule.epochs and not _ended(curve, schedule.patience):
            number = len(curve) + 1
            rng = np.random.default_rng([schedule.seed, 2, number])
            torch.manual_seed(int(rng.integers(2**31)))
            network.train()
            total = 0.0
            batches = list(_batches(learned, lengths, schedule.batch, rng))
            for place, rows in enumerate(batches):
                share = (number - 1 + place / len(batches)) / schedule.epochs
                for group in optimizer.param_groups:
                    group["lr"] = schedule.learning_rate * 0.5 * (1.0 + np.cos(np.pi * share))
                optimizer.zero_grad()
                each = loss(network, rows, rng)
                torch.autograd.backward(each.mean())
                torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
                optimizer.step()
                total += float(each.detach().sum())
            network.eval()
            with torch.no_grad():
                found = [
                    loss(network, rows, np.random.default_rng([schedule.seed, 3, place]))
                    for place, rows in enumerate(np.array_split(held, -(-len(held) // schedule.batch)))
                ]
            epoch = Epoch(number, total / len(learned), float(torch.cat(found).mean()))
            if not curve or epoch.held_out < min(one.held_out for one in curve):
                best = {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}
            curve.append(epoch)
            if checkpoint is not None:
                _stored(checkpoint, digest=digest, network=network, optimizer=optimizer, curve=curve, best=best)
            if on_epoch is not None:
                on_epoch(epoch)
    network.load_state_dict(best)
    network.eval()
    return tuple(curve)


def _ended(curve: list[Epoch], patience: int) -> bool:
    losses = [one.held_out for one in curve]
    return bool(losses) and len(losses) - 1 - int(np.argmin(losses)) >= patience


def _batches(
    rows: NDArray[np.int64], lengths: NDArray[np.int64], size: int, rng: np.random.Generator
) -> Iterator[NDArray[np.int64]]:
    order = rng.permutation(rows)
    parts: list[NDArray[np.int64]] = []
    for start in range(0, len(order), POOL * size):
        pool = order[start : start + POOL * size]
        pool = pool[np.argsort(lengths[pool], kind="stable")]
        parts += [pool[place : place + size] for place in range(0, len(pool), size)]
    for place in rng.permutation(len(parts)):
        yield parts[place]


def _stored(
    place: Path,
    *,
    digest: str,
    network: nn.Module,
    optimizer: torch.optim.Adam,
    curve: list[Epoch],
    best: Mapping[str, torch.Tensor],
) -> None:
    tensors = {f"now.{name}": tensor for name, tensor in network.state_dict().items()}
    tensors |= {f"best.{name}": tensor for name, tensor in best.items()}
    for number, state in optimizer.state_dict()["state"].items():
        tensors |= {f"adam.{number}.{name}": torch.as_tensor(value) for name, value in state.items()}
    write_tensors(place, tensors, {"digest": digest, "curve": [asdict(one) for one in curve]})


def _restored(
    place: Path, digest: str, network: nn.Module, optimizer: torch.optim.Adam
) -> tuple[list[Epoch], dict[str, torch.Tensor]]:
    tensors, about = read_tensors(place)
    if about.get("digest") != digest:
        raise InputError(f"'{place}' is a checkpoint of other data or settings. Use another file, or delete it.")
    try:
        curve = [Epoch(**one) for one in about["curve"]]
        network.load_state_dict({name[4:]: tensor for name, tensor in tensors.items() if name.startswith("now.")})
        state: dict[int, dict[str, torch.Tensor]] = {}
        for name, tensor in tensors.items():
            if name.startswith("adam."):
                _, number, key = name.split(".", 2)
                state.setdefault(int(number), {})[key] = tensor
        optimizer.load_state_dict({**optimizer.state_dict(), "state": state})
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise InputError(f"The checkpoint '{place}' is damaged: {error}. Delete it to train anew.") from None
    return curve, {name[5:]: tensor for name, tensor in tensors.items() if name.startswith("best.")}


def write_tensors(place: Path, tensors: Mapping[str, torch.Tensor], about: Mapping[str, Any]) -> None:
    """Writes tensors and what JSON can hold about them to one safetensors file; an old one is replaced at once."""
    from safetensors.torch import save

    blank = place.with_name(f".{place.name}.part")
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    blank.write_bytes(save(plain, metadata={"invdesign": json.dumps(about)}))
    blank.replace(place)


def read_tensors(place: Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """Reads what ``write_tensors`` wrote.

    Raises:
        InputError: if the file is missing, damaged, or was not written by invdesign.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(str(place), framework="pt") as file:
            about = json.loads((file.metadata() or {})["invdesign"])
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - the file is not a mapping
    except FileNotFoundError:
        raise InputError(f"The file '{place}' does not exist.") from None
    except (SafetensorError, OSError, KeyError, ValueError, RecursionError) as error:
        raise InputError(f"'{place}' is not a file of a generator, or is damaged: {error}.") from None
    if not isinstance(about, dict):
        raise InputError(f"'{place}' is not a file of a generator.")
    return tensors, about
