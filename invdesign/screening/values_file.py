"""Values of evaluated candidates in a file of JSON lines: each is kept when it comes."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from invdesign.campaign.execution.executor import evaluate_all
from invdesign.campaign.fingerprint import digest_of, parts_of
from invdesign.objectives.base import REASON, Objective


@dataclass(frozen=True)
class ValuesFile:
    """The values that an objective gave, by the candidates' places in the pool.

    Attributes:
        path: of the file.
        objective: bound to the pool's columns; values of another one are left alone.
    """

    path: Path
    objective: Objective

    def of(self, candidates: pd.DataFrame, executor: Executor | None = None) -> pd.DataFrame:
        """The properties of candidates and the reason of each that failed; those that the file has are not computed.

        Args:
            candidates: one row each, indexed by their places.
            executor: where evaluations run; None for this process.
        """
        digest = digest_of(parts_of(self.objective))
        known = dict(self._known(digest))
        cut = self.path.exists() and not self.path.read_bytes().endswith(b"\n")
        left = candidates.loc[[number for number in candidates.index if int(number) not in known]]
        with self.path.open("a", encoding="utf-8") as file:
            file.write("\n" if cut else "")
            for result in evaluate_all(self.objective, left, executor) if len(left) else ():
                for number, row in result.values.astype(object).where(result.values.notna(), None).iterrows():
                    given: Any = row.to_dict()
                    known[int(str(number))] = given
                    file.write(json.dumps({"digest": digest, "place": int(str(number)), "values": given}) + "\n")
                file.flush()
                os.fsync(file.fileno())
        rows = [known[int(number)] for number in candidates.index]
        values = {
            name: pd.Series([row.get(name) for row in rows], candidates.index, dtype=float)
            for name in self.objective.properties
        }
        return pd.DataFrame(
            {**values, REASON: pd.Series([row.get(REASON) for row in rows], candidates.index, dtype=object)}
        )

    def _known(self, digest: str) -> Iterator[tuple[int, dict[str, Any]]]:
        """The values of earlier calls; a line that an interruption cut is left out."""
        for line in self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else ():
            try:
                one = json.loads(line)
            except ValueError:
                continue
            if one["digest"] == digest:
                yield one["place"], one["values"]
