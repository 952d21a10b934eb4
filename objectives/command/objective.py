"""A user's program as a source of property values, with files for candidates and results."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Self

import pandas as pd
from pydantic import BeforeValidator, ValidationInfo

from invdesign.core.columns import Column
from invdesign.core.errors import InputError
from invdesign.core.memory import MemorySize
from invdesign.core.settings import FileContext, OutputFolder, bounded, settings
from invdesign.core.text_files import is_file
from invdesign.core.units import PropertyUnits
from invdesign.objectives.base import REASON, TravelsByFields
from invdesign.objectives.command.files import Exchange, FileKind, read_results, write_candidate
from invdesign.objectives.command.run import run
from invdesign.objectives.limits import memory_of

PLACEHOLDERS = ("candidate", "results", "folder", "python")


def _consented(given: Any, info: ValidationInfo) -> Any:
    """A campaign file's program needs consent; with the content of the files that it names."""
    if isinstance(info.context, FileContext):
        words = given if isinstance(given, list) else re.split(r"[\s;|&<>()'\"]+", str(given))
        near = [info.context.folder / str(word) for word in words]
        info.context.ask(f"runs the program {given!r}", [path for path in near if is_file(path)])
    return given


Command = Annotated[str | list[str], BeforeValidator(_consented)]


@settings
class CommandObjective(TravelsByFields):
    """Runs a program for each candidate: a Gaussian, VASP or LAMMPS job, a script, or an instrument's client.

    Each run starts in its own folder. The program reads ``candidate.csv`` there (a header with the
    parameters' names, then one row) or ``candidate.json`` (one object), and writes ``results.csv`` or ``results.json``
    with a number for each property, in the unit given here. Its output streams are stored as
    ``stdout.txt`` and ``stderr.txt``, and its exit status in ``ended.json``. A folder without ``ended.json`` belongs
    to a run that was killed; another run of the same candidate gets a new folder.

    A candidate fails, with a reason, if the program cannot start, ends with an exit code other than
    0, is killed, exceeds the time limit (it is then killed with its child processes), writes no results, results that
    cannot be read, or a property that is missing or not a finite number.

    A program that a campaign file names runs with your rights, for which reading the file needs consent.

    Raises:
        InputError: if the command is empty or holds an unknown placeholder, or no property is named.
    """

    command: Command
    """The program and its arguments, as a list or as text that is split as a shell would. ``{candidate}``,
    ``{results}`` and ``{folder}`` stand for those paths, ``{python}`` for the running Python. A word that is an
    existing file may be given relative to the campaign file."""
    units: PropertyUnits
    """Each property that the program gives, and its unit (empty for dimensionless)."""
    format: FileKind = "csv"
    """Format of both files, ``csv`` or ``json``."""
    folder: OutputFolder = "runs"
    """Folder for the runs."""
    time_limit: float | None = bounded(default=3600.0, gt=0)
    """Time limit per candidate in seconds; None for no limit."""
    memory_limit: MemorySize | None = None
    """Memory that each process of the program may use, such as ``2 GB`` (Linux); None for no limit."""
    shell: bool = False
    """Whether ``command`` is one text for ``/bin/sh``, with pipes and variables; the paths are quoted. The exit
    code is then the shell's: for a pipe, that of its last program. Relative paths in it start from the run's own
    folder."""

    def __post_init__(self) -> None:
        """Refuses an empty command, unknown placeholders and units."""
        if self.shell and not isinstance(self.command, str):
            raise InputError("With 'shell: true' the command must be one text, not a list.")
        if not self._words:
            raise InputError("The command is empty. Give the program and its arguments.")
        for word in self._words:
            Exchange.check_word(word, PLACEHOLDERS, shell=self.shell)

    @property
    def properties(self) -> Mapping[str, str]:
        return dict(self.units)

    @property
    def rows_per_call(self) -> int | None:
        return 1

    @property
    def isolated(self) -> bool:
        """A worker calls the program, and ends it with its child processes if the campaign is killed."""
        return True

    def for_columns(self, columns: Sequence[Column]) -> Self:
        return self

    def check(self, columns: Sequence[Column]) -> list[str]:
        problems = []
        program = self._words[0]
        found = program == "{python}" or is_file(Path(program)) or shutil.which(program) is not None
        if not self.shell and not found:
            problems.append(f"The program '{program}' does not exist. Give its path, or a name on the PATH.")
        place = Path(self.folder)
        if place.exists() and not place.is_dir():
            problems.append(f"'folder' is '{place}', which is a file. Give a folder for the runs.")
        return problems

    def evaluate(self, candidates: pd.DataFrame) -> pd.DataFrame:
        rows = [
            self._evaluate_one(label, row)
            for label, row in zip(candidates.index, candidates.to_dict("records"), strict=True)
        ]
        result = pd.DataFrame(rows, index=candidates.index, columns=[*self.units, REASON])
        return result.astype(dict.fromkeys(self.units, float))

    def beside(self, folder: Path) -> Self:
        """Returns the objective with the program's files relative to a folder: that of the campaign file."""
        if self.shell:
            return self
        moved = [str(folder / word) if is_file(folder / word) else word for word in self._words]
        return replace(self, command=moved)

    def _evaluate_one(self, label: object, row: Mapping[Any, Any]) -> dict[str, Any]:
        try:
            exchange = Exchange.fresh(Path(self.folder).resolve(), label, row, self.format)
            write_candidate(exchange.candidate, row, self.format)
        except OSError as error:
            return {REASON: f"the candidate's folder cannot be written: {error}"}
        words = [exchange.filled(self._anchored(word), shell=self.shell) for word in self._words]
        reason = run(
            words, exchange.folder, time_limit=self.time_limit, memory=memory_of(self.memory_limit), shell=self.shell
        )
        if reason is not None:
            return {REASON: reason}
        values, reason = read_results(exchange.results, list(self.units), self.format)
        return {**values, REASON: reason}

    @property
    def _words(self) -> list[str]:
        if isinstance(self.command, str):
            return [self.command] if self.shell and self.command.strip() else self._split(self.command)
        return list(self.command)

    @staticmethod
    def _split(command: str) -> list[str]:
        try:
            return shlex.split(command)
        except ValueError as error:
            raise InputError(f"The command cannot be split into words: {error}.") from None

    def _anchored(self, word: str) -> str:
        """A file's absolute path, because the program starts in another folder; any other argument unchanged."""
        return str(Path(word).absolute()) if not self.shell and is_file(Path(word)) else word
