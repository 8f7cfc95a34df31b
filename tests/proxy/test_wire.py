from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_realtime.proxy.errors import UpstreamNonsense
from flask_realtime.proxy.rewriting import Rewriting
from flask_realtime.proxy.wire import ChunkedReader, parse_head


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"ICY 200 OK",
        b"HTTP/2 200 OK",
        b"HTTP/1.1 20 OK",
        b"HTTP/1.1 200 OK\r\nno colon",
        b"HTTP/1.1 200 OK\r\n folded: x",
        b"HTTP/1.1 200 OK\r\nSpace : x",
        b"HTTP/1.1 200 OK\r\nA: x\ny",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1_0",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked",
    ],
)
def test_an_ambiguous_head_is_refused(head: bytes) -> None:
    with pytest.raises(UpstreamNonsense):
        parse_head(head, bodyless=False)


@pytest.mark.parametrize(
    ("head", "chunked", "length", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5", False, 5, True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked", True, None, True),
        (b"HTTP/1.1 200", False, None, False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close", False, 5, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5", False, 5, False),
        (b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\nConnection: keep-alive", False, 5, True),
        (b"HTTP/1.1 204 No Content", False, 0, True),
        (b"HTTP/1.1 304 Not Modified\r\nContent-Length: 5", False, 0, True),
        # The length does not count then, and whoever says both is not to be trusted further.
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked", True, None, False),
    ],
)
def test_framing(head: bytes, chunked: bool, length: int | None, reusable: bool) -> None:
    found = parse_head(head, bodyless=False)
    assert (found.chunked, found.length, found.reusable) == (chunked, length, reusable)


def test_a_head_only_answer_says_how_long_it_would_be() -> None:
    found = parse_head(b"HTTP/1.1 200 OK\r\nContent-Length: 5", bodyless=True)
    assert (found.length, found.stated_length) == (0, 5)


@given(st.lists(st.binary(min_size=1, max_size=50)), st.integers(1, 40))
def test_chunks_arrive_however_they_are_cut(chunks: list[bytes], step: int) -> None:
    wire = b"".join(b"%X;a=b\r\n%b\r\n" % (len(chunk), chunk) for chunk in chunks)
    wire += b"0\r\nT: x\r\n\r\nmore"
    reader = ChunkedReader()
    received = []
    for at in range(0, len(wire), step):
        received += reader.feed(wire[at : at + step])
        if reader.ended:
            break
    assert reader.ended
    assert b"".join(received) == b"".join(chunks)
    assert b"more".startswith(reader.excess)


@pytest.mark.parametrize(
    "wire",
    [
        b"x\r\n",
        b"-1\r\n",
        b"0x5\r\n",
        b"1_0\r\n",
        b"5\nhello",
        b"2\r\nabc\r\n",
        b"1" * 5000,
        b"\r\n",
    ],
)
def test_malformed_chunks_are_refused(wire: bytes) -> None:
    with pytest.raises(UpstreamNonsense):
        ChunkedReader().feed(wire)


@given(st.lists(st.sampled_from(["/own/", "/own", "/o", "x", "//own/"])), st.integers(1, 9))
def test_words_are_replaced_however_they_are_cut(words: list[str], step: int) -> None:
    text = "".join(words)
    pieces = (text[at : at + step].encode() for at in range(0, len(text), step))
    changed = b"".join(Rewriting({"/own/": "{prefix}/own/"}).pieces(pieces, "/p"))
    assert changed.decode() == text.replace("/own/", "/p/own/")
