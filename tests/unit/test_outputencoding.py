"""What becomes of output in a response: text, gzip, gaps, wherever it is cut."""

from __future__ import annotations

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.tail import Chunk, Gap
from flask_realtime.web.outputencoding import Encoder, TextOutput, to_next_character


def chunk(data: bytes, offset: int = 0) -> Chunk:
    return Chunk(offset, 0, 1, data, 1)


@given(st.text(alphabet="aé€\U0001f600\n", max_size=30), st.lists(st.integers(0, 120)))
def test_text_is_the_same_however_it_is_cut(text: str, cuts: list[int]) -> None:
    data = text.replace("é", "\x1b[31mé").encode() + b"\xff\xc3"
    pieces, last = [], 0
    for cut in sorted(cuts):
        pieces.append(data[last:cut])
        last = max(last, cut)
    output = TextOutput()
    fed = b"".join(output.feed(piece) for piece in [*pieces, data[last:]])
    assert (fed + output.end()).decode() == text + "\ufffd\ufffd"


def test_plain_text_waits_for_nothing() -> None:
    output = TextOutput()
    assert output.feed(b"no line feed") == b"no line feed"
    assert output.feed(b"\xe2\x82") == b""
    assert output.feed(b"\xac!") == "€!".encode()
    assert output.end() == b""


def test_a_sequence_that_began_before_is_no_text() -> None:
    assert TextOutput(b"line \x1b[3").feed(b"1mred") == b"red"


def test_a_gap_is_said_in_a_line_of_its_own() -> None:
    output = TextOutput()
    said = output.gap(1234)
    assert said == b"[1,234 bytes are no longer kept]\n"
    said += output.feed(b"half a li\x1b[3") + output.gap(5) + output.feed(b"1m next\n")
    said += output.gap(6) + output.feed(b"\xc3") + output.gap(7)
    assert said.decode().splitlines() == [
        "[1,234 bytes are no longer kept]",
        "half a li",
        "[5 bytes are no longer kept]",
        "1m next",
        "[6 bytes are no longer kept]",
        "\ufffd",
        "[7 bytes are no longer kept]",
    ]


def test_exact_bytes_break_off_at_a_gap() -> None:
    encoder = Encoder(None, gzip=False, flushes=False)
    assert encoder.feed([chunk(b"a"), chunk(b"\x1b[1m\xff", 1)]) == b"a\x1b[1m\xff"
    with pytest.raises(ConnectionAbortedError, match="bytes 6 to 9 are gone"):
        encoder.feed([Gap(6, 9, 1)])
    assert encoder.end() == b""


@pytest.mark.parametrize("flushes", [False, True])
def test_gzip_holds_what_was_fed(flushes: bool) -> None:
    encoder = Encoder(TextOutput(), gzip=True, flushes=flushes)
    packed = [encoder.feed([chunk(b"\x1b[1mline\n" * 100)]), encoder.feed([Gap(0, 9, 1)])]
    packed.append(encoder.end())
    assert gzip.decompress(b"".join(packed)) == b"line\n" * 100 + (
        b"[9 bytes are no longer kept]\n"
    )


def test_what_is_watched_comes_out_at_once() -> None:
    encoder = Encoder(None, gzip=True, flushes=True)
    unpacker = zlib.decompressobj(31)
    for line in (b"first\n", b"second\n"):
        assert unpacker.decompress(encoder.feed([chunk(line)])) == line
    assert encoder.feed([]) == b""


@pytest.mark.parametrize(
    ("data", "count"),
    [(b"", 0), (b"abc", 0), (b"\x82\xacabc", 2), (b"\x80" * 9, 3), (b"\xc3\xa4", 0), (b"\x80", 1)],
)
def test_a_text_begins_with_a_character(data: bytes, count: int) -> None:
    assert to_next_character(data) == count
