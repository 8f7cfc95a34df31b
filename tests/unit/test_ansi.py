"""Escape sequences are taken out, wherever the output is cut into pieces."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.search import ansi
from flask_realtime.search.ansi import AnsiFilter


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"plain\ttext\r\n", b"plain\ttext\r\n"),
        (b"\x1b[31mred\x1b[0m.", b"red."),
        (b"\x1b[38;2;1;2;3mtrue\x1b[m colour", b"true colour"),
        (b"\x1b[?25lhidden\x1b[?25h", b"hidden"),
        (b"\x1b[1 qcursor", b"cursor"),
        (b"\x1b]0;a title\x07text", b"text"),
        (b"\x1b]8;;http://a.example\x1b\\link\x1b]8;;\x1b\\", b"link"),
        (b"\x1bPdevice\x07string\x1b\\text", b"text"),
        (b"\x1b_application\x1b\\text", b"text"),
        (b"\x1b(Bcharset \x1b7saved\x1b=", b"charset saved"),
        (b"\x1b[31\x18after CAN", b"after CAN"),
        (b"\x1b\x1b[1mtwice", b"twice"),
        (b"\x1b[3\xc3\xa9", b"\xc3\xa9"),
        (b"\x1b]an unfinished title\nthe next line", b"\nthe next line"),
        (b"\x1b[31\nm", b"\nm"),
        (b"\x1b\n", b"\n"),
        (b"at the end \x1b", b"at the end "),
        (b"\x07bell \x00 \x08", b"\x07bell \x00 \x08"),
    ],
)
def test_sequences_are_taken_out_however_they_are_cut(output: bytes, text: bytes) -> None:
    assert AnsiFilter().feed(output) == text
    for cut in range(len(output)):
        plain = AnsiFilter()
        assert plain.feed(output[:cut]) + plain.feed(output[cut:]) == text, cut
    plain = AnsiFilter()
    assert b"".join(plain.feed(bytes([byte])) for byte in output) == text


@given(
    st.lists(st.sampled_from([b"\x1b", b"[", b"]", b"P", b"3", b"m", b"\n", b"\x07", b"(", b"a"])),
    st.data(),
)
def test_pieces_make_no_difference(parts: list[bytes], data: st.DataObject) -> None:
    output = b"".join(parts)
    whole = AnsiFilter().feed(output)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(output)), max_size=4)))
    plain = AnsiFilter()
    pieces = [plain.feed(output[a:b]) for a, b in zip([0, *cuts], [*cuts, None], strict=True)]
    assert b"".join(pieces) == whole
    assert whole.count(b"\n") == output.count(b"\n")
    assert b"\x1b" not in whole


def test_what_holds_no_sequence_is_not_copied() -> None:
    piece = b"as it is"
    assert AnsiFilter().feed(piece) is piece


def test_a_sequence_over_the_edge_of_a_slice_is_taken_out() -> None:
    for short in range(6):
        output = b"x" * (ansi.SLICE - short) + b"\x1b[31mred"
        assert AnsiFilter().feed(output) == b"x" * (ansi.SLICE - short) + b"red"
