from __future__ import annotations

import gzip

import pytest

from invdesign.core.errors import InputError
from invdesign.core.text_files import Limits, open_text

TEXT = "Größe,µm\r\n1,2\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz"])
def test_every_usual_encoding_is_recognized(tmp_path, encoding, name):
    content = TEXT.encode(encoding)
    (tmp_path / name).write_bytes(gzip.compress(content) if name.endswith("gz") else content)
    with open_text(tmp_path / name) as text:
        assert text.read() == TEXT


def test_an_encoding_is_that_of_the_whole_file(tmp_path):
    long = "a,b\n" * 400_000
    (tmp_path / "t.csv").write_bytes((long + "Größe").encode("latin-1"))
    with open_text(tmp_path / "t.csv") as text:
        assert text.read() == long + "Größe"
    (tmp_path / "t.csv").write_bytes(long.encode() + "ß".encode()[:1])
    with open_text(tmp_path / "t.csv") as text:
        assert text.read() == long + "Ã"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"a,b\n1,\xff\x81\n", "line 2 or after it, is not valid UTF-8 OR WINDOWS-1252"),
        ("a,b\n".encode("utf-16")[:-1], "line 2 or after it, is not valid UTF-16"),
        (b"a,b\n1,\x002\n\x003,4\n", "zero bytes"),
        (b"PK\x03\x04rest", "ZIP archive"),
    ],
)
def test_what_is_not_text_is_refused(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(InputError, match=words):
        open_text(tmp_path / "t.csv")


def test_limits_count_what_a_compressed_file_holds(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"1,2\n" * 1_000_000))
    assert path.stat().st_size < 10_000
    with pytest.raises(InputError, match=r"exceeds 2,000,000 bytes decompressed at line 262145"):
        open_text(path, Limits(size=2_000_000))
    path.write_bytes(gzip.compress(b"a\n" + b"x" * 3_000_000))
    with pytest.raises(InputError, match=r"line 2, is longer than 1,000,000 bytes"):
        open_text(path, Limits(line=1_000_000))


@pytest.mark.parametrize("damage", [lambda packed: packed[:-9], lambda packed: packed[:20] + b"xx" + packed[22:]])
def test_damaged_files_are_refused(tmp_path, damage):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(damage(gzip.compress(bytes(range(32, 120)) * 40)))
    with pytest.raises(InputError, match="cannot be decompressed after line 1"):
        open_text(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        open_text(tmp_path / "none.csv")
