"""The laboratory's hand on a campaign: proposals to make, results to store, corrections, rejections."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from invdesign.campaign.lease import working
from invdesign.campaign.proposing import Proposing
from invdesign.campaign.reading import LABORATORY_UNITS, of_one_moment
from invdesign.campaign.records import Purpose
from invdesign.campaign.schema import PENDING, REJECTED, WITHDRAWN
from invdesign.campaign.workers import Worker
from invdesign.core.errors import InputError
from invdesign.core.tables import Table, read_table
from invdesign.space.pinned import pinned

DATA_FILES = "data_files"
"""Name of the fact with the checksums of the files whose results were added."""


class ByHand(Proposing):
    """A campaign whose candidates a laboratory makes and measures; see ``Proposing`` for the arguments."""

    def ask(
        self,
        n: int = 1,
        *,
        pin: Mapping[str, Any] = MappingProxyType({}),
        before_commit: Callable[[pd.DataFrame], None] | None = None,
    ) -> pd.DataFrame:
        """Proposes candidates to evaluate elsewhere, and stores them as pending.

        Numbers without steps are rounded to four digits of their range; all constraints still hold. Nothing is proposed
        that a laboratory cannot tell apart from another candidate: with the same values of all parameters within 0.001
        of their ranges.

        Args:
            n: how many.
            pin: values of parameters that all of them have, such as ``{"temperature": 25}``.
            before_commit: called with the numbered candidates before they are stored; if it raises, nothing is. Write
                the laboratory's sheet here, so that no candidate is pending that nobody has.

        Returns:
            One row a candidate, indexed by its number; fewer than ``n`` where the space has no more.

        Raises:
            InputError: if a parameter to pin is unknown, or no candidate has its value.
        """
        space = pinned(self.space, pin) if pin else self.space

        def note(batch: pd.DataFrame) -> None:
            if pin and len(batch):
                detail = ", ".join(f"{name}={value}" for name, value in pin.items())
                self.store.write_log("pinned", list(batch.index), detail)
            if before_commit is not None:
                before_commit(batch)

        with working(self.store, Worker.this_process()) as worker:
            while (asked := self._propose(n, worker, by_hand=space, before_commit=note)) is None:
                continue
        return asked

    def tell(self, results: pd.DataFrame | Table, *, again: bool = False) -> list[int]:
        """Stores results: values of proposed candidates, or of others that the laboratory chose itself.

        Args:
            results: one row a candidate: its parameters and properties, as columns. The index, or a column named
                ``candidate``, may hold the number that ``ask`` gave; without it the parameters decide. Properties are
                in the unit of their header, such as ``capacity (mAh/g)``, or of the targets. Leave a missing
                value empty; a column ``reason`` may say why. ``<5`` and ``>100`` are values outside of the
                instrument's range; ``<property>_std`` is the known standard deviation of a value. Other columns are
                not stored. Several measurements of a candidate are all stored; it has their mean.
            again: whether candidates that already have a value were measured again; else they are refused, unless
                a column ``replicate`` numbers the measurements of a candidate.

        Returns:
            The numbers of the candidates.

        Raises:
            InputError: naming the row and what is wrong with it; then none of ``results`` is stored.
        """
        return self._told(results, "again" if again else "new")

    def add_data(self, results: pd.DataFrame | Table) -> list[int]:
        """Stores measured data like ``tell``, but skips rows that are stored already with the same values.

        Args:
            results: see ``tell``.

        Returns:
            The numbers of the candidates that were added.
        """
        return self._told(results, "data")

    def add_file(self, path: Path) -> list[int]:
        """Stores the results of a file; rows that are stored already are skipped, and so is a file that was added.

        Args:
            path: of a table, as for ``tell``.

        Returns:
            The numbers of the candidates that were added.
        """
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        before = self.store.facts().get(DATA_FILES, {})
        if before.get(path.name) == digest:
            return []
        with self.store.transaction():
            numbers = self.add_data(read_table(path))
            self.store.write_fact(DATA_FILES, {**before, path.name: digest})
        return numbers

    def amend(self, results: pd.DataFrame | Table) -> list[int]:
        """Corrects stored results, or the parameters of proposals that are still to be made.

        The former values of results are stored as earlier ``attempts``, the former parameters of proposals in ``log``.

        Args:
            results: as for ``tell``; each row is a candidate by its number, or by its parameters if it has a result. A
                row of a pending candidate, without properties, edits the proposal.

        Returns:
            The numbers of the candidates.

        Raises:
            InputError: naming the row and what is wrong with it; then nothing is changed.
        """
        from invdesign.campaign.laboratory import read_results

        with self.store.transaction():
            read = read_results(results, self.space, self.targets, self.store, self.units, purpose="amend")
            numbers = [number for number in read.numbers if number is not None]
            pending = set(self.store.columns().pending())
            edited = [row for row, number in enumerate(numbers) if number in pending]
            if edited:
                part = read.rows(edited, {})
                chosen = [numbers[row] for row in edited]
                before = self._numbered(chosen).to_dict("index")
                self.store.edit(chosen, part.parameters.to_dict("records"))
                self.store.write_log("edited", chosen, f"formerly: {json.dumps(before, default=str)}")
            if rest := [row for row in range(len(numbers)) if row not in edited]:
                part = read.rows(rest, {})
                chosen = [numbers[row] for row in rest]
                properties = part.properties.to_dict("records")
                parameters = part.parameters.to_dict("records")
                self.store.amend(chosen, parameters, properties, part.reasons, replicates=part.replicates)
                self.store.write_log("amended", chosen, "")
        return numbers

    def withdraw(self, candidates: Sequence[int], reason: str = "") -> None:
        """Takes back pending candidates that are not made: neither values nor failures, and not proposed again.

        Args:
            candidates: their numbers.
            reason: why they are not made.

        Raises:
            InputError: if one is not pending.
        """
        with self.store.transaction():
            pending = set(self.store.columns().pending())
            for number in candidates:
                if number not in pending:
                    raise InputError(f"Candidate {number} is not pending, so it cannot be withdrawn.")
            why = f"{WITHDRAWN}: {reason}" if reason else WITHDRAWN
            self.store.finish(candidates, [{}] * len(candidates), [why] * len(candidates), seconds=None)
            self.store.write_log(WITHDRAWN, candidates, reason)

    def reject(self, candidates: Sequence[int], reason: str) -> None:
        """Rejects candidates, with or without a result: no model learns from them, and they are not proposed again.

        Former results are stored as earlier ``attempts``.

        Args:
            candidates: their numbers.
            reason: why, such as "the salt does not dissolve".

        Raises:
            InputError: if one is unknown or rejected already, or the reason is empty.
        """
        if not reason.strip():
            raise InputError("A rejection needs a reason, such as 'the salt does not dissolve'.")
        with self.store.transaction():
            columns = self.store.columns()
            for number in candidates:
                if not 0 <= number < len(columns):
                    raise InputError(f"Candidate {number} was not proposed, so it cannot be rejected.")
                if str(columns.about["reason"].array()[number]).startswith(REJECTED):
                    raise InputError(f"Candidate {number} is rejected already.")
            self.store.reject(candidates, f"{REJECTED}: {reason.strip()}")
            self.store.write_log(REJECTED, candidates, reason.strip())

    @of_one_moment
    def pending(self) -> pd.DataFrame:
        """The candidates that were given out and have no result yet, indexed by number."""
        return self._candidates(self.store.columns().in_state(PENDING))

    def _told(self, results: pd.DataFrame | Table, purpose: Purpose) -> list[int]:
        from invdesign.campaign.laboratory import read_results

        with self.store.transaction():
            units = self.units
            read = read_results(results, self.space, self.targets, self.store, units, purpose=purpose)
            if not read.numbers:
                return []
            laboratory_units = {name: unit for name, unit in units.items() if unit}
            self.store.write_facts({LABORATORY_UNITS: laboratory_units}, unless="units")
            source = results.source.strip("'") if isinstance(results, Table) else None
            numbers: dict[int, int] = {}
            while left := read.next_rows(numbers):
                part = read.rows(left, numbers)
                records = part.properties.to_dict("records")
                stored = self.store.record(
                    part.numbers, part.parameters, records, part.reasons, replicates=part.replicates, source=source
                )
                numbers.update(zip(left, stored, strict=True))
            return [numbers[row] for row in range(len(read.numbers))]
