"""Opens text files of any usual encoding, also compressed by gzip, within limits of size."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from invdesign.core.errors import InputError

CHUNK = 1 << 20
ZIP = b"PK\x03\x04"
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_WINDOWS = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
"""Bytes that Windows-1252, and so Latin-1 as it is used, leaves undefined."""


@dataclass(frozen=True)
class Limits:
    """Sizes beyond which a file is refused, so that a small compressed file cannot fill the memory.

    Attributes:
        size: largest number of bytes, decompressed.
        rows: largest number of rows.
        line: largest number of bytes of one line.
    """

    size: int = 2_000_000_000
    rows: int = 20_000_000
    line: int = 10_000_000

    def check_rows(self, rows: int, path: Path, line: int) -> None:
        """Raises InputError if there are more rows than allowed.

        Args:
            rows: number of rows so far.
            path: of the file.
            line: number of the line of the last one.
        """
        if rows > self.rows:
            raise InputError(
                f"'{path}' exceeds {self.rows:,} rows at line {line}. Split it, or raise the limit (in Python: limits)."
            )


DEFAULT_LIMITS = Limits()


def digest_of_file(path: Path) -> str:
    """SHA-256 of a file's content, read piece by piece."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def is_file(path: Path) -> bool:
    """Whether a path is a file; text that cannot be a path, because it is too long, is not."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False


def open_text(path: Path, limits: Limits = DEFAULT_LIMITS) -> IO[str]:
    """Opens a file as text, with its newlines unchanged; decompressed if its name ends in ``.gz``.

    UTF-8, UTF-16 and UTF-32 with a byte-order mark, UTF-8 and UTF-16 without one, and Windows-1252 (which includes the
    printable characters of Latin-1) are recognized from the whole file.

    Args:
        path: of the file.
        limits: of its decompressed size and of one line.

    Raises:
        InputError: if the file does not exist, is not text, is damaged or exceeds a limit; with the line.
    """
    if not is_file(path):
        raise InputError(f"The file '{path}' does not exist.")
    encoding = _encoding(path, limits)
    if path.suffix.lower() == ".gz":
        return cast("IO[str]", gzip.open(path, "rt", encoding=encoding, newline=""))
    return path.open(encoding=encoding, newline="")


def _encoding(path: Path, limits: Limits) -> str:
    """The encoding in which the whole file can be read."""
    encoding, line, undefined = "", 1, 0
    for chunk in _chunks(path, limits):
        if not encoding:
            encoding = _announced(chunk, path)
            decoder = codecs.getincrementaldecoder(encoding)()
        if not undefined and (found := _NOT_WINDOWS.search(chunk)):
            undefined = line + chunk[: found.start()].count(b"\n")
        try:
            decoder.decode(chunk)
        except UnicodeDecodeError:
            if encoding != "utf-8":
                raise InputError(_undecodable(path, line, encoding)) from None
            encoding, decoder = "cp1252", codecs.getincrementaldecoder("latin-1")()
        line += chunk.count(b"\n")
    try:
        _ = encoding and decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        if encoding != "utf-8":
            raise InputError(_undecodable(path, line, encoding)) from None
        encoding = "cp1252"
    if encoding == "cp1252" and undefined:
        raise InputError(_undecodable(path, undefined, "UTF-8 or Windows-1252"))
    return encoding or "utf-8"


def _undecodable(path: Path, line: int, encoding: str) -> str:
    return f"'{path}', at line {line} or after it, is not valid {encoding.upper()}. Save the file as UTF-8."


def _announced(start: bytes, path: Path) -> str:
    """The encoding that the first bytes of a file announce; UTF-8 if they announce none."""
    if start.startswith(ZIP):
        raise InputError(f"'{path}' is not text but a ZIP archive. If it is a spreadsheet, rename it to end in .xlsx.")
    for mark, encoding in _MARKS:
        if start.startswith(mark):
            return encoding
    head = start[:4096]
    # ASCII characters in UTF-16 have every other byte zero.
    even, odd = head[::2].count(0), head[1::2].count(0)
    if odd > len(head) / 8 and not even:
        return "utf-16-le"
    if even > len(head) / 8 and not odd:
        return "utf-16-be"
    if even or odd:
        raise InputError(f"'{path}' is not text: it contains zero bytes. Save the table as CSV or .xlsx.")
    return "utf-8"


def _chunks(path: Path, limits: Limits) -> Iterator[bytes]:
    """The decompressed bytes of a file, in pieces; refuses a file that is damaged or exceeds the limits."""
    total, line, run = 0, 1, 0
    compressed = path.suffix.lower() == ".gz"
    with cast("IO[bytes]", gzip.open(path)) if compressed else path.open("rb") as stream:
        while chunk := _read(stream, path, line):
            total += len(chunk)
            if total > limits.size:
                raise InputError(
                    f"'{path}' exceeds {limits.size:,} bytes{' decompressed' if compressed else ''} at line "
                    f"{line}. Split it, or raise the limit (in Python: limits)."
                )
            end = max(chunk.rfind(b"\n"), chunk.rfind(b"\r"))
            run = run + len(chunk) if end < 0 else len(chunk) - end
            line += chunk.count(b"\n")
            if run > limits.line:
                raise InputError(f"'{path}', line {line}, is longer than {limits.line:,} bytes, which is not a table.")
            yield chunk


def _read(stream: IO[bytes], path: Path, line: int) -> bytes:
    try:
        return stream.read(CHUNK)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(f"'{path}' cannot be decompressed after line {line}: {error}. Compress it again.") from None
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror}.") from None
