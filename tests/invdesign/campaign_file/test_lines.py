"""YAML that is made to take memory or time is refused with its line."""

from __future__ import annotations

import pytest

from invdesign.campaign_file.lines import FileError, read

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 8)}]\n" for level in range(1, 12)
)
HOSTILE = {
    "aliases of aliases": (LAUGHS, r"c\.yaml:6: The file has more than 50,000 values, aliases .* expanded"),
    "aliases in an ordered mapping": (LAUGHS + "b: !!omap [a: *a11]\n", "more than 50,000 values"),
    "deep lists": ("a: 1\nb: " + "[" * 200_000, r"c\.yaml:2: .* nested more than 40 levels deep"),
    "deep mappings": ("\n".join(" " * level + "a:" for level in range(60)), r"c\.yaml:41: .* more than 40 levels deep"),
    "complex keys": ("? " * 2000, "more than 40 levels deep"),
    "a large file": ("a: " + "x" * 400_000, "must not be larger than 300,000 bytes"),
    "a long number": ("a: 0x" + "f" * 20_000, r"c\.yaml:1: A whole number must be smaller than 2\^63"),
    "a longer number": ("a: " + "9" * 20_000, "not valid YAML"),
    "a set": ("a: 1\nb: !!set {x, y}", r"c\.yaml:2: This must be text, a number"),
    "a month 13": ("a: 2001-13-41", "not valid YAML"),
    "merging itself": ("a: &a\n  <<: *a", "not valid YAML"),
    "a list as a key": ("? [a, b]\n: 1", "This must be text, a number"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_yaml_is_refused_in_words(tmp_path, case):
    text, words = HOSTILE[case]
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with pytest.raises(FileError, match=words):
        read(path)


def test_an_alias_within_the_limits_is_its_value(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_text("a: &a [1, {b: 2}]\nc: *a\nd: 2001-01-01\n")
    assert read(path).data == {"a": [1, {"b": 2}], "c": [1, {"b": 2}], "d": "2001-01-01"}


def test_a_file_without_an_end_is_refused():
    with pytest.raises(FileError, match="must not be larger than"):
        read("/dev/zero")


def test_a_name_that_no_file_can_have_is_refused():
    with pytest.raises(FileError, match="cannot be read: embedded null byte"):
        read("a\0b.yaml")
