"""Patterns: lines are searched by themselves, and none can take for ever."""

from __future__ import annotations

import pytest
import re2

from flask_realtime.errors import BadPattern
from flask_realtime.search.searchpattern import MAX_LENGTH, Pattern

LINES = b"first\nsecond 2nd\n\n(a+b)\nlast"


def found(query: str, text: bytes = LINES, start: int = 0, **how: bool) -> bytes | None:
    span = Pattern(query, **how).find(text, start, len(text))
    return None if span is None else text[slice(*span)]


@pytest.mark.parametrize(
    ("query", "how", "match"),
    [
        ("(A+b)", {}, b"(a+b)"),
        ("(A+b)", {"match_case": True}, None),
        (r"\d", {}, None),
        (r"\d\pL+", {"is_regex": True}, b"2nd"),
        ("S[a-z]+", {"is_regex": True}, b"st"),
        ("S[a-z]+", {"is_regex": True, "match_case": True}, None),
        ("^s.*$", {"is_regex": True}, b"second 2nd"),
        (r"\As.*\z", {"is_regex": True}, b"second 2nd"),
        (r"\\A", {"is_regex": True}, None),
        (r"\Q(a+b\E\)", {"is_regex": True}, b"(a+b)"),
        (r"\Q\A", {"is_regex": True}, None),
        (r"\(|nothing", {"is_regex": True}, b"("),
        ("^l.*|^s.*", {"is_regex": True}, b"second 2nd"),
    ],
)
def test_what_is_found(query: str, how: dict[str, bool], match: bytes | None) -> None:
    assert found(query, **how) == match


@pytest.mark.parametrize("query", [r"t\ns", r"t\s+s", "[^x]{20}", "(?s)t.s", r"t[\n]s"])
def test_no_match_spans_lines(query: str) -> None:
    assert found(query, is_regex=True) is None


def test_what_comes_before_is_context() -> None:
    assert found("^b", b"ab", 1, is_regex=True) is None
    assert found(r"\bb", b"ab", 1, is_regex=True) is None
    assert found("b", b"ab", 1) == b"b"
    assert Pattern("b$", is_regex=True).find(b"abc", 0, 2) is None


def test_text_and_output_need_not_be_ascii_nor_utf_8() -> None:
    assert found("Ärger\0", b"\xff \xc3\xa4rger\0 \xff") == b"\xc3\xa4rger\0"
    assert found("a.c", b"a\xffc a\xc3\xa9c", is_regex=True) == b"a\xc3\xa9c"


@pytest.mark.parametrize(
    ("query", "is_regex", "words"),
    [
        ("", False, "empty"),
        ("x" * (MAX_LENGTH + 1), False, "1001 characters; 1000 is the limit"),
        ("a\nb", False, "spans lines"),
        ("\ud800", False, "half a surrogate pair"),
        ("\ud800", True, "half a surrogate pair"),
        ("(a", True, r"missing \): \(a$"),
        (r"(a)\1", True, r"invalid escape sequence: \\1"),
        ("(?=a)", True, "invalid perl operator"),
        ("a{1001}", True, "invalid repetition size"),
        ("(((a{100}){100}){100})", True, "invalid repetition size"),
        (r"(?:\pL|\pN){500}", True, "too large"),
        ("(" * 900, True, "missing"),
        (r"\C", True, "not possible"),
        (r"(?i-m)^a", True, "not possible"),
    ],
)
def test_a_bad_pattern_is_refused_with_a_reason(query: str, is_regex: bool, words: str) -> None:
    with pytest.raises(BadPattern, match=words) as refused:
        Pattern(query, is_regex=is_regex)
    assert len(refused.value.message) < 300
    assert (refused.value.status, refused.value.code) == (400, "bad_pattern")


def test_a_text_may_be_in_output_with_sequences_between_its_characters() -> None:
    pattern = Pattern("Ä.b")
    for raw in (
        "xä.b",
        "x\x1b[1mä.b",
        "ä\x1b[0m\x1b[1m.\x1b]0;title\x07B",
        "ä\x1b(B.\x1bPx\x1b\\b",
    ):
        assert pattern.may_be_in(raw.encode()), raw
    for raw in ("\x1b[1mä", "\x1b[mä.\nb"):
        assert not pattern.may_be_in(raw.encode()), raw
    assert Pattern("a", is_regex=True).may_be_in(b"\x1b[m")
    assert Pattern("a" * 1000).may_be_in(b"\x1b[m")


def test_patterns_are_not_kept() -> None:
    """RE2's binding keeps up to 128 of them, each with its automaton."""
    Pattern("something")
    assert re2._Regexp._make.cache_info().currsize == 0
