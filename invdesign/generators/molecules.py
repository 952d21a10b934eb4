"""A generator of molecules: trained on molecules and their properties, it samples molecules for wanted ranges."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
import pandas as pd

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.plugins import ByWord
from invdesign.core.settings import STATE, bounded, settings
from invdesign.generators.conditions import Conditions, ranges_of
from invdesign.generators.vocabulary import END, Vocabulary, checked_symbols, written
from invdesign.generators.weights import drawn_by_weight
from invdesign.objectives.base import STD_SUFFIX
from invdesign.space.molecules.rules import MoleculeRules, constitution
from invdesign.surrogates.base import Surrogate
from invdesign.surrogates.features.chemists_scores import common_alerts
from invdesign.targets import Targets

if TYPE_CHECKING:
    import torch
    from numpy.typing import NDArray

    from invdesign.generators.training import Epoch

MOLECULE = "molecule"
"""Name of the column of molecules."""
BLOCK = 512
"""Molecules that are written at once."""
MOST_BLOCKS = 400
MOST_IN_VAIN = 10
"""Blocks, and blocks in a row without a new molecule, after which sampling ends with fewer molecules than asked."""
MOST_LOOKED_AT = 1000
"""Molecules in which structural alerts are counted."""
LEARNED_RULES = ("elements", "max_atoms", "max_rings")
FEWEST = 20
"""Fewest molecules to learn from."""


@dataclass(frozen=True)
class Learned:
    """What a generator has learned.

    Attributes:
        network: the trained network.
        vocabulary: its symbols.
        conditions: its properties.
        molecules: constitutions of the molecules that it learned from, one row each.
        properties: their known values, same rows; NaN where unknown.
        longest: most symbols of a molecule.
        curve: the learning curve.
        rules: that allow what the molecules have.
        guide: a surrogate of the properties, fitted to the same rows; None if there is none.
    """

    network: Any
    vocabulary: Vocabulary
    conditions: Conditions
    molecules: tuple[str, ...]
    properties: pd.DataFrame
    longest: int
    curve: tuple[Epoch, ...]
    rules: MoleculeRules
    guide: Surrogate | None


@settings(frozen=False, kw_only=True, eq=False)
class MoleculeGenerator:
    """Learns to write molecules, and writes new ones whose properties lie in wanted ranges.

    Molecules are SELFIES, so that everything written is a molecule; what the rules refuse, what is not new and what was
    written before never leaves the generator. Stereochemistry is left out.

    Where a guide is set, it predicts the properties of ``oversample`` times as many molecules, from which those that
    are returned are drawn in proportion to their probability of meeting the targets: Bayes' rule with the network as
    prior.

    Example:
        >>> generator = MoleculeGenerator(epochs=10).fit(frame["SMILES"], frame[["reduction_potential"]])
        >>> generator.sample(100, Targets(AtMost("reduction_potential", -3.0, unit="V")), seed=1)

    Raises:
        InputError: if a setting is out of its range.
    """

    model: Literal["language", "autoencoder"] = "language"
    """A language model that reads the wanted ranges, or a variational autoencoder with Bayes' rule in its latent
    space."""
    width: int = bounded(default=256, ge=8)
    """Hidden units of the network."""
    epochs: int = bounded(default=12, ge=1)
    """Most passes over the molecules; with a language, first over all, then over those with properties."""
    batch: int = bounded(default=128, ge=1)
    """Molecules of a training step."""
    learning_rate: float = bounded(default=2e-3, gt=0)
    """Learning rate of Adam at the start; it falls to zero along a cosine."""
    patience: int = bounded(default=3, ge=1)
    """Epochs without a better loss on held-out molecules after which training ends."""
    guide: Annotated[Surrogate | None, ByWord("surrogate")] = None
    """A surrogate of the properties, fitted to the same molecules; None for the network alone."""
    oversample: int = bounded(default=5, ge=1)
    """Molecules that a guide chooses each from."""
    emphasis: float = bounded(default=1.0, ge=0)
    """By how much a language model heeds wanted ranges more than it learned to: more molecules meet them, less diverse
    ones (Ho and Salimans 2022, arXiv:2207.12598)."""
    temperature: float = bounded(default=1.0, gt=0)
    """1 writes molecules as they were learned; less writes the more probable ones."""
    rules: MoleculeRules | None = None
    """Rules for molecules. None allows the elements, and up to the atoms and rings, of the molecules that it learned
    from, structural alerts that a tenth of these carry, and nothing that breaks a structural rule."""
    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where the network is trained: a GPU if there is one, the processor, or the GPU."""
    seed: int = bounded(default=0, ge=0)
    """Seed of the training."""
    _learned: Annotated[Learned | None, STATE] = field(init=False, repr=False, default=None)

    def fit(
        self,
        molecules: Sequence[str] | pd.Series,
        properties: pd.DataFrame | None = None,
        *,
        language: Sequence[str] = (),
        checkpoint: str | Path | None = None,
        on_epoch: Callable[[Epoch], None] | None = None,
    ) -> MoleculeGenerator:
        """Learns from molecules and their properties.

        Args:
            molecules: SMILES, one row each.
            properties: known values, one row a molecule, NaN where unknown; None to learn the molecules alone.
            language: further SMILES without properties, from which only the language is learned.
            checkpoint: a file that is written after each epoch; if it exists, training continues from there exactly.
            on_epoch: called after each epoch with its losses.

        Raises:
            InputError: naming the row, if a molecule cannot be read or written as SELFIES; if there are too few.
        """
        from invdesign.generators.training import Schedule, trained

        rows, symbols = _read(molecules, language)
        labelled = len(rows) - len(language)
        known = pd.DataFrame(index=range(labelled)) if properties is None else properties.reset_index(drop=True)
        if len(known) != labelled:
            raise InputError(f"There are {labelled} molecules, but {len(known)} rows of properties.")
        digest = self.digest(rows[:labelled], known, rows[labelled:])
        known = known.astype(float).reindex(range(len(rows)))
        vocabulary, conditions = Vocabulary.of(symbols), Conditions.of(known)
        codes = vocabulary.codes(symbols)
        data = _rows(codes, known, conditions)
        network_seed(self.seed)
        model = self._model(len(vocabulary.symbols), conditions)
        network = model.network().to(self._device())
        where = next(network.parameters()).device
        lengths = (codes != END).sum(axis=1) + 1
        schedule = Schedule(self.epochs, self.batch, self.learning_rate, self.patience, self.seed)
        place = None if checkpoint is None else Path(checkpoint)
        curve: tuple[Epoch, ...] = ()
        parts = [len(rows), labelled] if language else [labelled]
        for stage, part in enumerate(parts):

            def loss(current: Any, chosen: NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor:
                block = codes[chosen, : int(lengths[chosen].max())]
                return model.loss(current, _tensor(block, where), data, chosen, rng)

            curve += trained(
                network,
                loss,
                lengths[:part],
                schedule,
                checkpoint=place if place is None or not stage else place.with_name(f"{place.name}.{stage}"),
                digest=f"{digest}.{stage}",
                on_epoch=on_epoch,
            )
        self._learned = Learned(
            network.cpu(),
            vocabulary,
            conditions,
            rows,
            known,
            codes.shape[1],
            curve,
            _allowed(rows),
            self._fitted_guide(rows, known),
        )
        return self

    @property
    def learning_curve(self) -> pd.DataFrame:
        """Losses of each epoch, in nats a molecule, on the molecules learned from and on held-out ones.

        Raises:
            InputError: if the generator is not fitted.
        """
        return pd.DataFrame([asdict(epoch) for epoch in self._fitted().curve])

    @property
    def molecules(self) -> tuple[str, ...]:
        """Constitutions of the molecules that it learned from.

        Raises:
            InputError: if the generator is not fitted.
        """
        return self._fitted().molecules

    @property
    def properties(self) -> tuple[str, ...]:
        """Names of the properties that it learned.

        Raises:
            InputError: if the generator is not fitted.
        """
        return tuple(self._fitted().conditions.quantiles)

    def sample(
        self,
        n: int,
        targets: Targets | None = None,
        *,
        seed: int | np.random.SeedSequence | np.random.Generator = 0,
        seeds: Sequence[str] = (),
        known: Sequence[str] | None = None,
    ) -> pd.DataFrame:
        """Samples new molecules, different from each other.

        Args:
            n: how many.
            targets: wanted ranges, in the units of the learned properties; none for any molecule like the learned
                ones. A property to maximize or minimize asks for the best 5 % of its known values.
            seed: the same seed gives the same molecules.
            seeds: molecules to stay near: each written molecule starts as one of them does.
            known: molecules that are not new; those that the generator learned from if None.

        Returns:
            One row a molecule in the column ``molecule``; with a guide also the mean and standard deviation
            (``<property>_std``) that it predicts and the ``probability`` of meeting all targets. Fewer rows than ``n``
            if the generator finds no more in a reasonable time.

        Raises:
            InputError: if the generator is not fitted, a property was not learned, or a seed cannot be written.
        """
        learned = self._fitted()
        targets = None if targets is None else ranges_of(targets, learned.properties)
        rng = np.random.default_rng(seed)
        wanted = n if learned.guide is None or targets is None else n * self.oversample
        stream = self._written(targets, seeds, rng, set(learned.molecules if known is None else known))
        found = pd.DataFrame({MOLECULE: [smiles for smiles, _ in zip(stream, range(wanted), strict=False)]})
        if learned.guide is None or targets is None or found.empty:
            return found
        mean, std = learned.guide.predict(found, return_std=True)
        logarithm = np.asarray(targets.log_probability(mean, std))
        chosen = drawn_by_weight(logarithm, n, rng)
        found = pd.concat([found, mean, std.add_suffix(STD_SUFFIX)], axis=1).assign(probability=np.exp(logarithm))
        return found.iloc[chosen].reset_index(drop=True)

    def tuned(
        self, molecules: Sequence[str], properties: pd.DataFrame, *, epochs: int = 3, seed: int = 0
    ) -> MoleculeGenerator:
        """A copy that has also learned from further molecules, such as the hits of a search.

        They are mixed with at least 200 of the old ones, drawn at random, so that the language is not forgotten, and
        repeated until both are about as many.

        Args:
            molecules: SMILES; those that the vocabulary cannot write are left out.
            properties: known values, one row a molecule.
            epochs: passes over them.
            seed: of the training.

        Raises:
            InputError: if the generator is not fitted.
        """
        from copy import deepcopy

        from invdesign.generators.training import Schedule, trained

        learned = self._fitted()
        kept, symbols = [], []
        for row, smiles in enumerate(molecules):
            plain = constitution(smiles)
            found = written(plain) if plain else None
            if found and learned.vocabulary.knows(found) and len(found) < learned.longest:
                kept.append(row)
                symbols.append(found)
        if not kept:
            return self._with(learned)
        new = properties.iloc[kept].reindex(columns=learned.properties.columns).astype(float).reset_index(drop=True)
        rng = np.random.default_rng([seed, 4])
        old = rng.choice(len(learned.molecules), min(len(learned.molecules), max(200, len(kept))), replace=False)
        repeats = max(1, len(old) // len(kept))
        old_symbols = [written(learned.molecules[row]) or () for row in old]
        codes = learned.vocabulary.codes([*symbols * repeats, *old_symbols])
        values = pd.concat([*[new] * repeats, learned.properties.iloc[old]], ignore_index=True)
        data = _rows(codes, values, learned.conditions)
        model = self._model(len(learned.vocabulary.symbols), learned.conditions)
        network = deepcopy(learned.network)
        lengths = (codes != END).sum(axis=1) + 1

        def loss(current: Any, chosen: NDArray[np.int64], rng: np.random.Generator) -> torch.Tensor:
            return model.loss(current, _tensor(codes[chosen, : int(lengths[chosen].max())]), data, chosen, rng)

        schedule = Schedule(epochs, min(32, len(codes)), 0.25 * self.learning_rate, epochs, seed)
        trained(network, loss, lengths, schedule)
        return self._with(replace(learned, network=network))

    def save(self, place: str | Path) -> None:
        """Writes the generator to one safetensors file; what it learned from is stored as JSON in its head.

        Raises:
            InputError: if the generator is not fitted.
        """
        from invdesign.generators.training import write_tensors

        learned = self._fitted()
        about = {
            "settings": {name: getattr(self, name) for name in SAVED},
            "symbols": learned.vocabulary.symbols,
            "quantiles": dict(learned.conditions.quantiles),
            "molecules": learned.molecules,
            "properties": {
                name: [None if np.isnan(value) else value for value in learned.properties[name]]
                for name in learned.properties
            },
            "longest": learned.longest,
            "curve": [asdict(epoch) for epoch in learned.curve],
            "rules": {name: getattr(learned.rules, name) for name in LEARNED_RULES}
            | {"alerts": sorted(learned.rules.alerts or ())},
        }
        write_tensors(Path(place), learned.network.state_dict(), about)

    @classmethod
    def load(cls, place: str | Path, **settings: Any) -> MoleculeGenerator:
        """Reads a generator that ``save`` wrote; a guide is fitted again to the molecules in the file.

        Args:
            place: of the file.
            **settings: that replace those in the file: ``guide``, ``rules``, ``temperature``, ``oversample``.

        Raises:
            InputError: if the file is missing or damaged.
        """
        from invdesign.generators.training import Epoch, read_tensors

        tensors, about = read_tensors(Path(place))
        try:
            generator = cls(**{**about["settings"], **settings})
            vocabulary = Vocabulary(checked_symbols(about["symbols"]))
            conditions = Conditions({name: tuple(map(float, knots)) for name, knots in about["quantiles"].items()})
            molecules = tuple(map(str, about["molecules"]))
            properties = pd.DataFrame(about["properties"], index=range(len(molecules)), dtype=float)
            network = generator._model(len(vocabulary.symbols), conditions).network()
            network.load_state_dict(tensors)
            network.eval()
            rules = MoleculeRules(
                tuple(about["rules"]["elements"]),
                max_atoms=int(about["rules"]["max_atoms"]),
                max_rings=int(about["rules"]["max_rings"]),
                alerts=frozenset(about["rules"]["alerts"]),
            )
            longest, curve = int(about["longest"]), tuple(Epoch(**one) for one in about["curve"])
        except (KeyError, TypeError, ValueError, AttributeError, RuntimeError) as error:
            raise InputError(f"The generator '{place}' is damaged: {error}. Train it again.") from None
        guide = generator._fitted_guide(molecules, properties)
        return generator._with(
            Learned(network, vocabulary, conditions, molecules, properties, longest, curve, rules, guide)
        )

    def digest(self, molecules: Sequence[str], properties: pd.DataFrame, language: Sequence[str] = ()) -> str:
        """A checksum of what the training depends on: data and settings; see ``fit``."""
        settings = {name: getattr(self, name) for name in TRAINING}
        text = json.dumps([settings, list(molecules), list(language), properties.to_json(double_precision=15)])
        return hashlib.sha256(text.encode()).hexdigest()

    def _written(
        self, targets: Targets | None, seeds: Sequence[str], rng: np.random.Generator, known: set[str]
    ) -> Iterator[str]:
        """New molecules as they are written, in an order that does not depend on how many are taken."""
        learned = self._fitted()
        rules = self.rules or learned.rules
        data = _rows(np.zeros((0, 1), dtype=np.int64), learned.properties, learned.conditions)
        if self.model == "autoencoder":
            symbols = [written(smiles) or () for smiles in learned.molecules]
            data = _rows(learned.vocabulary.codes(symbols), learned.properties, learned.conditions)
        model = self._model(len(learned.vocabulary.symbols), learned.conditions)
        beginnings = [_beginning(smiles, learned) for smiles in seeds]
        drawn = model.sampler(learned.network, targets, data)
        seen = set(known)
        in_vain = 0
        for _ in range(MOST_BLOCKS):
            if in_vain == MOST_IN_VAIN:
                return
            in_vain += 1
            given = drawn(BLOCK, rng)
            emphasis = self.emphasis if targets is not None and self.model == "language" else 0.0
            for codes in _block(learned, given, beginnings, (self.temperature, emphasis), rng).tolist():
                smiles = constitution(learned.vocabulary.text(codes))
                if smiles is None or smiles in seen:
                    continue
                seen.add(smiles)
                if _refused(rules, smiles) is None:
                    in_vain = 0
                    yield smiles

    def _model(self, symbols: int, conditions: Conditions) -> Any:
        from invdesign.generators.models import LATENT, LanguageModel, LatentModel
        from invdesign.generators.network import Shape

        if self.model == "autoencoder":
            return LatentModel(Shape(symbols, conditions.size, self.width, LATENT))
        return LanguageModel(Shape(symbols, conditions.size, self.width))

    def _with(self, learned: Learned) -> MoleculeGenerator:
        copy = replace(self)
        copy._learned = learned  # noqa: SLF001 - of the same class
        return copy

    def _fitted(self) -> Learned:
        if self._learned is None:
            raise InputError("The generator is not fitted. Call fit, or load one.")
        return self._learned

    def _fitted_guide(self, molecules: Sequence[str], properties: pd.DataFrame) -> Surrogate | None:
        if self.guide is None or properties.empty or not len(properties.columns):
            return None
        rows = properties.notna().any(axis=1).to_numpy()
        frame = pd.DataFrame({MOLECULE: np.array(molecules, dtype=object)[rows]})
        columns = (Column(MOLECULE, "molecule"),)
        return replace(self.guide).fit(frame, properties[rows].reset_index(drop=True), columns=columns)

    def _device(self) -> str:
        import torch

        if self.device != "auto":
            return self.device
        return "cuda" if torch.cuda.is_available() else "cpu"


TRAINING = ("model", "width", "epochs", "batch", "learning_rate", "patience", "seed")
"""Settings that the training depends on."""
SAVED = (*TRAINING, "oversample", "emphasis", "temperature", "device")
"""Settings that a file holds."""


def network_seed(seed: int) -> None:
    """Seeds the first weights of a network."""
    import torch

    torch.manual_seed(seed)


def _read(
    molecules: Sequence[str] | pd.Series, language: Sequence[str]
) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Constitutions of all molecules, and their symbols."""
    rows, symbols = [], []
    for row, smiles in enumerate([*molecules, *language]):
        plain = constitution(smiles)
        if plain is None:
            raise InputError(f"Molecule {row} ({smiles!r}) is not a readable SMILES. Correct or remove it.")
        found = written(plain)
        if found is None:
            raise InputError(f"Molecule {row} ({smiles!r}) cannot be written as SELFIES. Remove it.")
        rows.append(plain)
        symbols.append(found)
    if len(rows) < FEWEST:
        raise InputError(f"A generator needs at least {FEWEST} molecules to learn from, not {len(rows)}.")
    return tuple(rows), symbols


def _rows(codes: NDArray[np.int64], properties: pd.DataFrame, conditions: Conditions) -> Any:
    from invdesign.generators.models import Rows

    return Rows(codes, properties, conditions)


def _tensor(codes: NDArray[np.int64], device: Any = None) -> torch.Tensor:
    import torch

    return torch.as_tensor(codes, device=device)


def _beginning(smiles: str, learned: Learned) -> tuple[int, ...]:
    """Codes of a seed."""
    plain = constitution(smiles)
    symbols = written(plain) if plain else None
    if not symbols or not learned.vocabulary.knows(symbols):
        raise InputError(f"The seed {smiles!r} cannot be written with the symbols that the generator has learned.")
    return tuple(int(code) for code in learned.vocabulary.codes([symbols])[0][:-1])


def _block(
    learned: Learned,
    given: torch.Tensor,
    beginnings: list[tuple[int, ...]],
    sharpness: tuple[float, float],
    rng: np.random.Generator,
) -> torch.Tensor:
    """Codes of one block of molecules, beginning as seeds do where there are some; ``sharpness``: see ``sample``."""
    import torch

    from invdesign.core.threads import single_thread

    writer = getattr(learned.network, "writer", learned.network)
    prefix = None
    if beginnings:
        prefix = torch.full((len(given), learned.longest), -1, dtype=torch.long)
        for row in range(len(given)):
            codes = beginnings[int(rng.integers(len(beginnings)))]
            length = int(rng.integers(0, len(codes) + 1))
            prefix[row, :length] = torch.as_tensor(codes[:length])
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    with single_thread(), torch.no_grad():
        codes_: torch.Tensor = writer.sample(
            given,
            longest=learned.longest,
            temperature=sharpness[0],
            emphasis=sharpness[1],
            generator=generator,
            prefix=prefix,
        )
    return codes_


def _allowed(molecules: Sequence[str]) -> MoleculeRules:
    """Rules that allow what the molecules have: their elements, common alerts, and at most their atoms and rings."""
    from rdkit import Chem

    read = [Chem.MolFromSmiles(smiles) for smiles in molecules]
    elements = {atom.GetSymbol() for molecule in read for atom in molecule.GetAtoms()}
    return MoleculeRules(
        tuple(sorted(elements)),
        max_atoms=max(molecule.GetNumHeavyAtoms() for molecule in read),
        max_rings=max(molecule.GetRingInfo().NumRings() for molecule in read),
        alerts=common_alerts(read[:MOST_LOOKED_AT]),
    )


def _refused(rules: MoleculeRules, smiles: str) -> str | None:
    from rdkit import Chem

    return rules.refusal(Chem.MolFromSmiles(smiles))
