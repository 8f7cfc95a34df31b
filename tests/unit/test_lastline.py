"""The line that a prompt is."""

from __future__ import annotations

import random

import pytest

from flask_realtime.isolation.lastline import KEPT, LastLine


def line(*pieces: bytes) -> str:
    last = LastLine()
    for piece in pieces:
        last.feed(piece)
    return last.text()


@pytest.mark.parametrize(
    ("output", "shown"),
    [
        (b"", ""),
        (b"one\ntwo\n", ""),
        (b"one\nName: ", "Name:"),
        (b"\x1b[1mName\x1b[0m: ", "Name:"),
        (b"loading 99%\rName: ", "Name:"),
        (b"first\r\nName: ", "Name:"),
        (b"Name: \r", "Name:"),
        (b"a\tb\x00c\x07: ", "abc:"),
        ("größer? ".encode(), "größer?"),
        (b"\xff? ", "�?"),
    ],
)
def test_what_is_shown_of_the_begun_line(output: bytes, shown: str) -> None:
    assert line(output) == shown
    assert line(*(output[at : at + 1] for at in range(len(output)))) == shown


def test_of_a_long_line_the_end_is_kept() -> None:
    text = "".join(random.Random(7).choices("abc ", k=3 * KEPT)) + "?"
    whole = line(b"before\n" + text.encode())
    assert whole == line(
        b"before\n", *(text.encode()[at : at + 7] for at in range(0, len(text), 7))
    )
    assert len(whole) >= KEPT - 5
    assert text.endswith(whole)
